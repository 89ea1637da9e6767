/*
 * Every allocation in a server's life fails once, on any thread, and in further runs it fails with all that follow it:
 * from creating the server, with clients that use everything, to its end. In all cases nothing crashes, hangs or leaks,
 * and every connection that was opened is closed.
 */
#include <stdatomic.h>
#include <sys/types.h>

#include "jazzy.h"
#include "jazzy/broker.h"
#include "support/allocation.h"
#include "support/client.h"
#include "support/content.h"
#include "support/eventually.h"
#include "support/testing.h"
#include "support/throttled_transport.h"
#include "support/witness.h"
#include "support/zlib_peer.h"

static const uint8_t key[4] = {0x37, 0xFA, 0x21, 0x3D};

/* A wait in vain lasts until its deadline, because a shorter time could be too short on a busy machine. */
enum { MOST_ALLOCATIONS = 3000, MOST_MS_OF_A_RUN = TEST_DEADLINE_MS * 3 / 4 };

#define DEFLATE_REQUEST UPGRADE_REQUEST_WITH("/", "Sec-WebSocket-Extensions: permessage-deflate\r\n")

typedef struct variant {
    const char *name;
    jz_execution execution;
    jz_deflate_mode deflate;
    jz_accepting accepting;
    uint32_t threads;
    bool has_broker;
    bool has_transport;
    bool has_rate; /* so high that nothing exceeds it */
} variant;

static throttled throttle = {.most_received = 2000, .most_sent = 2000, .steps = 3, .contrary = 20};

static const variant variants[] = {
    {"one loop", JZ_EXECUTION_LOOP, JZ_DEFLATE_DEDICATED, JZ_ACCEPTING_SHARED_PORT, 1, false, false, false},
    {"two loops that share the port", JZ_EXECUTION_LOOP, JZ_DEFLATE_SHARED, JZ_ACCEPTING_SHARED_PORT, 2, false, false,
     true},
    {"two loops, workers, a broker", JZ_EXECUTION_WORKERS, JZ_DEFLATE_SHARED, JZ_ACCEPTING_HAND_OVER, 2, true, false,
     true},
    {"one loop, a transport", JZ_EXECUTION_LOOP, JZ_DEFLATE_SHARED, JZ_ACCEPTING_SHARED_PORT, 1, false, true, false},
};

/* The first client's messages, created before anything fails: large and small, whole and in fragments, compressed. */
static jz_buffer speech;

static void append_frame(bool fin, uint8_t reserved, uint8_t opcode, const void *payload, size_t length)
{
    const test_frame frame = {.fin = fin, .reserved = reserved, .opcode = opcode, .payload = {payload, length, length}};
    test_frame_append(&speech, &frame, key);
}

static int make_speech(void **state)
{
    (void)state;
    test_random random = {.state = 1};
    jz_buffer message = {0};
    jz_buffer payload = {0};
    zlib_peer peer;
    zlib_peer_start(&peer, 15, 15);
    append_frame(true, 0, JZ_OPCODE_TEXT, "small", 5);
    test_content_fill(&message, NOISE, 20000, &random);
    append_frame(true, 0, JZ_OPCODE_BINARY, message.bytes, message.length);
    append_frame(false, 0, JZ_OPCODE_BINARY, message.bytes, 1000);
    append_frame(true, 0, JZ_OPCODE_PING, "ping", 4);
    append_frame(true, 0, JZ_OPCODE_CONTINUATION, message.bytes, 1000);
    test_content_fill(&message, LETTERS, 3000, &random);
    zlib_peer_compress(&peer, message.bytes, message.length, &payload);
    append_frame(true, JZ_RSV1, JZ_OPCODE_BINARY, payload.bytes, payload.length);
    append_frame(true, 0, JZ_OPCODE_TEXT, "publish", 7);
    append_frame(true, 0, JZ_OPCODE_CLOSE, "\x03\xE8", 2);
    zlib_peer_finish(&peer);
    jz_buffer_free(&message);
    jz_buffer_free(&payload);
    return 0;
}

static int free_speech(void **state)
{
    (void)state;
    jz_buffer_free(&speech);
    return 0;
}

static void ignore_log(void *context, jz_log_level level, const char *line)
{
    (void)context;
    (void)level;
    (void)line;
}

/* Anything but an orderly refusal is wrong. */
static bool is_refused(witness *witness, jz_status status, const jz_error *error)
{
    if (status != JZ_OK && (status != JZ_STATUS_OUT_OF_MEMORY || error->status != status))
        witness->wrong++;
    return status != JZ_OK;
}

