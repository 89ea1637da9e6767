/*
 * The seam to the kernel's readiness interface. epoll.c is the one implementation today; a kqueue.c for macOS and the
 * BSDs fits beside it without a change above.
 */
#ifndef JAZZY_LOOP_POLL_H
#define JAZZY_LOOP_POLL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "jazzy/transport.h" /* JZ_READABLE, JZ_WRITABLE */

typedef struct jz_ready {
    uint64_t token;
    unsigned what; /* JZ_READABLE, JZ_WRITABLE or both */
} jz_ready;

typedef struct jz_poll jz_poll;

/* NULL when the kernel refuses; errno says why. */
jz_poll *jz_poll_create(void);
void jz_poll_destroy(jz_poll *poll);

/* Watches a descriptor, level-triggered. `token` comes back with its readiness. False: errno says why. */
bool jz_poll_add(jz_poll *poll, int descriptor, unsigned interest, uint64_t token);
bool jz_poll_change(jz_poll *poll, int descriptor, unsigned interest, uint64_t token);

/* Before the descriptor is closed: closing takes it out only where no other process has the same socket by fork. */
void jz_poll_remove(jz_poll *poll, int descriptor);

/*
 * Waits until something is ready, until woken, or for `timeout_ms` (-1: without end). Returns how many entries of
 * `ready` were filled in; being woken fills in none. -1: the poll is of no use any more, and errno says why; waiting
 * again would fail at once. So it is where its descriptor was closed by somebody else.
 */
int jz_poll_wait(jz_poll *poll, jz_ready *ready, size_t capacity, int timeout_ms);

/* Makes the wait under way, or the next one, return. From any thread and from signal handlers. */
void jz_poll_wake(jz_poll *poll);

#endif
