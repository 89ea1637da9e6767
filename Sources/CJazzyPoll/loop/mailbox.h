/*
 * Letters from any thread to one loop: a lock-free stack that many push to and the loop empties at once (R. K. Treiber,
 * "Systems programming: coping with parallelism", 1986; taking everything at once knows no ABA problem).
 *
 * A mailbox that is closed takes no more, for ever. Posting and closing are each one exchange of the same word: every
 * letter is either taken out by who closes, or its poster has it still. None is left behind where nobody looks.
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

typedef enum jz_posted {
    JZ_POSTED_BEHIND_OTHERS,
    JZ_POSTED_FIRST, /* the mailbox was empty: its loop has to be woken */
    JZ_POSTED_NOT    /* it is closed, and the letter is the caller's still */
} jz_posted;

/* What the newest letter of a closed mailbox is: no letter can be where the mailbox itself is. */
static inline jz_letter *jz_mailbox_closed(jz_mailbox *mailbox)
{
    return (jz_letter *)(void *)mailbox;
}

/* Posts a letter. Unless it is closed the mailbox owns the letter from here on. */
static inline jz_posted jz_mailbox_post(jz_mailbox *mailbox, jz_letter *letter)
{
    jz_letter *newest = atomic_load_explicit(&mailbox->newest, memory_order_relaxed);
    do {
        if (newest == jz_mailbox_closed(mailbox))
            return JZ_POSTED_NOT;
        letter->next = newest;
    } while (!atomic_compare_exchange_weak_explicit(&mailbox->newest, &newest, letter, memory_order_release,
                                                    memory_order_relaxed));
    return newest == NULL ? JZ_POSTED_FIRST : JZ_POSTED_BEHIND_OTHERS;
}

/* On the loop's own thread: whether all that was posted has been taken. */
static inline bool jz_mailbox_is_empty(jz_mailbox *mailbox)
{
    const jz_letter *newest = atomic_load_explicit(&mailbox->newest, memory_order_acquire);
    return newest == NULL || newest == jz_mailbox_closed(mailbox);
}

/* Private to the two that follow: the letters from the newest on, oldest first. */
static inline jz_letter *jz_mailbox_in_order(jz_mailbox *mailbox, jz_letter *newest)
{
    jz_letter *oldest = NULL;
    if (newest == jz_mailbox_closed(mailbox))
        return NULL;
    while (newest != NULL) {
        jz_letter *next = newest->next;
        newest->next = oldest;
        oldest = newest;
        newest = next;
    }
    return oldest;
}

/*
 * Takes all letters, oldest first, linked by `next`; NULL when there are none. The caller owns them. On the thread that
 * closes.
 */
static inline jz_letter *jz_mailbox_take_all(jz_mailbox *mailbox)
{
    if (jz_mailbox_is_empty(mailbox))
        return NULL;
    return jz_mailbox_in_order(mailbox, atomic_exchange_explicit(&mailbox->newest, NULL, memory_order_acquire));
}

/* The same, and closes it. Once more does nothing. */
static inline jz_letter *jz_mailbox_close(jz_mailbox *mailbox)
{
    return jz_mailbox_in_order(
        mailbox, atomic_exchange_explicit(&mailbox->newest, jz_mailbox_closed(mailbox), memory_order_acquire));
}

#endif