/* A broker that counts its topics, and delivers each publication once more. It allocates no memory. */
static _Atomic(jz_server *) joined;
static atomic_size_t known_topics;

static jz_status start_broker(void *context, jz_server *server, jz_error *error)
{
    (void)context;
    (void)error;
    joined = server;
    return JZ_OK;
}

static void stop_broker(void *context)
{
    (void)context;
    joined = NULL;
}

static void know_topic(void *context, const char *topic, size_t length)
{
    (void)context;
    (void)topic;
    (void)length;
    known_topics++;
}

static void forget_topic(void *context, const char *topic, size_t length)
{
    (void)context;
    (void)topic;
    (void)length;
    known_topics--;
}

static jz_send_status deliver_again(void *context, const char *topic, size_t topic_length, jz_message_kind kind,
                                    const void *bytes, size_t length)
{
    (void)context;
    return jz_broker_deliver(joined, topic, topic_length, kind, bytes, length);
}

static const jz_broker broker = {.start = start_broker,
                                 .stop = stop_broker,
                                 .subscribe = know_topic,
                                 .unsubscribe = forget_topic,
                                 .publish = deliver_again};

/* Those who were told of as joined and not as left, and watches that were not released; 0 when the server is gone. */
static atomic_size_t known_members, live_watches;

static void know_members(void *context, const jz_presence_change *change)
{
    (void)context;
    known_members += change->joined_count;
    known_members -= change->left_count;
}

static void forget_watch(void *context)
{
    (void)context;
    live_watches--;
}

static jz_status watch_all(jz_server *server, jz_error *error)
{
    const jz_presence_watch watch = {.is_prefix = true, .changed = know_members, .released = forget_watch};
    jz_status status = jz_server_on_presence(server, &watch, NULL, error);
    live_watches += status == JZ_OK;
    return status;
}

/* NULL where it is refused. */
static jz_server *start_server(const variant *variant, witness *witness, uint32_t close_timeout_ms)
{
    jz_error error = {0};
    jz_options options = jz_options_default();
    options.threads = variant->threads;
    options.accepting = variant->accepting;
    options.worker_threads = 1;
    options.receive_buffer_size = 4096;
    options.backpressure_limit = 3 * 1024 * 1024;
    options.close_timeout_ms = close_timeout_ms;
    options.log = ignore_log;
    jz_route_options route = jz_route_options_default();
    route.execution = variant->execution;
    route.max_waiting_events = 2;
    route.deflate.mode = variant->deflate;
    route.deflate.memory_level = 1;
    if (variant->has_rate)
        route.message_rate = (jz_message_rate){JZ_MAX_MESSAGE_RATE, JZ_MAX_MESSAGE_RATE, JZ_EXCEEDING_PAUSE};
    witness_configure(&route);
    const jz_listen_options listening = {.transport = variant->has_transport ? &throttled_transport : NULL,
                                         .transport_context = &throttle};

    jz_server *server = jz_server_create(&options, &error);
    if (server == NULL) {
        is_refused(witness, error.status, &error);
        return NULL;
    }
    if (is_refused(witness, jz_server_route_get(server, "/", "text/plain", "page", 4, &error), &error) ||
        is_refused(witness, jz_server_route_not_found(server, "text/plain", "none", 4, &error), &error) ||
        is_refused(witness, jz_server_route_ws(server, "/", &route, witness_handle, witness, &error), &error) ||
        is_refused(witness, jz_server_listen_with(server, "127.0.0.1", 0, &listening, &error), &error) ||
        is_refused(witness, watch_all(server, &error), &error) ||
        (variant->has_broker && is_refused(witness, jz_server_join(server, &broker, &error), &error)) ||
        is_refused(witness, jz_server_start(server, &error), &error)) {
        jz_server_destroy(server);
        return NULL;
    }
    return server;
}

static test_client speaker;
static test_client listener;
static test_client slow_reader;

