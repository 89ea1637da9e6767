/*
 * Draining loops end together, and not before the last client has left: until then each loop must take publications of
 * the others, and connections that another loop has accepted. So a loop without connections sleeps, and must be woken
 * when the last connection of the others has ended. Proof that it always is:
 *
 * (1) The server has drained when three conditions hold: D, draining was requested; L = 0, no shard listens; C = 0, the
 * admission counts no connection. D is set once. L is the number of shards with a listener; no shard begins to listen
 * once the server runs. C grows when a shard accepts (admitting.c); that shard listens then, and is counted in L. And
 * it grows when a thread gives the server a connection (server/adopting.c), which counts first, and then looks at D: if
 * it is set, nothing is given, and C falls again, with the wake-up of (3). If it is not set, C grew before D was set.
 * So, such growth and fall aside, once all three hold, they hold for ever: there is one moment at which the last of
 * them becomes true.
 *
 * (2) C counts a connection from its acceptance until it is released, whether it is in a mailbox, in `later`, in a
 * slot, or failed to begin: every path ends with jz_server_leave, every letter that is not run is discarded, and the
 * mailbox of an ended loop accepts none (mailbox.h). So C = 0 is reached.
 *
 * (3) The thread that brings about that moment wakes all loops *after* it: jz_server_drain sets D, then wakes;
 * jz_server_listens_less wakes if it has made L zero; jz_server_leave wakes if it has made C zero and sees D. All of
 * these are sequentially consistent, so if it does not see D, D is set later, and jz_server_drain wakes. Likewise for
 * L: the thread that makes L zero wakes regardless of C, and the later of the two is after the moment.
 *
 * (4) A loop sleeps only after it has checked (jz_ending_goes_on) and not seen the moment, and the poll keeps a wake-up
 * until the next wait. The check was before the moment, so the wake-up of (3) comes after the check: the wait returns,
 * and the loop checks again. L is checked before C: if L is 0, C includes all acceptances; but a C that was 0 could
 * have grown before L is checked.
 *
 * A stopping loop does not wait for others: it ends when it has no connections of its own. A stop request sets the
 * deadlines, then the flag, then wakes; sockets that are handed over after that are closed by the loop, or by the
 * thread that posts them.
 */
#include "lifecycle/ending.h"

#include "loop/report.h"
#include "lifecycle/expiry.h"
#include "config/log.h"
#include "lifecycle/progress.h"
#include "lifecycle/releasing.h"
#include "shard/server.h"
#include "lifecycle/settling.h"
#include "lifecycle/shard_loop.h"
#include "shard/stop_request.h"
#include "lifecycle/telling.h"
#include "lifecycle/topic_closing.h"

/* Sets the end timer for the earlier deadline. */
static void set_timer(jz_shard *shard)
{
    uint64_t next_ms = shard->ends_at_ms < shard->looks_at_ms ? shard->ends_at_ms : shard->looks_at_ms;
    jz_timer_cancel(&shard->turn.loop.timers, &shard->end_timer);
    if (next_ms == UINT64_MAX)
        return;
    uint64_t now = jz_clock_ms();
    uint64_t left = next_ms > now ? next_ms - now : 0;
    jz_timer_set(&shard->turn.loop.timers, &shard->end_timer, left < UINT32_MAX ? (uint32_t)left : UINT32_MAX);
}

/* Both deadlines are by the timers' clock; UINT64_MAX: none. */
static void set_end(jz_shard *shard, uint64_t ends_at_ms, uint64_t silent_by_ms)
{
    shard->ends_at_ms = ends_at_ms;
    shard->silent_by_ms = shard->looks_at_ms = silent_by_ms;
    set_timer(shard);
}

static void stop_listening(jz_shard *shard)
{
    if (shard->acceptor.count == 0)
        return;
    jz_acceptor_keep(&shard->acceptor, 0);
    jz_server_listens_less(shard->server);
}

static void begin_stopping(jz_shard *shard)
{
    /* What was sent before the stop goes out before the close frames, and what was closed has its own close frame. */
    jz_loop_take_every_letter(&shard->turn.loop);
    jz_topic_closing_finish(shard);
    shard->course = JZ_COURSE_STOPPING;
    stop_listening(shard);
    jz_telling_begin(shard);
}

/* The grace begins when the last connection was told, which is earlier than planned if clients have left meanwhile. */
static uint64_t end_of_grace(const jz_shard *shard, uint64_t planned_ms)
{
    if (!shard->telling.is_over || planned_ms == UINT64_MAX)
        return planned_ms;
    uint64_t end_ms = shard->telling.over_ms + (planned_ms - atomic_load(&shard->server->tell_by_ms));
    return end_ms < planned_ms ? end_ms : planned_ms;
}

