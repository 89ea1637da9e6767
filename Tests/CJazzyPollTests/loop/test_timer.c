#include "loop/timer.h"

#include <limits.h>

#include "support/clock.h"
#include "support/random.h"
#include "support/testing.h"

enum { ROUND_MS = JZ_TICK_MS * JZ_WHEEL_BUCKETS };

/* Not the beginning of a tick: timers that start with one would hide what rounding does to the others. */
static const uint64_t start_ms = UINT64_C(86400017);

static int stop_clock(void **state)
{
    (void)state;
    test_clock_stop(start_ms);
    return 0;
}

static int run_clock(void **state)
{
    (void)state;
    test_clocks_run();
    return 0;
}

static const uint32_t delays[] = {
    0,
    1,
    JZ_TICK_MS - 1,
    JZ_TICK_MS,
    JZ_TICK_MS + 1,
    1000,
    ROUND_MS - JZ_TICK_MS,
    ROUND_MS - 1,
    ROUND_MS,
    ROUND_MS + 1,
    ROUND_MS + JZ_TICK_MS,
    60000,
    3600000,
    UINT32_MAX,
};

static void a_timer_is_never_early_and_at_most_one_tick_late(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(delays); i++) {
        for (unsigned into_tick = 0; into_tick < JZ_TICK_MS; into_tick++) {
            test_clock_stop(start_ms / JZ_TICK_MS * JZ_TICK_MS + into_tick);
            jz_timers timers;
            jz_timer timer = {0};
            jz_timers_init(&timers);
            jz_timer_set(&timers, &timer, delays[i]);
            if (delays[i] > 0) {
                test_clock_advance(delays[i] - 1);
                assert_that(jz_timers_take_due(&timers, jz_clock_ms()) == NULL, "%u ms, set %u ms into a tick: early",
                            delays[i], into_tick);
                test_clock_advance(1);
            }
            test_clock_advance(JZ_TICK_MS);
            assert_that(jz_timers_take_due(&timers, jz_clock_ms()) == &timer, "%u ms, set %u ms into a tick: late",
                        delays[i], into_tick);
            assert_null(jz_timers_take_due(&timers, jz_clock_ms()));
        }
    }
}

static void waiting_as_told_fires_in_time_and_seldom_in_vain(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(delays); i++) {
        test_clock_stop(start_ms);
        jz_timers timers;
        jz_timer timer = {0};
        jz_timers_init(&timers);
        jz_timer_set(&timers, &timer, delays[i]);
        uint64_t waits = 0;
        uint64_t waited = 0;
        while (jz_timers_take_due(&timers, jz_clock_ms()) == NULL) {
            int wait = jz_timers_wait_ms(&timers, jz_clock_ms());
            assert_that(wait > 0, "%u ms: told to wait for %d ms", delays[i], wait);
            test_clock_advance((uint64_t)wait);
            waited += (uint64_t)wait;
            waits++;
        }
        assert_that(waited >= delays[i] && waited <= (uint64_t)delays[i] + JZ_TICK_MS, "%u ms: fired after %lu ms",
                    delays[i], (unsigned long)waited);
        /* Its bucket has to be looked at once each round. */
        assert_that(waits <= delays[i] / ROUND_MS + 2, "%u ms: %lu waits", delays[i], (unsigned long)waits);
    }
}

static void without_timers_there_is_no_end_to_the_wait(void **state)
{
    (void)state;
    jz_timers timers;
    jz_timer timer = {0};
    jz_timers_init(&timers);
    assert_int_equal(jz_timers_wait_ms(&timers, jz_clock_ms()), -1);
    jz_timer_set(&timers, &timer, 1000);
    assert_int_not_equal(jz_timers_wait_ms(&timers, jz_clock_ms()), -1);
    jz_timer_cancel(&timers, &timer);
    assert_int_equal(jz_timers_wait_ms(&timers, jz_clock_ms()), -1);
    assert_null(jz_timers_take_due(&timers, jz_clock_ms()));
}

