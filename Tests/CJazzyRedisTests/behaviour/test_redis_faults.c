/* What becomes of servers that share topics when something is wrong with Redis, or with the way to it. */
#define _POSIX_C_SOURCE 200809L

#include <stdio.h>
#include <time.h>

#include "support/eventually.h"
#include "support/pair.h"

static uint64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static bool is_up(node *node)
{
    return node_statistics(node).is_up;
}

/* Messages that arrive while the publishing connection is killed again and again: all, once, in their order. */
static void what_was_not_answered_is_published_again(void **state)
{
    (void)state;
    char text[32];
    enum { MESSAGES = 20000 };
    start_both();
    node_subscribe(&there, "news");
    for (int i = 0; i < MESSAGES; i++) {
        snprintf(text, sizeof text, "%d", i);
        assert_int_equal(node_publish(&here, "news", text), JZ_SEND_SENT);
        if (i % 1000 == 500)
            redis_server_do(&redis, "CLIENT KILL TYPE normal");
    }
    for (int i = 0; i < MESSAGES; i++) {
        snprintf(text, sizeof text, "%d", i);
        node_expect(&there, text);
    }
    node_expect_nothing_else(&there, "news");
    assert_true(node_statistics(&here).reconnects > 0);
    assert_int_equal(node_statistics(&here).dropped, 0);
    finish_both();
}

static void a_lost_subscription_is_told_as_a_gap(void **state)
{
    (void)state;
    start_both();
    node_subscribe(&there, "news");
    node_subscribe(&there, "sports");
    redis_server_do(&redis, "CLIENT KILL TYPE pubsub");
    assert_eventually(node_gaps_of(&there, "news") == 1 && node_gaps_of(&there, "sports") == 1);
    assert_true(node_is_live(&there, "news") || !is_up(&there));
    assert_eventually(is_up(&there));
    node_publish(&here, "news", "after it");
    node_expect(&there, "after it");
    assert_int_equal(node_gaps_of(&there, "news"), 1);
    assert_true(node_logged(&there, "the subscribed connection to Redis at "));
    assert_true(node_logged(&there, "gaps that were told: 2"));
    finish_both();
}

static void it_comes_back_after_redis_was_killed(void **state)
{
    (void)state;
    start_both();
    node_subscribe(&here, "news");
    node_subscribe(&there, "news");
    redis_server_kill(&redis);
    assert_eventually(!is_up(&here) && !is_up(&there));
    assert_eventually(!node_is_live(&here, "news")); /* one connection may be found lost before the other */
    node_publish(&here, "news", "while it is away");
    node_expect(&here, "while it is away");
    redis_server_run(&redis, NULL);
    assert_eventually(node_gaps_of(&here, "news") >= 1 && node_gaps_of(&there, "news") >= 1);
    assert_eventually(is_up(&here) && is_up(&there));
    node_publish(&here, "news", "at last");
    /* The first one was kept; whether `there` was subscribed in time is not sure. */
    test_received frame;
    assert_true(test_client_take_frame(&there.client, &frame));
    if (frame.length == strlen("while it is away"))
        node_expect(&there, "at last");
    node_expect(&here, "at last");
    node_expect_nothing_else(&here, "news");
    finish_both();
}

static void a_topic_that_is_new_while_redis_is_away_is_told_as_a_gap(void **state)
{
    (void)state;
    start_both();
    redis_server_kill(&redis);
    assert_eventually(!is_up(&here));
    test_frame frame = {.opcode = JZ_OPCODE_TEXT, .fin = true, .payload = {"+new", 4, 4}};
    test_client_send_frame(&here.client, &frame);
    node_expect(&here, "+new");
    redis_server_run(&redis, NULL);
    assert_eventually(node_gaps_of(&here, "new") == 1);
    assert_eventually(node_is_live(&here, "new"));
    finish_both();
}

static void a_silent_redis_is_found_by_the_probe(void **state)
{
    (void)state;
    jz_redis_options options = node_options(&here, redis.url);
    options.probe_timeout_ms = 500;
    node_start(&here, &options);
    node_subscribe(&here, "news");
    redis_server_freeze(&redis);
    assert_eventually(!is_up(&here));
    assert_false(node_is_live(&here, "news"));
    redis_server_thaw(&redis);
    assert_eventually(node_gaps_of(&here, "news") >= 1);
    assert_eventually(is_up(&here));
    assert_true(node_logged(&here, "what this server published to itself did not come back within 500 ms"));
    node_finish(&here);
}

