/* Connections that make their TLS handshake, open a WebSocket, and leave. */
#ifndef JAZZY_BENCH_HANDSHAKES_H
#define JAZZY_BENCH_HANDSHAKES_H

#include <stdbool.h>
#include <stddef.h>

#include "histogram.h"
#include "settings.h"

typedef struct handshakes handshakes;

/* Room for so many at a time; none begins yet. */
handshakes *handshakes_create(const settings *settings, size_t most);

/* Begins one; false: there is no room. */
bool handshakes_begin(handshakes *handshakes);

/*
 * Goes on with at most `most` of those that are ready, for which it waits for up to that many milliseconds. Returns how
 * many are done, and adds how long each took, unless `latencies` is NULL. Ends the program if one fails, or if none
 * becomes ready in the longest time that may be waited.
 */
enum { HANDSHAKES_PATIENCE_MS = 10000 };
size_t handshakes_advance(handshakes *handshakes, int most, int milliseconds, histogram *latencies);

/* Resets those that are under way. */
void handshakes_destroy(handshakes *handshakes);

#endif
