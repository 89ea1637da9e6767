/* A client that sends a stream and receives until the connection ends, both as far as the server allows. */
#ifndef JAZZY_CONFORMANCE_CLIENT_H
#define JAZZY_CONFORMANCE_CLIENT_H

#include "../../CJazzyPollTests/support/memory_transport.h"
#include "stream.h"

typedef struct client {
    int descriptor; /* -1 if it sends and receives in memory */
    memory_client memory;
    jz_buffer received;
    size_t sent;
    bool has_lost; /* the server took no more: it ended the connection with a reset */
    bool has_ended;
} client;

/*
 * Connects to a port of 127.0.0.1; with `network` not NULL through that, with `connect_otherwise` not NULL by that,
 * which returns a descriptor.
 */
client client_connect(uint16_t port, memory_network *network, int (*connect_otherwise)(uint16_t port));

/* Sends up to `length` bytes of the stream; then, if `finishes`, no more. Calls pieces_all_is_sent where that is all.
 */
void client_send(client *client, const jz_buffer *stream, size_t length, bool finishes);

/* Takes a response's head off, and copies it. False where none comes. */
bool client_take_head(client *client, char *head, size_t capacity);

/* Receives up to the end. False if that does not come before the deadline. */
bool client_take_all(client *client);

void client_close(client *client);

#endif
