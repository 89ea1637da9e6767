#include "shard/errand.h"

#include <string.h>

#include "session/frame_writer.h"
#include "session/memory.h"
#include "shard/entry.h"
#include "shard/server.h"

/* Frees only the errand itself, not what it points to. */
static void give_memory_back(jz_errand *task)
{
    jz_memory_give(task, sizeof *task + task->length);
}

/* Without its bytes. NULL when there is no memory. */
static jz_errand *create_empty(const jz_errand *fields)
{
    if (fields->length > SIZE_MAX - sizeof *fields)
        return NULL;
    jz_errand *copy = jz_memory_take(sizeof *fields + fields->length);
    if (copy == NULL)
        return NULL;
    memcpy(copy, fields, sizeof *fields);
    if (jz_current_work != NULL)
        copy->caller = jz_current_work->ws;
    return copy;
}

/* NULL when there is no memory. */
static jz_errand *create(const jz_errand *fields, const void *bytes)
{
    jz_errand *copy = create_empty(fields);
    if (copy != NULL && fields->length > 0)
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
    /* As with backpressure, below the limit any size is accepted. The loop's own thread is never refused:
       jz_is_in_order has checked the limit before. */
    size_t before = atomic_fetch_add_explicit(&shard->mailbox_amount, amount, memory_order_relaxed);
    if (before < shard->server->options.mailbox_limit || shard == jz_current_shard ||
        jz_mailbox_is_closed(&shard->turn.loop.mailbox))
        return true;
    jz_errand_unreserve(shard, amount);
    return false;
}

/* Posts a copy. DROPPED: there is no memory. CLOSED: the loop has ended. */
static jz_send_status post(jz_shard *shard, const jz_errand *fields, const void *bytes)
{
    jz_errand *copy = create(fields, bytes);
    if (copy == NULL)
        return JZ_SEND_DROPPED;
    if (jz_loop_post(&shard->turn.loop, &copy->letter))
        return JZ_SEND_QUEUED;
    give_memory_back(copy);
    return JZ_SEND_CLOSED;
}

/* The same for requests whose number the application decides: also DROPPED if the mailbox limit is reached. */
static jz_send_status post_within_limit(jz_shard *shard, jz_errand *fields, const void *bytes)
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
    jz_errand fields = {.ws = ws, .type = JZ_ERRAND_SEND, .kind = kind, .compression = compression, .length = length};
    jz_send_status status =
        length <= SIZE_MAX - sizeof fields ? post_within_limit(shard, &fields, bytes) : JZ_SEND_DROPPED;
    if (status == JZ_SEND_DROPPED)
        jz_count_dropped(&shard->turn.counters);
    return status;
}

/*
 * The same for who ends a connection. If that is its own handler, on a worker, it is not refused because others have
 * filled the mailbox: it would be called with more messages. That is once for a connection, so that it stays bounded.
 */
static jz_send_status post_end(jz_shard *shard, jz_errand *fields, const void *bytes)
{
    const jz_work *own = jz_current_work;
    bool is_first_of_own = own != NULL && own->ws.value == fields->ws.value && !own->has_ended_it;
    return is_first_of_own ? post(shard, fields, bytes) : post_within_limit(shard, fields, bytes);
}

jz_send_status jz_errand_close(jz_shard *shard, jz_ws ws, jz_close_cause cause, uint16_t code, jz_text reason)
{
    jz_errand fields = {.ws = ws,
                        .type = JZ_ERRAND_CLOSE,
                        .cause = (uint8_t)cause,
                        .code = code,
                        .length = jz_fitting_reason_length(reason.start, reason.length)};
    return post_end(shard, &fields, reason.start);
}

jz_send_status jz_errand_terminate(jz_shard *shard, jz_ws ws)
{
    return post_end(shard, &(jz_errand){.ws = ws, .type = JZ_ERRAND_TERMINATE}, "");
}

