#include "config/options.h"

#include <inttypes.h>

#include "codec/origin.h"
#include "codec/request_head.h"
#include "codec/token.h"
#include "platform/cores.h"
#include "loop/report.h"
#include "config/strings.h"

enum { MOST_STRINGS = 1024, MOST_SUBPROTOCOLS = 256 };

#define KIB UINT64_C(1024)
#define MIB (KIB * 1024)
#define GIB (MIB * 1024)

jz_options jz_options_default(void)
{
    return (jz_options){
        .threads = jz_core_count() < JZ_MAX_THREADS ? jz_core_count() : JZ_MAX_THREADS,
        .worker_threads = 8,
        .thread_stack_size = 8 * MIB,
        .backlog = 4096,
        .receive_buffer_size = 512 * KIB,
        .max_message_size = 1 * MIB,
        .backpressure_limit = 1 * MIB,
        .mailbox_limit = 64 * MIB,
        .history_limit = 64 * MIB,
        .presence_limit = 256 * MIB,
        .max_members = 100000,
        .max_member_info = 1 * KIB,
        .max_frames_per_message = 65536,
        .handshake_timeout_ms = 10000,
        .keep_alive_timeout_ms = 75000,
        .upgrade_timeout_ms = 10000,
        .idle_timeout_ms = 120000,
        .max_lifetime_ms = JZ_NEVER,
        .close_timeout_ms = 5000,
        .stop_timeout_ms = 120000,
        .min_send_rate = 256,
        .tcp_keep_alive_ms = 120000,
        .max_connections = JZ_UNLIMITED,
        .max_connections_per_address = JZ_UNLIMITED,
        .max_handshakes = JZ_UNLIMITED,
        .max_head_size = JZ_DEFAULT_HEAD_LENGTH,
        .max_header_count = JZ_DEFAULT_HEADERS,
        .log_level = JZ_LOG_INFO,
    };
}

jz_route_options jz_route_options_default(void)
{
    return (jz_route_options){
        .control_messages = true,
        .max_waiting_events = 256,
        .deflate = {.mode = JZ_DEFLATE_OFF, .window_bits = 15, .memory_level = 8, .level = 6, .min_message_size = 64}};
}

typedef struct range {
    const char *name;
    uint64_t value;
    uint64_t lowest;
    uint64_t highest;
    const char *or_else; /* the name of UINT32_MAX, if that is allowed, too; else NULL */
} range;

/* Also allows 0: the server's option of that name, which has the same range, or the system's default counts. */
static range left_open(range option)
{
    if (option.value == 0)
        option.lowest = 0;
    return option;
}

static jz_status check_ranges(const range *ranges, size_t count, jz_error *error)
{
    for (size_t i = 0; i < count; i++) {
        const range *option = &ranges[i];
        if (option->or_else != NULL && option->value == UINT32_MAX)
            continue;
        if (option->value < option->lowest || option->value > option->highest)
            return jz_report(error, JZ_STATUS_INVALID_OPTION,
                             "option %s is %" PRIu64 "; it has to be from %" PRIu64 " to %" PRIu64 "%s%s", option->name,
                             option->value, option->lowest, option->highest, option->or_else != NULL ? ", or " : "",
                             option->or_else != NULL ? option->or_else : "");
    }
    return JZ_OK;
}

static range max_message_size_range(size_t value)
{
    return (range){"max_message_size", value, 1, 1 * GIB, NULL};
}

static range max_frames_range(uint32_t value)
{
    return (range){"max_frames_per_message", value, 1, UINT32_MAX - 1, "JZ_UNLIMITED"};
}

static range backpressure_limit_range(size_t value)
{
    return (range){"backpressure_limit", value, 4 * KIB, 4 * GIB, NULL};
}

static range idle_timeout_range(uint32_t value)
{
    return (range){"idle_timeout_ms", value, 100, 86400000, "JZ_NEVER"};
}

static range max_lifetime_range(uint32_t value)
{
    return (range){"max_lifetime_ms", value, 100, UINT64_C(2592000000), "JZ_NEVER"};
}