static void a_full_queue_drops_and_the_loss_is_told_without_another_message(void **state)
{
    (void)state;
    char text[1024];
    size_t accepted = 0;
    jz_redis_options options = node_options(&here, redis.url);
    options.queue_limit = 65536;
    node_start(&here, &options);
    options = node_options(&there, redis.url);
    node_start(&there, &options);
    node_subscribe(&there, "news");
    redis_server_freeze(&redis);
    memset(text, 'x', sizeof text);
    text[sizeof text - 1] = '\0';
    while (node_publish(&here, "news", text) == JZ_SEND_SENT)
        accepted++;
    assert_in_range(accepted, 50, 64);
    assert_true(node_statistics(&here).queue_bytes <= 65536);
    assert_int_equal(node_statistics(&here).dropped, 1);
    redis_server_thaw(&redis);
    for (size_t i = 0; i < accepted; i++)
        node_expect(&there, text);
    assert_eventually(node_gaps_of(&there, "news") == 1);
    node_publish(&here, "news", "goes on");
    node_expect(&there, "goes on");
    assert_int_equal(node_gaps_of(&there, "news"), 1);
    finish_both();
}

static void refused_messages_are_told_as_soon_as_redis_takes_some(void **state)
{
    (void)state;
    start_both();
    node_subscribe(&there, "news");
    redis_server_do(&redis, "ACL SETUSER default -publish");
    node_publish(&here, "news", "refused");
    assert_eventually(node_statistics(&here).dropped == 1);
    redis_server_do(&redis, "ACL SETUSER default +publish");
    assert_eventually(node_gaps_of(&there, "news") == 1);
    node_publish(&here, "news", "taken");
    node_expect(&there, "taken");
    assert_int_equal(node_gaps_of(&there, "news"), 1);
    assert_true(node_logged(&here, "refuses messages"));
    finish_both();
}

/* Publishes a large message between two others, of which Redis takes only those, by its setting. */
static void expect_only_the_large_one_lost(const char *setting, const char *large)
{
    node_subscribe(&there, "news");
    redis_server_do(&redis, setting);
    node_publish(&here, "news", "before");
    node_publish(&here, "news", large);
    node_publish(&here, "news", "behind");
    node_expect(&there, "before");
    node_expect(&there, "behind");
    assert_eventually(node_gaps_of(&there, "news") >= 1);
    assert_int_equal(node_statistics(&here).dropped, 1);
}

static void a_message_that_redis_cannot_take_does_not_stop_the_others(void **state)
{
    (void)state;
    static char large[2 * 1024 * 1024];
    memset(large, 'x', sizeof large - 1);
    start_both();
    expect_only_the_large_one_lost("CONFIG SET proto-max-bulk-len 1048576", large);
    finish_both();
}

/* Redis closes the connection without a word; until it is found which message is the reason, they are sent again. */
static void a_message_that_redis_hangs_up_on_does_not_stop_the_others(void **state)
{
    (void)state;
    static char large[3 * 1024 * 1024];
    memset(large, 'x', sizeof large - 1);
    start_both();
    expect_only_the_large_one_lost("CONFIG SET client-query-buffer-limit 1048576", large);
    assert_true(node_logged(&here, "closes the connection whenever it is sent"));
    finish_both();
}

static void a_master_that_becomes_a_replica_is_left(void **state)
{
    (void)state;
    start_both();
    node_subscribe(&here, "news");
    redis_server_do(&redis, "REPLICAOF 127.0.0.1 1");
    assert_eventually(!is_up(&here));
    assert_eventually(node_logged(&here, "it is no master"));
    redis_server_do(&redis, "REPLICAOF NO ONE");
    assert_eventually(is_up(&here) && is_up(&there));
    /* Meanwhile others had another master: nothing of that was heard, although the connection was there. */
    assert_eventually(node_gaps_of(&here, "news") >= 1);
    assert_true(node_statistics(&here).reconnects >= 2);
    finish_both();
}

/* The same, where the question for the role is not answered any more. */
/* It answers nothing but that it is busy, also whether it is a master. */
static void run_long_script(void)
{
    redis_server_do(&redis, "CONFIG SET busy-reply-threshold 10");
    const char *const script[] = {"redis-cli", "-s", redis.path, "EVAL", "while true do end", "0", NULL};
    char output[128];
    snprintf(output, sizeof output, "%s/script", redis.folder);
    (void)redis_spawn(script, output); /* ends with the script */
}

