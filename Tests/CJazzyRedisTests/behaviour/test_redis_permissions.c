/* Servers whose user may not use every channel (ACL): what is forbidden is told, and all else goes on. */
#include <stdio.h>

#include "support/eventually.h"
#include "support/pair.h"

enum { MANY = 1500 };

static void want(node *node, const char *topic)
{
    char text[64];
    int length = snprintf(text, sizeof text, "+%s", topic);
    test_frame frame = {.opcode = JZ_OPCODE_TEXT, .fin = true, .payload = {text, (size_t)length, (size_t)length}};
    test_client_send_frame(&node->client, &frame);
    node_expect(node, text);
}

/* As a user who may use only these channels, besides those of the processes themselves. */
static jz_redis_options limited(node *node, char *url, size_t size, const char *channels)
{
    redis_server_do(&redis, "ACL SETUSER app on >secret +@all ~jazzy:* resetchannels &jazzy:%s &jazzy:%s", "?J*",
                    channels);
    snprintf(url, size, "unix://app:secret@%s", redis.path);
    return node_options(node, url);
}

static void one_forbidden_topic_leaves_the_others_live(void **state)
{
    (void)state;
    char url[256];
    char name[32];
    jz_redis_options options = limited(&here, url, sizeof url, "open/*");
    node_start(&here, &options);
    redis_server_do(&redis, "CLIENT PAUSE 200 ALL"); /* so that they are in the same batches */
    for (int i = 0; i < MANY; i++) {
        snprintf(name, sizeof name, "open/%d", i);
        want(&here, name);
        if (i == MANY / 2)
            want(&here, "closed");
    }
    assert_eventually(node_statistics(&here).live_topics == MANY);
    assert_eventually(node_statistics(&here).refused_topics == 1);
    assert_false(node_is_live(&here, "closed"));
    assert_true(node_is_live(&here, "open/0"));
    assert_true(node_logged(&here, "refuses to subscribe to the topic closed, so that"));
    redis_server_do(&redis, "PUBLISH jazzy:open/%d hello", MANY / 2);
    node_expect(&here, "hello");
    assert_true(node_statistics(&here).is_up);
    assert_int_equal(node_statistics(&here).reconnects, 0);
    assert_int_equal(node_statistics(&here).gaps, 0);
    node_finish(&here);
}

static void a_topic_that_is_allowed_after_all_is_told_as_a_gap(void **state)
{
    (void)state;
    char url[256];
    jz_redis_options options = limited(&here, url, sizeof url, "open/*");
    node_start(&here, &options);
    want(&here, "open/1");
    want(&here, "closed");
    assert_eventually(node_statistics(&here).refused_topics == 1);
    redis_server_do(&redis, "ACL SETUSER app &jazzy:closed");
    redis_server_do(&redis, "CLIENT KILL TYPE pubsub"); /* or when six probes have gone */
    assert_eventually(node_is_live(&here, "closed"));
    assert_eventually(node_gaps_of(&here, "closed") == 1);
    assert_int_equal(node_statistics(&here).refused_topics, 0);
    node_finish(&here);
}

static void many_forbidden_topics_are_all_asked_for_again_at_the_next_time(void **state)
{
    (void)state;
    char url[256];
    char name[32];
    jz_redis_options options = limited(&here, url, sizeof url, "open/*");
    options.probe_interval_ms = 500; /* asked for again after six of them */
    options.probe_timeout_ms = 5000;
    node_start(&here, &options);
    want(&here, "open/1");
    for (int i = 0; i < MANY; i++) {
        snprintf(name, sizeof name, "closed/%d", i);
        want(&here, name);
    }
    assert_eventually(node_statistics(&here).refused_topics == MANY);
    jz_broker_report report = {0};
    jz_redis_broker(here.redis)->report(jz_redis_broker(here.redis)->context, &report);
    assert_true(report.refused_topics > 0);
    redis_server_do(&redis, "ACL SETUSER app &jazzy:closed/*");
    assert_eventually(node_statistics(&here).live_topics == MANY + 1);
    assert_int_equal(node_statistics(&here).refused_topics, 0);
    assert_int_equal(node_statistics(&here).reconnects, 0);
    assert_eventually(node_statistics(&here).gaps == MANY);
    node_finish(&here);
}

static void a_server_starts_and_joins_again_beside_a_forbidden_topic(void **state)
{
    (void)state;
    char url[256];
    jz_redis_options options = limited(&here, url, sizeof url, "open/*");
    node_start(&here, &options);
    want(&here, "closed");
    want(&here, "open/1");
    assert_eventually(node_statistics(&here).refused_topics == 1);
    redis_server_do(&redis, "CLIENT KILL TYPE pubsub");
    assert_eventually(node_statistics(&here).reconnects == 1 && node_statistics(&here).is_up);
    assert_eventually(node_statistics(&here).refused_topics == 1 && node_is_live(&here, "open/1"));
    node_finish(&here);
}

