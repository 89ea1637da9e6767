#include "lifecycle/reading.h"

#include <string.h>

#include "lifecycle/delivery.h"
#include "http/exchange.h"
#include "http/handshake.h"
#include "http/http.h"
#include "shard/kept_input.h"
#include "lifecycle/measuring.h"
#include "lifecycle/opening.h"
#include "output/output.h"
#include "http/proxy.h"
#include "http/responding.h"
#include "lifecycle/releasing.h"
#include "shard/server.h"
#include "lifecycle/watch.h"

enum {
    MOST_FURTHER_READS = 3, /* of one connection per iteration, so that others are served, too */
    LEAST_CAPACITY = 4096,  /* of a channel's read: see jazzy/transport.h */
    MOST_PIECES_LOOKED_AT = 256
};

/*
 * Whether an open connection takes no more input for now: the limit of its workers is reached, or its handler has
 * closed it, and that errand waits.
 */
static bool is_held_back(const jz_connection *connection)
{
    return connection->is_behind && jz_session_is_open(&connection->session);
}

/* Whether to keep the rest of the input for later. */
static bool stops_here(jz_shard *shard, jz_connection *connection, const jz_input *input)
{
    if (shard->has_queued)
        jz_deliver_after_queued(shard, connection);
    return input->length > 0 && (is_held_back(connection) || jz_ration_is_over(shard));
}

/* The fast path is there once, because the compiler would not inline it twice. */
static JZ_ALWAYS_INLINED bool next_event(jz_connection *connection, jz_input *input, jz_buffer *output, jz_event *event,
                                         jz_message *message, bool is_measured)
{
    return is_measured ? jz_session_next_of_any(&connection->session, input, output, event, message)
                       : jz_session_next(&connection->session, input, output, event, message);
}

/* `is_measured`: how long the handler takes for each message. Compiled for both cases. */
static JZ_ALWAYS_INLINED void take_frames(jz_shard *shard, jz_connection *connection, jz_input *input, bool is_measured)
{
    jz_event event = {.type = JZ_EVENT_OPEN};
    jz_message message = {0};
    shard->turn.message = &message;
    jz_ration_begin(&shard->ration);
    while (connection->broken == JZ_FAILURE_NONE) {
        jz_buffer *output = jz_output_open_next(&shard->turn, connection);
        if (output == NULL) {
            connection->broken = JZ_FAILURE_OUT_OF_MEMORY;
            break;
        }
        if (!next_event(connection, input, output, &event, &message, is_measured))
            break;
        if (is_measured)
            jz_measuring_deliver(shard, connection, &event, &message);
        else
            jz_deliver(shard, connection, &event, &message);
        if (jz_ration_is_due(&shard->ration) && stops_here(shard, connection, input))
            break;
    }
    shard->turn.message = NULL;
    if (connection->unsent != NULL)
        jz_output_keep_message(connection);
    jz_output_appended(&shard->turn, connection);
    if (connection->broken == JZ_FAILURE_NONE && jz_session_has_ended(&connection->session)) {
        /* After a failure the peer may still be sending; a reset must not overtake our close frame. */
        bool lingers = event.type == JZ_EVENT_CLOSE && !event.was_clean;
        jz_connection_finish(shard, connection, lingers);
    }
}

static JZ_NEVER_INLINED void take_measured_frames(jz_shard *shard, jz_connection *connection, jz_input *input)
{
    take_frames(shard, connection, input, true);
}

void jz_reading_take_frames(jz_shard *shard, jz_connection *connection, jz_input *input)
{
    if (jz_sampling_takes(&shard->handler_sampling))
        take_measured_frames(shard, connection, input);
    else
        take_frames(shard, connection, input, false);
}

/* Keeps the rest of the input for later. */
static void keep(jz_shard *shard, jz_connection *connection, jz_input *input)
{
    if (input->length == 0 || connection->phase != JZ_PHASE_WEBSOCKET || connection->broken != JZ_FAILURE_NONE)
        return;
    if (!jz_session_keep(&connection->session, input))
        connection->broken = JZ_FAILURE_OUT_OF_MEMORY;
    else if (!is_held_back(connection))
        jz_kept_input_note(shard, connection);
}

/*
 * The upgrade hook was called. If it has answered at once, the connection becomes a WebSocket, or is refused. Or a page
 * was asked for, which comes before further requests.
 */
