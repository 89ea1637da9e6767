/* Starting the broker's thread, waiting for what comes of it, and ending it. */
#define _POSIX_C_SOURCE 200809L

#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <string.h>

#include "link/link.h"
#include "settings/report.h"

enum {
    STACK_SIZE = 512 * 1024, /* also for what the application does about a gap */
    LOOK_MS = 20             /* how often starting looks whether the server was stopped */
};

/* Signals are for the threads of the application. */
static int start_thread(jz_redis *redis)
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
        refusal = pthread_create(&redis->thread, &attributes, jz_redis_loop, redis);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    return refusal;
}

/* A signal's handler may stop the server meanwhile, which tells nobody. */
static void follow_stop(jz_redis *redis)
{
    if (!jz_broker_is_stopping(redis->server) || atomic_load(&redis->is_stopping))
        return;
    atomic_store(&redis->is_stopping, true);
    jz_redis_bell_ring(&redis->bell);
}

static jz_redis_outcome outcome_now(jz_redis *redis)
{
    pthread_mutex_lock(&redis->state_lock);
    jz_redis_outcome outcome = redis->outcome;
    pthread_mutex_unlock(&redis->state_lock);
    return outcome;
}

static void free_batch(jz_redis *redis)
{
    jz_broker_batch_free(redis->batch);
    redis->batch = NULL;
}

/* Waits for the thread, which delivers nothing any more. */
static void end_thread(jz_redis *redis)
{
    pthread_join(redis->thread, NULL);
    redis->is_running = false;
    free_batch(redis);
}

static jz_redis_outcome wait_for_outcome(jz_redis *redis)
{
    jz_redis_outcome outcome;
    struct pollfd concluded = {.fd = redis->concluded.heard, .events = POLLIN};
    while ((outcome = outcome_now(redis)) == JZ_REDIS_STARTING) {
        (void)poll(&concluded, 1, LOOK_MS);
        follow_stop(redis);
    }
    return outcome;
}

/* Starts the thread. */
static jz_status begin(jz_redis *redis, jz_error *error)
{
    if (!jz_redis_sentinel_init(redis))
        return jz_redis_report_no_memory(error);
    if (!jz_redis_bell_open(&redis->concluded))
        return jz_redis_report(error, JZ_STATUS_SYSTEM, "no descriptor is left for the Redis broker");
    redis->batch = jz_broker_batch_create(redis->server);
    int refusal = redis->batch != NULL ? start_thread(redis) : 0;
    redis->is_running = redis->batch != NULL && refusal == 0;
    if (redis->is_running)
        return JZ_OK;
    jz_redis_bell_close(&redis->concluded);
    if (redis->batch == NULL)
        return jz_redis_report_no_memory(error);
    free_batch(redis);
    return jz_redis_report(error, JZ_STATUS_SYSTEM,
                           "cannot start the thread of the Redis broker (error %d): there are as many threads as "
                           "may be (`ulimit -u`)",
                           refusal);
}

jz_status jz_redis_run(jz_redis *redis, jz_server *server, jz_error *error)
{
    redis->server = server;
    redis->outcome = JZ_REDIS_STARTING;
    redis->stop_ms = 0;
    atomic_store(&redis->is_stopping, false);
    jz_redis_publisher_init(redis);
    jz_redis_subscriber_init(redis);
    jz_status status = begin(redis, error);
    if (status != JZ_OK)
        return status;
    jz_redis_outcome outcome = wait_for_outcome(redis);
    if (outcome != JZ_REDIS_STARTED)
        end_thread(redis);
    jz_redis_bell_close(&redis->concluded);
    if (outcome == JZ_REDIS_STARTED || outcome == JZ_REDIS_STOPPED)
        return JZ_OK; /* stopped: the server ends at once */
    return jz_redis_report(error, JZ_STATUS_SYSTEM,
                           "Redis at %s cannot be joined: %s (or let the server start alone: starts_alone)",
                           redis->where, redis->failure);
}

void jz_redis_halt(jz_redis *redis)
{
    size_t bytes;
    size_t messages;
    if (!redis->is_running)
        return;
    atomic_store(&redis->is_stopping, true);
    jz_redis_bell_ring(&redis->bell);
    end_thread(redis);
    jz_redis_queue_end(&redis->queue);
    jz_redis_queue_measure(&redis->queue, &bytes, &messages);
    if (messages > 0)
        jz_redis_log(redis, JZ_LOG_WARNING,
                     "%zu messages were not published: Redis at %s has not taken them within %" PRIu32
                     " ms (stop_timeout_ms)",
                     messages, redis->where, redis->settings.options.stop_timeout_ms);
}
