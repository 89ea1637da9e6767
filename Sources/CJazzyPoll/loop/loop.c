#include "loop.h"

#include <errno.h>
#include <stdlib.h>

#include "count.h"
#include "report.h"

enum { MOST_READY = 1024 };

jz_status jz_loop_init(jz_loop *loop, jz_loop_owner owner, size_t receive_buffer_size, jz_error *error)
{
    loop->owner = owner;
    loop->receive_buffer_size = receive_buffer_size;
    atomic_init(&loop->mailbox.newest, NULL);
    loop->now_ms = jz_clock_ms();
    jz_timers_init(&loop->timers);
    loop->receive_buffer = malloc(receive_buffer_size);
    if (loop->receive_buffer == NULL)
        return jz_report_system(error, ENOMEM, "create an event loop");
    loop->poll = jz_poll_create();
    if (loop->poll == NULL) {
        int reason = errno;
        free(loop->receive_buffer);
        loop->receive_buffer = NULL;
        return jz_report_system(error, reason, "create an event loop");
    }
    return JZ_OK;
}

void jz_loop_destroy(jz_loop *loop)
{
    jz_poll_destroy(loop->poll);
    free(loop->receive_buffer);
}

void jz_loop_take_waiting_letters(jz_loop *loop)
{
    jz_letter *letter = jz_mailbox_take_all(&loop->mailbox);
    while (letter != NULL) {
        jz_letter *next = letter->next;
        loop->owner.letter(loop->owner.context, letter);
        letter = next;
    }
}

/*
 * What had come when the turn began is taken before a time-out is looked at, and none that passed while it was: after a
 * handler that took long, peers whose bytes came meanwhile would be blamed for it.
 */
static void fire_timers(jz_loop *loop)
{
    jz_timer *timer;
    while ((timer = jz_timers_take_due(&loop->timers, loop->now_ms)) != NULL)
        loop->owner.expired(loop->owner.context, timer);
}

/* The clock is read twice a turn: here, for all that happens in the turn, and when it ends. */
static void begin_turn(jz_loop *loop)
{
    uint64_t now = jz_clock_ns();
    loop->now_ms = now / 1000000;
    atomic_store_explicit(&loop->times.began, now, memory_order_relaxed);
}

/* Adds what the turn took. Returns the time, for the next wait. No other thread writes: nothing has to be locked. */
static uint64_t end_turn(jz_loop *loop)
{
    jz_loop_times *times = &loop->times;
    uint64_t now = jz_clock_ns();
    uint64_t began = atomic_load_explicit(&times->began, memory_order_relaxed);
    uint64_t taken = now > began ? now - began : 0;
    atomic_store_explicit(&times->began, 0, memory_order_relaxed);
    jz_count(&times->turns, 1);
    jz_count(&times->total, taken);
    if (taken > atomic_load_explicit(&times->longest, memory_order_relaxed))
        atomic_store_explicit(&times->longest, taken, memory_order_relaxed);
    return now / 1000000;
}

void jz_loop_run(jz_loop *loop)
{
    jz_ready ready[MOST_READY];
    uint64_t now_ms = jz_clock_ms();
    bool goes_on = true;
    while (goes_on) {
        size_t count = jz_poll_wait(loop->poll, ready, MOST_READY, jz_timers_wait_ms(&loop->timers, now_ms));
        begin_turn(loop);
        for (size_t i = 0; i < count; i++)
            loop->owner.ready(loop->owner.context, ready[i].token, ready[i].what);
        jz_loop_take_letters(loop);
        fire_timers(loop);
        goes_on = loop->owner.end_of_turn(loop->owner.context);
        now_ms = end_turn(loop);
    }
}

void jz_loop_post(jz_loop *loop, jz_letter *letter)
{
    if (jz_mailbox_post(&loop->mailbox, letter))
        jz_poll_wake(loop->poll);
}
