#include "allocation.h"

#include <stdatomic.h>
#include <stdbool.h>

/* The names are the linker's (ld, --wrap). */
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *bytes, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *bytes, size_t size);

/* Atomic, for the tests of code that has threads. */
static atomic_bool is_failing;
static atomic_size_t allowed;
static atomic_size_t allocations;

void test_allocations_fail_after(size_t count)
{
    allowed = count;
    is_failing = true;
}

void test_allocations_succeed(void)
{
    is_failing = false;
}

size_t test_allocation_count(void)
{
    return allocations;
}

static bool is_allowed(void)
{
    allocations++;
    if (!is_failing)
        return true;
    if (allowed == 0)
        return false;
    allowed--;
    return true;
}

void *__wrap_malloc(size_t size)
{
    return is_allowed() ? __real_malloc(size) : NULL;
}

void *__wrap_calloc(size_t count, size_t size)
{
    return is_allowed() ? __real_calloc(count, size) : NULL;
}

void *__wrap_realloc(void *bytes, size_t size)
{
    return is_allowed() ? __real_realloc(bytes, size) : NULL;
}
