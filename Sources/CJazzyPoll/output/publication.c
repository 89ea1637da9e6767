#include "output/publication.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "codec/big_endian.h"
#include "codec/frame_header.h"
#include "output/envelope.h"
#include "session/memory.h"
#include "session/outgoing.h"

/* The message compressed with one set of parameters, or in an envelope. */
typedef struct variant {
    struct variant *next;
    jz_publication *envelope; /* else NULL */
    uint64_t offset;          /* in the envelope */
    uint8_t window_bits;      /* 0: in an envelope */
    uint8_t memory_level;
    uint8_t level;
    size_t length; /* of the frame; 0 if compressing does not make the message smaller */
    size_t payload_length;
    uint8_t frame[];
} variant;

/* Small, because histories keep many: 15 bytes and the frame. */
struct jz_publication {
    _Atomic(variant *) variants; /* changed with the lock, or by the only owner */
    _Atomic uint32_t references;
    uint8_t compression; /* a jz_compression */
    uint8_t header_length;
    atomic_bool is_kept; /* one reference is a history's; false before that is given up */
    uint8_t frame[];     /* uncompressed; its header has the payload's length */
};

/*
 * Each guards the variants of some publications, so that each variant is made once. Taken only with compression and
 * envelopes, and never two at a time. Loops that compress different publications at the same time seldom share one.
 */
enum { LOCK_COUNT = 64 };
#define FOUR(lock) lock, lock, lock, lock
static pthread_mutex_t locks[LOCK_COUNT] = {FOUR(FOUR(FOUR(PTHREAD_MUTEX_INITIALIZER)))};

static pthread_mutex_t *lock_of(const jz_publication *publication)
{
    uintptr_t address = (uintptr_t)publication;
    return &locks[(address >> 4 ^ address >> 10 ^ address >> 16) % LOCK_COUNT];
}

/* As the header says. */
static inline size_t payload_length(const jz_publication *publication)
{
    enum { SHORT = 2, LONGER = 4 };
    if (JZ_LIKELY(publication->header_length == SHORT))
        return publication->frame[1];
    if (publication->header_length == LONGER)
        return jz_read_uint16(publication->frame + SHORT);
    return (size_t)jz_read_uint64(publication->frame + SHORT);
}

/* Without the padding that `sizeof` has. */
static size_t size_of(size_t header_length, size_t length)
{
    return offsetof(jz_publication, frame) + header_length + length;
}

static inline jz_publication *create(jz_message_kind kind, size_t length, jz_compression compression)
{
    if (length > SIZE_MAX - sizeof(jz_publication) - JZ_MAX_SENT_FRAME_HEADER)
        return NULL;
    uint8_t header[JZ_MAX_SENT_FRAME_HEADER];
    uint8_t opcode = kind == JZ_MESSAGE_TEXT ? JZ_OPCODE_TEXT : JZ_OPCODE_BINARY;
    size_t header_length = jz_frame_header_encode(header, true, 0, opcode, length);
    assert(header_length <= JZ_MAX_SENT_FRAME_HEADER);
    jz_publication *publication = jz_memory_take(size_of(header_length, length));
    if (publication == NULL)
        return NULL;
    atomic_init(&publication->references, 1);
    publication->compression = (uint8_t)compression;
    publication->header_length = (uint8_t)header_length;
    atomic_init(&publication->is_kept, false);
    atomic_init(&publication->variants, NULL);
    memcpy(publication->frame, header, header_length);
    return publication;
}

jz_publication *jz_publication_create(jz_message_kind kind, const void *bytes, size_t length,
                                      jz_compression compression)
{
    jz_publication *publication = create(kind, length, compression);
    if (publication != NULL && length > 0)
        memcpy(publication->frame + publication->header_length, bytes, length);
    return publication;
}

jz_publication *jz_publication_create_empty(jz_message_kind kind, size_t length, jz_compression compression,
                                            uint8_t **payload)
{
    jz_publication *publication = create(kind, length, compression);
    if (publication != NULL)
        *payload = publication->frame + publication->header_length;
    return publication;
}

