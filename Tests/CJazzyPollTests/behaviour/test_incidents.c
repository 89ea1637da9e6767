/* The last refusals and failures of a server, as who looks at it sees them, compared with what clients did. */
#define _POSIX_C_SOURCE 200809L

#include <stdio.h>
#include <time.h>

#include "codec/frame_header.h"
#include "support/client.h"
#include "support/clock.h"
#include "support/eventually.h"
#include "support/serving.h"
#include "support/testing.h"
#include "support/throttled_transport.h"

enum { LOOPS = 3, MANY = 40, LIMIT = 64 * 1024 };

static jz_server *server;
static jz_look *seen;
static test_client client;

/* A text asks the handler to close, to end the connection, or to send more than it may. */
static void handle(void *context, jz_ws ws, const jz_event *event, const jz_message *message)
{
    static char much[LIMIT];
    (void)context;
    if (event->type != JZ_EVENT_MESSAGE || message->kind != JZ_MESSAGE_TEXT)
        return;
    if (message->bytes[0] == 'c')
        jz_ws_close(ws, 4000, "", 0);
    if (message->bytes[0] == 't')
        jz_ws_terminate(ws);
    jz_send_status status = JZ_SEND_SENT;
    while (message->bytes[0] == 's' && status != JZ_SEND_CLOSED && jz_ws_is_open(ws))
        status = jz_ws_send(ws, JZ_MESSAGE_BINARY, much, sizeof much);
}

static void reject(void *context, jz_handshake handshake, const jz_request *request)
{
    (void)context;
    (void)request;
    jz_handshake_reject(handshake, &(jz_rejection){.status = 403});
}

static void ignore(void *context, jz_handshake handshake, const jz_request *request)
{
    (void)context;
    (void)handshake;
    (void)request;
}

static void start(uint32_t threads, const jz_transport *transport, throttled *throttle)
{
    static jz_route_options plain, rejecting, silent;
    plain = rejecting = silent = jz_route_options_default();
    plain.backpressure_policy = JZ_BACKPRESSURE_CLOSE;
    plain.backpressure_limit = LIMIT;
    plain.message_rate = (jz_message_rate){.per_second = 1, .burst = 2, .exceeding = JZ_EXCEEDING_CLOSE};
    rejecting.upgrade = reject;
    silent.upgrade = ignore;
    silent.upgrade_timeout_ms = 100;
    const serving_route routes[] = {{"/room/:id", handle, NULL, &plain},
                                    {"/rejecting", handle, NULL, &rejecting},
                                    {"/silent", handle, NULL, &silent}};
    jz_options options = serving_options(threads);
    options.log_level = JZ_LOG_ERROR;
    server = jz_server_create(&options, NULL);
    assert_non_null(server);
    for (size_t i = 0; i < COUNT_OF(routes); i++)
        assert_int_equal(jz_server_route_ws(server, routes[i].path, routes[i].options, routes[i].handler, NULL, NULL),
                         JZ_OK);
    const jz_listen_options listening = {.transport = transport, .transport_context = throttle};
    assert_int_equal(jz_server_listen_with(server, "127.0.0.1", 0, &listening, NULL), JZ_OK);
    assert_int_equal(jz_server_start(server, NULL), JZ_OK);
    seen = jz_server_look(server, NULL, NULL);
    assert_non_null(seen);
}

static void look(void)
{
    jz_look_free(seen);
    seen = jz_server_look(server, NULL, NULL);
    assert_non_null(seen);
}

static uint64_t total(void)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < JZ_INCIDENT_KINDS; i++)
        sum += seen->incidents_total[i];
    return sum;
}

static void finish(void)
{
    jz_look_free(seen);
    jz_server_destroy(server);
}

#define ROOM "/room/:id"
#define OPEN UPGRADE_REQUEST("/room/7")

typedef enum then { WAITS, LEAVES, RESETS } then;