/* Reads a page, shakes hands byte by byte, says everything that there is to be said, and waits for the end. */
static void run_speaker(uint16_t port)
{
    static const char page[] = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
    static const char handshake[] = DEFLATE_REQUEST;
    if (!test_client_connect(&speaker, port, 0))
        return;
    if (test_client_send(&speaker, page, strlen(page)) && test_client_take_head(&speaker) == 200 &&
        test_client_receive(&speaker, 4)) {
        speaker.start += 4;
        bool is_sent = true;
        for (size_t i = 0; i < strlen(handshake) && is_sent; i++)
            is_sent = test_client_send(&speaker, handshake + i, 1);
        if (is_sent && test_client_take_head(&speaker) == 101)
            test_client_send(&speaker, speech.bytes, speech.length);
        test_client_sees_end(&speaker);
    }
    test_client_close(&speaker);
}

static const uint8_t flood[] = {0x81, 0x85, 0, 0, 0, 0, 'f', 'l', 'o', 'o', 'd', 0x88, 0x80, 0, 0, 0, 0};

/* Does not read until much waits for it, takes some of that, and goes. Where nothing comes, its close frame is next. */
static void run_slow_reader(uint16_t port)
{
    if (!test_client_connect(&slow_reader, port, 4096))
        return;
    if (test_client_send(&slow_reader, UPGRADE_REQUEST("/"), strlen(UPGRADE_REQUEST("/"))) &&
        test_client_take_head(&slow_reader) == 101 && test_client_send(&slow_reader, flood, sizeof flood)) {
        test_received frame;
        bool goes_on = true;
        for (int i = 0; i < 4 && goes_on; i++)
            goes_on = test_client_take_frame(&slow_reader, &frame) && frame.opcode != JZ_OPCODE_CLOSE;
    }
    test_client_reset(&slow_reader);
}

static void answer_close(test_client *client)
{
    static const uint8_t answer[] = {0x88, 0x80, 0, 0, 0, 0};
    test_received frame;
    while (test_client_take_frame(client, &frame)) {
        if (frame.opcode == JZ_OPCODE_CLOSE)
            test_client_send(client, answer, sizeof answer);
    }
    test_client_close(client);
}

/* The listener's handle, once its open event came; zero where it ended before. */
static jz_ws find_listener(witness *witness)
{
    char own_address[32];
    test_client_address(&listener, own_address);
    uint64_t deadline = test_deadline();
    while (!test_client_is_at_end(&listener) && test_pause_before(deadline)) {
        for (size_t i = 0; i < WITNESSED_CONNECTIONS; i++) {
            char address[JZ_REMOTE_ADDRESS_SIZE];
            jz_ws ws = witness_connection(witness, i);
            if (jz_ws_remote_address(ws, address) > 0 && strcmp(address, own_address) == 0)
                return ws;
        }
    }
    return (jz_ws){0};
}

/* Listens while this thread, which is not the server's, sends, subscribes, publishes and at last closes. */
static void run_listener(jz_server *server, witness *witness)
{
    if (!test_client_open(&listener, jz_server_port(server), DEFLATE_REQUEST))
        return;
    static const uint8_t large[5000];
    jz_ws ws = find_listener(witness);
    jz_ws_send(ws, JZ_MESSAGE_TEXT, large, sizeof large);
    jz_ws_subscribe(ws, "a third", 7);
    jz_ws_subscribe_as(ws, "a third", 7, &(jz_member){"ann", 3, "info", 4}, NULL);
    jz_ws_subscribe_as(ws, "a fourth", 8, &(jz_member){NULL, 0, NULL, 0}, NULL);
    jz_server_publish(server, "a third", 7, JZ_MESSAGE_BINARY, large, sizeof large);
    jz_ws_publish(ws, WITNESS_TOPIC, strlen(WITNESS_TOPIC), JZ_MESSAGE_TEXT, "small", 5);
    if (jz_ws_close(ws, 1000, "enough", 6) == JZ_SEND_QUEUED)
        answer_close(&listener);
    else
        test_client_close(&listener);
}

/* A server's whole life. */
static void run(const variant *variant, witness *witness)
{
    jz_server *server = start_server(variant, witness, 100);
    if (server == NULL)
        return;
    run_speaker(jz_server_port(server));
    run_slow_reader(jz_server_port(server));
    run_listener(server, witness);
    bool is_open = test_client_open(&listener, jz_server_port(server), UPGRADE_REQUEST("/"));
    jz_server_stop(server);
    if (is_open)
        answer_close(&listener);
    jz_server_destroy(server);
}

typedef void fail_allocations(size_t count);

