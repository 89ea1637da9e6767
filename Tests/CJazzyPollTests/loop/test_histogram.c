#include "loop/histogram.h"

#include <pthread.h>

#include "support/testing.h"

enum { THREADS = 4, TIMES = 10000 };

static const jz_bounds bounds = {2, {10, 20}};
static jz_histogram shared;

static void a_time_belongs_to_the_first_bound_that_is_not_less(void **state)
{
    (void)state;
    static const struct {
        uint64_t ns;
        size_t place;
    } times[] = {{0, 0}, {10, 0}, {11, 1}, {20, 1}, {21, 2}, {UINT64_MAX, 2}};
    for (size_t i = 0; i < COUNT_OF(times); i++)
        assert_int_equal(jz_bounds_place(&bounds, times[i].ns), times[i].place);
}

static void *observe(void *context)
{
    (void)context;
    for (uint64_t i = 0; i < TIMES; i++)
        jz_histogram_observe(&shared, &bounds, i % 30);
    return NULL;
}

static void nothing_is_lost_where_several_threads_observe(void **state)
{
    (void)state;
    pthread_t threads[THREADS];
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, observe, NULL), 0);
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    uint64_t sum = 0;
    for (uint64_t i = 0; i < TIMES; i++)
        sum += i % 30;
    jz_distribution read = jz_histogram_read(&shared);
    assert_int_equal(read.counts[0] + read.counts[1] + read.counts[2], THREADS * TIMES);
    assert_int_equal(read.sum, THREADS * sum);
    for (size_t i = 3; i <= JZ_MOST_BOUNDS; i++)
        assert_int_equal(read.counts[i], 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_time_belongs_to_the_first_bound_that_is_not_less),
        cmocka_unit_test(nothing_is_lost_where_several_threads_observe),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
