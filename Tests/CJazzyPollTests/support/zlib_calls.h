/*
 * Counts what is compressed, by zlib or the engine instead of it. zlib is a shared library, so the linker cannot
 * redirect its allocations to allocation.c: its streams are made to allocate there instead.
 */
#ifndef JAZZY_TESTS_ZLIB_CALLS_H
#define JAZZY_TESTS_ZLIB_CALLS_H

#include <stddef.h>

/* How often a message was compressed since the program began, however often its engine tries (session/engine.h). */
size_t test_deflate_count(void);

#endif
