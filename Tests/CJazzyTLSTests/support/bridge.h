/*
 * A way over TLS for clients that know plain sockets: what they send to one end of a socket pair goes encrypted to a
 * server, and back, on a thread of the bridge's own. Ends go through it in both directions, too.
 */
#ifndef JAZZY_TLS_TESTS_BRIDGE_H
#define JAZZY_TLS_TESTS_BRIDGE_H

#include <openssl/ssl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "support/client.h"

enum { BRIDGE_SIZE = 64 * 1024 };

typedef struct bridge {
    pthread_t thread;
    int plain; /* the bridge's end */
    int descriptor;
    SSL *ssl;
    size_t to_plain; /* bytes of `decrypted` that wait */
    size_t to_server;
    atomic_bool is_cutting; /* set by the test: when the client ends, the server is not told */
    bool plain_has_ended;
    bool socket_has_ended;
    bool server_has_ended; /* and all that it sent is decrypted */
    atomic_bool has_told;  /* the server that the client has ended, and all is sent */
    atomic_bool was_told;  /* of the end, by close_notify */
    atomic_int alert;      /* that the server has sent, and close_notify is 0; -1: none */
    uint8_t decrypted[BRIDGE_SIZE];
    uint8_t encrypted[2 * BRIDGE_SIZE];
} bridge;

/* A context of clients that believe every certificate. To be freed. */
SSL_CTX *bridge_context(void);

/* Connects to a port of 127.0.0.1. `early` is sent in plain text before. Returns the client's end. */
int bridge_begin(bridge *bridge, SSL_CTX *context, uint16_t port, const char *early);

/* After the client has closed its end. */
void bridge_end(bridge *bridge);

/* The same for a client of the core's tests. */
void bridge_connect(bridge *bridge, SSL_CTX *context, test_client *client, uint16_t port);

#endif
