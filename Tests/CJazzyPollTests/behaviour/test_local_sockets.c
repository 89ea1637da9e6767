/* Servers that listen on Unix domain sockets and on sockets that were inherited. */
#define _DEFAULT_SOURCE

#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "jazzy.h"
#include "support/client.h"
#include "support/eventually.h"
#include "support/folder.h"
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

static jz_server *create_with(const jz_options *options)
{
    visits = (journal)JOURNAL_INITIALIZER;
    visits.act = echo;
    jz_error error = {0};
    jz_server *server = jz_server_create(options, &error);
    if (server != NULL && jz_server_route_ws(server, "/", NULL, journal_handle, &visits, NULL) != JZ_OK)
        abort();
    return server;
}

static jz_server *create(uint32_t threads)
{
    jz_options options = serving_options(threads);
    options.accepting = JZ_ACCEPTING_SHARED_PORT;
    jz_server *server = create_with(&options);
    assert_non_null(server);
    return server;
}

static void expect_refused(jz_status status, const jz_error *error, jz_status expected, const char *words)
{
    assert_that(status == expected && error->status == expected, "status %d, not %d: %s", (int)status, (int)expected,
                error->message);
    assert_that(strstr(error->message, words) != NULL, "'%s' does not say '%s'", error->message, words);
}

static bool is_there(const char *file)
{
    struct stat status;
    return lstat(file, &status) == 0;
}

/* Whether the client, which is connected, is talked to, and known by no address. */
static void expect_echo(void)
{
    size_t opens = visits.opens;
    assert_true(test_client_upgrade(&client, UPGRADE_REQUEST("/")));
    test_client_send_frame(&client, &(test_frame)TEXT("hello"));
    test_client_expect(&client, JZ_OPCODE_TEXT, "hello", 5);
    char address[JZ_REMOTE_ADDRESS_SIZE];
    assert_int_equal(jz_ws_remote_address(journal_handle_of(&visits, opens), address), 4);
    assert_string_equal(address, "unix");
    test_client_close(&client);
    assert_eventually(visits.closes == opens + 1);
}

typedef void (*ending)(jz_server *server);

static void drain(jz_server *server)
{
    jz_server_drain(server, JZ_NEVER);
}

static void a_unix_socket_is_served_and_its_file_is_removed_at_the_end(void **state)
{
    (void)state;
    static const ending endings[] = {jz_server_stop, drain};
    for (uint32_t threads = 1; threads <= 4; threads += 3) {
        for (size_t i = 0; i < COUNT_OF(endings); i++) {
            jz_server *server = create(threads);
            jz_error error = {0};
            assert_that(jz_server_listen_unix(server, path, &error) == JZ_OK, "%s", error.message);
            assert_int_equal(jz_server_port(server), 0);
            assert_int_equal(jz_server_listen(server, "127.0.0.1", 0, NULL), JZ_OK);
            assert_int_not_equal(jz_server_port(server), 0); /* of the first that has one */
            assert_int_equal(jz_server_start(server, NULL), JZ_OK);
            for (int j = 0; j < 8; j++) {
                assert_true(test_client_connect_unix(&client, path));
                expect_echo();
            }
            assert_true(is_there(path));
            endings[i](server);
            jz_server_wait(server);
            assert_false(is_there(path));
            jz_server_destroy(server);
        }
    }
}

static void a_server_that_never_runs_removes_its_file_too(void **state)
{
    (void)state;
    jz_server *server = create(1);
    assert_int_equal(jz_server_listen_unix(server, path, NULL), JZ_OK);
    assert_true(is_there(path));
    jz_server_destroy(server);
    assert_false(is_there(path));
}

/* A socket that listens there, of this test. */
static int listen_at(const char *file)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    memcpy(address.sun_path, file, strlen(file) + 1);
    int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(descriptor, (const struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(descriptor, 8), 0);
    return descriptor;
}

