/* What connections are told when their server stops. */
#ifndef JAZZY_SHARD_FAREWELL_H
#define JAZZY_SHARD_FAREWELL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "codec/frame_header.h"
#include "codec/text.h"

/* The close frame. Written once, by the first who asks the server to stop. */
typedef struct jz_farewell {
    _Atomic int progress; /* private */
    uint16_t code;
    uint8_t reason_length;
    char reason[JZ_MAX_CLOSE_REASON];
} jz_farewell;

/*
 * Writes it, unless somebody else has, or is about to: then that counts. The code may be sent, the reason is UTF-8, and
 * is cut where it is too long. From any thread, and from signal handlers: it waits for nobody.
 */
void jz_farewell_write(jz_farewell *farewell, uint16_t code, jz_text reason);

/* Whether it is written, and may be read. Until then nobody is told; who writes it wakes the loops afterwards. */
bool jz_farewell_is_written(const jz_farewell *farewell);

#endif
