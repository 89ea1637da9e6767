/*
 * Memory whose size the caller passes when freeing it, so that large pieces need not come from malloc: they are mapped,
 * grow without copying if the system can do that, and go back to the system when freed. malloc would keep the memory of
 * a burst as long as any small allocation lies behind it, and a library may not tune the malloc of its process.
 */
#ifndef JAZZY_SESSION_MEMORY_H
#define JAZZY_SESSION_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

#include "jazzy/compiler.h"

/*
 * The size in bytes from which a piece is mapped. (With 128 KiB, malloc kept 86 MB of smaller pieces after 5,000
 * clients had each sent 1 MB; with 64 KiB nothing.)
 */
enum { JZ_MAPPED_FROM = 64 * 1024 };

/* Whether a piece of that size is mapped. Never under AddressSanitizer, which checks memory from malloc. */
bool jz_memory_is_mapped(size_t size);

/* Private to jz_memory_take and _give: pieces that may be mapped. */
void *jz_memory_take_large(size_t size);
void jz_memory_give_large(void *bytes, size_t size);

/* A piece of memory; NULL when there is none. */
static inline void *jz_memory_take(size_t size)
{
    return JZ_LIKELY(size < JZ_MAPPED_FROM) ? malloc(size) : jz_memory_take_large(size);
}

/*
 * Grows a piece of `size` bytes (0: there is none yet) to `*larger` bytes. It may move; its first `used` bytes are
 * kept. `*larger` becomes the actual size, which can be half as much again. NULL when there is no memory: the piece is
 * unchanged.
 */
void *jz_memory_grow(void *bytes, size_t size, size_t used, size_t *larger);

/*
 * Whether the calling thread keeps a free piece that would be used for one of that size, so that no memory is
 * allocated.
 */
bool jz_memory_has_kept(size_t size);

/* Frees a piece; `size` is the size with which it was taken, or to which it was grown. NULL does nothing. */
static inline void jz_memory_give(void *bytes, size_t size)
{
    if (JZ_LIKELY(size < JZ_MAPPED_FROM))
        free(bytes);
    else
        jz_memory_give_large(bytes, size);
}

/*
 * A piece that is mapped whatever its size: for numerous, long-lived pieces, which would prevent malloc from returning
 * others to the system. NULL when there is no memory. Pass jz_memory_unmap the same size.
 */
void *jz_memory_map(size_t size);
void jz_memory_unmap(void *bytes, size_t size);

/*
 * Between these two calls a thread (that of a loop) keeps a few freed mapped pieces for reuse. `*keeps`, which is
 * borrowed, becomes true when a piece is kept. jz_memory_trim unmaps the pieces that were not reused since its last
 * call, and returns whether some are still kept.
 */
void jz_memory_begin_keeping(bool *keeps);
void jz_memory_end_keeping(void);
bool jz_memory_trim(void);

#endif
