#include <inttypes.h>
#include <stdio.h>

#include "platform/cores.h"
#include "shard/server.h"
#include "support/testing.h"

typedef enum width { BITS_8, BITS_32, BITS_64 } width;

/* An option, its offset, and its range according to jazzy/options.h. */
typedef struct option_row {
    const char *name;
    size_t offset;
    width width;
    uint64_t lowest;
    uint64_t highest;
    const char *or_else; /* the name of UINT32_MAX, where that is allowed, too */
} option_row;

_Static_assert(sizeof(size_t) == 8 && sizeof(jz_deflate_mode) == 4, "the widths below are those of 64-bit machines");

static const option_row server_options[] = {
    {"threads", offsetof(jz_options, threads), BITS_32, 1, 255, NULL},
    {"accepting", offsetof(jz_options, accepting), BITS_32, 0, 1, NULL},
    {"worker_threads", offsetof(jz_options, worker_threads), BITS_32, 1, 1024, NULL},
    {"thread_stack_size", offsetof(jz_options, thread_stack_size), BITS_64, 262144, 1073741824, NULL},
    {"backlog", offsetof(jz_options, backlog), BITS_32, 1, 65535, NULL},
    {"receive_buffer_size", offsetof(jz_options, receive_buffer_size), BITS_64, 4096, 16777216, NULL},
    {"max_message_size", offsetof(jz_options, max_message_size), BITS_64, 1, 1073741824, NULL},
    {"backpressure_limit", offsetof(jz_options, backpressure_limit), BITS_64, 4096, UINT64_C(4294967296), NULL},
    {"mailbox_limit", offsetof(jz_options, mailbox_limit), BITS_64, 65536, UINT64_C(4294967296), NULL},
    {"history_limit", offsetof(jz_options, history_limit), BITS_64, 65536, UINT64_C(1099511627776), NULL},
    {"presence_limit", offsetof(jz_options, presence_limit), BITS_64, 65536, UINT64_C(1099511627776), NULL},
    {"max_members", offsetof(jz_options, max_members), BITS_32, 1, UINT32_MAX - 1, "JZ_UNLIMITED"},
    {"max_member_info", offsetof(jz_options, max_member_info), BITS_64, 0, 65536, NULL},
    {"handshake_timeout_ms", offsetof(jz_options, handshake_timeout_ms), BITS_32, 100, 3600000, NULL},
    {"keep_alive_timeout_ms", offsetof(jz_options, keep_alive_timeout_ms), BITS_32, 100, 3600000, NULL},
    {"upgrade_timeout_ms", offsetof(jz_options, upgrade_timeout_ms), BITS_32, 100, 3600000, NULL},
    {"close_timeout_ms", offsetof(jz_options, close_timeout_ms), BITS_32, 100, 3600000, NULL},
    {"stop_timeout_ms", offsetof(jz_options, stop_timeout_ms), BITS_32, 100, 3600000, NULL},
    {"min_send_rate", offsetof(jz_options, min_send_rate), BITS_32, 1, 1073741824, NULL},
    {"idle_timeout_ms", offsetof(jz_options, idle_timeout_ms), BITS_32, 100, 86400000, "JZ_NEVER"},
    {"max_lifetime_ms", offsetof(jz_options, max_lifetime_ms), BITS_32, 100, UINT64_C(2592000000), "JZ_NEVER"},
    {"tcp_keep_alive_ms", offsetof(jz_options, tcp_keep_alive_ms), BITS_32, 1000, 32767000, "JZ_NEVER"},
    {"max_frames_per_message", offsetof(jz_options, max_frames_per_message), BITS_32, 1, UINT32_MAX - 1,
     "JZ_UNLIMITED"},
    {"max_connections", offsetof(jz_options, max_connections), BITS_32, 1, UINT32_MAX - 1, "JZ_UNLIMITED"},
    {"max_connections_per_address", offsetof(jz_options, max_connections_per_address), BITS_32, 1, UINT32_MAX - 1,
     "JZ_UNLIMITED"},
    {"max_handshakes", offsetof(jz_options, max_handshakes), BITS_32, 1, UINT32_MAX - 1, "JZ_UNLIMITED"},
    {"max_head_size", offsetof(jz_options, max_head_size), BITS_32, 256, 65536, NULL},
    {"max_header_count", offsetof(jz_options, max_header_count), BITS_32, 1, 256, NULL},
    {"log_level", offsetof(jz_options, log_level), BITS_32, 0, 3, NULL},
};

