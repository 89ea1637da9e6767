#include "output/publication.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "codec/frame_header.h"
#include "session/memory.h"
#include "session/outgoing.h"

/* The message compressed with one set of parameters. */
typedef struct variant {
    struct variant *next;
    uint8_t window_bits;
    uint8_t memory_level;
    uint8_t level;
    size_t length; /* of the frame; 0 if compressing does not make the message smaller */
    size_t payload_length;
    uint8_t frame[];
} variant;

struct jz_publication {
    _Atomic size_t references;
    uint8_t opcode;
    jz_compression compression;
    size_t payload_length;
    uint8_t *frame; /* in `storage`; the header is directly before the payload */
    size_t frame_length;
    pthread_mutex_t lock; /* guards `variants`; taken only with compression, so that each variant is made once */
    variant *variants;
    uint8_t storage[];
};

static size_t size_of(size_t payload_length)
{
    return sizeof(jz_publication) + JZ_MAX_SENT_FRAME_HEADER + payload_length;
}

jz_publication *jz_publication_create(jz_message_kind kind, const void *bytes, size_t length,
                                      jz_compression compression)
{
    if (length > SIZE_MAX - sizeof(jz_publication) - JZ_MAX_SENT_FRAME_HEADER)
        return NULL;
    jz_publication *publication = jz_memory_take(size_of(length));
    if (publication == NULL)
        return NULL;
    uint8_t header[JZ_MAX_SENT_FRAME_HEADER];
    uint8_t opcode = kind == JZ_MESSAGE_TEXT ? JZ_OPCODE_TEXT : JZ_OPCODE_BINARY;
    size_t header_length = jz_frame_header_encode(header, true, 0, opcode, length);
    atomic_init(&publication->references, 1);
    publication->opcode = opcode;
    publication->compression = compression;
    publication->payload_length = length;
    /* There is room for the longest header before the payload. */
    assert(header_length <= JZ_MAX_SENT_FRAME_HEADER);
    publication->frame = publication->storage + JZ_MAX_SENT_FRAME_HEADER - header_length;
    publication->frame_length = header_length + length;
    publication->variants = NULL;
    pthread_mutex_init(&publication->lock, NULL);
    memcpy(publication->frame, header, header_length);
    if (length > 0)
        memcpy(publication->storage + JZ_MAX_SENT_FRAME_HEADER, bytes, length);
    return publication;
}

jz_message_kind jz_publication_kind(const jz_publication *publication)
{
    return publication->opcode == JZ_OPCODE_TEXT ? JZ_MESSAGE_TEXT : JZ_MESSAGE_BINARY;
}

size_t jz_publication_length(const jz_publication *publication)
{
    return publication->payload_length;
}

void jz_publication_retain(jz_publication *publication)
{
    atomic_fetch_add_explicit(&publication->references, 1, memory_order_relaxed);
}

void jz_publication_release(jz_publication *publication)
{
    if (atomic_fetch_sub_explicit(&publication->references, 1, memory_order_acq_rel) > 1)
        return;
    variant *next;
    for (variant *current = publication->variants; current != NULL; current = next) {
        next = current->next;
        free(current);
    }
    pthread_mutex_destroy(&publication->lock);
    jz_memory_give(publication, size_of(publication->payload_length));
}

static variant *find_variant(jz_publication *publication, const jz_deflate_options *options, uint8_t window_bits)
{
    for (variant *current = publication->variants; current != NULL; current = current->next) {
        if (current->window_bits == window_bits && current->memory_level == options->memory_level &&
            current->level == options->level)
            return current;
    }
    return NULL;
}

static variant *add_variant(jz_publication *publication, const jz_session *session)
{
    const jz_deflate_options *options = &session->settings->deflate;
    const jz_buffer *compressed = NULL;
    const uint8_t *payload = publication->storage + JZ_MAX_SENT_FRAME_HEADER;
    bool is_smaller = jz_compress_alone(session->settings->workspace, options, session->own_window_bits, payload,
                                        publication->payload_length, &compressed);
    size_t room = is_smaller ? JZ_MAX_SENT_FRAME_HEADER + compressed->length : 0;
    variant *added = malloc(sizeof *added + room);
    if (added == NULL)
        return NULL;
    *added = (variant){.next = publication->variants,
                       .window_bits = session->own_window_bits,
                       .memory_level = options->memory_level,
                       .level = options->level};
    if (is_smaller) {
        added->length = jz_frame_header_encode(added->frame, true, JZ_RSV1, publication->opcode, compressed->length);
        assert(added->length + compressed->length <= room);
        memcpy(added->frame + added->length, compressed->bytes, compressed->length);
        added->payload_length = compressed->length;
        added->length += compressed->length;
    }
    publication->variants = added;
    return added;
}

const uint8_t *jz_publication_plain_frame(const jz_publication *publication, size_t *length)
{
    *length = publication->frame_length;
    return publication->frame;
}

const uint8_t *jz_publication_frame_for(jz_publication *publication, jz_session *session, size_t *length)
{
    *length = publication->frame_length;
    if (!jz_session_wants_compression(session, publication->payload_length, publication->compression))
        return publication->frame;
    pthread_mutex_lock(&publication->lock);
    variant *compressed = find_variant(publication, &session->settings->deflate, session->own_window_bits);
    if (compressed == NULL)
        compressed = add_variant(publication, session);
    pthread_mutex_unlock(&publication->lock);
    if (compressed == NULL || compressed->length == 0)
        return publication->frame;
    /* The peer's context gets this message, ours does not: later messages must not refer to earlier ones. */
    jz_session_forget_context(session);
    jz_compression_count_sent(session->settings->workspace, publication->payload_length, compressed->payload_length);
    *length = compressed->length;
    return compressed->frame;
}