static void a_redis_that_is_busy_is_asked_again_and_keeps_its_connections(void **state)
{
    (void)state;
    jz_redis_options options = node_options(&here, redis.url);
    options.probe_timeout_ms = 30000;
    node_start(&here, &options);
    options = node_options(&there, redis.url);
    options.probe_timeout_ms = 30000;
    node_start(&there, &options);
    node_subscribe(&there, "news");
    run_long_script();
    assert_eventually(node_logged(&here, "does not say now whether it is a master: BUSY"));
    assert_true(is_up(&here));
    assert_eventually(redis_server_try(&redis, "SCRIPT KILL") != -1);
    assert_eventually(node_reaches(&here, &there, "news", "after"));
    assert_int_equal(node_statistics(&here).reconnects, 0);
    assert_int_equal(node_statistics(&there).reconnects, 0);
    finish_both();
}

static void a_redis_that_is_busy_for_too_long_is_left(void **state)
{
    (void)state;
    jz_redis_options options = node_options(&here, redis.url);
    options.probe_timeout_ms = 600;
    node_start(&here, &options);
    run_long_script();
    assert_eventually(!is_up(&here));
    assert_eventually(redis_server_try(&redis, "SCRIPT KILL") != -1);
    assert_eventually(is_up(&here));
    node_finish(&here);
}

/* Without it nobody would see that this Redis has become a replica. */
static void who_may_not_ask_for_the_role_any_more_is_told_what_to_allow(void **state)
{
    (void)state;
    char url[256];
    redis_server_do(&redis, "ACL SETUSER app on >secret +@all &*");
    snprintf(url, sizeof url, "unix://app:secret@%s", redis.path);
    jz_redis_options options = node_options(&here, url);
    node_start(&here, &options);
    redis_server_do(&redis, "ACL SETUSER app -role");
    assert_eventually(node_logged(&here, "allow it by ACL SETUSER ... +role"));
    redis_server_do(&redis, "ACL SETUSER app +role");
    assert_eventually(is_up(&here));
    node_finish(&here);
}

static void a_replica_that_is_met_again_as_a_master_is_a_gap(void **state)
{
    (void)state;
    start_both();
    node_subscribe(&here, "news");
    redis_server_do(&redis, "REPLICAOF 127.0.0.1 1");
    redis_server_do(&redis, "CLIENT KILL TYPE normal");
    assert_eventually(node_logged(&here, "it is no master, but a replica"));
    redis_server_do(&redis, "REPLICAOF NO ONE");
    assert_eventually(is_up(&here) && is_up(&there));
    assert_eventually(node_gaps_of(&here, "news") >= 1);
    finish_both();
}

static void a_full_output_buffer_costs_the_subscription_only(void **state)
{
    (void)state;
    start_both();
    node_subscribe(&there, "news");
    redis_server_do(&redis, "CONFIG SET client-output-buffer-limit %s", "pubsub 1 1 1");
    redis_server_do(&redis, "DEBUG SLEEP 0");
    for (int i = 0; i < 20 && node_statistics(&there).gaps == 0; i++)
        redis_server_do(&redis, "PUBLISH jazzy:news %s", "x");
    static char large[4 * 1024 * 1024];
    memset(large, 'x', sizeof large - 1);
    redis_server_do(&redis, "PUBLISH jazzy:news %s", large);
    redis_server_do(&redis, "CONFIG SET client-output-buffer-limit %s", "pubsub 0 0 0");
    assert_eventually(node_gaps_of(&there, "news") >= 1);
    assert_eventually(is_up(&there));
    finish_both();
}

/* A handler blocks for long, until its loop's mailbox is full: what its subscribers miss is told, too. */
static void what_a_loop_cannot_take_is_told_as_a_gap(void **state)
{
    (void)state;
    char text[1024];
    test_frame stop = {.opcode = JZ_OPCODE_TEXT, .fin = true, .payload = {"!", 1, 1}};
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    there.mailbox_limit = 65536;
    start_both();
    there.mailbox_limit = 0;
    node_subscribe(&there, "news");
    test_client_send_frame(&there.client, &stop);
    assert_eventually(atomic_load(&there.is_blocked));
    for (int i = 0; i < 200; i++)
        node_publish(&here, "news", text);
    assert_eventually(node_gaps_of(&there, "news") >= 1);
    atomic_store(&there.is_blocked, false);
    assert_eventually(node_reaches(&here, &there, "news", "goes on"));
    finish_both();
}