static const option_row route_options[] = {
    {"backpressure_policy", offsetof(jz_route_options, backpressure_policy), BITS_32, 0, 2, NULL},
    {"execution", offsetof(jz_route_options, execution), BITS_32, 0, 1, NULL},
    {"max_waiting_events", offsetof(jz_route_options, max_waiting_events), BITS_32, 1, 65536, NULL},
    {"message_rate.exceeding", offsetof(jz_route_options, message_rate.exceeding), BITS_32, 0, 2, NULL},
    {"deflate.mode", offsetof(jz_route_options, deflate.mode), BITS_32, 0, 2, NULL},
    {"deflate.window_bits", offsetof(jz_route_options, deflate.window_bits), BITS_8, 9, 15, NULL},
    {"deflate.memory_level", offsetof(jz_route_options, deflate.memory_level), BITS_8, 1, 9, NULL},
    {"deflate.level", offsetof(jz_route_options, deflate.level), BITS_8, 1, 9, NULL},
};

/* 0 leaves these to the server, or to the system. */
static const option_row inherited_options[] = {
    {"max_message_size", offsetof(jz_route_options, max_message_size), BITS_64, 1, 1073741824, NULL},
    {"backpressure_limit", offsetof(jz_route_options, backpressure_limit), BITS_64, 4096, UINT64_C(4294967296), NULL},
    {"kernel_send_limit", offsetof(jz_route_options, kernel_send_limit), BITS_32, 4096, 1073741824, NULL},
    {"upgrade_timeout_ms", offsetof(jz_route_options, upgrade_timeout_ms), BITS_32, 100, 3600000, NULL},
    {"idle_timeout_ms", offsetof(jz_route_options, idle_timeout_ms), BITS_32, 100, 86400000, "JZ_NEVER"},
    {"max_lifetime_ms", offsetof(jz_route_options, max_lifetime_ms), BITS_32, 100, UINT64_C(2592000000), "JZ_NEVER"},
    {"max_frames_per_message", offsetof(jz_route_options, max_frames_per_message), BITS_32, 1, UINT32_MAX - 1,
     "JZ_UNLIMITED"},
    {"message_rate.per_second", offsetof(jz_route_options, message_rate.per_second), BITS_32, 1, 1000000, NULL},
};

static uint64_t most_of(width width)
{
    static const uint64_t most[] = {[BITS_8] = UINT8_MAX, [BITS_32] = UINT32_MAX, [BITS_64] = UINT64_MAX};
    return most[width];
}

static void put(void *options, const option_row *row, uint64_t value)
{
    uint8_t *field = (uint8_t *)options + row->offset;
    uint8_t narrow = (uint8_t)value;
    uint32_t middle = (uint32_t)value;
    if (row->width == BITS_8)
        memcpy(field, &narrow, sizeof narrow);
    else if (row->width == BITS_32)
        memcpy(field, &middle, sizeof middle);
    else
        memcpy(field, &value, sizeof value);
}

typedef enum subject { SERVER, ROUTE } subject;

/* Checks default options but for one, which has this value. */
static jz_status check(subject subject, const option_row *row, uint64_t value, jz_error *error)
{
    if (subject == SERVER) {
        jz_options options = jz_options_default();
        put(&options, row, value);
        return jz_options_check(&options, error);
    }
    jz_route_options options = jz_route_options_default();
    put(&options, row, value);
    return jz_route_options_check(&options, error);
}

static void expect_accepted(subject subject, const option_row *row, uint64_t value)
{
    jz_error error = {.status = JZ_OK, .message = "untouched"};
    assert_that(check(subject, row, value, &error) == JZ_OK, "%s = %" PRIu64 ": %s", row->name, value, error.message);
    assert_string_equal(error.message, "untouched");
}

