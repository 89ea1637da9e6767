#include "workers/work.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "codec/frame_header.h"
#include "loop/timer.h"
#include "session/memory.h"

_Thread_local jz_work *jz_current_work = NULL;

/* Releasing the state is part of the handler's last call, but it finds no state and can set none. */
static void finish(jz_work *work)
{
    void *state = work->state;
    work->state = NULL;
    work->is_finished = true;
    jz_route_release_state(work->route, state);
}

void jz_work_free(jz_work *work)
{
    finish(work);
    free(work->properties);
    work->workers->mail->free(work->leave);
    free(work->closing_job);
    free(work);
}

/*
 * A close event's job has more room than this says, for the longest reason; that is harmless, because such small jobs
 * come from malloc.
 */
static void free_job(jz_job *job)
{
    jz_memory_give(job, sizeof *job + job->message.length);
}

/*
 * Copies what the event borrows to the bytes behind the job: a message's payload or a close reason, never both. There
 * is room: the job was allocated for this message, or for the longest reason.
 */
static void fill_job(jz_job *job, const jz_event *event, const jz_message *message)
{
    uint8_t *bytes = (uint8_t *)(job + 1);
    assert(event->close_reason_length <= JZ_MAX_CLOSE_REASON);
    assert(event->close_reason_length == 0 || message->length == 0);
    job->event = *event;
    job->message = *message;
    job->notice = NULL;
    if (message->length > 0)
        memcpy(bytes, message->bytes, message->length);
    if (event->close_reason_length > 0)
        memcpy(bytes, event->close_reason, event->close_reason_length);
    job->message.bytes = bytes;
    job->event.close_reason = (const char *)bytes;
}

static jz_job *create_job(jz_work *work, const jz_event *event, const jz_message *message)
{
    jz_job *job = work->closing_job;
    if (event->type == JZ_EVENT_CLOSE)
        work->closing_job = NULL;
    else
        job = message->length < SIZE_MAX - sizeof *job ? jz_memory_take(sizeof *job + message->length) : NULL;
    if (job != NULL)
        fill_job(job, event, message);
    return job;
}

/* The cost of a waiting job in bytes, with about what malloc adds, so that empty messages cost something, too. */
static size_t cost_of(const jz_job *job)
{
    enum { OVERHEAD = 32 };
    return sizeof *job + OVERHEAD + job->message.length;
}

/* Call with the lock held. */
static void schedule_if_due(jz_work *work)
{
    if (work->is_scheduled || work->first == NULL || work->awaited > 0)
        return;
    work->is_scheduled = true;
    jz_workers_schedule(work->workers, &work->task);
}

static jz_work_result add_job(jz_work *work, jz_job *job)
{
    jz_workers *workers = work->workers;
    size_t most = work->route->options.backpressure_limit;
    pthread_mutex_lock(&workers->lock);
    job->next = NULL;
    if (work->last != NULL)
        work->last->next = job;
    else
        work->first = job;
    work->last = job;
    work->count++;
    work->amount += cost_of(job);
    /* If there is no memory for the letter that resumes reading, reading does not pause. */
    bool is_full = work->count >= work->route->options.max_waiting_events || work->amount >= most;
    if (is_full && work->resume == NULL)
        work->resume = workers->mail->create_resume(work->ws);
    bool pauses = is_full && work->resume != NULL;
    schedule_if_due(work);
    pthread_mutex_unlock(&workers->lock);
    return pauses ? JZ_WORK_FULL : JZ_WORK_ADDED;
}

jz_work_result jz_work_add(jz_work *work, const jz_event *event, const jz_message *message)
{
    jz_job *job = create_job(work, event, message);
    return job != NULL ? add_job(work, job) : JZ_WORK_OUT_OF_MEMORY;
}

/* Instead of the handler, on a worker: calls it with the open event. */
static void run_open(void *context, jz_ws ws)
{
    jz_work *work = jz_current_work;
    const jz_message *head = &work->open_job->message;
    jz_first_request first = {.ws = ws,
                              .route = work->route,
                              .head = {(const char *)head->bytes, head->length},
                              .is_secure = work->is_secure,
                              .has_asked = true,
                              .properties = work->properties};
    work->properties = NULL;
    work->first_request = &first;
    work->route->handler(context, ws, &jz_open_event, &jz_no_message);
    work->first_request = NULL;
    work->open_job = NULL;
    jz_first_request_free(&first);
}