static void take_answer(jz_shard *shard, jz_connection *connection, jz_input *input)
{
    jz_accepted accepted;
    jz_buffer rest;
    if (connection->question == NULL) {
        jz_exchange_keep_input(connection, input);
        return;
    }
    /* Earlier input goes first, when the connection is settled. */
    if (connection->question->answer == NULL || connection->question->rest.length > 0)
        jz_handshake_keep_input(shard, connection, input);
    else if (jz_handshake_proceed(shard, connection, &rest, &accepted))
        jz_connection_begin_websocket(shard, connection, &accepted);
}

/* Sends what was written to the connection while it was read. */
static void flush_current(jz_shard *shard, jz_connection *connection)
{
    if (connection->subscriptions != NULL)
        jz_output_defer(&shard->turn, connection);
    else
        jz_output_flush(&shard->turn, connection);
    shard->turn.current = NULL;
}

void jz_reading_take_kept(jz_shard *shard, jz_connection *connection)
{
    if (is_held_back(connection))
        return;
    jz_buffer kept;
    jz_input input = jz_session_take_kept(&connection->session, &kept);
    shard->turn.current = connection;
    jz_reading_take_frames(shard, connection, &input);
    flush_current(shard, connection);
    if (input.length == 0 || connection->phase != JZ_PHASE_WEBSOCKET || connection->broken != JZ_FAILURE_NONE) {
        jz_buffer_free(&kept);
    } else if (!jz_session_give_back_kept(&connection->session, &kept, &input)) {
        jz_buffer_free(&kept);
        connection->broken = JZ_FAILURE_OUT_OF_MEMORY;
    } else if (!is_held_back(connection)) {
        jz_kept_input_note(shard, connection);
    }
}

/* Its handler may be behind since the open event, with which other input has come. */
static void take_websocket_input(jz_shard *shard, jz_connection *connection, jz_input *input)
{
    if (!is_held_back(connection))
        jz_reading_take_frames(shard, connection, input);
    keep(shard, connection, input);
}

static void take_input(jz_shard *shard, jz_connection *connection, jz_input input)
{
    jz_accepted accepted;
    shard->turn.current = connection;
    if (connection->phase == JZ_PHASE_PROXY)
        jz_proxy_take(shard, connection, &input);
    if (connection->phase == JZ_PHASE_HEAD && jz_http_take(shard, connection, &input, &accepted))
        jz_connection_begin_websocket(shard, connection, &accepted);
    if (connection->phase == JZ_PHASE_ASKING)
        take_answer(shard, connection, &input);
    if (connection->phase == JZ_PHASE_WEBSOCKET)
        take_websocket_input(shard, connection, &input);
    flush_current(shard, connection);
}

void jz_reading_begin_websocket(jz_shard *shard, jz_connection *connection, const jz_accepted *accepted, jz_input input)
{
    shard->turn.current = connection;
    jz_connection_begin_websocket(shard, connection, accepted);
    take_websocket_input(shard, connection, &input);
    flush_current(shard, connection);
}

/* The next request behind one that is answered has its turn. */
static void take_rest(jz_shard *shard, jz_connection *connection)
{
    jz_buffer rest = jz_exchange_take_rest(connection);
    take_input(shard, connection, (jz_input){rest.bytes, rest.length});
    jz_buffer_free(&rest);
    jz_http_await_request(shard, connection);
    jz_turn_mark_dirty(&shard->turn, connection);
}

static void go_on(jz_shard *shard, uint64_t token)
{
    jz_connection *connection = jz_shard_connection_of(shard, token);
    if (connection != NULL && jz_exchange_is_resting(connection))
        take_rest(shard, connection);
    if (connection == NULL || connection->phase != JZ_PHASE_WEBSOCKET || !jz_session_has_kept(&connection->session))
        return;
    jz_reading_take_kept(shard, connection);
    jz_turn_mark_dirty(&shard->turn, connection);
}

void jz_reading_take_all_kept(jz_shard *shard)
{
    jz_kept_input *kept = &shard->kept_input;
    for (size_t i = 0; i < kept->due; i++)
        go_on(shard, kept->tokens[i]);
    kept->count -= kept->due;
    if (kept->count > 0)
        memmove(kept->tokens, kept->tokens + kept->due, kept->count * sizeof *kept->tokens);
    kept->due = 0;
}

