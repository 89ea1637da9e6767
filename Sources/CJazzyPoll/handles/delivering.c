/* The public functions with which a broker delivers. */
#include <stdlib.h>

#include "handles/all_loops.h"
#include "handles/keeping.h"
#include "jazzy/broker.h"
#include "pubsub/shared_past.h"
#include "shard/errand.h"
#include "shard/gap.h"
#include "shard/server.h"
#include "shard/stop_request.h"

/* So many messages are added at most, and so much of what a loop's mailbox may have: both wait for being posted. */
enum { MOST_IN_BATCH = 256, PARTS_OF_MAILBOX = 4 };

/* The errands that wait for one loop, each linked to the one before it; NULL: none. */
typedef struct jz_chain {
    jz_errand *last;
    jz_errand *first;
} jz_chain;

struct jz_broker_batch {
    jz_server *server;
    size_t count;      /* of messages */
    size_t bytes;      /* that they take of the mailbox limit */
    jz_chain chains[]; /* of each loop */
};

jz_broker_batch *jz_broker_batch_create(jz_server *server)
{
    jz_broker_batch *batch = calloc(1, sizeof *batch + server->shard_count * sizeof batch->chains[0]);
    if (batch != NULL)
        batch->server = server;
    return batch;
}

void jz_broker_batch_post(jz_broker_batch *batch)
{
    if (batch->count == 0)
        return;
    batch->count = batch->bytes = 0;
    for (uint32_t i = 0; i < batch->server->shard_count; i++) {
        jz_chain chain = batch->chains[i];
        batch->chains[i] = (jz_chain){NULL, NULL};
        if (chain.last != NULL)
            jz_errand_post_chain(&batch->server->shards[i], chain.last, chain.first);
    }
}

void jz_broker_batch_free(jz_broker_batch *batch)
{
    if (batch == NULL)
        return;
    jz_broker_batch_post(batch);
    free(batch);
}

/* Takes ownership of the errand. */
static jz_send_status add(jz_shard *shard, jz_chain *chain, jz_errand *task)
{
    if (jz_mailbox_is_closed(&shard->turn.loop.mailbox)) {
        jz_errand_discard(shard, &task->letter);
        return JZ_SEND_CLOSED;
    }
    task->letter.next = chain->last != NULL ? &chain->last->letter : NULL;
    chain->last = task;
    if (chain->first == NULL)
        chain->first = task;
    return JZ_SEND_QUEUED;
}

/* With errands to all loops, because the caller may hold a lock, and subscriptions may be about to change. */
static jz_send_status give(jz_server *server, jz_broker_batch *batch, jz_ws except, jz_text topic,
                           jz_publication *publication, size_t reserved)
{
    jz_send_status status = JZ_SEND_CLOSED;
    for (uint32_t i = 0; i < server->shard_count; i++) {
        jz_shard *shard = &server->shards[i];
        jz_send_status given = JZ_SEND_DROPPED;
        if (!jz_topics_may_be_heard(&shard->topics)) {
            status = jz_status_of_loops(status, jz_spare_loop(shard, reserved));
            continue;
        }
        jz_errand *task = jz_errand_create_publishing(except, topic, publication, reserved);
        if (task == NULL)
            jz_errand_unreserve(shard, reserved);
        else
            given = batch != NULL ? add(shard, &batch->chains[i], task) : jz_errand_post(shard, task);
        status = jz_status_of_loops(status, given);
    }
    return status;
}

/*
 * A broker that delivers within its functions does so on a loop's own thread, for which the mailbox limit does not
 * hold: it is checked here.
 */
static jz_shard *reserve(jz_server *server, size_t amount)
{
    jz_shard *here = jz_current_shard;
    if (here != NULL && here->server == server && !jz_errand_may_wait(here))
        return here;
    return jz_reserve_everywhere(server, NULL, amount);
}

static size_t reserved_by(size_t topic_length, size_t length)
{
    return length + topic_length + JZ_LETTER_COST;
}

static bool takes_messages(jz_server *server)
{
    return !jz_server_has_told_all(server) && !jz_server_has_drained(server);
}

/* What is to be delivered, for which `reserved` bytes are reserved everywhere. NULL: it is dropped, and counted. */
static jz_publication *prepare(jz_server *server, jz_message_kind kind, const void *bytes, size_t length,
                               size_t reserved)
{
    jz_shard *full = reserve(server, reserved);
    if (full != NULL) {
        jz_count_dropped(&full->turn.counters);
        return NULL;
    }
    jz_publication *publication = jz_publication_create(kind, bytes, length, JZ_COMPRESSION_AUTOMATIC);
    if (publication == NULL) {
        jz_unreserve_everywhere(server, NULL, server->shard_count, reserved);
        jz_drop_without_memory(server);
    }
    return publication;
}

/* Counts what became of it. */
static jz_send_status finish(jz_server *server, jz_publication *publication, jz_send_status status)
{
    jz_publication_release(publication);
    if (status == JZ_SEND_DROPPED)
        return jz_drop_without_memory(server);
    jz_membership *membership = atomic_load(&server->membership);
    if (status == JZ_SEND_SENT && membership != NULL)
        jz_membership_count_delivered(membership);
    return status;
}

