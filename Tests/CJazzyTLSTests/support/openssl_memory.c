#define _DEFAULT_SOURCE

#include "support/openssl_memory.h"

#include <malloc.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>

#include "support/testing.h"

/* Not those that the linker leads to allocation.c, which counts ours. */
void *__real_malloc(size_t size);
void *__real_realloc(void *bytes, size_t size);
void __real_free(void *bytes);

static atomic_size_t live;
static _Thread_local bool is_watched;
static _Thread_local size_t next_number;
static _Thread_local size_t first_failing = SIZE_MAX;
static _Thread_local size_t last_failing = SIZE_MAX;

static bool is_allowed(void)
{
    if (!is_watched)
        return true;
    size_t number = next_number++;
    return number < first_failing || number > last_failing;
}

static void *allocate(size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    void *bytes = is_allowed() ? __real_malloc(size) : NULL;
    live += malloc_usable_size(bytes);
    return bytes;
}

static void release(void *bytes, const char *file, int line)
{
    (void)file;
    (void)line;
    live -= malloc_usable_size(bytes);
    __real_free(bytes);
}

static void *resize(void *bytes, size_t size, const char *file, int line)
{
    if (bytes == NULL)
        return allocate(size, file, line);
    if (size == 0) {
        release(bytes, file, line);
        return NULL;
    }
    if (!is_allowed())
        return NULL;
    size_t before = malloc_usable_size(bytes);
    void *resized = __real_realloc(bytes, size);
    if (resized != NULL)
        live += malloc_usable_size(resized) - before;
    return resized;
}

void openssl_memory_begin(void)
{
    if (CRYPTO_set_mem_functions(allocate, resize, release) != 1)
        abort();
}

void openssl_memory_fail_at(size_t number, bool and_all_after)
{
    next_number = 0;
    first_failing = number;
    last_failing = and_all_after ? SIZE_MAX : number;
}

void openssl_memory_watch(bool is_on)
{
    is_watched = is_on;
}

size_t openssl_memory_count(void)
{
    return next_number;
}

size_t openssl_memory_live(void)
{
    return live;
}

void openssl_memory_expect_failures(bool (*derives)(void *context), void *context)
{
    size_t before = openssl_memory_live();
    size_t failed = 0;
    bool is_derived = false;
    for (size_t number = 0; !is_derived; number++) {
        openssl_memory_fail_at(number, false);
        openssl_memory_watch(true);
        is_derived = derives(context);
        openssl_memory_watch(false);
        failed += is_derived ? 0 : 1;
        ERR_clear_error();
    }
    assert_true(failed > 0);
    assert_int_equal(openssl_memory_live(), before);
}
