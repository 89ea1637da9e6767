/*
 * The interface to the kernel's readiness notification: epoll.c on Linux, kqueue.c on macOS and the BSDs. Nothing else
 * knows which of them it is.
 *
 * Each poll belongs to one thread, its loop's, except for jz_poll_wake. No other descriptor has the same token.
 */
#ifndef JAZZY_LOOP_POLL_H
#define JAZZY_LOOP_POLL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "jazzy/transport.h" /* JZ_READABLE, JZ_WRITABLE, JZ_ONCE */

/* Tests define it, to run kqueue.c over a kqueue of their own. */
#if !defined JZ_POLL_BY_KQUEUE
#ifdef __linux__
#define JZ_POLL_BY_KQUEUE 0
#else
#define JZ_POLL_BY_KQUEUE 1
#endif
#endif

/* Whether JZ_ONCE makes a difference. */
enum { JZ_POLL_TELLS_ONCE = !JZ_POLL_BY_KQUEUE };

/* Told besides, where the system says so. */
enum {
    JZ_ENDING = 16, /* the peer sends no more, or the connection broke or was hung up; there may be data before that */
    JZ_OVER = 32,   /* neither side can send any more */
    JZ_URGENT = 64  /* only with JZ_ONCE: there is urgent data, at which reading stops short of what follows */
};

typedef struct jz_ready {
    uint64_t token;
    unsigned what; /* JZ_READABLE, JZ_WRITABLE or both; perhaps JZ_ENDING, JZ_OVER, JZ_URGENT */
} jz_ready;

typedef struct jz_poll jz_poll;

/* NULL on failure; errno says why. */
jz_poll *jz_poll_create(void);
void jz_poll_destroy(jz_poll *poll);

/*
 * Before the first wait, on the thread that will wait. The process may be a child of the one that created the poll,
 * which uses it no more. False: errno says why.
 */
bool jz_poll_begin(jz_poll *poll);

/*
 * Watches a descriptor, level-triggered. jz_poll_wait returns `token` with its readiness for what is of interest, and,
 * whatever is, as both readable and writable if the connection broke or was hung up. That the peer will only send no
 * more is the end of input: readable. False: errno says why.
 *
 * With JZ_ONCE in `interest`, what is ready may be told only once, until something new comes, or the interest is
 * changed, if only to what it was. Such a descriptor that is closed without jz_poll_remove while somebody else has it
 * does not make the poll report it for ever.
 */
bool jz_poll_add(jz_poll *poll, int descriptor, unsigned interest, uint64_t token);

/*
 * False: errno says why; ENOENT: the descriptor is not watched. What the kernel only refuses later is told as
 * readiness, so that receiving or sending finds out.
 */
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
