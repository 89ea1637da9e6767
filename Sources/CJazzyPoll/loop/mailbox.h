/*
 * Letters from any thread to one loop: a lock-free stack that many push to and the loop empties at once (R. K. Treiber,
 * "Systems programming: coping with parallelism", 1986; taking everything at once knows no ABA problem).
 */
#ifndef JAZZY_LOOP_MAILBOX_H
#define JAZZY_LOOP_MAILBOX_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

/* Part of what is sent. */
typedef struct jz_letter {
    struct jz_letter *next;
} jz_letter;

typedef struct jz_mailbox {
    _Atomic(jz_letter *) newest;
} jz_mailbox;

/* Posts a letter; the mailbox owns it from here on. Returns whether it was empty: then the loop has to be woken. */
static inline bool jz_mailbox_post(jz_mailbox *mailbox, jz_letter *letter)
{
    jz_letter *newest = atomic_load_explicit(&mailbox->newest, memory_order_relaxed);
    do {
        letter->next = newest;
    } while (!atomic_compare_exchange_weak_explicit(&mailbox->newest, &newest, letter, memory_order_release,
                                                    memory_order_relaxed));
    return newest == NULL;
}

/* On the loop's own thread: whether all that was posted has been taken. */
static inline bool jz_mailbox_is_empty(jz_mailbox *mailbox)
{
    return atomic_load_explicit(&mailbox->newest, memory_order_acquire) == NULL;
}

/* Takes all letters, oldest first, linked by `next`; NULL when there are none. The caller owns them. */
static inline jz_letter *jz_mailbox_take_all(jz_mailbox *mailbox)
{
    if (atomic_load_explicit(&mailbox->newest, memory_order_relaxed) == NULL)
        return NULL;
    jz_letter *newest = atomic_exchange_explicit(&mailbox->newest, NULL, memory_order_acquire);
    jz_letter *oldest = NULL;
    while (newest != NULL) {
        jz_letter *next = newest->next;
        newest->next = oldest;
        oldest = newest;
        newest = next;
    }
    return oldest;
}

#endif
