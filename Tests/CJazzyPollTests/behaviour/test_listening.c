/* Servers that listen on TCP: several addresses, what does not work, and what connections inherit. */
#define _DEFAULT_SOURCE

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "loop/listening_socket.h"
#include "loop/socket.h"
#include "jazzy.h"
#include "support/client.h"
#include "support/journal.h"
#include "support/serving.h"
#include "support/testing.h"

static test_client client;
static journal visits;

static void echo(journal *journal, jz_ws ws, const jz_event *event, const jz_message *message)
{
    (void)journal;
    if (event->type == JZ_EVENT_MESSAGE)
        jz_ws_send(ws, message->kind, message->bytes, message->length);
}

/* One loop; four with a listener each; and four of which the first accepts for all. */
static const struct {
    uint32_t threads;
    jz_accepting accepting;
} kinds[] = {{1, JZ_ACCEPTING_SHARED_PORT}, {4, JZ_ACCEPTING_SHARED_PORT}, {4, JZ_ACCEPTING_HAND_OVER}};

/* A server that does not listen yet. */
static jz_server *create(size_t kind)
{
    visits = (journal)JOURNAL_INITIALIZER;
    visits.act = echo;
    jz_options options = serving_options(kinds[kind].threads);
    options.accepting = kinds[kind].accepting;
    jz_error error = {0};
    jz_server *server = jz_server_create(&options, &error);
    assert_that(server != NULL, "%s", error.message);
    assert_int_equal(jz_server_route_ws(server, "/", NULL, journal_handle, &visits, NULL), JZ_OK);
    return server;
}

static void listen_on(jz_server *server, const char *host, uint16_t port)
{
    jz_error error = {0};
    assert_that(jz_server_listen(server, host, port, &error) == JZ_OK, "%s", error.message);
}

static void expect_refused(jz_status status, const jz_error *error, jz_status expected, const char *words)
{
    assert_that(status == expected && error->status == expected, "status %d, not %d: %s", (int)status, (int)expected,
                error->message);
    assert_that(strstr(error->message, words) != NULL, "'%s' does not say '%s'", error->message, words);
}

/* A free port; -1 if this machine has no such address. */
static int free_port(int family)
{
    struct sockaddr_in6 ipv6 = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    struct sockaddr_in ipv4 = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    bool is_ipv6 = family == AF_INET6;
    const struct sockaddr *address = is_ipv6 ? (struct sockaddr *)&ipv6 : (struct sockaddr *)&ipv4;
    int descriptor = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int port = -1;
    if (descriptor >= 0 && bind(descriptor, address, is_ipv6 ? sizeof ipv6 : sizeof ipv4) == 0)
        port = jz_socket_port(descriptor);
    if (descriptor >= 0)
        close(descriptor);
    return port;
}

/* Listens on a free port of the loopback, on another where somebody has taken it meanwhile. -1: there is no address. */
static int listen_anywhere(jz_server *server, int family)
{
    for (;;) {
        jz_error error = {0};
        int port = free_port(family);
        if (port < 0)
            return -1;
        jz_status status = jz_server_listen(server, family == AF_INET6 ? "::1" : "127.0.0.1", (uint16_t)port, &error);
        if (status == JZ_OK)
            return port;
        assert_that(status == JZ_STATUS_ADDRESS_IN_USE, "%s", error.message);
    }
}

/* The client is connected; it talks, and leaves. */
static void expect_echo(const char *text)
{
    assert_true(test_client_upgrade(&client, UPGRADE_REQUEST("/")));
    test_client_send_frame(
        &client, &(test_frame){.fin = true, .opcode = JZ_OPCODE_TEXT, .payload = {text, strlen(text), strlen(text)}});
    test_client_expect(&client, JZ_OPCODE_TEXT, text, strlen(text));
    test_client_close(&client);
}

static void expect_echo_at(uint16_t port)
{
    for (int i = 0; i < 8; i++) { /* some for each loop */
        assert_true(test_client_connect(&client, port, 0));
        expect_echo("to IPv4");
    }
}