jz_work_result jz_work_add_open(jz_work *work, jz_text head, bool is_secure, jz_properties *properties)
{
    work->is_secure = is_secure;
    work->properties = properties;
    const jz_message message = {.bytes = (const uint8_t *)head.start, .length = head.length};
    work->open_job = create_job(work, &jz_open_event, &message);
    if (work->open_job == NULL)
        return JZ_WORK_OUT_OF_MEMORY;
    work->open_job->notice = run_open;
    return add_job(work, work->open_job);
}

jz_work_result jz_work_add_notice(jz_work *work, jz_output_callback notice)
{
    jz_job *job = calloc(1, sizeof *job);
    if (job == NULL)
        return JZ_WORK_OUT_OF_MEMORY;
    job->event.type = JZ_EVENT_MESSAGE;
    job->notice = notice;
    return add_job(work, job);
}

static jz_job *take_job(jz_work *work)
{
    jz_job *job = work->first;
    work->first = job->next;
    if (work->first == NULL)
        work->last = NULL;
    work->count--;
    work->amount -= cost_of(job);
    return job;
}

/* The letter to post if reading is paused and at most half of the limits still wait; else NULL. */
static jz_letter *take_resume(jz_work *work)
{
    const jz_route_options *options = &work->route->options;
    if (work->count > options->max_waiting_events / 2 || work->amount > options->backpressure_limit / 2)
        return NULL;
    jz_letter *resume = work->resume;
    work->resume = NULL;
    return resume;
}

static bool is_message(const jz_job *job)
{
    return job->notice == NULL && job->event.type == JZ_EVENT_MESSAGE && job->message.kind <= JZ_MESSAGE_BINARY;
}

/* Calls the handler with a message, and measures how long it takes. */
static void run_measured(const jz_work *work, const jz_job *job)
{
    const jz_route *route = work->route;
    uint64_t began = jz_clock_ns();
    route->handler(route->context, work->ws, &job->event, &job->message);
    jz_histogram_observe(&route->measures->handler, &jz_handler_bounds, jz_clock_ns() - began);
}

static void run(const jz_work *work, const jz_job *job, bool is_measured)
{
    if (job->notice != NULL)
        job->notice(work->route->context, work->ws);
    else if (is_measured && work->route->measures != NULL)
        run_measured(work, job);
    else
        work->route->handler(work->route->context, work->ws, &job->event, &job->message);
}

/*
 * Runs the oldest job of work that was taken out of the queue, and requeues the work if more jobs wait. Called and
 * returns with the workers' lock held; the handler runs without it.
 */
static void run_next(jz_task *task)
{
    jz_work *work = (jz_work *)task;
    jz_workers *workers = work->workers;
    jz_job *job = take_job(work);
    jz_letter *resume = take_resume(work);
    bool is_measured = is_message(job) && jz_sampling_takes(&workers->sampling);
    pthread_mutex_unlock(&workers->lock);

    if (resume != NULL)
        workers->mail->post(resume);
    bool is_last = job->event.type == JZ_EVENT_CLOSE;
    work->is_closing = is_last;
    jz_current_work = work;
    if (!work->has_ended_it || job->event.type != JZ_EVENT_MESSAGE) /* a notice has that type, too */
        run(work, job, is_measured);
    if (is_last)
        finish(work);
    jz_current_work = NULL;
    free_job(job);
    if (is_last) {
        workers->mail->post(work->leave);
        free(work);
    }

    pthread_mutex_lock(&workers->lock);
    if (is_last)
        return;
    work->is_scheduled = false;
    schedule_if_due(work);
}

void jz_work_await_verdict(jz_work *work)
{
    assert(!work->is_closing);
    pthread_mutex_lock(&work->workers->lock);
    work->awaited++;
    pthread_mutex_unlock(&work->workers->lock);
}

void jz_work_take_verdict(jz_work *work, bool has_ended_it)
{
    jz_workers *workers = work->workers;
    pthread_mutex_lock(&workers->lock);
    if (has_ended_it)
        work->has_ended_it = true;
    work->awaited--;
    schedule_if_due(work);
    pthread_mutex_unlock(&workers->lock);
}

jz_work *jz_work_create(jz_workers *workers, jz_ws ws, const jz_route *route)
{
    jz_work *work = calloc(1, sizeof *work);
    jz_job *closing_job = calloc(1, sizeof *closing_job + JZ_MAX_CONTROL_PAYLOAD);
    jz_letter *leave = workers->mail->create_leave(ws);
    if (work == NULL || closing_job == NULL || leave == NULL) {
        workers->mail->free(leave);
        free(closing_job);
        free(work);
        return NULL;
    }
    work->task.run = run_next;
    work->workers = workers;
    work->ws = ws;
    work->route = route;
    work->closing_job = closing_job;
    work->leave = leave;
    return work;
}
