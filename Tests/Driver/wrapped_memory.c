/* Allocations, which sometimes fail for servers, and are all counted. The linker determines the names. */
#define _GNU_SOURCE

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "faults_state.h"

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define MOVES_BY_COPYING 1
#endif
#endif

#define WRAPPED(type, name, ...)                                                                                       \
    type __real_##name(__VA_ARGS__);                                                                                   \
    type __wrap_##name(__VA_ARGS__)

WRAPPED(void *, malloc, size_t size);
WRAPPED(void *, calloc, size_t count, size_t size);
WRAPPED(void *, realloc, void *bytes, size_t size);
WRAPPED(void, free, void *bytes);
WRAPPED(void *, mmap, void *address, size_t size, int protection, int flags, int descriptor, off_t offset);
WRAPPED(void *, mremap, void *address, size_t size, size_t larger, int flags);
WRAPPED(int, munmap, void *address, size_t size);

static atomic_size_t live;

size_t faults_live_allocations(void)
{
    return live;
}

static bool is_refused(void)
{
    if (!faults_happens(faults_now.out_of_memory))
        return false;
    faults_note_no_memory();
    errno = ENOMEM;
    return true;
}

static void *counted(void *allocated)
{
    live += allocated != NULL ? 1 : 0;
    return allocated;
}

void *__wrap_malloc(size_t size)
{
    return is_refused() ? NULL : counted(__real_malloc(size));
}

void *__wrap_calloc(size_t count, size_t size)
{
    return is_refused() ? NULL : counted(__real_calloc(count, size));
}

void *__wrap_realloc(void *bytes, size_t size)
{
    if (is_refused())
        return NULL;
    return bytes == NULL ? counted(__real_realloc(NULL, size)) : __real_realloc(bytes, size);
}

void __wrap_free(void *bytes)
{
    live -= bytes != NULL ? 1 : 0;
    __real_free(bytes);
}

void *__wrap_mmap(void *address, size_t size, int protection, int flags, int descriptor, off_t offset)
{
    if (is_refused())
        return MAP_FAILED;
    void *mapped = __real_mmap(address, size, protection, flags, descriptor, offset);
    live += mapped != MAP_FAILED ? 1 : 0;
    return mapped;
}

/*
 * ThreadSanitizer knows mmap and munmap, and not mremap: two threads that have the same addresses one after the other
 * would be taken for two that share them.
 */
static void *move(void *address, size_t size, size_t larger, int flags)
{
#ifdef MOVES_BY_COPYING
    (void)flags;
    void *moved = __real_mmap(NULL, larger, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (moved != MAP_FAILED) {
        memcpy(moved, address, size < larger ? size : larger);
        __real_munmap(address, size);
    }
    return moved;
#else
    return __real_mremap(address, size, larger, flags);
#endif
}

void *__wrap_mremap(void *address, size_t size, size_t larger, int flags)
{
    return is_refused() ? MAP_FAILED : move(address, size, larger, flags);
}

int __wrap_munmap(void *address, size_t size)
{
    live--;
    return __real_munmap(address, size);
}
