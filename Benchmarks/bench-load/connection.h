/* A client's connection: a socket, its handshake, and reading and sending on it. */
#ifndef JAZZY_BENCH_CONNECTION_H
#define JAZZY_BENCH_CONNECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "frame_reader.h"
#include "settings.h"
#include "tls_client.h"

typedef struct connection {
    int descriptor;
    tls_client *tls; /* NULL: without TLS */
    frame_reader reader;
    uint64_t unsent;   /* bytes that are to be sent */
    uint64_t position; /* of the next byte to be sent in the row of frames, within its period */
    size_t next;       /* the frame that is to be sent next */
    bool is_blocked;   /* the kernel takes no more for now */
    bool sends_apart;  /* each frame in a TLS record of its own */
} connection;

/* The text of a handshake request. */
size_t write_request(const settings *settings, char *request, size_t capacity);

/* A socket that connects to the server, from one of many loopback addresses so that ports do not run out. */
int begin_connecting(const settings *settings, size_t number);

/* Connects and opens a WebSocket, waiting for it; the socket does not block afterwards. Ends the program on failure. */
connection connection_open(const settings *settings, size_t number);

/* Begins with the `number`-th frame of the row, so that connections do not all send the same at the same time. */
void connection_begin_row(connection *connection, const frames *frames, size_t number);

/* As recv(). With TLS, all that the kernel has is to be received as plaintext at once: `capacity` is that of a fleet.
 */
ssize_t connection_receive(connection *connection, void *bytes, size_t capacity);

/*
 * As connection_receive without TLS, but of a frame only its header, or its first bytes, are received; what has come of
 * its payload behind them is discarded by the kernel (tcp(7), MSG_TRUNC). Adds to `*messages` how many are complete.
 */
ssize_t connection_discard(connection *connection, const expectation *expected, size_t *messages);

/* Has `count` more frames sent, as far as the kernel takes them now. */
void connection_send(connection *connection, const frames *frames, size_t count);

/* Closes the socket with a reset, so that nothing of it is left in the kernel. */
void connection_reset(connection *connection);

/* Raises this program's limit of descriptors as far as it may, and ends the program when `wanted` are too many. */
void need_descriptors(size_t wanted);

#endif
