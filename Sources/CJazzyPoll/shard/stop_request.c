#include "shard/stop_request.h"

#include "codec/close_code.h"
#include "codec/utf8.h"
#include "loop/report.h"
#include "shard/server.h"

enum { LONGEST_MS = 3600000 };

bool jz_server_has_told_all(const jz_server *server)
{
    return atomic_load(&server->stop_is_requested) && jz_clock_ms() >= atomic_load(&server->tell_by_ms);
}

bool jz_server_has_drained(const jz_server *server)
{
    return atomic_load(&server->drain_is_requested) && atomic_load(&server->listening_count) == 0 &&
           atomic_load(&server->admission.connections) == 0;
}

void jz_server_leave(jz_server *server, bool is_handshake)
{
    if (jz_admission_leave(&server->admission, is_handshake) == 0 && atomic_load(&server->drain_is_requested))
        jz_server_wake_all(server);
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

/* Makes a deadline earlier, never later. */
static void bring_forward(_Atomic uint64_t *time_ms, uint64_t to_ms)
{
    uint64_t before = atomic_load(time_ms);
    while (to_ms < before && !atomic_compare_exchange_weak(time_ms, &before, to_ms))
        continue;
}

/*
 * Requests the stop. The code is valid to send, the reason UTF-8. Also called in signal handlers, so nothing here may
 * wait.
 */
static void stop(jz_server *server, const jz_stop_options *options)
{
    const uint32_t close_timeout_ms = server->options.close_timeout_ms;
    const uint32_t stop_timeout_ms = server->options.stop_timeout_ms;
    bool is_as_needed = options->grace_ms == JZ_GRACE_AS_NEEDED;
    uint32_t as_needed_ms = stop_timeout_ms > close_timeout_ms ? stop_timeout_ms : close_timeout_ms;
    uint32_t grace_ms = is_as_needed ? as_needed_ms : options->grace_ms;
    jz_farewell_write(&server->farewell, options->close_code, (jz_text){options->reason, options->reason_length});
    uint64_t tell_by_ms = jz_clock_ms() + (options->spread_ms < LONGEST_MS ? options->spread_ms : LONGEST_MS);
    /* In ascending order: a thread that reads tell_by_ms last never finds it later than the others. */
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
