/*
 * Measures whole servers: iterations of their loop, in each of which one client has sent something, or of its
 * visit. All of a server's
 * code from readiness to sending takes part, through jazzy.h alone; kernel.h replaces the kernel.
 */
#ifndef BENCH_INSTRUCTIONS_SERVED_H
#define BENCH_INSTRUCTIONS_SERVED_H

#include <jazzy.h>
#include <stdbool.h>
#include <stddef.h>

typedef struct served_scenario {
    const char *name;
    jz_handler handler;
    size_t clients;      /* that connect before the first iteration */
    size_t websockets;   /* how many of them are WebSockets by then; if none, each iteration makes the next one a
                            WebSocket */
    size_t length;       /* of a message's payload; not of a handshake */
    size_t messages;     /* of one turn */
    size_t sends;        /* how often the server must send per iteration: once for each connection that it answers */
    size_t sent;         /* how much that has to be; 0 where it is not looked at */
    const char *request; /* what the client behind the WebSockets sends in each iteration; NULL: a WebSocket sends */
    bool keeps_history;  /* of the topic to which is published */
    size_t calls;        /* system calls of a turn, which is a client's visit: it connects, becomes a WebSocket, and
                            closes; 0: a turn is anything else */
} served_scenario;

extern const served_scenario served_scenarios[];
extern const size_t served_scenario_count;

/* Ends the program; with 0 if every iteration had the expected result. */
_Noreturn void serve(const served_scenario *scenario, unsigned long turns);

#endif