static const struct {
    const char *name;
    const char *request; /* if it is OPEN, a WebSocket is opened */
    test_frame frame;    /* sent by a WebSocket */
    then then;
    jz_incident_kind kind; /* JZ_INCIDENT_KINDS: nothing is to be kept */
    const char *reason;
    const char *text;
    const char *route;
    uint16_t code;
} rows[] = {
    {"no such path", "GET /nowhere HTTP/1.1\r\nHost: a\r\n\r\n", .kind = JZ_INCIDENT_REFUSED, .reason = "not_found",
     .text = "there is no route with this path"},
    {"a bad key",
     "GET /room/1 HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: "
     "13\r\n\r\n",
     .kind = JZ_INCIDENT_REFUSED, .reason = "invalid_handshake",
     .text = "Sec-WebSocket-Key has to be there once, and to be 16 bytes in base64 (RFC 6455, 4.2.1)"},
    {"an origin", UPGRADE_REQUEST_WITH("/room/7", "Origin: https://elsewhere.example\r\n"), .kind = JZ_INCIDENT_REFUSED,
     .reason = "origin", .text = "Origin has to be one from which this route may be used (allowed_origins)",
     .route = ROOM},
    {"the same origin again", UPGRADE_REQUEST_WITH("/room/7", "Origin: https://elsewhere.example\r\n"),
     .kind = JZ_INCIDENT_REFUSED, .reason = "origin",
     .text = "Origin has to be one from which this route may be used (allowed_origins)", .route = ROOM},
    {"rejected", UPGRADE_REQUEST("/rejecting"), .kind = JZ_INCIDENT_REFUSED, .reason = "rejected",
     .text = "the upgrade hook rejected the request", .route = "/rejecting"},
    {"not answered", UPGRADE_REQUEST("/silent"), .kind = JZ_INCIDENT_REFUSED, .reason = "upgrade_timeout",
     .text = "the upgrade hook did not answer in time (upgrade_timeout_ms)", .route = "/silent"},
    {"a rule that was broken",
     OPEN,
     {.fin = true, .opcode = 3},
     .kind = JZ_INCIDENT_FAILED,
     .reason = "reserved_opcode",
     .text = "the opcode is reserved",
     .route = ROOM,
     .code = 1002},
    {"text that is none", OPEN, TEXT("\xFF"), .kind = JZ_INCIDENT_FAILED, .reason = "invalid_utf8",
     .text = "the text is not UTF-8", .route = ROOM, .code = 1007},
    {"a reset", OPEN, BINARY(""), RESETS, .kind = JZ_INCIDENT_FAILED, .reason = "transport",
     .text = "the connection was lost", .route = ROOM, .code = 1006},
    {"leaving without a close frame", OPEN, BINARY(""), LEAVES, .kind = JZ_INCIDENT_CLOSED, .reason = "peer",
     .text = "the peer closed it, or went away", .route = ROOM, .code = 1006},
    {"too much output", OPEN, TEXT("send"), .kind = JZ_INCIDENT_CLOSED, .reason = "backpressure",
     .text = "too much output waited", .route = ROOM, .code = 1006},
    {"a close frame", OPEN, CLOSE(1000, ""), .kind = JZ_INCIDENT_KINDS},
    {"the application ends it", OPEN, TEXT("terminate"), .kind = JZ_INCIDENT_KINDS},
};

static void act(size_t row)
{
    bool is_opened = strcmp(rows[row].request, OPEN) == 0;
    assert_true(test_client_connect(&client, jz_server_port(server), 0));
    if (!is_opened) {
        assert_true(test_client_send(&client, rows[row].request, strlen(rows[row].request)));
        assert_int_not_equal(test_client_take_head(&client), 101);
        return;
    }
    assert_true(test_client_upgrade(&client, OPEN));
    test_client_send_frame(&client, &rows[row].frame);
}

