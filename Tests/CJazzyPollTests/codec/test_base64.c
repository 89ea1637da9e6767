#include "codec/base64.h"

#include <string.h>

#include "support/testing.h"

/* RFC 4648 §10. */
static void the_examples_of_the_rfc(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"", ""},
        {"f", "Zg=="},
        {"fo", "Zm8="},
        {"foo", "Zm9v"},
        {"foob", "Zm9vYg=="},
        {"fooba", "Zm9vYmE="},
        {"foobar", "Zm9vYmFy"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char text[16];
        size_t length = strlen(cases[i][0]);
        memset(text, '#', sizeof text);
        jz_base64_encode((const uint8_t *)cases[i][0], length, text);
        assert_int_equal(jz_base64_length(length), strlen(cases[i][1]));
        assert_memory_equal(text, cases[i][1], strlen(cases[i][1]));
        assert_int_equal(text[jz_base64_length(length)], '#');
    }
}

static void every_digit_is_written(void **state)
{
    (void)state;
    char text[64];
    uint8_t bytes[48];
    for (unsigned i = 0; i < 64; i += 4) {
        unsigned group = i << 18 | (i + 1) << 12 | (i + 2) << 6 | (i + 3);
        bytes[i / 4 * 3] = (uint8_t)(group >> 16);
        bytes[i / 4 * 3 + 1] = (uint8_t)(group >> 8);
        bytes[i / 4 * 3 + 2] = (uint8_t)group;
    }
    jz_base64_encode(bytes, sizeof bytes, text);
    assert_memory_equal(text, jz_base64_digits, 64);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_examples_of_the_rfc),
        cmocka_unit_test(every_digit_is_written),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("base64", tests, NULL, NULL));
}