static void a_server_listens_on_several_addresses_at_once(void **state)
{
    (void)state;
    for (size_t kind = 0; kind < COUNT_OF(kinds); kind++) {
        jz_server *server = create(kind);
        listen_on(server, "127.0.0.1", 0);
        uint16_t first = jz_server_port(server);
        int ipv6_port = listen_anywhere(server, AF_INET6);
        uint16_t second = (uint16_t)listen_anywhere(server, AF_INET);
        assert_int_equal(jz_server_port(server), first);
        assert_int_equal(jz_server_start(server, NULL), JZ_OK);
        expect_echo_at(first);
        expect_echo_at(second);
        for (int i = 0; i < 8 && ipv6_port > 0; i++) {
            assert_true(test_client_connect_ipv6(&client, (uint16_t)ipv6_port));
            expect_echo("to IPv6");
        }
        jz_server_stop(server);
        jz_server_wait(server);
        assert_false(test_client_connect(&client, first, 0));
        assert_false(test_client_connect(&client, second, 0));
        jz_server_destroy(server);
        assert_int_equal(visits.opens, visits.closes);
    }
}

static void any_address_is_ipv4_and_ipv6(void **state)
{
    (void)state;
    for (size_t kind = 0; kind < COUNT_OF(kinds); kind++) {
        jz_server *server = create(kind);
        listen_on(server, NULL, 0);
        assert_int_equal(jz_server_start(server, NULL), JZ_OK);
        expect_echo_at(jz_server_port(server));
        if (free_port(AF_INET6) > 0) {
            assert_true(test_client_connect_ipv6(&client, jz_server_port(server)));
            expect_echo("to IPv6");
        }
        jz_server_destroy(server);
    }
}

static void a_listen_that_fails_leaves_the_others_working(void **state)
{
    (void)state;
    for (size_t kind = 0; kind < COUNT_OF(kinds); kind++) {
        jz_server *server = create(kind);
        jz_error error = {0};
        listen_on(server, "127.0.0.1", 0);
        uint16_t port = jz_server_port(server);
        size_t descriptors = serving_descriptors();
        expect_refused(jz_server_listen(server, "127.0.0.1", port, &error), &error, JZ_STATUS_ADDRESS_IN_USE,
                       "the port is in use");
        expect_refused(jz_server_listen(server, "no address", 0, &error), &error, JZ_STATUS_INVALID_ADDRESS,
                       "no address");
        expect_refused(jz_server_listen(server, "192.0.2.1", 0, &error), &error, JZ_STATUS_ADDRESS_UNAVAILABLE,
                       "192.0.2.1");
        assert_int_equal(serving_descriptors(), descriptors);
        assert_int_equal(jz_server_port(server), port);
        assert_int_equal(jz_server_start(server, NULL), JZ_OK);
        expect_echo_at(port);
        jz_server_destroy(server);
    }
}

static rlim_t lowest_free_descriptor(void)
{
    int descriptor = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);
    assert_int_not_equal(descriptor, -1);
    close(descriptor);
    return (rlim_t)descriptor;
}

/* With four loops it is one of the later listeners that cannot be had: then there is none of them. */
static void a_server_listens_for_all_of_its_loops_or_for_none(void **state)
{
    (void)state;
    struct rlimit before;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    jz_server *server = create(1);
    listen_on(server, "127.0.0.1", 0);
    uint16_t first = jz_server_port(server);
    size_t descriptors = serving_descriptors();
    for (rlim_t more = 1; more < 4; more++) {
        struct rlimit limits = before;
        limits.rlim_cur = lowest_free_descriptor() + more;
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &limits), 0);
        jz_error error = {0};
        jz_status status = jz_server_listen(server, "127.0.0.1", 0, &error);
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
        expect_refused(status, &error, JZ_STATUS_NO_DESCRIPTORS, "no file descriptors left");
        assert_int_equal(serving_descriptors(), descriptors);
    }
    uint16_t second = (uint16_t)listen_anywhere(server, AF_INET);
    assert_int_equal(jz_server_start(server, NULL), JZ_OK);
    expect_echo_at(first);
    expect_echo_at(second);
    jz_server_destroy(server);
}

