#define _DEFAULT_SOURCE

#include "support/bridge.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "support/eventually.h"
#include "support/testing.h"

enum { MOST_AT_ONCE = 16 * 1024 };

SSL_CTX *bridge_context(void)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    assert_non_null(context);
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE);
    return context;
}

static void note_alert(const SSL *ssl, int where, int alert)
{
    bridge *bridge = SSL_get_app_data(ssl);
    if ((where & SSL_CB_READ_ALERT) == SSL_CB_READ_ALERT)
        bridge->alert = alert & 0xFF;
}

/* What the client's end has for us is encrypted. */
static void take_plain(bridge *bridge)
{
    uint8_t bytes[MOST_AT_ONCE];
    size_t written;
    ssize_t count = recv(bridge->plain, bytes, sizeof bytes, 0);
    if (count > 0) {
        SSL_write_ex(bridge->ssl, bytes, (size_t)count, &written);
    } else if (count == 0 || errno != EAGAIN) {
        bridge->plain_has_ended = true;
        bridge->server_has_ended = bridge->server_has_ended || bridge->is_cutting;
        if (!bridge->server_has_ended)
            SSL_shutdown(bridge->ssl);
    }
}

/* The server sends no more, and the client is to know. */
static void end_server(bridge *bridge)
{
    bridge->server_has_ended = true;
    bridge->was_told = (SSL_get_shutdown(bridge->ssl) & SSL_RECEIVED_SHUTDOWN) != 0 && bridge->alert == 0;
}

static void decrypt(bridge *bridge)
{
    size_t length;
    while (bridge->to_plain < BRIDGE_SIZE &&
           SSL_read_ex(bridge->ssl, bridge->decrypted + bridge->to_plain, BRIDGE_SIZE - bridge->to_plain, &length) == 1)
        bridge->to_plain += length;
    bool has_all = bridge->to_plain < BRIDGE_SIZE;
    if ((has_all && bridge->socket_has_ended) || (SSL_get_shutdown(bridge->ssl) & SSL_RECEIVED_SHUTDOWN) != 0 ||
        (SSL_in_init(bridge->ssl) && ERR_peek_error() != 0))
        end_server(bridge);
    ERR_clear_error();
}

static void take_encrypted(bridge *bridge)
{
    uint8_t bytes[MOST_AT_ONCE];
    ssize_t count = recv(bridge->descriptor, bytes, sizeof bytes, 0);
    if (count > 0)
        BIO_write(SSL_get_rbio(bridge->ssl), bytes, (int)count);
    else if (count == 0 || errno != EAGAIN)
        bridge->socket_has_ended = true;
}

static size_t send_from(int descriptor, uint8_t *bytes, size_t length)
{
    ssize_t count = send(descriptor, bytes, length, MSG_NOSIGNAL);
    if (count < 0)
        return errno == EAGAIN ? length : 0; /* nobody wants it */
    memmove(bytes, bytes + count, length - (size_t)count);
    return length - (size_t)count;
}

static void send_what_waits(bridge *bridge)
{
    BIO *written = SSL_get_wbio(bridge->ssl);
    int count =
        BIO_read(written, bridge->encrypted + bridge->to_server, (int)(sizeof bridge->encrypted - bridge->to_server));
    bridge->to_server += count > 0 ? (size_t)count : 0;
    if (bridge->to_server > 0)
        bridge->to_server = send_from(bridge->descriptor, bridge->encrypted, bridge->to_server);
    bridge->has_told = bridge->plain_has_ended && bridge->to_server == 0;
    if (bridge->to_plain > 0)
        bridge->to_plain = send_from(bridge->plain, bridge->decrypted, bridge->to_plain);
}

/* Nothing is under way any more. */
static bool is_over(bridge *bridge)
{
    bool has_all = bridge->to_plain == 0 && bridge->server_has_ended;
    if (has_all)
        shutdown(bridge->plain, SHUT_WR);
    return has_all && bridge->plain_has_ended;
}

static void wait_for_more(bridge *bridge)
{
    bool takes_plain = !bridge->plain_has_ended && bridge->to_server == 0 && !SSL_in_init(bridge->ssl);
    struct pollfd polled[] = {{.fd = bridge->plain}, {.fd = bridge->descriptor}};
    polled[0].events =
        (short)((takes_plain || bridge->server_has_ended ? POLLIN : 0) | (bridge->to_plain > 0 ? POLLOUT : 0));
    polled[1].events = (short)((!bridge->socket_has_ended && bridge->to_plain == 0 ? POLLIN : 0) |
                               (bridge->to_server > 0 ? POLLOUT : 0));
    if (polled[1].events == 0)
        polled[1].fd = -1;
    if (poll(polled, 2, TEST_DEADLINE_MS) <= 0) {
        bridge->plain_has_ended = bridge->server_has_ended = true;
        return;
    }
    if (polled[1].revents != 0 && !bridge->socket_has_ended)
        take_encrypted(bridge);
    if (polled[0].revents != 0 && (takes_plain || bridge->server_has_ended))
        take_plain(bridge);
}

static void *run(void *opaque)
{
    bridge *bridge = opaque;
    SSL_do_handshake(bridge->ssl);
    for (;;) {
        decrypt(bridge);
        send_what_waits(bridge);
        if (is_over(bridge))
            break;
        wait_for_more(bridge);
    }
    close(bridge->plain);
    close(bridge->descriptor);
    ERR_clear_error();
    return NULL;
}

static int connect_to(uint16_t port)
{
    const int on = 1;
    const int room = 32 * 1024; /* so that much of what a server sends waits in its own kernel */
    const struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(descriptor >= 0);
    setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
    assert_int_equal(connect(descriptor, (const struct sockaddr *)&address, sizeof address), 0);
    setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return descriptor;
}

int bridge_begin(bridge *bridge, SSL_CTX *context, uint16_t port, const char *early)
{
    int ends[2];
    memset(bridge, 0, offsetof(struct bridge, decrypted));
    bridge->alert = -1;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    bridge->plain = ends[0];
    bridge->descriptor = connect_to(port);
    if (early != NULL)
        assert_int_equal(send(bridge->descriptor, early, strlen(early), MSG_NOSIGNAL), strlen(early));
    fcntl(bridge->plain, F_SETFL, O_NONBLOCK);
    fcntl(bridge->descriptor, F_SETFL, O_NONBLOCK);
    bridge->ssl = SSL_new(context);
    assert_non_null(bridge->ssl);
    SSL_set_app_data(bridge->ssl, bridge);
    SSL_set_info_callback(bridge->ssl, note_alert);
    SSL_set_bio(bridge->ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    BIO_set_mem_eof_return(SSL_get_rbio(bridge->ssl), -1);
    SSL_set_connect_state(bridge->ssl);
    assert_int_equal(pthread_create(&bridge->thread, NULL, run, bridge), 0);
    return ends[1];
}

void bridge_end(bridge *bridge)
{
    assert_int_equal(pthread_join(bridge->thread, NULL), 0);
    SSL_free(bridge->ssl);
}

void bridge_connect(bridge *bridge, SSL_CTX *context, test_client *client, uint16_t port)
{
    const struct timeval deadline = {.tv_sec = TEST_DEADLINE_MS / 1000};
    client->start = client->end = 0;
    client->descriptor = bridge_begin(bridge, context, port, NULL);
    setsockopt(client->descriptor, SOL_SOCKET, SO_RCVTIMEO, &deadline, sizeof deadline);
    setsockopt(client->descriptor, SOL_SOCKET, SO_SNDTIMEO, &deadline, sizeof deadline);
}
