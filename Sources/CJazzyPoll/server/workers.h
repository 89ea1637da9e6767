/* Threads that run handlers which may block, so that no loop waits for them. */
#ifndef JAZZY_SERVER_WORKERS_H
#define JAZZY_SERVER_WORKERS_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "jazzy/error.h"

typedef struct jz_workers {
    pthread_mutex_t lock;
    pthread_cond_t has_work;
    struct jz_work *first; /* what is to be run next */
    struct jz_work *last;
    bool is_finishing;
    pthread_t *threads;
    uint32_t count;
} jz_workers;

void jz_workers_init(jz_workers *workers);
void jz_workers_destroy(jz_workers *workers);

/* `stack_size`: of each of them, in bytes. */
jz_status jz_workers_start(jz_workers *workers, uint32_t count, size_t stack_size, jz_error *error);

/* Waits until everything that was scheduled has been run, and ends the threads. */
void jz_workers_finish(jz_workers *workers);

/* Puts work into the queue. Call with the lock taken. */
void jz_workers_schedule(jz_workers *workers, struct jz_work *work);

#endif
