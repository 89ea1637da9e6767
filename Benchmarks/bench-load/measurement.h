/* Measures between two moments, and prints the results. */
#ifndef JAZZY_BENCH_MEASUREMENT_H
#define JAZZY_BENCH_MEASUREMENT_H

#include <stdbool.h>
#include <stdint.h>

#include "histogram.h"
#include "settings.h"

/* Private dirty memory of the server, in bytes. */
typedef struct memory_reading {
    uint64_t before;
    uint64_t with_connections;
    uint64_t after_burst;
    uint64_t after_close;
} memory_reading;

typedef struct measurement {
    const settings *settings;
    uint64_t began_ns;
    uint64_t server_cpu_ns; /* at the beginning, and after measurement_end how much it took since */
    uint64_t own_cpu_ns;    /* likewise */
    uint64_t own_idle_ns;   /* of that, in which it only looked whether there was something to do */
    uint64_t ns;            /* how long it took */
    uint64_t messages;
    uint64_t handshakes; /* that were made beside */
    uint64_t received;   /* bytes */
    histogram latencies;
    histogram lateness;           /* of sending by the clock: how late this program was */
    const memory_reading *memory; /* NULL where memory is not measured */
} measurement;

void measurement_begin(measurement *measurement, const settings *settings);
void measurement_end(measurement *measurement);

/* Writes the measurement to standard output, as one JSON object in a line. */
void measurement_print(const measurement *measurement);

#endif
