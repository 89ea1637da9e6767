/*
 * TLS on a client's connections: handshakes by OpenSSL, records by OpenSSL or, to measure messages of TLS 1.3, by
 * tls_records.h. The functions that receive and send are as recv() and send() are.
 */
#ifndef JAZZY_BENCH_TLS_CLIENT_H
#define JAZZY_BENCH_TLS_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "settings.h"

typedef struct tls_client tls_client;

/* Once, before the first connection. All use the same suite and group, so that servers are not compared by theirs. */
void tls_prepare(const settings *settings);

/* On a socket, which may block or not. */
tls_client *tls_open(int descriptor);

/*
 * Goes on with the handshake, on a socket that blocks until it is done. Returns whether it is; if not, the socket has
 * to become readable, or writable if tls_has_unsent(). Ends the program if the handshake fails, or if a session is not
 * resumed that should be.
 */
bool tls_shake_hands(tls_client *client);

/*
 * Receives once, and returns the content of all records that are complete; -1 with EAGAIN if there is none. `capacity`
 * is at least TLS_LEAST_CAPACITY.
 */
enum { TLS_LEAST_CAPACITY = 64 * 1024 };
ssize_t tls_receive(tls_client *client, void *bytes, size_t capacity);

/*
 * Accepts all of the bytes, unless earlier ones are unsent: then -1 with EAGAIN. `has_more`: it is called again at
 * once, and what this call writes is sent then.
 */
ssize_t tls_send(tls_client *client, const void *bytes, size_t length, bool has_more);

/* What was accepted and not taken by the kernel, which tls_send with a length of 0 tries again. */
bool tls_has_unsent(const tls_client *client);

/* Does not close the socket. */
void tls_close(tls_client *client);

#endif
