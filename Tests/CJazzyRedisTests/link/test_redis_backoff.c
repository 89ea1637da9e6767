/* The pauses between attempts to connect, and how many names are looked up at a time. */
#include "link/backoff.h"

#include <string.h>

#include "link/resolver.h"
#include "support/eventually.h"
#include "support/names.h"
#include "support/testing.h"

enum { SEEDS = 4000 };

/* Full jitter: of many processes the pauses after each failure fill all from nothing to the bound, evenly. */
static void pauses_are_spread_up_to_a_bound_that_doubles(void **state)
{
    (void)state;
    static const uint64_t bounds[] = {50, 100, 200, 400, 800, 1600, 2000, 2000, 2000};
    static jz_redis_backoff processes[SEEDS];
    jz_redis_options options = jz_redis_options_default();
    for (size_t i = 0; i < SEEDS; i++)
        processes[i] = (jz_redis_backoff){.random = (i + 1) * UINT64_C(0x9E3779B97F4A7C15)};
    for (size_t failure = 0; failure < COUNT_OF(bounds); failure++) {
        uint64_t bound = bounds[failure];
        uint64_t sum = 0;
        uint64_t least = UINT64_MAX;
        uint64_t most = 0;
        size_t quarters[5] = {0};
        for (size_t i = 0; i < SEEDS; i++) {
            uint64_t pause = jz_redis_backoff_next(&processes[i], &options);
            assert_in_range(pause, 0, bound);
            sum += pause;
            least = pause < least ? pause : least;
            most = pause > most ? pause : most;
            quarters[pause * 4 / bound]++;
        }
        assert_in_range(least, 0, bound / 50);
        assert_in_range(most, bound - bound / 50, bound);
        assert_in_range(sum / SEEDS, bound * 45 / 100, bound * 55 / 100);
        for (size_t i = 0; i < 4; i++)
            assert_in_range(quarters[i], SEEDS / 5, SEEDS * 3 / 10);
    }
}

static void success_begins_with_short_pauses_again(void **state)
{
    (void)state;
    jz_redis_options options = jz_redis_options_default();
    jz_redis_backoff backoff = {.random = 7};
    for (size_t i = 0; i < 20; i++)
        (void)jz_redis_backoff_next(&backoff, &options);
    backoff.failures = 0;
    assert_in_range(jz_redis_backoff_next(&backoff, &options), 0, options.backoff_least_ms);
}

static void look_ups_that_hang_are_bounded_and_make_room_once_they_end(void **state)
{
    (void)state;
    names_hang();
    for (size_t i = 0; i < JZ_REDIS_MOST_LOOKUPS; i++) {
        jz_redis_resolution *resolution = jz_redis_resolve("hangs.test", 1);
        assert_non_null(resolution);
        jz_redis_resolution_free(resolution); /* its thread stays */
    }
    assert_null(jz_redis_resolve("hangs.test", 1));
    jz_redis_resolution *number = jz_redis_resolve("127.0.0.1", 1); /* needs no thread */
    assert_non_null(number);
    assert_true(jz_redis_resolution_is_done(number));
    jz_redis_resolution_free(number);
    names_answer();
    assert_eventually(names_hanging() == 0);
    jz_redis_resolution *again = NULL;
    assert_eventually((again = jz_redis_resolve("hangs.test", 1)) != NULL);
    assert_eventually(jz_redis_resolution_is_done(again));
    jz_redis_resolution_free(again);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pauses_are_spread_up_to_a_bound_that_doubles),
        cmocka_unit_test(success_begins_with_short_pauses_again),
        cmocka_unit_test(look_ups_that_hang_are_bounded_and_make_room_once_they_end),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests(tests, NULL, NULL));
}
