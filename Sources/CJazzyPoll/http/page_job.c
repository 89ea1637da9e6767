#include "http/page_job.h"

#include <stdlib.h>

struct jz_page_job {
    jz_task task; /* first, so that a pointer to it points to its job */
    jz_workers *workers;
    const jz_route *route;
    jz_page_request page;
    jz_kept_request *kept;
    jz_request *request;

    /* Guarded by the workers' lock: */
    bool has_begun;
    bool is_over;    /* for the exchange, which does not use the job any more */
    bool is_through; /* for the worker, likewise */
};

static void free_job(jz_page_job *job)
{
    jz_request_free(job->request);
    jz_kept_request_free(job->kept);
    free(job);
}

static void run(jz_task *task)
{
    jz_page_job *job = (jz_page_job *)task;
    jz_workers *workers = job->workers;
    if (!job->is_over) {
        job->has_begun = true;
        pthread_mutex_unlock(&workers->lock);
        job->route->page_handler(job->route->page_context, job->page, job->request);
        pthread_mutex_lock(&workers->lock);
    }
    job->is_through = true;
    if (job->is_over)
        free_job(job);
}

jz_page_job *jz_page_job_start(jz_workers *workers, const jz_route *route, jz_page_request page,
                               const jz_request_source *source)
{
    jz_page_job *job = calloc(1, sizeof *job);
    if (job == NULL)
        return NULL;
    *job = (jz_page_job){
        .task = {.run = run}, .workers = workers, .route = route, .page = page, .kept = jz_request_keep(source)};
    if (job->kept != NULL)
        job->request = jz_kept_request_parse(job->kept);
    if (job->request == NULL) {
        free_job(job);
        return NULL;
    }
    jz_workers_add(workers, &job->task);
    return job;
}

bool jz_page_job_end(jz_page_job *job)
{
    jz_workers *workers = job->workers;
    pthread_mutex_lock(&workers->lock);
    bool has_begun = job->has_begun;
    bool is_through = job->is_through;
    job->is_over = true;
    pthread_mutex_unlock(&workers->lock);
    if (is_through)
        free_job(job);
    return has_begun;
}
