#include "pubsub/replay.h"

#include <stdlib.h>

#include "output/envelope.h"
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

/* What there was no memory for is NULL. Releases it. */
static bool send_and_release(jz_turn *turn, jz_connection *connection, jz_publication *publication)
{
    bool is_sent = publication != NULL && send(turn, connection, publication);
    if (publication != NULL)
        jz_publication_release(publication);
    return is_sent;
}

static bool send_kept(jz_turn *turn, jz_connection *connection, jz_text topic, const jz_replay *replay, size_t number)
{
    jz_publication *publication = replay->publications[number];
    if (!replay->envelops)
        return send(turn, connection, publication);
    uint64_t offset = replay->begins.position.offset + number + 1;
    return send_and_release(turn, connection, jz_publication_enveloped(publication, topic, offset));
}

jz_send_status jz_replay_play(jz_turn *turn, jz_topics *topics, jz_connection *connection, jz_text topic,
                              const jz_replay *replay)
{
    const jz_subscribed *begins = &replay->begins;
    if (!jz_connection_is_writable(connection))
        return JZ_SEND_CLOSED;
    uint64_t offset = begins->position.epoch != 0 ? begins->position.offset + replay->count : JZ_OFFSET_UNKNOWN;
    if (!jz_topics_subscribe_exactly(topics, connection, topic, replay->envelops, offset))
        return JZ_SEND_DROPPED;
    bool is_sent = !replay->announces ||
                   send_and_release(turn, connection, jz_envelope_announce(replay->envelops ? &topic : NULL, begins));
    for (size_t i = 0; i < replay->count && is_sent; i++)
        is_sent = jz_connection_is_writable(connection) && send_kept(turn, connection, topic, replay, i);
    if (!is_sent)
        jz_connection_fall_behind(turn, connection);
    return JZ_SEND_SENT;
}
