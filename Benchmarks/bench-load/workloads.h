/* The workloads. Each runs, prints its measurement, and ends the program where the server fails it. */
#ifndef JAZZY_BENCH_WORKLOADS_H
#define JAZZY_BENCH_WORKLOADS_H

#include "settings.h"

/* Messages that come back, so many in flight on each connection all the time. */
void run_echo(const settings *settings);

/* Messages that go to everyone: the next ones are published when the last have come everywhere. */
void run_fan_out(const settings *settings);

/* Idle connections: their memory, and what remains of it after a burst, and after they have gone. */
void run_idle(const settings *settings);

/* Connections that are opened and closed again at once. */
void run_connect(const settings *settings);

/* Connections that make their handshakes, of TLS and of the WebSocket, and leave. */
void run_handshake(const settings *settings);

/* Messages that are sent by the clock, whether or not earlier ones have come back, beside something that disturbs. */
void run_tails(const settings *settings);

#endif