static void a_wait_never_exceeds_what_the_kernel_takes(void **state)
{
    (void)state;
    jz_timers timers;
    jz_timer timer = {0};
    jz_timers_init(&timers);
    jz_timer_set(&timers, &timer, UINT32_MAX);
    assert_int_equal(jz_timers_wait_ms(&timers, jz_clock_ms()), INT_MAX);
    jz_timer_cancel(&timers, &timer);
}

static void what_is_overdue_is_not_waited_for(void **state)
{
    (void)state;
    jz_timers timers;
    jz_timer timer = {0};
    jz_timers_init(&timers);
    jz_timer_set(&timers, &timer, 100);
    test_clock_advance(10000);
    assert_int_equal(jz_timers_wait_ms(&timers, jz_clock_ms()), 0);
    assert_ptr_equal(jz_timers_take_due(&timers, jz_clock_ms()), &timer);
}

static void a_cancelled_timer_does_not_fire(void **state)
{
    (void)state;
    jz_timers timers;
    jz_timer cancelled = {0};
    jz_timer kept = {0};
    jz_timer never_set = {0};
    jz_timers_init(&timers);
    jz_timer_set(&timers, &cancelled, 100);
    jz_timer_set(&timers, &kept, 100);
    jz_timer_cancel(&timers, &cancelled);
    jz_timer_cancel(&timers, &cancelled);
    jz_timer_cancel(&timers, &never_set);
    test_clock_advance(200);
    assert_ptr_equal(jz_timers_take_due(&timers, jz_clock_ms()), &kept);
    assert_null(jz_timers_take_due(&timers, jz_clock_ms()));
}

static void setting_a_timer_again_moves_it(void **state)
{
    (void)state;
    static const struct {
        uint32_t first;
        uint32_t second;
    } moves[] = {{100, 5000}, {5000, 100}, {100, 100}, {ROUND_MS, 100}, {100, 3 * ROUND_MS}};
    for (size_t i = 0; i < COUNT_OF(moves); i++) {
        test_clock_stop(start_ms);
        jz_timers timers;
        jz_timer timer = {0};
        jz_timers_init(&timers);
        jz_timer_set(&timers, &timer, moves[i].first);
        jz_timer_set(&timers, &timer, moves[i].second);
        test_clock_advance(moves[i].second - 1);
        assert_that(jz_timers_take_due(&timers, jz_clock_ms()) == NULL, "%u moved to %u: early", moves[i].first,
                    moves[i].second);
        test_clock_advance(1 + JZ_TICK_MS);
        assert_ptr_equal(jz_timers_take_due(&timers, jz_clock_ms()), &timer);
        test_clock_advance(10 * ROUND_MS);
        assert_that(jz_timers_take_due(&timers, jz_clock_ms()) == NULL, "%u moved to %u: fired twice", moves[i].first,
                    moves[i].second);
    }
}

static void timers_may_be_set_and_cancelled_while_others_are_taken(void **state)
{
    (void)state;
    jz_timers timers;
    jz_timer three[3] = {{0}};
    jz_timers_init(&timers);
    for (size_t i = 0; i < COUNT_OF(three); i++)
        jz_timer_set(&timers, &three[i], 100);
    test_clock_advance(200);
    jz_timer *first = jz_timers_take_due(&timers, jz_clock_ms());
    assert_non_null(first);
    jz_timer_set(&timers, first, 100); /* not due again in this iteration */
    jz_timer *cancelled = first == &three[0] ? &three[1] : &three[0];
    jz_timer_cancel(&timers, cancelled);
    jz_timer *second = jz_timers_take_due(&timers, jz_clock_ms());
    assert_non_null(second);
    assert_ptr_not_equal(second, first);
    assert_ptr_not_equal(second, cancelled);
    assert_null(jz_timers_take_due(&timers, jz_clock_ms()));
    test_clock_advance(150);
    assert_ptr_equal(jz_timers_take_due(&timers, jz_clock_ms()), first);
    assert_null(jz_timers_take_due(&timers, jz_clock_ms()));
}

