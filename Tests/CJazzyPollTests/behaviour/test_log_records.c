/* What each line of a log is about, in a log that gets records. */
#include <ctype.h>
#include <stdatomic.h>
#include <stdio.h>

#include "jazzy.h"
#include "support/client.h"
#include "support/eventually.h"
#include "support/serving.h"
#include "support/testing.h"

enum { RECORDS = 16 };

/* A copy of a record; texts that there were not are "-". */
typedef struct kept_record {
    jz_log_level level;
    bool is_peers_fault;
    char line[JZ_LOG_LINE_SIZE];
    char message[JZ_LOG_LINE_SIZE];
    char address[JZ_LOG_LINE_SIZE];
    char route[JZ_LOG_LINE_SIZE];
    char origin[JZ_LOG_LINE_SIZE];
    char cause[JZ_LOG_LINE_SIZE];
} kept_record;

/* Written by the server's threads one after the other, and read when `count` says that they are there. */
static kept_record records[RECORDS];
static atomic_size_t count;
static jz_server *server;
static test_client client;
static char address[32];

static void copy(char kept[JZ_LOG_LINE_SIZE], const char *text)
{
    snprintf(kept, JZ_LOG_LINE_SIZE, "%s", text != NULL ? text : "-");
}

static void keep(void *context, const jz_log_record *record)
{
    assert_ptr_equal(context, records);
    size_t number = atomic_load(&count);
    if (number == RECORDS || strncmp(record->line, "listens on ", 11) == 0)
        return;
    kept_record *kept = &records[number];
    kept->level = record->level;
    kept->is_peers_fault = record->is_peers_fault;
    copy(kept->line, record->line);
    copy(kept->message, record->message);
    copy(kept->address, record->address);
    copy(kept->route, record->route);
    copy(kept->origin, record->origin);
    copy(kept->cause, record->cause);
    atomic_store(&count, number + 1);
}

static void never(void *context, jz_log_level level, const char *line)
{
    (void)context, (void)level;
    fail_msg("a log that gets records gets no lines: %s", line);
}

static void tell(void *context, jz_ws ws, const jz_event *event, const jz_message *message)
{
    (void)context;
    if (event->type != JZ_EVENT_MESSAGE)
        return;
    if (message->length > 0)
        jz_ws_log_about(ws, JZ_LOG_ERROR, (const char *)message->bytes, message->length, "/of/the\ncaller", "Mishap");
    else
        jz_ws_log(ws, JZ_LOG_INFO, "told", 4);
}

static void reject(void *context, jz_handshake handshake, const jz_request *request)
{
    (void)context, (void)request;
    jz_handshake_reject(handshake, &(jz_rejection){.status = 401});
}

static int begin(void **state)
{
    (void)state;
    atomic_store(&count, 0);
    jz_options options = serving_options(1);
    options.log = never;
    options.log_record = keep;
    options.log_context = records;
    jz_route_options rejecting = jz_route_options_default();
    rejecting.upgrade = reject;
    const serving_route routes[] = {{"/rooms/:id", tell, NULL, NULL}, {"/closed", tell, NULL, &rejecting}};
    server = serving_start(&options, routes, COUNT_OF(routes));
    return 0;
}

static int end(void **state)
{
    (void)state;
    test_client_close(&client);
    jz_server_destroy(server);
    return 0;
}

static void ask(const char *request, int status)
{
    assert_true(test_client_connect(&client, jz_server_port(server), 0));
    test_client_address(&client, address);
    assert_true(test_client_send(&client, request, strlen(request)));
    assert_int_equal(test_client_take_head(&client), status);
}

/* The next record; all begin with the client's address. */
static const kept_record *expect(size_t number, const char *message)
{
    char line[JZ_LOG_LINE_SIZE];
    assert_eventually(atomic_load(&count) > number);
    const kept_record *record = &records[number];
    assert_string_equal(record->message, message);
    assert_string_equal(record->address, address);
    snprintf(line, sizeof line, "%s: %s", address, message);
    assert_string_equal(record->line, line);
    return record;
}

static void expect_about(const kept_record *record, jz_log_level level, bool is_peers_fault, const char *route,
                         const char *cause)
{
    assert_int_equal(record->level, level);
    assert_int_equal(record->is_peers_fault, is_peers_fault);
    assert_string_equal(record->route, route);
    assert_string_equal(record->cause, cause);
}

