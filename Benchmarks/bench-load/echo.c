#include <stdlib.h>

#include "fail.h"
#include "fleet.h"
#include "handshakes.h"
#include "measurement.h"
#include "process.h"
#include "workloads.h"

typedef struct echo_run {
    const settings *settings;
    fleet *fleet;
    frames frames;
    expectation expected;
    uint64_t *sent_at;  /* of each connection, a ring of `depth` times in nanoseconds */
    size_t *oldest;     /* of each connection, the position of its ring */
    handshakes *others; /* NULL: none */
    uint64_t others_began_ns;
    uint64_t others_begun;
} echo_run;

/* So many at a time, at most; and steps of them between the echoes, which each step delays by a tenth of a millisecond.
 */
enum { MOST_OTHERS = 256, STEPS_OF_OTHERS = 6 };

/* Sends this many messages and records the time, in the places of those that came back. */
static void send_messages(echo_run *run, size_t index, size_t count, uint64_t now)
{
    size_t depth = run->settings->depth;
    for (size_t i = 0; i < count; i++) {
        run->sent_at[index * depth + run->oldest[index]] = now;
        run->oldest[index] = run->oldest[index] + 1 < depth ? run->oldest[index] + 1 : 0;
    }
    fleet_send(run->fleet, index, &run->frames, count);
}

static void note_latencies(const echo_run *run, size_t index, size_t count, uint64_t now, histogram *latencies)
{
    size_t depth = run->settings->depth;
    size_t position = run->oldest[index];
    for (size_t i = 0; i < count; i++) {
        histogram_record(latencies, now - run->sent_at[index * depth + position], 1);
        position = position + 1 < depth ? position + 1 : 0;
    }
}

static void take_turn(echo_run *run, measurement *measurement)
{
    int ready = fleet_wait(run->fleet);
    for (int i = 0; i < ready; i++) {
        size_t index = fleet_ready(run->fleet, i);
        size_t count = 0;
        if ((run->fleet->ready[i].events & ~(uint32_t)EPOLLOUT) != 0)
            count = fleet_receive(run->fleet, index, &run->expected, &measurement->received);
        if (count > run->settings->depth)
            fail("the server sent more messages than it was sent");
        uint64_t now = clock_ns();
        note_latencies(run, index, count, now, &measurement->latencies);
        measurement->messages += count;
        if (count > 0 || run->fleet->connections[index].is_blocked)
            send_messages(run, index, count, now);
    }
}

/* Handshakes of others, as many as are due. */
static void let_others_shake_hands(echo_run *run, measurement *measurement)
{
    uint64_t due = (uint64_t)((double)(clock_ns() - run->others_began_ns) / 1e9 * (double)run->settings->handshakes);
    for (int i = 0; i < STEPS_OF_OTHERS / 2 && run->others_begun < due && handshakes_begin(run->others); i++)
        run->others_begun++;
    measurement->handshakes += handshakes_advance(run->others, STEPS_OF_OTHERS, 0, NULL);
}

static void run_for(echo_run *run, double seconds, measurement *measurement)
{
    uint64_t end = clock_ns() + (uint64_t)(seconds * 1e9);
    while (clock_ns() < end) {
        take_turn(run, measurement);
        if (run->others != NULL)
            let_others_shake_hands(run, measurement);
    }
}

/*
 * Ends the program if there were fewer than half of those asked for: then something else was measured. A few do not
 * count: in a short run on a busy machine they are all.
 */
static void check_others(const settings *settings, const measurement *measurement)
{
    const double few = 10;
    double wanted = (double)settings->handshakes * (double)measurement->ns / 1e9;
    if ((double)measurement->handshakes + few < 0.5 * wanted)
        fail("there were only %llu handshakes where %.0f were due", (unsigned long long)measurement->handshakes,
             wanted);
}

void run_echo(const settings *settings)
{
    need_descriptors(settings->connections + settings->idle + (settings->handshakes > 0 ? MOST_OTHERS : 0));
    echo_run run = {.settings = settings};
    run.sent_at = calloc(settings->connections * settings->depth, sizeof *run.sent_at);
    run.oldest = calloc(settings->connections, sizeof *run.oldest);
    measurement *measurement = calloc(1, sizeof *measurement);
    if (run.sent_at == NULL || run.oldest == NULL || measurement == NULL)
        fail("no memory for %zu connections", settings->connections);
    run.frames = frames_create(settings->payload, settings->size, settings->uses_deflate, settings->depth + 1);
    fleet *idle = settings->idle > 0 ? fleet_open(settings, settings->connections, settings->idle) : NULL;
    run.fleet = fleet_open(settings, 0, settings->connections);

    /* While warming up, every byte that comes back is compared with the byte that was sent. */
    run.expected = fleet_expects(settings, &run.frames);
    uint64_t now = clock_ns();
    for (size_t i = 0; i < settings->connections; i++) {
        connection_begin_row(&run.fleet->connections[i], &run.frames, i);
        send_messages(&run, i, settings->depth, now);
    }
    run.others = settings->handshakes > 0 ? handshakes_create(settings, MOST_OTHERS) : NULL;
    run.others_began_ns = clock_ns();
    run_for(&run, settings->warm_up, measurement);
    run.expected = fleet_expects_nothing(settings);
    measurement_begin(measurement, settings);
    run.fleet->idle_ns = 0;
    run_for(&run, settings->seconds, measurement);
    measurement_end(measurement);
    measurement->own_idle_ns = run.fleet->idle_ns;
    check_others(settings, measurement);
    measurement_print(measurement);

    if (run.others != NULL)
        handshakes_destroy(run.others);
    fleet_close(run.fleet);
    if (idle != NULL)
        fleet_close(idle);
    frames_destroy(&run.frames);
    free(run.sent_at);
    free(run.oldest);
    free(measurement);
}
