/* Servers of a process that has forked: the child has a copy of every descriptor, and keeps it as long as it lives. */
#define _DEFAULT_SOURCE

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/bystander.h"
#include "support/client.h"
#include "support/eventually.h"
#include "support/journal.h"
#include "support/resources.h"
#include "support/serving.h"
#include "support/testing.h"

enum { MUCH = 1024 * 1024 };

static jz_server *server;
static journal seen;
static test_client client;

static void act(journal *journal, jz_ws ws, const jz_event *event, const jz_message *message)
{
    static const uint8_t much[MUCH];
    (void)journal;
    if (event->type != JZ_EVENT_MESSAGE || message->kind != JZ_MESSAGE_TEXT)
        return;
    jz_ws_send(ws, JZ_MESSAGE_BINARY, much, sizeof much);
    jz_ws_close(ws, 4000, "", 0);
}

static void start(uint32_t threads)
{
    memset(&seen, 0, sizeof seen);
    assert_int_equal(pthread_mutex_init(&seen.lock, NULL), 0);
    seen.act = act;
    const serving_route routes[] = {{"/", journal_handle, &seen, NULL}, BYSTANDER_ROUTE};
    const jz_options options = serving_options(threads);
    server = serving_start(&options, routes, COUNT_OF(routes));
}

static void finish(void)
{
    jz_server_destroy(server);
    pthread_mutex_destroy(&seen.lock);
}

/* A child that only keeps its copies of the descriptors. */
static pid_t fork_keeper(void)
{
    pid_t child = fork();
    assert_int_not_equal(child, -1);
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* should the test end before it */
        for (;;)
            pause();
    }
    return child;
}

static void end_keeper(pid_t child)
{
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
}

static jz_statistics statistics(void)
{
    jz_statistics statistics;
    jz_server_statistics(server, &statistics);
    return statistics;
}

/* A loop whose poll reports a descriptor that no longer exists would spin, even without any input. */
static void expect_loop_to_sleep(void)
{
    enum { TIMES = 40, MOST_TURNS = 1000 };
    uint64_t before = statistics().iterations;
    for (int i = 0; i < TIMES; i++) {
        bystander_let_turn();
        test_pause_before(test_deadline());
    }
    uint64_t turns = statistics().iterations - before;
    assert_that(turns < MOST_TURNS, "%llu turns of the loop", (unsigned long long)turns);
}

static void open_client(void)
{
    assert_true(test_client_open(&client, jz_server_port(server), UPGRADE_REQUEST("/")));
}

static void connect_client(void)
{
    assert_true(test_client_connect(&client, jz_server_port(server), 0));
}

/* The child has the client's descriptor, too: closing ours would not be visible to the server. */
static void stop_sending(void)
{
    test_client_stop_sending(&client);
}

static void close_in_order(void)
{
    test_client_send_frame(&client, &(test_frame)CLOSE(1000, ""));
    test_client_expect(&client, JZ_OPCODE_CLOSE, "\x03\xE8", 2);
}

static void break_a_rule(void)
{
    test_client_send_frame(&client, &(test_frame)TEXT("\xFF"));
    stop_sending();
}

static void ask_nonsense(void)
{
    assert_true(test_client_send(&client, "nonsense\r\n\r\n", 12));
    assert_int_equal(test_client_take_head(&client), 400);
    stop_sending();
}

static void take_much(void)
{
    test_client_send_frame(&client, &(test_frame)TEXT("much"));
    size_t taken = 0;
    while (taken < MUCH) {
        assert_true(test_client_receive(&client, 1));
        taken += client.end - client.start;
        client.start = client.end;
    }
    test_client_send_frame(&client, &(test_frame)CLOSE(4000, ""));
}

static const struct {
    const char *name;
    void (*begin)(void);
    void (*end)(void);
} ends[] = {
    {"a client that leaves without a word", open_client, stop_sending},
    {"a client that closes", open_client, close_in_order},
    {"a client that breaks a rule", open_client, break_a_rule},
    {"a request that is refused", connect_client, ask_nonsense},
    {"a request that never comes", connect_client, stop_sending},
    {"a connection that the server closes, with output under way", open_client, take_much},
};

