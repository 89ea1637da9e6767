#include "session/inflation.h"

#include <stdlib.h>

#include "session/compression.h"
#include "session/decompressor.h"
#include "session/frame_rules.h"
#include "session/incoming.h"

enum {
    /* The most bytes that a flush behind a fragment adds: the ends of two blocks and an empty block are 5 to 8. */
    MOST_PER_FLUSH = 16,
    /* The most frames for one byte of the message: flushed, it becomes 7 bytes, each of which may be a frame. */
    MOST_FRAMES_PER_BYTE = 8
};

void jz_inflation_free(jz_inflation **inflation)
{
    if (*inflation == NULL)
        return;
    jz_decompressor_free((*inflation)->alone);
    jz_buffer_free(&(*inflation)->message);
    free(*inflation);
    *inflation = NULL;
}

/*
 * Not the loop's decompressor: all connections share that, for whole messages, and it cannot wait for this message's
 * end.
 */
static jz_decompressor *decompressor_of(jz_session *session)
{
    if (!session->keeps_peer_context)
        return jz_decompressor_ensure(&session->incoming->inflation->alone, session->peer_window_bits);
    if (!jz_dedicated_compression_ensure(&session->dedicated))
        return NULL;
    return jz_decompressor_ensure(&session->dedicated->decompressor, session->peer_window_bits);
}

static jz_failure take_payload(jz_session *session, jz_decompressor *decompressor)
{
    jz_inflation *inflation = session->incoming->inflation;
    jz_buffer *payload = &session->incoming->payload;
    jz_failure failure = jz_decompressor_take(decompressor, payload->bytes, payload->length,
                                              session->settings->max_message_size, &inflation->message);
    inflation->taken += payload->length;
    payload->length = 0;
    return failure;
}

/* Prevents messages without end: frames and compressed bytes must be in proportion to the output. */
static jz_failure judge(const jz_session *session)
{
    const jz_inflation *inflation = session->incoming->inflation;
    uint64_t frames = session->incoming->frame_count;
    uint64_t max_frames = session->settings->max_frames;
    if (max_frames > 0 && frames > max_frames + MOST_FRAMES_PER_BYTE * (uint64_t)inflation->message.length)
        return JZ_FAILURE_TOO_MANY_FRAMES;
    uint64_t max_bytes = jz_max_compressed_length(session->settings->max_message_size) + MOST_PER_FLUSH * frames;
    return inflation->taken > max_bytes ? JZ_FAILURE_MESSAGE_TOO_BIG : JZ_FAILURE_NONE;
}

jz_failure jz_inflate_ahead(jz_session *session)
{
    jz_incoming *incoming = session->incoming;
    bool begins = incoming->inflation == NULL;
    if (begins)
        incoming->inflation = calloc(1, sizeof *incoming->inflation);
    jz_decompressor *decompressor = incoming->inflation != NULL ? decompressor_of(session) : NULL;
    if (decompressor == NULL)
        return JZ_FAILURE_OUT_OF_MEMORY;
    if (begins)
        jz_decompressor_begin(decompressor);
    jz_failure failure = take_payload(session, decompressor);
    return failure != JZ_FAILURE_NONE ? failure : judge(session);
}

jz_failure jz_inflate_rest(jz_session *session)
{
    jz_decompressor *decompressor = decompressor_of(session);
    jz_failure failure = take_payload(session, decompressor);
    if (failure != JZ_FAILURE_NONE)
        return failure;
    return jz_decompressor_end(decompressor, session->settings->max_message_size,
                               &session->incoming->inflation->message);
}
