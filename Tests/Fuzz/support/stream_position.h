/* Where in a client's stream of frames a server is that has received a part of it, and whether it may go on. */
#ifndef JAZZY_FUZZ_STREAM_POSITION_H
#define JAZZY_FUZZ_STREAM_POSITION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* All zero but for `allows_compression` is the beginning. */
typedef struct stream_position {
    bool allows_compression;
    size_t frame_start; /* of the first frame that is not whole */
    bool has_message_under_way;
    bool breaks_a_rule; /* the header of that frame does */
} stream_position;

/* Moves on to the first `length` bytes of a stream, or to the first header among them that breaks a rule. */
void stream_position_move(stream_position *position, const uint8_t *bytes, size_t length);

/* Whether the first `length` bytes, to which it was moved, end between two messages. */
static inline bool stream_position_is_between_messages(const stream_position *position, size_t length)
{
    return position->frame_start == length && !position->has_message_under_way;
}

#endif
