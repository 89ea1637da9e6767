/*
 * compare.py runs this with valgrind to count the instructions of the library for messages over TLS, without OpenSSL's:
 * a whole server on simulated system calls, whose client is OpenSSL in the same process.
 *
 *     bench-instructions-tls SCENARIO TURNS
 *     bench-instructions-tls --list    the version of zlib, then each scenario and how many messages a turn of it
 * handles
 */
#include <jazzy.h>
#include <jazzy/tls.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "../bench-instructions/kernel.h"
#include "../common/client_frame.h"

typedef struct scenario {
    const char *name;
    size_t length;   /* bytes of a message */
    size_t messages; /* per turn, each in a record of its own */
    size_t sends;    /* that the server makes per turn */
} scenario;

static const scenario scenarios[] = {
    {"tls-echo-20B", 20, 1, 1},
    {"tls-echo-20B-32-records-per-read", 20, 32, 1},
    {"tls-echo-16000B", 16000, 1, 1},
};

/* In seconds since 1970: a time in which certificates are valid. */
#define NOW 1800000000L

enum { SCENARIOS = sizeof scenarios / sizeof scenarios[0], MOST_LENGTH = 16000, BINARY = 0x2 };

static const char request[] = "GET /echo HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                              "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

static const scenario *chosen;
static unsigned long turns, turns_left;
static SSL *client;
static BIO *received, *written; /* records that the client has yet to read, and those that it has written */
static bool has_connected, has_asked, is_open;
static size_t sends_before;
static const uint8_t *input; /* the records of all turns */
static size_t turn_length;

static void require(bool condition, const char *what)
{
    if (condition)
        return;
    fprintf(stderr, "bench-instructions-tls: %s; `make test-c` tells whether the library is broken\n", what);
    exit(2);
}

static void echo(void *context, jz_ws ws, const jz_event *event, const jz_message *message)
{
    (void)context;
    if (event->type == JZ_EVENT_MESSAGE)
        jz_ws_send(ws, message->kind, message->bytes, message->length);
}

/* --- The client ----------------------------------------------------------------------------------------------------
 */

static void take_sent(const void *bytes, size_t length)
{
    /* What comes back while it is measured is not read. */
    if (!is_open)
        BIO_write(received, bytes, (int)length);
}

/* Has the server receive what the client has written. */
static void send_written(void)
{
    char *bytes = NULL;
    long length = BIO_get_mem_data(written, &bytes);
    require(length > 0, "the handshake does not go on");
    static uint8_t sent[8192];
    require((size_t)length <= sizeof sent, "the client writes too much in its handshake");
    memcpy(sent, bytes, (size_t)length);
    BIO_reset(written);
    kernel_receive(0, sent, (size_t)length);
}

/* All records that will be sent, because the client's work is not to be measured. */
static void prepare_input(void)
{
    static const uint8_t payload[MOST_LENGTH] = "a message";
    static uint8_t frame[MOST_LENGTH + 16];
    for (unsigned long i = 0; i < turns * chosen->messages; i++) {
        size_t length = write_client_frame(frame, BINARY, 0, (const uint8_t[]){1, 2, 3, 4}, payload, chosen->length);
        require(SSL_write(client, frame, (int)length) == (int)length, "the client does not write");
    }
    char *bytes = NULL;
    turn_length = (size_t)BIO_get_mem_data(written, &bytes) / turns;
    input = (const uint8_t *)bytes;
}

static _Noreturn void finish(void)
{
    require(kernel_sent_so_far.calls - sends_before == turns * chosen->sends,
            "the server did not send as often as it had to");
    exit(0);
}

static void open_websocket(void)
{
    char response[1024] = "";
    if (!has_asked) {
        has_asked = SSL_do_handshake(client) == 1;
        if (has_asked)
            SSL_write(client, request, sizeof request - 1);
        send_written();
        return;
    }
    SSL_read(client, response, sizeof response - 1);
    require(strncmp(response, "HTTP/1.1 101", 12) == 0, "the handshake makes no WebSocket");
    is_open = true;
    sends_before = kernel_sent_so_far.calls;
    prepare_input();
}

