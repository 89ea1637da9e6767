#include <stdlib.h>
#include <time.h>

#include "fail.h"
#include "fleet.h"
#include "measurement.h"
#include "process.h"
#include "workloads.h"

/* Gives the server time to finish. */
static void let_it_settle(void)
{
    const struct timespec pause = {.tv_nsec = 500 * 1000 * 1000};
    nanosleep(&pause, NULL);
}

/* Within ten seconds the server returns memory that was not needed for a while. */
static uint64_t reading_once_quiet(const settings *settings)
{
    enum { LOOKS = 20, QUIET_LOOKS = 7 };
    uint64_t least = process_private_dirty(settings->server);
    for (int i = 0, quiet = 0; i < LOOKS && quiet < QUIET_LOOKS; i++) {
        let_it_settle();
        uint64_t now = process_private_dirty(settings->server);
        quiet = now < least ? 0 : quiet + 1;
        least = now < least ? now : least;
    }
    return least;
}

/* Each connection has one message of the size echoed, all of them at once. */
static void run_burst(fleet *fleet, const settings *settings, measurement *measurement)
{
    frames frames = frames_create(settings->payload, settings->size, settings->uses_deflate, 2);
    expectation expected = fleet_expects(settings, &frames);
    uint64_t began = clock_ns();
    for (size_t i = 0; i < fleet->count; i++)
        fleet_send(fleet, i, &frames, 1);
    while (measurement->messages < fleet->count) {
        int ready = fleet_wait(fleet);
        for (int i = 0; i < ready; i++) {
            size_t index = fleet_ready(fleet, i);
            if (fleet->connections[index].is_blocked)
                fleet_send(fleet, index, &frames, 0);
            size_t count = fleet_receive(fleet, index, &expected, &measurement->received);
            histogram_record(&measurement->latencies, clock_ns() - began, count);
            measurement->messages += count;
        }
    }
    frames_destroy(&frames);
}

void run_idle(const settings *settings)
{
    if (settings->server == 0)
        fail("idle measures the memory of a server: --pid says which");
    need_descriptors(settings->connections);
    measurement *measurement = calloc(1, sizeof *measurement);
    if (measurement == NULL)
        fail("no memory");
    /* Memory that the first connection causes once does not count for connections. */
    fleet_close(fleet_open(settings, 0, 1));
    let_it_settle();
    memory_reading memory = {.before = process_private_dirty(settings->server)};
    fleet *fleet = fleet_open(settings, 0, settings->connections);
    let_it_settle();
    memory.with_connections = process_private_dirty(settings->server);
    measurement_begin(measurement, settings);
    if (settings->size > 0)
        run_burst(fleet, settings, measurement);
    measurement_end(measurement);
    measurement->own_idle_ns = fleet->idle_ns;
    memory.after_burst = reading_once_quiet(settings);
    fleet_close(fleet);
    memory.after_close = reading_once_quiet(settings);
    measurement->memory = &memory;
    measurement_print(measurement);
    free(measurement);
}
