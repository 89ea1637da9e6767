#include "lifecycle/shard_loop.h"

#include <errno.h>
#include <stdlib.h>

#include "loop/report.h"
#include "session/memory.h"
#include "lifecycle/admitting.h"
#include "lifecycle/ending.h"
#include "lifecycle/errand_runner.h"
#include "lifecycle/expiry.h"
#include "lifecycle/measuring.h"
#include "output/output.h"
#include "lifecycle/reading.h"
#include "lifecycle/releasing.h"
#include "http/responding.h"
#include "shard/fetching.h"
#include "shard/gap.h"
#include "shard/server.h"
#include "lifecycle/settling.h"
#include "lifecycle/telling.h"
#include "lifecycle/watch.h"

enum { TRIM_AFTER_MS = 1000, SWEEP_EVERY_MS = 1000 };

static void take_ready(void *context, uint64_t token, unsigned what);
static void take_letter(void *context, jz_letter *letter);
static void take_expired(void *context, jz_timer *timer);
static bool end_turn(void *context);

jz_status jz_shard_init(jz_shard *shard, jz_server *server, uint8_t number, uint32_t first_generation, jz_error *error)
{
    *shard = (jz_shard){.server = server};
    shard->later_end = &shard->later;
    jz_peer_log_init(&shard->peer_log);
    jz_incidents_init(&shard->incidents);
    jz_topics_init(&shard->topics);
    jz_topics_set_key(&shard->topics, &server->topic_key);
    shard->handle_prefix = (uint16_t)(server->number << JZ_LOOP_BITS | number);
    if (!jz_slots_init(&shard->slots, first_generation)) {
        jz_peer_log_destroy(&shard->peer_log);
        jz_incidents_destroy(&shard->incidents);
        return jz_report_system(error, ENOMEM, "create an event loop");
    }
    jz_loop_owner owner = {
        .context = shard, .ready = take_ready, .letter = take_letter, .expired = take_expired, .end_of_turn = end_turn};
    jz_status status = jz_loop_init(&shard->turn.loop, owner, server->options.receive_buffer_size, error);
    if (status != JZ_OK) {
        jz_slots_destroy(&shard->slots);
        jz_peer_log_destroy(&shard->peer_log);
        jz_incidents_destroy(&shard->incidents);
        return status;
    }
    jz_admitting_init(shard);
    return JZ_OK;
}

/* Closes the mailbox, and discards all letters. */
static void discard_letters(jz_shard *shard)
{
    jz_errand_discard_all(shard);
    jz_letter *letter;
    while ((letter = jz_shard_take_later(shard)) != NULL)
        jz_errand_discard(shard, letter);
}

/* Frees connections whose workers have not reported the end of the close event; only after the poll has failed. */
static void forget_leaving(jz_shard *shard)
{
    uint32_t slot_count = shard->connection_count > 0 ? shard->slots.chunk_count * JZ_SLOTS_PER_CHUNK : 0;
    for (uint32_t slot = 0; slot < slot_count; slot++) {
        jz_connection *connection = jz_slots_at(&shard->slots, slot);
        if (connection->phase == JZ_PHASE_LEAVING)
            jz_connection_left(shard, connection);
    }
}

uint32_t jz_shard_destroy(jz_shard *shard)
{
    discard_letters(shard);
    forget_leaving(shard);
    free(shard->routes);
    jz_slot_times_free(&shard->slot_times);
    for (size_t i = 0; i < JZ_MADE_PAGES; i++)
        jz_buffer_free(&shard->made_pages[i].text);
    jz_compression_workspace_free(&shard->workspace);
    jz_acceptor_keep(&shard->acceptor, 0);
    jz_kept_input_free(&shard->kept_input);
    jz_allowances_free(&shard->allowances);
    jz_buffer_free(&shard->turn.cork);
    jz_buffer_free(&shard->turn.published.frames);
    jz_spare_unsent_free(&shard->turn.spare_unsent);
    jz_loop_destroy(&shard->turn.loop);
    jz_links_free(&shard->turn.links);
    jz_topics_destroy(&shard->topics);
    jz_peer_log_finish(shard);
    jz_peer_log_destroy(&shard->peer_log);
    jz_incidents_destroy(&shard->incidents);
    return jz_slots_destroy(&shard->slots);
}

