/* When a server does not adopt a descriptor, it says why, and leaves it to its owner. */
#define _GNU_SOURCE

#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/allocation.h"
#include "support/eventually.h"
#include "support/handed.h"
#include "support/memory_transport.h"
#include "support/resources.h"
#include "support/serving.h"
#include "support/testing.h"

enum {
    MAILBOX_LIMIT = 64 * 1024,
    LONG_MS = 3600000,
    THREADS = 3,
    MOST_OF_A_THREAD = 2000,
    ROUNDS = 6,
    NOT_OPEN = 1 << 20
};

static jz_server *server;
static journal seen;
static test_client client;
static test_client other;
static atomic_bool holds; /* the handler has the loop, until it is let go */
static atomic_bool is_let_go;

static void act(journal *journal, jz_ws ws, const jz_event *event, const jz_message *message)
{
    (void)journal, (void)ws, (void)message;
    if (event->type != JZ_EVENT_MESSAGE)
        return;
    holds = true;
    test_hold_while(!is_let_go);
}

static void begin(void)
{
    seen = (journal)JOURNAL_INITIALIZER;
    seen.act = act;
    holds = is_let_go = false;
}

static void start(const jz_options *options)
{
    begin();
    server = handed_start(options, &seen);
}

static void start_with_defaults(void)
{
    const jz_options options = serving_options(1);
    start(&options);
}

static void finish(void)
{
    is_let_go = true;
    jz_server_destroy(server);
    assert_int_equal(seen.opens, seen.closes);
    pthread_mutex_destroy(&seen.lock);
}

static const struct {
    uint32_t connections;
    uint32_t handshakes;
    uint32_t per_address;
    const char *words;
} limits[] = {
    {1, JZ_UNLIMITED, JZ_UNLIMITED, "(max_connections); try again later"},
    {JZ_UNLIMITED, 1, JZ_UNLIMITED, "(max_handshakes); try again later"},
    {JZ_UNLIMITED, JZ_UNLIMITED, 1, "(max_connections_per_address); try again later"},
};

/* Nobody is told by the server, nor is a refusal counted: whose descriptor it is decides what to do. */
static void limits_hold_and_who_waits_is_let_in_later(void **state)
{
    const jz_adopt_options options = {.remote_address = "192.0.2.7:4711"};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(limits); i++) {
        jz_options chosen = serving_options(1);
        chosen.max_connections = limits[i].connections;
        chosen.max_handshakes = limits[i].handshakes;
        chosen.max_connections_per_address = limits[i].per_address;
        start(&chosen);
        handed_connect(server, &client, &options);
        handed_expect_refusal(server, &options, JZ_STATUS_LIMIT_REACHED, limits[i].words);
        assert_int_equal(handed_statistics(server).connections, 1);
        assert_int_equal(handed_statistics(server).refused[JZ_REFUSAL_MAX_CONNECTIONS], 0);
        test_client_close(&client);
        assert_eventually(handed_statistics(server).connections == 0);
        int descriptor = test_client_pair(&client);
        assert_true(descriptor >= 0);
        /* What the process counts falls behind what the server does. */
        assert_eventually(jz_server_adopt(server, descriptor, &options, NULL) == JZ_OK);
        assert_true(test_client_upgrade(&client, UPGRADE_REQUEST("/")));
        test_client_close(&client);
        finish();
    }
}

static void a_loop_whose_mailbox_is_full_gets_none(void **state)
{
    static const uint8_t payload[1024];
    jz_options options = serving_options(1);
    options.mailbox_limit = MAILBOX_LIMIT;
    (void)state;
    start(&options);
    handed_open(server, &client);
    test_client_send_frame(&client, &(test_frame)TEXT("hold"));
    assert_eventually(holds);
    while (jz_ws_send(journal_handle_of(&seen, 0), JZ_MESSAGE_BINARY, payload, sizeof payload) != JZ_SEND_DROPPED)
        continue;
    uint64_t total = handed_statistics(server).connections_total;
    handed_expect_refusal(server, NULL, JZ_STATUS_LIMIT_REACHED, "(mailbox_limit); try again later");
    assert_int_equal(handed_statistics(server).connections_total, total);
    is_let_go = true;
    /* The loop takes what waits, and the client has it. */
    test_received frame;
    assert_true(test_client_take_frame(&client, &frame));
    assert_eventually(test_client_hears_nothing(&client) || test_client_take_frame(&client, &frame));
    handed_open(server, &other);
    test_client_close(&other);
    test_client_close(&client);
    finish();
}

