#include "output/published.h"

enum {
    PUBLISHED_UP_TO = 1024 * 1024, /* bytes in one iteration */
    KEEP_UP_TO = 64 * 1024         /* bytes: a larger buffer is freed after the iteration */
};

bool jz_published_put(jz_published *published, const uint8_t *frame, size_t length, uint32_t *position)
{
    for (uint32_t i = 0; i < published->form_count; i++) {
        if (published->forms[i].frame == frame) {
            *position = published->forms[i].position;
            return true;
        }
    }
    jz_buffer *frames = &published->frames;
    if (published->form_count == JZ_PUBLISHED_FORMS || frames->length + length > PUBLISHED_UP_TO)
        return false;
    *position = (uint32_t)frames->length;
    if (!jz_buffer_append(frames, frame, length))
        return false;
    published->forms[published->form_count].frame = frame;
    published->forms[published->form_count++].position = *position;
    return true;
}

void jz_published_clear(jz_published *published)
{
    published->frames.length = 0;
    if (published->frames.capacity > KEEP_UP_TO)
        jz_buffer_free(&published->frames);
}
