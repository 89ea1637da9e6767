#include "lifecycle/errand_runner.h"

#include "lifecycle/admitting.h"
#include "http/asking.h"
#include "lifecycle/releasing.h"
#include "output/sending.h"
#include "shard/hold.h"
#include "shard/server.h"
#include "lifecycle/topic_closing.h"
#include "workers/work.h"

static void take_over(jz_shard *shard, const jz_arrival *arrival)
{
    if (shard->course >= JZ_COURSE_STOPPING)
        jz_arrival_give_up(shard->server, arrival);
    else
        jz_admitting_begin(shard, arrival);
}

void jz_connection_close_or_break(jz_shard *shard, jz_connection *connection, jz_close_cause cause, uint16_t code,
                                  jz_text reason)
{
    if (jz_connection_close(&shard->turn, connection, cause, code, reason) != JZ_SEND_DROPPED)
        return;
    connection->broken = JZ_FAILURE_OUT_OF_MEMORY;
    jz_turn_mark_dirty(&shard->turn, connection);
}

void jz_connection_close_behind(jz_shard *shard, jz_connection *connection, jz_close_cause cause, uint16_t code,
                                jz_text reason)
{
    bool waits = jz_hold_is_for_letters(shard, connection);
    jz_ws ws = jz_shard_handle_of(shard, connection);
    if (!waits || jz_errand_close(shard, ws, cause, code, reason) != JZ_SEND_QUEUED)
        jz_connection_close_or_break(shard, connection, cause, code, reason);
}

static void catch_up(jz_shard *shard, jz_connection *connection)
{
    if (jz_connection_is_silenced(connection))
        return;
    jz_hold_end(shard, connection, JZ_HOLD_WORK);
    if (connection->phase == JZ_PHASE_WEBSOCKET && !connection->is_behind && jz_session_has_kept(&connection->session))
        jz_kept_input_note(shard, connection);
    jz_connection_note_activity(connection, shard->turn.loop.now_ms);
    jz_turn_mark_dirty(&shard->turn, connection);
}

/* The caller was told that it is subscribed. */
static void play(jz_shard *shard, jz_connection *connection, const jz_errand *task)
{
    jz_text topic;
    const jz_replay *replay = jz_errand_replay_of(task, &topic);
    if (replay == NULL || jz_replay_play(&shard->turn, &shard->topics, connection, topic, replay) == JZ_SEND_DROPPED)
        jz_connection_fall_behind(&shard->turn, connection);
}

static void run_on_connection(jz_shard *shard, jz_connection *connection, jz_errand *task)
{
    const jz_text text = {(const char *)task->bytes, task->length};
    switch (task->type) {
    case JZ_ERRAND_SEND:
        jz_connection_send(&shard->turn, connection, task->kind, task->bytes, task->length, task->compression);
        break;
    case JZ_ERRAND_CLOSE:
        jz_connection_close_or_break(shard, connection, (jz_close_cause)task->cause, task->code, text);
        break;
    case JZ_ERRAND_TERMINATE:
        jz_connection_terminate(&shard->turn, connection);
        break;
    case JZ_ERRAND_SUBSCRIBE:
        jz_connection_subscribe(&shard->topics, connection, text);
        break;
    case JZ_ERRAND_UNSUBSCRIBE:
        jz_topics_unsubscribe(&shard->topics, connection, text);
        break;
    case JZ_ERRAND_REPLAY:
        play(shard, connection, task);
        break;
    case JZ_ERRAND_CATCH_UP:
        catch_up(shard, connection);
        break;
    case JZ_ERRAND_LEAVE:
        jz_connection_left(shard, connection);
        break;
    case JZ_ERRAND_PAUSE:
    case JZ_ERRAND_RESUME:
        jz_connection_pause(&shard->turn, connection, task->type == JZ_ERRAND_PAUSE);
        break;
    case JZ_ERRAND_ANSWER:
        if (jz_asking_answer(shard, connection, task->answer) == JZ_ANSWER_TAKEN)
            task->answer = NULL;
        break;
    default:
        break;
    }
}

static void run(jz_shard *shard, jz_letter *letter)
{
    jz_errand *task = (jz_errand *)letter;
    if (task->type == JZ_ERRAND_HAND_OVER) {
        jz_shard_do_later(shard, letter);
        return;
    }
    if (task->type == JZ_ERRAND_CLOSE_TOPIC) {
        jz_topic_closing_run(shard, task);
        return;
    }
    if (task->type == JZ_ERRAND_PARCEL) {
        jz_parcel *parcel = jz_errand_parcel(task);
        parcel->take(shard, parcel);
        jz_errand_free(task);
        return;
    }
    if (task->type == JZ_ERRAND_PUBLISH) {
        jz_shard_publish(shard, (jz_text){(const char *)task->bytes, task->length}, task->publication, task->ws);
    } else if (task->type == JZ_ERRAND_GAP) {
        jz_fan_out_gap(&shard->turn, &shard->topics, (jz_text){(const char *)task->bytes, task->length});
    } else if (task->type == JZ_ERRAND_GAPS) {
        jz_fan_out_gaps(&shard->turn, &shard->topics);
    } else {
        jz_connection *connection = jz_slots_find(&shard->slots, task->ws);
        if (connection != NULL)
            run_on_connection(shard, connection, task);
        if (task->type == JZ_ERRAND_SUBSCRIBE)
            jz_topics_asked(&shard->topics);
        else if (task->type == JZ_ERRAND_REPLAY)
            jz_errand_end_replay(shard, task);
    }
    jz_errand_unreserve(shard, task->reserved);
    task->reserved = 0;
    if (task->answer != NULL)
        jz_shard_do_later(shard, letter);
    else
        jz_errand_free(task);
}

/* The connection of this shard whose handler asks for it, if messages can be sent to it; else NULL. */
static jz_connection *writable_caller(const jz_shard *shard, jz_ws caller)
{
    if (jz_handle_shard(caller) != shard->handle_prefix)
        return NULL;
    jz_connection *connection = jz_slots_find(&shard->slots, caller);
    return connection != NULL && jz_connection_is_writable(connection) ? connection : NULL;
}

/*
 * What a worker's handler asks for may end its own connection, as what it sends may: it gets no more messages then. Not
 * so where sending only finds that the peer has gone, who was first.
 */
static bool has_ended_it(const jz_connection *caller)
{
    return caller->phase == JZ_PHASE_WEBSOCKET && !jz_connection_is_writable(caller) &&
           caller->broken != JZ_FAILURE_TRANSPORT;
}

void jz_errand_run(jz_shard *shard, jz_letter *letter)
{
    jz_ws ws = ((const jz_errand *)letter)->caller;
    jz_connection *caller = ws.value != 0 ? writable_caller(shard, ws) : NULL;
    run(shard, letter);
    if (caller != NULL && has_ended_it(caller))
        caller->work->has_ended_it = true;
}

void jz_errand_run_later(jz_shard *shard, jz_letter *letter)
{
    jz_errand *task = (jz_errand *)letter;
    if (task->type == JZ_ERRAND_CLOSE_TOPIC) {
        jz_topic_closing_run_later(shard, task);
        return;
    }
    if (task->type == JZ_ERRAND_HAND_OVER) {
        const jz_arrival arrival = jz_errand_arrival(task);
        take_over(shard, &arrival);
    }
    jz_errand_free(task);
}
