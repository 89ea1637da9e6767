#define _DEFAULT_SOURCE

#include "support/wire.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <poll.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/authority.h"
#include "support/openssl_memory.h"
#include "support/testing.h"

enum { CAPACITY = 64 * 1024, MOST_TURNS = 100 * 1000, MOST_STEPS = 100 };

jz_tls *wire_tls_for_clients_of(const made *authority)
{
    jz_error error;
    made own = authority_make(&(plan){.common_name = "localhost", .names = "DNS:localhost"});
    const char *chain = pem_of_certificates(&own, NULL, NULL);
    const char *key = pem_of_key(&own, NULL);
    const jz_tls_certificate certificate = {
        .certificate = chain, .certificate_length = strlen(chain), .key = key, .key_length = strlen(key)};
    jz_tls_options options = jz_tls_options_default();
    options.certificates = &certificate;
    options.certificate_count = 1;
    if (authority != NULL) {
        options.clients = JZ_TLS_CLIENTS_MUST_IDENTIFY;
        options.client_ca = pem_of_certificates(authority, NULL, NULL);
        options.client_ca_length = strlen(options.client_ca);
    }
    jz_tls *tls = jz_tls_create(&options, &error);
    assert_that(tls != NULL, "%s", error.message);
    return tls;
}

jz_tls *wire_tls(void)
{
    return wire_tls_for_clients_of(NULL);
}

void wire_tls_free(jz_tls *tls)
{
    jz_tls_free(tls);
    authority_forget();
}

/* The line of a key log: a label, the client's random bytes, a secret. */
static void note_secret(const SSL *client, const char *line)
{
    static const char label[] = "CLIENT_TRAFFIC_SECRET_0 ";
    wire *wire = SSL_get_app_data(client);
    if (strncmp(line, label, sizeof label - 1) != 0)
        return;
    const char *digits = strrchr(line, ' ') + 1;
    for (size_t i = 0; i < sizeof wire->secret && strlen(digits) >= 2 * sizeof wire->secret; i++) {
        unsigned byte = 0;
        sscanf(digits + 2 * i, "%2x", &byte);
        wire->secret[i] = (uint8_t)byte;
    }
}

static void note_alert(const SSL *client, int where, int alert)
{
    wire *wire = SSL_get_app_data(client);
    if ((where & SSL_CB_READ_ALERT) == SSL_CB_READ_ALERT)
        wire->alert = alert & 0xFF;
}

static SSL_CTX *new_context(const wire_plan *plan)
{
    SSL_CTX *context = SSL_CTX_new_ex(plan->library, NULL, TLS_client_method());
    assert_non_null(context);
    SSL_CTX_set_min_proto_version(context, plan->version);
    SSL_CTX_set_max_proto_version(context, plan->version);
    if (plan->protocols != NULL)
        SSL_CTX_set_alpn_protos(context, (const unsigned char *)plan->protocols, (unsigned)strlen(plan->protocols));
    if (plan->suites != NULL)
        assert_int_equal(SSL_CTX_set_cipher_list(context, plan->suites), 1);
    assert_int_equal(
        SSL_CTX_set_ciphersuites(context, plan->suites_1_3 != NULL ? plan->suites_1_3 : "TLS_AES_128_GCM_SHA256"), 1);
    if (plan->identity != NULL)
        assert_int_equal(SSL_CTX_use_cert_and_key(context, plan->identity->certificate, plan->identity->key, NULL, 1),
                         1);
    if (plan->longest_fragment != 0)
        SSL_CTX_set_tlsext_max_fragment_length(context, plan->longest_fragment);
    SSL_CTX_set_info_callback(context, note_alert);
    SSL_CTX_set_keylog_callback(context, note_secret);
    return context;
}

