#define _POSIX_C_SOURCE 200809L

#include "loop/thread.h"

#include <errno.h>
#include <stdint.h>
#include <unistd.h>

#include "loop/report.h"

/* Some systems require whole pages. */
static size_t in_whole_pages(size_t size)
{
    long page = sysconf(_SC_PAGESIZE);
    size_t beyond = page > 0 ? size % (size_t)page : 0;
    if (beyond == 0 || size > SIZE_MAX - ((size_t)page - beyond))
        return size;
    return size + ((size_t)page - beyond);
}

static int start(pthread_t *thread, const jz_thread_plan *plan, void *context)
{
    pthread_attr_t attributes;
    int refusal = pthread_attr_init(&attributes);
    if (refusal != 0)
        return refusal;
    refusal = pthread_attr_setstacksize(&attributes, in_whole_pages(plan->stack_size));
    if (refusal == 0)
        refusal = pthread_create(thread, &attributes, plan->run, context);
    pthread_attr_destroy(&attributes);
    return refusal;
}

jz_status jz_thread_start(pthread_t *thread, const jz_thread_plan *plan, void *context, jz_error *error)
{
    int refusal = start(thread, plan, context);
    switch (refusal) {
    case 0:
        return JZ_OK;
    case EAGAIN:
        return jz_report(error, JZ_STATUS_SYSTEM,
                         "cannot start a thread for %s: there are as many as may be (`ulimit -u`), or there is no room "
                         "for its stack of %zu bytes; allow more of them, or lower thread_stack_size",
                         plan->purpose, plan->stack_size);
    case EINVAL:
        return jz_report(error, JZ_STATUS_INVALID_OPTION,
                         "cannot start a thread for %s: a stack of %zu bytes is too small for this program; raise "
                         "thread_stack_size",
                         plan->purpose, plan->stack_size);
    default:
        return jz_report_system(error, refusal, "start a thread");
    }
}
