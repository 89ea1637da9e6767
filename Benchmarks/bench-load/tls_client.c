#include "tls_client.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "../common-tls/tls_pipe.h"
#include "fail.h"
#include "tls_records.h"

enum { MOST_KEPT = 17 * 1024 /* bytes of a record of which the connection may have a part already */ };

struct tls_client {
    SSL *ssl;             /* NULL: the handshake is done, and its records are read and written here */
    tls_records *records; /* NULL: OpenSSL's */
    int descriptor;
    bool resumes;
    uint8_t *unsent; /* records that the kernel has not taken yet */
    size_t unsent_length;
    uint8_t *kept; /* the beginning of a record */
    size_t kept_length;
};

static SSL_CTX *context;
static tls_pipe channel;
static SSL_SESSION *session; /* that is resumed, as soon as a server has given one */
static bool resumes;
static bool has_own_records;
static uint8_t ciphertext[512 * 1024];

static _Noreturn void fail_by_tls(const char *what)
{
    char reason[256] = "the server ended the connection";
    if (ERR_peek_error() != 0)
        ERR_error_string_n(ERR_peek_error(), reason, sizeof reason);
    fail("%s: %s", what, reason);
}

static int keep_session(SSL *ssl, SSL_SESSION *given)
{
    (void)ssl;
    if (resumes && session == NULL)
        session = SSL_SESSION_dup(given);
    return 0;
}

void tls_prepare(const settings *settings)
{
    int version = settings->tls == TLS_1_2 ? TLS1_2_VERSION : TLS1_3_VERSION;
    context = SSL_CTX_new(TLS_client_method());
    if (context == NULL || SSL_CTX_set_min_proto_version(context, version) != 1 ||
        SSL_CTX_set_max_proto_version(context, version) != 1 ||
        SSL_CTX_set1_groups_list(context, "X25519:P-256") != 1 ||
        SSL_CTX_set_ciphersuites(context, "TLS_AES_128_GCM_SHA256") != 1 ||
        SSL_CTX_set_cipher_list(context, "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256") != 1)
        fail_by_tls("OpenSSL does not start");
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(context, keep_session);
    resumes = settings->resumes;
    /* Where messages are counted and not handshakes, which the key log makes slower. */
    has_own_records = settings->tls == TLS_1_3 && settings->workload == WORKLOAD_ECHO && settings->handshakes == 0 &&
                      !settings->resumes;
    if (has_own_records)
        tls_records_prepare(context);
    tls_pipe_create(&channel);
}

tls_client *tls_open(int descriptor)
{
    tls_client *client = calloc(1, sizeof *client);
    SSL *ssl = SSL_new(context);
    if (client == NULL || ssl == NULL)
        fail("no memory for TLS");
    tls_pipe_attach(&channel, ssl);
    SSL_set_connect_state(ssl);
    if (session != NULL) {
        /* A copy, because OpenSSL resumes none for which the server has given another meanwhile. */
        SSL_SESSION *copy = SSL_SESSION_dup(session);
        SSL_set_session(ssl, copy);
        SSL_SESSION_free(copy);
        client->resumes = true;
    }
    client->ssl = ssl;
    client->descriptor = descriptor;
    return client;
}

/* Returns false where the kernel does not take all of it now. */
static bool flush_unsent(tls_client *client)
{
    size_t sent = 0;
    if (client->unsent_length == 0)
        return true;
    while (sent < client->unsent_length) {
        ssize_t count = send(client->descriptor, client->unsent + sent, client->unsent_length - sent, MSG_NOSIGNAL);
        if (count < 0)
            break;
        sent += (size_t)count;
    }
    client->unsent_length -= sent;
    memmove(client->unsent, client->unsent + sent, client->unsent_length);
    if (client->unsent_length > 0)
        return false;
    free(client->unsent);
    client->unsent = NULL;
    return true;
}

/* Sends the records that OpenSSL has written, and keeps what the kernel does not take. */
static void flush(tls_client *client)
{
    ssize_t sent = 0;
    if (client->unsent_length == 0 && channel.output_length > 0)
        sent = send(client->descriptor, channel.output, channel.output_length, MSG_NOSIGNAL);
    size_t taken = sent > 0 ? (size_t)sent : 0;
    size_t rest = channel.output_length - taken;
    if (rest > 0) {
        uint8_t *grown = realloc(client->unsent, client->unsent_length + rest);
        if (grown == NULL)
            fail("no memory for what the server does not take");
        memcpy(grown + client->unsent_length, channel.output + taken, rest);
        client->unsent = grown;
        client->unsent_length += rest;
    }
    channel.output_length = 0;
}

/* Receives records. Returns what recv() has. */
static ssize_t receive_records(const tls_client *client, size_t capacity)
{
    ssize_t count = recv(client->descriptor, ciphertext, capacity, 0);
    channel.input = ciphertext;
    channel.input_length = count > 0 ? (size_t)count : 0;
    return count;
}

