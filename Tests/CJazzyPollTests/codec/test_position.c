#include "jazzy/history.h"

#include "support/random.h"
#include "support/testing.h"

static void a_position_comes_back_from_its_text(void **state)
{
    (void)state;
    static const struct {
        jz_position position;
        const char *text;
    } cases[] = {
        {{0, 0}, "0000000000000000:0"},
        {{UINT64_C(0x9f3c00000000a001), 57}, "9f3c00000000a001:57"},
        {{UINT64_MAX, UINT64_MAX}, "ffffffffffffffff:18446744073709551615"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char text[JZ_POSITION_SIZE];
        jz_position parsed = {1, 1};
        size_t length = jz_position_format(cases[i].position, text);
        assert_string_equal(text, cases[i].text);
        assert_int_equal(length, strlen(cases[i].text));
        assert_true(jz_position_parse(text, length, &parsed));
        assert_true(parsed.epoch == cases[i].position.epoch && parsed.offset == cases[i].position.offset);
    }
}

static void nothing_else_is_a_position(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "",
        ":",
        "9f3c00000000a001",
        "9f3c00000000a001:",
        "9f3c00000000a00:57",
        "9f3c00000000a0011:57",
        "9F3C00000000A001:57",
        "9f3c00000000a0g1:57",
        "9f3c00000000a001-57",
        "9f3c00000000a001:057",
        "9f3c00000000a001:00",
        "9f3c00000000a001:+7",
        "9f3c00000000a001:-1",
        "9f3c00000000a001: 7",
        "9f3c00000000a001:7 ",
        "9f3c00000000a001:0x7",
        "9f3c00000000a001:a",
        "9f3c00000000a001:7.0",
        "9f3c00000000a001:18446744073709551616",
        "9f3c00000000a001:99999999999999999999",
        "9f3c00000000a001:100000000000000000000",
        " 9f3c00000000a001:7",
        "0x9f3c00000000a0:57",
    };
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        jz_position position = {3, 4};
        assert_that(!jz_position_parse(wrong[i], strlen(wrong[i]), &position), "\"%s\" was read", wrong[i]);
        assert_true(position.epoch == 3 && position.offset == 4);
    }
    jz_position position;
    assert_false(jz_position_parse("9f3c00000000a001:7\0", 19, &position));
    assert_false(jz_position_parse(NULL, 0, &position));
}

/* Texts that differ from a right one in a byte or two: what is read is written the same. */
static void what_is_read_is_written_the_same(void **state)
{
    (void)state;
    test_random random = {18};
    for (size_t i = 0; i < 200000; i++) {
        char text[JZ_POSITION_SIZE];
        jz_position position = {test_random_next(&random), test_random_next(&random) >> test_random_below(&random, 64)};
        size_t length = jz_position_format(position, text);
        text[test_random_below(&random, length)] = (char)test_random_below(&random, 256);
        length -= test_random_below(&random, 3);
        char again[JZ_POSITION_SIZE];
        if (!jz_position_parse(text, length, &position))
            continue;
        assert_int_equal(jz_position_format(position, again), length);
        assert_memory_equal(again, text, length);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_position_comes_back_from_its_text),
        cmocka_unit_test(nothing_else_is_a_position),
        cmocka_unit_test(what_is_read_is_written_the_same),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("position", tests, NULL, NULL));
}
