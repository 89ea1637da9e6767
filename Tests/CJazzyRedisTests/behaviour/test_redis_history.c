/* Topics with history on servers that share one Redis, which keeps it: who comes back to any of them continues. */
#include <stdio.h>

#include "support/clock.h"
#include "support/eventually.h"
#include "support/pair.h"

static void start_with_history(void)
{
    here.has_history = there.has_history = true;
    start_both();
}

static void publish_numbers(node *node, int first, int last)
{
    char text[32];
    for (int i = first; i <= last; i++) {
        snprintf(text, sizeof text, "%d", i);
        assert_int_not_equal(node_publish(node, "news", text), JZ_SEND_DROPPED);
    }
}

static void expect_numbers(node *node, int first, int last)
{
    char text[32];
    for (int i = first; i <= last; i++) {
        snprintf(text, sizeof text, "%d", i);
        node_expect(node, text);
    }
}

/* How often a command was called, by anybody. */
static long calls_of(const char *command)
{
    static char text[16384];
    char line[64];
    snprintf(line, sizeof line, "cmdstat_%s:calls=", command);
    redis_server_ask(&redis, text, sizeof text, "INFO commandstats");
    const char *found = strstr(text, line);
    return found != NULL ? strtol(found + strlen(line), NULL, 10) : 0;
}

static void who_comes_back_to_another_server_continues(void **state)
{
    (void)state;
    start_with_history();
    node_beginning beginning = node_continue(&here, "news", "");
    assert_int_equal(beginning.offset, 0);
    publish_numbers(&there, 1, 3);
    expect_numbers(&here, 1, 3);
    char since[64];
    snprintf(since, sizeof since, "%s", node_position(&beginning, 3));
    test_client_close(&here.client);
    here.client.descriptor = -1;
    publish_numbers(&here, 4, 6);
    assert_eventually(node_statistics(&here).published == 3);
    beginning = node_continue(&there, "news", since);
    assert_true(beginning.has_recovered && beginning.count == 3 && beginning.offset == 3);
    expect_numbers(&there, 4, 6);
    publish_numbers(&here, 7, 8);
    expect_numbers(&there, 7, 8);
    finish_both();
}

static void everybody_has_the_same_offsets_whoever_publishes(void **state)
{
    (void)state;
    start_with_history();
    node_beginning one = node_continue(&here, "news", "");
    node_beginning other = node_continue(&there, "news", "");
    assert_string_equal(one.epoch, other.epoch);
    for (int i = 0; i < 500; i++)
        publish_numbers(i % 2 == 0 ? &here : &there, i, i);
    for (int i = 0; i < 500; i++) {
        test_received mine;
        char text[32] = {0};
        assert_true(test_client_take_frame(&here.client, &mine) && mine.length < sizeof text);
        memcpy(text, mine.payload, mine.length);
        node_expect(&there, text);
    }
    assert_int_equal(node_statistics(&here).gaps + node_statistics(&there).gaps, 0);
    finish_both();
}

static void what_the_server_has_costs_no_command(void **state)
{
    (void)state;
    start_with_history();
    node_beginning beginning = node_continue(&here, "news", "");
    publish_numbers(&there, 1, 10);
    expect_numbers(&here, 1, 10);
    long evals = calls_of("eval");
    long calls = calls_of("evalsha");
    test_client others[20] = {0};
    for (size_t i = 0; i < COUNT_OF(others); i++) {
        assert_true(test_client_open(&others[i], jz_server_port(here.server), UPGRADE_REQUEST("/")));
        node_ask_to_continue(&others[i], "news", node_position(&beginning, i % 10));
        node_beginning its = node_hear_beginning(&others[i]);
        assert_true(its.has_recovered && its.count == 10 - i % 10);
        test_client_close(&others[i]);
    }
    assert_int_equal(calls_of("eval"), evals);
    assert_int_equal(calls_of("evalsha"), calls);
    assert_int_equal(node_statistics(&here).fetched, 1);
    finish_both();
}

