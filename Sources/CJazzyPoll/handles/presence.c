/* The public functions that say who has subscribed to a topic, and that close all who have. */
#include "codec/close_code.h"
#include "codec/utf8.h"
#include "handles/all_loops.h"
#include "handles/keeping.h"
#include "lifecycle/errand_runner.h"
#include "shard/fetching.h"
#include "shard/stop_request.h"
#include "workers/work.h"

size_t jz_server_subscriber_count(jz_server *server, const char *topic, size_t topic_length)
{
    return jz_server_subscribers(server, topic, topic_length, NULL, 0);
}

/*
 * Copies handles while the lock is held: a subscriber's slot and generation may not be read after that, when another
 * connection may have its slot.
 */
static size_t copy_subscribers(jz_shard *shard, jz_text topic, jz_ws *connections, size_t room)
{
    pthread_mutex_lock(&shard->topics.lock);
    const jz_topic *found = jz_topics_find(&shard->topics, topic);
    size_t count = found != NULL ? found->count : 0;
    for (size_t i = 0; i < count && i < room; i++)
        connections[i] = jz_shard_handle_of(shard, found->subscribers[i].connection);
    pthread_mutex_unlock(&shard->topics.lock);
    return count;
}

size_t jz_server_subscribers(jz_server *server, const char *topic, size_t topic_length, jz_ws *connections,
                             size_t capacity)
{
    size_t count = 0;
    for (uint32_t i = 0; i < server->shard_count; i++) {
        size_t room = count < capacity ? capacity - count : 0;
        count += copy_subscribers(&server->shards[i], (jz_text){topic, topic_length},
                                  room > 0 ? connections + count : NULL, room);
    }
    return count;
}

static void free_all(jz_letter *errands)
{
    while (errands != NULL) {
        jz_letter *next = errands->next;
        jz_errand_free((jz_errand *)errands);
        errands = next;
    }
}

/* An errand for each loop, linked by `next`, all without a reservation. NULL when there is no memory for one of them.
 */
static jz_letter *create_errands(uint32_t count, jz_text topic, uint16_t code, jz_text reason)
{
    jz_letter *errands = NULL;
    for (uint32_t i = 0; i < count; i++) {
        jz_errand *created = jz_errand_create_topic_closing(topic, code, reason);
        if (created == NULL) {
            free_all(errands);
            return NULL;
        }
        created->letter.next = errands;
        errands = &created->letter;
    }
    return errands;
}

/* The work of this server whose handler calls this on a worker; NULL: none, or it has nothing more to get. */
static jz_work *work_of(const jz_server *server)
{
    jz_work *work = jz_current_work;
    return work != NULL && !work->is_closing && jz_handle_server(work->ws) == server->number ? work : NULL;
}

/* Gives each shard one of the errands. Ended loops have no subscribers. CLOSED: all loops have ended. */
static jz_send_status give_to_all(jz_server *server, jz_shard *own, jz_letter *errands, size_t reserved)
{
    jz_send_status status = JZ_SEND_CLOSED;
    jz_work *work = work_of(server);
    jz_ws asker = work != NULL ? work->ws : jz_called_here();
    for (uint32_t i = 0; i < server->shard_count; i++) {
        jz_errand *task = (jz_errand *)errands;
        errands = errands->next;
        if (asker.value != 0 && jz_handle_shard(asker) == server->shards[i].handle_prefix)
            jz_errand_set_asker(task, asker, work);
        if (&server->shards[i] == own) {
            jz_errand_run(own, &task->letter);
            status = JZ_SEND_SENT;
            continue;
        }
        task->reserved = reserved;
        if (jz_errand_post(&server->shards[i], task) == JZ_SEND_QUEUED)
            status = JZ_SEND_SENT;
    }
    return status;
}

/* As with jz_ws_close: also where that comes too late, a handler gets no more after it has ended its connection. */
static void follow_refusal(const jz_server *server, jz_text topic)
{
    jz_work *work = work_of(server);
    if (work != NULL && jz_ws_is_subscribed(work->ws, topic.start, topic.length))
        work->has_ended_it = true;
}

jz_send_status jz_server_close_topic(jz_server *server, const char *topic, size_t topic_length, uint16_t code,
                                     const char *reason, size_t reason_length)
{
    bool may_be_sent = jz_close_code_to_send(code) != 0 && jz_utf8_is_valid((const uint8_t *)reason, reason_length);
    if (jz_server_has_told_all(server) || jz_server_has_drained(server)) {
        if (may_be_sent)
            follow_refusal(server, (jz_text){topic, topic_length});
        return JZ_SEND_CLOSED;
    }
    if (!may_be_sent)
        return JZ_SEND_DROPPED;
    /* Who waits to be subscribed is, then, and this loop's own earlier errands come first. */
    int rule = jz_shared_rule(server, (jz_text){topic, topic_length});
    if (rule >= 0)
        jz_fetching_hurry(server, rule, (jz_text){topic, topic_length});
    jz_shard *own = jz_own_shard_of(server);
    jz_letter *errands =
        create_errands(server->shard_count, (jz_text){topic, topic_length}, code, (jz_text){reason, reason_length});
    if (errands == NULL)
        return JZ_SEND_DROPPED;
    size_t reserved = JZ_LETTER_COST + ((const jz_errand *)errands)->length;
    if (jz_reserve_everywhere(server, own, reserved) != NULL) {
        free_all(errands);
        return JZ_SEND_DROPPED;
    }
    jz_send_status status = give_to_all(server, own, errands, reserved);
    jz_shard *here = jz_current_shard;
    if (own == NULL && here != NULL && here->server == server)
        jz_wait_for_published(here, (jz_ws){0});
    return status;
}
