#include "pubsub/fan_out.h"

#include "output/output.h"
#include "output/sending.h"

jz_send_status jz_connection_subscribe(jz_topics *topics, jz_connection *connection, jz_text topic)
{
    if (!jz_connection_is_writable(connection))
        return JZ_SEND_CLOSED;
    return jz_topics_subscribe(topics, connection, topic) ? JZ_SEND_SENT : JZ_SEND_DROPPED;
}

/* What is published, and its uncompressed frame, which most receivers get. */
typedef struct message {
    jz_publication *publication;
    const uint8_t *frame;
    size_t length;
} message;

static bool publish(jz_turn *turn, jz_connection *connection, const message *message)
{
    const uint8_t *frame = message->frame;
    size_t length = message->length;
    if (connection->session.uses_deflate)
        frame = jz_publication_frame_for(message->publication, &connection->session, &length);
    return jz_output_publish(turn, connection, message->publication, frame, length);
}

/* Returns whether the connection gets the publication. */
static JZ_ALWAYS_INLINED bool share(jz_turn *turn, jz_connection *connection, const message *message)
{
    if (!jz_connection_is_writable(connection) || !jz_connection_has_room(turn, connection))
        return false;
    if (publish(turn, connection, message))
        return true;
    jz_count_dropped(&turn->counters);
    return false;
}

/*
 * The same for a subscriber that gets every message or none any more. Closing it calls no handler. What is sent to it
 * ends before the close frame.
 */
static JZ_NEVER_INLINED bool share_exactly(jz_turn *turn, jz_connection *connection, const message *message)
{
    size_t limit = jz_connection_route(connection)->options.backpressure_limit;
    if (!jz_connection_is_writable(connection))
        return false;
    if (jz_connection_exceeds(connection, limit))
        jz_output_flush_all(turn, connection); /* what is merely gathered is no backpressure yet */
    if (!jz_connection_exceeds(connection, limit) && publish(turn, connection, message))
        return true;
    jz_count_dropped(&turn->counters);
    jz_connection_fall_behind(turn, connection);
    return false;
}

static JZ_ALWAYS_INLINED bool give(jz_turn *turn, const jz_subscriber *subscriber, const message *message)
{
    return JZ_LIKELY(!subscriber->is_exact) ? share(turn, subscriber->connection, message)
                                            : share_exactly(turn, subscriber->connection, message);
}

/*
 * The fast path for most receivers: they get messages uncompressed, and this iteration has sent them nothing but
 * published frames. False: it does not apply to this receiver, and nothing was done.
 */
static JZ_ALWAYS_INLINED bool extend(jz_connection *connection, uint32_t position, size_t length)
{
    jz_unsent *unsent = connection->unsent;
    if (unsent == NULL || !jz_unsent_is_published(unsent) || unsent->published_to != position ||
        !jz_connection_is_writable(connection) || connection->session.uses_deflate ||
        jz_connection_exceeds(connection, jz_connection_route(connection)->options.backpressure_limit))
        return false;
    unsent->published_to += (uint32_t)length;
    atomic_store_explicit(&connection->buffered_amount, unsent->published_to - unsent->published_from,
                          memory_order_release);
    return true;
}

/* Which subscribers get what is given. */
typedef enum receivers { ALL, THOSE_WITHOUT_ENVELOPES, THOSE_WITH_ENVELOPES } receivers;

static JZ_ALWAYS_INLINED size_t give_to(jz_turn *turn, const jz_topic *topic, receivers receivers,
                                        const message *message, const jz_connection *sender)
{
    size_t sent = 0;
    uint32_t position;
    jz_published_begin(&turn->published);
    for (size_t i = 0; i < topic->count; i++) {
        const jz_subscriber *subscriber = &topic->subscribers[i];
        jz_connection *connection = subscriber->connection;
        if (receivers != ALL && subscriber->is_enveloped != (receivers == THOSE_WITH_ENVELOPES))
            continue;
        if (connection == sender && !subscriber->is_exact)
            continue;
        bool is_placed = jz_published_has(&turn->published, message->frame, &position);
        sent += (is_placed && extend(connection, position, message->length)) || give(turn, subscriber, message);
    }
    return sent;
}

