/*
 * A server whose route limits the rate of messages, with one client that sends numbered texts, and a handler that
 * checks their order. The tests advance the clock; a bystander shows that the loop has done what was due.
 */
#ifndef JAZZY_TESTS_PACED_H
#define JAZZY_TESTS_PACED_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "client.h"
#include "jazzy.h"
#include "loop/timer.h"
#include "memory_transport.h"
#include "session/buffer.h"

enum {
    PACED_STEP_MS = JZ_TICK_MS,
    PACED_LATE_MS = 2 * JZ_TICK_MS, /* a paused connection may be read so much later */
    PACED_LONG_MS = 3600 * 1000
};

typedef struct paced {
    jz_server *server;
    test_client peer;
    uint64_t passed_ms; /* since the start, by the clock */
    char path[64];      /* of the socket of the Unix domain */
    uint16_t memory_port;
    memory_network network; /* for clients in memory, at that port */

    /* What the handler has seen. */
    _Atomic uint64_t ws; /* of the last connection */
    atomic_size_t opens;
    atomic_size_t messages; /* texts and binaries */
    atomic_size_t breaks;   /* those that did not have the next number */
    atomic_size_t pings;    /* and pongs */
    atomic_size_t closes;
    atomic_int cause;
    atomic_bool is_held; /* in every message */
    atomic_size_t holds;
} paced;

/* One at a time, in a process. */
extern paced paced_server;

/* Where handlers run, and whether the client's bytes go through channels. */
typedef struct paced_manner {
    const char *name;
    jz_execution execution;
    bool has_channels;
} paced_manner;

enum { PACED_MANNERS = 4, ON_LOOP = 0, ON_WORKERS = 1 };
extern const paced_manner paced_manners[PACED_MANNERS];

/* The defaults, with this rate. */
jz_route_options paced_options(uint32_t per_second, uint32_t burst, jz_exceeding exceeding);

/* Starts the server, and opens the client. */
void paced_start(const paced_manner *manner, const jz_route_options *options);

/* All messages came in order, and all connections were closed. */
void paced_finish(void);

jz_statistics paced_statistics(void);

/* Returns when the loop has handled all that was there, and what it has found in kept input. */
void paced_let_turn(void);
void paced_advance(uint64_t by_ms);

/* Texts with these numbers; and sends them at once. */
jz_buffer paced_numbers(size_t first, size_t count);
void paced_send_numbers(size_t first, size_t count);

/* So many are handled in all, and no more. */
void paced_expect_messages(const char *name, size_t count);

/* The client receives a close frame. */
void paced_expect_close(uint16_t code, const char *reason);

#endif