static range upgrade_timeout_range(uint32_t value)
{
    return (range){"upgrade_timeout_ms", value, 100, 3600000, NULL};
}

static jz_status check_client_address_header(const jz_options *options, jz_error *error)
{
    bool is_used = options->client_address == JZ_CLIENT_ADDRESS_HEADER;
    const char *name = options->client_address_header != NULL ? options->client_address_header : "";
    jz_text text = jz_text_of(name);
    if (!is_used && options->client_address_header != NULL)
        return jz_report(error, JZ_STATUS_INVALID_OPTION,
                         "option client_address_header is \"%.100s\", and is used only if client_address is "
                         "JZ_CLIENT_ADDRESS_HEADER; set both, or leave it NULL",
                         name);
    if (is_used && !jz_is_token(text))
        return jz_report(error, JZ_STATUS_INVALID_OPTION,
                         "option client_address_header is \"%.100s\"; it has to be the name of a header (a token, RFC "
                         "9110, 5.6.2), such as CF-Connecting-IP",
                         name);
    if (is_used && (jz_text_equals_ignoring_case(text, jz_text_of("X-Forwarded-For")) ||
                    jz_text_equals_ignoring_case(text, jz_text_of("Forwarded"))))
        return jz_report(error, JZ_STATUS_INVALID_OPTION,
                         "option client_address_header is \"%.100s\", which is a list of addresses; there is a "
                         "client_address of its own for it",
                         name);
    return JZ_OK;
}

jz_status jz_options_check(const jz_options *options, jz_error *error)
{
    const range ranges[] = {
        {"threads", options->threads, 1, JZ_MAX_THREADS, NULL},
        {"accepting", (uint64_t)options->accepting, JZ_ACCEPTING_SHARED_PORT, JZ_ACCEPTING_HAND_OVER, NULL},
        {"worker_threads", options->worker_threads, 1, 1024, NULL},
        {"thread_stack_size", options->thread_stack_size, 256 * KIB, 1 * GIB, NULL},
        {"backlog", options->backlog, 1, 65535, NULL},
        {"receive_buffer_size", options->receive_buffer_size, 4 * KIB, 16 * MIB, NULL},
        {"mailbox_limit", options->mailbox_limit, 64 * KIB, 4 * GIB, NULL},
        {"history_limit", options->history_limit, 64 * KIB, 1024 * GIB, NULL},
        {"presence_limit", options->presence_limit, 64 * KIB, 1024 * GIB, NULL},
        {"max_members", options->max_members, 1, UINT32_MAX - 1, "JZ_UNLIMITED"},
        {"max_member_info", options->max_member_info, 0, 64 * KIB, NULL},
        max_message_size_range(options->max_message_size),
        max_frames_range(options->max_frames_per_message),
        backpressure_limit_range(options->backpressure_limit),
        {"handshake_timeout_ms", options->handshake_timeout_ms, 100, 3600000, NULL},
        {"keep_alive_timeout_ms", options->keep_alive_timeout_ms, 100, 3600000, NULL},
        upgrade_timeout_range(options->upgrade_timeout_ms),
        idle_timeout_range(options->idle_timeout_ms),
        max_lifetime_range(options->max_lifetime_ms),
        {"close_timeout_ms", options->close_timeout_ms, 100, 3600000, NULL},
        {"stop_timeout_ms", options->stop_timeout_ms, 100, 3600000, NULL},
        {"min_send_rate", options->min_send_rate, 1, 1 * GIB, NULL},
        {"tcp_keep_alive_ms", options->tcp_keep_alive_ms, 1000, 32767000, "JZ_NEVER"},
        {"max_connections", options->max_connections, 1, UINT32_MAX - 1, "JZ_UNLIMITED"},
        {"max_connections_per_address", options->max_connections_per_address, 1, UINT32_MAX - 1, "JZ_UNLIMITED"},
        {"max_handshakes", options->max_handshakes, 1, UINT32_MAX - 1, "JZ_UNLIMITED"},
        {"max_head_size", options->max_head_size, 256, JZ_MAX_HEAD_LENGTH, NULL},
        {"max_header_count", options->max_header_count, 1, JZ_MAX_HEADERS, NULL},
        {"client_address", (uint64_t)options->client_address, JZ_CLIENT_ADDRESS_PEER, JZ_CLIENT_ADDRESS_HEADER, NULL},
        {"forwarded_host", (uint64_t)options->forwarded_host, JZ_FORWARDED_HOST_NONE, JZ_FORWARDED_HOST_FORWARDED,
         NULL},
        {"trusted_proxy_count", options->trusted_proxy_count, 0, MOST_STRINGS, NULL},
        {"log_level", (uint64_t)options->log_level, JZ_LOG_DEBUG, JZ_LOG_ERROR, NULL},
    };
    jz_status status = check_ranges(ranges, sizeof ranges / sizeof ranges[0], error);
    if (status == JZ_OK)
        status = check_client_address_header(options, error);
    if (status == JZ_OK && options->client_address != JZ_CLIENT_ADDRESS_PEER && options->trusted_proxy_count == 0)
        status = jz_report(error, JZ_STATUS_INVALID_OPTION,
                           "option client_address trusts what proxies say; name them in trusted_proxies");
    if (status == JZ_OK && options->forwarded_host != JZ_FORWARDED_HOST_NONE && options->trusted_proxy_count == 0)
        status = jz_report(error, JZ_STATUS_INVALID_OPTION,
                           "option forwarded_host trusts what proxies say; name them in trusted_proxies");
    if (status == JZ_OK && options->forwarded_host != JZ_FORWARDED_HOST_NONE &&
        options->client_address == JZ_CLIENT_ADDRESS_PROXY_PROTOCOL)
        status = jz_report(error, JZ_STATUS_INVALID_OPTION,
                           "option forwarded_host takes a header, and with client_address "
                           "JZ_CLIENT_ADDRESS_PROXY_PROTOCOL headers are the client's own; take the address from a "
                           "header, too");
    return status;
}