jz_send_status jz_errand_subscribe(jz_shard *shard, jz_ws ws, jz_text topic)
{
    jz_topics_ask(&shard->topics);
    jz_send_status status = post_within_limit(
        shard, &(jz_errand){.ws = ws, .type = JZ_ERRAND_SUBSCRIBE, .length = topic.length}, topic.start);
    if (status != JZ_SEND_QUEUED)
        jz_topics_asked(&shard->topics);
    return status;
}

jz_send_status jz_errand_unsubscribe(jz_shard *shard, jz_ws ws, jz_text topic)
{
    return post_within_limit(shard, &(jz_errand){.ws = ws, .type = JZ_ERRAND_UNSUBSCRIBE, .length = topic.length},
                             topic.start);
}

/* Its bytes are the replay's address, and the topic behind it. */
jz_errand *jz_errand_create_replay(jz_ws ws, jz_text topic)
{
    jz_replay *none = NULL;
    if (topic.length > SIZE_MAX - sizeof none - sizeof(jz_errand) - JZ_LETTER_COST)
        return NULL;
    jz_errand *created =
        create_empty(&(jz_errand){.ws = ws, .type = JZ_ERRAND_REPLAY, .length = sizeof none + topic.length});
    if (created == NULL)
        return NULL;
    memcpy(created->bytes, &none, sizeof none);
    if (topic.length > 0)
        memcpy(created->bytes + sizeof none, topic.start, topic.length);
    return created;
}

void jz_errand_set_replay(jz_errand *task, jz_replay *replay, size_t reserved)
{
    memcpy(task->bytes, &replay, sizeof replay);
    task->reserved = reserved;
}

jz_send_status jz_errand_replay(jz_shard *shard, jz_ws ws, jz_text topic, jz_replay *replay)
{
    jz_errand *created = jz_errand_create_replay(ws, topic);
    if (created == NULL)
        return JZ_SEND_DROPPED;
    size_t reserved = JZ_LETTER_COST + created->length + replay->count * sizeof replay;
    jz_send_status status = JZ_SEND_DROPPED;
    if (jz_errand_reserve(shard, reserved)) {
        jz_errand_set_replay(created, replay, reserved);
        status = jz_loop_post(&shard->turn.loop, &created->letter) ? JZ_SEND_QUEUED : JZ_SEND_CLOSED;
        if (status != JZ_SEND_QUEUED)
            jz_errand_unreserve(shard, reserved);
    }
    if (status != JZ_SEND_QUEUED)
        give_memory_back(created);
    return status;
}

jz_errand *jz_errand_create_gap(jz_text topic)
{
    return create(&(jz_errand){.type = JZ_ERRAND_GAP, .length = topic.length}, topic.start);
}

jz_errand *jz_errand_create_gaps(void)
{
    return create(&(jz_errand){.type = JZ_ERRAND_GAPS}, "");
}

jz_replay *jz_errand_replay_of(const jz_errand *task, jz_text *topic)
{
    jz_replay *replay;
    memcpy(&replay, task->bytes, sizeof replay);
    *topic = (jz_text){(const char *)task->bytes + sizeof replay, task->length - sizeof replay};
    return replay;
}

bool jz_topic_hold(const jz_server *server, jz_text topic)
{
    jz_membership *membership = atomic_load(&server->membership);
    return membership == NULL || jz_interest_came(&membership->interest, topic);
}

void jz_topic_let_go(const jz_server *server, jz_text topic)
{
    jz_membership *membership = atomic_load(&server->membership);
    if (membership != NULL)
        jz_interest_went(&membership->interest, topic);
}

void jz_errand_end_replay(jz_shard *shard, const jz_errand *task)
{
    jz_text topic;
    (void)jz_errand_replay_of(task, &topic);
    jz_topic_let_go(shard->server, topic);
}

