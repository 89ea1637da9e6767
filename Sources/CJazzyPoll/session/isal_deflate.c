#include "session/engine.h"

#ifdef JZ_DEFLATE_ISAL
#include "../../CJazzyISAL/CJazzyISAL.h"

#include <limits.h>
#include <string.h>

#include "session/memory.h"

/* The level that an application chooses is as zlib's. */
enum {
    LEAST_LEVEL = 1, /* time is all */
    USUAL_LEVEL = 6
};

/* ISA-L's levels. */
enum {
    FIXED = 0, /* by codes that it is given, here the fixed ones (RFC 1951 §3.2.6) */
    FAST = 1,  /* where zlib's is below the default, */
    SMALL = 3  /* and where it is the default or more, but for windows in which there is nothing more to find */
};

enum {
    SHORT_WINDOW_BITS = 11,
    NEAR_WINDOW_BITS = 9,  /* the smallest window there is, of the second try */
    FEW_BYTES = 256,       /* where fixed codes may be nearly as short as a message's own */
    FEWEST_SYMBOLS = 1024, /* in one block that ISA-L takes buffers for */
    MOST_ADDED = 1024,     /* bytes: room for what ISA-L writes at once, a block's header or a flush */
    MOST_BYTES = INT_MAX   /* of a context: it counts its bytes in 32 bits, and begins anew before those are full */
};

static uint32_t level_of(jz_compressor_parameters parameters)
{
    bool is_short = !parameters.keeps_context && parameters.window_bits <= SHORT_WINDOW_BITS;
    return is_short || parameters.level < USUAL_LEVEL ? FAST : SMALL;
}

/* For blocks of as many symbols as zlib's have at that memory level. */
static uint32_t level_buffer_of(jz_compressor_parameters parameters)
{
    uint32_t symbols = 1u << (parameters.memory_level + 6);
    if (symbols < FEWEST_SYMBOLS)
        symbols = FEWEST_SYMBOLS;
    return level_of(parameters) == FAST ? ISAL_DEF_LVL1_REQ + ISAL_DEF_LVL1_TOKEN_SIZE * symbols
                                        : ISAL_DEF_LVL3_REQ + ISAL_DEF_LVL3_TOKEN_SIZE * symbols;
}

