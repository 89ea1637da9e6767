/* Whole servers over TLS. */
#define _POSIX_C_SOURCE 200809L

#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "jazzy.h"
#include "jazzy/tls.h"
#include "support/bridge.h"
#include "support/eventually.h"
#include "support/journal.h"
#include "support/log_lines.h"
#include "support/serving.h"
#include "support/testing.h"
#include "support/wire.h"

enum { PAGE_SIZE = 500 * 1000, CLIENTS = 16 };

static jz_tls *tls;
static SSL_CTX *context;
static jz_server *server;
static journal seen;
static log_lines lines;
static bridge bridges[CLIENTS];
static test_client clients[CLIENTS];
static uint8_t page[PAGE_SIZE];

static int begin(void **state)
{
    (void)state;
    for (size_t i = 0; i < PAGE_SIZE; i++)
        page[i] = (uint8_t)(i * 31 + i / 251);
    tls = wire_tls();
    context = bridge_context();
    return 0;
}

static int end(void **state)
{
    (void)state;
    SSL_CTX_free(context);
    wire_tls_free(tls);
    return 0;
}

static void echo(journal *journal, jz_ws ws, const jz_event *event, const jz_message *message)
{
    (void)journal;
    if (event->type == JZ_EVENT_MESSAGE && message->kind <= JZ_MESSAGE_BINARY)
        jz_ws_send(ws, message->kind, message->bytes, message->length);
}

static jz_options options_of(uint32_t threads)
{
    jz_options options = serving_options(threads);
    log_lines_begin(&lines, &options);
    return options;
}

static jz_server *start_with(const jz_options *options, jz_tls *with)
{
    jz_error error;
    jz_server *started = jz_server_create(options, &error);
    assert_that(started != NULL, "%s", error.message);
    jz_route_options route = jz_route_options_default();
    route.max_message_size = 1 << 20;
    assert_int_equal(jz_server_route_ws(started, "/", &route, journal_handle, &seen, &error), JZ_OK);
    assert_int_equal(jz_server_route_get(started, "/page", "text/plain", page, PAGE_SIZE, &error), JZ_OK);
    const jz_listen_options listening = {.transport = jz_tls_transport(), .transport_context = with};
    assert_that(jz_server_listen_with(started, "127.0.0.1", 0, &listening, &error) == JZ_OK, "%s", error.message);
    assert_that(jz_server_start(started, &error) == JZ_OK, "%s", error.message);
    return started;
}

static void start(const jz_options *options)
{
    seen = (journal)JOURNAL_INITIALIZER;
    seen.act = echo;
    server = start_with(options, tls);
}

static void finish(void)
{
    jz_server_destroy(server);
    assert_int_equal(seen.opens, seen.closes);
    pthread_mutex_destroy(&seen.lock);
}

static void connect_client(size_t number)
{
    bridge_connect(&bridges[number], context, &clients[number], jz_server_port(server));
}

static void open_client(size_t number)
{
    connect_client(number);
    assert_true(test_client_upgrade(&clients[number], UPGRADE_REQUEST("/")));
}

static void close_client(size_t number)
{
    test_client_close(&clients[number]);
    bridge_end(&bridges[number]);
}

static void say(size_t number, size_t length)
{
    const test_frame frame = {.fin = true, .opcode = JZ_OPCODE_BINARY, .payload = {(const char *)page, length, length}};
    test_client_send_frame(&clients[number], &frame);
}

static void messages_come_back_and_ends_are_told(void **state)
{
    static const size_t lengths[] = {0, 1, 125, 126, 4000, 16384, 65536, 100000};
    const jz_options options = options_of(1);
    (void)state;
    start(&options);
    open_client(0);
    for (size_t i = 0; i < COUNT_OF(lengths); i++) {
        say(0, lengths[i]);
        test_client_expect(&clients[0], JZ_OPCODE_BINARY, page, lengths[i]);
    }
    for (size_t i = 0; i < 500; i++)
        say(0, i);
    for (size_t i = 0; i < 500; i++)
        test_client_expect(&clients[0], JZ_OPCODE_BINARY, page, i);
    test_client_send_frame(&clients[0], &(test_frame)CLOSE(1000, ""));
    test_client_expect(&clients[0], JZ_OPCODE_CLOSE, "\x03\xE8", 2);
    assert_true(test_client_sees_end(&clients[0]));
    close_client(0);
    assert_true(bridges[0].was_told);
    finish();
}