/* The poll reports a connection that must not be read from. */
static void look_at_held(jz_shard *shard, jz_connection *connection)
{
    int descriptor = jz_link_descriptor(&shard->turn.links, connection->link);
    /* It was paused in this iteration, by a handler of another connection. */
    if ((connection->interest & JZ_READABLE) != 0) {
        if (jz_link_is_channel(connection->link))
            jz_links_put_off(&shard->turn.links, connection->link);
        return;
    }
    if (jz_socket_is_broken(descriptor))
        connection->broken = JZ_FAILURE_TRANSPORT;
    /* The peer of a Unix domain socket has gone, which the poll would report again and again. */
    else if (jz_session_has_kept(&connection->session))
        jz_poll_remove(shard->turn.loop.poll, descriptor);
    else
        jz_reading_receive(shard, connection);
}

/* The kernel takes waiting output. */
static void note_writable(jz_shard *shard, jz_connection *connection)
{
    connection->is_blocked = false;
    jz_output_uncount(&shard->turn, connection);
    jz_watch_note_taken(shard, connection);
    jz_expiry_prolong(shard, connection);
}

/*
 * Output that was put off before this iteration has its turn when its connection is settled. That shows nothing of the
 * peer, unless its kernel was full before.
 */
static void send_on(jz_shard *shard)
{
    jz_turn *turn = &shard->turn;
    jz_connection *connection = turn->put_off;
    if (JZ_LIKELY(connection == NULL) || turn->put_off_in == jz_counted(&turn->loop.times.turns))
        return;
    if (connection->unsent->was_refused)
        note_writable(shard, connection);
    connection->is_blocked = false;
    jz_turn_mark_dirty(turn, connection);
}

static bool is_read(jz_shard *shard, jz_connection *connection)
{
    return JZ_LIKELY(!jz_output_is_put_off(&shard->turn, connection)) || jz_connection_reads_on(shard, connection);
}

/* The connection is readable, writable, or both. */
static JZ_ALWAYS_INLINED void follow_readiness(jz_shard *shard, jz_connection *connection, unsigned what)
{
    if ((what & JZ_WRITABLE) != 0)
        note_writable(shard, connection);
    if ((what & JZ_READABLE) != 0 && is_read(shard, connection)) {
        if (JZ_LIKELY(!jz_connection_is_held(connection)))
            jz_reading_receive(shard, connection);
        else
            look_at_held(shard, connection);
    }
    /* Others may publish to a subscriber until the end of the iteration: then all of it is sent with one system
       call. */
    if (connection->subscriptions != NULL)
        jz_turn_mark_dirty(&shard->turn, connection);
    else
        jz_connection_settle(shard, connection);
    if ((what & JZ_WRITABLE) != 0)
        jz_http_await_request(shard, connection);
}

/* The same for a connection with a channel, which says what the server may do. */
static void follow_channel(jz_shard *shard, jz_connection *connection, unsigned may)
{
    if ((may & JZ_LOST) != 0)
        connection->broken = JZ_FAILURE_TRANSPORT;
    follow_readiness(shard, connection, may & (JZ_READABLE | JZ_WRITABLE));
}

/* Receives from channels that were pending before this iteration, without waiting for the poll. */
static void take_pending(jz_shard *shard)
{
    jz_links *links = &shard->turn.links;
    int link;
    uint32_t slot;
    while (jz_links_take_pending(links, &link, &slot)) {
        jz_connection *connection = jz_slots_at(&shard->slots, slot);
        /* If reading is paused, the channel becomes pending again when reading resumes: see jz_links_watch. */
        if ((connection->interest & JZ_READABLE) == 0)
            continue;
        follow_channel(shard, connection, jz_links_go_on(links, link));
        jz_links_follow_received(links, link);
    }
}

/* Handshakes that were put off have their turns, until they have taken their time of this iteration. */
static void take_put_off(jz_shard *shard)
{
    jz_links *links = &shard->turn.links;
    int link;
    uint32_t slot;
    while (jz_links_take_put_off(links, &link, &slot)) {
        jz_connection *connection = jz_slots_at(&shard->slots, slot);
        follow_channel(shard, connection, jz_links_take_turn(links, link, connection->interest));
    }
}

static void take_ready(void *context, uint64_t token, unsigned what)
{
    jz_shard *shard = context;
    if (jz_acceptor_ready(&shard->acceptor, token))
        return;
    /* An earlier event of this iteration may have ended the connection. */
    jz_connection *connection = jz_shard_connection_of(shard, token);
    if (connection == NULL)
        return;
    int link = connection->link;
    if (JZ_LIKELY(!jz_link_is_channel(link)))
        follow_readiness(shard, connection, what);
    else
        follow_channel(shard, connection, jz_links_ready(&shard->turn.links, link, what, connection->interest));
}

/* Publications forget what is too old of their topics; this does where nothing is published. */
static void sweep_history(jz_shard *shard)
{
    jz_history_sweep(shard->server->history, shard->turn.loop.now_ms);
    jz_fetching_expire(shard->server, shard->turn.loop.now_ms);
    jz_gap_try_again(shard->server);
    jz_timer_set(&shard->turn.loop.timers, &shard->history_timer, SWEEP_EVERY_MS);
}