static void expect_refused(subject subject, const option_row *row, uint64_t value)
{
    char expected[256];
    snprintf(expected, sizeof expected, "option %s is %" PRIu64 "; it has to be from %" PRIu64 " to %" PRIu64 "%s%s",
             row->name, value, row->lowest, row->highest, row->or_else != NULL ? ", or " : "",
             row->or_else != NULL ? row->or_else : "");
    jz_error error = {.status = JZ_OK, .message = ""};
    assert_that(check(subject, row, value, &error) == JZ_STATUS_INVALID_OPTION, "%s = %" PRIu64 ": accepted", row->name,
                value);
    assert_int_equal(error.status, JZ_STATUS_INVALID_OPTION);
    assert_string_equal(error.message, expected);
    assert_int_equal(check(subject, row, value, NULL), JZ_STATUS_INVALID_OPTION);
}

static void expect_range(subject subject, const option_row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        expect_accepted(subject, &rows[i], rows[i].lowest);
        expect_accepted(subject, &rows[i], rows[i].lowest + 1);
        expect_accepted(subject, &rows[i], rows[i].highest - 1);
        expect_accepted(subject, &rows[i], rows[i].highest);
        if (rows[i].or_else != NULL)
            expect_accepted(subject, &rows[i], UINT32_MAX);
        else
            expect_refused(subject, &rows[i], most_of(rows[i].width));
        if (rows[i].or_else == NULL || rows[i].highest + 1 < UINT32_MAX)
            expect_refused(subject, &rows[i], rows[i].highest + 1);
        if (rows[i].lowest > 1)
            expect_refused(subject, &rows[i], rows[i].lowest - 1);
    }
}

static void every_option_of_a_server_has_its_range(void **state)
{
    (void)state;
    expect_range(SERVER, server_options, COUNT_OF(server_options));
    for (size_t i = 0; i < COUNT_OF(server_options); i++) {
        if (server_options[i].lowest > 0)
            expect_refused(SERVER, &server_options[i], 0);
    }
}

static void every_option_of_a_route_has_its_range(void **state)
{
    (void)state;
    expect_range(ROUTE, route_options, COUNT_OF(route_options));
    expect_range(ROUTE, inherited_options, COUNT_OF(inherited_options));
    for (size_t i = 0; i < COUNT_OF(inherited_options); i++)
        expect_accepted(ROUTE, &inherited_options[i], 0);
}

static void any_message_may_be_too_small_to_compress(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 1, SIZE_MAX};
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        jz_route_options options = jz_route_options_default();
        options.deflate.min_message_size = sizes[i];
        assert_int_equal(jz_route_options_check(&options, NULL), JZ_OK);
    }
}

static void the_defaults_are_those_of_the_manual(void **state)
{
    (void)state;
    jz_options server = jz_options_default();
    assert_int_equal(jz_options_check(&server, NULL), JZ_OK);
    assert_int_equal(server.threads, jz_core_count());
    assert_int_equal(server.accepting, JZ_ACCEPTING_SHARED_PORT);
    assert_int_equal(server.worker_threads, 8);
    assert_int_equal(server.thread_stack_size, 8388608);
    assert_int_equal(server.backlog, 4096);
    assert_int_equal(server.receive_buffer_size, 524288);
    assert_int_equal(server.max_message_size, 1048576);
    assert_int_equal(server.backpressure_limit, 1048576);
    assert_int_equal(server.mailbox_limit, 67108864);
    assert_int_equal(server.history_limit, 67108864);
    assert_int_equal(server.presence_limit, 268435456);
    assert_int_equal(server.max_members, 100000);
    assert_int_equal(server.max_member_info, 1024);
    assert_int_equal(server.handshake_timeout_ms, 10000);
    assert_int_equal(server.upgrade_timeout_ms, 10000);
    assert_int_equal(server.idle_timeout_ms, 120000);
    assert_int_equal(server.max_lifetime_ms, JZ_NEVER);
    assert_int_equal(server.close_timeout_ms, 5000);
    assert_int_equal(server.tcp_keep_alive_ms, 120000);
    assert_int_equal(server.max_frames_per_message, 65536);
    assert_int_equal(server.max_connections, JZ_UNLIMITED);
    assert_int_equal(server.max_connections_per_address, JZ_UNLIMITED);
    assert_int_equal(server.max_handshakes, JZ_UNLIMITED);
    assert_int_equal(server.max_head_size, 8192);
    assert_int_equal(server.max_header_count, 64);
    assert_int_equal(server.client_address, JZ_CLIENT_ADDRESS_PEER);
    assert_null(server.client_address_header);
    assert_int_equal(server.trusted_proxy_count, 0);
    assert_null(server.log);
    assert_null(server.log_context);
    assert_int_equal(server.log_level, JZ_LOG_INFO);

    jz_route_options route = jz_route_options_default();
    assert_int_equal(jz_route_options_check(&route, NULL), JZ_OK);
    assert_int_equal(route.max_message_size, 0);
    assert_int_equal(route.backpressure_policy, JZ_BACKPRESSURE_DROP);
    assert_int_equal(route.execution, JZ_EXECUTION_LOOP);
    assert_int_equal(route.max_waiting_events, 256);
    assert_null(route.release_state);
    assert_null(route.upgrade);
    assert_int_equal(route.origin_policy, JZ_ORIGIN_SAME_HOST);
    assert_int_equal(route.allowed_origin_count, 0);
    assert_int_equal(route.subprotocol_count, 0);
    assert_int_equal(route.deflate.mode, JZ_DEFLATE_OFF);
    assert_int_equal(route.deflate.window_bits, 15);
    assert_int_equal(route.deflate.memory_level, 8);
    assert_int_equal(route.deflate.level, 6);
    assert_int_equal(route.deflate.min_message_size, 64);
}