static void a_server_has_at_most_16_listening_sockets(void **state)
{
    (void)state;
    for (size_t kind = 0; kind < COUNT_OF(kinds); kind++) {
        jz_server *server = create(kind);
        jz_error error = {0};
        uint16_t ports[JZ_MAX_LISTENERS];
        for (size_t i = 0; i < JZ_MAX_LISTENERS; i++)
            ports[i] = (uint16_t)listen_anywhere(server, AF_INET);
        size_t descriptors = serving_descriptors();
        expect_refused(jz_server_listen(server, "127.0.0.1", 0, &error), &error, JZ_STATUS_INVALID_STATE,
                       "a server has at most 16 listening sockets");
        assert_int_equal(serving_descriptors(), descriptors);
        assert_int_equal(jz_server_port(server), ports[0]);
        assert_int_equal(jz_server_start(server, NULL), JZ_OK);
        for (size_t i = 0; i < JZ_MAX_LISTENERS; i++) {
            assert_true(test_client_connect(&client, ports[i], 0));
            expect_echo("to one of many");
        }
        jz_server_destroy(server);
    }
}

static int option_of(int descriptor, int level, int name)
{
    int value = -1;
    socklen_t length = sizeof value;
    assert_int_equal(getsockopt(descriptor, level, name, &value, &length), 0);
    return value;
}

/* The options that an accepted connection inherits from its listener. */
static void expect_inherited(int listener, uint32_t keep_alive_seconds)
{
    int accepted;
    jz_address address;
    assert_true(test_client_connect(&client, jz_socket_port(listener), 0));
    assert_int_equal(jz_socket_accept(listener, &accepted, &address), JZ_SOCKET_OK);
    assert_int_not_equal(option_of(accepted, IPPROTO_TCP, TCP_NODELAY), 0);
    assert_int_equal(option_of(accepted, SOL_SOCKET, SO_KEEPALIVE) != 0, keep_alive_seconds != 0);
    if (keep_alive_seconds != 0) {
        assert_int_equal(option_of(accepted, IPPROTO_TCP, TCP_KEEPIDLE), keep_alive_seconds);
        int interval = option_of(accepted, IPPROTO_TCP, TCP_KEEPINTVL);
        assert_int_equal(interval, keep_alive_seconds < 3 ? 1 : keep_alive_seconds / 3);
        assert_int_equal(option_of(accepted, IPPROTO_TCP, TCP_KEEPCNT), 3);
    }
    assert_int_not_equal(fcntl(accepted, F_GETFL) & O_NONBLOCK, 0);
    assert_int_not_equal(fcntl(accepted, F_GETFD) & FD_CLOEXEC, 0);
    close(accepted);
    test_client_close(&client);
}

static void connections_inherit_what_the_listener_has(void **state)
{
    (void)state;
    static const uint32_t keep_alive_seconds[] = {0, 1, 2, 120, 32767};
    for (size_t i = 0; i < COUNT_OF(keep_alive_seconds); i++) {
        for (int shares_port = 0; shares_port < 2; shares_port++) {
            const jz_listening listening = {
                .backlog = 8, .keep_alive_seconds = keep_alive_seconds[i], .shares_port = shares_port != 0};
            int listener;
            uint16_t port;
            assert_int_equal(jz_socket_listen("127.0.0.1", 0, &listening, &listener, &port, NULL), JZ_OK);
            assert_int_equal(port, jz_socket_port(listener));
            expect_inherited(listener, keep_alive_seconds[i]);
            close(listener);
        }
        int inherited = socket(AF_INET, SOCK_STREAM, 0);
        const struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
        assert_int_equal(bind(inherited, (const struct sockaddr *)&address, sizeof address), 0);
        assert_int_equal(listen(inherited, 8), 0);
        const jz_listening listening = {.keep_alive_seconds = keep_alive_seconds[i]};
        assert_int_equal(jz_socket_adopt(inherited, &listening, NULL), JZ_OK);
        expect_inherited(inherited, keep_alive_seconds[i]);
        close(inherited);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_server_listens_on_several_addresses_at_once),
        cmocka_unit_test(any_address_is_ipv4_and_ipv6),
        cmocka_unit_test(a_listen_that_fails_leaves_the_others_working),
        cmocka_unit_test(a_server_listens_for_all_of_its_loops_or_for_none),
        cmocka_unit_test(a_server_has_at_most_16_listening_sockets),
        cmocka_unit_test(connections_inherit_what_the_listener_has),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("listening", tests, NULL, NULL));
}