static void go_on(void)
{
    if (!has_connected) {
        has_connected = true;
        kernel_connect(1);
        return;
    }
    if (!is_open)
        open_websocket();
    if (!is_open)
        return;
    if (turns_left == 0)
        finish();
    kernel_receive(0, input + (turns - turns_left--) * turn_length, turn_length);
}

static void prepare_client(void)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    require(context != NULL && SSL_CTX_set_ciphersuites(context, "TLS_AES_128_GCM_SHA256") == 1,
            "OpenSSL does not start");
    client = SSL_new(context);
    received = BIO_new(BIO_s_mem());
    written = BIO_new(BIO_s_mem());
    require(client != NULL && received != NULL && written != NULL, "there is no memory");
    SSL_set_bio(client, received, written);
    SSL_set_connect_state(client);
}

/* --- The server ----------------------------------------------------------------------------------------------------
 */

/* A key and its certificate in PEM, which is to be made: one in a file would expire. */
static const char *make_certificate(size_t *length)
{
    X509 *certificate = X509_new();
    EVP_PKEY *key = EVP_EC_gen("P-256");
    BIO *pem = BIO_new(BIO_s_mem());
    X509_NAME *name = X509_get_subject_name(certificate);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"localhost", -1, -1, 0);
    X509_set_version(certificate, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
    X509_set_issuer_name(certificate, name);
    ASN1_TIME_set(X509_getm_notBefore(certificate), NOW - 3600);
    ASN1_TIME_set(X509_getm_notAfter(certificate), NOW + 90L * 24 * 3600);
    X509_set_pubkey(certificate, key);
    require(X509_sign(certificate, key, EVP_sha256()) > 0 && PEM_write_bio_X509(pem, certificate) == 1 &&
                PEM_write_bio_PrivateKey(pem, key, NULL, NULL, 0, NULL, NULL) == 1,
            "OpenSSL makes no certificate");
    char *bytes = NULL;
    *length = (size_t)BIO_get_mem_data(pem, &bytes);
    return bytes;
}

static _Noreturn void serve(void)
{
    jz_error error = {0};
    jz_tls_certificate certificate = {0};
    certificate.certificate = make_certificate(&certificate.certificate_length);
    jz_tls_options tls_options = jz_tls_options_default();
    tls_options.certificates = &certificate;
    tls_options.certificate_count = 1;
    jz_tls *tls = jz_tls_create(&tls_options, &error);
    require(tls != NULL, error.message);
    jz_options options = jz_options_default();
    options.threads = 1;
    const jz_listen_options listening = {.transport = jz_tls_transport(), .transport_context = tls};
    jz_server *server = jz_server_create(&options, &error);
    require(server != NULL && jz_server_route_ws(server, "/echo", NULL, echo, NULL, &error) == JZ_OK &&
                jz_server_listen_with(server, "127.0.0.1", 0, &listening, &error) == JZ_OK &&
                jz_server_run(server, &error) == JZ_OK,
            error.message);
    require(false, "the server stopped by itself");
    exit(2);
}

int main(int count, char **arguments)
{
    if (count == 2 && strcmp(arguments[1], "--list") == 0) {
        printf("zlib %s\n", zlibVersion());
        for (size_t i = 0; i < SCENARIOS; i++)
            printf("%s %zu\n", scenarios[i].name, scenarios[i].messages);
        return 0;
    }
    for (size_t i = 0; count == 3 && i < SCENARIOS; i++) {
        if (strcmp(arguments[1], scenarios[i].name) == 0)
            chosen = &scenarios[i];
    }
    turns = turns_left = count == 3 ? strtoul(arguments[2], NULL, 10) : 0;
    if (chosen == NULL || turns == 0 || turns > 10000) {
        fprintf(stderr, "usage: bench-instructions-tls SCENARIO TURNS, or bench-instructions-tls --list\n");
        return 2;
    }
    kernel_now = NOW;
    kernel_waits = go_on;
    kernel_sends = take_sent;
    prepare_client();
    serve();
}