static void a_server_that_ends_adopts_none(void **state)
{
    (void)state;
    start_with_defaults();
    handed_open(server, &client);
    jz_server_drain(server, JZ_NEVER);
    handed_expect_refusal(server, NULL, JZ_STATUS_INVALID_STATE, "takes no more because it drains");
    jz_server_stop_within(server, LONG_MS);
    handed_expect_refusal(server, NULL, JZ_STATUS_INVALID_STATE, "the server stops");
    test_client_close(&client);
    jz_server_wait(server);
    handed_expect_refusal(server, NULL, JZ_STATUS_INVALID_STATE, "the server stops");
    assert_int_equal(jz_server_expect_adoption(server, NULL), JZ_STATUS_INVALID_STATE);
    finish();
}

/* Before it runs, too; and it need not have been made to listen, or to expect anything. */
static void a_server_that_does_not_run_yet_keeps_it_until_then(void **state)
{
    static const enum { RUNS, STOPS, IS_DESTROYED } ends[] = {RUNS, STOPS, IS_DESTROYED};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(ends); i++) {
        const jz_options options = serving_options(2);
        jz_error error = {0};
        begin();
        server = handed_create(&options, &seen);
        assert_int_equal(jz_server_start(server, &error), JZ_STATUS_INVALID_STATE);
        handed_connect(server, &client, NULL);
        handed_connect(server, &other, NULL);
        assert_int_equal(handed_statistics(server).connections, 2);
        if (ends[i] == STOPS)
            jz_server_stop(server);
        if (ends[i] != IS_DESTROYED)
            assert_that(jz_server_start(server, &error) == JZ_OK, "%s", error.message);
        if (ends[i] == RUNS)
            assert_true(test_client_upgrade(&client, UPGRADE_REQUEST("/")) &&
                        test_client_upgrade(&other, UPGRADE_REQUEST("/")));
        else if (ends[i] == STOPS)
            assert_true(test_client_sees_end(&client) && test_client_sees_end(&other));
        finish();
        assert_true(test_client_sees_end(&client));
        test_client_close(&client);
        test_client_close(&other);
    }
}

static int unconnected(int type)
{
    return socket(AF_UNIX, type, 0);
}

static int listening(void)
{
    struct sockaddr address = {.sa_family = AF_UNIX}; /* the kernel chooses an abstract name */
    int descriptor = unconnected(SOCK_STREAM);
    assert_int_equal(bind(descriptor, &address, sizeof address.sa_family), 0);
    assert_int_equal(listen(descriptor, 1), 0);
    return descriptor;
}

static int datagrams(void)
{
    int ends[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends), 0);
    close(ends[1]);
    return ends[0];
}

static void what_is_no_connection_is_refused(void **state)
{
    static const char no_connection[] = "no stream socket that is connected; anything else needs a transport";
    static const char not_open[] = "is not open";
    const jz_adopt_options with_transport = {.transport = &memory_transport};
    const struct {
        int descriptor;
        const jz_adopt_options *options;
        const char *words;
    } cases[] = {
        {-1, NULL, not_open},
        {NOT_OPEN, NULL, not_open},
        {NOT_OPEN, &with_transport, not_open},
        {eventfd(0, 0), NULL, no_connection},
        {open("/proc/self/exe", O_RDONLY), NULL, no_connection},
        {unconnected(SOCK_STREAM), NULL, no_connection},
        {unconnected(SOCK_DGRAM), NULL, no_connection},
        {datagrams(), NULL, no_connection},
        {listening(), NULL, "for jz_server_listen_descriptor"},
        {open("/etc/passwd", O_RDONLY), &with_transport, "cannot be watched, for instance because it is a file"},
        {open("/", O_RDONLY), &with_transport, "cannot be watched"},
    };
    (void)state;
    start_with_defaults();
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        handed_expect_refused(server, cases[i].descriptor, cases[i].options, JZ_STATUS_INVALID_ADDRESS, cases[i].words);
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        close(cases[i].descriptor);
    finish();
}

