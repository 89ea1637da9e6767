/* The public functions for looking at a server. */
#include "jazzy/insight.h"

#include <errno.h>
#include <stdlib.h>

#include "loop/report.h"
#include "platform/process.h"
#include "server/health.h"
#include "server/looks.h"
#include "server/metrics.h"
#include "server/summing.h"
#include "server/timing.h"

/* The arrays of a look, behind it in the same memory. */
typedef struct arrays {
    jz_loop_look *loops;
    jz_topic_look *topics;
    jz_receiver_look *receivers;
    jz_incident *incidents;
} arrays;

static uint64_t sum_of(const _Atomic uint64_t *counters, size_t count)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += jz_counted(&counters[i]);
    return sum;
}

static void look_at_loop(const jz_shard *shard, uint64_t now_ns, jz_loop_look *look)
{
    const jz_counters *counters = &shard->turn.counters;
    const jz_loop_times *times = &shard->turn.loop.times;
    uint64_t ended = jz_counted(&counters->websockets_ended);
    uint64_t total = jz_counted(&counters->websockets_total);
    look->websockets = total > ended ? total - ended : 0;
    look->topics = jz_counted(&shard->topics.topic_count);
    look->subscriptions = jz_counted(&shard->topics.subscription_count);
    look->buffered_bytes = jz_counted(&shard->turn.spare_unsent.held);
    for (size_t kind = 0; kind < JZ_MESSAGE_KINDS; kind++) {
        look->messages_received[kind] = jz_counted(&counters->messages_received[kind]);
        look->bytes_received[kind] = jz_counted(&counters->bytes_received[kind]);
        look->messages_sent[kind] = jz_counted(&counters->messages_sent[kind]);
        look->bytes_sent[kind] = jz_counted(&counters->bytes_sent[kind]);
    }
    look->dropped = jz_counted(&counters->dropped);
    look->refused = sum_of(counters->refused, JZ_REFUSAL_COUNT);
    look->failures = sum_of(counters->failures, JZ_FAILURE_COUNT);
    look->iterations = jz_counted(&times->turns);
    look->iteration_time = jz_counted(&times->total);
    look->longest_iteration = jz_counted(&times->longest);
    look->lag = jz_loop_lag(times, now_ns);
    jz_times_of_loop(shard, &look->iteration_times, &look->lateness);
}

static void look_at_surroundings(const jz_server *server, jz_look *look)
{
    jz_transport_report sum;
    jz_process process = jz_process_read();
    look->state = jz_health_of(server).state;
    look->has_broker = atomic_load(&server->membership) != NULL;
    look->transports.are_there = jz_transports_sum(server, &sum);
    look->transports.handshakes = sum.handshakes;
    look->transports.resumed = sum.resumed;
    look->transports.failed = sum.failed;
    look->transports.reloads = sum.reloads;
    look->transports.failed_reloads = sum.failed_reloads;
    look->transports.expires = sum.expires;
    look->process = (jz_process_look){process.cpu_ns, process.resident_bytes, process.virtual_bytes,
                                      process.descriptors, process.max_descriptors};
}

static size_t at_most(size_t wanted, size_t most)
{
    return wanted < most ? wanted : most;
}

/* Allocates a look with its arrays. The sizes are bounded by the number of loops. NULL when there is no memory. */
static jz_look *allocate(const jz_server *server, const jz_look_options *options, arrays *arrays)
{
    size_t incidents = options->incidents > 0 ? jz_kept_incidents_of(server) : 0;
    size_t loops_size = server->shard_count * sizeof(jz_loop_look);
    size_t topics_size = options->topics * sizeof(jz_topic_look);
    size_t receivers_size = options->receivers * sizeof(jz_receiver_look);
    jz_look *look =
        calloc(1, sizeof *look + loops_size + topics_size + receivers_size + incidents * sizeof(jz_incident));
    if (look == NULL)
        return NULL;
    char *place = (char *)(look + 1);
    arrays->loops = (jz_loop_look *)(void *)place;
    arrays->topics = (jz_topic_look *)(void *)(place += loops_size);
    arrays->receivers = (jz_receiver_look *)(void *)(place += topics_size);
    arrays->incidents = (jz_incident *)(void *)(place += receivers_size);
    look->loops = arrays->loops;
    look->topics = arrays->topics;
    look->receivers = arrays->receivers;
    look->incidents = arrays->incidents;
    return look;
}

static bool fill_in(jz_server *server, const jz_look_options *options, jz_look *look, arrays *arrays)
{
    const jz_workers_state workers = jz_workers_now(&server->workers);
    look->time_ms = jz_wall_clock_ms();
    look->clock_ns = jz_clock_ns();
    look_at_surroundings(server, look);
    look->workers = (jz_workers_look){workers.threads, workers.busy, workers.queued};
    jz_statistics_sum(server, &look->statistics);
    look->loop_count = server->shard_count;
    for (uint32_t i = 0; i < server->shard_count; i++)
        look_at_loop(&server->shards[i], look->clock_ns, &arrays->loops[i]);
    if (options->topics > 0 && !jz_look_at_topics(server, look, arrays->topics, options->topics))
        return false;
    look->receiver_count = jz_look_at_receivers(server, arrays->receivers, options->receivers);
    bool keeps = options->incidents > 0;
    look->incident_count =
        at_most(jz_look_at_incidents(server, look, keeps ? arrays->incidents : NULL), options->incidents);
    return true;
}

jz_look *jz_server_look(jz_server *server, const jz_look_options *options, jz_error *error)
{
    jz_look_options wanted = {JZ_MOST_LOOKED_AT, JZ_MOST_LOOKED_AT, UINT32_MAX};
    if (options != NULL)
        wanted = (jz_look_options){(uint32_t)at_most(options->topics, JZ_MOST_LOOKED_AT),
                                   (uint32_t)at_most(options->receivers, JZ_MOST_LOOKED_AT), options->incidents};
    arrays arrays;
    jz_look *look = allocate(server, &wanted, &arrays);
    if (look != NULL && fill_in(server, &wanted, look, &arrays))
        return look;
    free(look);
    jz_report_system(error, ENOMEM, "look at the server");
    return NULL;
}

void jz_look_free(jz_look *look)
{
    free(look);
}
