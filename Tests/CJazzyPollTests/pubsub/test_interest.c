#include "pubsub/interest.h"

#include <pthread.h>
#include <stdio.h>

#include "support/allocation.h"
#include "support/random.h"
#include "support/testing.h"
#include "support/topic_set.h"

/* A broker that records its calls, and counts wrong ones. */
typedef struct listener {
    topic_set topics;
    size_t calls;
    size_t errors;         /* a topic that was there came, one that was not there went, or not under the lock */
    pthread_mutex_t *lock; /* that of the interest */
} listener;

static bool is_locked(const listener *listener)
{
    bool is_free = pthread_mutex_trylock(listener->lock) == 0;
    if (is_free)
        pthread_mutex_unlock(listener->lock);
    return !is_free;
}

static void note_first(void *context, const char *topic, size_t length)
{
    listener *listener = context;
    listener->calls++;
    listener->errors += is_locked(listener) && topic_set_add(&listener->topics, topic, length) ? 0 : 1;
}

static void note_last(void *context, const char *topic, size_t length)
{
    listener *listener = context;
    listener->calls++;
    listener->errors += is_locked(listener) && topic_set_remove(&listener->topics, topic, length) ? 0 : 1;
}

typedef struct fixture {
    listener listener;
    jz_broker broker;
    jz_interest interest;
} fixture;

static void set_up(fixture *fixture)
{
    *fixture =
        (struct fixture){.broker = {.context = &fixture->listener, .subscribe = note_first, .unsubscribe = note_last}};
    fixture->listener.lock = &fixture->interest.lock;
    topic_set_init(&fixture->listener.topics);
    jz_interest_init(&fixture->interest, &fixture->broker);
}

static void tear_down(fixture *fixture)
{
    assert_int_equal(fixture->listener.errors, 0);
    jz_interest_destroy(&fixture->interest);
    topic_set_clear(&fixture->listener.topics);
}

static bool is_told(const fixture *fixture, jz_text topic)
{
    return topic_set_has(&fixture->listener.topics, topic.start, topic.length);
}

/* Nothing, bytes that are no text, and names that begin alike are topics like any other. */
static jz_text topic_of(size_t number)
{
    static const jz_text odd[] = {{NULL, 0}, {"\0", 1}, {"\0\0", 2}, {"room", 4}};
    static char names[64][16];
    if (number < COUNT_OF(odd))
        return odd[number];
    if (names[number][0] == 0)
        snprintf(names[number], sizeof names[number], "room/%u", (unsigned)number);
    return jz_text_of(names[number]);
}

static void the_broker_is_told_of_the_first_and_of_the_last(void **state)
{
    (void)state;
    static const struct {
        bool comes;
        size_t calls;
        bool is_told;
    } steps[] = {{true, 1, true},  {true, 1, true},   {false, 1, true}, {true, 1, true},
                 {false, 1, true}, {false, 2, false}, {true, 3, true},  {false, 4, false}};
    for (size_t number = 0; number < 5; number++) {
        fixture fixture;
        set_up(&fixture);
        const jz_text topic = topic_of(number);
        for (size_t i = 0; i < COUNT_OF(steps); i++) {
            if (steps[i].comes)
                assert_true(jz_interest_came(&fixture.interest, topic));
            else
                jz_interest_went(&fixture.interest, topic);
            assert_that(fixture.listener.calls == steps[i].calls && is_told(&fixture, topic) == steps[i].is_told,
                        "step %zu of topic %zu", i, number);
            assert_int_equal(fixture.interest.topic_count, steps[i].is_told ? 1 : 0);
        }
        tear_down(&fixture);
    }
}

enum { SHARDS = 4, TOPICS = 40 };

static void what_is_told_is_what_a_plain_table_says(void **state)
{
    (void)state;
    enum { STEPS = 20000 };
    size_t live = test_live_allocations();
    bool has[SHARDS][TOPICS] = {0};
    size_t shard_counts[TOPICS] = {0};
    fixture fixture;
    set_up(&fixture);
    test_random random = {3};
    for (size_t i = 0; i < STEPS; i++) {
        size_t number = test_random_below(&random, TOPICS);
        bool *place = &has[test_random_below(&random, SHARDS)][number];
        *place = !*place;
        shard_counts[number] += *place ? 1 : SIZE_MAX;
        if (*place)
            assert_true(jz_interest_came(&fixture.interest, topic_of(number)));
        else
            jz_interest_went(&fixture.interest, topic_of(number));
        assert_int_equal(is_told(&fixture, topic_of(number)), shard_counts[number] > 0);
    }
    for (size_t shard = 0; shard < SHARDS; shard++) {
        for (size_t number = 0; number < TOPICS; number++) {
            if (has[shard][number])
                jz_interest_went(&fixture.interest, topic_of(number));
        }
    }
    assert_int_equal(fixture.listener.topics.table.count, 0);
    tear_down(&fixture);
    assert_int_equal(test_live_allocations(), live);
}

