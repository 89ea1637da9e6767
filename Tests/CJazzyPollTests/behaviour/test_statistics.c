/* The statistics of a server. */
#define _POSIX_C_SOURCE 200809L

#include <poll.h>
#include <stdatomic.h>

#include "support/bystander.h"
#include "support/client.h"
#include "support/eventually.h"
#include "support/testing.h"

enum { CLIENTS = 8, LIMIT = 64 * 1024, LITTLE_RECEIVE = 4096, BLOCKED_MS = 100 };

#define TOPIC "topic", 5

static jz_server *server;
static test_client clients[CLIENTS];
static _Atomic uint64_t last; /* connection that was opened */
static atomic_size_t opens;

/* Sends messages back, but no pings and pongs. */
static void echo(void *context, jz_ws ws, const jz_event *event, const jz_message *message)
{
    (void)context;
    if (event->type == JZ_EVENT_OPEN) {
        jz_ws_subscribe(ws, TOPIC);
        last = ws.value;
        opens++;
    } else if (event->type == JZ_EVENT_MESSAGE && message->kind <= JZ_MESSAGE_BINARY) {
        jz_ws_send(ws, message->kind, message->bytes, message->length);
    }
}

static void start_with(uint32_t threads, jz_route_options *route)
{
    opens = 0;
    route->backpressure_limit = LIMIT;
    const serving_route routes[] = {{"/", echo, NULL, route}, BYSTANDER_ROUTE};
    const jz_options options = serving_options(threads);
    server = serving_start(&options, routes, COUNT_OF(routes));
}

static void start(uint32_t threads)
{
    jz_route_options route = jz_route_options_default();
    start_with(threads, &route);
}

static void open_clients(size_t count)
{
    for (size_t i = 0; i < count; i++)
        assert_true(test_client_open(&clients[i], jz_server_port(server), UPGRADE_REQUEST("/")));
    assert_eventually(opens == count);
}

static void finish(size_t count)
{
    for (size_t i = 0; i < count; i++)
        test_client_close(&clients[i]);
    jz_server_destroy(server);
}

static jz_statistics now(void)
{
    jz_statistics statistics;
    memset(&statistics, 0xFF, sizeof statistics);
    jz_server_statistics(server, &statistics);
    return statistics;
}

static void a_new_server_has_done_nothing(void **state)
{
    (void)state;
    static const jz_statistics nothing;
    server = jz_server_create(NULL, NULL);
    assert_non_null(server);
    jz_statistics statistics = now();
    assert_memory_equal(&statistics, &nothing, sizeof nothing);
    jz_server_destroy(server);
}

static void connections_are_counted_from_being_accepted_to_their_end(void **state)
{
    (void)state;
    static const char request[] = UPGRADE_REQUEST("/");
    start(3);
    for (size_t i = 0; i < 4; i++) {
        assert_true(test_client_connect(&clients[i], jz_server_port(server), 0));
        assert_eventually(now().connections == i + 1);
        assert_int_equal(now().handshakes, i + 1);
        assert_int_equal(now().websockets, 0);
    }
    for (size_t i = 0; i < 3; i++) {
        assert_true(test_client_send(&clients[i], request, sizeof request - 1));
        assert_int_equal(test_client_take_head(&clients[i]), 101);
        assert_eventually(now().websockets == i + 1);
        assert_int_equal(now().handshakes, 3 - i);
        assert_int_equal(now().connections, 4);
    }
    test_client_send_frame(&clients[0], &(test_frame)CLOSE(1000, ""));
    assert_true(test_client_sees_end(&clients[0]));
    test_client_reset(&clients[1]);
    test_client_close(&clients[3]);
    assert_eventually(now().connections == 1);
    jz_statistics statistics = now();
    assert_int_equal(statistics.connections_peak, 4);
    assert_int_equal(statistics.connections_total, 4);
    assert_int_equal(statistics.websockets, 1);
    assert_int_equal(statistics.websockets_total, 3);
    assert_int_equal(statistics.handshakes, 0);
    assert_true(test_client_open(&clients[4], jz_server_port(server), request));
    assert_eventually(now().websockets == 2);
    assert_int_equal(now().connections_peak, 4);
    assert_int_equal(now().connections_total, 5);
    finish(5);
}

