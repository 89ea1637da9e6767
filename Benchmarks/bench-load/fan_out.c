#include <stdlib.h>

#include "fail.h"
#include "fleet.h"
#include "measurement.h"
#include "process.h"
#include "workloads.h"

/* Publishes on the first connection and waits until everyone, the publisher included, has all of it. */
static void run_round(fleet *fleet, const settings *settings, const frames *frames, const expectation *expected,
                      measurement *measurement)
{
    uint64_t began = clock_ns();
    fleet_send(fleet, 0, frames, settings->burst);
    size_t outstanding = settings->burst * settings->connections;
    while (outstanding > 0) {
        int ready = fleet_wait(fleet);
        for (int i = 0; i < ready; i++) {
            size_t index = fleet_ready(fleet, i);
            if (fleet->connections[index].is_blocked)
                fleet_send(fleet, index, frames, 0);
            size_t count = fleet_receive(fleet, index, expected, &measurement->received);
            if (count > outstanding)
                fail("the server delivered more messages than were published");
            if (count > 0)
                histogram_record(&measurement->latencies, clock_ns() - began, count);
            measurement->messages += count;
            outstanding -= count;
        }
    }
}

void run_fan_out(const settings *settings)
{
    need_descriptors(settings->connections);
    frames frames = frames_create(settings->payload, settings->size, settings->uses_deflate, settings->burst + 1);
    measurement *measurement = calloc(1, sizeof *measurement);
    if (measurement == NULL)
        fail("no memory");
    fleet *fleet = fleet_open(settings, 0, settings->connections);
    expectation expected = fleet_expects(settings, &frames);
    for (uint64_t end = clock_ns() + (uint64_t)(settings->warm_up * 1e9); clock_ns() < end;)
        run_round(fleet, settings, &frames, &expected, measurement);
    expected = fleet_expects_nothing(settings);
    measurement_begin(measurement, settings);
    fleet->idle_ns = 0;
    for (uint64_t end = clock_ns() + (uint64_t)(settings->seconds * 1e9); clock_ns() < end;)
        run_round(fleet, settings, &frames, &expected, measurement);
    measurement_end(measurement);
    measurement->own_idle_ns = fleet->idle_ns;
    measurement_print(measurement);
    fleet_close(fleet);
    frames_destroy(&frames);
    free(measurement);
}