/* By which servers know each other's members: the broker is told of them, and they count as no topics. */
static void topics_of_the_servers_own_are_told_and_not_counted(void **state)
{
    (void)state;
    fixture fixture;
    set_up(&fixture);
    const jz_text hidden = jz_text_of("\xFFjazzy.presence:room"), topic = jz_text_of("room");
    assert_true(jz_interest_came(&fixture.interest, hidden));
    assert_true(is_told(&fixture, hidden));
    assert_int_equal(fixture.interest.topic_count, 0);
    assert_true(jz_interest_came(&fixture.interest, topic));
    assert_int_equal(fixture.interest.topic_count, 1);
    topic_set_clear(&fixture.listener.topics);
    topic_set_init(&fixture.listener.topics);
    assert_int_equal(jz_interest_tell_all(&fixture.interest), 1);
    assert_true(is_told(&fixture, hidden) && is_told(&fixture, topic));
    jz_interest_went(&fixture.interest, hidden);
    assert_int_equal(fixture.interest.topic_count, 1);
    jz_interest_went(&fixture.interest, topic);
    assert_int_equal(fixture.interest.topic_count, 0);
    tear_down(&fixture);
}

/* Shards that have their first and their last subscriber of the same few topics at the same time. */
typedef struct racer {
    fixture *fixture;
    uint64_t seed;
    bool has[4];
    size_t refused;
} racer;

static void *race(void *context)
{
    racer *racer = context;
    test_random random = {racer->seed};
    for (size_t i = 0; i < 20000; i++) {
        size_t number = test_random_below(&random, COUNT_OF(racer->has));
        bool *place = &racer->has[number];
        if (*place)
            jz_interest_went(&racer->fixture->interest, topic_of(number));
        else if (!jz_interest_came(&racer->fixture->interest, topic_of(number)))
            racer->refused++;
        *place = !*place;
    }
    return NULL;
}

static void no_call_is_overtaken_by_an_older_one_of_another_shard(void **state)
{
    (void)state;
    fixture fixture;
    set_up(&fixture);
    racer racers[SHARDS];
    pthread_t threads[SHARDS];
    for (size_t i = 0; i < SHARDS; i++) {
        racers[i] = (racer){.fixture = &fixture, .seed = i + 1};
        assert_int_equal(pthread_create(&threads[i], NULL, race, &racers[i]), 0);
    }
    for (size_t i = 0; i < SHARDS; i++)
        pthread_join(threads[i], NULL);
    /* For each topic the broker was told of a first and a last subscriber alternately (tear_down), and the last call is
       true. */
    for (size_t number = 0; number < COUNT_OF(racers[0].has); number++) {
        bool is_there = false;
        for (size_t i = 0; i < SHARDS; i++)
            is_there = is_there || racers[i].has[number];
        assert_int_equal(is_told(&fixture, topic_of(number)), is_there);
    }
    for (size_t i = 0; i < SHARDS; i++)
        assert_int_equal(racers[i].refused, 0);
    tear_down(&fixture);
}

static void count_call(void *context, const char *topic, size_t length)
{
    (void)topic;
    (void)length;
    ++*(size_t *)context;
}

