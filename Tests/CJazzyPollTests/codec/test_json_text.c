#include "codec/json_text.h"

#include <stdio.h>
#include <stdlib.h>

#include "support/testing.h"

static void expect_text(jz_text text, const char *expected)
{
    size_t length = jz_json_text_length(text);
    char *written = malloc(length + 1);
    assert_non_null(written);
    assert_ptr_equal(jz_json_text_write(text, written), written + length);
    written[length] = 0;
    assert_string_equal(written, expected);
    free(written);
}

static void what_has_a_meaning_in_json_is_escaped_and_nothing_else(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"", ""},
        {"Hello, /world/! \x7f", "Hello, /world/! \x7f"},
        {"\"\\", "\\\"\\\\"},
        {"\b\f\n\r\t", "\\b\\f\\n\\r\\t"},
        {"\x01\x1f", "\\u0001\\u001f"},
        {"Grüße, 世界 🎷\u2028", "Grüße, 世界 🎷\u2028"},
        {"{\"a\":[1,\"b\"]}", "{\\\"a\\\":[1,\\\"b\\\"]}"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        expect_text(jz_text_of(cases[i][0]), cases[i][1]);
    expect_text((jz_text){"a\0b", 3}, "a\\u0000b");
    expect_text((jz_text){NULL, 0}, "");
}

static void every_control_character_is_escaped(void **state)
{
    (void)state;
    for (int character = 0; character < ' '; character++) {
        const char text = (char)character;
        char written[JZ_MOST_JSON_BYTES + 1] = "";
        size_t length = jz_json_text_length((jz_text){&text, 1});
        assert_true(length == 2 || length == JZ_MOST_JSON_BYTES);
        jz_json_text_write((jz_text){&text, 1}, written);
        assert_int_equal(written[0], '\\');
        if (length > 2)
            assert_int_equal(strtol(written + 2, NULL, 16), character);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_has_a_meaning_in_json_is_escaped_and_nothing_else),
        cmocka_unit_test(every_control_character_is_escaped),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("json_text", tests, NULL, NULL));
}