static uint8_t opcode_of(const jz_publication *publication)
{
    return publication->frame[0] & 0x0F;
}

jz_message_kind jz_publication_kind(const jz_publication *publication)
{
    return opcode_of(publication) == JZ_OPCODE_TEXT ? JZ_MESSAGE_TEXT : JZ_MESSAGE_BINARY;
}

size_t jz_publication_length(const jz_publication *publication)
{
    return payload_length(publication);
}

const uint8_t *jz_publication_payload(const jz_publication *publication, size_t *length)
{
    *length = payload_length(publication);
    return publication->frame + publication->header_length;
}

void jz_publication_retain(jz_publication *publication)
{
    atomic_fetch_add_explicit(&publication->references, 1, memory_order_relaxed);
}

void jz_publication_keep(jz_publication *publication)
{
    jz_publication_retain(publication);
    atomic_store_explicit(&publication->is_kept, true, memory_order_relaxed);
}

static variant *variants_of(const jz_publication *publication)
{
    return atomic_load_explicit(&publication->variants, memory_order_relaxed);
}

static void set_variants(jz_publication *publication, variant *variants)
{
    atomic_store_explicit(&publication->variants, variants, memory_order_relaxed);
}

static JZ_NEVER_INLINED void free_variants(jz_publication *publication)
{
    variant *next;
    for (variant *current = variants_of(publication); current != NULL; current = next) {
        next = current->next;
        if (current->envelope != NULL)
            jz_publication_release(current->envelope);
        free(current);
    }
    set_variants(publication, NULL);
}

/*
 * Whether a history and the caller have the only references. If the count is what it became when the history gave its
 * own up, that is seen, too.
 */
static bool is_otherwise_unused(const jz_publication *publication)
{
    return atomic_load_explicit(&publication->references, memory_order_acquire) == 2 &&
           atomic_load_explicit(&publication->is_kept, memory_order_relaxed);
}

static JZ_NEVER_INLINED void destroy(jz_publication *publication)
{
    if (variants_of(publication) != NULL)
        free_variants(publication);
    jz_memory_give(publication, size_of(publication->header_length, payload_length(publication)));
}

/*
 * Whether nothing has to be freed when a reference to a publication that a history keeps is given up, of which there
 * are so many: others have one, or nobody has made a variant. Whoever has made one is seen to have, because that was
 * before it gave its own reference up.
 */
static inline bool is_given_up_quickly(const jz_publication *publication, uint32_t references)
{
    return references > 2 || (references == 2 && variants_of(publication) == NULL);
}

/*
 * Gives up a reference to a publication that a history keeps. If only that is left, nobody uses the variants, and
 * whoever comes back for one waits for the lock, and makes it again.
 */
static JZ_NEVER_INLINED void release_kept(jz_publication *publication)
{
    uint32_t before = atomic_load_explicit(&publication->references, memory_order_acquire);
    do {
        if (before != 2 || is_given_up_quickly(publication, before))
            continue;
        pthread_mutex_lock(lock_of(publication));
        if (is_otherwise_unused(publication))
            free_variants(publication);
        pthread_mutex_unlock(lock_of(publication));
    } while (!atomic_compare_exchange_weak_explicit(&publication->references, &before, before - 1, memory_order_acq_rel,
                                                    memory_order_acquire));
    if (before == 1)
        destroy(publication);
}

static inline void release(jz_publication *publication)
{
    if (atomic_fetch_sub_explicit(&publication->references, 1, memory_order_acq_rel) == 1)
        destroy(publication);
}

/* Called for every subscriber: what is seldom is elsewhere, so that this needs no registers saved. */
void jz_publication_release(jz_publication *publication)
{
    if (JZ_LIKELY(!atomic_load_explicit(&publication->is_kept, memory_order_relaxed))) {
        release(publication);
        return;
    }
    uint32_t before = atomic_load_explicit(&publication->references, memory_order_acquire);
    if (!JZ_LIKELY(is_given_up_quickly(publication, before) &&
                   atomic_compare_exchange_strong_explicit(&publication->references, &before, before - 1,
                                                           memory_order_acq_rel, memory_order_relaxed)))
        release_kept(publication);
}

