/* The public functions for a server's statistics. */
#include "jazzy/statistics.h"

#include <string.h>

#include "server/summing.h"
#include "shard/server.h"

static void add_all(uint64_t *sums, const _Atomic uint64_t *counters, size_t count)
{
    for (size_t i = 0; i < count; i++)
        sums[i] += jz_counted(&counters[i]);
}

static void add_counters(jz_statistics *sums, const jz_counters *counters)
{
    add_all(sums->messages_received, counters->messages_received, JZ_MESSAGE_KINDS);
    add_all(sums->bytes_received, counters->bytes_received, JZ_MESSAGE_KINDS);
    add_all(sums->messages_sent, counters->messages_sent, JZ_MESSAGE_KINDS);
    add_all(sums->bytes_sent, counters->bytes_sent, JZ_MESSAGE_KINDS);
    add_all(sums->refused, counters->refused, JZ_REFUSAL_COUNT);
    add_all(sums->closes, counters->closes, JZ_CLOSES_COUNT);
    add_all(sums->causes, counters->causes, JZ_CAUSE_COUNT);
    add_all(sums->failures, counters->failures, JZ_FAILURE_COUNT);
    add_all(sums->exceeded, counters->exceeded, JZ_EXCEEDING_COUNT);
    sums->dropped += jz_counted(&counters->dropped);
    /* Read in this order, so that the difference is never negative. */
    uint64_t ended = jz_counted(&counters->websockets_ended);
    uint64_t total = jz_counted(&counters->websockets_total);
    sums->websockets_total += total;
    sums->websockets += total > ended ? total - ended : 0;
}

static void add_times(jz_statistics *sums, const jz_loop_times *times, uint64_t now)
{
    uint64_t longest = jz_counted(&times->longest);
    uint64_t lag = jz_loop_lag(times, now);
    sums->iterations += jz_counted(&times->turns);
    sums->iteration_time += jz_counted(&times->total);
    sums->longest_iteration = longest > sums->longest_iteration ? longest : sums->longest_iteration;
    sums->lag = lag > sums->lag ? lag : sums->lag;
}

/* Reads every slot, so that the output of the current iteration is there, too. */
static uint64_t buffered_bytes(const jz_slots *slots)
{
    uint64_t sum = 0;
    for (uint32_t slot = 0; slot < JZ_MAX_SLOTS; slot += JZ_SLOTS_PER_CHUNK) {
        const jz_connection *chunk = jz_slots_at(slots, slot);
        if (chunk == NULL)
            break;
        for (size_t i = 0; i < JZ_SLOTS_PER_CHUNK; i++)
            sum += atomic_load_explicit(&chunk[i].buffered_amount, memory_order_relaxed);
    }
    return sum;
}

void jz_statistics_sum(const jz_server *server, jz_statistics *statistics)
{
    const jz_admission *admission = &server->admission;
    memset(statistics, 0, sizeof *statistics);
    statistics->connections = jz_counted(&admission->connections);
    statistics->connections_peak = jz_counted(&admission->peak);
    statistics->connections_total = jz_counted(&admission->total);
    statistics->handshakes = jz_counted(&admission->handshakes);
    uint64_t now = jz_clock_ns();
    for (uint32_t i = 0; i < server->shard_count; i++) {
        const jz_shard *shard = &server->shards[i];
        add_counters(statistics, &shard->turn.counters);
        add_times(statistics, &shard->turn.loop.times, now);
        statistics->buffered_bytes += jz_counted(&shard->turn.spare_unsent.held);
    }
    jz_membership *membership = atomic_load(&server->membership);
    if (membership != NULL)
        statistics->broker = jz_membership_statistics(membership);
}

void jz_server_statistics(const jz_server *server, jz_statistics *statistics)
{
    jz_statistics_sum(server, statistics);
    statistics->buffered_bytes = 0;
    for (uint32_t i = 0; i < server->shard_count; i++)
        statistics->buffered_bytes += buffered_bytes(&server->shards[i].slots);
}

jz_ending jz_server_ending(const jz_server *server)
{
    jz_ending ending = {0};
    for (uint32_t i = 0; i < server->shard_count; i++) {
        const jz_counters *counters = &server->shards[i].turn.counters;
        ending.clean += jz_counted(&counters->ended_clean);
        ending.unclean += jz_counted(&counters->ended_unclean);
        ending.cut_off += jz_counted(&counters->ended_cut_off);
        ending.others += jz_counted(&counters->ended_others);
    }
    return ending;
}