static void a_file_that_was_left_behind_is_replaced(void **state)
{
    (void)state;
    close(listen_at(path));
    assert_true(is_there(path));
    jz_server *server = create(1);
    assert_int_equal(jz_server_listen_unix(server, path, NULL), JZ_OK);
    assert_int_equal(jz_server_start(server, NULL), JZ_OK);
    assert_true(test_client_connect_unix(&client, path));
    expect_echo();
    jz_server_destroy(server);
    assert_false(is_there(path));
}

static void a_file_that_is_in_use_or_no_socket_is_left_alone(void **state)
{
    (void)state;
    jz_error error = {0};
    jz_server *server = create(1);
    int other = listen_at(path);
    expect_refused(jz_server_listen_unix(server, path, &error), &error, JZ_STATUS_ADDRESS_IN_USE, path);
    assert_true(test_client_connect_unix(&client, path));
    test_client_close(&client);
    close(other);
    unlink(path);

    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fclose(file);
    expect_refused(jz_server_listen_unix(server, path, &error), &error, JZ_STATUS_ADDRESS_IN_USE, path);
    assert_true(is_there(path));
    unlink(path);

    assert_int_equal(symlink("nowhere", path), 0);
    expect_refused(jz_server_listen_unix(server, path, &error), &error, JZ_STATUS_ADDRESS_IN_USE, path);
    assert_true(is_there(path));
    unlink(path);

    assert_int_equal(jz_server_listen_unix(server, path, &error), JZ_OK);
    expect_refused(jz_server_listen_unix(server, path, &error), &error, JZ_STATUS_ADDRESS_IN_USE, path);
    assert_true(is_there(path));
    jz_server_destroy(server);
}

static void a_path_is_neither_too_long_nor_empty_nor_nowhere(void **state)
{
    (void)state;
    static const char words[] = "it has to have from 1 to 107";
    char long_path[109];
    memset(long_path, 'x', sizeof long_path);
    memcpy(long_path, folder, strlen(folder));
    long_path[strlen(folder)] = '/';
    long_path[108] = '\0';
    jz_error error = {0};
    jz_server *server = create(1);
    expect_refused(jz_server_listen_unix(server, long_path, &error), &error, JZ_STATUS_INVALID_ADDRESS, words);
    expect_refused(jz_server_listen_unix(server, "", &error), &error, JZ_STATUS_INVALID_ADDRESS, words);
    expect_refused(jz_server_listen_unix(server, NULL, &error), &error, JZ_STATUS_INVALID_ADDRESS, words);
    char nowhere[128];
    snprintf(nowhere, sizeof nowhere, "%s/none/socket", folder);
    expect_refused(jz_server_listen_unix(server, nowhere, &error), &error, JZ_STATUS_SYSTEM, nowhere);
    assert_int_equal(jz_server_start(server, &error), JZ_STATUS_INVALID_STATE); /* it does not listen */
    long_path[107] = '\0';
    assert_that(jz_server_listen_unix(server, long_path, &error) == JZ_OK, "%s", error.message);
    assert_true(is_there(long_path));
    jz_server_destroy(server);
    assert_false(is_there(long_path));
}

static void the_sockets_of_a_server_are_limited_together(void **state)
{
    (void)state;
    jz_server *server = create(1);
    for (int i = 0; i < JZ_MAX_LISTENERS; i++)
        assert_int_equal(jz_server_listen(server, "127.0.0.1", 0, NULL), JZ_OK);
    jz_error error = {0};
    size_t descriptors = serving_descriptors();
    expect_refused(jz_server_listen_unix(server, path, &error), &error, JZ_STATUS_INVALID_STATE, "at most 16");
    assert_false(is_there(path));
    assert_int_equal(serving_descriptors(), descriptors);
    jz_server_destroy(server);
}