jz_errand *jz_errand_create_publishing(jz_ws sender, jz_text topic, jz_publication *publication, size_t reserved)
{
    const jz_errand fields = {.ws = sender,
                              .type = JZ_ERRAND_PUBLISH,
                              .publication = publication,
                              .reserved = reserved,
                              .length = topic.length};
    jz_errand *created = create(&fields, topic.start);
    if (created != NULL)
        jz_publication_retain(publication);
    return created;
}

jz_send_status jz_errand_publish(jz_shard *shard, jz_ws sender, jz_text topic, jz_publication *publication,
                                 size_t reserved)
{
    jz_errand *created = jz_errand_create_publishing(sender, topic, publication, reserved);
    if (created != NULL)
        return jz_errand_post(shard, created);
    jz_errand_unreserve(shard, reserved);
    return JZ_SEND_DROPPED;
}

jz_errand *jz_errand_create_topic_closing(jz_text topic, uint16_t code, jz_text reason)
{
    jz_topic_closing closing = {.left = SIZE_MAX,
                                .code = code,
                                .reason_length = (uint8_t)jz_fitting_reason_length(reason.start, reason.length)};
    if (topic.length > SIZE_MAX - sizeof closing - JZ_LETTER_COST)
        return NULL;
    if (closing.reason_length > 0)
        memcpy(closing.reason, reason.start, closing.reason_length);
    size_t length = sizeof closing + topic.length;
    jz_errand *created = create_empty(&(jz_errand){.type = JZ_ERRAND_CLOSE_TOPIC, .length = length});
    if (created == NULL)
        return NULL;
    memcpy(created->bytes, &closing, sizeof closing);
    if (topic.length > 0)
        memcpy(created->bytes + sizeof closing, topic.start, topic.length);
    return created;
}

void jz_errand_set_asker(jz_errand *task, jz_ws asker, jz_work *work)
{
    jz_topic_closing closing;
    memcpy(&closing, task->bytes, sizeof closing);
    closing.asker = asker;
    closing.awaiting = work;
    memcpy(task->bytes, &closing, sizeof closing);
    if (work != NULL)
        jz_work_await_verdict(work);
}

static void end_topic_closing(const jz_errand *task)
{
    jz_topic_closing closing;
    memcpy(&closing, task->bytes, sizeof closing);
    if (closing.awaiting != NULL)
        jz_work_take_verdict(closing.awaiting, false);
}

static void discard_chain(jz_shard *shard, jz_letter *letter)
{
    while (letter != NULL) {
        jz_letter *next = letter->next;
        jz_errand_discard(shard, letter);
        letter = next;
    }
}

jz_send_status jz_errand_post(jz_shard *shard, jz_errand *task)
{
    task->letter.next = NULL; /* it may have led to errands of other shards */
    return jz_errand_post_chain(shard, task, task);
}

jz_send_status jz_errand_post_chain(jz_shard *shard, jz_errand *last, jz_errand *first)
{
    if (jz_loop_post_chain(&shard->turn.loop, &last->letter, &first->letter))
        return JZ_SEND_QUEUED;
    discard_chain(shard, &last->letter);
    return JZ_SEND_CLOSED;
}

jz_send_status jz_errand_pause(jz_shard *shard, jz_ws ws, bool is_paused)
{
    return post_within_limit(shard, &(jz_errand){.ws = ws, .type = is_paused ? JZ_ERRAND_PAUSE : JZ_ERRAND_RESUME}, "");
}

bool jz_errand_catch_up(jz_shard *shard, jz_ws ws)
{
    return post(shard, &(jz_errand){.ws = ws, .type = JZ_ERRAND_CATCH_UP}, "") == JZ_SEND_QUEUED;
}

jz_send_status jz_errand_answer(jz_shard *shard, jz_ws ws, jz_answer *answer)
{
    return post_within_limit(shard, &(jz_errand){.ws = ws, .type = JZ_ERRAND_ANSWER, .answer = answer}, "");
}

static jz_letter *make(jz_ws ws, jz_errand_type type)
{
    const jz_errand fields = {.ws = ws, .type = type};
    jz_errand *created = create(&fields, "");
    return created != NULL ? &created->letter : NULL;
}

