/*
 * loop/: the event loop: readiness, sockets, accepting, timers, threads, the mailbox. Not here: WebSocket.
 *
 * The event loop: readiness, letters from other threads, timers, and one receive buffer that all connections share.
 */
#ifndef JAZZY_LOOP_LOOP_H
#define JAZZY_LOOP_LOOP_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "jazzy/error.h"
#include "loop/histogram.h"
#include "loop/mailbox.h"
#include "loop/poll.h"
#include "loop/timer.h"

/* What a loop calls, on its own thread. */
typedef struct jz_loop_owner {
    void *context;
    void (*ready)(void *context, uint64_t token, unsigned what);
    void (*letter)(void *context, jz_letter *letter); /* takes ownership of the letter */
    void (*expired)(void *context, jz_timer *timer);
    bool (*end_of_turn)(void *context); /* false ends the loop */
} jz_loop_owner;

/* How long a loop's iterations (turns) take, in nanoseconds. Written by its thread, read by any. */
typedef struct jz_loop_times {
    _Atomic uint64_t turns;
    _Atomic uint64_t total;
    _Atomic uint64_t longest;
    _Atomic uint64_t began; /* when the current iteration began, by the timers' clock; 0 while the loop waits */
    uint64_t notable;       /* own thread only: what a longer iteration is noted for */
    jz_histogram durations; /* of all iterations; `total` is their sum, not the one in here */
} jz_loop_times;

/* Of jz_loop_times.durations. */
extern const jz_bounds jz_turn_bounds;

/* How long the current iteration has taken so far; 0 while the loop waits. From any thread. */
static inline uint64_t jz_loop_lag(const jz_loop_times *times, uint64_t now)
{
    uint64_t began = atomic_load_explicit(&times->began, memory_order_relaxed);
    return began > 0 && now > began ? now - began : 0;
}

/* All iterations, from any thread. */
jz_distribution jz_loop_times_read(const jz_loop_times *times);

typedef struct jz_loop {
    jz_loop_owner owner;
    jz_poll *poll;
    jz_timers timers;
    jz_mailbox mailbox;
    jz_letter *waiting;      /* letters taken out of the mailbox, but not given to the owner yet, oldest first, */
    jz_letter *last_waiting; /* and the newest of them, if there are any */
    uint32_t letters_left;   /* that this iteration may still take: see jz_loop_take_letters */
    bool is_hurried;         /* the owner has something to do in the next iteration: the poll must not wait */
    uint8_t *receive_buffer; /* for use during one call of `ready` */
    size_t receive_buffer_size;
    uint64_t now_ms; /* when the iteration began: precise enough for ticks */
    jz_loop_times times;
} jz_loop;

jz_status jz_loop_init(jz_loop *loop, jz_loop_owner owner, size_t receive_buffer_size, jz_error *error);

/* Gives the owner all letters posted so far, however many, because they must come before what happens next. */
void jz_loop_take_every_letter(jz_loop *loop);

/* Gives the owner the oldest letter, whatever this iteration may still take. False: there is none. */
bool jz_loop_take_letter(jz_loop *loop);

/*
 * The loop has ended: from now on nothing can be posted to it. Returns the letters that the owner was not given, linked
 * by `next`; the caller owns them. A second call does nothing. On the loop's own thread, or when that has ended.
 */
jz_letter *jz_loop_close_mailbox(jz_loop *loop);

/* Close the mailbox before. */
void jz_loop_destroy(jz_loop *loop);

/* Runs until end_of_turn returns false: then 0. Otherwise the poll failed for good: an errno. */
int jz_loop_run(jz_loop *loop);

/* Private to jz_loop_take_letters, for when there may be letters. */
void jz_loop_take_waiting_letters(jz_loop *loop);

/* Whether there are letters that the owner was not given yet. On the loop's own thread. */
static inline bool jz_loop_has_letters(jz_loop *loop)
{
    return loop->waiting != NULL || !jz_mailbox_is_empty(&loop->mailbox);
}

/*
 * Gives the owner the letters posted so far, before what it does next. Returns whether it has all of them: the number
 * of letters per iteration is limited, so that connections do not wait too long. On the loop's own thread.
 */
static inline bool jz_loop_take_letters(jz_loop *loop)
{
    if (JZ_LIKELY(!jz_loop_has_letters(loop)))
        return true;
    jz_loop_take_waiting_letters(loop);
    return !jz_loop_has_letters(loop);
}

/* Posts a letter to the loop. False if the loop has ended: the caller still owns the letter. From any thread. */
bool jz_loop_post(jz_loop *loop, jz_letter *letter);

/* The same for several, each linked to the one before it, which wake the loop once. */
bool jz_loop_post_chain(jz_loop *loop, jz_letter *last, jz_letter *first);

#endif
