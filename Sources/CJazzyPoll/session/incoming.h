/* A frame or message under way: what a session keeps from one feed to the next. */
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
    bool has_frame;          /* the header of `frame` was taken, its payload is under way */
    bool is_delivered;       /* the message was yielded: its memory is borrowed until the next call */
    uint64_t frame_count;    /* data frames of the message so far */
    jz_utf8 utf8;            /* of a text message so far */
    jz_frame_header frame;   /* the data frame under way */
    uint64_t frame_position; /* payload bytes of `frame` that were taken */
    jz_buffer payload;       /* of the message so far, unmasked, but for what was inflated */
    jz_inflation *inflation; /* NULL where nothing was */
    jz_buffer kept;          /* input that is to be taken later: see jz_session_keep */
    size_t kept_taken;       /* bytes at its front that were taken */

    /* The bytes of an incomplete header, or of an incomplete control frame. */
    uint8_t carry[JZ_MAX_FRAME_HEADER + JZ_MAX_CONTROL_PAYLOAD];
};

static inline void jz_input_advance(jz_input *input, size_t count)
{
    input->bytes += count;
    input->length -= count;
}

/* Makes session->incoming where there is none. False when there is no memory. */
bool jz_incoming_ensure(jz_session *session);

/* Frees it and all it has. */
void jz_incoming_discard(jz_session *session);

/* Frees the message that was delivered. */
void jz_incoming_forget_message(jz_incoming *incoming);

/*
 * Makes room for `count` bytes of payload that have come, of `remaining` of the frame. Memory grows with what has come,
 * never with what a header promises: to twice as much at most, at once where the end is known to be within that. False
 * when there is no memory.
 */
bool jz_incoming_make_room(const jz_session *session, size_t count, size_t remaining);

/*
 * Unmasks a part of the payload of the frame under way. False: text that is not UTF-8, at its first impossible byte.
 * What is compressed is checked when it is whole.
 */
bool jz_incoming_unmask(jz_session *session, uint8_t *destination, const uint8_t *bytes, size_t count);

/* Moves up to `wanted` bytes in all from the input to the carry. Returns whether it now has as many. */
bool jz_incoming_carry(jz_incoming *incoming, jz_input *input, size_t wanted);

#endif