static void what_the_options_lack_is_named(void **state)
{
    static const char *const no_addresses[] = {"", "localhost:80", "192.0.2.7:", "192.0.2.7:65536", "::", "unix"};
    jz_transport lacking = memory_transport;
    lacking.ready = NULL;
    (void)state;
    start_with_defaults();
    const jz_adopt_options no_function = {.transport = &lacking};
    handed_expect_refusal(server, &no_function, JZ_STATUS_INVALID_OPTION,
                          "cannot adopt a connection: the transport has no function `ready`");
    for (size_t i = 0; i < COUNT_OF(no_addresses); i++) {
        const jz_adopt_options options = {.remote_address = no_addresses[i]};
        handed_expect_refusal(server, &options, JZ_STATUS_INVALID_ADDRESS, "it has to be one as \"192.0.2.7:4711\"");
    }
    finish();
}

static void without_memory_it_is_refused_or_ends(void **state)
{
    (void)state;
    start_with_defaults();
    test_allocations_fail_after(0);
    handed_expect_refusal(server, NULL, JZ_STATUS_OUT_OF_MEMORY, "out of memory");
    test_allocations_succeed();
    assert_int_equal(handed_statistics(server).connections, 0);
    test_allocations_fail_after(1); /* for the letter there is some, and none for the loop's first connection */
    handed_connect(server, &client, NULL);
    bool has_ended = test_client_sees_end(&client);
    test_allocations_succeed();
    assert_true(has_ended);
    assert_int_equal(handed_statistics(server).refused[JZ_REFUSAL_OUT_OF_MEMORY], 1);
    assert_int_equal(handed_statistics(server).connections, 0);
    test_client_close(&client);
    finish();
}

/* To find out whether what is no socket can be watched takes a descriptor for a moment. */
static void without_descriptors_that_is_said(void **state)
{
    const jz_adopt_options options = {.transport = &memory_transport};
    struct rlimit before;
    (void)state;
    start_with_defaults();
    int bell = eventfd(0, EFD_CLOEXEC);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    const struct rlimit none = {.rlim_cur = 0, .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    jz_error error = {0};
    jz_status status = jz_server_adopt(server, bell, &options, &error);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_that(status == JZ_STATUS_NO_DESCRIPTORS, "%s", error.message);
    close(bell);
    finish();
}

/* Adopts until the server takes no more. */
static void *adopt_until_refused(void *context)
{
    static const jz_adopt_options options = {.remote_address = "192.0.2.7:4711"};
    bool *is_right = context;
    for (size_t i = 0; i < MOST_OF_A_THREAD; i++) {
        int ends[2];
        char byte;
        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
            return NULL;
        jz_status status = jz_server_adopt(server, ends[1], &options, NULL);
        /* What is the server's is closed by it, at once or when it ends; the rest is ours. */
        shutdown(ends[0], SHUT_WR);
        *is_right = status == JZ_OK ? recv(ends[0], &byte, 1, 0) <= 0
                                    : status == JZ_STATUS_INVALID_STATE && fcntl(ends[1], F_GETFD) >= 0;
        close(ends[0]);
        if (status == JZ_OK && *is_right)
            continue;
        close(ends[1]);
        return NULL;
    }
    return NULL;
}

static void threads_may_adopt_while_the_server_ends(void **state)
{
    (void)state;
    for (size_t round = 0; round < ROUNDS; round++) {
        pthread_t threads[THREADS];
        bool are_right[THREADS];
        jz_options options = serving_options(2);
        options.max_connections_per_address = 1000;
        start(&options);
        for (size_t i = 0; i < THREADS; i++)
            assert_int_equal(pthread_create(&threads[i], NULL, adopt_until_refused, &are_right[i]), 0);
        assert_eventually(handed_statistics(server).connections_total > 20 * round);
        if (round % 2 == 0)
            jz_server_drain(server, JZ_NEVER);
        else
            jz_server_stop(server);
        jz_server_wait(server);
        for (size_t i = 0; i < THREADS; i++)
            pthread_join(threads[i], NULL);
        for (size_t i = 0; i < THREADS; i++)
            assert_true(are_right[i]);
        assert_int_equal(handed_statistics(server).connections, 0);
        finish();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_without_leaks(limits_hold_and_who_waits_is_let_in_later),
        test_without_leaks(a_loop_whose_mailbox_is_full_gets_none),
        test_without_leaks(a_server_that_ends_adopts_none),
        test_without_leaks(a_server_that_does_not_run_yet_keeps_it_until_then),
        test_without_leaks(what_is_no_connection_is_refused),
        test_without_leaks(what_the_options_lack_is_named),
        test_without_leaks(without_memory_it_is_refused_or_ends),
        test_without_leaks(without_descriptors_that_is_said),
        test_without_leaks(threads_may_adopt_while_the_server_ends),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("limits of adopting", tests, NULL, NULL));
}
