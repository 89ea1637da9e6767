#include "pubsub/topics.h"

#include <stdio.h>

#include "support/allocation.h"
#include "support/random.h"
#include "support/testing.h"
#include "support/topic_set.h"

enum { CONNECTIONS = 24, TOPICS = 40, OPERATIONS = 20000, OPERATIONS_PER_CHECK = 50 };

/* Topics under test, and beside them what should be in them. */
typedef struct fixture {
    jz_topics topics;
    jz_connection connections[CONNECTIONS];
    bool is_subscribed[CONNECTIONS][TOPICS];
    char names[TOPICS][16];
    jz_text texts[TOPICS];
} fixture;

static fixture *set_up(void)
{
    fixture *fixture = calloc(1, sizeof *fixture);
    assert_non_null(fixture);
    jz_topics_init(&fixture->topics);
    /* Nothing, bytes that are no text, and names that begin alike are names like any other. */
    for (size_t i = 0; i < TOPICS; i++) {
        int length = snprintf(fixture->names[i], sizeof fixture->names[i], "room/%u", (unsigned)i);
        fixture->texts[i] = (jz_text){fixture->names[i], (size_t)length};
    }
    fixture->texts[0] = (jz_text){NULL, 0};
    fixture->texts[1] = (jz_text){"\0", 1};
    fixture->texts[2] = (jz_text){"\0\0", 2};
    fixture->texts[3] = (jz_text){"room", 4};
    return fixture;
}

static void tear_down(fixture *fixture)
{
    for (size_t i = 0; i < CONNECTIONS; i++)
        jz_topics_unsubscribe_all(&fixture->topics, &fixture->connections[i]);
    jz_topics_destroy(&fixture->topics);
    free(fixture);
}

static void check_topic(const fixture *fixture, size_t number)
{
    size_t expected = 0;
    for (size_t i = 0; i < CONNECTIONS; i++) {
        bool is_subscribed =
            jz_topics_is_subscribed(&fixture->topics, &fixture->connections[i], fixture->texts[number]);
        assert_int_equal(is_subscribed, fixture->is_subscribed[i][number]);
        expected += is_subscribed ? 1 : 0;
    }
    const jz_topic *topic = jz_topics_find(&fixture->topics, fixture->texts[number]);
    if (expected == 0) {
        assert_null(topic);
        return;
    }
    assert_non_null(topic);
    assert_int_equal(topic->count, expected);
    for (size_t i = 0; i < topic->count; i++) {
        const jz_connection *connection = topic->subscribers[i].connection;
        assert_true(fixture->is_subscribed[connection - fixture->connections][number]);
        const jz_subscription *subscription = &connection->subscriptions->all[topic->subscribers[i].position];
        assert_ptr_equal(subscription->topic, topic);
        assert_int_equal(subscription->position, i);
    }
}

/* The topics agree with a simple model, and both sides of each subscription know each other. */
static void check(const fixture *fixture)
{
    size_t topic_count = 0;
    for (size_t i = 0; i < TOPICS; i++) {
        check_topic(fixture, i);
        topic_count += jz_topics_find(&fixture->topics, fixture->texts[i]) != NULL ? 1 : 0;
    }
    assert_int_equal(fixture->topics.table.count, topic_count);
    for (size_t i = 0; i < CONNECTIONS; i++) {
        size_t expected = 0;
        for (size_t j = 0; j < TOPICS; j++)
            expected += fixture->is_subscribed[i][j] ? 1 : 0;
        const jz_subscriptions *subscriptions = fixture->connections[i].subscriptions;
        assert_int_equal(subscriptions != NULL ? subscriptions->count : 0, expected);
        assert_int_equal(subscriptions != NULL, expected > 0);
    }
}

static void operate(fixture *fixture, test_random *random)
{
    size_t number = test_random_below(random, CONNECTIONS);
    size_t topic = test_random_below(random, TOPICS);
    jz_connection *connection = &fixture->connections[number];
    bool *is_subscribed = &fixture->is_subscribed[number][topic];
    size_t choice = test_random_below(random, 100);
    if (choice < 55) {
        assert_true(jz_topics_subscribe(&fixture->topics, connection, fixture->texts[topic]));
        *is_subscribed = true;
    } else if (choice < 97) {
        assert_int_equal(jz_topics_unsubscribe(&fixture->topics, connection, fixture->texts[topic]), *is_subscribed);
        *is_subscribed = false;
    } else {
        jz_topics_unsubscribe_all(&fixture->topics, connection);
        memset(fixture->is_subscribed[number], 0, sizeof fixture->is_subscribed[number]);
    }
}

