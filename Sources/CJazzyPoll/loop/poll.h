/*
 * The interface to the kernel's readiness notification. epoll.c is the only implementation today; a kqueue.c for macOS
 * and the BSDs needs no change elsewhere.
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

/* NULL on failure; errno says why. */
jz_poll *jz_poll_create(void);
void jz_poll_destroy(jz_poll *poll);

/* Watches a descriptor, level-triggered. jz_poll_wait returns `token` with its readiness. False: errno says why. */
bool jz_poll_add(jz_poll *poll, int descriptor, unsigned interest, uint64_t token);
bool jz_poll_change(jz_poll *poll, int descriptor, unsigned interest, uint64_t token);

/* Whether a descriptor can be watched at all: a file cannot. False: errno says why. From any thread. */
bool jz_poll_can_watch(int descriptor);

/* Call it before closing the descriptor: close removes it only if no forked child has the same socket. */
void jz_poll_remove(jz_poll *poll, int descriptor);

/*
 * Waits until something is ready, until woken, or for `timeout_ms` (-1: for ever). Returns how many entries of `ready`
 * were filled in; a wake-up fills in none. -1: the poll has failed for good, and errno says why, for instance because
 * other code in the process has closed its descriptor.
 */
int jz_poll_wait(jz_poll *poll, jz_ready *ready, size_t capacity, int timeout_ms);

/* Makes the current wait, or the next one, return. From any thread and from signal handlers. */
void jz_poll_wake(jz_poll *poll);

#endif
