/* Servers that share their topics through a real Redis, as long as nothing is wrong with it. */
#include <stdio.h>

#include "support/eventually.h"
#include "support/pair.h"

static void send_to(node *node, const char *text)
{
    test_frame frame = {.opcode = JZ_OPCODE_TEXT, .fin = true, .payload = {text, strlen(text), strlen(text)}};
    test_client_send_frame(&node->client, &frame);
}

static void a_message_reaches_the_subscribers_of_other_servers_once(void **state)
{
    (void)state;
    start_both();
    node_subscribe(&here, "news");
    node_subscribe(&there, "news");
    assert_int_equal(node_publish(&here, "news", "hello"), JZ_SEND_SENT);
    node_expect(&there, "hello");
    node_expect(&here, "hello");
    assert_eventually(node_statistics(&here).echoes == 1);
    assert_eventually(node_statistics(&here).published == 1);
    node_expect_nothing_else(&here, "news");
    node_expect_nothing_else(&there, "news");
    assert_int_equal(node_statistics(&there).received, 1);
    assert_int_equal(node_statistics(&here).gaps + node_statistics(&there).gaps, 0);
    /* What was answered leaves the queue in the next turn. */
    assert_eventually(node_statistics(&here).queue_messages == 0 && node_statistics(&here).queue_bytes == 0);
    finish_both();
}

static void the_publisher_is_excluded_and_its_order_is_kept(void **state)
{
    (void)state;
    char text[64];
    start_both();
    node_subscribe(&here, "news");
    node_subscribe(&there, "news");
    for (int i = 0; i < 2000; i++) {
        snprintf(text, sizeof text, "news=%d", i);
        send_to(&here, text);
    }
    for (int i = 0; i < 2000; i++) {
        snprintf(text, sizeof text, "%d", i);
        node_expect(&there, text);
    }
    node_expect_nothing_else(&here, "news");
    finish_both();
}

static void what_others_publish_is_a_text_if_it_is_utf8(void **state)
{
    (void)state;
    start_both();
    node_subscribe(&here, "news");
    assert_int_equal(redis_server_do(&redis, "PUBLISH jazzy:news %b", "a\xFFz", (size_t)3), 1);
    assert_int_equal(redis_server_do(&redis, "PUBLISH jazzy:news %b", "\xFFJ", (size_t)2), 1);
    assert_int_equal(redis_server_do(&redis, "PUBLISH jazzy:news %s", "gr\xC3\xBC\xC3\x9F"), 1);
    node_expect(&here, "gr\xC3\xBC\xC3\x9F");
    assert_int_equal(node_statistics(&here).unreadable, 2);
    finish_both();
}

static void large_messages_and_binary_ones_arrive(void **state)
{
    (void)state;
    static char large[3 * 1024 * 1024];
    memset(large, 'x', sizeof large);
    start_both();
    node_subscribe(&there, "news");
    assert_int_equal(jz_server_publish(here.server, "news", 4, JZ_MESSAGE_BINARY, large, 100 * 1024), JZ_SEND_SENT);
    node_publish(&here, "news", "behind it");
    test_client_expect(&there.client, JZ_OPCODE_BINARY, large, 100 * 1024);
    node_expect(&there, "behind it");
    finish_both();
}

static void a_topic_is_subscribed_once_and_lingers(void **state)
{
    (void)state;
    start_both();
    node_subscribe(&here, "news");
    assert_int_equal(redis_server_do(&redis, "PUBSUB CHANNELS jazzy:news"), 1);
    assert_false(node_is_live(&here, "other"));
    node_unsubscribe(&here, "news");
    node_subscribe(&here, "news"); /* before it is over: nothing was asked of Redis */
    node_unsubscribe(&here, "news");
    assert_eventually(redis_server_do(&redis, "PUBSUB CHANNELS jazzy:news") == 0);
    assert_eventually(node_statistics(&here).topics == 0);
    assert_false(node_is_live(&here, "news"));
    node_subscribe(&here, "news");
    node_publish(&there, "news", "again");
    node_expect(&here, "again");
    assert_int_equal(node_statistics(&here).gaps, 0);
    finish_both();
}

static void in_one_order_all_receive_what_comes_back(void **state)
{
    (void)state;
    char text[64];
    jz_redis_options options = node_options(&here, redis.url);
    options.is_ordered = true;
    node_start(&here, &options);
    options = node_options(&there, redis.url);
    options.is_ordered = true;
    node_start(&there, &options);
    node_subscribe(&here, "news");
    node_subscribe(&there, "news");
    send_to(&here, "news=not for myself");
    node_expect(&there, "not for myself");
    for (int i = 0; i < 300; i++) {
        snprintf(text, sizeof text, "%d", i);
        node_publish(i % 2 == 0 ? &here : &there, "news", text);
    }
    for (int i = 0; i < 300; i++) {
        test_received mine;
        char copy[64] = {0};
        assert_true(test_client_take_frame(&here.client, &mine) && mine.length < sizeof copy);
        memcpy(copy, mine.payload, mine.length);
        node_expect(&there, copy);
    }
    node_expect_nothing_else(&here, "news");
    assert_int_equal(node_statistics(&here).echoes, 151);
    finish_both();
}