static void stopping_is_bounded_though_redis_is_silent(void **state)
{
    (void)state;
    jz_redis_options options = node_options(&here, redis.url);
    options.stop_timeout_ms = 100;
    options.probe_timeout_ms = 60000;
    node_start(&here, &options);
    redis_server_freeze(&redis);
    node_publish(&here, "news", "never taken");
    uint64_t before = now_ms();
    node_finish(&here);
    assert_true(now_ms() - before < 5000);
    assert_true(node_logged(&here, "1 messages were not published"));
    redis_server_thaw(&redis);
}

static void stopping_publishes_what_was_accepted(void **state)
{
    (void)state;
    char text[32];
    jz_redis_options options = node_options(&here, redis.url);
    options.stop_timeout_ms = 20000; /* Redis may be slow */
    node_start(&here, &options);
    options = node_options(&there, redis.url);
    node_start(&there, &options);
    node_subscribe(&there, "news");
    for (int i = 0; i < 5000; i++) {
        snprintf(text, sizeof text, "%d", i);
        node_publish(&here, "news", text);
    }
    node_finish(&here);
    for (int i = 0; i < 5000; i++) {
        snprintf(text, sizeof text, "%d", i);
        node_expect(&there, text);
    }
    node_finish(&there);
}

static void starting_fails_without_redis_and_says_how(void **state)
{
    (void)state;
    jz_error error = {0};
    jz_redis_options options = node_options(&here, "unix:///tmp/no-such-redis");
    assert_int_equal(node_try(&here, &options, &error), JZ_STATUS_SYSTEM);
    assert_non_null(strstr(error.message, "/tmp/no-such-redis cannot be joined: No such file or directory"));
    assert_non_null(strstr(error.message, "starts_alone"));
    node_finish(&here);
}

static void starting_alone_joins_as_soon_as_there_is_redis(void **state)
{
    (void)state;
    jz_redis_options options = node_options(&here, redis.url);
    options.starts_alone = true;
    redis_server_kill(&redis);
    node_start(&here, &options);
    assert_false(is_up(&here));
    test_frame frame = {.opcode = JZ_OPCODE_TEXT, .fin = true, .payload = {"+news", 5, 5}};
    test_client_send_frame(&here.client, &frame);
    node_expect(&here, "+news");
    node_publish(&here, "news", "local");
    node_expect(&here, "local");
    redis_server_run(&redis, NULL);
    assert_eventually(node_is_live(&here, "news"));
    assert_eventually(node_gaps_of(&here, "news") == 1); /* told when it is live already */
    redis_server_do(&redis, "PUBLISH jazzy:news joined");
    node_expect(&here, "joined");
    node_finish(&here);
}

