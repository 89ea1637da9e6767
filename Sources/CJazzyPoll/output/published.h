/*
 * The frames that a shard publishes in one loop iteration: each small frame once, one after another. A receiver to
 * which nothing else is sent meanwhile needs no output buffer of its own, only a range of this: see unsent.h.
 */
#ifndef JAZZY_OUTPUT_PUBLISHED_H
#define JAZZY_OUTPUT_PUBLISHED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "session/buffer.h"

/* The most forms of one message: uncompressed, and compressed with several sets of parameters. */
enum { JZ_PUBLISHED_FORMS = 4 };

typedef struct jz_published {
    jz_buffer frames;
    uint32_t form_count; /* forms of the message that is being published */
    struct {
        const uint8_t *frame;
        uint32_t position;
    } forms[JZ_PUBLISHED_FORMS];
} jz_published;

/* Another message is published: a frame at the same address as an earlier one is now another frame. */
static inline void jz_published_begin(jz_published *published)
{
    published->form_count = 0;
}

/* Finds or appends a frame of that message, and fills in its position. False: this frame cannot be stored here. */
bool jz_published_put(jz_published *published, const uint8_t *frame, size_t length, uint32_t *position);

/* Whether the frame is the first form of that message that was appended. */
static inline bool jz_published_has(const jz_published *published, const uint8_t *frame, uint32_t *position)
{
    if (published->form_count == 0 || published->forms[0].frame != frame)
        return false;
    *position = published->forms[0].position;
    return true;
}

static inline bool jz_published_place(jz_published *published, const uint8_t *frame, size_t length, uint32_t *position)
{
    return jz_published_has(published, frame, position) || jz_published_put(published, frame, length, position);
}

/* The iteration has ended, and no receiver refers to the frames any more. */
void jz_published_clear(jz_published *published);

#endif
