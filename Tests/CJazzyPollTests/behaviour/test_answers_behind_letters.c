/*
 * What a connection's handler says waits behind more calls of other threads than an iteration takes. Nothing that the
 * server itself sends to the peer overtakes it: after a close frame it could not be sent (RFC 6455 section 5.5.1).
 */
#include <stdatomic.h>

#include "jazzy.h"
#include "support/client.h"
#include "support/clock.h"
#include "support/eventually.h"
#include "support/serving.h"
#include "support/testing.h"

enum { OTHERS = 20000, CHUNK = 16 * 1024, LIMIT = 2 * CHUNK, UNSENT = 4, LATER_MS = 20000 };

#define TOPIC "topic", 5

static jz_server *server;
static test_client client;

static struct {
    _Atomic uint64_t ws;
    atomic_bool holds; /* the handler has the loop, until it is let go */
    atomic_bool is_let_go;
    bool holds_at_open;
    jz_send_status (*say)(jz_ws ws);
    atomic_int said;
    atomic_size_t filled; /* messages that were sent before the peer reads */
    atomic_bool is_filled;
    atomic_size_t heard; /* messages of the peer */
    atomic_size_t drained;
    jz_handshake asked;
    atomic_bool is_asked;
} speaker;

static jz_send_status send_last(jz_ws ws)
{
    return jz_ws_send(ws, JZ_MESSAGE_TEXT, "last", 4);
}

static jz_send_status publish_last(jz_ws ws)
{
    (void)ws;
    return jz_server_publish(server, TOPIC, JZ_MESSAGE_TEXT, "last", 4);
}

static jz_send_status publish_last_including_itself(jz_ws ws)
{
    const jz_publish_options options = {.including_self = true};
    return jz_ws_publish_with(ws, TOPIC, JZ_MESSAGE_TEXT, "last", 4, &options);
}

/* Says the last once it is let go: until then the others call. */
static void hold_and_say(jz_ws ws)
{
    speaker.holds = true;
    test_hold_while(!speaker.is_let_go);
    speaker.said = (int)speaker.say(ws);
}

static void fill(jz_ws ws)
{
    static const uint8_t chunk[CHUNK];
    while (jz_ws_send(ws, JZ_MESSAGE_BINARY, chunk, sizeof chunk) != JZ_SEND_DROPPED)
        speaker.filled++;
    speaker.is_filled = true;
}

static void speak(void *context, jz_ws ws, const jz_event *event, const jz_message *message)
{
    (void)context;
    if (event->type == JZ_EVENT_OPEN) {
        jz_ws_subscribe(ws, TOPIC);
        speaker.ws = ws.value;
        if (speaker.holds_at_open)
            hold_and_say(ws);
    } else if (event->type == JZ_EVENT_MESSAGE) {
        if (message->length == 4 && memcmp(message->bytes, "fill", 4) == 0)
            fill(ws);
        else if (speaker.heard++ == 0)
            hold_and_say(ws);
    }
}

static void speak_when_drained(void *context, jz_ws ws)
{
    (void)context;
    speaker.drained++;
    hold_and_say(ws);
}

static void ask(void *context, jz_handshake handshake, const jz_request *request)
{
    (void)context, (void)request;
    speaker.asked = handshake;
    speaker.is_asked = true;
}

/* Another connection of the same loop, whose handler closes that of the speaker once it is let go. */
static struct {
    _Atomic uint64_t ws;
    atomic_bool holds;
    atomic_bool is_let_go;
} other;

static void close_the_speaker(void *context, jz_ws ws, const jz_event *event, const jz_message *message)
{
    (void)context, (void)message;
    if (event->type == JZ_EVENT_OPEN)
        other.ws = ws.value;
    if (event->type != JZ_EVENT_MESSAGE)
        return;
    other.holds = true;
    test_hold_while(!other.is_let_go);
    speaker.said = (int)jz_ws_close((jz_ws){speaker.ws}, 4000, "", 0);
}

static void start(const jz_route_options *options)
{
    static const serving_route silent = {"/other", close_the_speaker, NULL, NULL};
    jz_options server_options = serving_options(1);
    server = serving_start(&server_options, (const serving_route[]){{"/", speak, NULL, options}, silent}, 2);
}

static void begin(jz_send_status (*say)(jz_ws ws))
{
    memset(&speaker, 0, sizeof speaker);
    memset(&other, 0, sizeof other);
    speaker.say = say;
    speaker.said = -1;
}

static void finish(void)
{
    test_client_close(&client);
    jz_server_destroy(server);
}

/* More calls than an iteration takes, which cost nothing. */
static void let_others_call(void)
{
    for (int i = 0; i < OTHERS; i++)
        assert_int_equal(jz_ws_unsubscribe((jz_ws){speaker.ws}, "none", 4), JZ_SEND_QUEUED);
}

static void let_others_call_before_it(void)
{
    assert_eventually(speaker.holds);
    let_others_call();
    speaker.is_let_go = true;
}

