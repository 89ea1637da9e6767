#include "lifecycle/settling.h"

#include <errno.h>

#include "lifecycle/delivery.h"
#include "http/asking.h"
#include "output/output.h"
#include "lifecycle/reading.h"
#include "lifecycle/releasing.h"
#include "output/sending.h"
#include "shard/server.h"

/* The connection's backpressure limit in bytes. */
static size_t limit_of(const jz_shard *shard, const jz_connection *connection)
{
    return connection->phase == JZ_PHASE_WEBSOCKET ? jz_connection_route(connection)->options.backpressure_limit
                                                   : shard->server->options.backpressure_limit;
}

/* A client of pages is answered one request after the other: further ones stay in the kernel while it takes an answer.
 */
static bool takes_input(const jz_connection *connection)
{
    if (connection->phase == JZ_PHASE_WEBSOCKET)
        return true;
    if (connection->phase == JZ_PHASE_HEAD)
        return connection->unsent == NULL;
    return connection->phase != JZ_PHASE_FINISHING && connection->phase != JZ_PHASE_ASKING;
}

/* Reading pauses while too much output waits: a peer that does not read is not served, and TCP slows it down. */
static bool has_too_much(const jz_shard *shard, const jz_connection *connection)
{
    size_t buffered = atomic_load_explicit(&connection->buffered_amount, memory_order_relaxed);
    return buffered > limit_of(shard, connection) / 2;
}

bool jz_connection_reads_on(jz_shard *shard, jz_connection *connection)
{
    if (jz_output_holds_input(&shard->turn, connection))
        return false;
    if (has_too_much(shard, connection))
        jz_output_flush_all(&shard->turn, connection);
    return !has_too_much(shard, connection);
}

static unsigned wanted_interest(const jz_shard *shard, const jz_connection *connection)
{
    /* After our close frame the peer's must be read: then nothing is held. */
    bool reads = takes_input(connection) && !jz_connection_is_held(connection);
    /* Who is watched and not read is so for a few iterations: to change it twice would cost more. */
    if (jz_output_is_put_off(&shard->turn, connection))
        return reads ? JZ_READABLE : connection->interest & JZ_READABLE;
    unsigned interest = connection->is_blocked ? JZ_WRITABLE : 0;
    return reads && !has_too_much(shard, connection) ? interest | JZ_READABLE : interest;
}

static bool watch(jz_shard *shard, const jz_connection *connection, unsigned interest)
{
    jz_poll *poll = shard->turn.loop.poll;
    int link = connection->link;
    uint64_t token = jz_connection_token(connection);
    if (jz_link_is_channel(link))
        return jz_links_watch(&shard->turn.links, poll, link, interest, token);
    /* It may have been removed from the poll: see look_at_held. */
    return jz_poll_change(poll, link, interest, token) || (errno == ENOENT && jz_poll_add(poll, link, interest, token));
}

static void update_interest(jz_shard *shard, jz_connection *connection)
{
    unsigned interest = wanted_interest(shard, connection);
    /* A channel may need something else for the same interest. */
    if (interest == connection->interest && !jz_link_is_channel(connection->link))
        return;
    connection->interest = interest & 3;
    if (!watch(shard, connection, interest))
        jz_connection_lose(shard, connection, JZ_FAILURE_TRANSPORT);
}

/* Carries out the answer of an upgrade hook, or of a page, from any thread. */
static void follow_answer(jz_shard *shard, jz_connection *connection)
{
    jz_buffer rest;
    jz_accepted accepted;
    if (connection->question == NULL) {
        jz_exchange_proceed(shard, connection);
        return;
    }
    if (jz_handshake_proceed(shard, connection, &rest, &accepted)) {
        jz_reading_begin_websocket(shard, connection, &accepted, (jz_input){rest.bytes, rest.length});
        jz_buffer_free(&rest);
    }
}

/* Starts the time-out of a close handshake that has begun. */
static void follow_closing(jz_shard *shard, jz_connection *connection)
{
    if (connection->phase != JZ_PHASE_WEBSOCKET || connection->session.state != JZ_SESSION_CLOSE_SENT ||
        connection->close_is_timed)
        return;
    connection->close_is_timed = true;
    connection->timer.tag = 0;
    /* The peer's close frame must be read; it may be in the kept input already. */
    if (jz_session_has_kept(&connection->session))
        jz_kept_input_note(shard, connection);
    jz_timer_set(&shard->turn.loop.timers, &connection->timer, jz_shard_close_timeout(shard));
}

/*
 * All output is sent. Ends the connection; or shuts down our side, and waits for the peer's. Returns whether it has
 * ended.
 */
static bool finish_sending(jz_shard *shard, jz_connection *connection)
{
    jz_links *links = &shard->turn.links;
    jz_socket_result result = connection->lingers ? jz_link_finish_sending(links, connection->link)
                                                  : jz_link_tell_end(links, connection->link);
    if (result == JZ_SOCKET_OK && connection->lingers)
        connection->phase = JZ_PHASE_LINGERING;
    else if (result == JZ_SOCKET_WOULD_BLOCK)
        connection->is_blocked = true;
    else
        jz_connection_release(shard, connection);
    return !jz_connection_is_there(connection);
}

void jz_connection_settle_anyhow(jz_shard *shard, jz_connection *connection)
{
    if (!jz_connection_is_there(connection))
        return;
    if (connection->phase == JZ_PHASE_ASKING && connection->broken == JZ_FAILURE_NONE)
        follow_answer(shard, connection);
    jz_output_flush(&shard->turn, connection);
    if (jz_connection_is_settled(connection))
        return;
    if (connection->phase == JZ_PHASE_ASKING && connection->question == NULL)
        jz_exchange_follow(shard, connection);
    if (connection->is_backed_up || connection->drop_is_due)
        jz_deliver_notices(shard, connection);
    if (connection->broken != JZ_FAILURE_NONE) {
        jz_connection_lose(shard, connection,
                           connection->broken == JZ_BROKEN_OFF ? JZ_FAILURE_NONE : (jz_failure)connection->broken);
        return;
    }
    follow_closing(shard, connection);
    if (connection->phase == JZ_PHASE_FINISHING && connection->unsent == NULL && finish_sending(shard, connection))
        return;
    update_interest(shard, connection);
}
