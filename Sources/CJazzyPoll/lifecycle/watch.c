#include "lifecycle/watch.h"

#include "lifecycle/measuring.h"
#include "lifecycle/pacing.h"
#include "lifecycle/progress.h"
#include "config/routes.h"
#include "output/sending.h"

/* The time until a tick, in milliseconds; 0 if it has passed. Works across the wrap-around of ticks. */
static uint32_t until(uint32_t now, uint32_t tick)
{
    int32_t ticks = (int32_t)(tick - now);
    return ticks > 0 ? (uint32_t)ticks * JZ_TICK_MS : 0;
}

void jz_watch_wait(jz_shard *shard, jz_connection *connection, uint32_t delay_ms)
{
    uint32_t end_of_life = connection->timer.tag;
    if (end_of_life != 0) {
        uint32_t left = until(jz_tick_of(shard->turn.loop.now_ms), end_of_life);
        delay_ms = left < delay_ms ? left : delay_ms;
    }
    if (delay_ms != JZ_NEVER)
        jz_timer_set(&shard->turn.loop.timers, &connection->timer, delay_ms);
}

static uint32_t half_of(uint32_t idle_timeout_ms)
{
    return idle_timeout_ms == JZ_NEVER ? JZ_NEVER : idle_timeout_ms / 2;
}

void jz_watch_go_on(jz_shard *shard, jz_connection *connection)
{
    jz_watch_wait(shard, connection, half_of(jz_connection_route(connection)->options.idle_timeout_ms));
}

void jz_watch_note_taken(jz_shard *shard, jz_connection *connection)
{
    jz_connection_note_activity(connection, shard->turn.loop.now_ms);
    if (connection->phase == JZ_PHASE_WEBSOCKET)
        connection->session.owner_tag = JZ_PROGRESS_TAKEN;
}

void jz_watch_begin(jz_shard *shard, jz_connection *connection)
{
    const jz_route *route = jz_connection_route(connection);
    connection->timer.tag = 0;
    if (route->options.max_lifetime_ms != JZ_NEVER) {
        uint32_t end_of_life = jz_tick_of(shard->turn.loop.now_ms + route->options.max_lifetime_ms) + 1;
        connection->timer.tag = end_of_life != 0 ? end_of_life : 1; /* 0 means no lifetime */
    }
    jz_connection_note_activity(connection, shard->turn.loop.now_ms);
    jz_watch_go_on(shard, connection);
}

/* Nothing was received for half of the time-out. */
static void ping(jz_shard *shard, jz_connection *connection, uint32_t half)
{
    /* Output sent from now on shows nothing: the peer's kernel accepts our pings and messages even if its program
       hangs. But if output has waited for the peer, it may still have to read that, and finds the ping behind it. */
    bool takes = connection->session.owner_tag == JZ_PROGRESS_TAKEN || jz_progress_is_awaited(shard, connection);
    connection->session.owner_tag = takes ? jz_progress_mark(shard, connection) : 0;
    connection->is_pinged = true;
    jz_connection_ping(&shard->turn, connection);
    jz_measuring_pinged(shard, connection);
    jz_pacing_expect_pong(shard, connection);
    jz_watch_wait(shard, connection, half);
}

/* There was no answer to a ping. The peer may have to take earlier output before it finds the ping. */
static jz_watch_verdict judge_pinged(jz_shard *shard, jz_connection *connection, uint32_t half)
{
    uint32_t now = jz_tick_of(shard->turn.loop.now_ms);
    uint32_t quiet = (now - connection->last_active) * JZ_TICK_MS;
    uint32_t patience = jz_progress_patience(2 * half);
    if (connection->session.owner_tag == 0)
        return JZ_WATCH_IS_IDLE;
    /* The mark is as old as the silence or, if it was made with the ping, younger by half of the time-out. A silence
       longer than the patience was a suspension of this process, in which the peer could take only what the kernel
       had. */
    uint32_t elapsed = quiet > 2 * half ? quiet - half : half;
    if (jz_progress_was_made(shard, connection, elapsed < patience ? elapsed : patience)) {
        connection->session.owner_tag = jz_progress_mark(shard, connection);
        connection->last_active = now;
        jz_watch_wait(shard, connection, half);
        return JZ_WATCH_GOES_ON;
    }
    if (quiet >= patience)
        return JZ_WATCH_IS_IDLE;
    jz_watch_wait(shard, connection, patience - quiet < half ? patience - quiet : half);
    return JZ_WATCH_GOES_ON;
}

jz_watch_verdict jz_watch_expired(jz_shard *shard, jz_connection *connection)
{
    const jz_route *route = jz_connection_route(connection);
    uint32_t now = jz_tick_of(shard->turn.loop.now_ms);
    uint32_t end_of_life = connection->timer.tag;
    if (end_of_life != 0 && until(now, end_of_life) == 0)
        return JZ_WATCH_IS_OLD;
    if (jz_pacing_expired(shard, connection))
        return JZ_WATCH_GOES_ON;
    uint32_t half = half_of(route->options.idle_timeout_ms);
    if (half == JZ_NEVER) {
        jz_watch_wait(shard, connection, JZ_NEVER);
        return JZ_WATCH_GOES_ON;
    }
    /* A peer that is not read from, or whose input is kept, cannot show that it is there. */
    if (connection->is_paused || connection->is_behind || jz_session_has_kept(&connection->session))
        jz_connection_note_activity(connection, shard->turn.loop.now_ms);
    uint32_t quiet_since = connection->last_active;
    if (until(now, quiet_since + half / JZ_TICK_MS) > 0) {
        jz_watch_wait(shard, connection, until(now, quiet_since + half / JZ_TICK_MS));
        return JZ_WATCH_GOES_ON;
    }
    /* Only an unanswered ping, sent half of the time-out ago, shows that the peer is gone: this process, or the
       machine, may have been suspended meanwhile. */
    if (connection->is_pinged)
        return judge_pinged(shard, connection, half);
    ping(shard, connection, half);
    return JZ_WATCH_GOES_ON;
}
