/* The public functions for topics. */
#include <stdlib.h>
#include <string.h>

#include "handles/access.h"
#include "handles/all_loops.h"
#include "handles/keeping.h"
#include "shard/errand.h"
#include "shard/fetching.h"
#include "shard/registry.h"
#include "output/sending.h"
#include "shard/server.h"
#include "shard/stop_request.h"
#include "workers/work.h"

typedef jz_send_status (*errand_on_topic)(jz_shard *shard, jz_ws ws, jz_text topic);

/* From another thread: posts an errand, if the connection is open. */
static jz_send_status ask(jz_ws ws, jz_text topic, errand_on_topic post)
{
    jz_shard *shard = jz_enter_open_shard(ws);
    if (shard == NULL)
        return JZ_SEND_CLOSED;
    jz_send_status status = post(shard, ws, topic);
    if (status == JZ_SEND_QUEUED)
        jz_wait_for_queued(ws); /* what it publishes next it may get, too */
    jz_leave_shard(ws);
    return status;
}

jz_send_status jz_ws_subscribe(jz_ws ws, const char *topic, size_t length)
{
    const jz_text name = {topic, length};
    jz_shard *shard = jz_own_shard_in_order(ws);
    if (shard == NULL)
        return ask(ws, name, jz_errand_subscribe);
    jz_connection *connection = jz_slots_find(&shard->slots, ws);
    return connection != NULL ? jz_connection_subscribe(&shard->topics, connection, name) : JZ_SEND_CLOSED;
}

/* Who waits for a broker to be subscribed does not want it any more. */
static void cancel(jz_shard *shard, jz_ws ws, jz_text topic)
{
    int rule = jz_shared_rule(shard->server, topic);
    if (rule >= 0)
        jz_fetching_cancel(shard->server, rule, topic, ws);
}

static jz_send_status cancel_and_ask(jz_shard *shard, jz_ws ws, jz_text topic)
{
    cancel(shard, ws, topic);
    return jz_errand_unsubscribe(shard, ws, topic);
}

jz_send_status jz_ws_unsubscribe(jz_ws ws, const char *topic, size_t length)
{
    const jz_text name = {topic, length};
    jz_shard *shard = jz_own_shard_in_order(ws);
    if (shard == NULL)
        return ask(ws, name, cancel_and_ask);
    jz_connection *connection = jz_slots_find(&shard->slots, ws);
    if (connection == NULL || !jz_handle_is_open(shard, ws))
        return JZ_SEND_CLOSED;
    cancel(shard, ws, name);
    jz_topics_unsubscribe(&shard->topics, connection, name);
    return JZ_SEND_SENT;
}

bool jz_ws_is_subscribed(jz_ws ws, const char *topic, size_t length)
{
    const jz_text name = {topic, length};
    jz_shard *shard = jz_reach_shard(ws);
    if (shard == NULL)
        return false;
    pthread_mutex_lock(&shard->topics.lock);
    const jz_connection *connection = jz_slots_find(&shard->slots, ws);
    bool result = connection != NULL && jz_topics_is_subscribed(&shard->topics, connection, name);
    pthread_mutex_unlock(&shard->topics.lock);
    jz_leave_reached_shard(ws, shard);
    return result;
}

/* Copies a connection's topics, so that `visit` is called without the lock. NULL: none, or no memory. */
static jz_text *copy_topics(const jz_connection *connection, size_t *count)
{
    const jz_subscriptions *subscriptions = connection->subscriptions;
    if (subscriptions == NULL)
        return NULL;
    size_t size = subscriptions->count * sizeof(jz_text);
    for (size_t i = 0; i < subscriptions->count; i++)
        size += subscriptions->all[i].topic->name_length;
    jz_text *copies = malloc(size);
    if (copies == NULL)
        return NULL;
    char *name = (char *)(copies + subscriptions->count);
    for (size_t i = 0; i < subscriptions->count; i++) {
        const jz_topic *topic = subscriptions->all[i].topic;
        memcpy(name, topic->name, topic->name_length);
        copies[i] = (jz_text){name, topic->name_length};
        name += topic->name_length;
    }
    *count = subscriptions->count;
    return copies;
}

