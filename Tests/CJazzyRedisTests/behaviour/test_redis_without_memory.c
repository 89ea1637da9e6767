/* Whichever allocation fails: the broker goes on, or starts over, and nothing leaks or breaks. */
#include <stdio.h>

#include "support/allocation.h"
#include "support/eventually.h"
#include "support/pair.h"

enum { ROUNDS = 48 };

static void creating_says_that_there_is_no_memory(void **state)
{
    (void)state;
    jz_redis_options options = node_options(&here, "redis-sentinel://user:password@one:1,two/name/3");
    options.sentinel_password = "secret";
    size_t live = test_live_allocations();
    for (size_t i = 0;; i++) {
        jz_error error = {0};
        test_allocation_fails_once_after(i);
        jz_redis *made = jz_redis_create(&options, &error);
        size_t failed = test_allocations_succeed();
        jz_redis_free(made);
        assert_int_equal(test_live_allocations(), live);
        if (failed == 0) {
            assert_true(i > 5);
            assert_non_null(made);
            return;
        }
        assert_true(made != NULL || error.status == JZ_STATUS_OUT_OF_MEMORY);
    }
}

static void ask(node *node, const char *text)
{
    test_frame frame = {.opcode = JZ_OPCODE_TEXT, .fin = true, .payload = {text, strlen(text), strlen(text)}};
    test_client_send_frame(&node->client, &frame);
}

static void running_it_goes_on_or_starts_over(void **state)
{
    (void)state;
    char topic[32];
    char text[32];
    jz_redis_options options = node_options(&here, redis.url);
    node_start(&here, &options);
    options = node_options(&there, redis.url);
    node_start(&there, &options);
    node_subscribe(&there, "news");
    for (size_t i = 0; i < ROUNDS; i++) {
        snprintf(topic, sizeof topic, "topic/%zu", i);
        test_allocation_fails_once_after(i % 12);
        node_publish(&here, topic, "to a topic that is new");
        redis_server_try(&redis, i % 3 == 0 ? "CLIENT KILL TYPE pubsub" : "PUBLISH jazzy:news foreign");
        test_allocations_succeed();
        snprintf(topic, sizeof topic, "+topic/%zu", i);
        test_allocation_fails_once_after(40 + i % 24); /* the test's own frame takes some */
        ask(&here, topic);
        test_allocations_succeed();
        snprintf(text, sizeof text, "round %zu", i);
        assert_eventually(node_reaches(&here, &there, "news", text));
    }
    assert_eventually(node_statistics(&here).is_up && node_statistics(&there).is_up);
    assert_eventually(node_statistics(&here).queue_messages == 0);
    node_finish(&here);
    node_finish(&there);
}

/* Comes to the topic at the other server, whatever allocation fails there, and comes back until that has worked. */
static bool continues(const char *since, size_t count)
{
    node_come_back(&there);
    node_ask_to_continue(&there.client, "news", since);
    test_received frame;
    if (!test_client_take_frame(&there.client, &frame) || frame.opcode != JZ_OPCODE_TEXT)
        return false;
    char expected[64];
    snprintf(expected, sizeof expected, "\"recovered\":true,\"count\":%zu}", count);
    return frame.length > strlen(expected) &&
           memcmp(frame.payload + frame.length - strlen(expected), expected, strlen(expected)) == 0;
}

static void a_history_has_no_hole_whatever_fails(void **state)
{
    (void)state;
    char text[32];
    char since[64];
    size_t kept = 0;
    here.has_history = there.has_history = true;
    start_both();
    node_beginning beginning = node_continue(&there, "news", "");
    snprintf(since, sizeof since, "%s", node_position(&beginning, 0));
    for (size_t i = 0; i < ROUNDS; i++) {
        snprintf(text, sizeof text, "%zu", i);
        test_allocation_fails_once_after(i % 12);
        kept += node_publish(&here, "news", text) != JZ_SEND_DROPPED;
        test_allocations_succeed();
        assert_eventually(node_statistics(&here).published == kept);
        test_client_close(&there.client); /* so that the topic ends there, and is fetched */
        there.client.descriptor = -1;
        assert_eventually(node_statistics(&there).live_topics == 0);
        node_come_back(&there);
        test_allocation_fails_once_after(10 + i);
        node_ask_to_continue(&there.client, "news", since);
        test_received frame;
        (void)test_client_take_frame(&there.client, &frame);
        test_allocations_succeed();
        assert_eventually(continues(since, kept));
    }
    assert_true(kept > ROUNDS / 2);
    finish_both();
    here.has_history = there.has_history = false;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(creating_says_that_there_is_no_memory),
        cmocka_unit_test_setup_teardown(a_history_has_no_hole_whatever_fails, pair_set_up, pair_tear_down),
        cmocka_unit_test_setup_teardown(running_it_goes_on_or_starts_over, pair_set_up, pair_tear_down),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests(tests, NULL, NULL));
}