/* Returns how many bytes of payload that was. */
static inline size_t count_sent(jz_turn *turn, const jz_publication *publication, size_t sent)
{
    size_t bytes = sent * jz_publication_length(publication);
    jz_count(&turn->counters.messages_sent[jz_publication_kind(publication)], sent);
    jz_count(&turn->counters.bytes_sent[jz_publication_kind(publication)], bytes);
    return bytes;
}

static inline void note_traffic(jz_turn *turn, jz_topics *topics, jz_topic *topic, size_t sent, size_t bytes)
{
    if (topic != NULL && atomic_load_explicit(&topics->traffic.is_counted, memory_order_relaxed))
        jz_traffic_note(&topics->traffic, topic, sent, bytes, turn->loop.now_ms);
}

/* There is no memory for the envelope: those who would have to get it are closed. */
static void drop_envelopes(jz_turn *turn, const jz_topic *topic)
{
    for (size_t i = 0; i < topic->count; i++) {
        jz_connection *connection = topic->subscribers[i].connection;
        if (!topic->subscribers[i].is_enveloped || !jz_connection_is_writable(connection))
            continue;
        jz_count_dropped(&turn->counters);
        jz_connection_fall_behind(turn, connection);
    }
}

/* The messages of the topic come in the order of their offsets, none is left out, and each comes here once. */
static JZ_NEVER_INLINED void fan_out_both(jz_turn *turn, jz_topics *topics, jz_topic *topic,
                                          jz_publication *publication, const jz_connection *sender)
{
    const jz_text name = {topic->name, topic->name_length};
    message plain = {.publication = publication};
    plain.frame = jz_publication_plain_frame(publication, &plain.length);
    size_t sent = topic->enveloped < topic->count ? give_to(turn, topic, THOSE_WITHOUT_ENVELOPES, &plain, sender) : 0;
    size_t bytes = count_sent(turn, publication, sent);
    message enveloped = {.publication = jz_publication_enveloped(publication, name, ++topic->offset)};
    if (enveloped.publication != NULL) {
        enveloped.frame = jz_publication_plain_frame(enveloped.publication, &enveloped.length);
        size_t received = give_to(turn, topic, THOSE_WITH_ENVELOPES, &enveloped, NULL);
        sent += received;
        bytes += count_sent(turn, enveloped.publication, received);
        jz_publication_release(enveloped.publication);
    } else {
        drop_envelopes(turn, topic);
    }
    note_traffic(turn, topics, topic, sent, bytes);
}

/* Nothing here calls a handler, so the subscribers do not change meanwhile. */
void jz_fan_out(jz_turn *turn, jz_topics *topics, jz_topic *topic, jz_publication *publication,
                const jz_connection *sender)
{
    size_t sent = 0;
    message message = {.publication = publication};
    message.frame = jz_publication_plain_frame(publication, &message.length);
    if (JZ_LIKELY(topic != NULL)) {
        if (topic->enveloped > 0) {
            fan_out_both(turn, topics, topic, publication, sender);
            return;
        }
        sent = give_to(turn, topic, ALL, &message, sender);
    }
    note_traffic(turn, topics, topic, sent, count_sent(turn, publication, sent));
}

static void close_exact(jz_turn *turn, const jz_topic *topic)
{
    for (size_t i = 0; i < topic->count; i++) {
        if (topic->subscribers[i].is_exact)
            jz_connection_miss(turn, topic->subscribers[i].connection);
    }
}

void jz_fan_out_gap(jz_turn *turn, const jz_topics *topics, jz_text topic)
{
    const jz_topic *found = jz_topics_find(topics, topic);
    if (found != NULL)
        close_exact(turn, found);
}

static void close_exact_of(void *context, jz_hash_entry *entry)
{
    close_exact(context, (const jz_topic *)entry);
}

void jz_fan_out_gaps(jz_turn *turn, const jz_topics *topics)
{
    if (topics->table.count > 0)
        jz_hash_table_visit(&topics->table, close_exact_of, turn);
}
