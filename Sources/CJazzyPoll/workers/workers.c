#include "workers/workers.h"

#include <errno.h>
#include <stdlib.h>

#include "loop/report.h"
#include "loop/thread.h"
#include "platform/thread_name.h"

_Thread_local const jz_workers *jz_current_workers = NULL;

void jz_workers_init(jz_workers *workers, const jz_workers_mail *mail)
{
    *workers = (jz_workers){.mail = mail};
    pthread_mutex_init(&workers->lock, NULL);
    pthread_cond_init(&workers->has_work, NULL);
}

void jz_workers_destroy(jz_workers *workers)
{
    pthread_cond_destroy(&workers->has_work);
    pthread_mutex_destroy(&workers->lock);
    free(workers->threads);
}

void jz_workers_schedule(jz_workers *workers, jz_task *task)
{
    task->next = NULL;
    if (workers->last != NULL)
        workers->last->next = task;
    else
        workers->first = task;
    workers->last = task;
    workers->queued++;
    pthread_cond_signal(&workers->has_work);
}

void jz_workers_add(jz_workers *workers, jz_task *task)
{
    pthread_mutex_lock(&workers->lock);
    jz_workers_schedule(workers, task);
    pthread_mutex_unlock(&workers->lock);
}

static void *run_worker(void *context)
{
    jz_workers *workers = context;
    jz_thread_take_name("jazzy-worker");
    jz_current_workers = workers;
    pthread_mutex_lock(&workers->lock);
    workers->live++;
    for (;;) {
        while (workers->first == NULL && !workers->is_finishing)
            pthread_cond_wait(&workers->has_work, &workers->lock);
        jz_task *task = workers->first;
        if (task == NULL)
            break;
        workers->first = task->next;
        workers->queued--;
        if (workers->first == NULL)
            workers->last = NULL;
        workers->busy++;
        task->run(task);
        workers->busy--;
    }
    workers->live--;
    pthread_mutex_unlock(&workers->lock);
    return NULL;
}

jz_status jz_workers_start(jz_workers *workers, uint32_t count, size_t stack_size, jz_error *error)
{
    workers->threads = calloc(count, sizeof *workers->threads);
    if (workers->threads == NULL)
        return jz_report_system(error, ENOMEM, "start the workers");
    workers->is_finishing = false;
    jz_sampling_begin(&workers->sampling);
    const jz_thread_plan plan = {.run = run_worker, .purpose = "a worker", .stack_size = stack_size};
    for (uint32_t i = 0; i < count; i++) {
        jz_status status = jz_thread_start(&workers->threads[i], &plan, workers, error);
        if (status != JZ_OK) {
            jz_workers_finish(workers);
            return status;
        }
        workers->count++;
    }
    return JZ_OK;
}

jz_workers_state jz_workers_now(jz_workers *workers)
{
    pthread_mutex_lock(&workers->lock);
    jz_workers_state now = {workers->live, workers->busy, workers->queued};
    pthread_mutex_unlock(&workers->lock);
    return now;
}

void jz_workers_finish(jz_workers *workers)
{
    pthread_mutex_lock(&workers->lock);
    workers->is_finishing = true;
    pthread_cond_broadcast(&workers->has_work);
    pthread_mutex_unlock(&workers->lock);
    for (uint32_t i = 0; i < workers->count; i++)
        pthread_join(workers->threads[i], NULL);
    workers->count = 0;
    free(workers->threads);
    workers->threads = NULL;
}
