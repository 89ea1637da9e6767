/*
 * Counts calls of zlib, or of the engine instead of it (session/engine.h). zlib is a shared library, so the linker
 * cannot redirect its allocations to allocation.c: its streams are made to allocate there instead.
 */
#ifndef JAZZY_TESTS_ZLIB_CALLS_H
#define JAZZY_TESTS_ZLIB_CALLS_H

#include <stddef.h>

/* How often a compressor was called since the program began. */
size_t test_deflate_count(void);

#endif
