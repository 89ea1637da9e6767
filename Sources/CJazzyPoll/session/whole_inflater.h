/*
 * Whole messages without context takeover, decompressed by an engine that is faster than zlib. What such an engine does
 * not take to the end is zlib's, from the beginning: that alone says what is wrong with a message. (ISA-L takes one
 * thing that zlib does not: a block whose code has unused words, in a message without them. No compressor sends that.)
 */
#ifndef JAZZY_SESSION_WHOLE_INFLATER_H
#define JAZZY_SESSION_WHOLE_INFLATER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "session/buffer.h"

typedef struct jz_whole_inflater jz_whole_inflater;

#ifdef JZ_DEFLATE_ISAL
/*
 * Replaces the content of `output` by the message, of at most `max_message_size` bytes, which is all that memory is
 * taken for. False if it is not valid or larger, if there is no memory, or if it is left to zlib for another reason.
 * Creates `*inflater`, one for all connections of a loop, when it is first needed.
 */
bool jz_inflate_whole(jz_whole_inflater **inflater, const uint8_t *bytes, size_t length, size_t max_message_size,
                      jz_buffer *output);
void jz_whole_inflater_free(jz_whole_inflater *inflater);
#else
static inline bool jz_inflate_whole(jz_whole_inflater **inflater, const uint8_t *bytes, size_t length,
                                    size_t max_message_size, jz_buffer *output)
{
    (void)inflater, (void)bytes, (void)length, (void)max_message_size, (void)output;
    return false;
}

static inline void jz_whole_inflater_free(jz_whole_inflater *inflater)
{
    (void)inflater;
}
#endif

#endif
