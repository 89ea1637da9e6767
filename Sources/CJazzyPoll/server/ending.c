#include "ending.h"

#include "server.h"

/* Sets the end timer to a time of the clock; UINT64_MAX is never. */
static void set_end(jz_shard *shard, uint64_t ends_at_ms)
{
    shard->ends_at_ms = ends_at_ms;
    jz_timer_cancel(&shard->loop.timers, &shard->end_timer);
    if (ends_at_ms == UINT64_MAX)
        return;
    uint64_t now = jz_clock_ms();
    uint64_t left = ends_at_ms > now ? ends_at_ms - now : 0;
    jz_timer_set(&shard->loop.timers, &shard->end_timer, left < UINT32_MAX ? (uint32_t)left : UINT32_MAX);
}

static void begin_stopping(jz_shard *shard)
{
    /* What was sent before goes out before the close frames. */
    jz_loop_take_every_letter(&shard->loop);
    shard->course = JZ_COURSE_STOPPING;
    if (shard->accepting.count > 0) {
        jz_accepting_keep(shard, 0);
        jz_server_listens_less(shard->server);
    }
    jz_shard_visit(shard, jz_connection_stop);
}

/* Of several that ask, the one whose grace is over first counts. */
static void follow_stopping(jz_shard *shard)
{
    uint64_t stop_by_ms = atomic_load(&shard->server->stop_by_ms);
    if (shard->course < JZ_COURSE_STOPPING) {
        /* First, for it is what the connections are given to end. */
        set_end(shard, stop_by_ms);
        begin_stopping(shard);
        jz_shard_settle_dirty(shard);
    } else if (shard->course == JZ_COURSE_STOPPING && stop_by_ms < shard->ends_at_ms) {
        set_end(shard, stop_by_ms);
    }
}

static void follow_draining(jz_shard *shard)
{
    uint64_t drain_by_ms = atomic_load(&shard->server->drain_by_ms);
    if (shard->course == JZ_COURSE_SERVING) {
        shard->course = JZ_COURSE_DRAINING;
        set_end(shard, drain_by_ms);
        jz_accepting_finish(shard);
        jz_shard_settle_dirty(shard);
    } else if (shard->course == JZ_COURSE_DRAINING && drain_by_ms < shard->ends_at_ms) {
        set_end(shard, drain_by_ms);
    }
}

/* Other shards may have handed a connection over until they listened no more, and still have some themselves. */
static bool may_get_more(jz_shard *shard)
{
    return atomic_load(&shard->server->listening_count) > 0 || jz_loop_has_letters(&shard->loop) ||
           shard->later != NULL || atomic_load(&shard->server->admission.connections) > 0;
}

bool jz_ending_goes_on(jz_shard *shard)
{
    if (atomic_load(&shard->server->stop_is_requested))
        follow_stopping(shard);
    else if (atomic_load(&shard->server->drain_is_requested))
        follow_draining(shard);
    if (shard->course == JZ_COURSE_SERVING || shard->connection_count > 0)
        return true;
    /* All end together: what those that serve publish is posted to every shard. */
    return shard->course == JZ_COURSE_DRAINING && may_get_more(shard);
}

void jz_ending_expired(jz_shard *shard)
{
    if (shard->course == JZ_COURSE_DRAINING) {
        jz_server_stop(shard->server);
        return;
    }
    shard->course = JZ_COURSE_CUTTING_OFF;
    jz_shard_visit(shard, jz_connection_cut_off);
}

uint32_t jz_ending_close_timeout(const jz_shard *shard)
{
    if (shard->course < JZ_COURSE_STOPPING)
        return shard->server->options.close_timeout_ms;
    /* While stopping the end timer is what counts. This one is set behind it, so that it does not cut in. */
    uint64_t now = jz_clock_ms();
    uint64_t left = shard->ends_at_ms > now ? shard->ends_at_ms - now : 0;
    return (uint32_t)left + 2 * JZ_TICK_MS;
}

void jz_ending_count(jz_shard *shard, const jz_connection *connection)
{
    jz_counters *counters = &shard->counters;
    if (shard->course < JZ_COURSE_STOPPING)
        return;
    if (!connection->is_websocket)
        jz_count(&counters->ended_others, 1);
    else if (connection->ended_cleanly && connection->unsent == NULL && connection->broken == JZ_FAILURE_NONE)
        jz_count(&counters->ended_clean, 1);
    else if (shard->course == JZ_COURSE_CUTTING_OFF)
        jz_count(&counters->ended_cut_off, 1);
    else
        jz_count(&counters->ended_unclean, 1);
}
