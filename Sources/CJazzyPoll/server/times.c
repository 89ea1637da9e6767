/* The public functions for distributions of times. */
#include "jazzy/times.h"

#include <string.h>

#include "loop/report.h"
#include "server/timing.h"
#include "shard/server.h"

void jz_times_begin(jz_times *times, const jz_bounds *bounds)
{
    memset(times, 0, sizeof *times);
    times->bucket_count = bounds->count + 1;
    memcpy(times->bounds, bounds->bounds, bounds->count * sizeof times->bounds[0]);
    times->bounds[bounds->count] = UINT64_MAX;
}

void jz_times_add(jz_times *times, const jz_distribution *distribution)
{
    for (size_t i = 0; i < times->bucket_count; i++)
        times->counts[i] += distribution->counts[i];
    times->sum += distribution->sum;
}

static void add(jz_times *times, const jz_histogram *histogram)
{
    const jz_distribution read = jz_histogram_read(histogram);
    jz_times_add(times, &read);
}

void jz_times_of_loop(const jz_shard *shard, jz_times *iterations, jz_times *lateness)
{
    const jz_distribution read = jz_loop_times_read(&shard->turn.loop.times);
    jz_times_begin(iterations, &jz_turn_bounds);
    jz_times_add(iterations, &read);
    jz_times_begin(lateness, &jz_timer_bounds);
    add(lateness, &shard->timer_delay);
}

static void add_loops(const jz_server *server, jz_timing timing, jz_times *times)
{
    for (uint32_t i = 0; i < server->shard_count; i++) {
        jz_times iterations, lateness;
        jz_times_of_loop(&server->shards[i], &iterations, &lateness);
        const jz_times *own = timing == JZ_TIMING_ITERATION ? &iterations : &lateness;
        for (size_t j = 0; j < times->bucket_count; j++)
            times->counts[j] += own->counts[j];
        times->sum += own->sum;
    }
}

static void add_routes(const jz_server *server, jz_timing timing, jz_times *times)
{
    int state = atomic_load(&server->state);
    if (state != JZ_SERVER_RUNNING && state != JZ_SERVER_STOPPED)
        return;
    for (size_t i = 0; i < server->routes.measured_count; i++) {
        const jz_route_measures *measures = &server->routes.measures[i];
        add(times, timing == JZ_TIMING_HANDLER ? &measures->handler : &measures->websocket);
    }
}

static const jz_bounds *bounds_of(jz_timing timing)
{
    switch (timing) {
    case JZ_TIMING_LATENESS:
        return &jz_timer_bounds;
    case JZ_TIMING_HANDLER:
        return &jz_handler_bounds;
    case JZ_TIMING_WEBSOCKET:
        return &jz_websocket_bounds;
    case JZ_TIMING_PING:
        return &jz_ping_bounds;
    default:
        return &jz_turn_bounds;
    }
}

void jz_server_times(const jz_server *server, jz_timing timing, jz_times *times)
{
    jz_times_begin(times, bounds_of(timing));
    if (timing == JZ_TIMING_ITERATION || timing == JZ_TIMING_LATENESS)
        add_loops(server, timing, times);
    else if (timing == JZ_TIMING_HANDLER || timing == JZ_TIMING_WEBSOCKET)
        add_routes(server, timing, times);
    else if (timing == JZ_TIMING_PING)
        add(times, &server->ping_round_trip);
}

uint64_t jz_times_count(const jz_times *times)
{
    uint64_t count = 0;
    for (size_t i = 0; i < times->bucket_count && i < JZ_MOST_BUCKETS; i++)
        count += times->counts[i];
    return count;
}

/* Two reads may be from slightly different moments of several counters: then nothing was added, not less. */
static uint64_t added(uint64_t now, uint64_t before)
{
    return now > before ? now - before : 0;
}

jz_times jz_times_since(const jz_times *times, const jz_times *before)
{
    jz_times since = *times;
    for (size_t i = 0; i < since.bucket_count && i < JZ_MOST_BUCKETS; i++)
        since.counts[i] = added(times->counts[i], before->counts[i]);
    since.sum = added(times->sum, before->sum);
    return since;
}

/* The time at `part` of a bucket, from 0 to 1. */
static uint64_t within(const jz_times *times, size_t bucket, double part)
{
    uint64_t from = bucket > 0 ? times->bounds[bucket - 1] : 0;
    uint64_t to = times->bounds[bucket];
    if (to == UINT64_MAX)
        return from;
    return from + (uint64_t)((double)(to - from) * part);
}

uint64_t jz_times_percentile(const jz_times *times, double percent)
{
    double wanted = (double)jz_times_count(times) * (percent < 0 ? 0 : percent > 100 ? 100 : percent) / 100;
    double passed = 0;
    size_t last = 0;
    for (size_t i = 0; i < times->bucket_count && i < JZ_MOST_BUCKETS; i++) {
        double own = (double)times->counts[i];
        if (times->counts[i] > 0 && passed + own >= wanted)
            return within(times, i, (wanted - passed) / own);
        passed += own;
        last = times->counts[i] > 0 ? i : last;
    }
    return passed > 0 ? within(times, last, 1) : 0;
}

jz_status jz_server_measure(jz_server *server, jz_error *error)
{
    int state = atomic_load(&server->state);
    if (state != JZ_SERVER_CREATED && state != JZ_SERVER_LISTENING)
        return jz_report(error, JZ_STATUS_INVALID_STATE, "cannot measure times: say so before the server runs");
    server->is_measured = true;
    return JZ_OK;
}
