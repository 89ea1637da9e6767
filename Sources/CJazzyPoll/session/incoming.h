/* An incomplete frame or message: what a session keeps between two reads. */
#ifndef JAZZY_SESSION_INCOMING_H
#define JAZZY_SESSION_INCOMING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "codec/frame_header.h"
#include "codec/utf8.h"
#include "session/buffer.h"
#include "session/inflation.h"
#include "session/session.h"

struct jz_incoming {
    uint8_t carry_length;
    bool has_frame;          /* the header of `frame` was taken, its payload is incomplete */
    bool is_delivered;       /* the message was returned: its memory is borrowed until the next call */
    uint64_t frame_count;    /* data frames of the message so far */
    jz_utf8 utf8;            /* state of the text message so far */
    jz_frame_header frame;   /* the incomplete data frame */
    uint64_t frame_position; /* payload bytes of `frame` that were taken */
    jz_buffer payload;       /* of the message so far, unmasked, without the part that was inflated */
    jz_inflation *inflation; /* NULL if nothing was inflated */
    jz_buffer kept;          /* input for later: see jz_session_keep */
    size_t kept_taken;       /* bytes at its front that were taken */

    /* The bytes of an incomplete header, or of an incomplete control frame. */
    uint8_t carry[JZ_MAX_FRAME_HEADER + JZ_MAX_CONTROL_PAYLOAD];
};

static inline void jz_input_advance(jz_input *input, size_t count)
{
    input->bytes += count;
    input->length -= count;
}

/* Creates session->incoming if it is NULL. False when there is no memory. */
bool jz_incoming_ensure(jz_session *session);

/* Frees it and all that it owns. */
void jz_incoming_discard(jz_session *session);

/* Frees the message that was delivered. */
void jz_incoming_forget_message(jz_incoming *incoming);

/*
 * Makes room for `count` received bytes of payload, of `remaining` bytes of the frame. Memory grows with the bytes
 * received, never with the length that a header announces: at most to twice as much, and directly to the final size if
 * that is not more. False when there is no memory.
 */
bool jz_incoming_make_room(const jz_session *session, size_t count, size_t remaining);

/*
 * Unmasks a part of the current frame's payload. False at the first byte of a text that is not UTF-8. Compressed
 * messages are checked when they are complete.
 */
bool jz_incoming_unmask(jz_session *session, uint8_t *destination, const uint8_t *bytes, size_t count);

/* Moves bytes from the input to `carry` until that has `wanted` bytes. Returns whether it has them. */
bool jz_incoming_carry(jz_incoming *incoming, jz_input *input, size_t wanted);

#endif