static size_t walk(const variant *variant, fail_allocations *begin_failing)
{
    for (size_t allowed = 0; allowed < MOST_ALLOCATIONS; allowed++) {
        witness *witness = witness_begin(variant->execution == JZ_EXECUTION_WORKERS);
        size_t live = test_live_allocations();
        uint64_t deadline = test_deadline() - TEST_DEADLINE_MS + MOST_MS_OF_A_RUN;
        begin_failing(allowed);
        run(variant, witness);
        size_t refused = test_allocations_succeed();
        assert_that(test_pause_before(deadline), "%s, allocation %zu: hangs", variant->name, allowed);
        assert_that(witness->wrong == 0, "%s, allocation %zu: %zu events out of order", variant->name, allowed,
                    witness->wrong);
        assert_that(witness->closes == witness->count, "%s, allocation %zu: %zu opened, %zu closed", variant->name,
                    allowed, witness->count, witness->closes);
        assert_that(witness->states == 0, "%s, allocation %zu: %zu states are not released", variant->name, allowed,
                    witness->states);
        assert_that(throttle.opened == throttle.closed, "%s, allocation %zu: a channel is left", variant->name,
                    allowed);
        assert_that(test_live_allocations() == live, "%s, allocation %zu: %zd leaks", variant->name, allowed,
                    (ssize_t)(test_live_allocations() - live));
        assert_that(live_watches == 0, "%s, allocation %zu: a watch is not released", variant->name, allowed);
        assert_that(refused > 0 || known_members == 0, "%s: %zu members have not left", variant->name, known_members);
        known_members = 0; /* without memory nothing more is told at the end */
        assert_that(known_topics == 0, "%s, allocation %zu: %zu topics are left", variant->name, allowed, known_topics);
        if (refused == 0)
            return allowed;
    }
    fail_msg("%s: no end of allocations", variant->name);
    return 0;
}

static void one_allocation_that_fails_does_no_harm(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(variants); i++)
        assert_in_range(walk(&variants[i], test_allocation_fails_once_after), 50, MOST_ALLOCATIONS);
}

static void the_end_of_all_memory_does_no_harm(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(variants); i++)
        assert_in_range(walk(&variants[i], test_allocations_fail_after), 50, MOST_ALLOCATIONS);
}

/* Takes a flood. Returns whether it ended in order; in any case no frame is broken but the last. */
static bool take_flood(size_t *count)
{
    test_received frame;
    *count = 0;
    while (test_client_take_frame(&slow_reader, &frame)) {
        if (frame.opcode == JZ_OPCODE_CLOSE)
            return true;
        assert_int_equal(frame.opcode, JZ_OPCODE_BINARY);
        assert_int_equal(frame.length, FLOOD_MESSAGE_SIZE);
        (*count)++;
    }
    return false;
}

static void what_was_accepted_arrives_or_the_connection_ends(void **state)
{
    (void)state;
    size_t endings = 0;
    size_t refused = 1;
    for (size_t allowed = 0; refused > 0; allowed++) {
        assert_in_range(allowed, 0, 100);
        witness *witness = witness_begin(false);
        jz_server *server = start_server(&variants[0], witness, TEST_DEADLINE_MS); /* who stands still is not cut off */
        assert_non_null(server);
        assert_true(test_client_connect(&slow_reader, jz_server_port(server), 65536));
        assert_true(test_client_send(&slow_reader, UPGRADE_REQUEST("/"), strlen(UPGRADE_REQUEST("/"))));
        assert_int_equal(test_client_take_head(&slow_reader), 101);
        test_allocation_fails_once_after(allowed);
        assert_true(test_client_send(&slow_reader, flood, sizeof flood));
        assert_eventually(witness->floods == 1);
        size_t received;
        bool is_in_order = take_flood(&received);
        test_client_close(&slow_reader);
        jz_server_destroy(server);
        refused = test_allocations_succeed();
        assert_true(is_in_order || refused > 0);
        assert_that(!is_in_order || received == witness->accepted, "allocation %zu: %zu of %zu arrived", allowed,
                    received, witness->accepted);
        assert_int_equal(witness->closes, 1);
        endings += is_in_order ? 0 : 1;
    }
    assert_in_range(endings, 1, 100); /* part of a frame was on its way already */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_allocation_that_fails_does_no_harm),
        cmocka_unit_test(the_end_of_all_memory_does_no_harm),
        cmocka_unit_test(what_was_accepted_arrives_or_the_connection_ends),
    };
    return EXIT_STATUS_OF(
        cmocka_run_group_tests_name("allocation failures in servers", tests, make_speech, free_speech));
}
