/* What is sent: payloads of several kinds, and the frames of a client (RFC 6455 §5.2) around them. */
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

/* The same message again and again: `count` masked frames in a row. */
typedef struct frames {
    uint8_t *payload; /* as it was before compression, `payload_length` bytes */
    size_t payload_length;
    uint8_t *bytes;      /* of all frames */
    size_t frame_length; /* bytes of one */
    size_t count;
} frames;

/*
 * Makes a payload of that kind and exactly that length, and frames of it. Text ends with a whole character; all kinds
 * but binary are text messages.
 */
frames frames_create(payload_kind kind, size_t payload_length, bool is_compressed, size_t count);

void frames_destroy(frames *frames);

#endif