static void a_forbidden_topic_that_nobody_wants_is_forgotten(void **state)
{
    (void)state;
    char url[256];
    jz_redis_options options = limited(&here, url, sizeof url, "open/*");
    node_start(&here, &options);
    want(&here, "closed");
    assert_eventually(node_statistics(&here).refused_topics == 1);
    node_unsubscribe(&here, "closed");
    assert_eventually(node_statistics(&here).topics == 0);
    assert_int_equal(node_statistics(&here).refused_topics, 0);
    node_finish(&here);
}

static void messages_to_a_forbidden_topic_are_refused_alone(void **state)
{
    (void)state;
    char url[256];
    jz_redis_options options = limited(&here, url, sizeof url, "open/*");
    node_start(&here, &options);
    options = node_options(&there, redis.url);
    node_start(&there, &options);
    node_subscribe(&there, "open/1");
    node_subscribe(&there, "closed");
    node_publish(&here, "open/1", "before");
    node_publish(&here, "closed", "refused");
    node_publish(&here, "open/1", "after");
    node_expect(&there, "before");
    node_expect(&there, "after");
    assert_eventually(node_statistics(&here).dropped == 1);
    assert_true(node_logged(&here, "(topic closed)"));
    assert_int_equal(node_gaps_of(&there, "open/1"), 0);
    redis_server_do(&redis, "ACL SETUSER app &jazzy:closed");
    assert_eventually(node_gaps_of(&there, "closed") == 1);
    finish_both();
}

static uint64_t epoch_of(node *node, const char *topic)
{
    jz_position position = {0};
    jz_server_recent(node->server, topic, strlen(topic), 0, NULL, NULL, &position);
    return position.epoch;
}

/* A gap of one topic, while all are connected: nobody may continue there where they were before. */
static void positions_of_a_topic_end_with_its_gap(void **state)
{
    (void)state;
    char url[256];
    jz_redis_options options = limited(&here, url, sizeof url, "open/*");
    here.has_history = there.has_history = true;
    node_start(&here, &options);
    options = node_options(&there, redis.url);
    node_start(&there, &options);
    node_subscribe(&there, "open/1");
    node_subscribe(&there, "closed");
    node_publish(&here, "open/1", "first");
    node_expect(&there, "first");
    node_publish(&there, "closed", "second");
    node_expect(&there, "second");
    uint64_t open = epoch_of(&there, "open/1");
    uint64_t closed = epoch_of(&there, "closed");
    node_publish(&here, "closed", "refused");
    assert_eventually(node_statistics(&here).dropped == 1);
    assert_int_equal(redis_server_do(&redis, "XLEN jazzy:history:closed"), 1);
    redis_server_do(&redis, "ACL SETUSER app &jazzy:closed");
    assert_eventually(node_gaps_of(&there, "closed") == 1);
    assert_true(epoch_of(&there, "closed") != closed);
    assert_true(epoch_of(&there, "open/1") == open);
    assert_int_equal(node_statistics(&there).reconnects, 0);
    finish_both();
    here.has_history = there.has_history = false;
}

static void the_channels_that_all_processes_need_are_named(void **state)
{
    (void)state;
    char url[256];
    jz_error error = {0};
    jz_redis_options options = limited(&here, url, sizeof url, "open/*");
    redis_server_do(&redis, "ACL SETUSER app resetchannels &jazzy:open/*");
    assert_int_equal(node_try(&here, &options, &error), JZ_STATUS_SYSTEM);
    assert_that(strstr(error.message, "all processes need ACL SETUSER ... &jazzy:?J*") != NULL, "%s", error.message);
    node_finish(&here);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(one_forbidden_topic_leaves_the_others_live, pair_set_up, pair_tear_down),
        cmocka_unit_test_setup_teardown(a_topic_that_is_allowed_after_all_is_told_as_a_gap, pair_set_up,
                                        pair_tear_down),
        cmocka_unit_test_setup_teardown(many_forbidden_topics_are_all_asked_for_again_at_the_next_time, pair_set_up,
                                        pair_tear_down),
        cmocka_unit_test_setup_teardown(a_server_starts_and_joins_again_beside_a_forbidden_topic, pair_set_up,
                                        pair_tear_down),
        cmocka_unit_test_setup_teardown(a_forbidden_topic_that_nobody_wants_is_forgotten, pair_set_up, pair_tear_down),
        cmocka_unit_test_setup_teardown(the_channels_that_all_processes_need_are_named, pair_set_up, pair_tear_down),
        cmocka_unit_test_setup_teardown(messages_to_a_forbidden_topic_are_refused_alone, pair_set_up, pair_tear_down),
        cmocka_unit_test_setup_teardown(positions_of_a_topic_end_with_its_gap, pair_set_up, pair_tear_down),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests(tests, NULL, NULL));
}
