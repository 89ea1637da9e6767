/* The busiest topics of a shard, compared with counting everything. */
#include "pubsub/traffic.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "pubsub/topics.h"
#include "support/random.h"
#include "support/testing.h"

enum { MOST = JZ_MOST_LOOKED_AT, TOPICS = 500, PUBLICATIONS = 20000, NOW_MS = 1000, TURNS = 20000 };

static const jz_siphash_key key = {{1, 2}};

typedef struct fixture {
    jz_topics topics;
    jz_connection connection;
    jz_busy_topic seen[MOST];
    char names[TOPICS][16];
} fixture;

static void subscribe(fixture *fixture, size_t number)
{
    snprintf(fixture->names[number], sizeof fixture->names[number], "topic/%zu", number);
    assert_true(jz_topics_subscribe(&fixture->topics, &fixture->connection, jz_text_of(fixture->names[number])));
}

static fixture *set_up(size_t count)
{
    fixture *fixture = calloc(1, sizeof *fixture);
    assert_non_null(fixture);
    jz_topics_init(&fixture->topics);
    for (size_t i = 0; i < count; i++)
        subscribe(fixture, i);
    return fixture;
}

static void tear_down(fixture *fixture)
{
    jz_topics_unsubscribe_all(&fixture->topics, &fixture->connection);
    jz_topics_destroy(&fixture->topics);
    free(fixture);
}

static size_t take(fixture *fixture, uint64_t now_ms)
{
    return jz_traffic_take(&fixture->topics.traffic, now_ms, &key, fixture->seen);
}

static void note(fixture *fixture, size_t number, size_t deliveries, size_t bytes)
{
    jz_topic *topic = jz_topics_find(&fixture->topics, jz_text_of(fixture->names[number]));
    assert_non_null(topic);
    jz_traffic_note(&fixture->topics.traffic, topic, deliveries, bytes, NOW_MS);
}

typedef struct count {
    uint64_t publications;
    uint64_t deliveries;
    uint64_t bytes;
} count;

/* Low numbers are frequent. */
static size_t any_topic(test_random *random)
{
    size_t below = 1 + test_random_below(random, TOPICS);
    return test_random_below(random, (uint32_t)below);
}

static uint64_t amount(const count *count)
{
    return count->publications + count->deliveries;
}

/* That what was seen is right, and that nothing else has more. */
static void expect_busiest(const fixture *fixture, size_t seen_count, const count *counts)
{
    bool is_seen[TOPICS] = {false};
    uint64_t least = UINT64_MAX;
    size_t noted = 0;
    for (size_t i = 0; i < seen_count; i++) {
        const jz_topic_look *look = &fixture->seen[i].look;
        unsigned number = TOPICS;
        assert_int_equal(sscanf(look->name, "topic/%u", &number), 1);
        assert_true(number < TOPICS && !is_seen[number]);
        is_seen[number] = true;
        assert_int_equal(look->publications, counts[number].publications);
        assert_int_equal(look->deliveries, counts[number].deliveries);
        assert_int_equal(look->bytes, counts[number].bytes);
        assert_int_equal(look->subscribers, 1);
        least = amount(&counts[number]) < least ? amount(&counts[number]) : least;
    }
    for (size_t i = 0; i < TOPICS; i++) {
        noted += amount(&counts[i]) > 0 ? 1 : 0;
        assert_true(is_seen[i] || amount(&counts[i]) <= least);
    }
    assert_int_equal(seen_count, noted < MOST ? noted : MOST);
}

static void the_busiest_are_those_that_counting_all_finds(void **state)
{
    (void)state;
    test_random random = {.state = 7};
    fixture *fixture = set_up(TOPICS);
    assert_int_equal(take(fixture, NOW_MS), 0);
    /* From one publication in a period to many. */
    for (size_t most = 1; most <= PUBLICATIONS; most *= 7) {
        count counts[TOPICS] = {{0}};
        for (size_t i = 0; i < most; i++) {
            size_t number = any_topic(&random);
            size_t deliveries = test_random_below(&random, 4);
            size_t bytes = deliveries * test_random_below(&random, 100);
            note(fixture, number, deliveries, bytes);
            counts[number].publications++;
            counts[number].deliveries += deliveries;
            counts[number].bytes += bytes;
        }
        expect_busiest(fixture, take(fixture, NOW_MS), counts);
    }
    tear_down(fixture);
}

