/* The one place for what is not standard C17. Everything here has a meaning-preserving fallback. */
#ifndef JAZZY_COMPILER_H
#define JAZZY_COMPILER_H

#if defined(__GNUC__) || defined(__clang__)
/* A public function: visible in the shared library, which is built with everything else hidden. */
#define JZ_PUBLIC __attribute__((visibility("default")))
/* Arguments `format` and `first` are a printf format and its first argument, counted from 1. */
#define JZ_PRINTF(format, first) __attribute__((format(printf, format, first)))
#define JZ_LIKELY(condition) __builtin_expect(!!(condition), 1)
#define JZ_UNLIKELY(condition) __builtin_expect(!!(condition), 0)
#else
#define JZ_PUBLIC
#define JZ_PRINTF(format, first)
#define JZ_LIKELY(condition) (condition)
#define JZ_UNLIKELY(condition) (condition)
#endif

#ifdef __cplusplus
#define JZ_BEGIN_DECLARATIONS extern "C" {
#define JZ_END_DECLARATIONS }
#else
#define JZ_BEGIN_DECLARATIONS
#define JZ_END_DECLARATIONS
#endif

#endif
