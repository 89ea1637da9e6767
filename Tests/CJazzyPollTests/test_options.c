#include <inttypes.h>
#include <stdio.h>

#include "../../Sources/CJazzyPoll/loop/cores.h"
#include "../../Sources/CJazzyPoll/server/server.h"
#include "support/testing.h"

typedef enum width { BITS_8, BITS_32, BITS_64 } width;

/* An option, where it lies, and the range that jazzy/server.h promises. */
typedef struct option_row {
    const char *name;
    size_t offset;
    width width;
    uint64_t lowest;
    uint64_t highest;
} option_row;

_Static_assert(sizeof(size_t) == 8 && sizeof(jz_deflate_mode) == 4, "the widths below are those of 64-bit machines");

static const option_row server_options[] = {
    {"threads", offsetof(jz_options, threads), BITS_32, 1, 255},
    {"accepting", offsetof(jz_options, accepting), BITS_32, 0, 1},
    {"worker_threads", offsetof(jz_options, worker_threads), BITS_32, 1, 1024},
    {"backlog", offsetof(jz_options, backlog), BITS_32, 1, 65535},
    {"receive_buffer_size", offsetof(jz_options, receive_buffer_size), BITS_64, 4096, 16777216},
    {"max_message_size", offsetof(jz_options, max_message_size), BITS_64, 1, 1073741824},
    {"backpressure_limit", offsetof(jz_options, backpressure_limit), BITS_64, 4096, UINT64_C(4294967296)},
    {"mailbox_limit", offsetof(jz_options, mailbox_limit), BITS_64, 65536, UINT64_C(4294967296)},
    {"handshake_timeout_ms", offsetof(jz_options, handshake_timeout_ms), BITS_32, 100, 3600000},
    {"close_timeout_ms", offsetof(jz_options, close_timeout_ms), BITS_32, 100, 3600000},
};

static const option_row route_options[] = {
    {"max_message_size", offsetof(jz_route_options, max_message_size), BITS_64, 0, 1073741824},
    {"backpressure_policy", offsetof(jz_route_options, backpressure_policy), BITS_32, 0, 1},
    {"execution", offsetof(jz_route_options, execution), BITS_32, 0, 1},
    {"max_waiting_events", offsetof(jz_route_options, max_waiting_events), BITS_32, 1, 65536},
    {"deflate.mode", offsetof(jz_route_options, deflate.mode), BITS_32, 0, 2},
    {"deflate.window_bits", offsetof(jz_route_options, deflate.window_bits), BITS_8, 9, 15},
    {"deflate.memory_level", offsetof(jz_route_options, deflate.memory_level), BITS_8, 1, 9},
    {"deflate.level", offsetof(jz_route_options, deflate.level), BITS_8, 1, 9},
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
    snprintf(expected, sizeof expected, "option %s is %" PRIu64 "; it has to be from %" PRIu64 " to %" PRIu64,
             row->name, value, row->lowest, row->highest);
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
        expect_refused(subject, &rows[i], rows[i].highest + 1);
        expect_refused(subject, &rows[i], most_of(rows[i].width));
        if (rows[i].lowest > 0) {
            expect_refused(subject, &rows[i], rows[i].lowest - 1);
            expect_refused(subject, &rows[i], 0);
        }
    }
}

static void every_option_of_a_server_has_its_range(void **state)
{
    (void)state;
    expect_range(SERVER, server_options, COUNT_OF(server_options));
}

static void every_option_of_a_route_has_its_range(void **state)
{
    (void)state;
    expect_range(ROUTE, route_options, COUNT_OF(route_options));
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
    assert_int_equal(server.backlog, 4096);
    assert_int_equal(server.receive_buffer_size, 524288);
    assert_int_equal(server.max_message_size, 1048576);
    assert_int_equal(server.backpressure_limit, 1048576);
    assert_int_equal(server.mailbox_limit, 67108864);
    assert_int_equal(server.handshake_timeout_ms, 10000);
    assert_int_equal(server.close_timeout_ms, 5000);
    assert_null(server.log);
    assert_null(server.log_context);

    jz_route_options route = jz_route_options_default();
    assert_int_equal(jz_route_options_check(&route, NULL), JZ_OK);
    assert_int_equal(route.max_message_size, 0);
    assert_int_equal(route.backpressure_policy, JZ_BACKPRESSURE_DROP);
    assert_int_equal(route.execution, JZ_EXECUTION_LOOP);
    assert_int_equal(route.max_waiting_events, 256);
    assert_null(route.release_state);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_option_of_a_server_has_its_range),
        cmocka_unit_test(every_option_of_a_route_has_its_range),
        cmocka_unit_test(any_message_may_be_too_small_to_compress),
        cmocka_unit_test(the_defaults_are_those_of_the_manual),
        cmocka_unit_test(options_that_were_not_filled_in_are_refused),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("options", tests, NULL, NULL));
}
