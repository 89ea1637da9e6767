/* Connections that were accepted elsewhere, given to a server with TLS: in this process, and in a child of it. */
#define _DEFAULT_SOURCE

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "jazzy.h"
#include "jazzy/tls.h"
#include "support/bridge.h"
#include "support/eventually.h"
#include "support/serving.h"
#include "support/setting.h"
#include "support/testing.h"

static jz_tls *tls;
static SSL_CTX *context;
static int listener;
static uint16_t port;
static bridge bridges[2];
static test_client clients[2];
static uint8_t bytes[100 * 1000];
static atomic_size_t closes;

static int begin(void **state)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t length = sizeof address;
    if (setting_begin(state) != 0)
        return -1;
    made own = authority_make(&(plan){.names = "DNS:localhost"});
    jz_tls_certificate given = in_files("own", &own);
    jz_tls_options options = options_with(&given, 1);
    options.watch_interval_ms = 100; /* on a thread, which a child does not have */
    tls = create_with(&options);
    context = bridge_context();
    listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    closes = 0;
    return listener >= 0 && bind(listener, (struct sockaddr *)&address, length) == 0 && listen(listener, 16) == 0 &&
                   getsockname(listener, (struct sockaddr *)&address, &length) == 0 &&
                   (port = ntohs(address.sin_port)) != 0
               ? 0
               : -1;
}

static int end(void **state)
{
    SSL_CTX_free(context);
    jz_tls_free(tls);
    close(listener);
    return setting_end(state);
}

static void echo(void *unused, jz_ws ws, const jz_event *event, const jz_message *message)
{
    (void)unused;
    if (event->type == JZ_EVENT_MESSAGE && message->kind <= JZ_MESSAGE_BINARY)
        jz_ws_send(ws, message->kind, message->bytes, message->length);
    closes += event->type == JZ_EVENT_CLOSE;
}

/* A running server that listens nowhere. */
static jz_server *start(void)
{
    jz_error error;
    const jz_options options = serving_options(2);
    jz_server *server = jz_server_create(&options, &error);
    assert_that(server != NULL, "%s", error.message);
    assert_int_equal(jz_server_route_ws(server, "/", NULL, echo, NULL, &error), JZ_OK);
    assert_int_equal(jz_server_expect_adoption(server, &error), JZ_OK);
    assert_that(jz_server_start(server, &error) == JZ_OK, "%s", error.message);
    return server;
}

static void adopt_next(jz_server *server)
{
    const jz_adopt_options adopting = {.transport = jz_tls_transport(), .transport_context = tls};
    int descriptor = accept(listener, NULL, NULL);
    assert_true(descriptor >= 0);
    assert_int_equal(jz_server_adopt(server, descriptor, &adopting, NULL), JZ_OK);
}

static void talk(size_t number)
{
    static const size_t lengths[] = {0, 5, 126, 16384, sizeof bytes};
    test_client *client = &clients[number];
    assert_true(test_client_upgrade(client, UPGRADE_REQUEST("/")));
    for (size_t i = 0; i < COUNT_OF(lengths); i++) {
        const test_frame frame = {
            .fin = true, .opcode = JZ_OPCODE_BINARY, .payload = {(const char *)bytes, lengths[i], lengths[i]}};
        test_client_send_frame(client, &frame);
        test_client_expect(client, JZ_OPCODE_BINARY, bytes, lengths[i]);
    }
}

static void say_goodbye(size_t number)
{
    test_client_send_frame(&clients[number], &(test_frame)CLOSE(1000, ""));
    test_client_expect(&clients[number], JZ_OPCODE_CLOSE, "\x03\xE8", 2);
    assert_true(test_client_sees_end(&clients[number]));
    test_client_close(&clients[number]);
    bridge_end(&bridges[number]);
    assert_true(bridges[number].was_told);
}

static void a_socket_that_was_accepted_elsewhere_speaks_tls(void **state)
{
    (void)state;
    jz_server *server = start();
    for (size_t i = 0; i < 2; i++) {
        bridge_connect(&bridges[i], context, &clients[i], port);
        adopt_next(server);
        talk(i);
    }
    say_goodbye(0);
    say_goodbye(1);
    jz_server_destroy(server);
    assert_int_equal(jz_tls_statistics_of(tls).handshakes, 2);
}

#ifndef JZ_THREAD_SANITIZER /* in a child it allows no threads */

/* A program that accepts, and has children that serve. */
static int serve_one_as_child(void)
{
    alarm(TEST_DEADLINE_MS / 1000);
    jz_server *server = start();
    adopt_next(server);
    while (closes == 0)
        usleep(1000);
    jz_server_destroy(server);
    jz_tls_free(tls);
    return 0;
}

static void a_forked_child_serves_with_the_certificates_of_its_parent(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0)
            _exit(serve_one_as_child());
        bridge_connect(&bridges[i], context, &clients[i], port);
        talk(i);
        say_goodbye(i);
        int status = 1;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_int_equal(status, 0);
    }
    /* The parent still watches its files, and serves. */
    jz_server *server = start();
    bridge_connect(&bridges[0], context, &clients[0], port);
    adopt_next(server);
    talk(0);
    say_goodbye(0);
    jz_server_destroy(server);
    made renewed = authority_make_with_own_key(&(plan){.names = "DNS:localhost"});
    in_files("own", &renewed);
    assert_eventually(jz_tls_statistics_of(tls).reloads == 1);
}
#endif

int main(void)
{
#define adopting_test(function) cmocka_unit_test_setup_teardown(function, begin, end)
    const struct CMUnitTest tests[] = {
        adopting_test(a_socket_that_was_accepted_elsewhere_speaks_tls),
#ifndef JZ_THREAD_SANITIZER
        adopting_test(a_forked_child_serves_with_the_certificates_of_its_parent),
#endif
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests(tests, NULL, NULL));
}
