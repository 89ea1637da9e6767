/* Many connections and the waiting for them. */
#ifndef JAZZY_BENCH_FLEET_H
#define JAZZY_BENCH_FLEET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>

#include "connection.h"
#include "frame_reader.h"

enum { FLEET_READY = 1024, FLEET_BUFFER = 512 * 1024 };

typedef struct fleet {
    connection *connections;
    size_t count;
    int epoll;
    bool is_awake;    /* while it waits, it looks again and again instead of sleeping */
    uint64_t idle_ns; /* of CPU time, in which it has looked in vain */
    int ready_count;
    struct epoll_event ready[FLEET_READY];
    uint8_t buffer[FLEET_BUFFER];
} fleet;

/*
 * Opens `count` connections, numbered from `first`. With messages from 32 KiB on, unless they are compressed or
 * encrypted, it stays awake: it is about as quick as the servers then, and whichever of them is quicker waits for the
 * other, but to wake a client that sleeps is work of the server's, which it does not have where the client is another
 * machine.
 */
fleet *fleet_open(const settings *settings, size_t first, size_t count);

/* Resets all of them. */
void fleet_close(fleet *fleet);

/* Waits until some are ready and returns how many. Ends the program when nothing happens for ten seconds. */
int fleet_wait(fleet *fleet);

/* The same without waiting: there may be none. */
int fleet_look(fleet *fleet);

/* The index of the `number`-th ready connection. */
size_t fleet_ready(const fleet *fleet, int number);

/* For the time before measuring: the first of the messages, each byte of it. */
expectation fleet_expects(const settings *settings, const frames *frames);

/* For measuring: nothing is compared, and of such large messages the kernel discards the payload. */
expectation fleet_expects_nothing(const settings *settings);

/*
 * Receives once on a connection that is ready. Returns how many messages that completed, and adds the bytes received to
 * `*received`. Ends the program when the server has ended the connection.
 */
size_t fleet_receive(fleet *fleet, size_t index, const expectation *expected, uint64_t *received);

/* Sends `count` more frames on a connection, or the rest of earlier ones where it is 0, and watches for writability. */
void fleet_send(fleet *fleet, size_t index, const frames *frames, size_t count);

#endif