/* The subscription is on its way on one connection, and the message would come before it on the other. */
static void in_one_order_who_subscribes_misses_nothing_that_is_published_then(void **state)
{
    (void)state;
    char topic[32];
    char text[32];
    jz_redis_options options = node_options(&here, redis.url);
    options.is_ordered = true;
    node_start(&here, &options);
    for (int i = 0; i < 300; i += 3) {
        for (int k = i; k < i + 3; k++) {
            snprintf(text, sizeof text, "+topic/%d", k);
            send_to(&here, text);
            node_expect(&here, text); /* so it is subscribed, but Redis has not acknowledged it */
        }
        for (int k = i; k < i + 6; k++) {
            snprintf(topic, sizeof topic, "topic/%d", i + k % 3);
            snprintf(text, sizeof text, "%d", k);
            node_publish(&here, topic, text);
        }
        for (int k = i; k < i + 6; k++) {
            snprintf(text, sizeof text, "%d", k);
            node_expect(&here, text);
        }
    }
    node_expect_nothing_else(&here, "topic/0");
    assert_int_equal(node_statistics(&here).gaps, 0);
    node_finish(&here);
}

static void statistics_and_liveness_are_those_of_the_server(void **state)
{
    (void)state;
    jz_statistics statistics;
    start_both();
    node_subscribe(&here, "news");
    assert_eventually(node_statistics(&here).lag_us > 0);
    jz_server_statistics(here.server, &statistics);
    assert_true(statistics.broker.report.is_up);
    assert_true(statistics.broker.report.lag_us > 0);
    assert_int_equal(statistics.broker.joined, 1);
    assert_int_equal(node_statistics(&here).live_topics, 1);
    assert_true(jz_redis_is_live(here.redis, "news", 4));
    finish_both();
    assert_true(node_logged(&here, "joined others through Redis at "));
}

static void many_topics_are_subscribed_in_batches(void **state)
{
    (void)state;
    char name[32];
    start_both();
    for (int i = 0; i < 3000; i++) {
        snprintf(name, sizeof name, "+topic/%d", i);
        send_to(&here, name);
    }
    assert_eventually(node_statistics(&here).live_topics == 3000);
    assert_int_equal(redis_server_do(&redis, "PUBSUB CHANNELS jazzy:topic/*"), 3000);
    finish_both();
}

static void the_name_of_the_client_is_shown(void **state)
{
    (void)state;
    char list[4096];
    start_both();
    redis_server_ask(&redis, list, sizeof list, "CLIENT LIST");
    assert_non_null(strstr(list, "name=jazzy "));
    finish_both();
}

/* An iteration that does not end: neither soon after other messages, nor after a long silence, which each rings. */
static void what_a_handler_has_published_that_does_not_return_arrives(void **state)
{
    (void)state;
    jz_redis_options options = node_options(&here, redis.url);
    options.probe_interval_ms = options.probe_timeout_ms = 60000; /* so that nothing else wakes the thread */
    node_start(&here, &options);
    options = node_options(&there, redis.url);
    node_start(&there, &options);
    node_subscribe(&there, "news");
    for (int i = 0; i < 3; i++) {
        send_to(&here, "news=help!");
        node_expect(&there, "help!");
        assert_eventually(atomic_load(&here.is_blocked));
        atomic_store(&here.is_blocked, false);
    }
    finish_both();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_reaches_the_subscribers_of_other_servers_once),
        cmocka_unit_test(the_publisher_is_excluded_and_its_order_is_kept),
        cmocka_unit_test(what_others_publish_is_a_text_if_it_is_utf8),
        cmocka_unit_test(large_messages_and_binary_ones_arrive),
        cmocka_unit_test(a_topic_is_subscribed_once_and_lingers),
        cmocka_unit_test(in_one_order_all_receive_what_comes_back),
        cmocka_unit_test(in_one_order_who_subscribes_misses_nothing_that_is_published_then),
        cmocka_unit_test(statistics_and_liveness_are_those_of_the_server),
        cmocka_unit_test(many_topics_are_subscribed_in_batches),
        cmocka_unit_test(the_name_of_the_client_is_shown),
        cmocka_unit_test(what_a_handler_has_published_that_does_not_return_arrives),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests(tests, pair_set_up, pair_tear_down));
}