static void expect_close(uint16_t code)
{
    test_received frame;
    assert_true(test_client_take_frame(&client, &frame));
    assert_int_equal(frame.opcode, JZ_OPCODE_CLOSE);
    assert_true(frame.length >= 2);
    assert_int_equal(frame.payload[0] << 8 | frame.payload[1], code);
}

static void expect_last_and_close(uint16_t code)
{
    test_client_expect(&client, JZ_OPCODE_TEXT, "last", 4);
    expect_close(code);
}

static void send_frames(const char *before, const test_frame *frames, size_t count)
{
    static const uint8_t key[4] = {1, 2, 3, 4};
    jz_buffer said = {0};
    test_bytes_append(&said, (test_bytes){before, strlen(before), strlen(before)});
    for (size_t i = 0; i < count; i++)
        test_frame_append(&said, &frames[i], key);
    assert_true(test_client_send(&client, said.bytes, said.length));
    jz_buffer_free(&said);
}

/* A server with one client, whose handler says this. */
static void serve_one(jz_send_status (*say)(jz_ws ws), const jz_route_options *options)
{
    begin(say);
    start(options);
    assert_true(test_client_open(&client, jz_server_port(server), UPGRADE_REQUEST("/")));
}

static void what_is_said_at_the_open_event_comes_before_the_answer_to_a_close_behind_the_request(void **state)
{
    (void)state;
    begin(send_last);
    speaker.holds_at_open = true;
    start(NULL);
    assert_true(test_client_connect(&client, jz_server_port(server), 0));
    send_frames(UPGRADE_REQUEST("/"), &(test_frame)CLOSE(1000, ""), 1);
    let_others_call_before_it();
    assert_int_equal(test_client_take_head(&client), 101);
    expect_last_and_close(1000);
    assert_int_equal(speaker.said, JZ_SEND_QUEUED);
    finish();
}

static void the_same_where_the_client_is_let_in_later(void **state)
{
    (void)state;
    begin(send_last);
    speaker.holds_at_open = true;
    jz_route_options options = jz_route_options_default();
    options.upgrade = ask;
    start(&options);
    assert_true(test_client_connect(&client, jz_server_port(server), 0));
    send_frames(UPGRADE_REQUEST("/"), (const test_frame[]){TEXT("a"), CLOSE(1000, "")}, 2);
    assert_eventually(speaker.is_asked);
    assert_int_equal(jz_handshake_accept(speaker.asked, NULL), JZ_ANSWER_TAKEN);
    let_others_call_before_it();
    assert_int_equal(test_client_take_head(&client), 101);
    test_client_expect(&client, JZ_OPCODE_TEXT, "last", 4);
    expect_last_and_close(1000); /* it says it again to the client's text */
    finish();
}

static void what_is_said_when_output_has_drained_comes_before_the_answer_to_a_close(void **state)
{
    (void)state;
    jz_route_options options = jz_route_options_default();
    options.backpressure_limit = LIMIT;
    options.drained = speak_when_drained;
    serve_one(send_last, &options);
    test_client_send_frame(&client, &(test_frame)TEXT("fill"));
    assert_eventually(speaker.is_filled);
    test_received frame;
    for (size_t i = 0; i < speaker.filled; i++) {
        assert_true(test_client_take_frame(&client, &frame));
        assert_int_equal(frame.opcode, JZ_OPCODE_BINARY);
    }
    assert_eventually(speaker.holds);
    test_client_send_frame(&client, &(test_frame)CLOSE(1000, ""));
    let_others_call_before_it();
    expect_last_and_close(1000);
    assert_int_equal(speaker.said, JZ_SEND_QUEUED);
    finish();
}

static void what_is_said_comes_before_the_answer_to_what_is_behind_its_message(void **state)
{
    (void)state;
    const struct {
        jz_send_status (*say)(jz_ws ws);
        test_frame behind;
        uint16_t close_code; /* 0: it is answered by a pong */
    } cases[] = {
        {send_last, PING("p"), 0},
        {send_last, CONTINUATION("b"), 1002},
        {publish_last, CLOSE(1000, ""), 1000},
        {publish_last_including_itself, CLOSE(1000, ""), 1000},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        serve_one(cases[i].say, NULL);
        send_frames("", (const test_frame[]){TEXT("a"), cases[i].behind}, 2);
        let_others_call_before_it();
        test_client_expect(&client, JZ_OPCODE_TEXT, "last", 4);
        if (cases[i].close_code != 0)
            expect_close(cases[i].close_code);
        else
            test_client_expect(&client, JZ_OPCODE_PONG, "p", 1);
        finish();
    }
}

static void what_is_said_comes_before_the_close_at_the_end_of_its_lifetime(void **state)
{
    (void)state;
    jz_route_options options = jz_route_options_default();
    options.max_lifetime_ms = LATER_MS;
    serve_one(send_last, &options);
    test_client_send_frame(&client, &(test_frame)TEXT("a"));
    assert_eventually(speaker.holds);
    test_clock_jump(2 * LATER_MS);
    let_others_call_before_it();
    expect_last_and_close(1001);
    finish();
    test_clocks_run();
}