static void options_that_were_not_filled_in_are_refused(void **state)
{
    (void)state;
    jz_error error;
    const jz_options server = {0};
    assert_int_equal(jz_options_check(&server, &error), JZ_STATUS_INVALID_OPTION);
    assert_string_equal(error.message, "option threads is 0; it has to be from 1 to 255");
    const jz_route_options route = {0};
    assert_int_equal(jz_route_options_check(&route, &error), JZ_STATUS_INVALID_OPTION);
    assert_string_equal(error.message, "option max_waiting_events is 0; it has to be from 1 to 65536");
}

static void expect_refusal(jz_status status, const jz_error *error, const char *part)
{
    assert_int_equal(status, JZ_STATUS_INVALID_OPTION);
    assert_that(strstr(error->message, part) != NULL, "\"%s\" says nothing of \"%s\"", error->message, part);
}

static void lists_are_checked_item_by_item(void **state)
{
    (void)state;
    static const char *const wrong[] = {"https://example.com/path", "10.0.0.1/8", "not a token"};
    static const char *const right[] = {"https://example.com:8443"};
    static const char *const proxies[] = {"10.0.0.0/8", "::1", "unix"};
    jz_error error;
    jz_route_options route = jz_route_options_default();
    route.origin_policy = JZ_ORIGIN_LISTED;
    expect_refusal(jz_route_options_check(&route, &error), &error, "allowed_origins");
    route.allowed_origin_count = 1;
    route.allowed_origins = wrong;
    expect_refusal(jz_route_options_check(&route, &error), &error, "https://example.com/path");
    route.allowed_origins = right;
    assert_int_equal(jz_route_options_check(&route, NULL), JZ_OK);
    route.subprotocol_count = 1;
    route.subprotocols = wrong + 2;
    expect_refusal(jz_route_options_check(&route, &error), &error, "not a token");

    jz_options server = jz_options_default();
    server.client_address = JZ_CLIENT_ADDRESS_FORWARDED;
    expect_refusal(jz_options_check(&server, &error), &error, "trusted_proxies");
    server.trusted_proxy_count = COUNT_OF(proxies);
    server.trusted_proxies = proxies;
    assert_int_equal(jz_options_check(&server, NULL), JZ_OK);
    jz_network networks[COUNT_OF(proxies)];
    assert_int_equal(jz_options_parse_proxies(&server, networks, NULL), JZ_OK);
    server.trusted_proxies = wrong;
    expect_refusal(jz_options_parse_proxies(&server, networks, &error), &error, "https://example.com/path");
}

