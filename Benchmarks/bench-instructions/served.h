/*
 * What is counted of whole servers: turns of their loop, in each of which one client has sent something. From what is
 * ready to what is sent, all of a server's code takes part, and nothing of it is named here but what jazzy.h has; the
 * kernel is kernel.h's.
 */
#ifndef BENCH_INSTRUCTIONS_SERVED_H
#define BENCH_INSTRUCTIONS_SERVED_H

#include <jazzy.h>
#include <stddef.h>

typedef struct served_scenario {
    const char *name;
    jz_handler handler;
    size_t clients;    /* that are connected before the first turn */
    size_t websockets; /* so many of them are one by then; where none is, each turn makes one of the next */
    size_t length;     /* of a message's payload; not of a handshake */
    size_t messages;   /* of one turn */
    size_t sends;      /* how often the server has to send in a turn: once for each connection it answers */
    size_t sent;       /* how much that has to be; 0 where it is not looked at */
} served_scenario;

extern const served_scenario served_scenarios[];
extern const size_t served_scenario_count;

/* Ends the program: with 0 where every turn has brought what it had to. */
_Noreturn void serve(const served_scenario *scenario, unsigned long turns);

#endif
