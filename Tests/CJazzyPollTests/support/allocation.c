#define _GNU_SOURCE

#include "allocation.h"

#include <errno.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/mman.h>

/* The names are the linker's (ld, --wrap). */
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *bytes, size_t size);
void __real_free(void *bytes);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *bytes, size_t size);
void __wrap_free(void *bytes);
void *__real_mmap(void *address, size_t size, int protection, int flags, int descriptor, off_t offset);
void *__wrap_mmap(void *address, size_t size, int protection, int flags, int descriptor, off_t offset);
void *__real_mremap(void *address, size_t size, size_t larger, int flags);
void *__wrap_mremap(void *address, size_t size, size_t larger, int flags);
int __real_munmap(void *address, size_t size);
int __wrap_munmap(void *address, size_t size);

/* Which allocations fail, counted from 0 since that was asked for. Atomic, for the tests of code that has threads. */
static atomic_size_t first_failing = SIZE_MAX;
static atomic_size_t last_failing = SIZE_MAX;
static atomic_size_t next_number;
static atomic_size_t failures;

static atomic_bool unmapping_fails;

static atomic_size_t allocations;
static atomic_size_t bytes_asked_for;
static atomic_size_t live;
static atomic_size_t live_bytes;
static atomic_size_t most_live_bytes;

void test_unmapping_fails(bool fails)
{
    unmapping_fails = fails;
}

static void fail_between(size_t first, size_t last)
{
    first_failing = SIZE_MAX;
    next_number = 0;
    failures = 0;
    last_failing = last;
    first_failing = first;
}

void test_allocations_fail_after(size_t count)
{
    fail_between(count, SIZE_MAX);
}

void test_allocation_fails_once_after(size_t count)
{
    fail_between(count, count);
}

size_t test_allocations_succeed(void)
{
    first_failing = SIZE_MAX;
    return failures;
}

size_t test_allocation_count(void)
{
    return allocations;
}

size_t test_allocated_bytes(void)
{
    return bytes_asked_for;
}

size_t test_live_allocations(void)
{
    return live;
}

size_t test_live_bytes(void)
{
    return live_bytes;
}

size_t test_most_live_bytes(void)
{
    return atomic_exchange(&most_live_bytes, live_bytes);
}

static bool is_allowed(size_t size)
{
    allocations++;
    bytes_asked_for += size;
    size_t number = next_number++;
    if (number < first_failing || number > last_failing)
        return true;
    failures++;
    errno = ENOMEM;
    return false;
}

static void add_bytes(size_t size)
{
    size_t now = live_bytes += size;
    size_t most = most_live_bytes;
    while (now > most && !atomic_compare_exchange_weak(&most_live_bytes, &most, now))
        continue;
}

static void *count_live(void *allocated)
{
    live += allocated != NULL ? 1 : 0;
    add_bytes(malloc_usable_size(allocated));
    return allocated;
}

void *__wrap_malloc(size_t size)
{
    return is_allowed(size) ? count_live(__real_malloc(size)) : NULL;
}

void *__wrap_calloc(size_t count, size_t size)
{
    return is_allowed(count * size) ? count_live(__real_calloc(count, size)) : NULL;
}

void *__wrap_realloc(void *bytes, size_t size)
{
    if (!is_allowed(size))
        return NULL;
    if (bytes == NULL)
        return count_live(__real_realloc(NULL, size));
    size_t before = malloc_usable_size(bytes);
    void *grown = __real_realloc(bytes, size);
    if (grown != NULL) {
        live_bytes -= before;
        add_bytes(malloc_usable_size(grown));
    }
    return grown;
}

void __wrap_free(void *bytes)
{
    live -= bytes != NULL ? 1 : 0;
    live_bytes -= malloc_usable_size(bytes);
    __real_free(bytes);
}

/* Of a mapped piece all counts, though only pages that were written to take memory. */
void *__wrap_mmap(void *address, size_t size, int protection, int flags, int descriptor, off_t offset)
{
    void *mapped = is_allowed(size) ? __real_mmap(address, size, protection, flags, descriptor, offset) : MAP_FAILED;
    if (mapped != MAP_FAILED) {
        live++;
        add_bytes(size);
    }
    return mapped;
}

void *__wrap_mremap(void *address, size_t size, size_t larger, int flags)
{
    void *mapped = is_allowed(larger) ? __real_mremap(address, size, larger, flags) : MAP_FAILED;
    if (mapped != MAP_FAILED) {
        live_bytes -= size;
        add_bytes(larger);
    }
    return mapped;
}

int __wrap_munmap(void *address, size_t size)
{
    if (unmapping_fails) {
        errno = ENOMEM;
        return -1;
    }
    live--;
    live_bytes -= size;
    return __real_munmap(address, size);
}
