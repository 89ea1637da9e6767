#include "errand.h"

#include <string.h>

#include "../session/memory.h"
#include "access.h"
#include "handshake.h"
#include "kept_input.h"
#include "sending.h"
#include "server.h"
#include "watch.h"

typedef enum errand_type {
    ERRAND_SEND,
    ERRAND_CLOSE,
    ERRAND_TERMINATE,
    ERRAND_SUBSCRIBE,
    ERRAND_UNSUBSCRIBE,
    ERRAND_PUBLISH,
    ERRAND_CATCH_UP,
    ERRAND_LEAVE,
    ERRAND_PAUSE,
    ERRAND_RESUME,
    ERRAND_ANSWER,
    ERRAND_HAND_OVER
} errand_type;

typedef struct errand {
    jz_letter letter; /* first, so that a letter is its errand */
    jz_ws ws;
    errand_type type;
    jz_message_kind kind;
    jz_compression compression;
    uint16_t code;
    jz_publication *publication; /* retained */
    jz_answer *answer;           /* ERRAND_ANSWER: owned */
    size_t reserved;             /* bytes of the mailbox's limit */
    size_t length;
    uint8_t bytes[];
} errand;

/* What it refers to is somebody else's. */
static void give_memory_back(errand *task)
{
    jz_memory_give(task, sizeof *task + task->length);
}

/* NULL when there is no memory. */
static errand *create(const errand *fields, const void *bytes)
{
    if (fields->length > SIZE_MAX - sizeof *fields)
        return NULL;
    errand *copy = jz_memory_take(sizeof *fields + fields->length);
    if (copy == NULL)
        return NULL;
    memcpy(copy, fields, sizeof *fields);
    if (fields->length > 0)
        memcpy(copy->bytes, bytes, fields->length);
    return copy;
}

void jz_errand_unreserve(jz_shard *shard, size_t amount)
{
    atomic_fetch_sub_explicit(&shard->mailbox_amount, amount, memory_order_relaxed);
}

bool jz_errand_may_wait(const jz_shard *shard)
{
    return atomic_load_explicit(&shard->mailbox_amount, memory_order_relaxed) < shard->server->options.mailbox_limit;
}

bool jz_errand_reserve(jz_shard *shard, size_t amount)
{
    /* As with backpressure: what comes while there is room is taken, whatever its size. The loop's own thread looked
       for room before (jz_is_in_order), and is not overtaken by others. */
    size_t before = atomic_fetch_add_explicit(&shard->mailbox_amount, amount, memory_order_relaxed);
    if (before < shard->server->options.mailbox_limit || shard == jz_current_shard)
        return true;
    jz_errand_unreserve(shard, amount);
    return false;
}

/* Posts a copy. DROPPED: there is no memory. CLOSED: the loop has ended. */
static jz_send_status post(jz_shard *shard, const errand *fields, const void *bytes)
{
    errand *copy = create(fields, bytes);
    if (copy == NULL)
        return JZ_SEND_DROPPED;
    if (jz_loop_post(&shard->turn.loop, &copy->letter))
        return JZ_SEND_QUEUED;
    give_memory_back(copy);
    return JZ_SEND_CLOSED;
}

/* The same for what anybody may ask as often as he likes: DROPPED, too, where as much waits as may. */
static jz_send_status post_within_limit(jz_shard *shard, errand *fields, const void *bytes)
{
    fields->reserved = JZ_LETTER_COST + fields->length;
    if (!jz_errand_reserve(shard, fields->reserved))
        return JZ_SEND_DROPPED;
    jz_send_status status = post(shard, fields, bytes);
    if (status != JZ_SEND_QUEUED)
        jz_errand_unreserve(shard, fields->reserved);
    return status;
}

jz_send_status jz_errand_send(jz_shard *shard, jz_ws ws, jz_message_kind kind, const void *bytes, size_t length,
                              jz_compression compression)
{
    errand fields = {.ws = ws, .type = ERRAND_SEND, .kind = kind, .compression = compression, .length = length};
    jz_send_status status =
        length <= SIZE_MAX - sizeof fields ? post_within_limit(shard, &fields, bytes) : JZ_SEND_DROPPED;
    if (status == JZ_SEND_DROPPED)
        jz_count_dropped(&shard->turn.counters);
    return status;
}

