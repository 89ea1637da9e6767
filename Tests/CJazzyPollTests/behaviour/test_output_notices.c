/* Notices to a route about output: messages were dropped, or output has drained. */
#define _POSIX_C_SOURCE 200809L

#include <pthread.h>
#include <stdatomic.h>

#include "support/bystander.h"
#include "support/client.h"
#include "support/eventually.h"
#include "support/testing.h"

enum {
    LIMIT = 32 * 1024,         /* of the route, and much less than the server's */
    SMALL = 1000,              /* publications of this size are copied */
    LARGE = 3000,              /* and of that shared */
    LITTLE_RECEIVE = 4096,     /* bytes that the kernel keeps for the client */
    BATCH = 8,                 /* messages, together less than half of the limit */
    MOST_BATCHES = 4000,       /* much more than the kernel buffers on both sides */
    PUMPED = 16 * 1024 * 1024, /* bytes */
    LOG_SIZE = 1024
};

#define TOPIC "topic", 5

static jz_server *server;
static test_client peer;

static struct {
    pthread_mutex_t lock;
    char log[LOG_SIZE]; /* guarded by `lock`: the calls, in order */
    _Atomic uint64_t ws;
    atomic_size_t drained;
    atomic_size_t dropped;
    atomic_size_t closes;
    atomic_bool is_inside;
    atomic_size_t overlaps;
    atomic_bool pumps; /* sends again whenever output has drained */
    size_t pumped;
    atomic_bool closes_when_dropped;
    atomic_bool closes_when_drained;
} seen = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void begin_call(const char *name)
{
    seen.overlaps += atomic_exchange(&seen.is_inside, true) ? 1 : 0;
    pthread_mutex_lock(&seen.lock);
    if (strlen(seen.log) + strlen(name) + 2 < sizeof seen.log) {
        strcat(seen.log, seen.log[0] != 0 ? " " : "");
        strcat(seen.log, name);
    }
    pthread_mutex_unlock(&seen.lock);
}

static void end_call(void)
{
    seen.is_inside = false;
}

static void pump(jz_ws ws)
{
    static const uint8_t payload[SMALL];
    while (seen.pumped < PUMPED && jz_ws_send(ws, JZ_MESSAGE_BINARY, payload, SMALL) != JZ_SEND_DROPPED)
        seen.pumped += SMALL;
}

static void note_drained(void *context, jz_ws ws)
{
    (void)context;
    begin_call("drained");
    if (seen.pumps)
        pump(ws);
    if (seen.closes_when_drained)
        jz_ws_close(ws, 4001, "", 0);
    seen.drained++;
    end_call();
}

static void note_dropped(void *context, jz_ws ws)
{
    (void)context;
    begin_call("dropped");
    if (seen.closes_when_dropped)
        jz_ws_close(ws, 4002, "", 0);
    seen.dropped++;
    end_call();
}

static void handle(void *context, jz_ws ws, const jz_event *event, const jz_message *message)
{
    static const char *const names[] = {"open", "message", "close", "error"};
    (void)context;
    begin_call(names[event->type]);
    if (event->type == JZ_EVENT_OPEN) {
        jz_ws_subscribe(ws, TOPIC);
        seen.ws = ws.value;
    } else if (event->type == JZ_EVENT_MESSAGE && message->length == 4) {
        pump(ws);
        seen.pumps = true;
    } else if (event->type == JZ_EVENT_MESSAGE && message->length == 9) {
        pump(ws);
        jz_ws_terminate(ws);
    } else if (event->type == JZ_EVENT_CLOSE) {
        seen.closes++;
    }
    end_call();
}

static void start(jz_execution execution, jz_backpressure_policy policy)
{
    seen.log[0] = 0;
    seen.ws = 0;
    seen.pumped = 0;
    seen.drained = seen.dropped = seen.closes = seen.overlaps = 0;
    seen.pumps = seen.closes_when_dropped = seen.closes_when_drained = false;
    jz_route_options route = jz_route_options_default();
    route.execution = execution;
    route.backpressure_limit = LIMIT;
    route.backpressure_policy = policy;
    route.drained = note_drained;
    route.dropped = note_dropped;
    const serving_route routes[] = {{"/", handle, NULL, &route}, BYSTANDER_ROUTE};
    const jz_options options = serving_options(1);
    server = serving_start(&options, routes, COUNT_OF(routes));
    bystander_open(jz_server_port(server));
    assert_true(test_client_connect(&peer, jz_server_port(server), LITTLE_RECEIVE));
    assert_true(test_client_send(&peer, UPGRADE_REQUEST("/"), sizeof UPGRADE_REQUEST("/") - 1));
    assert_int_equal(test_client_take_head(&peer), 101);
    assert_eventually(jz_server_subscriber_count(server, TOPIC) == 1 && seen.ws != 0);
}