static void a_connection_ends_though_a_child_has_it_still(void **state)
{
    (void)state;
    start(1);
    bystander_open(jz_server_port(server));
    for (size_t i = 0; i < COUNT_OF(ends); i++) {
        ends[i].begin();
        assert_eventually(statistics().connections == 2);
        pid_t child = fork_keeper();
        ends[i].end();
        assert_that(test_client_sees_end(&client), "%s", ends[i].name);
        assert_eventually(statistics().connections == 1);
        expect_loop_to_sleep();
        end_keeper(child);
        test_client_close(&client);
    }
    bystander_close();
    finish();
}

static void a_server_that_ends_leaves_no_client_waiting(void **state)
{
    (void)state;
    start(2);
    open_client();
    pid_t child = fork_keeper();
    jz_server_stop_within(server, 0);
    jz_server_wait(server);
    assert_true(test_client_sees_end(&client));
    end_keeper(child);
    test_client_close(&client);
    finish();
}

/* A listener in a child would take clients that nobody accepts, even some of a successor's. */
static void nobody_listens_when_the_server_does_not(void **state)
{
    (void)state;
    enum { CLIENTS = 20 };
    jz_options options = serving_options(2);
    for (jz_accepting way = JZ_ACCEPTING_SHARED_PORT; way <= JZ_ACCEPTING_HAND_OVER; way++) {
        static journal visits;
        visits = (journal)JOURNAL_INITIALIZER;
        const serving_route routes[] = {{"/", journal_handle, &visits, NULL}};
        options.accepting = way;
        server = serving_start(&options, routes, COUNT_OF(routes));
        uint16_t port = jz_server_port(server);
        pid_t child = fork_keeper();
        jz_server_destroy(server);
        assert_false(test_client_connect(&client, port, 0));
        server = jz_server_create(&options, NULL);
        assert_int_equal(jz_server_route_ws(server, "/", NULL, journal_handle, &visits, NULL), JZ_OK);
        assert_int_equal(jz_server_listen(server, "127.0.0.1", port, NULL), JZ_OK);
        assert_int_equal(jz_server_start(server, NULL), JZ_OK);
        for (int i = 0; i < CLIENTS; i++) {
            open_client();
            test_client_close(&client);
        }
        end_keeper(child);
        jz_server_destroy(server);
    }
}

/* As a program does that goes into the background when it listens: daemon(3). */
static void a_child_runs_what_was_set_up_before_the_fork(void **state)
{
    (void)state;
    static const jz_accepting ways[] = {JZ_ACCEPTING_SHARED_PORT, JZ_ACCEPTING_HAND_OVER};
    for (size_t i = 0; i < COUNT_OF(ways); i++) {
        static journal visits;
        visits = (journal)JOURNAL_INITIALIZER;
        jz_options options = serving_options(2);
        options.accepting = ways[i];
        server = jz_server_create(&options, NULL);
        assert_int_equal(jz_server_route_ws(server, "/", NULL, journal_handle, &visits, NULL), JZ_OK);
        assert_int_equal(jz_server_listen(server, "127.0.0.1", 0, NULL), JZ_OK);
        pid_t child = fork();
        if (child == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            _exit(jz_server_run(server, NULL) == JZ_OK ? 0 : 1);
        }
        for (int visit = 0; visit < 8; visit++) {
            open_client();
            close_in_order();
            assert_true(test_client_sees_end(&client));
            test_client_close(&client);
        }
        end_keeper(child);
        jz_server_destroy(server);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_without_leaks(a_connection_ends_though_a_child_has_it_still),
        test_without_leaks(a_server_that_ends_leaves_no_client_waiting),
        test_without_leaks(nobody_listens_when_the_server_does_not),
        test_without_leaks(a_child_runs_what_was_set_up_before_the_fork),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("forked child", tests, NULL, NULL));
}