static void expect_messages(const uint64_t *received, const uint64_t *received_bytes, const uint64_t *sent,
                            const uint64_t *sent_bytes)
{
    jz_statistics statistics = now();
    for (size_t i = 0; i < JZ_MESSAGE_KINDS; i++) {
        assert_int_equal(statistics.messages_received[i], received[i]);
        assert_int_equal(statistics.bytes_received[i], received_bytes[i]);
        assert_int_equal(statistics.messages_sent[i], sent[i]);
        assert_int_equal(statistics.bytes_sent[i], sent_bytes[i]);
    }
}

/* On several loops; text, binary, ping and pong. */
static void messages_and_their_bytes_are_counted_by_kind(void **state)
{
    (void)state;
    start(3);
    open_clients(6);
    for (size_t i = 0; i < 6; i++) {
        test_client_send_frame(&clients[i], &(test_frame)TEXT_START("Hel"));
        test_client_send_frame(&clients[i], &(test_frame)PING("ping"));
        test_client_expect(&clients[i], JZ_OPCODE_PONG, "ping", 4); /* answered by itself */
        test_client_send_frame(&clients[i], &(test_frame)LAST("lo"));
        test_client_expect(&clients[i], JZ_OPCODE_TEXT, "Hello", 5);
        test_client_send_frame(&clients[i], &(test_frame)PONG("of no ping"));
        test_client_send_frame(&clients[i], &(test_frame)BINARY_OF(REPEATED("x", 1000)));
        test_client_send_frame(&clients[i], &(test_frame)BINARY(""));
        test_received frame;
        assert_true(test_client_take_frame(&clients[i], &frame));
        test_client_expect(&clients[i], JZ_OPCODE_BINARY, "", 0);
    }
    expect_messages((uint64_t[]){6, 12, 6, 6}, (uint64_t[]){30, 6000, 24, 60}, (uint64_t[]){6, 12, 0, 6},
                    (uint64_t[]){30, 6000, 0, 24});
    assert_int_equal(jz_ws_send((jz_ws){last}, JZ_MESSAGE_PING, "our", 3), JZ_SEND_QUEUED);
    assert_int_equal(jz_ws_send((jz_ws){last}, JZ_MESSAGE_PONG, "ours", 4), JZ_SEND_QUEUED);
    assert_eventually(now().bytes_sent[JZ_MESSAGE_PONG] == 28); /* counted last */
    expect_messages((uint64_t[]){6, 12, 6, 6}, (uint64_t[]){30, 6000, 24, 60}, (uint64_t[]){6, 12, 1, 7},
                    (uint64_t[]){30, 6000, 3, 28});
    finish(6);
}

static void what_is_published_counts_once_for_each_receiver(void **state)
{
    (void)state;
    start(3);
    open_clients(6);
    assert_eventually(jz_server_subscriber_count(server, TOPIC) == 6);
    assert_int_equal(jz_server_publish(server, TOPIC, JZ_MESSAGE_TEXT, "Hello", 5), JZ_SEND_SENT);
    for (size_t i = 0; i < 6; i++)
        test_client_expect(&clients[i], JZ_OPCODE_TEXT, "Hello", 5);
    static const uint64_t none[JZ_MESSAGE_KINDS];
    expect_messages(none, none, (uint64_t[]){6, 0, 0, 0}, (uint64_t[]){30, 0, 0, 0});
    finish(6);
}

static void pings_to_idle_peers_count(void **state)
{
    (void)state;
    jz_route_options route = jz_route_options_default();
    route.idle_timeout_ms = 400;
    start_with(1, &route);
    open_clients(1);
    test_client_expect(&clients[0], JZ_OPCODE_PING, "", 0);
    assert_int_equal(now().messages_sent[JZ_MESSAGE_PING], 1);
    assert_int_equal(now().messages_received[JZ_MESSAGE_PONG], 0);
    finish(1);
}

