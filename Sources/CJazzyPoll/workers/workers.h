/*
 * workers/: threads for handlers that may block, with the events of each connection in order. Not here: loops, shards.
 *
 * The threads and their queue of work. No loop waits for them.
 */
#ifndef JAZZY_WORKERS_WORKERS_H
#define JAZZY_WORKERS_WORKERS_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/measures.h"
#include "loop/mailbox.h"
#include "jazzy/error.h"
#include "jazzy/websocket.h"

/* What workers do, embedded in what it is about. */
typedef struct jz_task {
    struct jz_task *next;              /* in the workers' queue */
    void (*run)(struct jz_task *task); /* called and returns with the workers' lock held */
} jz_task;

/*
 * How workers tell a connection's loop something. Letters are allocated before they are needed, so that posting cannot
 * fail. create_resume and create_leave return NULL when there is no memory.
 */
typedef struct jz_workers_mail {
    jz_letter *(*create_resume)(jz_ws ws); /* at most half of the limit still waits: reading goes on */
    jz_letter *(*create_leave)(jz_ws ws);  /* the close event has been run */
    void (*post)(jz_letter *letter);       /* takes ownership */
    void (*free)(jz_letter *letter);       /* a letter that was not posted; NULL does nothing */
} jz_workers_mail;

typedef struct jz_workers {
    const jz_workers_mail *mail;
    pthread_mutex_t lock;
    pthread_cond_t has_work;
    jz_task *first; /* the queue */
    jz_task *last;
    uint64_t queued;      /* tasks in it */
    uint32_t live;        /* threads that have begun, and not ended, */
    uint32_t busy;        /* and those of them that run a task */
    jz_sampling sampling; /* of the handlers' time */
    bool is_finishing;
    pthread_t *threads;
    uint32_t count;
} jz_workers;

/* `mail` must outlive the workers. */
void jz_workers_init(jz_workers *workers, const jz_workers_mail *mail);
void jz_workers_destroy(jz_workers *workers);

/* `stack_size`: bytes, of each thread. */
jz_status jz_workers_start(jz_workers *workers, uint32_t count, size_t stack_size, jz_error *error);

/* What they do now. From any thread. */
typedef struct jz_workers_state {
    uint32_t threads;
    uint32_t busy;
    uint64_t queued;
} jz_workers_state;

jz_workers_state jz_workers_now(jz_workers *workers);

/* Waits until all scheduled tasks have been run, and ends the threads. */
void jz_workers_finish(jz_workers *workers);

/* Puts a task into the queue. Call with the lock held. */
void jz_workers_schedule(jz_workers *workers, jz_task *task);

/* The same without the lock. */
void jz_workers_add(jz_workers *workers, jz_task *task);

/* The workers to which the calling thread belongs, or NULL. */
extern _Thread_local const jz_workers *jz_current_workers;

#endif
