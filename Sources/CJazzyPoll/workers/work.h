/* The events of one connection whose route runs on workers, run in order and one at a time. */
#ifndef JAZZY_WORKERS_WORK_H
#define JAZZY_WORKERS_WORK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "loop/mailbox.h"
#include "jazzy/server.h"
#include "config/routes.h"
#include "connection/first_request.h"
#include "workers/workers.h"

/* A copy of an event, with all that it borrows. */
typedef struct jz_job {
    struct jz_job *next;
    jz_event event;
    jz_message message;
    jz_output_callback notice; /* if not NULL, called instead of the handler */
} jz_job;

/*
 * Guarded by the workers' lock, except for fields that never change, for `has_ended_it`, and for `state`, `open_job`,
 * `first_request`, `is_secure`, `properties`, `is_closing` and `is_finished`, which belong to the running handler.
 */
typedef struct jz_work {
    jz_task task; /* first, so that a pointer to it points to its work */
    jz_workers *workers;
    jz_ws ws;
    const jz_route *route;
    jz_job *first;
    jz_job *last;
    size_t count;              /* jobs that wait */
    size_t amount;             /* their cost in bytes */
    bool is_scheduled;         /* in the workers' queue, or run by a worker */
    uint32_t awaited;          /* verdicts; no job is run before the last one has come */
    atomic_bool has_ended_it;  /* the handler has ended the connection: it gets no more messages and notices */
    bool is_closing;           /* the handler of the close event runs, or has returned */
    bool is_finished;          /* it has returned */
    bool is_secure;            /* of the first request, as are: */
    jz_properties *properties; /* owned until the open event is run */
    jz_letter *resume;         /* to be posted when reading may go on; NULL if it is not paused */
    void *state;               /* jz_ws_state */
    jz_job *closing_job;       /* preallocated for the close event, which must not fail because of memory; */
    jz_letter *leave;          /* likewise, for the letter that it has been run */

    jz_job *open_job;                /* the job of the open event; NULL once it has run */
    jz_first_request *first_request; /* of the open event that is being handled; else NULL */
} jz_work;

/* NULL when there is no memory. The worker that has run its close event frees it. */
jz_work *jz_work_create(jz_workers *workers, jz_ws ws, const jz_route *route);

/* Frees work without jobs, and releases the state. */
void jz_work_free(jz_work *work);

typedef enum jz_work_result { JZ_WORK_ADDED, JZ_WORK_FULL, JZ_WORK_OUT_OF_MEMORY } jz_work_result;

/*
 * Adds an event. FULL: it was added, and the limit is reached: pause reading until a worker tells the connection's loop
 * to resume. After the close event the caller must not use the work any more.
 */
jz_work_result jz_work_add(jz_work *work, const jz_event *event, const jz_message *message);

/* The same for the open event, with a copy of the request head. Takes ownership of the properties. Call it first. */
jz_work_result jz_work_add_open(jz_work *work, jz_text head, bool is_secure, jz_properties *properties);

/* The same for a notice about output. */
jz_work_result jz_work_add_notice(jz_work *work, jz_output_callback notice);

/*
 * The running handler has asked its connection's loop for something that may end that connection, too: what waits is
 * not run before the loop has said whether it has. Not in the close event, with which the work ends.
 */
void jz_work_await_verdict(jz_work *work);

/* That is known; once for each time it is awaited. The work may be gone when this returns. From any thread. */
void jz_work_take_verdict(jz_work *work, bool has_ended_it);

/* The work whose handler runs on this thread, or NULL. */
extern _Thread_local jz_work *jz_current_work;

/* Whether the calling thread is a worker that handles this connection's close event. */
static inline bool jz_work_is_closing_here(jz_ws ws)
{
    const jz_work *work = jz_current_work;
    return work != NULL && work->ws.value == ws.value && work->is_closing && !work->is_finished;
}

#endif