static void a_clock_that_ran_on_for_long_without_timers_does_no_harm(void **state)
{
    (void)state;
    jz_timers timers;
    jz_timer timer = {0};
    jz_timers_init(&timers);
    for (int i = 0; i < 3; i++) {
        test_clock_advance(UINT64_C(7) * ROUND_MS + 11);
        assert_null(jz_timers_take_due(&timers, jz_clock_ms()));
        jz_timer_set(&timers, &timer, 1000);
        test_clock_advance(999);
        assert_null(jz_timers_take_due(&timers, jz_clock_ms()));
        test_clock_advance(1 + JZ_TICK_MS);
        assert_ptr_equal(jz_timers_take_due(&timers, jz_clock_ms()), &timer);
    }
}

typedef struct planned {
    jz_timer timer; /* first, so that a timer is its plan */
    bool is_set;
    uint64_t due_ms;
} planned;

/* Sets, moves and cancels timers and advances the clock at random, and compares with a list of expected events. */
static void a_thousand_timers_fire_as_a_plain_list_says(void **state)
{
    (void)state;
    static planned plan[1000];
    memset(plan, 0, sizeof plan);
    test_random random = {.state = 1};
    jz_timers timers;
    jz_timers_init(&timers);
    uint64_t now = start_ms;
    for (int turn = 0; turn < 2000; turn++) {
        for (int i = 0; i < 20; i++) {
            planned *chosen = &plan[test_random_below(&random, COUNT_OF(plan))];
            chosen->is_set = test_random_below(&random, 4) > 0;
            uint32_t delay = (uint32_t)test_random_below(&random, test_random_below(&random, 2) == 0 ? 500 : 100000);
            chosen->due_ms = now + delay;
            if (chosen->is_set)
                jz_timer_set(&timers, &chosen->timer, delay);
            else
                jz_timer_cancel(&timers, &chosen->timer);
        }
        uint64_t step = test_random_below(&random, turn % 100 == 0 ? 3 * ROUND_MS : 200);
        test_clock_advance(step);
        now += step;
        jz_timer *fired;
        while ((fired = jz_timers_take_due(&timers, jz_clock_ms())) != NULL) {
            planned *due = (planned *)fired;
            assert_that(due->is_set && due->due_ms <= now, "turn %d: fired though it was not due", turn);
            due->is_set = false;
        }
        for (size_t i = 0; i < COUNT_OF(plan); i++)
            assert_that(!plan[i].is_set || plan[i].due_ms + JZ_TICK_MS > now, "turn %d: timer %zu is late", turn, i);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_timer_is_never_early_and_at_most_one_tick_late, stop_clock),
        cmocka_unit_test_setup(waiting_as_told_fires_in_time_and_seldom_in_vain, stop_clock),
        cmocka_unit_test_setup(without_timers_there_is_no_end_to_the_wait, stop_clock),
        cmocka_unit_test_setup(a_wait_never_exceeds_what_the_kernel_takes, stop_clock),
        cmocka_unit_test_setup(what_is_overdue_is_not_waited_for, stop_clock),
        cmocka_unit_test_setup(a_cancelled_timer_does_not_fire, stop_clock),
        cmocka_unit_test_setup(setting_a_timer_again_moves_it, stop_clock),
        cmocka_unit_test_setup(timers_may_be_set_and_cancelled_while_others_are_taken, stop_clock),
        cmocka_unit_test_setup(a_clock_that_ran_on_for_long_without_timers_does_no_harm, stop_clock),
        cmocka_unit_test_setup(a_thousand_timers_fire_as_a_plain_list_says, stop_clock),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("timer", tests, NULL, run_clock));
}
