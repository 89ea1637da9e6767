/*
 * What a shard publishes in one turn of its loop: each small frame once, one after another. A receiver to which nothing
 * else is sent meanwhile needs no output of its own, only the part of this that is for it: see unsent.h.
 */
#ifndef JAZZY_OUTPUT_PUBLISHED_H
#define JAZZY_OUTPUT_PUBLISHED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "session/buffer.h"

/* As many forms of one message are kept apart: as it is, and compressed with several parameters. */
enum { JZ_PUBLISHED_FORMS = 4 };

typedef struct jz_published {
    jz_buffer frames;
    uint32_t form_count; /* of the message that is being published */
    struct {
        const uint8_t *frame;
        uint32_t position;
    } forms[JZ_PUBLISHED_FORMS];
} jz_published;

/* Another message is published: frames at addresses seen before are others from here on. */
static inline void jz_published_begin(jz_published *published)
{
    published->form_count = 0;
}

/* Finds, or else puts, a frame of that message. False: it has to go another way. */
bool jz_published_put(jz_published *published, const uint8_t *frame, size_t length, uint32_t *position);

/* Whether a frame of that message was put first. */
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

/* The turn has ended, and no receiver has a part of it any more. */
void jz_published_clear(jz_published *published);

#endif
