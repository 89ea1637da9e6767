/* The events of one connection whose route runs on workers: kept in order, run one at a time. */
#ifndef JAZZY_WORKERS_WORK_H
#define JAZZY_WORKERS_WORK_H

#include <stdbool.h>
#include <stddef.h>

#include "loop/mailbox.h"
#include "jazzy/server.h"
#include "config/routes.h"
#include "workers/workers.h"

/* An event and all that it borrows, copied. */
typedef struct jz_job {
    struct jz_job *next;
    jz_event event;
    jz_message message;
    jz_output_callback notice; /* called instead of the handler, unless NULL */
} jz_job;

/*
 * Guarded by the lock of the workers, but for what never changes, and for `state`, `is_closing` and `is_finished`,
 * which the running handler has.
 */
typedef struct jz_work {
    struct jz_work *next; /* in the workers' queue */
    jz_workers *workers;
    jz_ws ws;
    const jz_route *route;
    jz_job *first;
    jz_job *last;
    size_t count;        /* jobs that wait */
    size_t amount;       /* bytes that they cost */
    bool is_scheduled;   /* in the workers' queue, or run by one of them */
    bool is_closing;     /* the close event is being run, or has been */
    bool is_finished;    /* it has been */
    jz_letter *resume;   /* to be posted when reading may go on; NULL where it is not paused */
    void *state;         /* jz_ws_state */
    jz_job *closing_job; /* kept for the close event, which must not fail for want of memory, */
    jz_letter *leave;    /* nor that it has been run */
} jz_work;

/* Starts workers that run what is added. */
jz_status jz_work_start_workers(jz_workers *workers, uint32_t count, size_t stack_size, jz_error *error);

/* NULL when there is no memory. It is freed by the worker that has run its close event. */
jz_work *jz_work_create(jz_workers *workers, jz_ws ws, const jz_route *route);

/* Frees work to which no event was added, and releases the state. */
void jz_work_free(jz_work *work);

typedef enum jz_work_result { JZ_WORK_ADDED, JZ_WORK_FULL, JZ_WORK_OUT_OF_MEMORY } jz_work_result;

/*
 * Adds an event. FULL: it was added, and as many wait as may: pause reading until the connection's loop is told to
 * resume. After the close event the work is not the caller's any more.
 */
jz_work_result jz_work_add(jz_work *work, const jz_event *event, const jz_message *message);

/* Likewise something that the route wants to know of output. */
jz_work_result jz_work_add_notice(jz_work *work, jz_output_callback notice);

/* The work whose handler runs on this thread, or NULL. */
extern _Thread_local jz_work *jz_current_work;

/* Whether the calling thread is a worker in that connection's close event. */
static inline bool jz_work_is_closing_here(jz_ws ws)
{
    const jz_work *work = jz_current_work;
    return work != NULL && work->ws.value == ws.value && work->is_closing && !work->is_finished;
}

#endif