static atomic_bool is_asked;
static atomic_bool may_echo;

static void echo_late(journal *journal, jz_ws ws, const jz_event *event, const jz_message *message)
{
    if (event->type == JZ_EVENT_MESSAGE) {
        is_asked = true;
        while (!may_echo)
            continue;
    }
    echo(journal, ws, event, message);
}

/* Its close_notify, which the server does not read any more, must not reset the connection. */
static void a_client_that_has_ended_already_receives_everything(void **state)
{
    const jz_options options = options_of(1);
    jz_statistics now;
    (void)state;
    is_asked = may_echo = false;
    start(&options);
    seen.act = echo_late;
    open_client(0);
    say(0, PAGE_SIZE);
    test_client_send_frame(&clients[0], &(test_frame)CLOSE(1000, ""));
    assert_eventually(is_asked);
    test_client_stop_sending(&clients[0]);
    assert_eventually(bridges[0].has_told);
    may_echo = true;
    do {
        jz_server_statistics(server, &now);
    } while (now.connections > 0);
    assert_true(test_client_receive(&clients[0], 10));
    clients[0].start += 10;
    for (size_t taken = 0; taken < PAGE_SIZE; taken += 50000) {
        assert_true(test_client_receive(&clients[0], 50000));
        assert_memory_equal(clients[0].bytes + clients[0].start, page + taken, 50000);
        clients[0].start += 50000;
    }
    test_client_expect(&clients[0], JZ_OPCODE_CLOSE, "\x03\xE8", 2);
    close_client(0);
    assert_true(bridges[0].was_told);
    finish();
}

static void a_page_comes_whole(void **state)
{
    static const char request[] = "GET /page HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    const jz_options options = options_of(1);
    (void)state;
    start(&options);
    connect_client(0);
    assert_true(test_client_send(&clients[0], request, sizeof request - 1));
    assert_int_equal(test_client_take_head(&clients[0]), 200);
    for (size_t taken = 0; taken < PAGE_SIZE; taken += 50000) {
        assert_true(test_client_receive(&clients[0], 50000));
        assert_memory_equal(clients[0].bytes + clients[0].start, page + taken, 50000);
        clients[0].start += 50000;
    }
    assert_true(test_client_sees_end(&clients[0]));
    close_client(0);
    assert_true(bridges[0].was_told);
    finish();
}

static void many_clients_on_several_loops_are_served(void **state)
{
    const jz_options options = options_of(4);
    (void)state;
    start(&options);
    for (size_t i = 0; i < CLIENTS; i++)
        open_client(i);
    for (size_t round = 0; round < 20; round++) {
        for (size_t i = 0; i < CLIENTS; i++)
            say(i, 100 * i + round);
        for (size_t i = 0; i < CLIENTS; i++)
            test_client_expect(&clients[i], JZ_OPCODE_BINARY, page, 100 * i + round);
    }
    for (size_t i = 0; i < CLIENTS; i++)
        close_client(i);
    finish();
}

static void servers_with_certificates_of_their_own_run_side_by_side(void **state)
{
    jz_options options = options_of(2);
    (void)state;
    start(&options);
    jz_tls *other_tls = wire_tls();
    jz_server *first = server;
    jz_server *second = start_with(&options, other_tls);
    jz_server *const both[] = {first, second};
    for (size_t i = 0; i < CLIENTS; i++) {
        server = both[i % 2];
        open_client(i);
    }
    server = first;
    for (size_t i = 0; i < CLIENTS; i++) {
        say(i, 1000);
        test_client_expect(&clients[i], JZ_OPCODE_BINARY, page, 1000);
        close_client(i);
    }
    assert_int_equal(jz_tls_statistics_of(other_tls).handshakes, CLIENTS / 2);
    jz_server_destroy(second);
    jz_tls_free(other_tls);
    finish();
}