static void bytes_of_what_is_compressed_are_those_before(void **state)
{
    (void)state;
    enum { LENGTH = 10000 };
    static const uint8_t zeros[LENGTH];
    jz_route_options route = jz_route_options_default();
    route.deflate.mode = JZ_DEFLATE_SHARED;
    start_with(1, &route);
    static const char request[] = UPGRADE_REQUEST_WITH("/", "Sec-WebSocket-Extensions: permessage-deflate\r\n");
    assert_true(test_client_open(&clients[0], jz_server_port(server), request));
    assert_eventually(opens == 1);
    assert_int_equal(jz_ws_send((jz_ws){last}, JZ_MESSAGE_BINARY, zeros, LENGTH), JZ_SEND_QUEUED);
    test_received frame;
    assert_true(test_client_take_frame(&clients[0], &frame));
    assert_true(frame.length < LENGTH / 10);
    assert_int_equal(now().bytes_sent[JZ_MESSAGE_BINARY], LENGTH);
    /* Echoed unchanged. */
    static uint8_t head[6] = {0xC2, 0x80};
    head[1] = 0x80 | (uint8_t)frame.length;
    assert_true(frame.length < 126);
    assert_true(test_client_send(&clients[0], head, sizeof head));
    assert_true(test_client_send(&clients[0], frame.payload, frame.length));
    assert_eventually(now().bytes_received[JZ_MESSAGE_BINARY] == LENGTH); /* counted last */
    assert_int_equal(now().messages_received[JZ_MESSAGE_BINARY], 1);
    finish(1);
}

static void what_is_dropped_and_what_waits_is_counted(void **state)
{
    (void)state;
    static const uint8_t payload[1000];
    jz_ws buffering[2] = {{0}, {0}};
    start(1);
    bystander_open(jz_server_port(server));
    for (size_t i = 0; i < 2; i++) {
        assert_true(test_client_connect(&clients[i], jz_server_port(server), LITTLE_RECEIVE));
        assert_true(test_client_send(&clients[i], UPGRADE_REQUEST("/"), sizeof UPGRADE_REQUEST("/") - 1));
        assert_int_equal(test_client_take_head(&clients[i]), 101);
        assert_eventually(opens == i + 1);
        jz_ws ws = {last};
        uint64_t dropped = now().dropped;
        while (now().dropped == dropped) {
            for (int k = 0; k < 32; k++)
                jz_ws_send(ws, JZ_MESSAGE_BINARY, payload, sizeof payload);
            bystander_let_turn();
        }
        buffering[i] = ws;
        /* The kernel may take some more of it meanwhile. */
        assert_eventually(now().buffered_bytes ==
                          jz_ws_buffered_amount(buffering[0]) + jz_ws_buffered_amount(buffering[1]));
        assert_true(jz_ws_buffered_amount(ws) > LIMIT / 2);
        assert_int_equal(now().dropped, jz_server_dropped_count(server));
    }
    /* Accepted messages are those that were not dropped. */
    assert_int_equal((now().messages_sent[JZ_MESSAGE_BINARY] + now().dropped) % 32, 0);
    assert_int_equal(now().bytes_sent[JZ_MESSAGE_BINARY], now().messages_sent[JZ_MESSAGE_BINARY] * 1000);
    test_client_reset(&clients[0]);
    test_client_reset(&clients[1]);
    assert_eventually(now().websockets == 1);
    assert_eventually(now().buffered_bytes == 0);
    bystander_close();
    finish(0);
}

/* How a client ends its connection, and what is counted. */
static const struct {
    test_frame frame;
    unsigned place; /* in jz_statistics.closes */
    jz_failure failure;
} ends[] = {
    {CLOSE(1000, "bye"), 0, JZ_FAILURE_NONE},
    {CLOSE(1001, ""), 1, JZ_FAILURE_NONE},
    {CLOSE_WITHOUT_CODE, 5, JZ_FAILURE_NONE},
    {CLOSE(3500, ""), JZ_CLOSES_REGISTERED, JZ_FAILURE_NONE},
    {CLOSE(4000, ""), JZ_CLOSES_PRIVATE, JZ_FAILURE_NONE},
    {CLOSE(4999, ""), JZ_CLOSES_PRIVATE, JZ_FAILURE_NONE},
    {LAST("x"), 2, JZ_FAILURE_UNEXPECTED_CONTINUATION},
    {RAW("\x81\x05Hello"), 2, JZ_FAILURE_NOT_MASKED},
    {TEXT("\xFF"), 7, JZ_FAILURE_INVALID_UTF8},
    {CLOSE(1006, ""), 2, JZ_FAILURE_INVALID_CLOSE_CODE},
    {CLAIM_OF(JZ_OPCODE_BINARY, 1 << 30, SHORTEST_LENGTH), 9, JZ_FAILURE_MESSAGE_TOO_BIG},
};

