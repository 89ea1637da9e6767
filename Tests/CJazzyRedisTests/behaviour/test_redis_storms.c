/* Servers whose topics come and go by the thousand while connections are cut, whose process forks, or stands still. */
#define _DEFAULT_SOURCE

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/clock.h"
#include "support/eventually.h"
#include "support/pair.h"
#include "support/random.h"

enum { TOPICS = 60, ROUNDS = 40, CHANGES = 60 };

static void say(node *node, char sign, size_t topic)
{
    char text[32];
    int length = snprintf(text, sizeof text, "%ctopic/%zu", sign, topic);
    test_frame frame = {.opcode = JZ_OPCODE_TEXT, .fin = true, .payload = {text, (size_t)length, (size_t)length}};
    test_client_send_frame(&node->client, &frame);
}

/* What came of a topic that is subscribed all the time. */
typedef struct steady {
    unsigned last;
    size_t missing;
} steady;

static void count_steady(void *context, const char *topic, size_t length)
{
    if (length == 6 && memcmp(topic, "steady", 6) == 0)
        atomic_fetch_add((atomic_size_t *)context, 1);
}

/* Takes what has come; "+..." and "-..." are answers, "steady N" the numbers. */
static void take(node *node, steady *steady)
{
    test_received frame;
    char text[64];
    unsigned number;
    while (!test_client_hears_nothing(&node->client)) {
        assert_true(test_client_take_frame(&node->client, &frame));
        assert_true(frame.length < sizeof text);
        memcpy(text, frame.payload, frame.length);
        text[frame.length] = '\0';
        if (sscanf(text, "steady %u", &number) != 1)
            continue;
        assert_that(number > steady->last, "%u after %u", number, steady->last); /* once, and in their order */
        steady->missing += number - steady->last - 1;
        steady->last = number;
    }
}

static bool has_come(node *node, steady *steady, unsigned number)
{
    take(node, steady);
    return steady->last == number;
}

static void storm(bool is_ordered, uint64_t seed)
{
    test_random random = {seed};
    bool is_wanted[TOPICS] = {false};
    size_t wanted = 0;
    unsigned number = 0;
    steady steady = {0};
    atomic_size_t gaps = 0;
    char text[64];
    jz_redis_options options = node_options(&here, redis.url);
    options.is_ordered = is_ordered;
    options.linger_ms = 2;
    node_start(&here, &options);
    options.on_gap = count_steady;
    options.gap_context = &gaps;
    node_start(&there, &options);
    node_subscribe(&there, "steady");
    for (size_t round = 0; round < ROUNDS; round++) {
        for (size_t i = 0; i < CHANGES; i++) {
            size_t topic = test_random_below(&random, TOPICS);
            is_wanted[topic] = !is_wanted[topic];
            say(&there, is_wanted[topic] ? '+' : '-', topic);
            (void)snprintf(text, sizeof text, "steady %u", ++number);
            node_publish(&here, "steady", text);
            (void)snprintf(text, sizeof text, "topic/%zu", topic);
            node_publish(i % 2 == 0 ? &here : &there, text, "whatever");
        }
        take(&there, &steady);
        if (test_random_below(&random, 3) > 0)
            (void)redis_server_try(&redis, test_random_below(&random, 2) > 0 ? "CLIENT KILL TYPE pubsub"
                                                                             : "CLIENT KILL TYPE normal");
    }
    for (size_t i = 0; i < TOPICS; i++)
        wanted += is_wanted[i];
    assert_eventually(node_statistics(&there).is_up && node_statistics(&here).is_up);
    assert_eventually(node_statistics(&there).live_topics == wanted + 1 &&
                      node_statistics(&there).topics == wanted + 1);
    assert_eventually(redis_server_do(&redis, "PUBSUB CHANNELS jazzy:topic/*") == (long long)wanted);
    (void)snprintf(text, sizeof text, "steady %u", ++number);
    node_publish(&here, "steady", text);
    assert_eventually(has_come(&there, &steady, number));
    assert_true(steady.missing == 0 || atomic_load(&gaps) > 0);
    finish_both();
}

static void topics_come_and_go_while_connections_are_cut(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 4; seed++)
        storm(seed % 2 == 0, seed);
}

/* The child has copies of the connections' descriptors, and lives on. */
static void a_child_does_not_keep_connections_open(void **state)
{
    (void)state;
    start_both();
    node_subscribe(&here, "news");
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        while (true)
            (void)pause();
    }
    node_publish(&there, "news", "meanwhile");
    node_expect(&here, "meanwhile");
    finish_both();
    assert_eventually(redis_server_do(&redis, "PUBSUB CHANNELS *") == 0);
    (void)kill(child, SIGKILL);
    (void)waitpid(child, NULL, 0);
}

/* As after a machine has slept: seconds pass between two looks at the clock. */
static void a_clock_that_jumps_costs_nothing(void **state)
{
    (void)state;
    enum { JUMP_MS = 8000 /* several of the probe's time-outs; a client would be asked whether it is there later */ };
    char text[32];
    test_clock_stop(test_real_clock_ms());
    start_both();
    node_subscribe(&there, "news");
    for (int i = 0; i < 3; i++) {
        test_clock_advance(JUMP_MS);
        (void)snprintf(text, sizeof text, "after the jump %d", i);
        node_publish(&here, "news", text);
        node_expect(&there, text);
        assert_eventually(node_is_live(&there, "news"));
    }
    assert_int_equal(node_statistics(&here).reconnects + node_statistics(&there).reconnects, 0);
    assert_int_equal(node_statistics(&there).gaps, 0);
    test_clocks_run();
    finish_both();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(topics_come_and_go_while_connections_are_cut, pair_set_up, pair_tear_down),
        cmocka_unit_test_setup_teardown(a_child_does_not_keep_connections_open, pair_set_up, pair_tear_down),
        cmocka_unit_test_setup_teardown(a_clock_that_jumps_costs_nothing, pair_set_up, pair_tear_down),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests(tests, NULL, NULL));
}
