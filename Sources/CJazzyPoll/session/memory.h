/*
 * Memory whose size is known again when it is given back, so that large pieces need not come from malloc: they are
 * mapped, grow without being copied where the system can do that, and go back to the system when they are given back.
 * malloc would keep what a burst has needed for as long as anything small lies behind it, and a library may not tune
 * the malloc of its process.
 */
#ifndef JAZZY_SESSION_MEMORY_H
#define JAZZY_SESSION_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

#include "jazzy/compiler.h"

/* From so many bytes on a piece is mapped. (With 128 KiB, 86 MB of smaller pieces stayed with malloc after 5,000
   clients had each sent 1 MB; with 64 KiB nothing did.) */
enum { JZ_MAPPED_FROM = 64 * 1024 };

/* Whether a piece of that size is mapped. Not under AddressSanitizer, which watches over what malloc gives. */
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
 * Makes a piece of `size` bytes, which may be none, larger: it may move, with its first `used` bytes. `*larger` becomes
 * what it is then, which can be half as much again. NULL when there is no memory: it is as it was.
 */
void *jz_memory_grow(void *bytes, size_t size, size_t used, size_t *larger);

/* Whether the calling thread keeps a piece that would be taken for one of that size, so that it costs nothing more. */
bool jz_memory_has_kept(size_t size);

/* Gives a piece back; `size` is what it was taken or grown with. NULL does nothing. */
static inline void jz_memory_give(void *bytes, size_t size)
{
    if (JZ_LIKELY(size < JZ_MAPPED_FROM))
        free(bytes);
    else
        jz_memory_give_large(bytes, size);
}

/*
 * A piece that is mapped whatever its size, for what is there long and in numbers, and as a piece that malloc gave
 * would keep others from going back. NULL when there is none. jz_memory_unmap is given the same size.
 */
void *jz_memory_map(size_t size);
void jz_memory_unmap(void *bytes, size_t size);

/*
 * A few mapped pieces are kept for those who come next, on threads that ask for it between these two: those of loops.
 * `*keeps` becomes true when one is kept; it is borrowed. jz_memory_trim gives back what was not used again since it
 * was called last; it returns whether some are still kept.
 */
void jz_memory_begin_keeping(bool *keeps);
void jz_memory_end_keeping(void);
bool jz_memory_trim(void);

#endif