static void a_cut_is_an_unclean_end_and_is_told_to_the_log(void **state)
{
    const jz_options options = options_of(1);
    (void)state;
    start(&options);
    open_client(0);
    bridges[0].is_cutting = true;
    close_client(0);
    journal_expect(&seen, 1, "open error(the connection was lost) close(1006 unclean)");
    assert_eventually(log_lines_have(&lines, "lost: cut without close_notify"));
    finish();
}

static void the_handshake_time_out_covers_that_of_tls(void **state)
{
    static const char *const beginnings[] = {"", "\x16", "\x16\x03\x01\x02\x00", "GET / HTTP/1.1\r\n\r\n"};
    jz_options options = options_of(1);
    (void)state;
    options.handshake_timeout_ms = 200;
    start(&options);
    for (size_t i = 0; i < COUNT_OF(beginnings); i++) {
        assert_true(test_client_connect(&clients[0], jz_server_port(server), 0));
        assert_true(beginnings[i][0] == '\0' || test_client_send(&clients[0], beginnings[i], strlen(beginnings[i])));
        jz_statistics now;
        do {
            jz_server_statistics(server, &now);
        } while (now.refused[JZ_REFUSAL_HANDSHAKE_TIMEOUT] <= i);
        test_client_close(&clients[0]);
    }
    finish();
}

static void behind_a_proxy_header_tls_begins_at_once(void **state)
{
    static const char *const trusted[] = {"127.0.0.1"};
    static const char header[] = "PROXY TCP4 192.0.2.7 10.0.0.1 4711 443\r\n";
    jz_options options = options_of(1);
    (void)state;
    options.client_address = JZ_CLIENT_ADDRESS_PROXY_PROTOCOL;
    options.trusted_proxies = trusted;
    options.trusted_proxy_count = 1;
    start(&options);
    clients[0].start = clients[0].end = 0;
    clients[0].descriptor = bridge_begin(&bridges[0], context, jz_server_port(server), header);
    assert_true(test_client_upgrade(&clients[0], UPGRADE_REQUEST("/")));
    char address[JZ_REMOTE_ADDRESS_SIZE];
    assert_eventually(seen.opens == 1);
    jz_ws_remote_address(journal_handle_of(&seen, 0), address);
    assert_string_equal(address, "192.0.2.7:4711");
    close_client(0);
    finish();
}

static void a_stop_says_goodbye_and_tells_the_end(void **state)
{
    const jz_options options = options_of(1);
    (void)state;
    start(&options);
    open_client(0);
    jz_server_stop(server);
    test_received farewell;
    assert_true(test_client_take_frame(&clients[0], &farewell));
    assert_int_equal(farewell.opcode, JZ_OPCODE_CLOSE);
    test_client_send_frame(&clients[0], &(test_frame)CLOSE(1001, ""));
    assert_true(test_client_sees_end(&clients[0]));
    close_client(0);
    assert_true(bridges[0].was_told);
    finish();
}

/* A child that a process with a running server forks has nothing to do with its connections. */
static void a_forked_child_does_not_disturb(void **state)
{
    const jz_options options = options_of(1);
    (void)state;
    start(&options);
    open_client(0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        _exit(0);
    int status = 1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    say(0, 1000);
    test_client_expect(&clients[0], JZ_OPCODE_BINARY, page, 1000);
    close_client(0);
    finish();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_come_back_and_ends_are_told),
        cmocka_unit_test(a_client_that_has_ended_already_receives_everything),
        cmocka_unit_test(a_page_comes_whole),
        cmocka_unit_test(many_clients_on_several_loops_are_served),
        cmocka_unit_test(servers_with_certificates_of_their_own_run_side_by_side),
        cmocka_unit_test(a_cut_is_an_unclean_end_and_is_told_to_the_log),
        cmocka_unit_test(the_handshake_time_out_covers_that_of_tls),
        cmocka_unit_test(behind_a_proxy_header_tls_begins_at_once),
        cmocka_unit_test(a_stop_says_goodbye_and_tells_the_end),
        cmocka_unit_test(a_forked_child_does_not_disturb),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests(tests, begin, end));
}
