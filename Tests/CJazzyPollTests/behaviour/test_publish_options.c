/* Options of publications: whether the sender receives them, and whether they are compressed. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "codec/frame_header.h"
#include "jazzy.h"
#include "support/client.h"
#include "support/eventually.h"
#include "support/recorder.h"
#include "support/serving.h"
#include "support/testing.h"
#include "support/zlib_calls.h"

enum { CLIENTS = 6, LONG = 4000, SHORT = 40 };

#define ROOM "room", 4
#define PLAIN_REQUEST UPGRADE_REQUEST("/")
#define DEFLATE_REQUEST UPGRADE_REQUEST_WITH("/", "Sec-WebSocket-Extensions: permessage-deflate\r\n")

static struct {
    jz_server *server;
    pthread_mutex_t lock;
    jz_ws all[CLIENTS];
    atomic_size_t count;
    jz_publish_options options; /* of what the handler publishes */
    atomic_int status;
} room = {.lock = PTHREAD_MUTEX_INITIALIZER};

static test_client clients[CLIENTS];

/* Publishes what it is told, and then tells the sender that it has, so that it hears something in any case. */
static void publish_what_is_said(void *context, jz_ws ws, const jz_event *event, const jz_message *message)
{
    (void)context;
    if (event->type == JZ_EVENT_OPEN) {
        jz_ws_subscribe(ws, ROOM);
        pthread_mutex_lock(&room.lock);
        room.all[room.count] = ws;
        room.count++;
        pthread_mutex_unlock(&room.lock);
    } else if (event->type == JZ_EVENT_MESSAGE) {
        room.status = (int)jz_ws_publish_with(ws, ROOM, message->kind, message->bytes, message->length, &room.options);
        jz_ws_send(ws, JZ_MESSAGE_BINARY, "done", 4);
    }
}

static void start(uint32_t loops, const char *request)
{
    room.count = 0;
    room.options = (jz_publish_options){0};
    room.status = -1;
    const jz_options options = serving_options(loops);
    jz_route_options route = jz_route_options_default();
    route.deflate.mode = JZ_DEFLATE_SHARED;
    room.server = serving_start(&options, &(serving_route){"/", publish_what_is_said, NULL, &route}, 1);
    for (size_t i = 0; i < CLIENTS; i++) {
        assert_true(test_client_open(&clients[i], jz_server_port(room.server), request));
        assert_eventually(room.count == i + 1);
    }
}

static void finish(void)
{
    for (size_t i = 0; i < CLIENTS; i++)
        test_client_close(&clients[i]);
    jz_server_destroy(room.server);
}

static void a_sender_receives_its_own_message_if_it_wants_to(void **state)
{
    (void)state;
    for (uint32_t loops = 1; loops <= 2; loops++) {
        start(loops, PLAIN_REQUEST);
        for (int including_self = 0; including_self < 2; including_self++) {
            room.options.including_self = including_self != 0;
            test_client_send_frame(&clients[1], &(test_frame)TEXT("hello"));
            for (size_t i = 0; i < CLIENTS; i++) {
                if (i != 1 || including_self)
                    test_client_expect(&clients[i], JZ_OPCODE_TEXT, "hello", 5);
            }
            test_client_expect(&clients[1], JZ_OPCODE_BINARY, "done", 4);
            assert_int_equal(room.status, JZ_SEND_SENT);
        }
        finish();
    }
}

static void without_options_a_message_is_published_as_before(void **state)
{
    (void)state;
    start(2, PLAIN_REQUEST);
    assert_int_equal(jz_ws_publish_with(room.all[0], ROOM, JZ_MESSAGE_TEXT, "one", 3, NULL), JZ_SEND_SENT);
    assert_int_equal(jz_server_publish_with(room.server, ROOM, JZ_MESSAGE_TEXT, "two", 3, NULL), JZ_SEND_SENT);
    /* Nobody is the sender, so nobody is left out. */
    const jz_publish_options options = {.including_self = false};
    assert_int_equal(jz_server_publish_with(room.server, ROOM, JZ_MESSAGE_TEXT, "three", 5, &options), JZ_SEND_SENT);
    for (size_t i = 0; i < CLIENTS; i++) {
        if (i != 0)
            test_client_expect(&clients[i], JZ_OPCODE_TEXT, "one", 3);
        test_client_expect(&clients[i], JZ_OPCODE_TEXT, "two", 3);
        test_client_expect(&clients[i], JZ_OPCODE_TEXT, "three", 5);
    }
    assert_int_equal(jz_ws_publish_with(room.all[0], ROOM, JZ_MESSAGE_PING, "x", 1, &options), JZ_SEND_DROPPED);
    assert_int_equal(jz_server_publish_with(room.server, ROOM, JZ_MESSAGE_PONG, "x", 1, &options), JZ_SEND_DROPPED);
    finish();
    assert_int_equal(jz_ws_publish_with(room.all[0], ROOM, JZ_MESSAGE_TEXT, "late", 4, &options), JZ_SEND_CLOSED);
}

