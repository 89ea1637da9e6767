/* The end of a server: from a handler, by a signal, and while threads go on. */
#define _POSIX_C_SOURCE 200809L

#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/client.h"
#include "support/eventually.h"
#include "support/served.h"
#include "support/testing.h"

static test_client client;
static test_client other;

static pthread_t start_thread(void *(*run)(void *), void *context)
{
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, run, context), 0);
    return thread;
}

static void stop_server(journal *journal, jz_ws ws, const jz_event *event, const jz_message *message)
{
    (void)message;
    const jz_server *server = journal->context;
    if (event->type != JZ_EVENT_MESSAGE)
        return;
    if (!jz_server_runs_here(server))
        jz_ws_close(ws, 4000, "", 0);
    jz_server_stop(journal->context);
    jz_ws_send(ws, JZ_MESSAGE_TEXT, "stopping", 8); /* its handler is told so before it is closed */
}

static void a_handler_stops_its_server_in_order(void **state)
{
    (void)state;
    static served served = {.journal = {.act = stop_server}};
    jz_options options = served_options();
    options.close_timeout_ms = 20000; /* a client that stands still answers in that time */
    served_start(&served, &options, NULL);
    served.journal.context = served.server;
    assert_true(test_client_open(&client, served.port, UPGRADE_REQUEST("/")));
    assert_true(test_client_open(&other, served.port, UPGRADE_REQUEST("/")));
    assert_false(jz_server_runs_here(served.server));
    test_client_send_frame(&client, &(test_frame)TEXT("stop"));
    test_client_expect(&client, JZ_OPCODE_TEXT, "stopping", 8);
    test_client_expect(&client, JZ_OPCODE_CLOSE, "\x03\xE9the server stops", 18);
    test_client_expect(&other, JZ_OPCODE_CLOSE, "\x03\xE9the server stops", 18);
    test_client_send_frame(&client, &(test_frame)CLOSE(1001, ""));
    assert_true(test_client_sees_end(&client));
    test_client_send_frame(&other, &(test_frame)CLOSE(1001, ""));
    assert_true(test_client_sees_end(&other));
    jz_server_wait(served.server);
    journal_expect(&served.journal, 2, "open open text(stop) close(1001 clean) close(1001 clean)");
    test_client_close(&client);
    test_client_close(&other);
    served_finish(&served);
}

static atomic_bool is_sending;

static void *send_until_closed(void *context)
{
    const jz_ws *ws = context;
    size_t accepted = 0;
    while (jz_ws_send(*ws, JZ_MESSAGE_TEXT, "x", 1) != JZ_SEND_CLOSED) {
        if (++accepted == 100)
            is_sending = true;
    }
    jz_ws_close(*ws, 1000, "", 0);
    return NULL;
}

static void *read_until_closed(void *context)
{
    test_received frame;
    do {
        if (!test_client_take_frame(context, &frame))
            return NULL;
    } while (frame.opcode != JZ_OPCODE_CLOSE);
    static const uint8_t answer[] = {0x88, 0x80, 0, 0, 0, 0};
    test_client_send(context, answer, sizeof answer);
    return NULL;
}

static void a_server_may_be_destroyed_while_threads_send_through_it(void **state)
{
    (void)state;
    for (int round = 0; round < 5; round++) {
        static served served;
        served = (struct served){0};
        served_start(&served, NULL, NULL);
        assert_true(test_client_open(&client, served.port, UPGRADE_REQUEST("/")));
        assert_eventually(served.journal.opens == 1);
        jz_ws ws = journal_handle_of(&served.journal, 0);
        is_sending = false;
        pthread_t reader = start_thread(read_until_closed, &client);
        pthread_t threads[3];
        for (size_t i = 0; i < COUNT_OF(threads); i++)
            threads[i] = start_thread(send_until_closed, &ws);
        assert_eventually(is_sending);
        served_finish(&served);
        for (size_t i = 0; i < COUNT_OF(threads); i++)
            pthread_join(threads[i], NULL);
        pthread_join(reader, NULL);
        test_client_close(&client);
    }
}

enum { ASKING_THREADS = 32 };

static atomic_bool is_destroyed;
static atomic_size_t asking;
static atomic_size_t found_open;