static void finish(void)
{
    bystander_close();
    test_client_close(&peer);
    jz_server_destroy(server);
    assert_int_equal(seen.overlaps, 0);
    assert_int_equal(seen.closes, 1);
}

static void expect_log(const char *log)
{
    pthread_mutex_lock(&seen.lock);
    char text[LOG_SIZE];
    strcpy(text, seen.log);
    pthread_mutex_unlock(&seen.lock);
    assert_string_equal(text, log);
}

/* How a message comes to the connection. */
typedef enum way { SENT, PUBLISHED_AND_COPIED, PUBLISHED_AND_SHARED, WAYS } way;

static void send_one(way way)
{
    static const uint8_t payload[LARGE];
    if (way == SENT)
        assert_int_equal(jz_ws_send((jz_ws){seen.ws}, JZ_MESSAGE_BINARY, payload, SMALL), JZ_SEND_QUEUED);
    else
        assert_int_equal(
            jz_server_publish(server, TOPIC, JZ_MESSAGE_BINARY, payload, way == PUBLISHED_AND_SHARED ? LARGE : SMALL),
            JZ_SEND_SENT);
}

/* Sends until something is dropped. Returns how many messages were not. */
static size_t flood(way way)
{
    uint64_t before = jz_server_dropped_count(server);
    size_t sent = 0;
    for (int batch = 0; batch < MOST_BATCHES && jz_server_dropped_count(server) == before; batch++) {
        for (int i = 0; i < BATCH; i++)
            send_one(way);
        sent += BATCH;
        bystander_let_turn();
    }
    assert_true(jz_server_dropped_count(server) > before);
    return sent - (size_t)(jz_server_dropped_count(server) - before);
}

static void take(size_t count)
{
    test_received frame;
    for (size_t i = 0; i < count; i++) {
        assert_true(test_client_take_frame(&peer, &frame));
        assert_int_equal(frame.opcode, JZ_OPCODE_BINARY);
    }
}

static void take_until_close(uint16_t code)
{
    test_received frame;
    do
        assert_true(test_client_take_frame(&peer, &frame));
    while (frame.opcode == JZ_OPCODE_BINARY);
    assert_int_equal(frame.opcode, JZ_OPCODE_CLOSE);
    assert_int_equal(frame.payload[0] << 8 | frame.payload[1], code);
}

static void expect_notices(jz_execution execution, way way)
{
    start(execution, JZ_BACKPRESSURE_REPORT);
    for (size_t round = 1; round <= 2; round++) {
        size_t sent = flood(way);
        assert_eventually(seen.dropped == round);
        /* Once, until the output has drained. */
        uint64_t dropped = jz_server_dropped_count(server);
        for (int i = 0; i < BATCH; i++)
            send_one(way);
        bystander_let_turn();
        /* Except what the kernel has taken meanwhile. */
        sent += BATCH - (size_t)(jz_server_dropped_count(server) - dropped);
        assert_int_equal(seen.dropped, round);
        assert_int_equal(seen.drained, round - 1);
        assert_true(jz_ws_buffered_amount((jz_ws){seen.ws}) > LIMIT / 2);
        assert_true(jz_ws_buffered_amount((jz_ws){seen.ws}) < LIMIT + LARGE + 16);
        take(sent);
        assert_eventually(seen.drained == round);
        assert_eventually(jz_ws_buffered_amount((jz_ws){seen.ws}) == 0);
    }
    test_client_send_frame(&peer, &(test_frame)TEXT("x"));
    test_client_send_frame(&peer, &(test_frame)CLOSE(1000, ""));
    assert_eventually(seen.closes == 1);
    expect_log("open dropped drained dropped drained message close");
    finish();
}

static void what_is_dropped_is_told_once_until_the_output_has_drained(void **state)
{
    (void)state;
    for (int way = 0; way < WAYS; way++) {
        expect_notices(JZ_EXECUTION_LOOP, (enum way)way);
        expect_notices(JZ_EXECUTION_WORKERS, (enum way)way);
    }
}

static void nothing_is_told_of_drops_where_the_route_does_not_ask(void **state)
{
    (void)state;
    start(JZ_EXECUTION_LOOP, JZ_BACKPRESSURE_DROP);
    take(flood(SENT));
    assert_eventually(seen.drained == 1);
    assert_int_equal(seen.dropped, 0);
    expect_log("open drained");
    finish();
    start(JZ_EXECUTION_LOOP, JZ_BACKPRESSURE_CLOSE);
    flood(PUBLISHED_AND_SHARED);
    take_until_close(JZ_CLOSE_TRY_AGAIN_LATER);
    test_client_send_frame(&peer, &(test_frame)CLOSE(1013, ""));
    assert_eventually(seen.closes == 1);
    assert_int_equal(seen.drained, 0);
    expect_log("open close");
    finish();
}

