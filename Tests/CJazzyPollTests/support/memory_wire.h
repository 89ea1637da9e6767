/* The data between the two ends of a wire: memory_transport.c is the server's end, memory_client.c the client's. */
#ifndef JAZZY_TESTS_MEMORY_WIRE_H
#define JAZZY_TESTS_MEMORY_WIRE_H

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "memory_transport.h"
#include "session/buffer.h"

/* Bytes in transit, from `start` on. */
typedef struct memory_lane {
    jz_buffer bytes;
    size_t start;
    bool has_ended; /* nothing follows */
} memory_lane;

/* Guarded by the network's lock. */
struct memory_wire {
    memory_wire *next;
    struct sockaddr_in address; /* the client's, by which a channel finds it */
    int descriptor;             /* or the server's descriptor, which it has adopted, by which it does; else -1 */
    bool is_event;              /* it is an eventfd, of which both ends are one: none can hang up */
    int bell;                   /* the client's socket, or other end; -1 when it has gone */
    bool is_found;              /* a channel has it */
    bool is_closed;             /* by the server */
    bool wants_room;            /* the channel waits until the client has taken something */
    size_t questions;           /* that the client has not answered: a ring answers them */
    memory_client *client;      /* whose end this is, where its network has an alarm */
    memory_wire *next_changed;
    bool is_changed; /* it is in the list of these */
    memory_lane to_server;
    memory_lane to_client;
};

enum { KEPT_BY_A_LANE = 8192 };

/* For threads of servers, too, on which no test may assert. */
static inline void memory_require(bool condition, const char *what)
{
    if (condition)
        return;
    fprintf(stderr, "memory transport: %s\n", what);
    abort();
}

static inline size_t memory_lane_waiting(const memory_lane *lane)
{
    return lane->bytes.length - lane->start;
}

static inline void memory_lane_put(memory_lane *lane, const void *bytes, size_t length)
{
    if (lane->start > memory_lane_waiting(lane)) { /* so that a lane is not longer than twice what waits */
        memmove(lane->bytes.bytes, lane->bytes.bytes + lane->start, memory_lane_waiting(lane));
        lane->bytes.length -= lane->start;
        lane->start = 0;
    }
    memory_require(jz_buffer_append(&lane->bytes, bytes, length), "the test has memory");
}

static inline void memory_lane_take(memory_lane *lane, void *bytes, size_t length)
{
    if (length > 0)
        memcpy(bytes, lane->bytes.bytes + lane->start, length);
    lane->start += length;
    if (lane->start < lane->bytes.length)
        return;
    lane->start = lane->bytes.length = 0;
    if (lane->bytes.capacity > KEPT_BY_A_LANE)
        jz_buffer_free(&lane->bytes);
}

/* The server's end has changed something: who waits for that is told. With the lock. */
static inline void memory_wire_changed(memory_network *network, memory_wire *wire)
{
    const uint64_t one = 1;
    pthread_cond_broadcast(&network->changed);
    if (network->alarm == 0 || wire->bell < 0 || wire->is_changed)
        return;
    wire->is_changed = true;
    wire->next_changed = NULL;
    if (network->changed_wires == NULL)
        memory_require(write(network->alarm, &one, sizeof one) == sizeof one, "the alarm rings");
    *(network->changed_wires == NULL ? &network->changed_wires : &network->last_changed->next_changed) = wire;
    network->last_changed = wire;
}

/* Both ends have gone. */
static inline void memory_wire_free(memory_wire *wire)
{
    jz_buffer_free(&wire->to_server.bytes);
    jz_buffer_free(&wire->to_client.bytes);
    free(wire);
}

#endif