static void *ask_of_stale(void *context)
{
    const jz_ws *ws = context;
    char address[JZ_REMOTE_ADDRESS_SIZE];
    asking++;
    while (!is_destroyed) {
        found_open += jz_ws_is_open(*ws) ? 1 : 0;
        found_open += jz_ws_send(*ws, JZ_MESSAGE_TEXT, "x", 1) != JZ_SEND_CLOSED ? 1 : 0;
        jz_ws_remote_address(*ws, address);
    }
    return NULL;
}

static void *destroy_server(void *context)
{
    jz_server_destroy(context);
    is_destroyed = true;
    return NULL;
}

/* Calls with stale handles do not delay the end of a server, however many and frequent. */
static void who_asks_of_connections_that_are_gone_is_not_waited_for(void **state)
{
    (void)state;
    static served served;
    served = (struct served){0};
    served_start(&served, NULL, NULL);
    assert_true(test_client_open(&client, served.port, UPGRADE_REQUEST("/")));
    assert_eventually(served.journal.opens == 1);
    jz_ws ws = journal_handle_of(&served.journal, 0);
    test_client_close(&client);
    assert_eventually(!jz_ws_is_open(ws));
    is_destroyed = false;
    pthread_t threads[ASKING_THREADS];
    for (size_t i = 0; i < ASKING_THREADS; i++)
        threads[i] = start_thread(ask_of_stale, &ws);
    assert_eventually(asking == ASKING_THREADS);
    pthread_t destroyer = start_thread(destroy_server, served.server);
    uint64_t deadline = test_deadline();
    while (!is_destroyed && test_pause_before(deadline))
        continue;
    bool was_destroyed = is_destroyed;
    is_destroyed = true;
    for (size_t i = 0; i < ASKING_THREADS; i++)
        pthread_join(threads[i], NULL);
    pthread_join(destroyer, NULL);
    assert_true(was_destroyed);
    assert_int_equal(found_open, 0);
}

typedef struct run {
    jz_server *server;
    jz_status status;
    atomic_bool has_returned;
    atomic_bool has_waited;
} run;

static void *run_server(void *context)
{
    run *task = context;
    task->status = jz_server_run(task->server, NULL);
    task->has_returned = true;
    return NULL;
}

static void *wait_for_server(void *context)
{
    run *task = context;
    jz_server_wait(task->server);
    task->has_waited = true;
    return NULL;
}

/* Also after an attempt to start it that was refused. */
static void a_server_that_runs_on_its_callers_thread_is_not_waited_for(void **state)
{
    (void)state;
    static journal journal = JOURNAL_INITIALIZER;
    static run task;
    task = (run){.server = jz_server_create(NULL, NULL)};
    assert_non_null(task.server);
    assert_int_equal(jz_server_start(task.server, NULL), JZ_STATUS_INVALID_STATE);
    assert_int_equal(jz_server_route_ws(task.server, "/", NULL, journal_handle, &journal, NULL), JZ_OK);
    assert_int_equal(jz_server_listen(task.server, "127.0.0.1", 0, NULL), JZ_OK);
    pthread_t thread = start_thread(run_server, &task);
    assert_true(test_client_open(&client, jz_server_port(task.server), UPGRADE_REQUEST("/")));
    pthread_t waiting = start_thread(wait_for_server, &task);
    assert_eventually(task.has_waited);
    assert_false(task.has_returned);
    jz_server_stop(task.server);
    test_client_close(&client);
    pthread_join(thread, NULL);
    pthread_join(waiting, NULL);
    assert_int_equal(task.status, JZ_OK);
    jz_server_destroy(task.server);
}

static void *run_until_signal(void *context)
{
    run *task = context;
    task->status = jz_server_run_until_signal(task->server, NULL);
    task->has_returned = true;
    return NULL;
}

static void do_nothing(int signal_number)
{
    (void)signal_number;
}