/* The second of two connections is told half-way. */
static void what_is_said_comes_before_the_close_of_a_stop_that_takes_its_time(void **state)
{
    (void)state;
    begin(send_last);
    start(NULL);
    test_client first;
    assert_true(test_client_open(&first, jz_server_port(server), UPGRADE_REQUEST("/other")));
    assert_true(test_client_open(&client, jz_server_port(server), UPGRADE_REQUEST("/")));
    assert_eventually(speaker.ws != 0);
    jz_stop_options stop = jz_stop_options_default();
    stop.spread_ms = LATER_MS;
    assert_int_equal(jz_server_stop_with(server, &stop, NULL), JZ_OK);
    test_received frame;
    assert_true(test_client_take_frame(&first, &frame));
    assert_int_equal(frame.opcode, JZ_OPCODE_CLOSE);
    test_client_send_frame(&client, &(test_frame)TEXT("a"));
    assert_eventually(speaker.holds);
    test_clock_jump(LATER_MS);
    let_others_call_before_it();
    expect_last_and_close(1001);
    test_client_close(&first);
    finish();
    test_clocks_run();
}

static void who_pauses_reading_hears_of_nothing_that_is_read_later(void **state)
{
    (void)state;
    serve_one(jz_ws_pause_reading, NULL);
    test_client_send_frame(&client, &(test_frame)TEXT("a"));
    assert_eventually(speaker.holds);
    test_client_send_frame(&client, &(test_frame)TEXT("b"));
    let_others_call_before_it();
    assert_eventually(speaker.said == JZ_SEND_QUEUED);
    assert_int_equal(jz_ws_send((jz_ws){speaker.ws}, JZ_MESSAGE_TEXT, "behind", 6), JZ_SEND_QUEUED);
    test_client_expect(&client, JZ_OPCODE_TEXT, "behind", 6);
    assert_int_equal(speaker.heard, 1);
    assert_int_equal(jz_ws_resume_reading((jz_ws){speaker.ws}), JZ_SEND_QUEUED);
    assert_eventually(speaker.heard == 2);
    finish();
}

/* Its message waits behind calls, and the close that another handler asks for behind many more. */
static void who_was_closed_hears_of_no_message_where_it_waits_for_its_own_to_be_sent(void **state)
{
    (void)state;
    begin(send_last);
    start(NULL);
    test_client another;
    assert_true(test_client_open(&another, jz_server_port(server), UPGRADE_REQUEST("/other")));
    assert_true(test_client_open(&client, jz_server_port(server), UPGRADE_REQUEST("/")));
    send_frames("", (const test_frame[]){TEXT("a"), TEXT("b")}, 2);
    assert_eventually(speaker.holds);
    test_client_send_frame(&another, &(test_frame)TEXT("close it"));
    let_others_call_before_it();
    assert_eventually(other.holds);
    assert_int_equal(speaker.said, JZ_SEND_QUEUED);
    let_others_call();
    other.is_let_go = true;
    expect_last_and_close(4000);
    assert_int_equal(speaker.heard, 1);
    test_client_close(&another);
    finish();
}

static void who_was_closed_hears_of_no_drained_output_either(void **state)
{
    (void)state;
    begin(send_last);
    jz_route_options options = jz_route_options_default();
    options.backpressure_limit = LIMIT;
    options.drained = speak_when_drained;
    start(&options);
    test_client another;
    assert_true(test_client_open(&another, jz_server_port(server), UPGRADE_REQUEST("/other")));
    assert_true(test_client_open(&client, jz_server_port(server), UPGRADE_REQUEST("/")));
    test_client_send_frame(&client, &(test_frame)TEXT("fill"));
    assert_eventually(speaker.is_filled);
    test_client_send_frame(&another, &(test_frame)TEXT("close it"));
    assert_eventually(other.holds);
    let_others_call();
    /* The kernel has all but what waits, for which there is room then. */
    test_received frame;
    for (size_t i = 0; i < speaker.filled; i++) {
        if (i == speaker.filled - UNSENT)
            other.is_let_go = true;
        assert_true(test_client_take_frame(&client, &frame));
        assert_int_equal(frame.opcode, JZ_OPCODE_BINARY);
    }
    expect_close(4000);
    test_client_close(&another);
    finish();
    assert_int_equal(speaker.drained, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_said_at_the_open_event_comes_before_the_answer_to_a_close_behind_the_request),
        cmocka_unit_test(the_same_where_the_client_is_let_in_later),
        cmocka_unit_test(what_is_said_when_output_has_drained_comes_before_the_answer_to_a_close),
        cmocka_unit_test(what_is_said_comes_before_the_answer_to_what_is_behind_its_message),
        cmocka_unit_test(what_is_said_comes_before_the_close_at_the_end_of_its_lifetime),
        cmocka_unit_test(what_is_said_comes_before_the_close_of_a_stop_that_takes_its_time),
        cmocka_unit_test(who_pauses_reading_hears_of_nothing_that_is_read_later),
        cmocka_unit_test(who_was_closed_hears_of_no_message_where_it_waits_for_its_own_to_be_sent),
        cmocka_unit_test(who_was_closed_hears_of_no_drained_output_either),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("answers behind letters", tests, NULL, NULL));
}