static void a_burst_has_its_range_and_belongs_to_a_rate(void **state)
{
    (void)state;
    jz_error error;
    jz_route_options route = jz_route_options_default();
    assert_int_equal(route.message_rate.per_second, 0);
    route.message_rate.burst = 1;
    expect_refusal(jz_route_options_check(&route, &error), &error,
                   "option message_rate.burst is 1, and there is no limit for which it counts; set "
                   "message_rate.per_second, too");
    route.message_rate.per_second = 1;
    assert_int_equal(jz_route_options_check(&route, NULL), JZ_OK);
    route.message_rate.burst = 1000000;
    assert_int_equal(jz_route_options_check(&route, NULL), JZ_OK);
    route.message_rate.burst = 1000001;
    expect_refusal(jz_route_options_check(&route, &error), &error,
                   "option message_rate.burst is 1000001; it has to be from 1 to 1000000");
    route.message_rate.burst = 0;
    route.message_rate.per_second = 30;
    const jz_options server = jz_options_default();
    jz_route_options kept;
    assert_true(jz_route_options_adopt(&kept, &route, &server));
    assert_int_equal(kept.message_rate.burst, 30);
}

static const struct {
    jz_client_address where;
    const char *name;
    const char *words; /* NULL: it is right */
} headers[] = {
    {JZ_CLIENT_ADDRESS_HEADER, "CF-Connecting-IP", NULL},
    {JZ_CLIENT_ADDRESS_HEADER, "x-real-ip", NULL},
    {JZ_CLIENT_ADDRESS_HEADER, NULL, "option client_address_header is \"\"; it has to be the name of a header"},
    {JZ_CLIENT_ADDRESS_HEADER, "", "option client_address_header is \"\"; it has to be the name of a header"},
    {JZ_CLIENT_ADDRESS_HEADER, "X Real IP", "is \"X Real IP\"; it has to be the name of a header (a token"},
    {JZ_CLIENT_ADDRESS_HEADER, "X-Real-IP:", "such as CF-Connecting-IP"},
    {JZ_CLIENT_ADDRESS_HEADER, "X-Real-IP\r\n", "such as CF-Connecting-IP"},
    {JZ_CLIENT_ADDRESS_HEADER, "X-\xC3\xA4", "such as CF-Connecting-IP"},
    {JZ_CLIENT_ADDRESS_HEADER, "x-forwarded-for", "there is a client_address of its own for it"},
    {JZ_CLIENT_ADDRESS_HEADER, "Forwarded", "there is a client_address of its own for it"},
    {JZ_CLIENT_ADDRESS_FORWARDED, "X-Real-IP", "is used only if client_address is JZ_CLIENT_ADDRESS_HEADER"},
    {JZ_CLIENT_ADDRESS_PEER, "X-Real-IP", "is used only if client_address is JZ_CLIENT_ADDRESS_HEADER"},
};

static void the_header_of_an_address_is_named_by_a_token_and_only_where_it_is_used(void **state)
{
    (void)state;
    static const char *const proxies[] = {"::1"};
    for (size_t i = 0; i < COUNT_OF(headers); i++) {
        jz_error error = {.message = ""};
        jz_options options = jz_options_default();
        options.client_address = headers[i].where;
        options.client_address_header = headers[i].name;
        options.trusted_proxies = proxies;
        options.trusted_proxy_count = 1;
        jz_status status = jz_options_check(&options, &error);
        if (headers[i].words == NULL)
            assert_that(status == JZ_OK, "%s", error.message);
        else
            expect_refusal(status, &error, headers[i].words);
        options.trusted_proxy_count = 0;
        if (headers[i].where != JZ_CLIENT_ADDRESS_PEER)
            assert_int_equal(jz_options_check(&options, NULL), JZ_STATUS_INVALID_OPTION);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_option_of_a_server_has_its_range),
        cmocka_unit_test(every_option_of_a_route_has_its_range),
        cmocka_unit_test(any_message_may_be_too_small_to_compress),
        cmocka_unit_test(the_defaults_are_those_of_the_manual),
        cmocka_unit_test(options_that_were_not_filled_in_are_refused),
        cmocka_unit_test(lists_are_checked_item_by_item),
        cmocka_unit_test(a_burst_has_its_range_and_belongs_to_a_rate),
        cmocka_unit_test(the_header_of_an_address_is_named_by_a_token_and_only_where_it_is_used),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("options", tests, NULL, NULL));
}
