/* Three servers, each with several loops, whose topics a broker joins that delays, changes the order, and loses. */
#include <pthread.h>

#include "codec/frame_header.h"
#include "support/eventually.h"
#include "support/joined.h"
#include "support/testing.h"

enum { MESSAGES = 25 };

/* Beside a server: publishes to all topics. */
typedef struct outsider {
    joined *joined;
    uint32_t server;
    uint32_t messages;
    size_t refused;
} outsider;

static void *publish_outside(void *context)
{
    outsider *outsider = context;
    char name[16];
    for (uint32_t number = 0; number < outsider->messages; number++) {
        for (uint32_t topic = 0; topic < JOINED_TOPICS; topic++) {
            const stamp stamp = {topic, JOINED_CLIENTS + outsider->server, number};
            jz_send_status status =
                jz_server_publish(outsider->joined->servers[outsider->server], name, joined_topic(topic, name),
                                  JZ_MESSAGE_BINARY, &stamp, sizeof stamp);
            outsider->refused += status == JZ_SEND_SENT ? 0 : 1;
        }
    }
    return NULL;
}

static void begin_outside(joined *joined, uint32_t messages, outsider outsiders[JOINED_SERVERS],
                          pthread_t threads[JOINED_SERVERS])
{
    for (uint32_t i = 0; i < JOINED_SERVERS; i++) {
        outsiders[i] = (outsider){.joined = joined, .server = i, .messages = messages};
        assert_int_equal(pthread_create(&threads[i], NULL, publish_outside, &outsiders[i]), 0);
    }
}

static void end_outside(outsider outsiders[JOINED_SERVERS], pthread_t threads[JOINED_SERVERS])
{
    for (size_t i = 0; i < JOINED_SERVERS; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(outsiders[i].refused, 0);
    }
}

/* When each subscriber has the end message of each server, no earlier publication is in transit. */
static void receive_the_end(joined *joined)
{
    char name[16];
    size_t expected = joined->receipts.ends;
    for (uint32_t topic = 0; topic < JOINED_TOPICS; topic++) {
        for (size_t i = 0; i < JOINED_SERVERS; i++)
            jz_server_publish(joined->servers[i], name, joined_topic(topic, name), JZ_MESSAGE_TEXT, "end", 3);
        for (size_t client = 0; client < JOINED_CLIENTS; client++)
            expected += joined_wants(client, topic) ? JOINED_SERVERS : 0;
    }
    assert_turning(&joined->fleet, joined->receipts.ends >= expected);
}

static void every_subscriber_of_every_server_gets_each_message_once_and_in_its_publishers_order(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 3; seed++) {
        joined *joined = joined_set_up(seed, 0);
        joined_subscribe_all(joined);
        outsider outsiders[JOINED_SERVERS];
        pthread_t threads[JOINED_SERVERS];
        begin_outside(joined, MESSAGES, outsiders, threads);
        for (uint32_t number = 0; number < MESSAGES; number++) {
            for (uint32_t client = 0; client < JOINED_CLIENTS; client++) {
                for (uint32_t topic = 0; topic < JOINED_TOPICS; topic++)
                    assert_true(fleet_send(&joined->fleet, client, JZ_OPCODE_BINARY, &(stamp){topic, client, number},
                                           sizeof(stamp)));
            }
            fleet_turn(&joined->fleet);
        }
        end_outside(outsiders, threads);
        /* Each topic's 6 subscribers get the messages of all 15 publishers, except their own. */
        const size_t expected =
            MESSAGES * (JOINED_PUBLISHERS * JOINED_TOPICS * JOINED_CLIENTS / 2 - 2 * JOINED_CLIENTS);
        assert_turning(&joined->fleet, joined->receipts.total >= expected);
        receive_the_end(joined);
        assert_int_equal(joined->receipts.total, expected);
        assert_int_equal(joined->receipts.disorders, 0);
        assert_int_equal(joined->receipts.gaps, 0);
        for (size_t client = 0; client < JOINED_CLIENTS; client++) {
            for (size_t publisher = 0; publisher < JOINED_PUBLISHERS; publisher++) {
                for (size_t topic = 0; topic < JOINED_TOPICS; topic++)
                    assert_int_equal(joined->receipts.counts[client][publisher][topic],
                                     joined_wants(client, topic) && client != publisher ? MESSAGES : 0);
            }
        }
        joined_tear_down(joined);
    }
}

