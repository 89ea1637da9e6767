/* The thread that looks at the files again and again. */
#define _POSIX_C_SOURCE 200809L

#include <errno.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include "contexts/instance.h"
#include "contexts/report.h"

enum { STACK_SIZE = 512 * 1024 /* also for a callback of the application that knows a passphrase */ };

#ifdef __APPLE__
static const clockid_t waiting_clock = CLOCK_REALTIME; /* which conditions cannot choose there */
#else
static const clockid_t waiting_clock = CLOCK_MONOTONIC;
#endif

static int init_condition(pthread_cond_t *condition)
{
    pthread_condattr_t attributes;
    int refusal = pthread_condattr_init(&attributes);
    if (refusal != 0)
        return refusal;
#ifndef __APPLE__
    refusal = pthread_condattr_setclock(&attributes, waiting_clock);
#endif
    if (refusal == 0)
        refusal = pthread_cond_init(condition, &attributes);
    pthread_condattr_destroy(&attributes);
    return refusal;
}

static struct timespec time_in(uint32_t ms)
{
    struct timespec time;
    clock_gettime(waiting_clock, &time);
    long nanoseconds = time.tv_nsec + (long)(ms % 1000) * 1000000;
    time.tv_sec += (time_t)(ms / 1000) + nanoseconds / 1000000000;
    time.tv_nsec = nanoseconds % 1000000000;
    return time;
}

/* False: the time has passed. */
static bool wait_for_end(jz_tls_watch *watch, uint32_t interval_ms)
{
    struct timespec until = time_in(interval_ms);
    int result = 0;
    pthread_mutex_lock(&watch->lock);
    while (!watch->is_ending && result == 0)
        result = pthread_cond_timedwait(&watch->ending, &watch->lock, &until);
    bool is_ending = watch->is_ending;
    pthread_mutex_unlock(&watch->lock);
    return is_ending;
}

static void *watch(void *context)
{
    jz_tls *tls = context;
    while (!wait_for_end(&tls->watch, tls->settings.options.watch_interval_ms))
        jz_tls_look_again(tls);
    OPENSSL_thread_stop();
    return NULL;
}

/* Signals are for the threads of the application. */
static int start_thread(jz_tls *tls)
{
    sigset_t all;
    sigset_t before;
    pthread_attr_t attributes;
    int refusal = pthread_attr_init(&attributes);
    if (refusal != 0)
        return refusal;
    refusal = pthread_attr_setstacksize(&attributes, STACK_SIZE);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    if (refusal == 0)
        refusal = pthread_create(&tls->watch.thread, &attributes, watch, tls);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    return refusal;
}

static jz_status report_refusal(int refusal, jz_error *error)
{
    if (refusal == ENOMEM)
        return jz_tls_report_no_memory(error);
    return jz_tls_report(error, JZ_STATUS_SYSTEM,
                         "cannot start the thread that watches certificates (error %d): there are as many as may be "
                         "(`ulimit -u`); allow more, or set watch_interval_ms to 0",
                         refusal);
}

jz_status jz_tls_watch_start(jz_tls *tls, jz_error *error)
{
    if (tls->settings.options.watch_interval_ms == 0)
        return JZ_OK;
    int refusal = init_condition(&tls->watch.ending);
    if (refusal != 0)
        return report_refusal(refusal, error);
    pthread_mutex_init(&tls->watch.lock, NULL);
    tls->watch.process = getpid();
    refusal = start_thread(tls);
    tls->watch.is_running = refusal == 0;
    if (refusal == 0)
        return JZ_OK;
    pthread_mutex_destroy(&tls->watch.lock);
    pthread_cond_destroy(&tls->watch.ending);
    return report_refusal(refusal, error);
}

void jz_tls_watch_end(jz_tls *tls)
{
    /* A child that was forked has no copy of the thread, which may have had the lock. */
    if (!tls->watch.is_running || tls->watch.process != getpid())
        return;
    pthread_mutex_lock(&tls->watch.lock);
    tls->watch.is_ending = true;
    pthread_cond_signal(&tls->watch.ending);
    pthread_mutex_unlock(&tls->watch.lock);
    pthread_join(tls->watch.thread, NULL);
    pthread_mutex_destroy(&tls->watch.lock);
    pthread_cond_destroy(&tls->watch.ending);
}