static jz_send_status try_to_deliver(jz_server *server, jz_broker_batch *batch, jz_ws except, jz_text topic,
                                     jz_message_kind kind, const void *bytes, size_t length)
{
    if (!takes_messages(server))
        return JZ_SEND_CLOSED;
    if (kind != JZ_MESSAGE_TEXT && kind != JZ_MESSAGE_BINARY)
        return JZ_SEND_DROPPED;
    size_t reserved = reserved_by(topic.length, length);
    jz_publication *publication = prepare(server, kind, bytes, length, reserved);
    if (publication == NULL)
        return JZ_SEND_DROPPED;
    int rule = jz_keeping_rule(server, topic);
    if (rule >= 0 && batch != NULL)
        jz_broker_batch_post(batch); /* what is kept is posted at once, and behind what came before it */
    jz_send_status status = rule < 0 ? give(server, batch, except, topic, publication, reserved)
                                     : jz_keep_and_give(server, rule, NULL, except, topic, publication, reserved);
    return finish(server, publication, status);
}

/* Whether it is about members of topics on other servers, and not for subscribers. */
static bool is_for_company(const jz_server *server, jz_text topic)
{
    return jz_topic_is_hidden(topic) && server->company != NULL;
}

/* Subscribers may have missed something that the broker keeps. */
static void miss_shared(jz_server *server, int rule, jz_text topic)
{
    jz_held_topic held;
    jz_history_hold(server->history, rule, topic, jz_clock_ms(), &held);
    if (jz_history_miss(&held))
        jz_gap_tell(server, topic);
    jz_history_release(&held);
}

void jz_broker_missed(jz_server *server, const char *topic, size_t topic_length)
{
    const jz_text name = {topic, topic_length};
    if (is_for_company(server, name)) {
        jz_company_runner_missed(server->company, &name);
        return;
    }
    int rule = jz_keeping_rule(server, name);
    if (rule < 0)
        return;
    if (jz_shared_rule(server, name) >= 0) {
        miss_shared(server, rule, name);
        return;
    }
    jz_history_renew(server->history, name);
    jz_gap_tell(server, name);
}

jz_send_status jz_broker_deliver_kept(jz_server *server, jz_broker_batch *batch, jz_ws except, const char *topic,
                                      size_t topic_length, jz_message_kind kind, const void *bytes, size_t length,
                                      jz_position position)
{
    const jz_text name = {topic, topic_length};
    int rule = jz_shared_rule(server, name);
    if (batch != NULL)
        jz_broker_batch_post(batch);
    if (!takes_messages(server))
        return JZ_SEND_CLOSED;
    if (rule < 0 || kind > JZ_MESSAGE_BINARY || position.epoch == 0 || position.offset == 0)
        return JZ_SEND_DROPPED;
    size_t reserved = reserved_by(topic_length, length);
    jz_publication *publication = prepare(server, kind, bytes, length, reserved);
    jz_send_status status = JZ_SEND_DROPPED;
    if (publication != NULL)
        status = finish(server, publication, jz_keep_at(server, rule, except, name, publication, reserved, position));
    if (status == JZ_SEND_DROPPED)
        miss_shared(server, rule, name);
    return status == JZ_SEND_QUEUED ? JZ_SEND_SENT : status; /* a duplicate is none of what was delivered */
}

/* What is dropped was published elsewhere all the same. */
static jz_send_status deliver(jz_server *server, jz_broker_batch *batch, jz_ws except, jz_text topic,
                              jz_message_kind kind, const void *bytes, size_t length)
{
    if (is_for_company(server, topic))
        return jz_company_runner_deliver(server->company, topic, bytes, length);
    /* Without a position it has no place among those that a broker keeps. */
    if (jz_shared_rule(server, topic) >= 0)
        return takes_messages(server) ? jz_drop_without_memory(server) : JZ_SEND_CLOSED;
    jz_send_status status = try_to_deliver(server, batch, except, topic, kind, bytes, length);
    if (status == JZ_SEND_DROPPED)
        jz_broker_missed(server, topic.start, topic.length);
    return status;
}

jz_send_status jz_broker_deliver(jz_server *server, const char *topic, size_t topic_length, jz_message_kind kind,
                                 const void *bytes, size_t length)
{
    return deliver(server, NULL, (jz_ws){0}, (jz_text){topic, topic_length}, kind, bytes, length);
}

jz_send_status jz_broker_deliver_except(jz_server *server, jz_ws except, const char *topic, size_t topic_length,
                                        jz_message_kind kind, const void *bytes, size_t length)
{
    return deliver(server, NULL, except, (jz_text){topic, topic_length}, kind, bytes, length);
}

jz_send_status jz_broker_batch_deliver(jz_broker_batch *batch, jz_ws except, const char *topic, size_t topic_length,
                                       jz_message_kind kind, const void *bytes, size_t length)
{
    jz_send_status status = deliver(batch->server, batch, except, (jz_text){topic, topic_length}, kind, bytes, length);
    batch->count++;
    batch->bytes += status == JZ_SEND_SENT ? reserved_by(topic_length, length) : 0;
    /* If there is no room, the loops get what they have to make some. */
    if (status != JZ_SEND_SENT || batch->count >= MOST_IN_BATCH ||
        batch->bytes >= batch->server->options.mailbox_limit / PARTS_OF_MAILBOX)
        jz_broker_batch_post(batch);
    return status;
}