/* Each time another is ahead: the worst case for the place of the least. */
static void equal_topics_take_turns(void **state)
{
    (void)state;
    fixture *fixture = set_up(MOST + 1);
    take(fixture, NOW_MS);
    for (size_t i = 0; i < 100; i++) {
        for (size_t k = 0; k <= MOST; k++)
            note(fixture, k, 1, 1);
    }
    assert_int_equal(take(fixture, NOW_MS), MOST);
    for (size_t i = 0; i < MOST; i++)
        assert_int_equal(fixture->seen[i].look.publications, 100);
    tear_down(fixture);
}

static void a_topic_without_subscribers_is_forgotten(void **state)
{
    (void)state;
    fixture *fixture = set_up(MOST + 1);
    take(fixture, NOW_MS);
    for (size_t k = 0; k < MOST; k++)
        note(fixture, k, 1, 1);
    /* The first, one in the middle, and the last. */
    static const size_t gone[] = {0, 30, MOST - 1};
    for (size_t i = 0; i < COUNT_OF(gone); i++)
        assert_true(jz_topics_unsubscribe(&fixture->topics, &fixture->connection, jz_text_of(fixture->names[gone[i]])));
    note(fixture, MOST, 0, 0);
    subscribe(fixture, 30);
    note(fixture, 30, 5, 6);
    assert_int_equal(take(fixture, NOW_MS), MOST - 1);
    size_t found = 0;
    for (size_t i = 0; i < MOST - 1; i++) {
        const jz_topic_look *look = &fixture->seen[i].look;
        assert_string_not_equal(look->name, fixture->names[0]);
        assert_string_not_equal(look->name, fixture->names[MOST - 1]);
        if (strcmp(look->name, fixture->names[30]) == 0) {
            assert_int_equal(look->deliveries, 5);
            found++;
        }
    }
    assert_int_equal(found, 1);
    /* Also those that are in no period any more. */
    jz_topics_unsubscribe_all(&fixture->topics, &fixture->connection);
    assert_int_equal(take(fixture, NOW_MS), 0);
    tear_down(fixture);
}

static void counting_ends_by_itself(void **state)
{
    (void)state;
    fixture *fixture = set_up(2);
    const jz_traffic *traffic = &fixture->topics.traffic;
    jz_topic *topic = jz_topics_find(&fixture->topics, jz_text_of(fixture->names[0]));
    assert_false(atomic_load(&traffic->is_counted));
    take(fixture, NOW_MS);
    assert_true(atomic_load(&traffic->is_counted));
    jz_traffic_note(&fixture->topics.traffic, topic, 1, 1, NOW_MS + JZ_TRAFFIC_LASTS_MS - 1);
    assert_true(atomic_load(&traffic->is_counted));
    jz_traffic_note(&fixture->topics.traffic, topic, 1, 1, NOW_MS + JZ_TRAFFIC_LASTS_MS);
    assert_false(atomic_load(&traffic->is_counted));
    assert_true(jz_topics_unsubscribe(&fixture->topics, &fixture->connection, jz_text_of(fixture->names[0])));
    assert_int_equal(take(fixture, NOW_MS), 0);
    tear_down(fixture);
}

static void the_numbers_of_periods_begin_anew(void **state)
{
    (void)state;
    fixture *fixture = set_up(2);
    fixture->topics.traffic.period = UINT32_MAX - 1;
    for (size_t i = 0; i < 4; i++) {
        take(fixture, NOW_MS);
        assert_int_not_equal(fixture->topics.traffic.period, 0);
        note(fixture, 0, 1, 1);
        assert_int_equal(take(fixture, NOW_MS), 1);
        assert_int_equal(fixture->seen[0].look.publications, 1);
        assert_int_equal(take(fixture, NOW_MS), 0);
    }
    tear_down(fixture);
}

