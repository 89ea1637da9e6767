#include "output/unsent.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum {
    COMPACT_WHEN_SENT = 64 * 1024, /* bytes */
    FIRST_CAPACITY = 8,            /* shared pieces */
    MOST_SPARE = 1024              /* records: about 140 KiB for each loop */
};

jz_unsent *jz_unsent_create(jz_spare_unsent *spare)
{
    jz_unsent *unsent = spare->records;
    if (unsent == NULL)
        return calloc(1, sizeof *unsent);
    spare->records = (jz_unsent *)(void *)unsent->shared;
    spare->count--;
    unsent->shared = NULL;
    return unsent;
}

void jz_unsent_destroy(jz_spare_unsent *spare, jz_unsent *unsent)
{
    assert(unsent->counted == 0);
    jz_unsent_clear(unsent);
    if (spare->count >= MOST_SPARE) {
        free(unsent);
        return;
    }
    unsent->shared = (jz_shared_piece *)(void *)spare->records;
    spare->records = unsent;
    spare->count++;
}

void jz_spare_unsent_free(jz_spare_unsent *spare)
{
    jz_unsent *unsent;
    while ((unsent = spare->records) != NULL) {
        spare->records = (jz_unsent *)(void *)unsent->shared;
        free(unsent);
    }
    spare->count = 0;
}

bool jz_unsent_own_published(jz_unsent *unsent, const jz_buffer *published)
{
    size_t length = unsent->published_to - unsent->published_from;
    if (!jz_buffer_append(&unsent->own, published->bytes + unsent->published_from, length))
        return false;
    unsent->published_from = unsent->published_to = 0;
    return true;
}

bool jz_unsent_share(jz_unsent *unsent, jz_publication *publication, const uint8_t *bytes, size_t length)
{
    if (unsent->shared_count == unsent->shared_capacity) {
        size_t capacity = unsent->shared_capacity > 0 ? unsent->shared_capacity * 2 : FIRST_CAPACITY;
        jz_shared_piece *grown = realloc(unsent->shared, capacity * sizeof *grown);
        if (grown == NULL)
            return false;
        unsent->shared = grown;
        unsent->shared_capacity = capacity;
    }
    if (publication != NULL)
        jz_publication_retain(publication);
    unsent->shared[unsent->shared_count++] =
        (jz_shared_piece){.position = unsent->own.length, .publication = publication, .bytes = bytes, .length = length};
    unsent->shared_amount += length;
    return true;
}

bool jz_unsent_lend(jz_unsent *unsent, const jz_buffer *message, const uint8_t *rest, size_t length)
{
    assert(unsent->shared_count == 0 && unsent->message.bytes == NULL);
    if (!jz_unsent_share(unsent, NULL, rest, length))
        return false;
    unsent->message = *message;
    return true;
}

static void forget_message(jz_unsent *unsent)
{
    if (unsent->owns_message)
        jz_buffer_free(&unsent->message);
    unsent->message = (jz_buffer){0};
    unsent->owns_message = false;
}

static bool is_of_message(const jz_unsent *unsent, const jz_shared_piece *piece)
{
    const uint8_t *start = unsent->message.bytes;
    return start != NULL && piece->bytes >= start && piece->bytes < start + unsent->message.length;
}

static void release(jz_unsent *unsent, const jz_shared_piece *piece)
{
    if (piece->publication != NULL)
        jz_publication_release(piece->publication);
    else if (is_of_message(unsent, piece))
        forget_message(unsent);
}

size_t jz_unsent_pieces(const jz_unsent *unsent, jz_piece *pieces)
{
    size_t count = 0;
    size_t position = unsent->own_sent;
    size_t next = unsent->shared_first;
    size_t skipped = unsent->shared_sent;
    while (count < JZ_MOST_PIECES && (position < unsent->own.length || next < unsent->shared_count)) {
        size_t end = next < unsent->shared_count ? unsent->shared[next].position : unsent->own.length;
        if (position < end) {
            pieces[count++] = (jz_piece){unsent->own.bytes + position, end - position};
            position = end;
        } else {
            const jz_shared_piece *piece = &unsent->shared[next++];
            pieces[count++] = (jz_piece){piece->bytes + skipped, piece->length - skipped};
            skipped = 0;
        }
    }
    return count;
}

void jz_unsent_take(jz_unsent *unsent, size_t count)
{
    while (count > 0) {
        bool has_shared = unsent->shared_first < unsent->shared_count;
        jz_shared_piece *piece = has_shared ? &unsent->shared[unsent->shared_first] : NULL;
        size_t own = (has_shared ? piece->position : unsent->own.length) - unsent->own_sent;
        if (own > 0) {
            size_t taken = count < own ? count : own;
            unsent->own_sent += taken;
            count -= taken;
            continue;
        }
        size_t rest = piece->length - unsent->shared_sent;
        size_t taken = count < rest ? count : rest;
        unsent->shared_sent += taken;
        unsent->shared_amount -= taken;
        count -= taken;
        if (taken == rest) {
            release(unsent, piece);
            unsent->shared_first++;
            unsent->shared_sent = 0;
        }
    }
}

void jz_unsent_compact(jz_unsent *unsent)
{
    size_t left = unsent->shared_count - unsent->shared_first;
    if (unsent->own_sent >= COMPACT_WHEN_SENT && unsent->own_sent >= unsent->own.length / 2) {
        unsent->own.length -= unsent->own_sent;
        memmove(unsent->own.bytes, unsent->own.bytes + unsent->own_sent, unsent->own.length);
        for (size_t i = unsent->shared_first; i < unsent->shared_count; i++)
            unsent->shared[i].position -= unsent->own_sent;
        unsent->own_sent = 0;
    }
    if (unsent->shared_first >= FIRST_CAPACITY && unsent->shared_first >= left) {
        memmove(unsent->shared, unsent->shared + unsent->shared_first, left * sizeof *unsent->shared);
        unsent->shared_count = left;
        unsent->shared_first = 0;
    }
}

void jz_unsent_clear(jz_unsent *unsent)
{
    for (size_t i = unsent->shared_first; i < unsent->shared_count; i++)
        release(unsent, &unsent->shared[i]);
    free(unsent->shared);
    jz_buffer_free(&unsent->own);
    *unsent = (jz_unsent){0};
}