static void what_happened_is_seen_with_its_reason(void **state)
{
    (void)state;
    uint64_t expected = 0;
    start(1, NULL, NULL);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char address[32];
        uint64_t before_ms = (uint64_t)time(NULL) * 1000;
        act(i);
        test_client_address(&client, address);
        if (rows[i].then == RESETS)
            test_client_reset(&client);
        else if (rows[i].then == LEAVES)
            test_client_close(&client);
        else if (rows[i].kind == JZ_INCIDENT_KINDS)
            assert_true(test_client_sees_end(&client));
        expected += rows[i].kind == JZ_INCIDENT_KINDS ? 0 : 1;
        assert_eventually((look(), seen->statistics.websockets == 0 && total() == expected));
        assert_int_equal(seen->incident_count, expected);
        test_client_close(&client);
        if (rows[i].kind == JZ_INCIDENT_KINDS)
            continue;
        const jz_incident *last = &seen->incidents[0];
        for (size_t k = 1; k < seen->incident_count; k++) {
            assert_true(seen->incidents[k].clock_ns <= seen->incidents[k - 1].clock_ns);
            if (seen->incidents[k].kind == rows[i].kind && seen->incidents[k].number > last->number)
                last = &seen->incidents[k];
        }
        for (size_t k = 0; k < seen->incident_count && strcmp(last->address, address) != 0; k++)
            last = &seen->incidents[k];
        assert_string_equal(last->address, address);
        assert_int_equal(last->kind, rows[i].kind);
        assert_int_equal(last->number, seen->incidents_total[rows[i].kind]);
        assert_string_equal(last->reason, rows[i].reason);
        assert_string_equal(last->text, rows[i].text);
        assert_int_equal(last->close_code, rows[i].code);
        assert_int_equal(last->loop, 0);
        /* time may still be in the second before that of the clock: it changes with the kernel's ticks. */
        assert_in_range(last->time_ms, before_ms, (uint64_t)time(NULL) * 1000 + 2000);
        if (rows[i].route == NULL)
            assert_null(last->route);
        else
            assert_string_equal(last->route, rows[i].route);
    }
    finish();
}

/* Whether the client then does as it should, or goes away, which is a failure, too. */
static void too_many_messages_are_seen(void **state)
{
    (void)state;
    for (int is_polite = 0; is_polite <= 1; is_polite++) {
        test_received frame;
        start(1, NULL, NULL);
        assert_true(test_client_open(&client, jz_server_port(server), OPEN));
        /* In one piece: a client that stands still between them keeps to the rate. */
        static const char binaries[] = "\x82\x80\0\0\0\0\x82\x80\0\0\0\0\x82\x80\0\0\0\0\x82\x80\0\0\0\0";
        assert_true(test_client_send(&client, binaries, sizeof binaries - 1));
        assert_true(test_client_take_frame(&client, &frame));
        assert_int_equal(frame.opcode, JZ_OPCODE_CLOSE);
        if (is_polite)
            test_client_send_frame(&client, &(test_frame)CLOSE(1008, ""));
        else
            test_client_reset(&client);
        /* Failures are looked at first, and so may lack one whose end is there. */
        assert_eventually((look(), seen->incidents_total[JZ_INCIDENT_CLOSED] == 1 &&
                                       seen->incidents_total[JZ_INCIDENT_FAILED] == (is_polite ? 0 : 1)));
        for (size_t i = 0; i < seen->incident_count; i++) {
            bool is_closed = seen->incidents[i].kind == JZ_INCIDENT_CLOSED;
            assert_string_equal(seen->incidents[i].reason, is_closed ? "message_rate" : "transport");
            assert_string_equal(seen->incidents[i].route, ROOM);
        }
        if (is_polite)
            test_client_close(&client);
        finish();
    }
}

/* What a transport says is told, before there is a WebSocket and after. */
static void a_lost_channel_is_seen_with_what_it_says(void **state)
{
    (void)state;
    throttled throttle = {.seed = 1, .failing = 1};
    start(1, &throttled_transport, &throttle);
    assert_true(test_client_connect(&client, jz_server_port(server), 0));
    assert_true(test_client_send(&client, "GET", 3));
    assert_true(test_client_sees_end(&client));
    assert_eventually((look(), total() == 1));
    assert_int_equal(seen->incidents[0].kind, JZ_INCIDENT_LOST);
    assert_string_equal(seen->incidents[0].reason, "transport");
    assert_string_equal(seen->incidents[0].text, THROTTLED_FAILURE);
    assert_null(seen->incidents[0].route);
    test_client_close(&client);
    finish();
}

