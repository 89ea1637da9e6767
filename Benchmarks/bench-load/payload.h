/* Payloads of several kinds, in a client's frames (RFC 6455 §5.2). */
#ifndef JAZZY_BENCH_PAYLOAD_H
#define JAZZY_BENCH_PAYLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum payload_kind {
    PAYLOAD_BINARY,
    PAYLOAD_ASCII,
    PAYLOAD_RUSSIAN,
    PAYLOAD_CHINESE,
    PAYLOAD_EMOJI,
    PAYLOAD_JSON
} payload_kind;

const char *payload_name(payload_kind kind);
bool payload_kind_of(const char *name, payload_kind *kind);

/* So many messages differ where they are compressed: a server may well remember how the last one was compressed. */
enum { DIFFERENT_MESSAGES = 61 };

/* Masked frames in a row, which are sent again and again. */
typedef struct frames {
    uint8_t *payload; /* of the first, as it was before compression, `payload_length` bytes */
    size_t payload_length;
    uint8_t *bytes; /* of all frames */
    size_t *ends;   /* of each frame in `bytes` */
    size_t count;
    size_t period; /* bytes after which the row repeats itself: all of it, or one frame where all are the same */
} frames;

/*
 * Makes payloads of that kind and exactly that length, and frames of them: at least `count`, of the same message, or of
 * different ones where they are compressed. Text ends with a whole character; all kinds but binary are text messages.
 */
frames frames_create(payload_kind kind, size_t payload_length, bool is_compressed, size_t count);

void frames_destroy(frames *frames);

#endif
