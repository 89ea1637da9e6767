/* A client that has opened its WebSocket, and what goes before messages in Socket.IO. */
#ifndef JAZZY_BENCH_PARTY_H
#define JAZZY_BENCH_PARTY_H

#include <stddef.h>
#include <stdint.h>

#include "connection.h"
#include "frame_reader.h"
#include "task.h"

/* A message as it is sent, and the same as its payload is received. */
typedef struct parcel {
    uint8_t *frames; /* `depth` times the same masked frame */
    size_t length;
    uint8_t *payload;
    size_t payload_length;
} parcel;

parcel parcel_create(const task *task);
void parcel_destroy(parcel *parcel);

/* Opens a WebSocket, and joins Socket.IO where the task says so. `number` chooses the address that it comes from. */
connection party_join(const task *task, uint16_t port, const char *path, size_t number);

/* Sends all messages of a parcel at once. */
void party_send(const connection *party, const parcel *parcel);

/* Receives once, if there is something. Returns how many messages that completes. */
size_t party_receive(connection *party, const expectation *expected);

/* Publishes until every receiver hears it, and until all of that has come: servers answer handshakes before Redis knows
   what their clients want. */
void party_await_topics(const task *task, const connection *publisher, connection *receivers, size_t count);

#endif
