/*
 * An open loop: a message is sent when it is due, however long others take, and its latency counts from when it was
 * due. (A closed loop sends nothing while the server stands still, and so hides that: "coordinated omission".)
 */
#include <stdlib.h>

#include "beside.h"
#include "fail.h"
#include "fleet.h"
#include "measurement.h"
#include "process.h"
#include "workloads.h"

enum {
    MOST_IN_FLIGHT = 256, /* of a connection */
    MOST_AT_ONCE = 32     /* sent before looking at what has come */
};

static const uint64_t patience_ns = UINT64_C(10000000000);

typedef struct tails_run {
    const settings *settings;
    fleet *fleet;
    frames frames;
    expectation expected;
    beside *beside;
    uint64_t *due;    /* of each connection, a ring of times in nanoseconds */
    size_t *first;    /* of each connection, the oldest message in its ring, and */
    size_t *count;    /* how many there are */
    size_t in_flight; /* of all connections */
    size_t next;      /* the connection that sends next */
} tails_run;

static void send_one(tails_run *run, uint64_t due)
{
    size_t index = run->next;
    run->next = index + 1 < run->settings->connections ? index + 1 : 0;
    if (run->count[index] == MOST_IN_FLIGHT)
        fail("the server is %d messages behind on a connection: take a smaller --rate", MOST_IN_FLIGHT);
    run->due[index * MOST_IN_FLIGHT + (run->first[index] + run->count[index]) % MOST_IN_FLIGHT] = due;
    run->count[index]++;
    run->in_flight++;
    fleet_send(run->fleet, index, &run->frames, 1);
}

static void note_received(tails_run *run, size_t index, size_t count, measurement *measurement)
{
    if (count > run->count[index])
        fail("the server sent more messages than it was sent");
    uint64_t now = clock_ns();
    for (size_t i = 0; i < count; i++) {
        histogram_record(&measurement->latencies, now - run->due[index * MOST_IN_FLIGHT + run->first[index]], 1);
        run->first[index] = (run->first[index] + 1) % MOST_IN_FLIGHT;
    }
    run->count[index] -= count;
    run->in_flight -= count;
    measurement->messages += count;
}

static void receive(tails_run *run, measurement *measurement)
{
    int ready = fleet_look(run->fleet);
    for (int i = 0; i < ready; i++) {
        size_t index = fleet_ready(run->fleet, i);
        note_received(run, index, fleet_receive(run->fleet, index, &run->expected, &measurement->received),
                      measurement);
        if (run->fleet->connections[index].is_blocked)
            fleet_send(run->fleet, index, &run->frames, 0);
    }
}

/* Sends for so long. */
static void send_for(tails_run *run, double seconds, measurement *measurement)
{
    uint64_t began = clock_ns();
    uint64_t end = began + (uint64_t)(seconds * 1e9);
    double period = 1e9 / (double)run->settings->rate;
    uint64_t sent = 0;
    uint64_t due = began;
    while (due < end) {
        uint64_t now = clock_ns();
        for (int i = 0; i < MOST_AT_ONCE && due <= now && due < end; i++) {
            histogram_record(&measurement->lateness, now - due, 1);
            send_one(run, due);
            due = began + (uint64_t)((double)++sent * period);
        }
        receive(run, measurement);
        beside_step(run->beside, now);
    }
}

/* Until all has come back. On a machine that is busy with other things, what disturbs is not over before. */
static void wait_for_rest(tails_run *run, measurement *measurement)
{
    uint64_t end = clock_ns() + patience_ns;
    while (run->in_flight > 0 || !beside_is_done(run->beside)) {
        uint64_t now = clock_ns();
        if (now > end)
            fail("%zu messages have not come back, or not all that was to disturb", run->in_flight);
        receive(run, measurement);
        beside_step(run->beside, now);
    }
}

void run_tails(const settings *settings)
{
    double seconds = settings->warm_up + settings->seconds;
    need_descriptors(settings->connections + (size_t)((double)settings->connects * seconds));
    tails_run run = {.settings = settings};
    run.due = calloc(settings->connections * MOST_IN_FLIGHT, sizeof *run.due);
    run.first = calloc(settings->connections, sizeof *run.first);
    run.count = calloc(settings->connections, sizeof *run.count);
    measurement *measurement = calloc(1, sizeof *measurement);
    if (run.due == NULL || run.first == NULL || run.count == NULL || measurement == NULL)
        fail("no memory for %zu connections", settings->connections);
    run.frames = frames_create(settings->payload, settings->size, settings->uses_deflate, 2);
    run.fleet = fleet_open(settings, 0, settings->connections);
    run.beside = beside_create(settings, seconds);
    run.expected = fleet_expects(settings, &run.frames);
    send_for(&run, settings->warm_up, measurement);
    run.expected = fleet_expects_nothing(settings);
    measurement_begin(measurement, settings);
    send_for(&run, settings->seconds, measurement);
    wait_for_rest(&run, measurement);
    measurement_end(measurement);
    measurement->handshakes = beside_end(run.beside);
    measurement_print(measurement);
    fleet_close(run.fleet);
    frames_destroy(&run.frames);
    free(run.due);
    free(run.first);
    free(run.count);
    free(measurement);
}
