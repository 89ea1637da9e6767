/* Threads that run handlers which may block, so that no loop waits for them. */
#ifndef JAZZY_WORKERS_WORKERS_H
#define JAZZY_WORKERS_WORKERS_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "loop/mailbox.h"
#include "jazzy/error.h"
#include "jazzy/websocket.h"

typedef struct jz_work jz_work;

/*
 * How workers tell a connection's loop something. A letter is made before it is needed, so that telling does not fail
 * for want of memory: NULL where there is none then.
 */
typedef struct jz_workers_mail {
    jz_letter *(*create_resume)(jz_ws ws); /* half of what may wait has been run: reading goes on */
    jz_letter *(*create_leave)(jz_ws ws);  /* the close event has been run */
    void (*post)(jz_letter *letter);       /* takes it over */
    void (*free)(jz_letter *letter);       /* one that is not posted; NULL does nothing */
} jz_workers_mail;

typedef struct jz_workers {
    const jz_workers_mail *mail;
    void (*run)(jz_work *work); /* called, and returns, with the lock taken */
    pthread_mutex_t lock;
    pthread_cond_t has_work;
    jz_work *first; /* what is to be run next */
    jz_work *last;
    bool is_finishing;
    pthread_t *threads;
    uint32_t count;
} jz_workers;

/* The mail outlives the workers. */
void jz_workers_init(jz_workers *workers, const jz_workers_mail *mail);
void jz_workers_destroy(jz_workers *workers);

/* `stack_size`: of each of them, in bytes. `run` runs one job of work that was scheduled. */
jz_status jz_workers_start(jz_workers *workers, uint32_t count, size_t stack_size, void (*run)(jz_work *work),
                           jz_error *error);

/* Waits until everything that was scheduled has been run, and ends the threads. */
void jz_workers_finish(jz_workers *workers);

/* Puts work into the queue. Call with the lock taken. */
void jz_workers_schedule(jz_workers *workers, jz_work *work);

#endif