static void offsets_that_are_made_up_cost_a_command_a_second(void **state)
{
    (void)state;
    start_with_history();
    node_beginning beginning = node_continue(&here, "news", "");
    publish_numbers(&there, 1, 2);
    expect_numbers(&here, 1, 2);
    test_client others[20] = {0};
    uint64_t start_ms = test_real_clock_ms();
    for (uint64_t i = 0; i < COUNT_OF(others); i++) {
        assert_true(test_client_open(&others[i], jz_server_port(here.server), UPGRADE_REQUEST("/")));
        node_ask_to_continue(&others[i], "news", node_position(&beginning, i + 3));
        assert_false(node_hear_beginning(&others[i]).has_recovered);
        test_client_close(&others[i]);
    }
    uint64_t seconds = (test_real_clock_ms() - start_ms) / 900; /* a second of timers may be that short */
    assert_in_range(node_statistics(&here).fetched, 2, 2 + seconds);
    finish_both();
}

static void many_that_come_at_once_cost_one_fetch(void **state)
{
    (void)state;
    start_with_history();
    node_beginning beginning = node_continue(&there, "news", "");
    publish_numbers(&there, 1, 10);
    expect_numbers(&there, 1, 10);
    test_client others[50] = {0};
    redis_server_freeze(&redis); /* so that all of them come before the answer */
    for (size_t i = 0; i < COUNT_OF(others); i++) {
        assert_true(test_client_open(&others[i], jz_server_port(here.server), UPGRADE_REQUEST("/")));
        node_ask_to_continue(&others[i], "news", node_position(&beginning, i % 11));
    }
    redis_server_thaw(&redis);
    for (size_t i = 0; i < COUNT_OF(others); i++) {
        node_beginning its = node_hear_beginning(&others[i]);
        assert_true(its.has_recovered && its.count == 10 - i % 11);
        test_client_close(&others[i]);
    }
    assert_int_equal(node_statistics(&here).fetched, 1);
    finish_both();
}

static void many_topics_at_once_are_all_fetched(void **state)
{
    (void)state;
    enum { TOPICS = 300 };
    char topic[32];
    start_with_history();
    for (int i = 0; i < TOPICS; i++) {
        snprintf(topic, sizeof topic, "topic/%d", i);
        node_publish(&here, topic, "old");
    }
    assert_eventually(node_statistics(&here).published == TOPICS);
    for (int i = 0; i < TOPICS; i++) {
        snprintf(topic, sizeof topic, "topic/%d", i);
        node_ask_to_continue(&there.client, topic, "");
    }
    for (int i = 0; i < TOPICS; i++)
        assert_int_equal(node_hear_beginning(&there.client).offset, 1);
    assert_int_equal(node_statistics(&there).fetched, TOPICS);
    assert_int_equal(node_statistics(&there).not_fetched, 0);
    finish_both();
}

static void a_large_history_is_fetched_as_a_whole(void **state)
{
    (void)state;
    enum { MESSAGES = 70, SIZE = 100 * 1000 };
    static char large[SIZE];
    memset(large, 'x', sizeof large);
    here.kept = there.kept = (jz_history_options){.keep = 1000, .for_ms = 60000, .bytes = 64 * 1024 * 1024};
    start_with_history();
    node_beginning beginning = node_continue(&here, "news", "");
    for (int i = 0; i < MESSAGES; i++) {
        jz_server_publish(here.server, "news", 4, JZ_MESSAGE_BINARY, large, sizeof large);
        test_client_expect(&here.client, JZ_OPCODE_BINARY, large, sizeof large);
    }
    beginning = node_continue(&there, "news", node_position(&beginning, 0));
    assert_true(beginning.has_recovered && beginning.count == MESSAGES);
    for (int i = 0; i < MESSAGES; i++)
        test_client_expect(&there.client, JZ_OPCODE_BINARY, large, sizeof large);
    for (int i = 0; i < MESSAGES / 2; i++)
        jz_server_publish(here.server, "news", 4, JZ_MESSAGE_BINARY, large, sizeof large);
    assert_eventually(node_statistics(&here).published == MESSAGES + MESSAGES / 2);
    finish_both();
    start_with_history(); /* which know nothing */
    beginning = node_continue(&there, "news", node_position(&beginning, 0));
    assert_false(beginning.has_recovered); /* that would be more than 8 MiB */
    here.kept = there.kept = (jz_history_options){0};
    finish_both();
}

