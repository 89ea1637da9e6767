#include "codec/byte_range.h"

#include "support/testing.h"

static const struct {
    const char *value;
    uint64_t size;
    jz_range_kind kind;
    uint64_t first;
    uint64_t length;
} rows[] = {
    {"bytes=0-0", 10, JZ_RANGE_PART, 0, 1},
    {"bytes=0-9", 10, JZ_RANGE_PART, 0, 10},
    {"bytes=0-10", 10, JZ_RANGE_PART, 0, 10},
    {"BYTES= 3-4 ", 10, JZ_RANGE_PART, 3, 2},
    {"bytes=9-", 10, JZ_RANGE_PART, 9, 1},
    {"bytes=-1", 10, JZ_RANGE_PART, 9, 1},
    {"bytes=-10", 10, JZ_RANGE_PART, 0, 10},
    {"bytes=-18446744073709551615", 10, JZ_RANGE_PART, 0, 10},
    {"bytes=-99999999999999999999999999", 10, JZ_RANGE_PART, 0, 10},
    {"bytes=0-18446744073709551615", UINT64_MAX, JZ_RANGE_PART, 0, UINT64_MAX},
    {"bytes=1-18446744073709551614", UINT64_MAX, JZ_RANGE_PART, 1, UINT64_MAX - 1},
    {"bytes=18446744073709551614-", UINT64_MAX, JZ_RANGE_PART, UINT64_MAX - 1, 1},
    {"bytes=10-", 10, JZ_RANGE_UNSATISFIABLE, 0, 0},
    {"bytes=10-11", 10, JZ_RANGE_UNSATISFIABLE, 0, 0},
    {"bytes=0-", 0, JZ_RANGE_UNSATISFIABLE, 0, 0},
    {"bytes=-0", 10, JZ_RANGE_UNSATISFIABLE, 0, 0},
    {"bytes=18446744073709551616-", 10, JZ_RANGE_UNSATISFIABLE, 0, 0},
    {"bytes=-1", 0, JZ_RANGE_WHOLE, 0, 0},
    {"", 10, JZ_RANGE_WHOLE, 0, 0},
    {"bytes", 10, JZ_RANGE_WHOLE, 0, 0},
    {"bytes=", 10, JZ_RANGE_WHOLE, 0, 0},
    {"bytes=-", 10, JZ_RANGE_WHOLE, 0, 0},
    {"bytes=--1", 10, JZ_RANGE_WHOLE, 0, 0},
    {"bytes=1", 10, JZ_RANGE_WHOLE, 0, 0},
    {"bytes=2-1", 10, JZ_RANGE_WHOLE, 0, 0},
    {"bytes=1-x", 10, JZ_RANGE_WHOLE, 0, 0},
    {"bytes=x-1", 10, JZ_RANGE_WHOLE, 0, 0},
    {"bytes=+1-2", 10, JZ_RANGE_WHOLE, 0, 0},
    {"bytes=1 - 2", 10, JZ_RANGE_WHOLE, 0, 0},
    {"bytes=1-2,4-5", 10, JZ_RANGE_WHOLE, 0, 0},
    {"bytes=1-2,", 10, JZ_RANGE_WHOLE, 0, 0},
    {"bytes=,1-2", 10, JZ_RANGE_WHOLE, 0, 0},
    {"bytes =1-2", 10, JZ_RANGE_WHOLE, 0, 0},
    {"pages=1-2", 10, JZ_RANGE_WHOLE, 0, 0},
};

static void one_range_is_served_and_anything_else_is_the_whole(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        uint64_t first = 0;
        uint64_t length = 0;
        jz_range_kind kind = jz_byte_range_parse(jz_text_of(rows[i].value), rows[i].size, &first, &length);
        assert_that(kind == rows[i].kind, "%s: %d", rows[i].value, (int)kind);
        if (kind == JZ_RANGE_PART)
            assert_that(first == rows[i].first && length == rows[i].length, "%s: %llu %llu", rows[i].value,
                        (unsigned long long)first, (unsigned long long)length);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(one_range_is_served_and_anything_else_is_the_whole)};
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("byte range", tests, NULL, NULL));
}
