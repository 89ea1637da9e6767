/* Starting, stopping and waiting for a server. */
#include "../codec/close_code.h"
#include "../codec/utf8.h"
#include "../loop/report.h"
#include "../loop/thread.h"
#include "errand.h"
#include "server.h"

enum { LONGEST_MS = 3600000 };

jz_status jz_server_expect_state(const jz_server *server, jz_server_state expected, const char *action,
                                 const char *reason, jz_error *error)
{
    if (atomic_load(&server->state) == (int)expected)
        return JZ_OK;
    return jz_report(error, JZ_STATUS_INVALID_STATE, "cannot %s: %s", action, reason);
}

static void *run_shard(void *shard)
{
    jz_shard_run(shard);
    return NULL;
}

/* Waits for the loops that run on threads of their own, and then for what they left. */
static void end_running(jz_server *server)
{
    for (uint32_t i = 0; i < server->thread_count; i++)
        pthread_join(server->threads[i], NULL);
    server->thread_count = 0;
    /* Every connection has ended; close events may still wait for a worker. */
    jz_workers_finish(&server->workers);
    for (uint32_t i = 0; i < server->shard_count; i++) {
        jz_errand_discard_all(&server->shards[i]); /* where its thread was never there to end it */
        jz_peer_log_finish(&server->shards[i]);
    }
    atomic_store(&server->state, JZ_SERVER_STOPPED);
}

/* Starts threads for the shards from `first` on. */
static jz_status start_threads(jz_server *server, uint32_t first, jz_error *error)
{
    jz_status status = jz_server_expect_state(server, JZ_SERVER_LISTENING, "run",
                                              "a server runs once, after it was made to listen", error);
    if (status != JZ_OK)
        return status;
    for (uint32_t i = 0; i < server->shard_count && status == JZ_OK; i++)
        status = jz_shard_prepare(&server->shards[i], error);
    if (status == JZ_OK && jz_routes_need_workers(&server->routes))
        status = jz_workers_start(&server->workers, server->options.worker_threads, server->options.thread_stack_size,
                                  error);
    if (status != JZ_OK)
        return status;
    for (uint32_t i = 0; i < server->shard_count; i++)
        server->listening_count += server->shards[i].accepting.count > 0 ? 1 : 0;
    atomic_store(&server->state, JZ_SERVER_RUNNING);
    jz_server_tell_listeners(server);
    const jz_thread_plan plan = {
        .run = run_shard, .purpose = "an event loop", .stack_size = server->options.thread_stack_size};
    for (uint32_t i = first; i < server->shard_count; i++) {
        status = jz_thread_start(&server->threads[server->thread_count], &plan, &server->shards[i], error);
        if (status != JZ_OK) {
            jz_server_stop(server);
            end_running(server);
            return status;
        }
        server->thread_count++;
    }
    return JZ_OK;
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

void jz_server_wake_all(jz_server *server)
{
    for (uint32_t i = 0; i < server->shard_count; i++)
        jz_poll_wake(server->shards[i].turn.loop.poll);
}

void jz_server_listens_less(jz_server *server)
{
    if (atomic_fetch_sub(&server->listening_count, 1) == 1)
        jz_server_wake_all(server);
}

/* Moves a time forward, never back. */
static void bring_forward(_Atomic uint64_t *time_ms, uint64_t to_ms)
{
    uint64_t before = atomic_load(time_ms);
    while (to_ms < before && !atomic_compare_exchange_weak(time_ms, &before, to_ms))
        continue;
}

/* Asks for it: the code may be sent, the reason is UTF-8. In signal handlers, too, so that nothing here may wait. */
static void stop(jz_server *server, const jz_stop_options *options)
{
    const uint32_t close_timeout_ms = server->options.close_timeout_ms;
    const uint32_t stop_timeout_ms = server->options.stop_timeout_ms;
    bool is_as_needed = options->grace_ms == JZ_GRACE_AS_NEEDED;
    uint32_t as_needed_ms = stop_timeout_ms > close_timeout_ms ? stop_timeout_ms : close_timeout_ms;
    uint32_t grace_ms = is_as_needed ? as_needed_ms : options->grace_ms;
    jz_farewell_write(&server->farewell, options->close_code, (jz_text){options->reason, options->reason_length});
    uint64_t tell_by_ms = jz_clock_ms() + (options->spread_ms < LONGEST_MS ? options->spread_ms : LONGEST_MS);
    /* The first of these first: who reads it last never finds it to be the latest. */
    bring_forward(&server->tell_by_ms, tell_by_ms);
    if (is_as_needed)
        bring_forward(&server->silent_by_ms, tell_by_ms + close_timeout_ms);
    bring_forward(&server->stop_by_ms, tell_by_ms + (grace_ms < LONGEST_MS ? grace_ms : LONGEST_MS));
    atomic_store(&server->stop_is_requested, true);
    jz_server_wake_all(server);
}

jz_stop_options jz_stop_options_default(void)
{
    static const char reason[] = "the server stops";
    return (jz_stop_options){.grace_ms = JZ_GRACE_AS_NEEDED,
                             .close_code = JZ_CLOSE_GOING_AWAY,
                             .reason = reason,
                             .reason_length = sizeof reason - 1};
}

void jz_server_stop(jz_server *server)
{
    const jz_stop_options options = jz_stop_options_default();
    stop(server, &options);
}

void jz_server_stop_within(jz_server *server, uint32_t grace_ms)
{
    jz_stop_options options = jz_stop_options_default();
    options.grace_ms = grace_ms < LONGEST_MS ? grace_ms : LONGEST_MS;
    stop(server, &options);
}

jz_status jz_stop_options_check(const jz_stop_options *options, jz_error *error)
{
    if (jz_close_code_to_send(options->close_code) == 0)
        return jz_report(error, JZ_STATUS_INVALID_OPTION,
                         "cannot stop the server: close_code %u may not be sent; use 1000-1003, 1007-1014, 3000-4999, "
                         "or 1005 to send none",
                         options->close_code);
    if (!jz_utf8_is_valid((const uint8_t *)options->reason, options->reason_length))
        return jz_report(error, JZ_STATUS_INVALID_OPTION, "cannot stop the server: the reason is not UTF-8");
    return JZ_OK;
}

jz_status jz_server_stop_with(jz_server *server, const jz_stop_options *options, jz_error *error)
{
    jz_status status = jz_stop_options_check(options, error);
    if (status == JZ_OK)
        stop(server, options);
    return status;
}

void jz_server_drain(jz_server *server, uint32_t deadline_ms)
{
    if (deadline_ms != JZ_NEVER)
        bring_forward(&server->drain_by_ms, jz_clock_ms() + deadline_ms);
    atomic_store(&server->drain_is_requested, true);
    jz_server_wake_all(server);
}

void jz_server_wait(jz_server *server)
{
    /* A server that runs on its caller's thread ends there. */
    if (server->runs_on_own_threads && atomic_load(&server->state) == JZ_SERVER_RUNNING)
        end_running(server);
}
