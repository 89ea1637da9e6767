/*
 * A compressed message that is decompressed ahead of its end. Clients that send a message in fragments flush their
 * compressor behind each, which makes a byte into seven: a message within the size limit can be many times as long on
 * its way. Where it gets longer than a message that is compressed as a whole can be, what has come is decompressed and
 * makes room for more; so memory stays within what the limit allows, however small the fragments are.
 */
#ifndef JAZZY_SESSION_INFLATION_H
#define JAZZY_SESSION_INFLATION_H

#include <stdint.h>

#include "session/buffer.h"
#include "jazzy/error.h"
#include "session/session.h"

typedef struct jz_inflation {
    jz_buffer message;      /* decompressed so far */
    uint64_t taken;         /* bytes of payload that were decompressed */
    jz_decompressor *alone; /* of this message, where contexts are not taken over; otherwise NULL */
} jz_inflation;

/*
 * Decompresses what has come of the compressed message under way, and leaves its payload empty. Fails as jz_decompress
 * does, and where the message's frames are too many or too long for what comes out of them.
 */
jz_failure jz_inflate_ahead(jz_session *session);

/* The rest of a message that was begun so. On JZ_FAILURE_NONE all of it is in session->incoming->inflation->message. */
jz_failure jz_inflate_rest(jz_session *session);

/* Frees it, and sets it to NULL. NULL does nothing. */
void jz_inflation_free(jz_inflation **inflation);

#endif
