#include <stdlib.h>

#include "connection.h"
#include "fail.h"
#include "handshakes.h"
#include "measurement.h"
#include "process.h"
#include "workloads.h"

enum { MOST_AT_ONCE = 1024 };

static void run_for(handshakes *handshakes, double seconds, measurement *measurement)
{
    uint64_t end = clock_ns() + (uint64_t)(seconds * 1e9);
    while (clock_ns() < end) {
        measurement->messages +=
            handshakes_advance(handshakes, MOST_AT_ONCE, HANDSHAKES_PATIENCE_MS, &measurement->latencies);
        while (handshakes_begin(handshakes))
            continue;
    }
}

void run_handshake(const settings *settings)
{
    need_descriptors(settings->connections);
    measurement *measurement = calloc(1, sizeof *measurement);
    if (measurement == NULL)
        fail("no memory");
    /* The session that the others resume. */
    connection first = connection_open(settings, 0);
    connection_reset(&first);
    handshakes *handshakes = handshakes_create(settings, settings->connections);
    while (handshakes_begin(handshakes))
        continue;
    run_for(handshakes, settings->warm_up, measurement);
    measurement_begin(measurement, settings);
    run_for(handshakes, settings->seconds, measurement);
    measurement_end(measurement);
    measurement_print(measurement);
    handshakes_destroy(handshakes);
    free(measurement);
}