static void who_comes_through_a_unix_socket_is_a_proxy_where_that_is_trusted(void **state)
{
    (void)state;
    static const char *const trusted[] = {"unix"};
    jz_options options = serving_options(1);
    options.client_address = JZ_CLIENT_ADDRESS_PROXY_PROTOCOL;
    options.trusted_proxies = trusted;
    options.trusted_proxy_count = 1;
    jz_server *server = create_with(&options);
    assert_non_null(server);
    assert_int_equal(jz_server_listen_unix(server, path, NULL), JZ_OK);
    assert_int_equal(jz_server_start(server, NULL), JZ_OK);
    assert_true(test_client_connect_unix(&client, path));
    assert_true(test_client_upgrade(&client, "PROXY TCP4 192.0.2.7 10.0.0.1 4711 443\r\n" UPGRADE_REQUEST("/")));
    assert_eventually(visits.opens == 1);
    char address[JZ_REMOTE_ADDRESS_SIZE];
    jz_ws_remote_address(journal_handle_of(&visits, 0), address);
    assert_string_equal(address, "192.0.2.7:4711");
    test_client_close(&client);
    jz_server_destroy(server);
}

/* A TCP socket of 127.0.0.1; asserts nothing, for it is also made in a child. */
static int tcp_socket(bool listens, uint16_t *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t length = sizeof address;
    int descriptor = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(descriptor, (const struct sockaddr *)&address, sizeof address) != 0 ||
        getsockname(descriptor, (struct sockaddr *)&address, &length) != 0 || (listens && listen(descriptor, 8) != 0))
        abort();
    *port = ntohs(address.sin_port);
    return descriptor;
}

static void a_socket_that_was_inherited_is_served(void **state)
{
    (void)state;
    for (uint32_t threads = 1; threads <= 4; threads += 3) {
        size_t descriptors = serving_descriptors();
        jz_server *server = create(threads);
        uint16_t port;
        jz_error error = {0};
        int descriptor = tcp_socket(true, &port);
        assert_that(jz_server_listen_descriptor(server, descriptor, &error) == JZ_OK, "%s", error.message);
        assert_int_equal(jz_server_listen_descriptor(server, listen_at(path), &error), JZ_OK);
        assert_int_equal(jz_server_port(server), port);
        assert_int_equal(jz_server_start(server, NULL), JZ_OK);
        for (int i = 0; i < 8; i++) {
            assert_true(test_client_open(&client, port, UPGRADE_REQUEST("/")));
            test_client_close(&client);
        }
        assert_eventually(visits.closes == 8);
        assert_true(test_client_connect_unix(&client, path));
        expect_echo();
        jz_server_destroy(server);
        assert_false(test_client_connect(&client, port, 0));
        assert_true(is_there(path)); /* it is not the server's */
        unlink(path);
        assert_int_equal(serving_descriptors(), descriptors);
    }
}

static void what_is_no_listening_stream_socket_is_refused_and_closed(void **state)
{
    (void)state;
    int pipes[2];
    uint16_t port;
    size_t descriptors = serving_descriptors();
    assert_int_equal(pipe(pipes), 0);
    const int wrong[] = {pipes[0], pipes[1], socket(AF_INET, SOCK_DGRAM, 0), tcp_socket(false, &port), -1, 9999};
    jz_server *server = create(2);
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        jz_error error = {0};
        char words[80];
        snprintf(words, sizeof words, "cannot listen on descriptor %d: it is no stream socket that listens", wrong[i]);
        expect_refused(jz_server_listen_descriptor(server, wrong[i], &error), &error, JZ_STATUS_INVALID_ADDRESS, words);
    }
    jz_server_destroy(server);
    assert_int_equal(serving_descriptors(), descriptors);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_unix_socket_is_served_and_its_file_is_removed_at_the_end),
        cmocka_unit_test(a_server_that_never_runs_removes_its_file_too),
        cmocka_unit_test(a_file_that_was_left_behind_is_replaced),
        cmocka_unit_test(a_file_that_is_in_use_or_no_socket_is_left_alone),
        cmocka_unit_test(a_path_is_neither_too_long_nor_empty_nor_nowhere),
        cmocka_unit_test(the_sockets_of_a_server_are_limited_together),
        cmocka_unit_test(who_comes_through_a_unix_socket_is_a_proxy_where_that_is_trusted),
        cmocka_unit_test(a_socket_that_was_inherited_is_served),
        cmocka_unit_test(what_is_no_listening_stream_socket_is_refused_and_closed),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("local sockets", tests, make_folder, remove_folder));
}