static void what_a_broker_loses_disturbs_neither_the_order_nor_its_own_servers_subscribers(void **state)
{
    (void)state;
    enum { MANY = 100 };
    joined *joined = joined_set_up(7, 300);
    joined_subscribe_all(joined);
    outsider outsiders[JOINED_SERVERS];
    pthread_t threads[JOINED_SERVERS];
    begin_outside(joined, MANY, outsiders, threads);
    end_outside(outsiders, threads);
    assert_turning(&joined->fleet, joining_broker_is_idle(&joined->broker));
    /* Every server has subscribers of every topic, the half of its clients of each. */
    size_t expected = 0;
    for (size_t to = 0; to < JOINED_SERVERS; to++) {
        for (size_t from = 0; from < JOINED_SERVERS; from++) {
            size_t arrived = from == to ? MANY * JOINED_TOPICS : joining_broker_delivered(&joined->broker, from, to);
            assert_true(from == to || (arrived > 0 && arrived < MANY * JOINED_TOPICS));
            expected += arrived;
        }
    }
    size_t counted = 0;
    assert_turning(&joined->fleet, joined->receipts.total >= expected * JOINED_CLIENTS / JOINED_SERVERS / 2);
    for (size_t client = 0; client < JOINED_CLIENTS; client++) {
        for (size_t from = 0; from < JOINED_SERVERS; from++) {
            for (size_t topic = 0; topic < JOINED_TOPICS; topic++) {
                size_t count = joined->receipts.counts[client][JOINED_CLIENTS + from][topic];
                counted += count;
                if (from == joined_server_of(client))
                    assert_int_equal(count, joined_wants(client, topic) ? MANY : 0);
            }
        }
    }
    assert_int_equal(joined->receipts.disorders, 0);
    assert_true(joined->receipts.gaps > 0);
    assert_int_equal(counted, expected * JOINED_CLIENTS / JOINED_SERVERS / 2);
    joined_tear_down(joined);
}

static jz_broker_statistics statistics_of(const joined *joined, size_t server)
{
    jz_statistics statistics;
    jz_server_statistics(joined->servers[server], &statistics);
    return statistics.broker;
}

static jz_send_status publish_from(const joined *joined, uint32_t server, uint32_t topic, uint32_t number)
{
    char name[16];
    const stamp stamp = {topic, JOINED_CLIENTS + server, number};
    return jz_server_publish(joined->servers[server], name, joined_topic(topic, name), JZ_MESSAGE_BINARY, &stamp,
                             sizeof stamp);
}

static void a_server_that_is_lost_goes_on_alone_and_is_joined_again_with_its_topics_of_then(void **state)
{
    (void)state;
    enum { LEAVER = 0, COMER = 3 }; /* clients of server 0 */
    joined *joined = joined_set_up(9, 0);
    joined_ask(joined, LEAVER, '+', 0);
    joined_ask(joined, LEAVER, '+', 1);
    joined_ask(joined, 1, '+', 1);
    joined_ask(joined, 1, '+', 2);
    assert_int_equal(joining_broker_topic_count(&joined->broker, 0), 2);
    for (uint64_t round = 1; round <= 2; round++) {
        receipts *receipts = &joined->receipts;
        joining_broker_reach(&joined->broker, 0, false);
        assert_eventually(statistics_of(joined, 0).joined == 0);
        assert_eventually(statistics_of(joined, 0).losses == round); /* counted when it is joined no more */
        assert_int_equal(statistics_of(joined, 1).losses, 0);
        joined_ask(joined, LEAVER, '-', 0);
        joined_ask(joined, COMER, '+', 2);
        size_t before = receipts->total;
        uint64_t refused = statistics_of(joined, 0).refused;
        const uint32_t number = (uint32_t)round;
        assert_int_equal(publish_from(joined, 0, 1, number), JZ_SEND_DROPPED);
        assert_int_equal(publish_from(joined, 1, 1, number), JZ_SEND_SENT);
        assert_turning(&joined->fleet, receipts->total >= before + 2); /* each its own server's */
        assert_int_equal(statistics_of(joined, 0).refused, refused + 1);

        joining_broker_reach(&joined->broker, 0, true);
        assert_eventually(statistics_of(joined, 0).joined == 1);
        assert_eventually(joining_broker_topic_count(&joined->broker, 0) == 2);
        assert_true(joining_broker_has_topic(&joined->broker, 0, "topic/1", 7));
        assert_true(joining_broker_has_topic(&joined->broker, 0, "topic/2", 7));
        assert_int_equal(publish_from(joined, 0, 1, number), JZ_SEND_SENT);
        assert_int_equal(publish_from(joined, 1, 2, number), JZ_SEND_SENT);
        assert_turning(&joined->fleet, receipts->total >= before + 6); /* the leaver, client 1 twice, the comer */
        log_lines_expect(&joined->logs[0], 2 * round - 2, JZ_LOG_WARNING,
                         "the broker is not connected to the other servers: until it is, publications reach this "
                         "server's subscribers only");
        log_lines_expect(&joined->logs[0], 2 * round - 1, JZ_LOG_INFO,
                         "the broker is connected to the other servers, and was told this server's topics: 2");
        joined_ask(joined, COMER, '-', 2);
        joined_ask(joined, LEAVER, '+', 0);
    }
    assert_int_equal(joined->logs[0].count, 4);
    assert_int_equal(joined->logs[1].count + joined->logs[2].count, 0);
    joined_tear_down(joined);
}