static void subscriptions_are_what_a_plain_table_says(void **state)
{
    (void)state;
    size_t live = test_live_allocations();
    fixture *fixture = set_up();
    test_random random = {1};
    for (size_t i = 0; i < OPERATIONS; i++) {
        operate(fixture, &random);
        if (i % OPERATIONS_PER_CHECK == 0)
            check(fixture);
    }
    check(fixture);
    tear_down(fixture);
    assert_int_equal(test_live_allocations(), live);
}

static void a_topic_is_there_as_long_as_somebody_has_subscribed(void **state)
{
    (void)state;
    size_t live = test_live_allocations();
    jz_topics topics;
    jz_topics_init(&topics);
    jz_connection first = {0};
    jz_connection second = {0};
    const jz_text name = jz_text_of("news");
    assert_true(jz_topics_subscribe(&topics, &first, name));
    assert_true(jz_topics_subscribe(&topics, &first, name));
    assert_true(jz_topics_subscribe(&topics, &second, name));
    assert_int_equal(jz_topics_find(&topics, name)->count, 2);
    assert_true(jz_topics_unsubscribe(&topics, &first, name));
    assert_false(jz_topics_unsubscribe(&topics, &first, name));
    assert_non_null(jz_topics_find(&topics, name));
    jz_topics_unsubscribe_all(&topics, &second);
    assert_null(jz_topics_find(&topics, name));
    jz_topics_destroy(&topics);
    assert_int_equal(test_live_allocations(), live);
}

static void many_topics_are_found_and_leave_nothing_behind(void **state)
{
    (void)state;
    enum { MANY = 5000 };
    size_t live = test_live_allocations();
    jz_topics topics;
    jz_topics_init(&topics);
    jz_connection connection = {0};
    for (unsigned i = 0; i < MANY; i++) {
        assert_true(jz_topics_subscribe(&topics, &connection, (jz_text){(const char *)&i, sizeof i}));
        assert_int_equal(topics.table.count, i + 1);
    }
    for (unsigned i = 0; i < MANY; i++) {
        assert_true(jz_topics_is_subscribed(&topics, &connection, (jz_text){(const char *)&i, sizeof i}));
        assert_true(jz_topics_unsubscribe(&topics, &connection, (jz_text){(const char *)&i, sizeof i}));
    }
    assert_null(connection.subscriptions);
    jz_topics_destroy(&topics);
    assert_int_equal(test_live_allocations(), live);
}

/* Whichever allocation fails, existing subscriptions stay, and the failed one leaves no trace. */
static void subscribing_without_memory_changes_nothing(void **state)
{
    (void)state;
    fixture *fixture = set_up();
    test_random random = {2};
    size_t refused = 0;
    for (size_t i = 0; i < 4000; i++) {
        size_t number = test_random_below(&random, CONNECTIONS);
        size_t topic = test_random_below(&random, TOPICS);
        jz_connection *connection = &fixture->connections[number];
        test_allocations_fail_after(test_random_below(&random, 5));
        bool is_subscribed = jz_topics_subscribe(&fixture->topics, connection, fixture->texts[topic]);
        bool has_failed = test_allocations_succeed() > 0;
        assert_true(is_subscribed || has_failed);
        fixture->is_subscribed[number][topic] = fixture->is_subscribed[number][topic] || is_subscribed;
        refused += is_subscribed ? 0 : 1;
        operate(fixture, &random);
        if (i % OPERATIONS_PER_CHECK == 0)
            check(fixture);
    }
    assert_true(refused > 100);
    check(fixture);
    tear_down(fixture);
}

/* The owner of topics, with its own list of topics that have subscribers. */
typedef struct listener {
    topic_set topics;
    size_t calls;
    size_t errors;
    bool refuses; /* it has no memory */
} listener;

static bool note_first(void *context, jz_text topic)
{
    listener *listener = context;
    listener->calls++;
    if (!listener->refuses && !topic_set_add(&listener->topics, topic.start, topic.length))
        listener->errors++;
    return !listener->refuses;
}

static void note_last(void *context, jz_text topic)
{
    listener *listener = context;
    listener->calls++;
    if (!topic_set_remove(&listener->topics, topic.start, topic.length))
        listener->errors++;
}

