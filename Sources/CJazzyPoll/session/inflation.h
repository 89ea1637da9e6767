/*
 * A compressed message that is decompressed before it is complete. Clients that send a message in fragments flush their
 * compressor behind each, which can turn one byte into seven: a message within the size limit can be many times as long
 * on the wire. When it becomes longer than a message that is compressed as a whole can be, the bytes received so far
 * are decompressed, which makes room for more. So memory stays within the limit, however small the fragments are.
 */
#ifndef JAZZY_SESSION_INFLATION_H
#define JAZZY_SESSION_INFLATION_H

#include <stdint.h>

#include "session/buffer.h"
#include "jazzy/error.h"
#include "session/session.h"

typedef struct jz_inflation {
    jz_buffer message;      /* decompressed so far */
    uint64_t taken;         /* payload bytes that were decompressed */
    jz_decompressor *alone; /* for this message alone, without context takeover; else NULL */
} jz_inflation;

/*
 * Decompresses the received part of the current message, and leaves its payload empty. Fails as jz_decompress does, and
 * if the message has too many frames or bytes in proportion to the output.
 */
jz_failure jz_inflate_ahead(jz_session *session);

/* Decompresses the rest of such a message. On JZ_FAILURE_NONE all of it is in session->incoming->inflation->message. */
jz_failure jz_inflate_rest(jz_session *session);

/* Frees `*inflation` and sets it to NULL. NULL does nothing. */
void jz_inflation_free(jz_inflation **inflation);

#endif