/* Loops that have first and last subscribers of the same topics at once, while the server is lost and found. */
static void the_brokers_topics_are_the_servers_however_loops_race(void **state)
{
    (void)state;
    enum { ROUNDS = 300 };
    joined *joined = joined_set_up(11, 0);
    test_random random = {12};
    for (size_t round = 0; round < ROUNDS; round++) {
        for (size_t client = 0; client < JOINED_CLIENTS; client += JOINED_SERVERS) {
            char text[17] = {test_random_below(&random, 2) == 0 ? '+' : '-'};
            size_t length = 1 + joined_topic((uint32_t)test_random_below(&random, JOINED_TOPICS), text + 1);
            assert_true(fleet_send(&joined->fleet, client, JZ_OPCODE_TEXT, text, length));
        }
        if (round % 50 == 49)
            joining_broker_reach(&joined->broker, 0, round % 100 == 99);
        fleet_turn(&joined->fleet);
    }
    assert_turning(&joined->fleet, joined->receipts.answers == ROUNDS * JOINED_CLIENTS / JOINED_SERVERS);
    assert_eventually(statistics_of(joined, 0).joined == 1);
    size_t there = 0;
    for (uint32_t topic = 0; topic < JOINED_TOPICS; topic++) {
        char name[16];
        size_t length = joined_topic(topic, name);
        bool has = jz_server_subscriber_count(joined->servers[0], name, length) > 0;
        assert_eventually(joining_broker_has_topic(&joined->broker, 0, name, length) == has);
        there += has ? 1 : 0;
    }
    assert_int_equal(statistics_of(joined, 0).topics, there);
    joined_tear_down(joined);
}

static void a_server_may_end_while_the_others_go_on(void **state)
{
    (void)state;
    for (uint64_t seed = 20; seed < 24; seed++) {
        joined *joined = joined_set_up(seed, 0);
        joined_subscribe_all(joined);
        outsider outsiders[2];
        pthread_t threads[2];
        for (uint32_t i = 0; i < 2; i++) {
            outsiders[i] = (outsider){.joined = joined, .server = i, .messages = 4 * MESSAGES};
            assert_int_equal(pthread_create(&threads[i], NULL, publish_outside, &outsiders[i]), 0);
        }
        assert_turning(&joined->fleet, joined->receipts.total > 100);
        jz_server_stop_within(joined->servers[2], 0);
        jz_server_destroy(joined->servers[2]);
        joined->servers[2] = NULL;
        for (size_t i = 0; i < 2; i++) {
            pthread_join(threads[i], NULL);
            assert_int_equal(outsiders[i].refused, 0);
        }
        for (size_t client = 0; client < JOINED_CLIENTS; client++) {
            for (uint32_t topic = 0; topic < JOINED_TOPICS; topic++) {
                for (size_t from = 0; from < 2 && joined_server_of(client) != 2 && joined_wants(client, topic); from++)
                    assert_turning(&joined->fleet,
                                   joined->receipts.counts[client][JOINED_CLIENTS + from][topic] == 4 * MESSAGES);
            }
        }
        assert_int_equal(joined->receipts.disorders + joined->receipts.gaps, 0);
        joined_tear_down(joined);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_subscriber_of_every_server_gets_each_message_once_and_in_its_publishers_order),
        cmocka_unit_test(what_a_broker_loses_disturbs_neither_the_order_nor_its_own_servers_subscribers),
        cmocka_unit_test(a_server_that_is_lost_goes_on_alone_and_is_joined_again_with_its_topics_of_then),
        cmocka_unit_test(the_brokers_topics_are_the_servers_however_loops_race),
        cmocka_unit_test(a_server_may_end_while_the_others_go_on),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("joined servers", tests, NULL, NULL));
}
