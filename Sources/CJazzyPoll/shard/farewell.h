/* The close code and reason that connections are sent when their server stops. */
#ifndef JAZZY_SHARD_FAREWELL_H
#define JAZZY_SHARD_FAREWELL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "codec/frame_header.h"
#include "codec/text.h"

/* Written once, by the first call that stops the server. */
typedef struct jz_farewell {
    _Atomic int progress; /* private */
    uint16_t code;
    uint8_t reason_length;
    char reason[JZ_MAX_CLOSE_REASON];
} jz_farewell;

/*
 * Writes it, unless another thread has written it, or is writing it: then that counts. The code must be valid to send,
 * the reason UTF-8; it is cut if too long. From any thread, and from signal handlers: it never waits.
 */
void jz_farewell_write(jz_farewell *farewell, uint16_t code, jz_text reason);

/* Whether it was written, and may be read. Until then no connection is told; the writer wakes the loops afterwards. */
bool jz_farewell_is_written(const jz_farewell *farewell);

#endif
