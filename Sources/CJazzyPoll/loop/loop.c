#include "loop/loop.h"

#include <errno.h>
#include <stdlib.h>

#include "loop/count.h"
#include "loop/report.h"

enum {
    MOST_READY = 1024,
    /* Limits of letters per iteration: a number, and a time (a publication may go to many receivers), which is checked
       soon at first, and then after every few letters. */
    MOST_LETTERS = 4096,
    LETTERS_BETWEEN_LOOKS = 8,
    LETTERS_TIME_NS = 5 * 1000 * 1000,
    MOST_TIMERS = 256 /* that fire in an iteration: those of a crowd that has come at once are due at once, too */
};

jz_status jz_loop_init(jz_loop *loop, jz_loop_owner owner, size_t receive_buffer_size, jz_error *error)
{
    loop->owner = owner;
    loop->receive_buffer_size = receive_buffer_size;
    atomic_init(&loop->mailbox.newest, NULL);
    loop->waiting = NULL;
    loop->letters_left = MOST_LETTERS;
    loop->is_hurried = false;
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

/*
 * Puts letters behind those that wait. Whoever calls it in each iteration puts only those in order that were posted
 * since the last: turning round all that a mailbox may have would take longer than an iteration should.
 */
static void queue(jz_loop *loop, jz_posting posting)
{
    if (posting.oldest == NULL)
        return;
    if (loop->waiting == NULL)
        loop->waiting = posting.oldest;
    else
        loop->last_waiting->next = posting.oldest;
    loop->last_waiting = posting.newest;
}

static jz_letter *take_waiting(jz_loop *loop)
{
    jz_letter *letters = loop->waiting;
    loop->waiting = NULL;
    return letters;
}

jz_letter *jz_loop_close_mailbox(jz_loop *loop)
{
    queue(loop, jz_mailbox_close(&loop->mailbox));
    return take_waiting(loop);
}

void jz_loop_take_every_letter(jz_loop *loop)
{
    queue(loop, jz_mailbox_take_all(&loop->mailbox));
    jz_letter *letter = take_waiting(loop);
    while (letter != NULL) {
        jz_letter *next = letter->next;
        loop->owner.letter(loop->owner.context, letter);
        letter = next;
    }
}

bool jz_loop_take_letter(jz_loop *loop)
{
    if (loop->waiting == NULL)
        queue(loop, jz_mailbox_take_all(&loop->mailbox));
    jz_letter *letter = loop->waiting;
    if (letter == NULL)
        return false;
    loop->waiting = letter->next;
    loop->owner.letter(loop->owner.context, letter);
    return true;
}

/* Whether to look at the clock after so many letters. Each of the first ones may be long. */
static bool looks_after(uint32_t taken)
{
    return taken % LETTERS_BETWEEN_LOOKS == 0 || taken == 1 || taken == 2 || taken == 4;
}

void jz_loop_take_waiting_letters(jz_loop *loop)
{
    uint64_t began = 0;
    if (loop->letters_left > 0)
        queue(loop, jz_mailbox_take_all(&loop->mailbox));
    for (uint32_t taken = 1; loop->letters_left > 0 && jz_loop_take_letter(loop); taken++) {
        loop->letters_left--;
        if (!looks_after(taken))
            continue;
        uint64_t now = jz_clock_ns();
        began = began != 0 ? began : now;
        if (now - began >= LETTERS_TIME_NS)
            loop->letters_left = 0;
    }
}

/*
 * Only timers that were due when the iteration began, and after all input that was there then. Otherwise, after a slow
 * handler, peers whose bytes had arrived in time would time out. The rest of many fires in the next iterations.
 */
static void fire_timers(jz_loop *loop)
{
    jz_timer *timer = jz_timers_take_due(&loop->timers, loop->now_ms);
    if (JZ_LIKELY(timer == NULL))
        return;
    loop->owner.expired(loop->owner.context, timer);
    for (int i = 1; i < MOST_TIMERS && (timer = jz_timers_take_due(&loop->timers, loop->now_ms)) != NULL; i++)
        loop->owner.expired(loop->owner.context, timer);
}

/* The clock is read twice per iteration: here, for everything in the iteration, and at its end. */
static void begin_turn(jz_loop *loop)
{
    uint64_t now = jz_clock_ns();
    loop->now_ms = now / 1000000;
    loop->letters_left = MOST_LETTERS;
    atomic_store_explicit(&loop->times.began, now, memory_order_relaxed);
}

const jz_bounds jz_turn_bounds = {14,
                                  {100000, 250000, 500000, 1000000, 2500000, 5000000, 10000000, 25000000, 50000000,
                                   100000000, 250000000, 500000000, 1000000000, 2500000000}};

jz_distribution jz_loop_times_read(const jz_loop_times *times)
{
    jz_distribution read = jz_histogram_read(&times->durations);
    read.sum = jz_counted(&times->total);
    return read;
}

/* The longest so far, or above the first bound. Most iterations are neither, and cost one comparison and no look-up. */
static void note_turn(jz_loop_times *times, uint64_t taken)
{
    uint64_t longest = atomic_load_explicit(&times->longest, memory_order_relaxed);
    if (taken > longest) {
        longest = taken;
        atomic_store_explicit(&times->longest, taken, memory_order_relaxed);
    }
    jz_histogram_observe(&times->durations, &jz_turn_bounds, taken);
    times->notable = longest < jz_turn_bounds.bounds[0] ? longest : jz_turn_bounds.bounds[0];
}

/*
 * Adds the duration of the iteration. Returns the time, for the next wait. Only this thread writes, so nothing is
 * locked.
 */
static uint64_t end_turn(jz_loop *loop)
{
    jz_loop_times *times = &loop->times;
    uint64_t now = jz_clock_ns();
    uint64_t began = atomic_load_explicit(&times->began, memory_order_relaxed);
    uint64_t taken = now > began ? now - began : 0;
    atomic_store_explicit(&times->began, 0, memory_order_relaxed);
    jz_count(&times->turns, 1);
    jz_count(&times->total, taken);
    /* In its bucket, each is counted once: the difference of two counts, of which one is changed later, would fall. */
    if (JZ_LIKELY(taken <= times->notable))
        jz_count(&times->durations.counts[0], 1);
    else
        note_turn(times, taken);
    return now / 1000000;
}

/* How long the poll may wait. */
static int wait_ms(jz_loop *loop, uint64_t now_ms)
{
    if (loop->is_hurried || jz_loop_has_letters(loop))
        return 0;
    return jz_timers_wait_ms(&loop->timers, now_ms);
}

int jz_loop_run(jz_loop *loop)
{
    jz_ready ready[MOST_READY];
    uint64_t now_ms = jz_clock_ms();
    bool goes_on = true;
    if (!jz_poll_begin(loop->poll))
        return errno;
    while (goes_on) {
        int count = jz_poll_wait(loop->poll, ready, MOST_READY, wait_ms(loop, now_ms));
        if (count < 0)
            return errno;
        begin_turn(loop);
        for (int i = 0; i < count; i++)
            loop->owner.ready(loop->owner.context, ready[i].token, ready[i].what);
        jz_loop_take_letters(loop);
        fire_timers(loop);
        goes_on = loop->owner.end_of_turn(loop->owner.context);
        now_ms = end_turn(loop);
    }
    return 0;
}

bool jz_loop_post(jz_loop *loop, jz_letter *letter)
{
    return jz_loop_post_chain(loop, letter, letter);
}

bool jz_loop_post_chain(jz_loop *loop, jz_letter *last, jz_letter *first)
{
    jz_posted posted = jz_mailbox_post_chain(&loop->mailbox, last, first);
    if (posted == JZ_POSTED_FIRST)
        jz_poll_wake(loop->poll);
    return posted != JZ_POSTED_NOT;
}