/* Whether OpenSSL only needs more records. */
static bool needs_more(const tls_client *client, int result)
{
    return SSL_get_error(client->ssl, result) == SSL_ERROR_WANT_READ;
}

static void check_handshake(const tls_client *client)
{
    /* Some servers send tickets before they have the client's last message; data would belong to nobody yet. */
    char first;
    if (channel.input_length > 0 && (SSL_peek(client->ssl, &first, 1) > 0 || !needs_more(client, -1)))
        fail("the server sent something before the client's handshake had ended");
    if (client->resumes && SSL_session_reused(client->ssl) != 1)
        fail("the server did not resume a session");
}

static void keep(tls_client *client, const uint8_t *bytes, size_t length)
{
    client->kept_length = length;
    if (length == 0)
        return;
    client->kept = malloc(length);
    if (client->kept == NULL)
        fail("no memory for a part of a record");
    memcpy(client->kept, bytes, length);
}

static void end_handshake(tls_client *client)
{
    if (!has_own_records) {
        check_handshake(client);
        return;
    }
    client->records = tls_records_create();
    keep(client, channel.input, channel.input_length); /* tickets, of servers that send them before they know it */
    channel.input_length = 0;
    SSL_free(client->ssl);
    client->ssl = NULL;
}

bool tls_shake_hands(tls_client *client)
{
    if (!flush_unsent(client))
        return false;
    for (;;) {
        int result = SSL_do_handshake(client->ssl);
        bool goes_on = result != 1 && needs_more(client, result);
        flush(client);
        if (result == 1) {
            end_handshake(client);
            return true;
        }
        if (!goes_on)
            fail_by_tls("the TLS handshake failed");
        ssize_t count = receive_records(client, sizeof ciphertext);
        if (count < 0 && (errno == EAGAIN || errno == ENOTCONN))
            return false;
        if (count <= 0)
            fail("the TLS handshake failed: %s", count == 0 ? "the server closed" : strerror(errno));
    }
}

/* As tls_receive. */
static ssize_t receive_content(tls_client *client, uint8_t *bytes, size_t capacity)
{
    size_t kept = client->kept_length;
    size_t taken;
    ssize_t count = recv(client->descriptor, ciphertext + kept, capacity - kept, 0);
    if (count <= 0)
        return count;
    if (kept > 0)
        memcpy(ciphertext, client->kept, kept);
    free(client->kept);
    client->kept = NULL;
    size_t length = kept + (size_t)count;
    size_t total = tls_records_open(client->records, ciphertext, length, bytes, &taken);
    keep(client, ciphertext + taken, length - taken);
    if (total == 0)
        errno = EAGAIN;
    return total > 0 ? (ssize_t)total : -1;
}

ssize_t tls_receive(tls_client *client, void *bytes, size_t capacity)
{
    if (client->records != NULL)
        return receive_content(client, bytes, capacity);
    ssize_t received = receive_records(client, capacity - MOST_KEPT);
    if (received <= 0)
        return received;
    size_t total = 0;
    int count = 1;
    while (channel.input_length > 0 && count > 0) {
        count = SSL_read(client->ssl, (uint8_t *)bytes + total, (int)(capacity - total));
        total += count > 0 ? (size_t)count : 0;
    }
    if (count <= 0 && !needs_more(client, count) && total == 0) {
        if (SSL_get_error(client->ssl, count) != SSL_ERROR_ZERO_RETURN)
            fail_by_tls("TLS failed");
        return 0;
    }
    flush(client); /* an answer to a key update */
    if (total == 0)
        errno = EAGAIN;
    return total > 0 ? (ssize_t)total : -1;
}

static void write_records(tls_client *client, const uint8_t *bytes, size_t length)
{
    while (length > 0) {
        size_t part = length < TLS_MOST_PLAINTEXT ? length : TLS_MOST_PLAINTEXT;
        tls_pipe_reserve(&channel, part + TLS_RECORD_OVERHEAD);
        channel.output_length += tls_records_seal(client->records, bytes, part, channel.output + channel.output_length);
        bytes += part;
        length -= part;
    }
}

ssize_t tls_send(tls_client *client, const void *bytes, size_t length, bool has_more)
{
    if (!flush_unsent(client))
        return -1;
    if (client->records != NULL)
        write_records(client, bytes, length);
    else if (length > 0 && SSL_write(client->ssl, bytes, (int)length) != (int)length)
        fail_by_tls("TLS does not send");
    if (!has_more)
        flush(client);
    return (ssize_t)length;
}

bool tls_has_unsent(const tls_client *client)
{
    return client->unsent_length > 0;
}

void tls_close(tls_client *client)
{
    SSL_free(client->ssl);
    tls_records_free(client->records);
    free(client->kept);
    free(client->unsent);
    free(client);
}