static void starting_is_refused_with_the_reason_of_redis(void **state)
{
    (void)state;
    jz_error error = {0};
    char url[256];
    redis_server_do(&redis, "ACL SETUSER app on >secret allchannels +@all");
    static const struct {
        const char *credentials;
        const char *text;
    } rows[] = {
        {"app:wrong@", "AUTH: WRONGPASS"},
        {"nobody:secret@", "AUTH: WRONGPASS"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        snprintf(url, sizeof url, "unix://%s%s", rows[i].credentials, redis.path);
        jz_redis_options options = node_options(&here, url);
        assert_int_equal(node_try(&here, &options, &error), JZ_STATUS_SYSTEM);
        assert_that(strstr(error.message, rows[i].text) != NULL, "%s", error.message);
        assert_null(strstr(error.message, "secret"));
        node_finish(&here);
    }
    redis_server_do(&redis, "REPLICAOF 127.0.0.1 1");
    jz_redis_options options = node_options(&here, redis.url);
    assert_int_equal(node_try(&here, &options, &error), JZ_STATUS_SYSTEM);
    assert_that(strstr(error.message, "it is no master, but a replica") != NULL, "%s", error.message);
    node_finish(&here);
    redis_server_do(&redis, "REPLICAOF NO ONE");
}

/* Redis repeats the arguments of a command that it does not know. */
static void a_password_is_not_shown_where_redis_shows_it(void **state)
{
    (void)state;
    jz_error error = {0};
    char url[256];
    redis_server_kill(&redis);
    redis_server_run(&redis, (const char *[]){"--rename-command", "AUTH", "", NULL});
    snprintf(url, sizeof url, "unix://app:secret@%s", redis.path);
    jz_redis_options options = node_options(&here, url);
    assert_int_equal(node_try(&here, &options, &error), JZ_STATUS_SYSTEM);
    assert_that(strstr(error.message, "AUTH: ERR unknown command") != NULL, "%s", error.message);
    assert_null(strstr(error.message, "secret"));
    assert_false(node_logged(&here, "secret"));
    node_finish(&here);
}

static void it_logs_in_and_selects(void **state)
{
    (void)state;
    char url[256];
    char list[4096];
    redis_server_do(&redis, "ACL SETUSER app on >sec:ret allchannels +@all");
    snprintf(url, sizeof url, "unix://app:sec%%3Aret@%s?db=3", redis.path);
    jz_redis_options options = node_options(&here, url);
    options.client_name = "chat-7";
    options.prefix = "elsewhere/";
    node_start(&here, &options);
    node_subscribe(&here, "news");
    redis_server_ask(&redis, list, sizeof list, "CLIENT LIST TYPE normal");
    const char *own = strstr(list, "name=chat-7");
    assert_non_null(own);
    assert_non_null(strstr(own, "db=3"));
    assert_non_null(strstr(own, "user=app"));
    assert_int_equal(redis_server_do(&redis, "PUBLISH elsewhere/news hello"), 1);
    node_expect(&here, "hello");
    node_finish(&here);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_was_not_answered_is_published_again, pair_set_up, pair_tear_down),
        cmocka_unit_test_setup_teardown(a_lost_subscription_is_told_as_a_gap, pair_set_up, pair_tear_down),
        cmocka_unit_test_setup_teardown(it_comes_back_after_redis_was_killed, pair_set_up, pair_tear_down),
        cmocka_unit_test_setup_teardown(a_topic_that_is_new_while_redis_is_away_is_told_as_a_gap, pair_set_up,
                                        pair_tear_down),
        cmocka_unit_test_setup_teardown(a_silent_redis_is_found_by_the_probe, pair_set_up, pair_tear_down),
        cmocka_unit_test_setup_teardown(a_full_queue_drops_and_the_loss_is_told_without_another_message, pair_set_up,
                                        pair_tear_down),
        cmocka_unit_test_setup_teardown(refused_messages_are_told_as_soon_as_redis_takes_some, pair_set_up,
                                        pair_tear_down),
        cmocka_unit_test_setup_teardown(a_message_that_redis_cannot_take_does_not_stop_the_others, pair_set_up,
                                        pair_tear_down),
        cmocka_unit_test_setup_teardown(a_message_that_redis_hangs_up_on_does_not_stop_the_others, pair_set_up,
                                        pair_tear_down),
        cmocka_unit_test_setup_teardown(a_master_that_becomes_a_replica_is_left, pair_set_up, pair_tear_down),
        cmocka_unit_test_setup_teardown(a_redis_that_is_busy_is_asked_again_and_keeps_its_connections, pair_set_up,
                                        pair_tear_down),
        cmocka_unit_test_setup_teardown(a_redis_that_is_busy_for_too_long_is_left, pair_set_up, pair_tear_down),
        cmocka_unit_test_setup_teardown(who_may_not_ask_for_the_role_any_more_is_told_what_to_allow, pair_set_up,
                                        pair_tear_down),
        cmocka_unit_test_setup_teardown(a_replica_that_is_met_again_as_a_master_is_a_gap, pair_set_up, pair_tear_down),
        cmocka_unit_test_setup_teardown(a_full_output_buffer_costs_the_subscription_only, pair_set_up, pair_tear_down),
        cmocka_unit_test_setup_teardown(what_a_loop_cannot_take_is_told_as_a_gap, pair_set_up, pair_tear_down),
        cmocka_unit_test_setup_teardown(stopping_is_bounded_though_redis_is_silent, pair_set_up, pair_tear_down),
        cmocka_unit_test_setup_teardown(stopping_publishes_what_was_accepted, pair_set_up, pair_tear_down),
        cmocka_unit_test_setup_teardown(starting_fails_without_redis_and_says_how, pair_set_up, pair_tear_down),
        cmocka_unit_test_setup_teardown(starting_alone_joins_as_soon_as_there_is_redis, pair_set_up, pair_tear_down),
        cmocka_unit_test_setup_teardown(starting_is_refused_with_the_reason_of_redis, pair_set_up, pair_tear_down),
        cmocka_unit_test_setup_teardown(a_password_is_not_shown_where_redis_shows_it, pair_set_up, pair_tear_down),
        cmocka_unit_test_setup_teardown(it_logs_in_and_selects, pair_set_up, pair_tear_down),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests(tests, NULL, NULL));
}
