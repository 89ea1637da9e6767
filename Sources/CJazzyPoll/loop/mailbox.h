/*
 * Letters from any thread to one loop: a lock-free stack to which threads push, and which the loop empties as a whole
 * (R. K. Treiber, "Systems programming: coping with parallelism", 1986; emptying it as a whole avoids the ABA problem).
 *
 * A closed mailbox never accepts letters again. Posting and closing are each one exchange of the same word: every
 * letter is either taken out by the closing thread, or refused and still owned by the poster. None is lost.
 */
#ifndef JAZZY_LOOP_MAILBOX_H
#define JAZZY_LOOP_MAILBOX_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

/* Embedded in what is posted. */
typedef struct jz_letter {
    struct jz_letter *next;
} jz_letter;

typedef struct jz_mailbox {
    _Atomic(jz_letter *) newest;
} jz_mailbox;

typedef enum jz_posted {
    JZ_POSTED_BEHIND_OTHERS,
    JZ_POSTED_FIRST, /* the mailbox was empty: wake its loop */
    JZ_POSTED_NOT    /* the mailbox is closed: the caller still owns the letter */
} jz_posted;

/* The value of `newest` in a closed mailbox: no letter can have the mailbox's own address. */
static inline jz_letter *jz_mailbox_closed(jz_mailbox *mailbox)
{
    return (jz_letter *)(void *)mailbox;
}

/* Whether no letter is accepted any more. From any thread. */
static inline bool jz_mailbox_is_closed(jz_mailbox *mailbox)
{
    return atomic_load_explicit(&mailbox->newest, memory_order_relaxed) == jz_mailbox_closed(mailbox);
}

/*
 * Posts letters, each linked to the one before it, which the mailbox then owns, unless it is closed: then the first is
 * linked to none.
 */
static inline jz_posted jz_mailbox_post_chain(jz_mailbox *mailbox, jz_letter *last, jz_letter *first)
{
    jz_letter *newest = atomic_load_explicit(&mailbox->newest, memory_order_relaxed);
    do {
        if (newest == jz_mailbox_closed(mailbox)) {
            /* It may have been closed only now, after `first` was linked to a letter that the closing thread has. */
            first->next = NULL;
            return JZ_POSTED_NOT;
        }
        first->next = newest;
    } while (!atomic_compare_exchange_weak_explicit(&mailbox->newest, &newest, last, memory_order_release,
                                                    memory_order_relaxed));
    return newest == NULL ? JZ_POSTED_FIRST : JZ_POSTED_BEHIND_OTHERS;
}

/* Posts a letter, which the mailbox then owns, unless it is closed. */
static inline jz_posted jz_mailbox_post(jz_mailbox *mailbox, jz_letter *letter)
{
    return jz_mailbox_post_chain(mailbox, letter, letter);
}

/* Whether all posted letters have been taken. On the loop's own thread. */
static inline bool jz_mailbox_is_empty(jz_mailbox *mailbox)
{
    const jz_letter *newest = atomic_load_explicit(&mailbox->newest, memory_order_acquire);
    return newest == NULL || newest == jz_mailbox_closed(mailbox);
}

/* Letters in the order in which they were posted, linked by `next`; both NULL when there are none. */
typedef struct jz_posting {
    jz_letter *oldest;
    jz_letter *newest;
} jz_posting;

/* Private to the next two functions: reverses the letters, so that the oldest is first. */
static inline jz_posting jz_mailbox_in_order(jz_mailbox *mailbox, jz_letter *newest)
{
    jz_posting posting = {NULL, newest};
    if (newest == jz_mailbox_closed(mailbox))
        return (jz_posting){NULL, NULL};
    while (newest != NULL) {
        jz_letter *next = newest->next;
        newest->next = posting.oldest;
        posting.oldest = newest;
        newest = next;
    }
    return posting;
}

/* Takes all letters. The caller owns them. Only on the thread that closes the mailbox. */
static inline jz_posting jz_mailbox_take_all(jz_mailbox *mailbox)
{
    if (jz_mailbox_is_empty(mailbox))
        return (jz_posting){NULL, NULL};
    return jz_mailbox_in_order(mailbox, atomic_exchange_explicit(&mailbox->newest, NULL, memory_order_acquire));
}

/* The same, and closes the mailbox. A second call does nothing. */
static inline jz_posting jz_mailbox_close(jz_mailbox *mailbox)
{
    return jz_mailbox_in_order(
        mailbox, atomic_exchange_explicit(&mailbox->newest, jz_mailbox_closed(mailbox), memory_order_acquire));
}

#endif