static void a_signal_ends_one_server_in_order(void **state)
{
    (void)state;
    static journal journal = JOURNAL_INITIALIZER;
    static const int signals[] = {SIGINT, SIGTERM};
    struct sigaction mine = {.sa_handler = do_nothing};
    for (size_t i = 0; i < COUNT_OF(signals); i++) {
        assert_int_equal(sigaction(signals[i], &mine, NULL), 0);
        run task = {.server = jz_server_create(NULL, NULL)};
        jz_server *other = jz_server_create(NULL, NULL);
        assert_int_equal(jz_server_route_ws(task.server, "/", NULL, journal_handle, &journal, NULL), JZ_OK);
        assert_int_equal(jz_server_listen(task.server, "127.0.0.1", 0, NULL), JZ_OK);
        assert_int_equal(jz_server_listen(other, "127.0.0.1", 0, NULL), JZ_OK);
        pthread_t thread = start_thread(run_until_signal, &task);
        assert_true(test_client_open(&client, jz_server_port(task.server), UPGRADE_REQUEST("/")));
        jz_error error = {0};
        assert_int_equal(jz_server_run_until_signal(other, &error), JZ_STATUS_INVALID_STATE);
        assert_non_null(strstr(error.message, "another server of this process does"));
        kill(getpid(), signals[i]);
        test_client_expect(&client, JZ_OPCODE_CLOSE, "\x03\xE9the server stops", 18);
        assert_false(task.has_returned); /* the client has not answered */
        test_client_send_frame(&client, &(test_frame)CLOSE(1001, ""));
        pthread_join(thread, NULL);
        assert_int_equal(task.status, JZ_OK);
        struct sigaction after;
        assert_int_equal(sigaction(signals[i], NULL, &after), 0);
        assert_true(after.sa_handler == do_nothing);
        test_client_close(&client);
        jz_server_destroy(task.server);
        jz_server_destroy(other);
    }
}

/* In a child, which reports its port and then runs until it is killed. */
static void run_in_child(int port_pipe)
{
    static journal journal = JOURNAL_INITIALIZER;
    jz_options options = jz_options_default();
    options.close_timeout_ms = 3600000;
    jz_server *server = jz_server_create(&options, NULL);
    if (jz_server_route_ws(server, "/", NULL, journal_handle, &journal, NULL) != JZ_OK ||
        jz_server_listen(server, "127.0.0.1", 0, NULL) != JZ_OK)
        _exit(EXIT_FAILURE);
    uint16_t port = jz_server_port(server);
    if (write(port_pipe, &port, sizeof port) != sizeof port)
        _exit(EXIT_FAILURE);
    jz_server_run_until_signal(server, NULL);
    _exit(EXIT_SUCCESS);
}

static void a_second_signal_ends_the_process_at_once(void **state)
{
    (void)state;
    static const int signals[][2] = {{SIGINT, SIGTERM}, {SIGTERM, SIGINT}, {SIGINT, SIGINT}, {SIGTERM, SIGTERM}};
    for (size_t i = 0; i < COUNT_OF(signals); i++) {
        int port_pipe[2];
        assert_int_equal(pipe(port_pipe), 0);
        pid_t child = fork();
        assert_int_not_equal(child, -1);
        if (child == 0)
            run_in_child(port_pipe[1]);
        uint16_t port = 0;
        assert_int_equal(read(port_pipe[0], &port, sizeof port), sizeof port);
        assert_true(test_client_open(&client, port, UPGRADE_REQUEST("/")));
        assert_int_equal(kill(child, signals[i][0]), 0);
        /* It stops in order, and waits for an answer that does not come. */
        test_client_expect(&client, JZ_OPCODE_CLOSE, "\x03\xE9the server stops", 18);
        assert_int_equal(kill(child, signals[i][1]), 0);
        int status = 0;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_that(WIFSIGNALED(status) && WTERMSIG(status) == signals[i][1], "signals %d and %d: status %d",
                    signals[i][0], signals[i][1], status);
        test_client_close(&client);
        close(port_pipe[0]);
        close(port_pipe[1]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_handler_stops_its_server_in_order),
        cmocka_unit_test(a_server_may_be_destroyed_while_threads_send_through_it),
        cmocka_unit_test(who_asks_of_connections_that_are_gone_is_not_waited_for),
        cmocka_unit_test(a_server_that_runs_on_its_callers_thread_is_not_waited_for),
        cmocka_unit_test(a_signal_ends_one_server_in_order),
        cmocka_unit_test(a_second_signal_ends_the_process_at_once),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("server ending", tests, NULL, NULL));
}