static jz_letter *create_resume(jz_ws ws)
{
    return make(ws, JZ_ERRAND_CATCH_UP);
}

static jz_letter *create_leave(jz_ws ws)
{
    return make(ws, JZ_ERRAND_LEAVE);
}

static void free_made(jz_letter *made)
{
    if (made != NULL)
        give_memory_back((jz_errand *)made);
}

static void post_made(jz_letter *made)
{
    jz_ws ws = ((const jz_errand *)made)->ws;
    jz_shard *shard = jz_enter_shard(ws);
    bool is_posted = shard != NULL && jz_loop_post(&shard->turn.loop, made);
    if (!is_posted)
        free_made(made);
    if (shard != NULL)
        jz_leave_shard(ws);
}

jz_letter *jz_errand_create_parcel(jz_ws ws, jz_parcel *parcel)
{
    jz_errand *created = create(&(jz_errand){.ws = ws, .type = JZ_ERRAND_PARCEL, .length = sizeof parcel}, &parcel);
    return created != NULL ? &created->letter : NULL;
}

jz_parcel *jz_errand_parcel(const jz_errand *task)
{
    jz_parcel *parcel;
    memcpy(&parcel, task->bytes, sizeof parcel);
    return parcel;
}

void jz_errand_free_parcel(jz_letter *letter)
{
    free_made(letter);
}

void jz_errand_post_parcel(jz_letter *letter)
{
    const jz_errand *task = (const jz_errand *)letter;
    jz_ws ws = task->ws;
    jz_parcel *parcel = jz_errand_parcel(task);
    jz_shard *shard = jz_enter_shard(ws);
    bool is_posted = shard != NULL && jz_loop_post(&shard->turn.loop, letter);
    if (!is_posted) {
        parcel->discard(parcel);
        free_made(letter);
    }
    if (shard != NULL)
        jz_leave_shard(ws);
}

jz_send_status jz_errand_hand_over(jz_shard *shard, const jz_arrival *arrival)
{
    const jz_errand fields = {.type = JZ_ERRAND_HAND_OVER, .length = sizeof *arrival};
    return post(shard, &fields, arrival);
}

jz_arrival jz_errand_arrival(const jz_errand *task)
{
    jz_arrival arrival;
    memcpy(&arrival, task->bytes, sizeof arrival);
    return arrival;
}

void jz_errand_free(jz_errand *task)
{
    if (task->publication != NULL)
        jz_publication_release(task->publication);
    jz_answer_free(task->answer);
    jz_text topic;
    if (task->type == JZ_ERRAND_REPLAY)
        jz_replay_free(jz_errand_replay_of(task, &topic));
    give_memory_back(task);
}

void jz_errand_discard(jz_shard *shard, jz_letter *letter)
{
    jz_errand *task = (jz_errand *)letter;
    if (task->type == JZ_ERRAND_HAND_OVER) {
        const jz_arrival arrival = jz_errand_arrival(task);
        jz_arrival_give_up(shard->server, &arrival);
    } else if (task->type == JZ_ERRAND_PARCEL) {
        jz_parcel *parcel = jz_errand_parcel(task);
        parcel->discard(parcel);
    } else if (task->type == JZ_ERRAND_SUBSCRIBE) {
        jz_topics_asked(&shard->topics);
    } else if (task->type == JZ_ERRAND_REPLAY) {
        jz_errand_end_replay(shard, task);
    } else if (task->type == JZ_ERRAND_CLOSE_TOPIC) {
        end_topic_closing(task);
    }
    jz_errand_unreserve(shard, task->reserved);
    jz_errand_free(task);
}

void jz_errand_discard_all(jz_shard *shard)
{
    discard_chain(shard, jz_loop_close_mailbox(&shard->turn.loop));
}

const jz_workers_mail jz_errand_mail = {
    .create_resume = create_resume, .create_leave = create_leave, .post = post_made, .free = free_made};