static const struct {
    const char *name;
    jz_compression compression;
    size_t length;
    bool is_compressed;
} compressions[] = {
    {"automatic, short", JZ_COMPRESSION_AUTOMATIC, SHORT, false},
    {"automatic, long", JZ_COMPRESSION_AUTOMATIC, LONG, true},
    {"always, short", JZ_COMPRESSION_ALWAYS, SHORT, true},
    {"always, long", JZ_COMPRESSION_ALWAYS, LONG, true},
    {"never, short", JZ_COMPRESSION_NEVER, SHORT, false},
    {"never, long", JZ_COMPRESSION_NEVER, LONG, false},
};

static void expect_frame(test_client *client, const char *name, bool is_compressed, size_t length)
{
    test_received frame;
    assert_true(test_client_take_frame(client, &frame));
    assert_that(frame.opcode == JZ_OPCODE_TEXT, "%s: %d", name, frame.opcode);
    assert_that((frame.reserved == JZ_RSV1) == is_compressed, "%s: reserved %d", name, frame.reserved);
    assert_that(is_compressed ? frame.length < length : frame.length == length, "%s: %zu bytes", name, frame.length);
}

static void a_message_is_compressed_once_for_all_or_not_at_all(void **state)
{
    (void)state;
    static uint8_t text[LONG];
    start(2, DEFLATE_REQUEST);
    for (size_t i = 0; i < COUNT_OF(compressions); i++) {
        const jz_publish_options options = {.compression = compressions[i].compression, .including_self = true};
        for (int by_connection = 0; by_connection < 2; by_connection++) {
            /* Another text each time, because the compressor recognizes the last one. */
            memset(text, 'a' + (int)(2 * i) + by_connection, sizeof text);
            size_t deflations = test_deflate_count();
            jz_send_status status = by_connection ? jz_ws_publish_with(room.all[0], ROOM, JZ_MESSAGE_TEXT, text,
                                                                       compressions[i].length, &options)
                                                  : jz_server_publish_with(room.server, ROOM, JZ_MESSAGE_TEXT, text,
                                                                           compressions[i].length, &options);
            assert_int_equal(status, JZ_SEND_SENT);
            for (size_t j = 0; j < CLIENTS; j++)
                expect_frame(&clients[j], compressions[i].name, compressions[i].is_compressed, compressions[i].length);
            assert_that(test_deflate_count() - deflations == (compressions[i].is_compressed ? 1 : 0), "%s: %zu",
                        compressions[i].name, test_deflate_count() - deflations);
        }
    }
    finish();
}

static void whatever_their_options_messages_keep_their_order(void **state)
{
    (void)state;
    enum { MESSAGES = 60 };
    start(2, PLAIN_REQUEST);
    for (int number = 0; number < MESSAGES; number++) {
        char text[16];
        size_t length = (size_t)snprintf(text, sizeof text, "%d", number);
        const jz_publish_options options = {.compression = (jz_compression)(number % 3), .including_self = true};
        jz_send_status status =
            number % 2 == 0 ? jz_ws_publish_with(room.all[2], ROOM, JZ_MESSAGE_TEXT, text, length, &options)
                            : jz_server_publish_with(room.server, ROOM, JZ_MESSAGE_TEXT, text, length, &options);
        assert_int_equal(status, JZ_SEND_SENT);
    }
    for (size_t i = 0; i < CLIENTS; i++) {
        for (int number = 0; number < MESSAGES; number++) {
            char text[16];
            size_t length = (size_t)snprintf(text, sizeof text, "%d", number);
            test_client_expect(&clients[i], JZ_OPCODE_TEXT, text, length);
        }
    }
    finish();
}

/* The broker's other servers have no sender to leave out. */
static void a_broker_gets_a_message_once_whether_its_sender_does_or_not(void **state)
{
    (void)state;
    recorder recorder = {.publish_status = JZ_SEND_SENT};
    jz_server *server = recorder_run(&recorder, NULL);
    static test_client client;
    recorder_open(&client, server);
    assert_int_equal(recorder_say(&recorder, &client, "+news"), JZ_SEND_SENT);
    jz_ws ws;
    assert_int_equal(jz_server_subscribers(server, "news", 4, &ws, 1), 1);
    for (int including_self = 0; including_self < 2; including_self++) {
        const jz_publish_options options = {.including_self = including_self != 0};
        size_t before = recorder.publications;
        assert_int_equal(jz_ws_publish_with(ws, "news", 4, JZ_MESSAGE_TEXT, "hello", 5, &options), JZ_SEND_SENT);
        assert_int_equal(recorder.publications, before + 1);
    }
    test_client_expect(&client, JZ_OPCODE_TEXT, "hello", 5);
    assert_int_equal(recorder_say(&recorder, &client, "-news"), JZ_SEND_SENT); /* next comes its answer */
    test_client_close(&client);
    recorder_finish(&recorder, server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sender_receives_its_own_message_if_it_wants_to),
        cmocka_unit_test(without_options_a_message_is_published_as_before),
        cmocka_unit_test(a_message_is_compressed_once_for_all_or_not_at_all),
        cmocka_unit_test(whatever_their_options_messages_keep_their_order),
        cmocka_unit_test(a_broker_gets_a_message_once_whether_its_sender_does_or_not),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("options of publications", tests, NULL, NULL));
}
