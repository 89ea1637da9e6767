/*
 * A transport without sockets: what a client sends lies in memory until the server's channel takes it, and the other
 * way round. A socket there is nevertheless, for a server accepts connections, and watches descriptors; it only rings:
 * a byte says that something may have changed. So readiness means another thing than bytes, bytes lie where no poll
 * looks, and who wants to send waits for the bell, too. All of it happens by chance and by seed, in little portions,
 * after a handshake of several round trips, and it fails where a test wants it.
 */
#ifndef JAZZY_TESTS_MEMORY_TRANSPORT_H
#define JAZZY_TESTS_MEMORY_TRANSPORT_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "jazzy/transport.h"

typedef struct memory_wire memory_wire;

/* What lies between a server and its clients: the context of the transport. What is not set is 0. */
typedef struct memory_network {
    uint64_t seed;
    size_t most_received; /* bytes of one call, at most; 0: no limit */
    size_t most_sent;
    size_t room;       /* bytes on their way to a client, at most; 0: 64 KiB */
    uint32_t steps;    /* of a handshake, at most: each wants an answer from the client */
    uint32_t contrary; /* of so many calls one has nothing after all, or wants to hear from the client first; 0: none */
    uint32_t failing;  /* of so many calls one is the last, for the connection is lost; 0: none */

    /*
     * What is received: how many of the `available` bytes, at most `capacity`; where none are available whether the
     * end is found, for any number but 0. 0: nothing yet, and this is called again at once. NULL: by chance.
     */
    size_t (*choose_received)(size_t available, size_t capacity);

    atomic_size_t opened; /* channels */
    atomic_size_t closed;
    atomic_size_t lost;

    pthread_mutex_t lock; /* of all that lies on wires */
    pthread_cond_t changed;
    memory_wire *wires; /* that are to be found by a channel that is opened */
} memory_network;

extern const jz_transport memory_transport;

/* What `failure` says of those that were lost because of `failing`. */
#define MEMORY_FAILURE "the memory has forgotten it"

/* With all fields up to choose_received set. */
void memory_network_begin(memory_network *network);
void memory_network_end(memory_network *network);

/* A client's end of a wire. */
typedef struct memory_client {
    memory_network *network;
    memory_wire *wire;
} memory_client;

/* Connects to a port of 127.0.0.1 that listens with this network. False: it is refused. */
bool memory_connect(memory_client *client, memory_network *network, uint16_t port);

/* False: the server has closed the connection. */
bool memory_send(const memory_client *client, const void *bytes, size_t length);

/* The server is to find the end behind what was sent. */
void memory_stop_sending(const memory_client *client);

/* Takes what has come, up to `capacity` bytes. 0: nothing has. */
size_t memory_receive(const memory_client *client, void *bytes, size_t capacity);

/* How much there is to take. */
size_t memory_waiting(const memory_client *client);

/* Nothing comes any more. */
bool memory_has_ended(const memory_client *client);

/* The server said so, and did not just close. */
bool memory_has_ended_in_order(const memory_client *client);

/* Waits until something may have changed, but not for long. */
void memory_wait(const memory_client *client);

void memory_close(memory_client *client);

#endif
