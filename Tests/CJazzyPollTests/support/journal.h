/*
 * A handler that records its calls, for any number of connections:
 *
 *     "open text(hi) ping() error(text that is not UTF-8) close(1007 unclean)"
 *
 * and then does what the test says. It runs on the server's threads, so it must not assert anything.
 */
#ifndef JAZZY_TESTS_JOURNAL_H
#define JAZZY_TESTS_JOURNAL_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "jazzy.h"

enum { JOURNAL_SIZE = 4096, JOURNAL_CONNECTIONS = 64 };

typedef struct journal {
    pthread_mutex_t lock;
    char text[JOURNAL_SIZE]; /* guarded by `lock`, as are the handles */
    size_t length;
    jz_ws handles[JOURNAL_CONNECTIONS]; /* of the connections, in the order in which they were opened */
    atomic_size_t opens;
    atomic_size_t messages;
    atomic_size_t closes;
    atomic_size_t calls_under_way;
    atomic_bool was_reentered; /* the handler was called while it was called: not with one loop */
    void (*act)(struct journal *journal, jz_ws ws, const jz_event *event, const jz_message *message);
    void *context; /* of `act` */
} journal;

#define JOURNAL_INITIALIZER                                                                                            \
    {                                                                                                                  \
        .lock = PTHREAD_MUTEX_INITIALIZER                                                                              \
    }

/* The handler; its context is a journal. */
void journal_handle(void *context, jz_ws ws, const jz_event *event, const jz_message *message);

/* The n-th connection that was opened. */
jz_ws journal_handle_of(journal *journal, size_t number);

/* Waits until that many connections were closed, and compares the record. */
void journal_expect(journal *journal, size_t closes, const char *text);

#endif