void jz_publication_forget(jz_publication *publication)
{
    atomic_store_explicit(&publication->is_kept, false, memory_order_relaxed);
    release(publication);
}

static variant *find_variant(jz_publication *publication, const jz_deflate_options *options, uint8_t window_bits)
{
    for (variant *current = variants_of(publication); current != NULL; current = current->next) {
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
    size_t uncompressed;
    const uint8_t *payload = jz_publication_payload(publication, &uncompressed);
    bool is_smaller = jz_compress_alone(session->settings->workspace, options, session->own_window_bits, payload,
                                        uncompressed, &compressed);
    size_t room = is_smaller ? JZ_MAX_SENT_FRAME_HEADER + compressed->length : 0;
    variant *added = malloc(sizeof *added + room);
    if (added == NULL)
        return NULL;
    *added = (variant){.next = variants_of(publication),
                       .window_bits = session->own_window_bits,
                       .memory_level = options->memory_level,
                       .level = options->level};
    if (is_smaller) {
        added->length = jz_frame_header_encode(added->frame, true, JZ_RSV1, opcode_of(publication), compressed->length);
        assert(added->length + compressed->length <= room);
        memcpy(added->frame + added->length, compressed->bytes, compressed->length);
        added->payload_length = compressed->length;
        added->length += compressed->length;
    }
    set_variants(publication, added);
    return added;
}

const uint8_t *jz_publication_plain_frame(const jz_publication *publication, size_t *length)
{
    *length = publication->header_length + payload_length(publication);
    return publication->frame;
}

static JZ_NEVER_INLINED const uint8_t *compressed_frame_for(jz_publication *publication, jz_session *session,
                                                            size_t *length)
{
    size_t uncompressed = payload_length(publication);
    *length = publication->header_length + uncompressed;
    if (!jz_session_wants_compression(session, uncompressed, (jz_compression)publication->compression))
        return publication->frame;
    pthread_mutex_lock(lock_of(publication));
    variant *compressed = find_variant(publication, &session->settings->deflate, session->own_window_bits);
    if (compressed == NULL)
        compressed = add_variant(publication, session);
    pthread_mutex_unlock(lock_of(publication));
    if (compressed == NULL || compressed->length == 0)
        return publication->frame;
    /* The peer's context gets this message, ours does not: later messages must not refer to earlier ones. */
    jz_session_forget_context(session);
    jz_compression_count_sent(session->settings->workspace, uncompressed, compressed->payload_length);
    *length = compressed->length;
    return compressed->frame;
}

static jz_publication *find_envelope(const jz_publication *publication, uint64_t offset)
{
    const variant *current = variants_of(publication);
    while (current != NULL && (current->envelope == NULL || current->offset != offset))
        current = current->next;
    return current != NULL ? current->envelope : NULL;
}

/* Without memory for the variant nobody shares it. */
static void keep_envelope(jz_publication *publication, jz_publication *envelope, uint64_t offset)
{
    variant *added = malloc(sizeof *added);
    if (added == NULL)
        return;
    *added = (variant){.next = variants_of(publication), .envelope = envelope, .offset = offset};
    jz_publication_retain(envelope);
    set_variants(publication, added);
}

jz_publication *jz_publication_enveloped(jz_publication *publication, jz_text topic, uint64_t offset)
{
    pthread_mutex_lock(lock_of(publication));
    jz_publication *envelope = find_envelope(publication, offset);
    if (envelope != NULL) {
        jz_publication_retain(envelope);
    } else {
        envelope = jz_envelope_create(topic, offset, publication, (jz_compression)publication->compression);
        if (envelope != NULL)
            keep_envelope(publication, envelope, offset);
    }
    pthread_mutex_unlock(lock_of(publication));
    return envelope;
}

const uint8_t *jz_publication_frame_for(jz_publication *publication, jz_session *session, size_t *length)
{
    return JZ_LIKELY(!session->uses_deflate) ? jz_publication_plain_frame(publication, length)
                                             : compressed_frame_for(publication, session, length);
}
