/*
 * A channel, and OpenSSL's client at the other end of its socket, both driven by the test in one thread. The server's
 * part is played as jazzy/transport.h says. What the client writes lies on the wire until the test passes it on, so
 * that it can be cut and changed.
 */
#ifndef JAZZY_TLS_TESTS_WIRE_H
#define JAZZY_TLS_TESTS_WIRE_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "jazzy/tls.h"
#include "jazzy/transport.h"
#include "support/authority.h"

typedef struct wire_plan {
    int version;       /* of TLS; 0: any */
    const char *early; /* bytes behind a PROXY header */
    size_t early_length;
    int send_buffer;       /* of the server's socket, in bytes; 0: the kernel's default */
    size_t capacity;       /* of the server's receive buffer; 0: 64 KiB */
    const char *protocols; /* ALPN */
    const char *suites;    /* of TLS 1.2 */
    const char *suites_1_3;
    const made *identity;     /* of the client */
    OSSL_LIB_CTX *library;    /* of the client; NULL: the default one */
    uint8_t longest_fragment; /* TLSEXT_max_fragment_length_...; 0: not limited */
} wire_plan;

enum { WIRE_SIZE = 1536 * 1024 /* bytes in each direction, in a test */ };

typedef struct wire {
    wire_plan plan;
    int server; /* the sockets */
    int peer;
    void *channel;
    SSL_CTX *context;
    SSL *client;
    bool is_ready; /* the channel's handshake is done */
    bool is_lost;
    bool has_more;
    jz_io last;          /* of receiving: OK where nothing else came */
    size_t received;     /* by the server, in `at_server` */
    size_t receipts;     /* calls that received something */
    size_t seen;         /* by the client, in `at_client` */
    bool client_is_told; /* close_notify was seen */
    bool socket_has_ended;
    int alert;                /* of the server; 0: none */
    bool watches_allocations; /* those of OpenSSL for the channel: see openssl_memory.h */
    uint8_t secret[32];       /* of the client, in TLS 1.3 with SHA-256 */
    uint8_t at_server[WIRE_SIZE];
    uint8_t at_client[WIRE_SIZE];
    uint8_t taken[WIRE_SIZE]; /* off the wire */
} wire;

/* With the certificate and key of every test here; the second also wants a client's certificate of that authority. */
jz_tls *wire_tls(void);
jz_tls *wire_tls_for_clients_of(const made *authority);
void wire_tls_free(jz_tls *tls);

/* `plan` NULL: all zero. */
void wire_open(wire *wire, jz_tls *tls, const wire_plan *plan);
void wire_close(wire *wire);

/* Both ends make their handshake. */
void wire_shake_hands(wire *wire);
void wire_open_and_shake_hands(wire *wire, jz_tls *tls, const wire_plan *plan);

/* One step of the client's handshake; what it writes is on the wire. */
void wire_client_step(wire *wire);

/* Takes what the client has written off the wire, to `taken`. Returns its length. */
size_t wire_take(wire *wire);

/* Sends bytes to the server, as they are. False: the channel was lost before it took them. */
bool wire_put(wire *wire, const void *bytes, size_t length);

/* The client's socket sends no more; and is closed. */
void wire_stop_sending(wire *wire);
void wire_hang_up(wire *wire);

/* What has arrived at the client's socket, as it is: reads it, or leaves it there. Returns its length. */
size_t wire_read(wire *wire, void *bytes, size_t capacity);
size_t wire_peek(wire *wire, void *bytes, size_t capacity);

/* Sends what the client has written. */
void wire_pass_on(wire *wire);

/* The client encrypts bytes, and sends the records. */
void wire_client_send(wire *wire, const void *bytes, size_t length);

/* The client receives what there is. */
void wire_client_receive(wire *wire);

/* Sends by the channel, as a transport's `send`, which this calls. */
jz_io wire_send(wire *wire, const void *bytes, size_t length, bool is_last, size_t *sent);

/* Calls the channel as a server does, as long as there is something to do. Returns the last result of `ready`. */
unsigned wire_serve(wire *wire, unsigned wanted);

/* Why the channel was lost; "": it does not say. */
const char *wire_failure(const wire *wire);

#endif
