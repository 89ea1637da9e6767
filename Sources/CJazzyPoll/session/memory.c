#define _DEFAULT_SOURCE /* MAP_ANONYMOUS */
#define _DARWIN_C_SOURCE

#include "session/memory.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "jazzy/compiler.h"
#include "platform/pages.h"

enum {
    MOST_KEPT = 16,
    MOST_KEPT_BYTES = 16 * 1024 * 1024, /* in total */
    /*
     * Bytes of the first page in front of a mapped piece. The kernel often begins a message at the start of a page of
     * its own, behind a frame's header of 2 to 14 bytes, and copies by `rep movsb`. That takes 13 times as long on some
     * processors (measured on Zen 4) where the target is 1 to 15 bytes further on in its page than the source is.
     */
    LEAD = 128
};

typedef struct piece {
    void *bytes;
    size_t size;
} piece;

/* The pieces that this thread keeps, the most recently freed at the end. */
static _Thread_local struct {
    bool *keeps; /* becomes true when a piece is kept; NULL if the thread keeps none */
    size_t count;
    size_t idle; /* pieces at the front that were not used since the last trim */
    size_t bytes;
    piece pieces[MOST_KEPT];
} kept;

static size_t page_size(void)
{
    long size = sysconf(_SC_PAGESIZE);
    return size > 0 ? (size_t)size : 4096;
}

bool jz_memory_is_mapped(size_t size)
{
#ifdef JZ_ADDRESS_SANITIZER
    (void)size;
    return false;
#else
    return size >= JZ_MAPPED_FROM;
#endif
}

/* No object can be larger (C17 §7.20.3), so malloc need not be called. */
static bool is_possible(size_t size)
{
    return size < PTRDIFF_MAX;
}

/* Rounds a possible size up, so that its piece fills whole pages. */
static size_t round_up(size_t size)
{
    size_t mask = page_size() - 1;
    return ((size + LEAD + mask) & ~mask) - LEAD;
}

void *jz_memory_map(size_t size)
{
#ifdef JZ_ADDRESS_SANITIZER
    return calloc(1, size);
#else
    void *bytes = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return bytes != MAP_FAILED ? bytes : NULL;
#endif
}

void jz_memory_unmap(void *bytes, size_t size)
{
#ifdef JZ_ADDRESS_SANITIZER
    (void)size;
    free(bytes);
#else
    /* munmap fails inside a larger mapping if the process has as many mappings as it may have. Free its pages even
       then. */
    if (munmap(bytes, size) != 0)
        jz_pages_discard(bytes, size);
#endif
}

static void *map_piece(size_t size)
{
    uint8_t *pages = jz_memory_map(size + LEAD);
    return pages != NULL ? pages + LEAD : NULL;
}

static void unmap_piece(void *bytes, size_t size)
{
    jz_memory_unmap((uint8_t *)bytes - LEAD, size + LEAD);
}

static void remove_kept(size_t index)
{
    kept.bytes -= kept.pieces[index].size;
    kept.count--;
    memmove(&kept.pieces[index], &kept.pieces[index + 1], (kept.count - index) * sizeof kept.pieces[0]);
    if (index < kept.idle)
        kept.idle--;
}

/* At most half as much again: all pages of a kept piece cost memory as long as the new owner uses a part of them. */
static bool is_little_larger(size_t found, size_t size)
{
    return found > size && found - size <= size / 2;
}

/*
 * The index of the smallest kept piece of that size or, with `larger`, slightly more; kept.count if there is none. Of
 * several of the same size the one that was freed last, which is still in the caches.
 */
static size_t find_kept(size_t size, bool larger)
{
    size_t best = kept.count;
    for (size_t i = 0; i < kept.count; i++) {
        size_t found = kept.pieces[i].size;
        if ((found == size || (larger && is_little_larger(found, size))) &&
            (best == kept.count || found <= kept.pieces[best].size))
            best = i;
    }
    return best;
}

/* Takes such a piece; NULL if there is none. `larger` is NULL, or receives the size of the piece. */
static void *take_kept(size_t size, size_t *larger)
{
    size_t best = find_kept(size, larger != NULL);
    if (best == kept.count)
        return NULL;
    piece taken = kept.pieces[best];
    remove_kept(best);
    if (larger != NULL)
        *larger = taken.size;
    return taken.bytes;
}

bool jz_memory_has_kept(size_t size)
{
    return is_possible(size) && jz_memory_is_mapped(size) && find_kept(round_up(size), true) < kept.count;
}

/* Keeps a piece; if there are too many, the oldest are unmapped. */
static void keep(piece piece)
{
    while (kept.count > 0 && (kept.count == MOST_KEPT || kept.bytes + piece.size > MOST_KEPT_BYTES)) {
        unmap_piece(kept.pieces[0].bytes, kept.pieces[0].size);
        remove_kept(0);
    }
    kept.pieces[kept.count++] = piece;
    kept.bytes += piece.size;
    *kept.keeps = true;
}

void *jz_memory_take_large(size_t size)
{
    if (!is_possible(size))
        return NULL;
    if (!jz_memory_is_mapped(size))
        return malloc(size);
    void *bytes = take_kept(round_up(size), NULL);
    return bytes != NULL ? bytes : map_piece(size);
}

void jz_memory_give_large(void *bytes, size_t size)
{
    if (bytes == NULL)
        return;
    if (!jz_memory_is_mapped(size))
        free(bytes);
    else if (kept.keeps != NULL && size <= MOST_KEPT_BYTES / 2)
        keep((piece){bytes, round_up(size)});
    else
        unmap_piece(bytes, size);
}

/* Where the system can, it moves pages instead of copying. */
static void *grow_mapped(void *bytes, size_t size, size_t used, size_t larger)
{
#ifdef JZ_PAGES_CAN_MOVE
    (void)used;
    uint8_t *moved = jz_pages_move((uint8_t *)bytes - LEAD, size + LEAD, larger + LEAD);
    return moved != NULL ? moved + LEAD : NULL;
#else
    void *grown = map_piece(larger);
    if (grown != NULL) {
        memcpy(grown, bytes, used);
        jz_memory_give(bytes, size);
    }
    return grown;
#endif
}

void *jz_memory_grow(void *bytes, size_t size, size_t used, size_t *larger)
{
    if (!is_possible(*larger))
        return NULL;
    if (!jz_memory_is_mapped(*larger))
        return realloc(bytes, *larger);
    *larger = round_up(*larger);
    void *grown = take_kept(*larger, larger);
    if (grown == NULL && bytes != NULL && jz_memory_is_mapped(size))
        return grow_mapped(bytes, size, used, *larger);
    if (grown == NULL)
        grown = map_piece(*larger);
    if (grown != NULL && bytes != NULL) {
        memcpy(grown, bytes, used);
        jz_memory_give(bytes, size);
    }
    return grown;
}

void jz_memory_begin_keeping(bool *keeps)
{
    kept.keeps = keeps;
}

bool jz_memory_trim(void)
{
    while (kept.idle > 0) {
        unmap_piece(kept.pieces[0].bytes, kept.pieces[0].size);
        remove_kept(0);
    }
    kept.idle = kept.count;
    return kept.count > 0;
}

void jz_memory_end_keeping(void)
{
    kept.keeps = NULL;
    kept.idle = kept.count;
    jz_memory_trim();
}