static bool refuse_one(void)
{
    static const char request[] = "GET /nowhere HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    bool is_refused = test_client_connect(&client, jz_server_port(server), 0) &&
                      test_client_send(&client, request, sizeof request - 1) && test_client_take_head(&client) == 404;
    test_client_close(&client);
    return is_refused;
}

/* On several loops: all are counted, and the last of each loop are there. */
static void all_are_counted_and_the_last_are_kept(void **state)
{
    (void)state;
    start(LOOPS, NULL, NULL);
    assert_true(test_client_open(&client, jz_server_port(server), OPEN));
    test_client_send_frame(&client, &(test_frame)TEXT("\xFF"));
    assert_eventually((look(), total() == 1));
    test_client_close(&client);
    for (size_t i = 0; i < LOOPS * MANY; i++)
        assert_true(refuse_one());
    assert_eventually((look(), total() == LOOPS * MANY + 1));
    assert_int_equal(seen->incidents_total[JZ_INCIDENT_REFUSED], seen->statistics.refused[JZ_REFUSAL_NOT_FOUND]);
    assert_int_equal(seen->incidents_total[JZ_INCIDENT_FAILED], 1);
    size_t expected = 1;
    for (size_t i = 0; i < LOOPS; i++)
        expected += seen->loops[i].refused < JZ_KEPT_INCIDENTS ? seen->loops[i].refused : JZ_KEPT_INCIDENTS;
    assert_int_equal(seen->incident_count, expected);
    /* Many of one kind hide none of another. */
    assert_int_equal(seen->incidents[expected - 1].kind, JZ_INCIDENT_FAILED);
    jz_look_free(seen);
    const jz_look_options few = {.incidents = 5};
    seen = jz_server_look(server, &few, NULL);
    assert_non_null(seen);
    assert_int_equal(seen->incident_count, 5);
    finish();
}

/* Where the clock on the wall is set back, what came last is still the first, and not what is cut off. */
static void the_last_is_first_whatever_the_clock_on_the_wall_says(void **state)
{
    (void)state;
    const jz_look_options few = {.incidents = 5};
    start(1, NULL, NULL);
    for (size_t i = 0; i < 10; i++)
        assert_true(refuse_one());
    assert_eventually((look(), total() == 10));
    test_wall_clock_jump(-3600 * 1000);
    assert_true(test_client_open(&client, jz_server_port(server), OPEN));
    test_client_send_frame(&client, &(test_frame)TEXT("\xFF"));
    assert_eventually((look(), total() == 11));
    test_client_close(&client);
    jz_look_free(seen);
    seen = jz_server_look(server, &few, NULL);
    assert_non_null(seen);
    assert_int_equal(seen->incident_count, 5);
    assert_int_equal(seen->incidents[0].kind, JZ_INCIDENT_FAILED);
    for (size_t i = 1; i < seen->incident_count; i++)
        assert_int_equal(seen->incidents[i].number, 11 - i);
    assert_true(seen->incidents[0].time_ms < seen->incidents[1].time_ms);
    assert_in_range(seen->incidents[0].clock_ns, seen->incidents[1].clock_ns, seen->clock_ns);
    test_clocks_run();
    finish();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_happened_is_seen_with_its_reason),
        cmocka_unit_test(too_many_messages_are_seen),
        cmocka_unit_test(a_lost_channel_is_seen_with_what_it_says),
        cmocka_unit_test(all_are_counted_and_the_last_are_kept),
        cmocka_unit_test(the_last_is_first_whatever_the_clock_on_the_wall_says),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("incidents", tests, NULL, NULL));
}
