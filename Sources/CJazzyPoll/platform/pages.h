/* Mapped memory: what POSIX has no call for. */
#ifndef JAZZY_PLATFORM_PAGES_H
#define JAZZY_PLATFORM_PAGES_H

#include <stddef.h>

#include "jazzy/compiler.h"

/*
 * Whether a mapping can grow by moving its pages. ThreadSanitizer does not know the call: it would report the next
 * thread that gets the old addresses as one that uses this thread's memory.
 */
#if defined __linux__ && !defined JZ_THREAD_SANITIZER
#define JZ_PAGES_CAN_MOVE 1

/* Makes a mapping larger, perhaps at another address. NULL: there is no memory, and the mapping is as before. */
void *jz_pages_move(void *bytes, size_t size, size_t larger);
#endif

/* Gives the pages of a mapping back to the system, with what is in them. The mapping stays. */
void jz_pages_discard(void *bytes, size_t size);

#endif
