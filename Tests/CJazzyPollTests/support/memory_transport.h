/*
 * A transport that keeps bytes in memory, in both directions, until the other side takes them. There still is a socket,
 * because a server accepts connections and watches descriptors, or, for a client that it adopts, a pipe or an eventfd;
 * but it is only a bell: a byte on it notifies that something may have changed. So readiness does not mean bytes, the
 * poll does not know of the bytes, and sending waits for the bell, too. Everything happens at random, controlled by a
 * seed, in small portions, after a handshake of several round trips; and it fails where a test says so.
 */
#ifndef JAZZY_TESTS_MEMORY_TRANSPORT_H
#define JAZZY_TESTS_MEMORY_TRANSPORT_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "jazzy.h"
#include "jazzy/transport.h"

typedef struct memory_wire memory_wire;
typedef struct memory_client memory_client;

/* The context of the transport. Unset fields are 0. */
typedef struct memory_network {
    uint64_t seed;
    size_t most_received; /* bytes of one call, at most; 0: no limit */
    size_t most_sent;
    size_t room;       /* bytes on their way to a client, at most; 0: 64 KiB */
    uint32_t steps;    /* of a handshake, at most: each wants an answer from the client */
    uint32_t contrary; /* of so many calls one has nothing after all, or wants to hear from the client first; 0: none */
    uint32_t failing;  /* of so many calls one is the last, for the connection is lost; 0: none */

    /*
     * How many of the `available` bytes are received, at most `capacity`; if none are available, any number but 0 means
     * that the end is found. 0: nothing yet, and this is called again at once. NULL: random.
     */
    size_t (*choose_received)(size_t available, size_t capacity);

    int alarm; /* an eventfd that is readable while memory_changed has somebody; 0: none */

    atomic_size_t opened; /* channels */
    atomic_size_t closed;
    atomic_size_t lost;

    pthread_mutex_t lock; /* of all that lies on wires */
    pthread_cond_t changed;
    memory_wire *wires;         /* that are to be found by a channel that is opened */
    memory_wire *changed_wires; /* first in, first out */
    memory_wire *last_changed;
} memory_network;

extern const jz_transport memory_transport;

/* The result of `failure` for channels that were lost because of `failing`. */
#define MEMORY_FAILURE "the memory has forgotten it"

/* With all fields up to alarm set. */
void memory_network_begin(memory_network *network);
void memory_network_end(memory_network *network);

/* A client's end of a wire. */
struct memory_client {
    memory_network *network;
    memory_wire *wire;
};

/* Connects to a port of 127.0.0.1 that listens with this network. False: it is refused. Close it in any case. */
bool memory_connect(memory_client *client, memory_network *network, uint16_t port);

/* What notifies a server of a client that it adopts, because it has no socket. */
typedef enum memory_bell_kind { MEMORY_BELL_EVENT, MEMORY_BELL_PIPE } memory_bell_kind;

/*
 * Gives the server a client, without a socket. False: it is refused. Close it in any case. With a pipe the signal
 * SIGPIPE has to be ignored.
 */
bool memory_adopt(memory_client *client, memory_network *network, jz_server *server, memory_bell_kind kind,
                  const char *remote_address, jz_error *error);

/* False: the server has closed the connection. */
bool memory_send(const memory_client *client, const void *bytes, size_t length);

/* Lets the server find the end of the stream behind the sent bytes. */
void memory_stop_sending(const memory_client *client);

/* Takes up to `capacity` received bytes. 0: there are none. */
size_t memory_receive(const memory_client *client, void *bytes, size_t capacity);

/* Copies up to `capacity` received bytes, and leaves them there. */
size_t memory_peek(const memory_client *client, void *bytes, size_t capacity);

/* How much the server has not received yet. */
size_t memory_on_its_way(const memory_client *client);

/* How much there is to take. */
size_t memory_waiting(const memory_client *client);

/* Nothing comes any more. */
bool memory_has_ended(const memory_client *client);

/* The server said so, and did not just close. */
bool memory_has_ended_in_order(const memory_client *client);

/* The server has closed the connection, or turned the client away. There still may be something to take. */
bool memory_is_closed(const memory_client *client);

/* The descriptor that is ready when a client is turned away; only to be watched. */
int memory_bell(const memory_client *client);

/*
 * A client for which the server may have done something since this returned it, or since it connected; NULL: there is
 * none. For one thread, which waits for the alarm; clients must stay at their addresses.
 */
memory_client *memory_changed(memory_network *network);

/* Lets memory_changed return the client again. */
void memory_change(const memory_client *client);

/* Waits until something may have changed, but not for long. */
void memory_wait(const memory_client *client);

void memory_close(memory_client *client);

#endif