static void closes_are_counted_by_code_and_failures_by_rule(void **state)
{
    (void)state;
    uint64_t closes[JZ_CLOSES_COUNT] = {0};
    uint64_t failures[JZ_FAILURE_COUNT] = {0};
    start(3);
    for (size_t i = 0; i <= COUNT_OF(ends); i++) {
        assert_true(test_client_open(&clients[0], jz_server_port(server), UPGRADE_REQUEST("/")));
        bool is_reset = i == COUNT_OF(ends);
        if (is_reset) {
            assert_eventually(opens == i + 1);
            test_client_reset(&clients[0]);
        } else {
            test_client_send_frame(&clients[0], &ends[i].frame);
        }
        closes[is_reset ? 6 : ends[i].place]++;
        failures[is_reset ? JZ_FAILURE_TRANSPORT : ends[i].failure]++;
        assert_eventually(now().websockets_total == i + 1 && now().websockets == 0);
        failures[JZ_FAILURE_NONE] = 0;
        jz_statistics statistics = now();
        for (size_t k = 0; k < JZ_CLOSES_COUNT; k++)
            assert_that(statistics.closes[k] == closes[k], "row %zu, closes[%zu]", i, k);
        for (size_t k = 0; k < JZ_FAILURE_COUNT; k++)
            assert_that(statistics.failures[k] == failures[k], "row %zu, failures[%zu]", i, k);
        test_client_close(&clients[0]);
    }
    finish(0);
}

static void times_tell_of_a_handler_that_blocks_while_it_does(void **state)
{
    (void)state;
    enum { BLOCKED_NS = BLOCKED_MS * 1000000 };
    start(1);
    bystander_open(jz_server_port(server));
    uint64_t iterations = now().iterations;
    for (int i = 0; i < 5; i++)
        bystander_let_turn();
    assert_true(now().iterations >= iterations + 5);

    bystander_hold_loop();
    uint64_t longest = now().longest_iteration; /* on a busy machine, another one may have taken long, too */
    poll(NULL, 0, BLOCKED_MS);
    assert_eventually(now().lag > longest);
    uint64_t lag = now().lag;
    assert_true(lag >= BLOCKED_NS);
    poll(NULL, 0, 2);
    assert_true(now().lag > lag);
    assert_int_equal(now().longest_iteration, longest);
    uint64_t time = now().iteration_time;
    bystander_release_loop();
    assert_eventually(now().longest_iteration > longest); /* counted last */
    assert_true(now().longest_iteration >= BLOCKED_NS);
    assert_true(now().iteration_time >= time + BLOCKED_NS);
    assert_eventually(now().lag == 0);
    bystander_close();
    finish(0);
}

static void each_close_code_has_its_place(void **state)
{
    (void)state;
    static const struct {
        uint16_t code;
        unsigned place;
    } places[] = {{1000, 0},
                  {1001, 1},
                  {1006, 6},
                  {1015, 15},
                  {1016, JZ_CLOSES_OTHER_RFC},
                  {2999, JZ_CLOSES_OTHER_RFC},
                  {3000, JZ_CLOSES_REGISTERED},
                  {3999, JZ_CLOSES_REGISTERED},
                  {4000, JZ_CLOSES_PRIVATE},
                  {4999, JZ_CLOSES_PRIVATE}};
    for (size_t i = 0; i < COUNT_OF(places); i++)
        assert_int_equal(jz_closes_index(places[i].code), places[i].place);
    for (uint32_t code = 0; code <= UINT16_MAX; code++)
        assert_true(jz_closes_index((uint16_t)code) < JZ_CLOSES_COUNT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_server_has_done_nothing),
        cmocka_unit_test(connections_are_counted_from_being_accepted_to_their_end),
        cmocka_unit_test(messages_and_their_bytes_are_counted_by_kind),
        cmocka_unit_test(what_is_published_counts_once_for_each_receiver),
        cmocka_unit_test(pings_to_idle_peers_count),
        cmocka_unit_test(bytes_of_what_is_compressed_are_those_before),
        cmocka_unit_test(what_is_dropped_and_what_waits_is_counted),
        cmocka_unit_test(closes_are_counted_by_code_and_failures_by_rule),
        cmocka_unit_test(times_tell_of_a_handler_that_blocks_while_it_does),
        cmocka_unit_test(each_close_code_has_its_place),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("statistics", tests, NULL, NULL));
}