size_t jz_ws_topics(jz_ws ws, void (*visit)(void *context, const char *topic, size_t length), void *context)
{
    jz_shard *shard = jz_reach_shard(ws);
    if (shard == NULL)
        return 0;
    size_t count = 0;
    pthread_mutex_lock(&shard->topics.lock);
    const jz_connection *connection = jz_slots_find(&shard->slots, ws);
    jz_text *copies = connection != NULL ? copy_topics(connection, &count) : NULL;
    pthread_mutex_unlock(&shard->topics.lock);
    jz_leave_reached_shard(ws, shard);
    for (size_t i = 0; i < count; i++)
        visit(context, copies[i].start, copies[i].length);
    free(copies);
    return count;
}

/* Ended loops have no receivers. CLOSED: all loops have ended. */
static jz_send_status give_to_all(jz_server *server, jz_shard *own, jz_ws sender, jz_text topic,
                                  jz_publication *publication, size_t reserved)
{
    jz_send_status status = JZ_SEND_CLOSED;
    for (uint32_t i = 0; i < server->shard_count; i++) {
        jz_shard *shard = &server->shards[i];
        jz_send_status given = JZ_SEND_SENT;
        if (shard == own)
            jz_shard_publish(shard, topic, publication, sender);
        else if (!jz_topics_may_be_heard(&shard->topics))
            given = jz_spare_loop(shard, reserved);
        else
            given = jz_errand_publish(shard, sender, topic, publication, reserved);
        status = jz_status_of_loops(status, given);
    }
    return status;
}

/* Gives a publication to every shard: at once to `own`, which runs on this thread, with errands to the others. */
static jz_send_status publish_here(jz_server *server, jz_shard *own, jz_ws sender, jz_text topic, jz_message_kind kind,
                                   const void *bytes, size_t length, jz_compression compression)
{
    if (kind != JZ_MESSAGE_TEXT && kind != JZ_MESSAGE_BINARY)
        return JZ_SEND_DROPPED;
    int rule = jz_keeping_rule(server, topic);
    if (rule < 0 && !jz_is_heard_anywhere(server))
        return jz_status_unheard(server);
    size_t reserved = length + topic.length + JZ_LETTER_COST;
    jz_shard *full = jz_reserve_everywhere(server, own, reserved);
    if (full != NULL) {
        jz_count_dropped(&full->turn.counters);
        return JZ_SEND_DROPPED;
    }
    jz_publication *publication = jz_publication_create(kind, bytes, length, compression);
    if (publication == NULL) {
        jz_unreserve_everywhere(server, own, server->shard_count, reserved);
        return jz_drop_without_memory(server);
    }
    jz_send_status status = rule < 0 ? give_to_all(server, own, sender, topic, publication, reserved)
                                     : jz_keep_and_give(server, rule, own, sender, topic, publication, reserved);
    jz_publication_release(publication);
    jz_shard *here = jz_current_shard;
    if (here != NULL && here->server == server && (own == NULL || rule >= 0) && jz_loop_has_letters(&here->turn.loop))
        jz_wait_for_published(here, sender);
    return status != JZ_SEND_DROPPED ? status : jz_drop_without_memory(server);
}

/* On a loop the broker is flushed at the end of the iteration: it may have more until then. Returns whether it is. */
static bool owe_flush(const jz_server *server)
{
    jz_shard *here = jz_current_shard;
    bool is_on_loop = here != NULL && here->server == server;
    if (is_on_loop)
        here->owes_flush = true;
    return is_on_loop;
}

static jz_send_status pass_to_broker(const jz_server *server, jz_membership *membership, jz_ws sender, jz_text topic,
                                     jz_message_kind kind, const void *bytes, size_t length)
{
    return jz_membership_publish(membership, owe_flush(server), sender, topic, kind, bytes, length);
}

/*
 * The same, but through a broker that brings what is published here to the subscribers here, too. CLOSED: the broker is
 * not started yet, or is over, as the loops are.
 */
static jz_send_status publish_ordered(const jz_server *server, jz_membership *membership, jz_ws sender, jz_text topic,
                                      jz_message_kind kind, const void *bytes, size_t length)
{
    if (kind != JZ_MESSAGE_TEXT && kind != JZ_MESSAGE_BINARY)
        return JZ_SEND_DROPPED;
    return pass_to_broker(server, membership, sender, topic, kind, bytes, length);
}

/* The same, through a broker that keeps it by the rule of that number. */
static jz_send_status publish_kept(jz_server *server, jz_membership *membership, int rule, jz_ws sender, jz_text topic,
                                   jz_message_kind kind, const void *bytes, size_t length)
{
    if (kind != JZ_MESSAGE_TEXT && kind != JZ_MESSAGE_BINARY)
        return JZ_SEND_DROPPED;
    const jz_history_options *options = jz_history_options_of(server->history, rule);
    jz_send_status status =
        jz_membership_publish_kept(membership, owe_flush(server), sender, topic, options, kind, bytes, length);
    /* Before the server runs nobody keeps it, and nobody gets it. */
    return status == JZ_SEND_CLOSED && jz_status_unheard(server) != JZ_SEND_CLOSED ? JZ_SEND_DROPPED : status;
}