/* The peer will send no more. Output to it is still sent. */
static void take_end_of_input(jz_shard *shard, jz_connection *connection)
{
    switch (connection->phase) {
    case JZ_PHASE_WEBSOCKET:
        jz_session_end(&connection->session, JZ_FAILURE_NONE);
        take_input(shard, connection, (jz_input){0});
        connection->lingers = false;
        break;
    case JZ_PHASE_PROXY:
    case JZ_PHASE_HEAD:
    case JZ_PHASE_LINGERING:
        jz_connection_finish(shard, connection, false);
        break;
    case JZ_PHASE_ASKING:
        connection->broken = JZ_FAILURE_TRANSPORT;
        break;
    default:
        break;
    }
}

/* How much of a frame that was received in part is still to come; 0: nothing is to be read now. */
static uint64_t missing(const jz_shard *shard, const jz_connection *connection)
{
    bool reads = connection->phase == JZ_PHASE_WEBSOCKET && connection->broken == JZ_FAILURE_NONE &&
                 !connection->is_paused && !connection->is_behind && !jz_output_holds_input(&shard->turn, connection);
    return reads ? jz_session_missing(&connection->session) : 0;
}

/* How many bytes to receive, of which `wanted` are needed. */
static size_t capacity_for(const jz_shard *shard, const jz_connection *connection, uint64_t wanted)
{
    size_t size = shard->turn.loop.receive_buffer_size;
    if (wanted < LEAST_CAPACITY && jz_link_is_channel(connection->link))
        return LEAST_CAPACITY;
    return wanted < size ? (size_t)wanted : size;
}

/* Receives once. Returns whether there may be more. */
static bool receive(jz_shard *shard, jz_connection *connection, size_t capacity)
{
    /* Kept input goes first. */
    if (connection->phase == JZ_PHASE_WEBSOCKET && jz_session_has_kept(&connection->session)) {
        if (jz_link_is_channel(connection->link))
            jz_links_put_off(&shard->turn.links, connection->link);
        return false;
    }
    size_t received = 0;
    bool has_more;
    uint8_t *buffer = shard->turn.loop.receive_buffer;
    switch (jz_link_receive(&shard->turn.links, connection->link, buffer, capacity, &received, &has_more)) {
    case JZ_SOCKET_OK:
        jz_connection_note_activity(connection, shard->turn.loop.now_ms);
        take_input(shard, connection, (jz_input){buffer, received});
        return has_more;
    case JZ_SOCKET_ENDED:
        take_end_of_input(shard, connection);
        break;
    case JZ_SOCKET_WOULD_BLOCK:
        break;
    default:
        connection->broken = JZ_FAILURE_TRANSPORT;
        break;
    }
    return false;
}

/*
 * A message larger than the buffer: receives its rest at once, so that few such messages are in memory at the same
 * time. But not what comes behind it, which has to wait as that of others does.
 */
static JZ_NEVER_INLINED void receive_rest(jz_shard *shard, jz_connection *connection)
{
    for (int i = 0; i < MOST_FURTHER_READS; i++) {
        uint64_t wanted = missing(shard, connection);
        if (wanted == 0 || !receive(shard, connection, capacity_for(shard, connection, wanted)))
            break;
    }
}

void jz_reading_receive(jz_shard *shard, jz_connection *connection)
{
    if (receive(shard, connection, shard->turn.loop.receive_buffer_size))
        receive_rest(shard, connection);
}

/* Whether what was looked for may still be in a channel that gives what has come in small pieces. */
static bool looks_further(const jz_shard *shard, const jz_connection *connection, uint8_t phase)
{
    return jz_link_has_more(&shard->turn.links, connection->link) && connection->phase == phase &&
           connection->broken == JZ_FAILURE_NONE && !jz_timer_is_set(&connection->timer);
}

void jz_reading_look(jz_shard *shard, jz_connection *connection)
{
    if (connection->phase == JZ_PHASE_WEBSOCKET && jz_session_has_kept(&connection->session))
        jz_reading_take_kept(shard, connection);
    uint8_t phase = connection->phase;
    jz_reading_receive(shard, connection);
    for (int i = 0; i < MOST_PIECES_LOOKED_AT && looks_further(shard, connection, phase); i++)
        jz_reading_receive(shard, connection);
}
