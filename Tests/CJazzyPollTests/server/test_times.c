/* Distributions of times: differences and percentiles. */
#include "jazzy/times.h"

#include "support/testing.h"

#define TIMES(a, b, c, d)                                                                                              \
    {                                                                                                                  \
        .bucket_count = 4, .bounds = {100, 200, 1000, UINT64_MAX}, .counts = { a, b, c, d }                            \
    }

static void percentiles_are_interpolated_between_bounds(void **state)
{
    (void)state;
    static const struct {
        jz_times times;
        double percent;
        uint64_t expected;
    } rows[] = {
        {TIMES(0, 0, 0, 0), 50, 0},
        {TIMES(10, 0, 0, 0), 50, 50},
        {TIMES(10, 0, 0, 0), 100, 100},
        {TIMES(10, 0, 0, 0), 0, 0},
        {TIMES(0, 10, 0, 0), 0, 100},
        {TIMES(0, 10, 0, 0), 50, 150},
        {TIMES(50, 0, 50, 0), 50, 100},
        {TIMES(50, 0, 50, 0), 75, 600},
        {TIMES(50, 40, 10, 0), 90, 200},
        {TIMES(50, 40, 10, 0), 99, 920},
        {TIMES(50, 40, 10, 0), 100, 1000},
        /* Above the highest bound nothing more is known. */
        {TIMES(50, 40, 0, 10), 99, 1000},
        {TIMES(0, 0, 0, 1), 50, 1000},
        {TIMES(1, 0, 0, 0), 101, 100},
        {TIMES(1, 0, 0, 0), -1, 0},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        uint64_t found = jz_times_percentile(&rows[i].times, rows[i].percent);
        assert_that(found == rows[i].expected, "row %zu: %llu", i, (unsigned long long)found);
    }
}

static void what_was_added_since_is_the_difference(void **state)
{
    (void)state;
    jz_times before = TIMES(1, 2, 3, 4);
    jz_times now = TIMES(11, 2, 5, 3);
    before.sum = 1000;
    now.sum = 1500;
    assert_int_equal(jz_times_count(&now), 21);
    jz_times since = jz_times_since(&now, &before);
    static const uint64_t expected[] = {10, 0, 2, 0};
    assert_memory_equal(since.counts, expected, sizeof expected);
    assert_memory_equal(since.bounds, now.bounds, sizeof since.bounds);
    assert_int_equal(since.bucket_count, 4);
    assert_int_equal(since.sum, 500);
    now = jz_times_since(&now, &now);
    assert_int_equal(jz_times_count(&now), 0);
    assert_int_equal(now.sum, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(percentiles_are_interpolated_between_bounds),
        cmocka_unit_test(what_was_added_since_is_the_difference),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("times", tests, NULL, NULL));
}
