/* Bytes that may not be touched. Under AddressSanitizer a touch ends the process; elsewhere this does nothing. */
#ifndef JAZZY_TESTS_POISON_H
#define JAZZY_TESTS_POISON_H

#include <stddef.h>

#if defined(__SANITIZE_ADDRESS__)
#define TEST_HAS_POISON 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define TEST_HAS_POISON 1
#endif
#endif

#ifdef TEST_HAS_POISON
#include <sanitizer/asan_interface.h>
#endif

static inline void test_poison(const void *bytes, size_t length)
{
#ifdef TEST_HAS_POISON
    ASAN_POISON_MEMORY_REGION(bytes, length);
#else
    (void)bytes;
    (void)length;
#endif
}

static inline void test_unpoison(const void *bytes, size_t length)
{
#ifdef TEST_HAS_POISON
    ASAN_UNPOISON_MEMORY_REGION(bytes, length);
#else
    (void)bytes;
    (void)length;
#endif
}

#endif
