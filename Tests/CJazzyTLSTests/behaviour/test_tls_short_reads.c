/*
 * Reading may stop short of what the kernel has: at urgent data, and behind bytes that descriptors came with. What
 * follows is read all the same, and not only when something new comes.
 */
#define _GNU_SOURCE

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "jazzy.h"
#include "jazzy/tls.h"
#include "support/bridge.h"
#include "support/eventually.h"
#include "support/serving.h"
#include "support/setting.h"
#include "support/testing.h"

enum { FIRST_PART = 20 /* bytes of the client's first message */ };

typedef enum way { OVER_TCP, OVER_UNIX, ADOPTED, WAYS } way;

static const char *const names[] = {[OVER_TCP] = "urgent data over TCP",
                                    [OVER_UNIX] = "descriptors over a Unix domain socket",
                                    [ADOPTED] = "descriptors over an adopted socket"};

static jz_tls *tls;
static SSL_CTX *context;
static jz_server *server;

static int begin(void **state)
{
    if (setting_begin(state) != 0)
        return -1;
    made own = authority_make(&(plan){.names = "DNS:localhost"});
    jz_tls_certificate given = in_files("own", &own);
    jz_tls_options options = options_with(&given, 1);
    tls = create_with(&options);
    context = bridge_context();
    return 0;
}

static int end(void **state)
{
    SSL_CTX_free(context);
    jz_tls_free(tls);
    return setting_end(state);
}

static void ignore(void *unused, jz_ws ws, const jz_event *event, const jz_message *message)
{
    (void)unused;
    (void)ws;
    (void)event;
    (void)message;
}

/* A client's end of a connection that nobody has accepted yet. `other`: that which is to be adopted; -1: none. */
static int connect_by(way way, int *other)
{
    const jz_listen_options listening = {.transport = jz_tls_transport(), .transport_context = tls};
    struct sockaddr_in ip = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    struct sockaddr_un local = {.sun_family = AF_UNIX};
    int ends[2] = {-1, -1};
    jz_error error;
    snprintf(local.sun_path, sizeof local.sun_path, "%s", path_of("socket"));
    if (way == ADOPTED) {
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
        assert_int_equal(jz_server_expect_adoption(server, &error), JZ_OK);
    } else if (way == OVER_UNIX) {
        const jz_unix_options options = {.listening = listening};
        assert_that(jz_server_listen_unix_with(server, local.sun_path, &options, &error) == JZ_OK, "%s", error.message);
        ends[0] = socket(AF_UNIX, SOCK_STREAM, 0);
        assert_int_equal(connect(ends[0], (struct sockaddr *)&local, sizeof local), 0);
    } else {
        assert_that(jz_server_listen_with(server, "127.0.0.1", 0, &listening, &error) == JZ_OK, "%s", error.message);
        ip.sin_port = htons(jz_server_port(server));
        ends[0] = socket(AF_INET, SOCK_STREAM, 0);
        assert_int_equal(connect(ends[0], (struct sockaddr *)&ip, sizeof ip), 0);
        assert_int_equal(setsockopt(ends[0], IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int)), 0);
    }
    *other = ends[1];
    return ends[0];
}

static void send_with_descriptor(int client, const void *bytes, size_t length)
{
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof(int))];
    } control = {.header = {.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof(int))}};
    struct iovec piece = {(void *)(uintptr_t)bytes, length};
    struct msghdr message = {
        .msg_iov = &piece, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control.space};
    memcpy(CMSG_DATA(&control.header), &client, sizeof client);
    assert_int_equal(sendmsg(client, &message, 0), length);
}

/* All lies in the kernel before the server reads for the first time. */
static void send_hello(way way, int client, const char *bytes, size_t length)
{
    if (way == OVER_TCP) {
        assert_int_equal(send(client, bytes, FIRST_PART, 0), FIRST_PART);
        assert_int_equal(send(client, "!", 1, MSG_OOB), 1);
    } else {
        send_with_descriptor(client, bytes, FIRST_PART);
    }
    assert_int_equal(send(client, bytes + FIRST_PART, length - FIRST_PART, 0), length - FIRST_PART);
}

static void what_lies_behind_a_short_read_is_read(void **state)
{
    (void)state;
    for (way way = OVER_TCP; way < WAYS; way++) {
        jz_options options = serving_options(1);
        options.handshake_timeout_ms = 3600000; /* just before, it would be looked at once more */
        const jz_adopt_options adopting = {.transport = jz_tls_transport(), .transport_context = tls};
        const struct timeval patience = {.tv_sec = TEST_DEADLINE_MS / 1000};
        server = jz_server_create(&options, NULL);
        assert_int_equal(jz_server_route_ws(server, "/", NULL, ignore, NULL, NULL), JZ_OK);
        int other;
        int client = connect_by(way, &other);
        assert_int_equal(setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience), 0);

        SSL *ssl = SSL_new(context);
        BIO *hello = BIO_new(BIO_s_mem());
        SSL_set_bio(ssl, BIO_new(BIO_s_mem()), hello);
        assert_true(SSL_connect(ssl) < 0);
        char *bytes;
        long length = BIO_get_mem_data(hello, &bytes);
        assert_true(length > FIRST_PART);
        send_hello(way, client, bytes, (size_t)length);

        assert_int_equal(jz_server_start(server, NULL), JZ_OK);
        if (other >= 0)
            assert_int_equal(jz_server_adopt(server, other, &adopting, NULL), JZ_OK);
        assert_int_equal(SSL_set_fd(ssl, client), 1);
        assert_that(SSL_connect(ssl) == 1, "%s: no answer", names[way]);
        SSL_free(ssl);
        close(client);
        jz_server_destroy(server);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_lies_behind_a_short_read_is_read, begin, end),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests(tests, NULL, NULL));
}