static void long_names_are_cut_and_told_apart(void **state)
{
    (void)state;
    static char name[JZ_LOOKED_NAME_SIZE + 10];
    fixture *fixture = set_up(0);
    memset(name, 'n', sizeof name);
    for (size_t length = JZ_LOOKED_NAME_SIZE - 1; length <= JZ_LOOKED_NAME_SIZE + 1; length++)
        assert_true(jz_topics_subscribe(&fixture->topics, &fixture->connection, (jz_text){name, length}));
    assert_true(jz_topics_subscribe(&fixture->topics, &fixture->connection, (jz_text){NULL, 0}));
    take(fixture, NOW_MS);
    for (size_t length = JZ_LOOKED_NAME_SIZE - 1; length <= JZ_LOOKED_NAME_SIZE + 1; length++)
        jz_traffic_note(&fixture->topics.traffic, jz_topics_find(&fixture->topics, (jz_text){name, length}), 1, 1,
                        NOW_MS);
    jz_traffic_note(&fixture->topics.traffic, jz_topics_find(&fixture->topics, (jz_text){NULL, 0}), 1, 1, NOW_MS);
    assert_int_equal(take(fixture, NOW_MS), 4);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(fixture->seen[i].look.name_length, JZ_LOOKED_NAME_SIZE - 1);
        assert_int_equal(fixture->seen[i].look.is_cut, i > 0);
        assert_memory_equal(fixture->seen[i].look.name, name, JZ_LOOKED_NAME_SIZE - 1);
        assert_int_equal(fixture->seen[i].look.name[JZ_LOOKED_NAME_SIZE - 1], '\0');
        assert_true(i == 0 || fixture->seen[i].name_hash != fixture->seen[i - 1].name_hash);
    }
    assert_string_equal(fixture->seen[3].look.name, "");
    tear_down(fixture);
}

static atomic_bool is_over;

static void *go_on_taking(void *context)
{
    fixture *fixture = context;
    uint64_t *sum = malloc(sizeof *sum);
    *sum = 0;
    do {
        pthread_mutex_lock(&fixture->topics.lock);
        size_t count = take(fixture, NOW_MS);
        pthread_mutex_unlock(&fixture->topics.lock);
        for (size_t i = 0; i < count; i++)
            *sum += fixture->seen[i].look.publications;
    } while (!is_over);
    return sum;
}

/* While the shard's thread publishes, and topics come and go. */
static void nothing_is_lost_between_periods(void **state)
{
    (void)state;
    pthread_t thread;
    void *sum;
    uint64_t noted = 0;
    fixture *fixture = set_up(MOST / 2);
    is_over = false;
    take(fixture, NOW_MS);
    assert_int_equal(pthread_create(&thread, NULL, go_on_taking, fixture), 0);
    for (size_t i = 0; i < TURNS; i++) {
        note(fixture, i % (MOST / 2), 1, 1);
        noted++;
        if (i % 16 != 0)
            continue;
        /* One that nobody publishes to. */
        subscribe(fixture, MOST);
        assert_true(jz_topics_unsubscribe(&fixture->topics, &fixture->connection, jz_text_of(fixture->names[MOST])));
    }
    is_over = true;
    pthread_join(thread, &sum);
    uint64_t taken = *(uint64_t *)sum;
    free(sum);
    size_t count = take(fixture, NOW_MS);
    for (size_t i = 0; i < count; i++)
        taken += fixture->seen[i].look.publications;
    assert_int_equal(taken, noted);
    tear_down(fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_busiest_are_those_that_counting_all_finds),
        cmocka_unit_test(equal_topics_take_turns),
        cmocka_unit_test(a_topic_without_subscribers_is_forgotten),
        cmocka_unit_test(counting_ends_by_itself),
        cmocka_unit_test(the_numbers_of_periods_begin_anew),
        cmocka_unit_test(long_names_are_cut_and_told_apart),
        cmocka_unit_test(nothing_is_lost_between_periods),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("traffic", tests, NULL, NULL));
}