static void a_publisher_does_not_get_its_own_unless_it_counts(void **state)
{
    (void)state;
    static const test_frame publishing = {.opcode = JZ_OPCODE_TEXT, .fin = true, .payload = {"news=mine", 9, 9}};
    start_with_history();
    node_subscribe(&here, "news");
    node_continue(&there, "news", "");
    test_client_send_frame(&here.client, &publishing);
    node_expect(&there, "mine");
    test_client_send_frame(&there.client, &publishing);
    node_expect(&there, "mine");
    node_expect(&here, "mine"); /* the other one's */
    finish_both();
}

static const char *const losses[] = {"FLUSHALL", "DEL jazzy:position:news", "HDEL jazzy:position:news l",
                                     "XADD jazzy:history:news * t x"};

static void what_redis_has_lost_nobody_continues_from(void **state)
{
    (void)state;
    start_with_history();
    for (size_t i = 0; i < COUNT_OF(losses); i++) {
        char since[64];
        node_beginning beginning = node_continue(&here, "news", "");
        publish_numbers(&here, 1, 2);
        expect_numbers(&here, 1, 2);
        snprintf(since, sizeof since, "%s", node_position(&beginning, 1));
        redis_server_try(&redis, losses[i]);
        publish_numbers(&there, 3, 3);
        assert_that(node_is_told_to_come_back(&here), "%s", losses[i]);
        node_come_back(&here);
        beginning = node_continue(&here, "news", since);
        assert_that(!beginning.has_recovered && beginning.count == 0, "%s", losses[i]);
        node_come_back(&here);
    }
    finish_both();
}

static void after_a_new_start_of_redis_nobody_continues(void **state)
{
    (void)state;
    char since[64];
    start_with_history();
    node_beginning beginning = node_continue(&here, "news", "");
    publish_numbers(&here, 1, 5);
    expect_numbers(&here, 1, 5);
    redis_server_do(&redis, "SAVE");
    publish_numbers(&here, 6, 8);
    expect_numbers(&here, 6, 8);
    snprintf(since, sizeof since, "%s", node_position(&beginning, 5));
    assert_eventually(node_statistics(&here).queue_messages == 0); /* what is not answered goes to the next one, too */
    redis_server_kill(&redis);
    redis_server_run(&redis, NULL); /* with the dump, which ends with 5 */
    assert_true(node_is_told_to_come_back(&here));
    assert_eventually(node_statistics(&here).is_up && node_statistics(&there).is_up);
    node_come_back(&here);
    beginning = node_continue(&here, "news", since);
    assert_true(!beginning.has_recovered && beginning.offset == 0);
    publish_numbers(&there, 1, 3);
    expect_numbers(&here, 1, 3);
    finish_both();
}

static void nothing_is_lost_or_kept_twice_when_redis_forgets_the_script(void **state)
{
    (void)state;
    start_with_history();
    node_continue(&there, "news", "");
    for (int i = 0; i < 100; i++) {
        publish_numbers(&here, i * 20, i * 20 + 19);
        if (i % 10 == 0)
            redis_server_do(&redis, "SCRIPT FLUSH SYNC");
    }
    expect_numbers(&there, 0, 1999);
    assert_int_equal(node_statistics(&here).dropped, 0);
    assert_int_equal(node_statistics(&here).reconnects + node_statistics(&there).reconnects, 0);
    finish_both();
}