bool jz_deflater_begin(jz_deflater *deflater, jz_compressor_parameters parameters)
{
    enum { ALIGNMENT = 64 };
    size_t state = (sizeof(struct isal_zstream) + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    uint32_t level_buffer = level_buffer_of(parameters);
    uint8_t *memory = jz_memory_map(state + level_buffer);
    if (memory == NULL)
        return false;
    *deflater = (jz_deflater){.stream = (struct isal_zstream *)(void *)memory,
                              .size = state + level_buffer,
                              .keeps_context = parameters.keeps_context,
                              .is_hasty = !parameters.keeps_context && parameters.level == LEAST_LEVEL};
    isal_deflate_init(deflater->stream);
    (void)isal_deflate_set_hufftables(deflater->stream, NULL, IGZIP_HUFFTABLE_STATIC); /* of the level FIXED alone */
    deflater->stream->level = level_of(parameters);
    deflater->stream->level_buf = memory + state;
    deflater->stream->level_buf_size = level_buffer;
    deflater->stream->hist_bits = parameters.window_bits;
    return true;
}

void jz_deflater_end(jz_deflater *deflater)
{
    jz_memory_unmap(deflater->stream, deflater->size);
}

void jz_deflater_forget(jz_deflater *deflater)
{
    isal_deflate_reset(deflater->stream);
}

/* Compresses a part of a message, at most UINT32_MAX bytes. False when `output` is full. */
static bool take_part(struct isal_zstream *stream, const uint8_t *bytes, size_t length, uint16_t flush,
                      jz_buffer *output)
{
    stream->next_in = (uint8_t *)(uintptr_t)bytes;
    stream->avail_in = (uint32_t)length;
    stream->flush = flush;
    do {
        size_t room = output->capacity - output->length;
        if (room == 0)
            return false;
        stream->next_out = output->bytes + output->length;
        stream->avail_out = room < UINT32_MAX ? (uint32_t)room : UINT32_MAX;
        uint32_t given = stream->avail_out;
        if (isal_deflate(stream) != COMP_OK)
            return false;
        output->length += given - stream->avail_out;
    } while (stream->avail_out == 0);
    return stream->avail_in == 0;
}

/* A whole message, and a flush. False when it would become larger than the room that `output` has. */
static bool take_whole(struct isal_zstream *stream, const uint8_t *bytes, size_t length, uint16_t flush,
                       jz_buffer *output)
{
    while (length > MOST_BYTES) {
        if (!take_part(stream, bytes, MOST_BYTES, NO_FLUSH, output))
            return false;
        bytes += MOST_BYTES;
        length -= MOST_BYTES;
    }
    return take_part(stream, bytes, length, flush, output);
}

/*
 * Of the places that begin alike ISA-L looks at the last one only, and takes what it finds, however far away. Where the
 * same few names come again and again, what is near matches as well, and a small distance takes fewer bits. So messages
 * that become much smaller are tried again, fast, and replaced where that is shorter.
 */
static void try_nearer(struct isal_zstream *stream, const uint8_t *bytes, size_t length, jz_buffer *output,
                       size_t start)
{
    size_t first = output->length - start;
    if (first > length / 2)
        return; /* there is no room for it, and little hope */
    uint16_t window_bits = stream->hist_bits;
    stream->level = FAST;
    stream->hist_bits = NEAR_WINDOW_BITS;
    isal_deflate_reset(stream);
    jz_buffer second = {.bytes = output->bytes + output->length, .capacity = first};
    if (take_whole(stream, bytes, length, FULL_FLUSH, &second)) {
        memcpy(output->bytes + start, second.bytes, second.length);
        output->length = start + second.length;
    }
    stream->level = SMALL;
    stream->hist_bits = window_bits;
    isal_deflate_reset(stream);
}

/*
 * A few bytes by fixed codes: a tenth of the time, because making a code for a message takes far more than looking for
 * matches. Where matches save a quarter, such a code saves little more, of which its description takes a part. False,
 * with nothing appended, where they do not.
 */
static bool take_few(struct isal_zstream *stream, const uint8_t *bytes, size_t length, jz_buffer *output)
{
    size_t start = output->length;
    stream->level = FIXED;
    bool is_taken = take_whole(stream, bytes, length, FULL_FLUSH, output);
    stream->level = FAST;
    isal_deflate_reset(stream);
    if (is_taken && output->length - start <= length - length / 4)
        return true;
    output->length = start;
    return false;
}

/*
 * What would become larger than the message is not wanted, so that there is no more room than that. A full flush says
 * that nothing refers to what was before, so that ISA-L has to clear only as much of its hash table as the message
 * uses.
 */
bool jz_deflater_take(jz_deflater *deflater, const uint8_t *bytes, size_t length, jz_buffer *output)
{
    struct isal_zstream *stream = deflater->stream;
    if (stream->total_in > MOST_BYTES)
        isal_deflate_reset(stream);
    if (length > SIZE_MAX - MOST_ADDED || !jz_buffer_reserve(output, length + MOST_ADDED, SIZE_MAX))
        return false;
    if (deflater->is_hasty && length <= FEW_BYTES && take_few(stream, bytes, length, output))
        return true;
    size_t start = output->length;
    if (!take_whole(stream, bytes, length, deflater->keeps_context ? SYNC_FLUSH : FULL_FLUSH, output))
        return false;
    if (!deflater->keeps_context && stream->level == SMALL)
        try_nearer(stream, bytes, length, output, start);
    return true;
}
#endif