jz_send_status jz_errand_close(jz_shard *shard, jz_ws ws, uint16_t code, const char *reason, size_t length)
{
    return post_within_limit(shard, &(errand){.ws = ws, .type = ERRAND_CLOSE, .code = code, .length = length}, reason);
}

jz_send_status jz_errand_terminate(jz_shard *shard, jz_ws ws)
{
    return post_within_limit(shard, &(errand){.ws = ws, .type = ERRAND_TERMINATE}, "");
}

jz_send_status jz_errand_subscribe(jz_shard *shard, jz_ws ws, jz_text topic)
{
    return post_within_limit(shard, &(errand){.ws = ws, .type = ERRAND_SUBSCRIBE, .length = topic.length}, topic.start);
}

jz_send_status jz_errand_unsubscribe(jz_shard *shard, jz_ws ws, jz_text topic)
{
    return post_within_limit(shard, &(errand){.ws = ws, .type = ERRAND_UNSUBSCRIBE, .length = topic.length},
                             topic.start);
}

jz_send_status jz_errand_publish(jz_shard *shard, jz_ws sender, jz_text topic, jz_publication *publication,
                                 size_t reserved)
{
    const errand fields = {
        .ws = sender, .type = ERRAND_PUBLISH, .publication = publication, .reserved = reserved, .length = topic.length};
    jz_publication_retain(publication);
    jz_send_status status = post(shard, &fields, topic.start);
    if (status != JZ_SEND_QUEUED) {
        jz_publication_release(publication);
        jz_errand_unreserve(shard, reserved);
    }
    return status;
}

jz_send_status jz_errand_pause(jz_shard *shard, jz_ws ws, bool is_paused)
{
    return post_within_limit(shard, &(errand){.ws = ws, .type = is_paused ? ERRAND_PAUSE : ERRAND_RESUME}, "");
}

jz_send_status jz_errand_answer(jz_shard *shard, jz_ws ws, jz_answer *answer)
{
    return post_within_limit(shard, &(errand){.ws = ws, .type = ERRAND_ANSWER, .answer = answer}, "");
}

static jz_letter *make(jz_ws ws, errand_type type)
{
    const errand fields = {.ws = ws, .type = type};
    errand *created = create(&fields, "");
    return created != NULL ? &created->letter : NULL;
}

jz_letter *jz_errand_create_resume(jz_ws ws)
{
    return make(ws, ERRAND_CATCH_UP);
}

jz_letter *jz_errand_create_leave(jz_ws ws)
{
    return make(ws, ERRAND_LEAVE);
}

void jz_errand_free_made(jz_letter *made)
{
    if (made != NULL)
        give_memory_back((errand *)made);
}

void jz_errand_post_made(jz_letter *made)
{
    jz_ws ws = ((const errand *)made)->ws;
    jz_shard *shard = jz_enter_shard(ws);
    bool is_posted = shard != NULL && jz_loop_post(&shard->turn.loop, made);
    if (!is_posted)
        jz_errand_free_made(made);
    if (shard != NULL)
        jz_leave_shard(ws);
}

jz_send_status jz_errand_hand_over(jz_shard *shard, const jz_arrival *arrival)
{
    const errand fields = {.type = ERRAND_HAND_OVER, .length = sizeof *arrival};
    return post(shard, &fields, arrival);
}

static jz_arrival arrival_of(const errand *task)
{
    jz_arrival arrival;
    memcpy(&arrival, task->bytes, sizeof arrival);
    return arrival;
}

static void take_over(jz_shard *shard, const jz_arrival *arrival)
{
    if (shard->course >= JZ_COURSE_STOPPING)
        jz_arrival_give_up(shard->server, arrival);
    else
        jz_arrival_begin(shard, arrival);
}

