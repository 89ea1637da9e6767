/*
 * The floor with OpenSSL: what bench-floor is without, a lower bound for servers on epoll and OpenSSL. It receives into
 * one large buffer, which OpenSSL decrypts from, unmasks in place, and sends once for each read; a record goes to the
 * kernel from where OpenSSL has encrypted it. An idle connection is an SSL object with released buffers and 48 bytes.
 * Not a usable server; a measure for others, also of handshakes and of memory.
 *
 *     bench-floor-tls --certificate FILE --key FILE [--port N] [--keep-buffers]
 *
 * --keep-buffers: OpenSSL does not release its buffers: 34 KB for each connection.
 */
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../bench-floor/floor.h"
#include "../bench-floor/loop.h"
#include "../bench-floor/sockets.h"
#include "../common-tls/tls_pipe.h"

enum {
    BUFFER_SIZE = 512 * 1024, /* bytes received at once */
    MOST_RECORD = 17 * 1024,  /* bytes of which a connection may have kept a part */
};

typedef struct connection {
    floor_connection frames;
    SSL *ssl;
} connection;

/* A descriptor is the index of its connection. */
static connection *connections[FLOOR_MOST_DESCRIPTORS];
static uint8_t ciphertext[BUFFER_SIZE];
static uint8_t memory[FLOOR_CARRY + BUFFER_SIZE + MOST_RECORD];
static tls_pipe channel;
static SSL_CTX *context;

static void end_connection(int descriptor)
{
    SSL_free(connections[descriptor]->ssl);
    free(connections[descriptor]);
    connections[descriptor] = NULL;
    close(descriptor);
    ERR_clear_error();
}

static void flush(int descriptor)
{
    if (channel.output_length == 0)
        return;
    floor_send_all(descriptor, channel.output, channel.output_length);
    channel.output_length = 0;
}

/* One record is sent from where it is; more of them are gathered for one system call. */
static void answer(connection *connection, int descriptor, const uint8_t *bytes, size_t length)
{
    channel.direct = length <= TLS_MOST_PLAINTEXT ? descriptor : -1;
    SSL_write(connection->ssl, bytes, (int)length);
    channel.direct = -1;
}

static void take_plaintext(connection *connection, int descriptor, uint8_t *bytes, size_t length)
{
    if (connection->frames.is_open) {
        uint8_t *output = NULL;
        size_t output_length = floor_take_frames(&connection->frames, bytes, length, &output);
        if (output_length > 0)
            answer(connection, descriptor, output, output_length);
    } else {
        char response[FLOOR_RESPONSE];
        size_t response_length = floor_take_request(&connection->frames, bytes, length, response);
        if (response_length > 0)
            SSL_write(connection->ssl, response, (int)response_length);
    }
}

/* Handshakes go on here, too. Returns whether the connection does. */
static bool take_records(connection *connection, int descriptor, size_t received)
{
    uint8_t *bytes = memory + FLOOR_CARRY;
    size_t length = 0;
    int count = 1;
    channel.input = ciphertext;
    channel.input_length = received;
    while (count > 0 && (channel.input_length > 0 || SSL_has_pending(connection->ssl) == 1)) {
        count = SSL_read(connection->ssl, bytes + length, (int)(BUFFER_SIZE + MOST_RECORD - length));
        length += count > 0 ? (size_t)count : 0;
    }
    bool goes_on = count > 0 || SSL_get_error(connection->ssl, count) == SSL_ERROR_WANT_READ;
    if (length > 0)
        take_plaintext(connection, descriptor, bytes, length);
    flush(descriptor);
    return goes_on;
}

static void serve_connection(int descriptor)
{
    ssize_t received = recv(descriptor, ciphertext, sizeof ciphertext, 0);
    if (received < 0 && errno == EAGAIN)
        return;
    if (received <= 0 || !take_records(connections[descriptor], descriptor, (size_t)received))
        end_connection(descriptor);
}

static void accept_connection(int descriptor)
{
    connection *connection = calloc(1, sizeof *connection);
    if (connection == NULL || (connection->ssl = SSL_new(context)) == NULL)
        floor_fail("accept a connection");
    tls_pipe_attach(&channel, connection->ssl);
    SSL_set_accept_state(connection->ssl);
    connections[descriptor] = connection;
}

static void prepare(const char *certificate, const char *key, bool keeps_buffers)
{
    context = SSL_CTX_new(TLS_server_method());
    if (context == NULL || SSL_CTX_use_certificate_chain_file(context, certificate) != 1 ||
        SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) != 1) {
        fprintf(stderr, "bench-floor-tls: %s and %s are no certificate and its key: ", certificate, key);
        ERR_print_errors_fp(stderr);
        exit(1);
    }
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_read_ahead(context, 1); /* several records at once, between which no buffer is released */
    SSL_CTX_set_mode(context, SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | (keeps_buffers ? 0 : SSL_MODE_RELEASE_BUFFERS));
    tls_pipe_create(&channel);
}

int main(int count, char **arguments)
{
    unsigned long port = 8443;
    const char *certificate = NULL;
    const char *key = NULL;
    bool keeps_buffers = false;
    bool is_wrong = false;
    for (int i = 1; i < count; i++) {
        const char *value = i + 1 < count ? arguments[i + 1] : "";
        if (strcmp(arguments[i], "--keep-buffers") == 0) {
            keeps_buffers = true;
            continue;
        }
        if (strcmp(arguments[i], "--port") == 0)
            port = strtoul(value, NULL, 10);
        else if (strcmp(arguments[i], "--certificate") == 0)
            certificate = value;
        else if (strcmp(arguments[i], "--key") == 0)
            key = value;
        else
            is_wrong = true;
        i++;
    }
    if (is_wrong || port < 1 || port > 65535 || certificate == NULL || key == NULL) {
        fprintf(stderr, "usage: bench-floor-tls --certificate FILE --key FILE [--port 1-65535] [--keep-buffers]\n");
        return 2;
    }
    floor_allow_many_descriptors();
    prepare(certificate, key, keeps_buffers);
    floor_run((uint16_t)port, accept_connection, serve_connection);
}
