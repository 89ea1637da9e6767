/* What one zlib stream allocates, in one piece: it is large, and goes back to the system with it (memory.h). */
#ifndef JAZZY_SESSION_ZLIB_MEMORY_H
#define JAZZY_SESSION_ZLIB_MEMORY_H

#include <stddef.h>
#include <stdint.h>
#include <zlib.h>

/* All zero is none. It may not move while a stream uses it. */
typedef struct jz_zlib_memory {
    uint8_t *bytes;
    size_t size;
    size_t used;
} jz_zlib_memory;

/*
 * Has the stream, which was not initialized, allocate from a piece of `size` bytes. What does not fit, or all where
 * there is no such piece, comes from malloc.
 */
void jz_zlib_memory_begin(jz_zlib_memory *memory, size_t size, z_stream *stream);

/* The stream was ended. */
void jz_zlib_memory_end(jz_zlib_memory *memory);

#endif