static void free_errand(errand *task)
{
    if (task->publication != NULL)
        jz_publication_release(task->publication);
    jz_answer_free(task->answer);
    give_memory_back(task);
}

/* Whoever asked was told that it will be closed: without memory for a close frame it ends without one. */
static void close_or_break(jz_shard *shard, jz_connection *connection, uint16_t code, jz_text reason)
{
    if (jz_connection_close(&shard->turn, connection, JZ_CAUSE_APPLICATION, code, reason) != JZ_SEND_DROPPED)
        return;
    connection->broken = JZ_FAILURE_OUT_OF_MEMORY;
    jz_turn_mark_dirty(&shard->turn, connection);
}

static void run_on_connection(jz_shard *shard, jz_connection *connection, errand *task)
{
    const jz_text text = {(const char *)task->bytes, task->length};
    switch (task->type) {
    case ERRAND_SEND:
        jz_connection_send(&shard->turn, connection, task->kind, task->bytes, task->length, task->compression);
        break;
    case ERRAND_CLOSE:
        close_or_break(shard, connection, task->code, text);
        break;
    case ERRAND_TERMINATE:
        jz_connection_terminate(&shard->turn, connection);
        break;
    case ERRAND_SUBSCRIBE:
        jz_connection_subscribe(&shard->topics, connection, text);
        break;
    case ERRAND_UNSUBSCRIBE:
        jz_topics_unsubscribe(&shard->topics, connection, text);
        break;
    case ERRAND_CATCH_UP:
        connection->is_behind = false;
        if (connection->phase == JZ_PHASE_WEBSOCKET && jz_session_has_kept(&connection->session))
            jz_kept_input_note(shard, connection);
        jz_connection_note_activity(connection, shard->turn.loop.now_ms);
        jz_turn_mark_dirty(&shard->turn, connection);
        break;
    case ERRAND_LEAVE:
        jz_connection_left(shard, connection);
        break;
    case ERRAND_PAUSE:
    case ERRAND_RESUME:
        jz_connection_pause(&shard->turn, connection, task->type == ERRAND_PAUSE);
        break;
    case ERRAND_ANSWER:
        if (jz_handshake_answer(shard, connection, task->answer) == JZ_ANSWER_TAKEN)
            task->answer = NULL;
        break;
    default:
        break;
    }
}

void jz_errand_run(jz_shard *shard, jz_letter *letter)
{
    errand *task = (errand *)letter;
    if (task->type == ERRAND_HAND_OVER) {
        jz_shard_do_later(shard, letter);
        return;
    }
    if (task->type == ERRAND_PUBLISH) {
        jz_shard_publish(shard, (jz_text){(const char *)task->bytes, task->length}, task->publication, task->ws);
    } else {
        jz_connection *connection = jz_slots_find(&shard->slots, task->ws);
        if (connection != NULL)
            run_on_connection(shard, connection, task);
    }
    jz_errand_unreserve(shard, task->reserved);
    task->reserved = 0;
    if (task->answer != NULL)
        jz_shard_do_later(shard, letter);
    else
        free_errand(task);
}

void jz_errand_run_later(jz_shard *shard, jz_letter *letter)
{
    errand *task = (errand *)letter;
    if (task->type == ERRAND_HAND_OVER) {
        const jz_arrival arrival = arrival_of(task);
        take_over(shard, &arrival);
    }
    free_errand(task);
}

void jz_errand_discard(jz_shard *shard, jz_letter *letter)
{
    errand *task = (errand *)letter;
    if (task->type == ERRAND_HAND_OVER) {
        const jz_arrival arrival = arrival_of(task);
        jz_arrival_give_up(shard->server, &arrival);
    }
    jz_errand_unreserve(shard, task->reserved);
    free_errand(task);
}

void jz_errand_discard_all(jz_shard *shard)
{
    jz_letter *letter = jz_loop_close_mailbox(&shard->turn.loop);
    while (letter != NULL) {
        jz_letter *next = letter->next;
        jz_errand_discard(shard, letter);
        letter = next;
    }
}