/* The same without a list: how many there are. */
static bool count_first(void *context, jz_text topic)
{
    (void)topic;
    ++*(size_t *)context;
    return true;
}

static void count_last(void *context, jz_text topic)
{
    (void)topic;
    --*(size_t *)context;
}

static void the_owner_is_told_of_first_and_last_subscribers(void **state)
{
    (void)state;
    size_t live = test_live_allocations();
    fixture *fixture = set_up();
    listener listener = {0};
    const jz_topics_owner owner = {&listener, note_first, note_last};
    topic_set_init(&listener.topics);
    fixture->topics.owner = &owner;
    test_random random = {4};
    for (size_t i = 0; i < OPERATIONS; i++) {
        operate(fixture, &random);
        if (i % OPERATIONS_PER_CHECK != 0)
            continue;
        check(fixture);
        assert_int_equal(listener.topics.table.count, fixture->topics.table.count);
        for (size_t j = 0; j < TOPICS; j++)
            assert_int_equal(topic_set_has(&listener.topics, fixture->texts[j].start, fixture->texts[j].length),
                             jz_topics_find(&fixture->topics, fixture->texts[j]) != NULL);
    }
    tear_down(fixture);
    assert_int_equal(listener.errors, 0);
    assert_int_equal(listener.topics.table.count, 0);
    topic_set_clear(&listener.topics);
    assert_int_equal(test_live_allocations(), live);
}

static void who_the_owner_has_no_memory_for_is_not_subscribed(void **state)
{
    (void)state;
    size_t live = test_live_allocations();
    jz_topics topics;
    jz_topics_init(&topics);
    listener listener = {.refuses = true};
    const jz_topics_owner owner = {&listener, note_first, note_last};
    topics.owner = &owner;
    jz_connection first = {0};
    jz_connection second = {0};
    const jz_text name = jz_text_of("news");
    topic_set_init(&listener.topics);
    assert_false(jz_topics_subscribe(&topics, &first, name));
    assert_null(first.subscriptions);
    assert_null(jz_topics_find(&topics, name));
    assert_int_equal(test_live_allocations(), live);
    /* It is not told of further subscribers of a topic. */
    listener.refuses = false;
    assert_true(jz_topics_subscribe(&topics, &first, name));
    listener.refuses = true;
    assert_true(jz_topics_subscribe(&topics, &second, name));
    assert_int_equal(listener.calls, 2);
    jz_topics_unsubscribe_all(&topics, &first);
    jz_topics_unsubscribe_all(&topics, &second);
    jz_topics_destroy(&topics);
    assert_int_equal(listener.errors, 0);
    topic_set_clear(&listener.topics);
    assert_int_equal(test_live_allocations(), live);
}

/* Wherever memory ends, the owner's list is the topics' own. */
static void what_the_owner_knows_is_true_without_memory_too(void **state)
{
    (void)state;
    enum { NEEDED = 6 }; /* a topic, its subscribers, a connection's list and its subscriptions, a table's beginnings */
    size_t live = test_live_allocations();
    for (size_t failing = 0; failing <= NEEDED; failing++) {
        jz_topics topics;
        jz_topics_init(&topics);
        size_t there = 0;
        const jz_topics_owner owner = {&there, count_first, count_last};
        topics.owner = &owner;
        jz_connection connection = {0};
        test_allocation_fails_once_after(failing);
        bool is_subscribed = jz_topics_subscribe(&topics, &connection, jz_text_of("news"));
        assert_int_equal(test_allocations_succeed() > 0, failing < NEEDED);
        assert_int_equal(is_subscribed, failing == NEEDED);
        assert_int_equal(there, is_subscribed ? 1 : 0);
        jz_topics_unsubscribe_all(&topics, &connection);
        assert_int_equal(there, 0);
        jz_topics_destroy(&topics);
        assert_int_equal(test_live_allocations(), live);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(subscriptions_are_what_a_plain_table_says),
        cmocka_unit_test(a_topic_is_there_as_long_as_somebody_has_subscribed),
        cmocka_unit_test(many_topics_are_found_and_leave_nothing_behind),
        cmocka_unit_test(subscribing_without_memory_changes_nothing),
        cmocka_unit_test(the_owner_is_told_of_first_and_last_subscribers),
        cmocka_unit_test(who_the_owner_has_no_memory_for_is_not_subscribed),
        cmocka_unit_test(what_the_owner_knows_is_true_without_memory_too),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("topics", tests, NULL, NULL));
}
