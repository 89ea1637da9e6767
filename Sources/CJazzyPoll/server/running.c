/* Starting, stopping and waiting for a server. */
#include <errno.h>
#include <stdio.h>

#include "loop/report.h"
#include "loop/thread.h"
#include "platform/thread_name.h"
#include "shard/errand.h"
#include "shard/fetching.h"
#include "server/listening.h"
#include "shard/server.h"
#include "lifecycle/shard_loop.h"
#include "shard/stop_request.h"
#include "workers/workers.h"

/* Of files: so many may wait for a disk at the same time. */
enum { READING_THREADS = 4 };

static jz_status expect_state(const jz_server *server, jz_server_state expected, const char *action, const char *reason,
                              jz_error *error)
{
    if (atomic_load(&server->state) == (int)expected)
        return JZ_OK;
    return jz_report(error, JZ_STATUS_INVALID_STATE, "cannot %s: %s", action, reason);
}

static void *run_shard(void *context)
{
    jz_shard *shard = context;
    char name[] = "jazzy-loop-255";
    snprintf(name, sizeof name, "jazzy-loop-%u", (unsigned)(shard - shard->server->shards) & JZ_MAX_THREADS);
    jz_thread_take_name(name);
    jz_shard_run(shard);
    return NULL;
}

/* Waits for the loops on their own threads, and then for the workers. */
static void end_running(jz_server *server)
{
    for (uint32_t i = 0; i < server->thread_count; i++)
        pthread_join(server->threads[i], NULL);
    server->thread_count = 0;
    /* Every connection has ended; close events may still wait for a worker. */
    jz_workers_finish(&server->workers);
    jz_workers_finish(&server->readers);
    for (uint32_t i = 0; i < server->shard_count; i++) {
        jz_errand_discard_all(&server->shards[i]); /* if its loop never ran */
        jz_peer_log_finish(&server->shards[i]);
    }
    jz_company_runner_finish(server->company);
    jz_presence_teller_finish(server->teller);
    jz_membership *membership = atomic_load(&server->membership);
    jz_fetching_expire(server, UINT64_MAX); /* while the broker can be told of topics */
    if (membership != NULL)
        jz_membership_stop(membership);
    atomic_store(&server->state, JZ_SERVER_STOPPED);
}

/* Prepares everything that loops need. */
static jz_status prepare(jz_server *server, jz_error *error)
{
    jz_status status = JZ_OK;
    jz_membership *membership = atomic_load(&server->membership);
    if (server->is_measured && !jz_routes_measure(&server->routes))
        status = jz_report_system(error, ENOMEM, "run the server");
    for (uint32_t i = 0; i < server->shard_count && status == JZ_OK; i++)
        status = jz_shard_prepare(&server->shards[i], error);
    if (status == JZ_OK && jz_routes_need_workers(&server->routes))
        status = jz_workers_start(&server->workers, server->options.worker_threads, server->options.thread_stack_size,
                                  error);
    if (status == JZ_OK && jz_routes_have_files(&server->routes))
        status = jz_workers_start(&server->readers, READING_THREADS, server->options.thread_stack_size, error);
    if (status == JZ_OK && membership != NULL)
        status = jz_membership_start(membership, server, error);
    if (status != JZ_OK) {
        jz_workers_finish(&server->workers);
        jz_workers_finish(&server->readers);
    }
    return status;
}

/* Starts a thread for each shard from `first` on. */
static jz_status start_threads(jz_server *server, uint32_t first, jz_error *error)
{
    jz_status status = expect_state(server, JZ_SERVER_LISTENING, "run",
                                    "a server runs once, after it was made to listen, or to expect adoption", error);
    if (status == JZ_OK)
        status = prepare(server, error);
    if (status != JZ_OK)
        return status;
    for (uint32_t i = 0; i < server->shard_count; i++)
        server->listening_count += server->shards[i].acceptor.count > 0 ? 1 : 0;
    atomic_store(&server->state, JZ_SERVER_RUNNING);
    jz_server_tell_listeners(server);
    const jz_thread_plan plan = {
        .run = run_shard, .purpose = "an event loop", .stack_size = server->options.thread_stack_size};
    status = jz_presence_teller_begin(server->teller, error);
    if (status == JZ_OK)
        status = jz_company_runner_begin(server->company, error);
    for (uint32_t i = first; i < server->shard_count && status == JZ_OK; i++) {
        status = jz_thread_start(&server->threads[server->thread_count], &plan, &server->shards[i], error);
        if (status == JZ_OK)
            server->thread_count++;
    }
    if (status != JZ_OK) {
        jz_server_stop(server);
        end_running(server);
    }
    return status;
}

jz_status jz_server_start(jz_server *server, jz_error *error)
{
    jz_status status = start_threads(server, 0, error);
    if (status == JZ_OK)
        server->runs_on_own_threads = true;
    return status;
}

jz_status jz_server_run(jz_server *server, jz_error *error)
{
    jz_status status = start_threads(server, 1, error);
    if (status != JZ_OK)
        return status;
    jz_shard_run(&server->shards[0]);
    end_running(server);
    int failure = atomic_load(&server->failure);
    return failure == 0 ? JZ_OK : jz_report_system(error, failure, "wait for events");
}

void jz_server_wait(jz_server *server)
{
    /* A server that runs on its caller's thread ends on that thread. */
    if (server->runs_on_own_threads && atomic_load(&server->state) == JZ_SERVER_RUNNING)
        end_running(server);
}
