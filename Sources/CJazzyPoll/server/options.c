#include <inttypes.h>
#include <stddef.h>

#include "../loop/cores.h"
#include "../loop/report.h"
#include "server.h"

#define KIB UINT64_C(1024)
#define MIB (KIB * 1024)
#define GIB (MIB * 1024)

jz_options jz_options_default(void)
{
    return (jz_options){
        .threads = jz_core_count() < JZ_MAX_THREADS ? jz_core_count() : JZ_MAX_THREADS,
        .worker_threads = 8,
        .backlog = 4096,
        .receive_buffer_size = 512 * KIB,
        .max_message_size = 1 * MIB,
        .backpressure_limit = 1 * MIB,
        .mailbox_limit = 64 * MIB,
        .handshake_timeout_ms = 10000,
        .close_timeout_ms = 5000,
    };
}

jz_route_options jz_route_options_default(void)
{
    return (jz_route_options){
        .max_waiting_events = 256,
        .deflate = {.mode = JZ_DEFLATE_OFF, .window_bits = 15, .memory_level = 8, .level = 6, .min_message_size = 64}};
}

typedef struct range {
    const char *name;
    uint64_t value;
    uint64_t lowest;
    uint64_t highest;
} range;

static jz_status check_ranges(const range *ranges, size_t count, jz_error *error)
{
    for (size_t i = 0; i < count; i++) {
        if (ranges[i].value < ranges[i].lowest || ranges[i].value > ranges[i].highest)
            return jz_report(error, JZ_STATUS_INVALID_OPTION,
                             "option %s is %" PRIu64 "; it has to be from %" PRIu64 " to %" PRIu64, ranges[i].name,
                             ranges[i].value, ranges[i].lowest, ranges[i].highest);
    }
    return JZ_OK;
}

jz_status jz_options_check(const jz_options *options, jz_error *error)
{
    const range ranges[] = {
        {"threads", options->threads, 1, JZ_MAX_THREADS},
        {"accepting", (uint64_t)options->accepting, JZ_ACCEPTING_SHARED_PORT, JZ_ACCEPTING_HAND_OVER},
        {"worker_threads", options->worker_threads, 1, 1024},
        {"backlog", options->backlog, 1, 65535},
        {"receive_buffer_size", options->receive_buffer_size, 4 * KIB, 16 * MIB},
        {"max_message_size", options->max_message_size, 1, 1 * GIB},
        {"backpressure_limit", options->backpressure_limit, 4 * KIB, 4 * GIB},
        {"mailbox_limit", options->mailbox_limit, 64 * KIB, 4 * GIB},
        {"handshake_timeout_ms", options->handshake_timeout_ms, 100, 3600000},
        {"close_timeout_ms", options->close_timeout_ms, 100, 3600000},
    };
    return check_ranges(ranges, sizeof ranges / sizeof ranges[0], error);
}

jz_status jz_route_options_check(const jz_route_options *options, jz_error *error)
{
    const jz_deflate_options *deflate = &options->deflate;
    const range ranges[] = {
        {"max_message_size", options->max_message_size, 0, 1 * GIB},
        {"backpressure_policy", (uint64_t)options->backpressure_policy, JZ_BACKPRESSURE_DROP, JZ_BACKPRESSURE_CLOSE},
        {"execution", (uint64_t)options->execution, JZ_EXECUTION_LOOP, JZ_EXECUTION_WORKERS},
        {"max_waiting_events", options->max_waiting_events, 1, 65536},
        {"deflate.mode", (uint64_t)deflate->mode, JZ_DEFLATE_OFF, JZ_DEFLATE_DEDICATED},
        {"deflate.window_bits", deflate->window_bits, 9, 15},
        {"deflate.memory_level", deflate->memory_level, 1, 9},
        {"deflate.level", deflate->level, 1, 9},
    };
    return check_ranges(ranges, sizeof ranges / sizeof ranges[0], error);
}
