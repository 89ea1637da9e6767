#include "pubsub/replay.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "output/output.h"
#include "output/sending.h"

jz_replay *jz_replay_create(size_t capacity)
{
    jz_replay *replay = malloc(sizeof *replay + capacity * sizeof replay->publications[0]);
    if (replay == NULL)
        return NULL;
    atomic_init(&replay->references, 1);
    replay->count = 0;
    return replay;
}

void jz_replay_retain(jz_replay *replay)
{
    atomic_fetch_add_explicit(&replay->references, 1, memory_order_relaxed);
}

void jz_replay_add(jz_replay *replay, jz_publication *publication)
{
    jz_publication_retain(publication);
    replay->publications[replay->count++] = publication;
}

void jz_replay_free(jz_replay *replay)
{
    if (replay == NULL || atomic_fetch_sub_explicit(&replay->references, 1, memory_order_acq_rel) > 1)
        return;
    for (size_t i = 0; i < replay->count; i++)
        jz_publication_release(replay->publications[i]);
    free(replay);
}

/* Whatever waits already: what a client has missed is bounded, and without it nothing else could be sent to it. */
static bool send(jz_turn *turn, jz_connection *connection, jz_publication *publication)
{
    size_t length = 0;
    const uint8_t *frame = jz_publication_frame_for(publication, &connection->session, &length);
    if (!jz_output_share(turn, connection, publication, frame, length))
        return false;
    jz_count_sent(&turn->counters, jz_publication_kind(publication), jz_publication_length(publication));
    return true;
}

static bool announce(jz_turn *turn, jz_connection *connection, const jz_subscribed *begins)
{
    char text[160];
    int length = snprintf(
        text, sizeof text, "{\"epoch\":\"%016" PRIx64 "\",\"offset\":%" PRIu64 ",\"recovered\":%s,\"count\":%zu}",
        begins->position.epoch, begins->position.offset, begins->has_recovered ? "true" : "false", begins->count);
    jz_publication *announcement =
        jz_publication_create(JZ_MESSAGE_TEXT, text, (size_t)length, JZ_COMPRESSION_AUTOMATIC);
    bool is_sent = announcement != NULL && send(turn, connection, announcement);
    if (announcement != NULL)
        jz_publication_release(announcement);
    return is_sent;
}

jz_send_status jz_replay_play(jz_turn *turn, jz_topics *topics, jz_connection *connection, jz_text topic,
                              const jz_replay *replay)
{
    if (!jz_connection_is_writable(connection))
        return JZ_SEND_CLOSED;
    if (!jz_topics_subscribe_exactly(topics, connection, topic))
        return JZ_SEND_DROPPED;
    bool is_sent = !replay->announces || announce(turn, connection, &replay->begins);
    for (size_t i = 0; i < replay->count && is_sent; i++)
        is_sent = jz_connection_is_writable(connection) && send(turn, connection, replay->publications[i]);
    if (!is_sent)
        jz_connection_fall_behind(turn, connection);
    return JZ_SEND_SENT;
}