/* More than the limit in one iteration, to a peer that reads. */
static void what_the_kernel_takes_at_once_has_not_backed_up(void **state)
{
    (void)state;
    start(JZ_EXECUTION_LOOP, JZ_BACKPRESSURE_REPORT);
    test_client_close(&peer);
    assert_eventually(seen.closes == 1);
    seen.closes = 0;
    assert_true(test_client_open(&peer, jz_server_port(server), UPGRADE_REQUEST("/")));
    assert_eventually(jz_server_subscriber_count(server, TOPIC) == 1);
    for (int round = 0; round < 4; round++) {
        for (int i = 0; i < 2 * BATCH; i++)
            send_one(SENT);
        take(2 * BATCH);
    }
    bystander_let_turn();
    expect_log("open close open");
    finish();
}

/* The intended use: a sender of much data continues when there is room. */
static void what_is_told_that_output_has_drained_may_send_on(void **state)
{
    (void)state;
    start(JZ_EXECUTION_LOOP, JZ_BACKPRESSURE_DROP);
    test_client_send_frame(&peer, &(test_frame)TEXT("pump"));
    assert_eventually(seen.pumps); /* until there was no room any more */
    take((PUMPED + SMALL - 1) / SMALL);
    assert_eventually(seen.drained > 0 && jz_ws_buffered_amount((jz_ws){seen.ws}) == 0);
    finish();
}

static void what_is_told_may_close(void **state)
{
    (void)state;
    for (int execution = 0; execution < 2; execution++) {
        start((jz_execution)execution, JZ_BACKPRESSURE_REPORT);
        seen.closes_when_dropped = true;
        flood(PUBLISHED_AND_COPIED);
        assert_eventually(seen.dropped == 1);
        bystander_let_turn(); /* from a worker it travels to the loop */
        take_until_close(4002);
        test_client_send_frame(&peer, &(test_frame)CLOSE(4002, ""));
        assert_eventually(seen.closes == 1);
        expect_log("open dropped close");
        finish();

        start((jz_execution)execution, JZ_BACKPRESSURE_REPORT);
        seen.closes_when_drained = true;
        take(flood(SENT));
        test_client_expect(&peer, JZ_OPCODE_CLOSE, "\x0F\xA1", 2);
        test_client_send_frame(&peer, &(test_frame)CLOSE(4001, ""));
        assert_eventually(seen.closes == 1);
        expect_log("open dropped drained close");
        finish();
    }
}

static void nothing_is_told_once_the_connection_is_closing(void **state)
{
    (void)state;
    start(JZ_EXECUTION_LOOP, JZ_BACKPRESSURE_REPORT);
    size_t sent = flood(SENT);
    assert_eventually(seen.dropped == 1);
    assert_int_equal(jz_ws_close((jz_ws){seen.ws}, 1000, "", 0), JZ_SEND_QUEUED);
    bystander_let_turn();
    uint64_t dropped = jz_server_dropped_count(server);
    assert_int_equal(jz_ws_send((jz_ws){seen.ws}, JZ_MESSAGE_TEXT, "x", 1), JZ_SEND_CLOSED);
    take(sent);
    test_client_expect(&peer, JZ_OPCODE_CLOSE, "\x03\xE8", 2);
    test_client_send_frame(&peer, &(test_frame)CLOSE(1000, ""));
    assert_eventually(seen.closes == 1);
    assert_int_equal(jz_server_dropped_count(server), dropped);
    expect_log("open dropped close");
    finish();
}

/* A message of it was dropped before, of which it would be told after the handler. */
static void nothing_is_told_once_the_connection_is_terminated(void **state)
{
    (void)state;
    start(JZ_EXECUTION_LOOP, JZ_BACKPRESSURE_REPORT);
    test_client_send_frame(&peer, &(test_frame)TEXT("terminate"));
    assert_eventually(seen.closes == 1);
    assert_true(jz_server_dropped_count(server) > 0);
    expect_log("open message close");
    finish();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_dropped_is_told_once_until_the_output_has_drained),
        cmocka_unit_test(nothing_is_told_of_drops_where_the_route_does_not_ask),
        cmocka_unit_test(what_the_kernel_takes_at_once_has_not_backed_up),
        cmocka_unit_test(what_is_told_that_output_has_drained_may_send_on),
        cmocka_unit_test(what_is_told_may_close),
        cmocka_unit_test(nothing_is_told_once_the_connection_is_closing),
        cmocka_unit_test(nothing_is_told_once_the_connection_is_terminated),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("what is told about output", tests, NULL, NULL));
}
