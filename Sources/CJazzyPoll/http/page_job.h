/* The call of a page's handler on a worker. */
#ifndef JAZZY_HTTP_PAGE_JOB_H
#define JAZZY_HTTP_PAGE_JOB_H

#include "config/routes.h"
#include "http/kept_request.h"
#include "workers/workers.h"

typedef struct jz_page_job jz_page_job;

/* Copies the request, and calls the handler on a worker, which then frees the copy. NULL when there is no memory. */
jz_page_job *jz_page_job_start(jz_workers *workers, const jz_route *route, jz_page_request page,
                               const jz_request_source *source);

/*
 * The request is over; the job must not be used any more. Returns whether the handler was called, or is being called;
 * otherwise it will not be.
 */
bool jz_page_job_end(jz_page_job *job);

#endif