jz_status jz_options_parse_proxies(const jz_options *options, jz_network *networks, jz_error *error)
{
    for (size_t i = 0; i < options->trusted_proxy_count; i++) {
        const char *text = options->trusted_proxies[i];
        if (text == NULL || !jz_network_parse(jz_text_of(text), &networks[i]))
            return jz_report(error, JZ_STATUS_INVALID_OPTION,
                             "option trusted_proxies has \"%.100s\"; it has to be an address such as 192.0.2.7, a "
                             "network such as 2001:db8::/32, or unix",
                             text != NULL ? text : "");
    }
    return JZ_OK;
}

static jz_status check_origins(const jz_route_options *options, jz_error *error)
{
    for (size_t i = 0; i < options->allowed_origin_count; i++) {
        const char *origin = options->allowed_origins[i];
        if (origin == NULL || !jz_origin_may_be_listed(jz_text_of(origin)))
            return jz_report(error, JZ_STATUS_INVALID_OPTION,
                             "option allowed_origins has \"%.100s\"; it has to be as in https://example.com or "
                             "http://localhost:3000, without a path, or null or file://",
                             origin != NULL ? origin : "");
    }
    if (options->origin_policy == JZ_ORIGIN_LISTED && options->allowed_origin_count == 0)
        return jz_report(error, JZ_STATUS_INVALID_OPTION,
                         "option origin_policy allows the origins that are listed; list them in allowed_origins");
    return JZ_OK;
}

static jz_status check_subprotocols(const jz_route_options *options, jz_error *error)
{
    for (size_t i = 0; i < options->subprotocol_count; i++) {
        const char *subprotocol = options->subprotocols[i];
        if (subprotocol == NULL || !jz_is_token(jz_text_of(subprotocol)))
            return jz_report(error, JZ_STATUS_INVALID_OPTION,
                             "option subprotocols has \"%.100s\"; it has to be a token (RFC 9110, 5.6.2), such as "
                             "v2.chat.example.com",
                             subprotocol != NULL ? subprotocol : "");
    }
    return JZ_OK;
}

