/*
 * A queue is an epoll instance, which tells that something about a descriptor changed, and knotes, as in the kernels
 * that have kqueue: an event that was added, with a filter that says whether its condition holds. A knote is *active*
 * from when its filter held until it was found to hold no more; active ones stand in line.
 */
#ifndef JAZZY_SHIM_QUEUE_H
#define JAZZY_SHIM_QUEUE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/event.h>
#include <sys/queue.h>

enum { MOST_DESCRIPTORS = 1 << 17, MOST_USER_EVENTS = 16 };

typedef struct knote {
    TAILQ_ENTRY(knote) line;
    struct kevent event; /* as it was added; flags without the actions */
    bool is_there;
    bool is_disabled;
    bool is_active; /* in line */
    bool is_triggered;
} knote;

/* The knotes of a descriptor. */
typedef struct watched {
    knote read;
    knote write;
    uint32_t serial; /* tells what epoll says of it from what it said of an earlier file of the same number */
    bool is_told;    /* to epoll */
} watched;

typedef struct queue {
    struct queue *next;
    int epoll; /* the kqueue's descriptor */
    int alarm; /* an eventfd: other threads wake those that wait */
    uint32_t next_serial;
    TAILQ_HEAD(, knote) line;
    knote users[MOST_USER_EVENTS];
    watched watched[MOST_DESCRIPTORS]; /* mapped: only what is used takes memory */
} queue;

/* Everything is done under one lock, with all signals blocked: a signal handler may trigger an event. */
void shim_lock(sigset_t *before);
void shim_unlock(const sigset_t *before);

/* Whether the condition of a knote holds; `told` gets what is told of it then. */
bool shim_filter_holds(const knote *knote, struct kevent *told);

/* Whether it is an end of a pipe whose other end is closed. */
bool shim_is_broken_pipe(int descriptor);

/* Applies one change. Returns 0 or an errno. */
int shim_change(queue *queue, const struct kevent *change);

/* Looks again at a knote whose descriptor has changed. */
void shim_look(queue *queue, knote *knote);

/* Takes events out of the line, as many as there is room for; returns their count. */
int shim_take(queue *queue, struct kevent *events, int most);

/* Removes all knotes of a descriptor that is to be closed. */
void shim_forget(queue *queue, int descriptor);

/* The queue of a descriptor, or NULL. Under the lock. */
queue *shim_find(int descriptor);

#endif