static void take_letter(void *context, jz_letter *letter)
{
    jz_errand_run(context, letter);
}

static jz_connection *connection_of_timer(jz_timer *timer)
{
    return (jz_connection *)((char *)timer - offsetof(jz_connection, timer));
}

/* Returns memory that was not needed for a while to the system, so that none is left of a burst. */
static void trim_memory(jz_shard *shard)
{
    shard->keeps_memory = jz_memory_trim();
    jz_spare_unsent_free(&shard->turn.spare_unsent);
}

static void take_expired(void *context, jz_timer *timer)
{
    jz_shard *shard = context;
    if (timer == &shard->acceptor.timer)
        jz_acceptor_resume(&shard->acceptor);
    else if (timer == &shard->telling.timer)
        jz_telling_go_on(shard);
    else if (timer == &shard->end_timer)
        jz_ending_expired(shard);
    else if (timer == &shard->peer_log.timer)
        jz_peer_log_expired(shard);
    else if (timer == &shard->trim_timer)
        trim_memory(shard);
    else if (timer == &shard->measuring_timer)
        jz_measuring_expired(shard);
    else if (timer == &shard->history_timer)
        sweep_history(shard);
    else
        jz_connection_expired(shard, connection_of_timer(timer));
}

static void run_later(jz_shard *shard)
{
    while (shard->later != NULL)
        jz_errand_run_later(shard, jz_shard_take_later(shard));
}

static void settle_next(jz_shard *shard)
{
    jz_connection *connection = shard->turn.dirty;
    shard->turn.dirty = connection->next_dirty;
    connection->is_dirty = false;
    if (connection->phase == JZ_PHASE_FREE)
        jz_slots_give_back(&shard->slots, connection);
    else
        jz_connection_settle(shard, connection);
}

/*
 * Flushes all connections that were written to in this iteration. Settling may call handlers, which may write to other
 * connections, and run letters with remainders for later: nothing may be left when the loop sleeps.
 */
void jz_shard_settle_dirty(jz_shard *shard)
{
    while (shard->later != NULL || shard->turn.dirty != NULL) {
        run_later(shard);
        if (shard->turn.dirty != NULL)
            settle_next(shard);
    }
    /* All output was flushed; what sockets did not take was copied to the connections' own output. */
    jz_published_clear(&shard->turn.published);
}

static bool end_turn(void *context)
{
    jz_shard *shard = context;
    if (shard->turn.links.goes_on) {
        take_pending(shard);
        take_put_off(shard);
    }
    jz_reading_take_all_kept(shard);
    send_on(shard);
    jz_shard_settle_dirty(shard);
    jz_compression_workspace_trim(&shard->workspace);
    if (shard->keeps_memory && shard->trim_timer.link == NULL)
        jz_timer_set(&shard->turn.loop.timers, &shard->trim_timer, TRIM_AFTER_MS);
    bool goes_on = jz_ending_goes_on(shard);
    jz_kept_input_end_turn(shard);
    if (jz_links_end_turn(&shard->turn.links))
        shard->turn.loop.is_hurried = true;
    jz_peer_log_follow(shard);
    return goes_on;
}

/* What was published in this iteration goes to the others, behind the output of the iteration. */
static void flush_broker(jz_shard *shard)
{
    if (!shard->owes_flush)
        return;
    shard->owes_flush = false;
    jz_membership_flush(atomic_load(&shard->server->membership));
}

static bool end_joined_turn(void *context)
{
    bool goes_on = end_turn(context);
    flush_broker(context);
    return goes_on;
}

void jz_shard_join(jz_shard *shard, const jz_topics_owner *owner)
{
    shard->topics.owner = owner;
    shard->turn.loop.owner.end_of_turn = end_joined_turn;
}

void jz_shard_run(jz_shard *shard)
{
    jz_shard *before = jz_current_shard;
    jz_current_shard = shard;
    jz_memory_begin_keeping(&shard->keeps_memory);
    jz_measuring_begin(shard);
    if (shard->server->history != NULL && shard == shard->server->shards)
        jz_timer_set(&shard->turn.loop.timers, &shard->history_timer, SWEEP_EVERY_MS);
    bool goes_on = shard->turn.loop.owner.end_of_turn(shard);
    int failure = goes_on ? jz_loop_run(&shard->turn.loop) : 0;
    if (failure != 0)
        jz_ending_fail(shard, failure);
    discard_letters(shard);
    flush_broker(shard);
    jz_memory_end_keeping();
    jz_current_shard = before;
}