static void nothing_is_lost_or_kept_twice_when_connections_break(void **state)
{
    (void)state;
    start_with_history();
    node_beginning beginning = node_continue(&there, "news", "");
    const char *since = node_position(&beginning, 0);
    char first[64];
    snprintf(first, sizeof first, "%s", since);
    test_client_close(&there.client);
    there.client.descriptor = -1;
    assert_eventually(!node_is_live(&there, "news")); /* so that the topic has ended there, and is fetched */
    for (int i = 0; i < 90; i++) {
        publish_numbers(&here, i, i);
        if (i % 10 == 5)
            redis_server_do(&redis, "CLIENT KILL TYPE normal SKIPME yes");
    }
    assert_eventually(node_statistics(&here).published == 90);
    assert_eventually(node_statistics(&there).is_up);
    node_come_back(&there);
    beginning = node_continue(&there, "news", first);
    assert_true(beginning.has_recovered);
    assert_int_equal(beginning.count, 90);
    expect_numbers(&there, 0, 89);
    finish_both();
}

static void who_is_behind_a_lost_connection_comes_back_and_continues(void **state)
{
    (void)state;
    start_with_history();
    node_beginning beginning = node_continue(&there, "news", "");
    publish_numbers(&here, 1, 5);
    expect_numbers(&there, 1, 5);
    redis_server_do(&redis, "CLIENT KILL TYPE pubsub");
    assert_true(node_is_told_to_come_back(&there));
    publish_numbers(&here, 6, 9);
    node_come_back(&there);
    beginning = node_continue(&there, "news", node_position(&beginning, 5));
    assert_true(beginning.has_recovered);
    expect_numbers(&there, 6, 9);
    finish_both();
}

static void what_redis_refuses_nobody_gets_and_is_told(void **state)
{
    (void)state;
    start_with_history();
    node_beginning beginning = node_continue(&there, "news", "");
    publish_numbers(&here, 1, 2);
    expect_numbers(&there, 1, 2);
    redis_server_do(&redis, "CONFIG SET maxmemory 1");
    for (int i = 0; i < 10; i++) {
        publish_numbers(&here, 10, 59);
        assert_eventually(node_statistics(&here).dropped == (uint64_t)(i + 1) * 50);
    }
    assert_eventually(node_logged(&here, "OOM"));
    redis_server_do(&redis, "CONFIG SET maxmemory 0");
    assert_eventually(node_gaps_of(&there, "news") > 0);
    node_come_back(&there);
    publish_numbers(&here, 5, 5);
    assert_eventually(node_statistics(&here).published == 3);
    beginning = node_continue(&there, "news", node_position(&beginning, 2));
    assert_true(beginning.has_recovered && beginning.count == 1);
    expect_numbers(&there, 5, 5);
    finish_both();
}

static void what_cannot_be_fetched_is_not_recovered(void **state)
{
    (void)state;
    start_with_history();
    node_beginning beginning = node_continue(&here, "news", "");
    publish_numbers(&here, 1, 2);
    expect_numbers(&here, 1, 2);
    redis_server_do(&redis, "ACL SETUSER default -eval");
    beginning = node_continue(&there, "news", node_position(&beginning, 1));
    assert_false(beginning.has_recovered);
    assert_int_equal(node_statistics(&there).not_fetched, 1);
    assert_true(node_logged(&there, "does not tell what it keeps"));
    finish_both();
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, pair_set_up, pair_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(who_comes_back_to_another_server_continues),
        TEST(everybody_has_the_same_offsets_whoever_publishes),
        TEST(what_the_server_has_costs_no_command),
        TEST(offsets_that_are_made_up_cost_a_command_a_second),
        TEST(many_that_come_at_once_cost_one_fetch),
        TEST(many_topics_at_once_are_all_fetched),
        TEST(a_large_history_is_fetched_as_a_whole),
        TEST(a_publisher_does_not_get_its_own_unless_it_counts),
        TEST(what_redis_has_lost_nobody_continues_from),
        TEST(after_a_new_start_of_redis_nobody_continues),
        TEST(nothing_is_lost_or_kept_twice_when_redis_forgets_the_script),
        TEST(nothing_is_lost_or_kept_twice_when_connections_break),
        TEST(who_is_behind_a_lost_connection_comes_back_and_continues),
        TEST(what_redis_refuses_nobody_gets_and_is_told),
        TEST(what_cannot_be_fetched_is_not_recovered),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("histories that Redis keeps", tests, NULL, NULL));
}