/*
 * Publishes to the subscribers of this server except `sender`, and then, through the broker, to those of other servers.
 */
static jz_send_status publish(jz_server *server, jz_ws sender, jz_text topic, jz_message_kind kind, const void *bytes,
                              size_t length, jz_compression compression)
{
    /* Even if the sender is on another loop: this loop's subscribers get it at once, after earlier errands. */
    jz_shard *own = jz_own_shard_of(server);
    jz_membership *membership = atomic_load(&server->membership);
    if (JZ_LIKELY(membership == NULL))
        return publish_here(server, own, sender, topic, kind, bytes, length, compression);
    int rule = jz_membership_keeps(membership) ? jz_keeping_rule(server, topic) : -1;
    if (rule >= 0)
        return publish_kept(server, membership, rule, sender, topic, kind, bytes, length);
    if (jz_membership_is_ordered(membership)) {
        jz_send_status ordered = publish_ordered(server, membership, sender, topic, kind, bytes, length);
        return ordered != JZ_SEND_CLOSED ? ordered
                                         : publish_here(server, own, sender, topic, kind, bytes, length, compression);
    }
    jz_send_status status = publish_here(server, own, sender, topic, kind, bytes, length, compression);
    if (status == JZ_SEND_DROPPED)
        return status;
    /* Also where the loops have ended, and a worker has a last close event. */
    jz_send_status elsewhere = pass_to_broker(server, membership, sender, topic, kind, bytes, length);
    return elsewhere != JZ_SEND_CLOSED ? elsewhere : status;
}

/* A connection may publish in its close event, too, so that it can tell the others that it has left. */
static bool may_publish(const jz_shard *shard, jz_ws ws)
{
    if (jz_handle_is_open(shard, ws) || jz_work_is_closing_here(ws))
        return true;
    const jz_connection *connection = shard == jz_current_shard ? jz_slots_find(&shard->slots, ws) : NULL;
    return connection != NULL && jz_connection_is_told_of_its_end(connection);
}

static const jz_publish_options defaults; /* all zero */

jz_send_status jz_ws_publish_with(jz_ws ws, const char *topic, size_t topic_length, jz_message_kind kind,
                                  const void *bytes, size_t length, const jz_publish_options *options)
{
    if (options == NULL)
        options = &defaults;
    jz_shard *own = jz_own_shard_in_order(ws);
    jz_shard *shard = own != NULL ? own : jz_enter_shard(ws);
    if (shard == NULL)
        return JZ_SEND_CLOSED;
    jz_send_status status = JZ_SEND_CLOSED;
    if (may_publish(shard, ws))
        status = publish(shard->server, options->including_self ? (jz_ws){0} : ws, (jz_text){topic, topic_length}, kind,
                         bytes, length, options->compression);
    if (own == NULL)
        jz_leave_shard(ws);
    return status;
}

jz_send_status jz_ws_publish(jz_ws ws, const char *topic, size_t topic_length, jz_message_kind kind, const void *bytes,
                             size_t length)
{
    return jz_ws_publish_with(ws, topic, topic_length, kind, bytes, length, &defaults);
}

jz_send_status jz_server_publish_with(jz_server *server, const char *topic, size_t topic_length, jz_message_kind kind,
                                      const void *bytes, size_t length, const jz_publish_options *options)
{
    if (jz_server_has_told_all(server) || jz_server_has_drained(server))
        return JZ_SEND_CLOSED;
    return publish(server, (jz_ws){0}, (jz_text){topic, topic_length}, kind, bytes, length,
                   options != NULL ? options->compression : JZ_COMPRESSION_AUTOMATIC);
}

jz_send_status jz_server_publish(jz_server *server, const char *topic, size_t topic_length, jz_message_kind kind,
                                 const void *bytes, size_t length)
{
    return jz_server_publish_with(server, topic, topic_length, kind, bytes, length, NULL);
}

uint64_t jz_server_dropped_count(const jz_server *server)
{
    uint64_t count = 0;
    for (uint32_t i = 0; i < server->shard_count; i++)
        count += jz_counted(&server->shards[i].turn.counters.dropped);
    return count;
}
