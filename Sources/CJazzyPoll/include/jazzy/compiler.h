/* The one place for everything that is not standard C17. All of it has a fallback with the same meaning. */
#ifndef JAZZY_COMPILER_H
#define JAZZY_COMPILER_H

#include <stdint.h>

/* Handles, limits and what connections are found by have 64 bits. */
#if UINTPTR_MAX < UINT64_MAX
#error "Jazzy needs a 64-bit system: 32-bit ones are not supported"
#endif

#if defined(__GNUC__) || defined(__clang__)
/* A public function: visible in the shared library, which is built with everything else hidden. */
#define JZ_PUBLIC __attribute__((visibility("default")))
/* The positions, from 1, of a printf format and of its first argument. */
#define JZ_PRINTF(format_position, first_position) __attribute__((format(printf, format_position, first_position)))
#define JZ_LIKELY(condition) __builtin_expect(!!(condition), 1)
/* For rarely used code, so that its callers stay small. */
#define JZ_NEVER_INLINED __attribute__((noinline))
/* For code that several functions share which are compiled for different processors. */
#define JZ_ALWAYS_INLINED __attribute__((always_inline)) inline
/* Before a loop of at most 16 iterations whose values should stay in registers. */
#define JZ_UNROLLED _Pragma("GCC unroll 16")
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define JZ_LITTLE_ENDIAN 1
#endif
#if defined(__x86_64__)
/* JZ_FOR_...: a function for processors with these instructions. JZ_HAS_...: whether this processor has them. */
#define JZ_HAS_AVX2 __builtin_cpu_supports("avx2")
#define JZ_FOR_AVX2 __attribute__((target("avx2")))
#define JZ_HAS_SHA __builtin_cpu_supports("sha")
#define JZ_FOR_SHA __attribute__((target("sha,sse4.1")))
/* Including byte permutations (VBMI) and moves of bits (GFNI): processors with AVX-512 but without them use AVX2. */
#define JZ_HAS_AVX512                                                                                                  \
    (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&                                        \
     __builtin_cpu_supports("avx512vbmi") && __builtin_cpu_supports("gfni"))
#define JZ_FOR_AVX512 __attribute__((target("avx512f,avx512bw,avx512vbmi,gfni")))
#endif
/* Whether a sanitizer is used: gcc defines a macro, clang has a feature. */
#if defined(__SANITIZE_ADDRESS__)
#define JZ_ADDRESS_SANITIZER 1
#elif defined(__SANITIZE_THREAD__)
#define JZ_THREAD_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define JZ_ADDRESS_SANITIZER 1
#elif __has_feature(thread_sanitizer)
#define JZ_THREAD_SANITIZER 1
#endif
#endif
#else
#define JZ_PUBLIC
#define JZ_PRINTF(format_position, first_position)
#define JZ_LIKELY(condition) (condition)
#define JZ_NEVER_INLINED
#define JZ_ALWAYS_INLINED inline
#define JZ_UNROLLED
#endif

#ifdef __cplusplus
#define JZ_BEGIN_DECLARATIONS extern "C" {
#define JZ_END_DECLARATIONS }
#else
#define JZ_BEGIN_DECLARATIONS
#define JZ_END_DECLARATIONS
#endif

#endif