static void without_memory_nobody_comes_and_the_broker_is_not_told(void **state)
{
    (void)state;
    enum { NEEDED = 3 }; /* the topic, and the list of segments and the segment that a table begins with */
    size_t live = test_live_allocations();
    size_t calls = 0;
    const jz_broker broker = {.context = &calls, .subscribe = count_call, .unsubscribe = count_call};
    const jz_text topic = topic_of(9);
    for (size_t failing = 0; failing <= NEEDED; failing++) {
        jz_interest interest;
        jz_interest_init(&interest, &broker);
        test_allocation_fails_once_after(failing);
        bool is_there = jz_interest_came(&interest, topic);
        assert_int_equal(test_allocations_succeed() > 0, failing < NEEDED);
        assert_int_equal(is_there, failing == NEEDED);
        assert_int_equal(calls, is_there ? 1 : 0);
        assert_int_equal(interest.topic_count, calls);
        /* With memory again, everything works as if nothing had happened; and a second subscriber needs none. */
        assert_true(jz_interest_came(&interest, topic));
        test_allocations_fail_after(0);
        assert_true(jz_interest_came(&interest, topic));
        test_allocations_succeed();
        assert_int_equal(calls, 1);
        for (size_t i = is_there ? 3 : 2; i > 0; i--)
            jz_interest_went(&interest, topic);
        assert_int_equal(calls, 2);
        jz_interest_destroy(&interest);
        assert_int_equal(test_live_allocations(), live);
        calls = 0;
    }
}

static void a_topic_costs_one_allocation_however_many_there_are(void **state)
{
    (void)state;
    enum { MANY = 100000, PIECES_OF_THE_TABLE = MANY / JZ_BUCKETS_PER_SEGMENT + 32 };
    size_t live = test_live_allocations();
    size_t calls = 0;
    const jz_broker broker = {.context = &calls, .subscribe = count_call, .unsubscribe = count_call};
    jz_interest interest;
    jz_interest_init(&interest, &broker);
    size_t before = test_allocation_count();
    for (unsigned i = 0; i < MANY; i++)
        assert_true(jz_interest_came(&interest, (jz_text){(const char *)&i, sizeof i}));
    assert_true(test_allocation_count() - before <= MANY + PIECES_OF_THE_TABLE);
    assert_int_equal(jz_interest_tell_all(&interest), MANY);
    assert_int_equal(calls, 2 * MANY);
    for (unsigned i = 0; i < MANY; i++)
        jz_interest_went(&interest, (jz_text){(const char *)&i, sizeof i});
    assert_int_equal(calls, 3 * MANY);
    jz_interest_destroy(&interest);
    assert_int_equal(test_live_allocations(), live);
}

static void a_broker_that_has_lost_its_list_is_told_all_again(void **state)
{
    (void)state;
    fixture fixture;
    set_up(&fixture);
    for (size_t number = 0; number < TOPICS; number++)
        assert_true(jz_interest_came(&fixture.interest, topic_of(number)));
    topic_set_clear(&fixture.listener.topics);
    assert_int_equal(jz_interest_tell_all(&fixture.interest), TOPICS);
    for (size_t number = 0; number < TOPICS; number++)
        assert_true(is_told(&fixture, topic_of(number)));
    assert_int_equal(fixture.listener.calls, 2 * TOPICS);
    for (size_t number = 0; number < TOPICS; number++)
        jz_interest_went(&fixture.interest, topic_of(number));
    assert_int_equal(jz_interest_tell_all(&fixture.interest), 0);
    tear_down(&fixture);
}

static void after_its_end_the_broker_is_told_nothing(void **state)
{
    (void)state;
    size_t live = test_live_allocations();
    fixture fixture;
    set_up(&fixture);
    assert_true(jz_interest_came(&fixture.interest, topic_of(0)));
    jz_interest_end(&fixture.interest);
    assert_true(jz_interest_came(&fixture.interest, topic_of(1)));
    jz_interest_tell_all(&fixture.interest);
    jz_interest_went(&fixture.interest, topic_of(0));
    assert_int_equal(fixture.listener.calls, 1);
    tear_down(&fixture); /* topic 1 is freed with it */
    assert_int_equal(test_live_allocations(), live);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_broker_is_told_of_the_first_and_of_the_last),
        cmocka_unit_test(what_is_told_is_what_a_plain_table_says),
        cmocka_unit_test(topics_of_the_servers_own_are_told_and_not_counted),
        cmocka_unit_test(no_call_is_overtaken_by_an_older_one_of_another_shard),
        cmocka_unit_test(without_memory_nobody_comes_and_the_broker_is_not_told),
        cmocka_unit_test(a_topic_costs_one_allocation_however_many_there_are),
        cmocka_unit_test(a_broker_that_has_lost_its_list_is_told_all_again),
        cmocka_unit_test(after_its_end_the_broker_is_told_nothing),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("interest", tests, NULL, NULL));
}
