/* How long a loop's iterations take, as read by another thread while the loop runs. */
#include "loop/loop.h"

#include <inttypes.h>
#include <pthread.h>

#include "loop/count.h"
#include "support/testing.h"

enum { TURNS = 4000, LONG_NS = 120000 /* above the first bound */ };

typedef struct spinning {
    jz_loop loop;
    size_t turns;
    atomic_bool has_ended;
} spinning;

static void ready(void *context, uint64_t token, unsigned what)
{
    (void)context;
    (void)token;
    (void)what;
}

static void take(void *context, jz_letter *letter)
{
    (void)context;
    (void)letter;
}

static void expired(void *context, jz_timer *timer)
{
    (void)context;
    (void)timer;
}

/* Every other iteration is a long one. */
static bool end_turn(void *context)
{
    spinning *spinning = context;
    spinning->loop.is_hurried = true; /* the next one begins at once */
    if (++spinning->turns % 2 == 0)
        for (uint64_t until = jz_clock_ns() + LONG_NS; jz_clock_ns() < until;)
            continue;
    return spinning->turns < TURNS;
}

static void *run(void *context)
{
    spinning *spinning = context;
    jz_loop_run(&spinning->loop);
    atomic_store(&spinning->has_ended, true);
    return NULL;
}

static void expect_not_less(const jz_distribution *now, const jz_distribution *before)
{
    for (size_t i = 0; i <= jz_turn_bounds.count; i++)
        assert_that(now->counts[i] >= before->counts[i], "bucket %zu fell from %" PRIu64 " to %" PRIu64, i,
                    before->counts[i], now->counts[i]);
    assert_true(now->sum >= before->sum);
}

static void no_count_of_iterations_ever_falls(void **state)
{
    (void)state;
    spinning spinning = {0};
    const jz_loop_owner owner = {&spinning, ready, take, expired, end_turn};
    assert_int_equal(jz_loop_init(&spinning.loop, owner, 4096, NULL), JZ_OK);
    spinning.loop.is_hurried = true;
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, run, &spinning), 0);
    jz_distribution before = {0};
    while (!atomic_load(&spinning.has_ended)) {
        const jz_distribution now = jz_loop_times_read(&spinning.loop.times);
        expect_not_less(&now, &before);
        before = now;
    }
    pthread_join(thread, NULL);
    const jz_distribution all = jz_loop_times_read(&spinning.loop.times);
    uint64_t sum = 0;
    for (size_t i = 0; i <= jz_turn_bounds.count; i++)
        sum += all.counts[i];
    assert_int_equal(sum, TURNS);
    assert_int_equal(jz_counted(&spinning.loop.times.turns), TURNS);
    jz_loop_destroy(&spinning.loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_count_of_iterations_ever_falls),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("loop times", tests, NULL, NULL));
}