static void a_refusal_has_its_reason_and_the_route_if_there_is_one(void **state)
{
    (void)state;
    ask(UPGRADE_REQUEST("/nowhere"), 404);
    expect_about(expect(0, "refused: there is no route with this path"), JZ_LOG_INFO, true, "-", "not_found");
    test_client_close(&client);
    ask(UPGRADE_REQUEST("/closed"), 401);
    expect_about(expect(1, "refused: the upgrade hook rejected the request"), JZ_LOG_INFO, true, "/closed", "rejected");
}

static void the_first_refused_origin_is_in_the_record_and_forges_nothing(void **state)
{
    (void)state;
    ask(UPGRADE_REQUEST_WITH("/rooms/7", "Origin: https://b\xC3\xB6se.example\xE2\x80\xAE\r\n"), 403);
    assert_eventually(atomic_load(&count) == 1);
    assert_string_equal(records[0].origin, "https://b\xC3\xB6se.example\\u{202E}");
    assert_string_equal(records[0].address, address);
    assert_non_null(strstr(records[0].message, "may not use the route /rooms/:id"));
    assert_int_equal(strncmp(records[0].message, "refused: ", 9), 0);
    expect_about(&records[0], JZ_LOG_WARNING, false, "/rooms/:id", "origin");
    test_client_close(&client);
    ask(UPGRADE_REQUEST_WITH("/rooms/7", "Origin: https://other.example\r\n"), 403);
    assert_eventually(atomic_load(&count) == 2);
    assert_string_equal(records[1].origin, "-");
    expect_about(&records[1], JZ_LOG_INFO, true, "/rooms/:id", "origin");
}

static void a_failure_has_its_rule_and_the_route(void **state)
{
    (void)state;
    ask(UPGRADE_REQUEST("/rooms/7"), 101);
    test_client_send_frame(&client, &(test_frame)TEXT("\xFF"));
    expect_about(expect(0, "failed: the text is not UTF-8"), JZ_LOG_INFO, true, "/rooms/:id", "invalid_utf8");
}

static void what_a_handler_tells_has_its_route_or_what_it_names(void **state)
{
    (void)state;
    ask(UPGRADE_REQUEST("/rooms/7"), 101);
    test_client_send_frame(&client, &(test_frame)TEXT(""));
    expect_about(expect(0, "told"), JZ_LOG_INFO, false, "/rooms/:id", "-");
    test_client_send_frame(&client, &(test_frame)TEXT("it broke"));
    expect_about(expect(1, "it broke"), JZ_LOG_ERROR, false, "/of/the\\ncaller", "Mishap");
}

/* A word: small letters, digits and lines below. */
static void expect_word(const char *name)
{
    assert_true(name[0] != 0);
    for (const char *place = name; *place != 0; place++)
        assert_that(islower((unsigned char)*place) || isdigit((unsigned char)*place) || *place == '_', "%s", name);
}

#define EXPECT_NAMES(type, count_of, name_of)                                                                          \
    do {                                                                                                               \
        for (unsigned i_ = 0; i_ < (count_of); i_++) {                                                                 \
            expect_word(name_of((type)i_));                                                                            \
            for (unsigned k_ = 0; k_ < i_; k_++)                                                                       \
                assert_string_not_equal(name_of((type)i_), name_of((type)k_));                                         \
        }                                                                                                              \
        assert_non_null(name_of((type)(count_of)));                                                                    \
        assert_non_null(name_of((type)1000));                                                                          \
    } while (0)

static void each_reason_has_a_name_of_its_own(void **state)
{
    (void)state;
    EXPECT_NAMES(jz_refusal, JZ_REFUSAL_COUNT, jz_refusal_name);
    EXPECT_NAMES(jz_failure, JZ_FAILURE_COUNT, jz_failure_name);
    EXPECT_NAMES(jz_close_cause, JZ_CAUSE_COUNT, jz_close_cause_name);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_refusal_has_its_reason_and_the_route_if_there_is_one, begin, end),
        cmocka_unit_test_setup_teardown(the_first_refused_origin_is_in_the_record_and_forges_nothing, begin, end),
        cmocka_unit_test_setup_teardown(a_failure_has_its_rule_and_the_route, begin, end),
        cmocka_unit_test_setup_teardown(what_a_handler_tells_has_its_route_or_what_it_names, begin, end),
        cmocka_unit_test(each_reason_has_a_name_of_its_own),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("log records", tests, NULL, NULL));
}