/* Of several requests, the one whose grace ends first counts. */
static void follow_stopping(jz_shard *shard)
{
    if (!jz_farewell_is_written(&shard->server->farewell))
        return;
    if (shard->course < JZ_COURSE_STOPPING) {
        /* First, because this is the time that the connections get to end. */
        set_end(shard, atomic_load(&shard->server->stop_by_ms), atomic_load(&shard->server->silent_by_ms));
        begin_stopping(shard);
        jz_shard_settle_dirty(shard);
    } else if (shard->course == JZ_COURSE_STOPPING && jz_telling_follow(shard)) {
        jz_shard_settle_dirty(shard);
    }
    uint64_t ends_at_ms = end_of_grace(shard, atomic_load(&shard->server->stop_by_ms));
    uint64_t silent_by_ms = end_of_grace(shard, atomic_load(&shard->server->silent_by_ms));
    if (shard->course == JZ_COURSE_STOPPING && (ends_at_ms < shard->ends_at_ms || silent_by_ms < shard->silent_by_ms))
        set_end(shard, ends_at_ms, silent_by_ms);
}

static void follow_draining(jz_shard *shard)
{
    uint64_t drain_by_ms = atomic_load(&shard->server->drain_by_ms);
    if (shard->course == JZ_COURSE_SERVING) {
        shard->course = JZ_COURSE_DRAINING;
        set_end(shard, drain_by_ms, UINT64_MAX);
        if (jz_acceptor_finish(&shard->acceptor, shard->server->options.backlog))
            jz_server_listens_less(shard->server);
        jz_shard_settle_dirty(shard);
    } else if (shard->course == JZ_COURSE_DRAINING && drain_by_ms < shard->ends_at_ms) {
        set_end(shard, drain_by_ms, UINT64_MAX);
    }
}

bool jz_ending_goes_on(jz_shard *shard)
{
    if (atomic_load(&shard->server->stop_is_requested))
        follow_stopping(shard);
    else if (atomic_load(&shard->server->drain_is_requested))
        follow_draining(shard);
    if (shard->course == JZ_COURSE_SERVING || shard->connection_count > 0)
        return true;
    return shard->course == JZ_COURSE_DRAINING && !jz_server_has_drained(shard->server);
}

/* First takes received bytes that wait in the kernel: this process may have been suspended meanwhile. */
static void cut_off(jz_shard *shard, jz_connection *connection)
{
    jz_timer_cancel(&shard->turn.loop.timers, &connection->timer);
    if (!jz_expiry_is_due(shard, connection))
        jz_connection_settle(shard, connection);
    if (jz_connection_is_there(connection))
        jz_connection_cut_off(shard, connection);
}

static void cut_off_if_silent(jz_shard *shard, jz_connection *connection)
{
    if (!jz_progress_goes_on(shard, connection, shard->server->options.close_timeout_ms))
        cut_off(shard, connection);
}

void jz_ending_expired(jz_shard *shard)
{
    if (shard->course == JZ_COURSE_DRAINING) {
        jz_server_stop(shard->server);
        return;
    }
    /* What a handler has said may wait in the mailbox, and behind it the close of who was told meanwhile. */
    jz_loop_take_every_letter(&shard->turn.loop);
    /* If the loop was delayed, some connections may not have been told yet. */
    jz_telling_finish(shard);
    jz_shard_settle_dirty(shard);
    bool is_over = jz_clock_ms() >= shard->ends_at_ms;
    shard->course = JZ_COURSE_CUTTING_OFF;
    jz_shard_visit(shard, is_over ? cut_off : cut_off_if_silent);
    if (is_over)
        return;
    shard->course = JZ_COURSE_STOPPING;
    shard->looks_at_ms = jz_clock_ms() + jz_progress_patience(shard->server->options.close_timeout_ms);
    set_timer(shard);
}

void jz_ending_fail(jz_shard *shard, int reason)
{
    jz_error error = {0};
    jz_report_system(&error, reason, "wait for events");
    jz_log(&shard->server->options, JZ_LOG_ERROR,
           "%s; the server stops: something in this process has closed a descriptor that is not its own",
           error.message);
    int none = 0;
    atomic_compare_exchange_strong(&shard->server->failure, &none, reason);
    jz_server_stop(shard->server);
    stop_listening(shard);
    shard->course = JZ_COURSE_CUTTING_OFF;
    jz_shard_visit(shard, jz_connection_cut_off);
    jz_shard_settle_dirty(shard);
}

void jz_ending_count(jz_shard *shard, const jz_connection *connection)
{
    jz_counters *counters = &shard->turn.counters;
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
