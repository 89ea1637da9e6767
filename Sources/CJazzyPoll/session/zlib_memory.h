/* One piece of memory for all that a zlib stream allocates: large enough to go back to the system (memory.h). */
#ifndef JAZZY_SESSION_ZLIB_MEMORY_H
#define JAZZY_SESSION_ZLIB_MEMORY_H

#include <stddef.h>
#include <stdint.h>
#include <zlib.h>

/* All zero is no memory. The struct may not move while a stream uses it. */
typedef struct jz_zlib_memory {
    uint8_t *bytes;
    size_t size;
    size_t used;
} jz_zlib_memory;

/*
 * Lets a stream that is not initialized yet allocate from a piece of `size` bytes. What does not fit comes from malloc,
 * as does everything if there is no such piece.
 */
void jz_zlib_memory_begin(jz_zlib_memory *memory, size_t size, z_stream *stream);

/* The stream was ended. */
void jz_zlib_memory_end(jz_zlib_memory *memory);

#endif