jz_status jz_route_options_check(const jz_route_options *options, jz_error *error)
{
    const jz_deflate_options *deflate = &options->deflate;
    const range ranges[] = {
        left_open(max_message_size_range(options->max_message_size)),
        left_open(max_frames_range(options->max_frames_per_message)),
        left_open(backpressure_limit_range(options->backpressure_limit)),
        left_open(idle_timeout_range(options->idle_timeout_ms)),
        left_open(max_lifetime_range(options->max_lifetime_ms)),
        left_open(upgrade_timeout_range(options->upgrade_timeout_ms)),
        {"backpressure_policy", (uint64_t)options->backpressure_policy, JZ_BACKPRESSURE_DROP, JZ_BACKPRESSURE_REPORT,
         NULL},
        left_open((range){"kernel_send_limit", options->kernel_send_limit, 4 * KIB, 1 * GIB, NULL}),
        {"execution", (uint64_t)options->execution, JZ_EXECUTION_LOOP, JZ_EXECUTION_WORKERS, NULL},
        {"max_waiting_events", options->max_waiting_events, 1, 65536, NULL},
        {"origin_policy", (uint64_t)options->origin_policy, JZ_ORIGIN_SAME_HOST, JZ_ORIGIN_ANY, NULL},
        {"allowed_origin_count", options->allowed_origin_count, 0, MOST_STRINGS, NULL},
        {"subprotocol_count", options->subprotocol_count, 0, MOST_SUBPROTOCOLS, NULL},
        {"deflate.mode", (uint64_t)deflate->mode, JZ_DEFLATE_OFF, JZ_DEFLATE_DEDICATED, NULL},
        {"deflate.window_bits", deflate->window_bits, 9, 15, NULL},
        {"deflate.memory_level", deflate->memory_level, 1, 9, NULL},
        {"deflate.level", deflate->level, 1, 9, NULL},
        left_open((range){"message_rate.per_second", options->message_rate.per_second, 1, JZ_MAX_MESSAGE_RATE, NULL}),
        left_open((range){"message_rate.burst", options->message_rate.burst, 1, JZ_MAX_MESSAGE_RATE, NULL}),
        {"message_rate.exceeding", (uint64_t)options->message_rate.exceeding, JZ_EXCEEDING_CLOSE, JZ_EXCEEDING_DROP,
         NULL},
    };
    jz_status status = check_ranges(ranges, sizeof ranges / sizeof ranges[0], error);
    if (status == JZ_OK)
        status = check_origins(options, error);
    if (status == JZ_OK)
        status = check_subprotocols(options, error);
    if (status == JZ_OK && options->message_rate.per_second == 0 && options->message_rate.burst > 0)
        status = jz_report(error, JZ_STATUS_INVALID_OPTION,
                           "option message_rate.burst is %" PRIu32 ", and there is no limit for which it counts; set "
                           "message_rate.per_second, too",
                           options->message_rate.burst);
    return status;
}

/* Fills in the server's value where the route has none. */
static void resolve(jz_route_options *route, const jz_options *server)
{
    if (route->max_message_size == 0)
        route->max_message_size = server->max_message_size;
    if (route->max_frames_per_message == 0)
        route->max_frames_per_message = server->max_frames_per_message;
    if (route->backpressure_limit == 0)
        route->backpressure_limit = server->backpressure_limit;
    if (route->idle_timeout_ms == 0)
        route->idle_timeout_ms = server->idle_timeout_ms;
    if (route->max_lifetime_ms == 0)
        route->max_lifetime_ms = server->max_lifetime_ms;
    if (route->upgrade_timeout_ms == 0)
        route->upgrade_timeout_ms = server->upgrade_timeout_ms;
    if (route->message_rate.burst == 0)
        route->message_rate.burst = route->message_rate.per_second;
}

bool jz_route_options_adopt(jz_route_options *kept, const jz_route_options *given, const jz_options *server)
{
    jz_route_options options = *given;
    resolve(&options, server);
    if (!jz_strings_copy(&options.allowed_origins, options.allowed_origin_count))
        return false;
    if (!jz_strings_copy(&options.subprotocols, options.subprotocol_count)) {
        jz_strings_free(options.allowed_origins, options.allowed_origin_count);
        return false;
    }
    *kept = options;
    return true;
}