void wire_open(wire *wire, jz_tls *tls, const wire_plan *plan)
{
    static const wire_plan defaults;
    int ends[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    for (int i = 0; i < 2; i++)
        fcntl(ends[i], F_SETFL, O_NONBLOCK);
    memset(wire, 0, offsetof(struct wire, at_server));
    wire->plan = plan != NULL ? *plan : defaults;
    wire->server = ends[0];
    wire->peer = ends[1];
    if (wire->plan.send_buffer > 0)
        setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &wire->plan.send_buffer, sizeof wire->plan.send_buffer);
    wire->context = new_context(&wire->plan);
    wire->client = SSL_new(wire->context);
    assert_non_null(wire->client);
    SSL_set_app_data(wire->client, wire);
    SSL_set_bio(wire->client, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    BIO_set_mem_eof_return(SSL_get_rbio(wire->client), -1);
    SSL_set_connect_state(wire->client);
    wire->channel =
        jz_tls_transport()->open(tls, wire->server, (const uint8_t *)wire->plan.early, wire->plan.early_length);
    assert_non_null(wire->channel);
    wire->has_more = wire->plan.early_length > 0;
}

void wire_close(wire *wire)
{
    jz_tls_transport()->close(wire->channel);
    close(wire->server);
    if (wire->peer >= 0)
        close(wire->peer);
    SSL_set_quiet_shutdown(wire->client, 1);
    SSL_free(wire->client);
    SSL_CTX_free(wire->context);
    ERR_clear_error();
}

size_t wire_take(wire *wire)
{
    int length = BIO_read(SSL_get_wbio(wire->client), wire->taken, WIRE_SIZE);
    return length > 0 ? (size_t)length : 0;
}

bool wire_put(wire *wire, const void *bytes, size_t length)
{
    const uint8_t *rest = bytes;
    while (length > 0) {
        ssize_t count = send(wire->peer, rest, length, MSG_NOSIGNAL);
        if (count < 0 && (errno != EAGAIN || wire->is_lost))
            return false;
        if (count < 0)
            wire_serve(wire, JZ_READABLE);
        rest += count > 0 ? count : 0;
        length -= count > 0 ? (size_t)count : 0;
    }
    return true;
}

void wire_stop_sending(wire *wire)
{
    shutdown(wire->peer, SHUT_WR);
}

void wire_hang_up(wire *wire)
{
    close(wire->peer);
    wire->peer = -1;
}

static size_t read_from(wire *wire, void *bytes, size_t capacity, int flags)
{
    ssize_t count = recv(wire->peer, bytes, capacity, flags);
    wire->socket_has_ended = count == 0;
    return count > 0 ? (size_t)count : 0;
}

size_t wire_read(wire *wire, void *bytes, size_t capacity)
{
    return read_from(wire, bytes, capacity, 0);
}

size_t wire_peek(wire *wire, void *bytes, size_t capacity)
{
    return read_from(wire, bytes, capacity, MSG_PEEK);
}

void wire_pass_on(wire *wire)
{
    size_t length = wire_take(wire);
    wire_put(wire, wire->taken, length);
}

/* Gives the client what has arrived. */
static void deliver(wire *wire)
{
    uint8_t bytes[16 * 1024];
    size_t count;
    while ((count = wire_read(wire, bytes, sizeof bytes)) > 0)
        assert_int_equal(BIO_write(SSL_get_rbio(wire->client), bytes, (int)count), count);
}

void wire_client_step(wire *wire)
{
    deliver(wire);
    SSL_do_handshake(wire->client);
    ERR_clear_error();
}

void wire_client_receive(wire *wire)
{
    size_t length;
    deliver(wire);
    while (SSL_read_ex(wire->client, wire->at_client + wire->seen, WIRE_SIZE - wire->seen, &length) == 1)
        wire->seen += length;
    wire->client_is_told = (SSL_get_shutdown(wire->client) & SSL_RECEIVED_SHUTDOWN) != 0;
    ERR_clear_error();
}

void wire_client_send(wire *wire, const void *bytes, size_t length)
{
    size_t written;
    assert_int_equal(SSL_write_ex(wire->client, bytes, length, &written), 1);
    wire_pass_on(wire);
}

void wire_shake_hands(wire *wire)
{
    for (int i = 0; i < MOST_STEPS && !(wire->is_ready && SSL_is_init_finished(wire->client)) && !wire->is_lost; i++) {
        wire_client_step(wire);
        wire_pass_on(wire);
        wire_serve(wire, JZ_READABLE);
    }
    wire_client_receive(wire); /* tickets, or an alert */
}

void wire_open_and_shake_hands(wire *wire, jz_tls *tls, const wire_plan *plan)
{
    wire_open(wire, tls, plan);
    wire_shake_hands(wire);
    assert_that(wire->is_ready, "no handshake: %s", wire_failure(wire));
}

/* What the server does begins, or ends. */
static void watch(const wire *wire, bool begins)
{
    if (wire->watches_allocations)
        openssl_memory_watch(begins);
}

jz_io wire_send(wire *wire, const void *bytes, size_t length, bool is_last, size_t *sent)
{
    const jz_piece piece = {bytes, length};
    *sent = 0;
    watch(wire, true);
    jz_io result = jz_tls_transport()->send(wire->channel, &piece, length > 0 ? 1 : 0, is_last, sent);
    watch(wire, false);
    wire->is_lost = result == JZ_IO_BROKEN;
    return result;
}

static void receive(wire *wire)
{
    size_t capacity = wire->plan.capacity > 0 ? wire->plan.capacity : CAPACITY;
    size_t received = 0;
    bool has_more = false;
    assert_true(WIRE_SIZE - wire->received >= capacity);
    wire->last =
        jz_tls_transport()->receive(wire->channel, wire->at_server + wire->received, capacity, &received, &has_more);
    assert_true(received <= capacity && (wire->last == JZ_IO_OK) == (received > 0));
    wire->received += received;
    wire->receipts += received > 0 ? 1 : 0;
    wire->has_more = wire->last == JZ_IO_OK && has_more;
    wire->is_lost = wire->last == JZ_IO_BROKEN;
}

/* What the socket is ready for, of what the channel wants. */
static unsigned ready_for(const wire *wire, unsigned wanted)
{
    unsigned watched = jz_tls_transport()->interest(wire->channel, wanted);
    struct pollfd polled = {.fd = wire->server};
    polled.events = (short)((watched & JZ_READABLE ? POLLIN : 0) | (watched & JZ_WRITABLE ? POLLOUT : 0));
    poll(&polled, 1, 0);
    if ((polled.revents & (POLLHUP | POLLERR)) != 0)
        return watched != 0 ? JZ_READABLE | JZ_WRITABLE : 0;
    return (polled.revents & POLLIN ? JZ_READABLE : 0u) | (polled.revents & POLLOUT ? JZ_WRITABLE : 0u);
}

/* Where it was ready for input, and is to be told of new input alone, nothing is left of what was there. */
static void check_promise(const wire *wire)
{
    int left = 0;
    if (wire->is_lost || (jz_tls_transport()->interest(wire->channel, JZ_READABLE) & JZ_ONCE) == 0)
        return;
    assert_int_equal(ioctl(wire->server, FIONREAD, &left), 0);
    assert_that(left == 0, "%d bytes are left, of which it would not be told again", left);
}

unsigned wire_serve(wire *wire, unsigned wanted)
{
    unsigned may = 0;
    for (int i = 0; i < MOST_TURNS && !wire->is_lost && wire->last != JZ_IO_ENDED; i++) {
        unsigned what = ready_for(wire, wanted);
        bool goes_on = wire->has_more && (!wire->is_ready || (wanted & JZ_READABLE) != 0);
        if (what == 0 && !goes_on)
            return may;
        if (!wire->is_ready)
            wire->has_more = false;
        watch(wire, true);
        if (what != 0 || !wire->is_ready)
            may = jz_tls_transport()->ready(wire->channel, what != 0 ? what : JZ_READABLE);
        watch(wire, false);
        wire->is_lost = may == JZ_LOST;
        wire->is_ready = wire->is_ready || (may != 0 && !wire->is_lost);
        if (!wire->is_lost && wire->is_ready && (goes_on || (may & JZ_READABLE) != 0)) {
            if ((wanted & JZ_READABLE) != 0)
                receive(wire);
            else
                wire->has_more = true;
        }
        if ((what & JZ_READABLE) != 0)
            check_promise(wire);
        if ((wanted & JZ_READABLE) == 0 && (may & JZ_WRITABLE) != 0)
            return may;
    }
    return may;
}

const char *wire_failure(const wire *wire)
{
    const char *why = jz_tls_transport()->failure(wire->channel);
    return why != NULL ? why : "";
}
