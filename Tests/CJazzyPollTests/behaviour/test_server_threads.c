/* A running server and other threads: sends, closes and stale handles. */
#define _POSIX_C_SOURCE 200809L

#include <pthread.h>
#include <stdio.h>

#include "connection/handle.h"
#include "support/client.h"
#include "support/eventually.h"
#include "support/served.h"
#include "support/testing.h"

static test_client client;

static jz_ws open_client(test_client *opened, served *served)
{
    size_t before = served->journal.opens;
    assert_true(test_client_open(opened, served->port, UPGRADE_REQUEST("/")));
    assert_eventually(served->journal.opens == before + 1);
    return journal_handle_of(&served->journal, before);
}

static pthread_t start_thread(void *(*run)(void *), void *context)
{
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, run, context), 0);
    return thread;
}

enum { SENDERS = 3, MESSAGES_OF_EACH = 2000 };

typedef struct sender {
    jz_ws ws;
    unsigned number;
    size_t refused;
} sender;

static void *send_numbered(void *context)
{
    sender *self = context;
    for (unsigned i = 0; i < MESSAGES_OF_EACH; i++) {
        char text[32];
        int length = snprintf(text, sizeof text, "%u %u", self->number, i);
        self->refused += jz_ws_send(self->ws, JZ_MESSAGE_TEXT, text, (size_t)length) == JZ_SEND_QUEUED ? 0 : 1;
    }
    return NULL;
}

static void messages_of_each_thread_keep_their_order(void **state)
{
    (void)state;
    static served served;
    served_start(&served, NULL, NULL);
    jz_ws ws = open_client(&client, &served);
    sender senders[SENDERS];
    pthread_t threads[SENDERS];
    for (unsigned i = 0; i < SENDERS; i++) {
        senders[i] = (sender){.ws = ws, .number = i};
        threads[i] = start_thread(send_numbered, &senders[i]);
    }
    unsigned next[SENDERS] = {0};
    for (size_t i = 0; i < SENDERS * MESSAGES_OF_EACH; i++) {
        test_received frame;
        assert_true(test_client_take_frame(&client, &frame));
        char text[32];
        assert_in_range(frame.length, 3, sizeof text - 1);
        memcpy(text, frame.payload, frame.length);
        text[frame.length] = '\0';
        unsigned from = SENDERS;
        unsigned number = 0;
        assert_int_equal(sscanf(text, "%u %u", &from, &number), 2);
        assert_in_range(from, 0, SENDERS - 1);
        assert_int_equal(number, next[from]);
        next[from]++;
    }
    for (size_t i = 0; i < SENDERS; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(senders[i].refused, 0);
    }
    test_client_close(&client);
    served_finish(&served);
}

static void what_may_not_be_sent_is_dropped_and_the_connection_stays_open(void **state)
{
    (void)state;
    static const char long_text[126];
    static const uint16_t codes[] = {0, 999, 1004, 1016, 2999, 5000, 65535};
    static served served;
    served_start(&served, NULL, NULL);
    jz_ws ws = open_client(&client, &served);
    assert_int_equal(jz_ws_send(ws, JZ_MESSAGE_PING, long_text, 126), JZ_SEND_DROPPED);
    assert_int_equal(jz_ws_send(ws, JZ_MESSAGE_PONG, long_text, 126), JZ_SEND_DROPPED);
    assert_int_equal(jz_ws_send(ws, (jz_message_kind)4, "x", 1), JZ_SEND_DROPPED);
    assert_int_equal(jz_ws_close(ws, 1000, "\xFF", 1), JZ_SEND_DROPPED);
    for (size_t i = 0; i < COUNT_OF(codes); i++)
        assert_int_equal(jz_ws_close(ws, codes[i], "", 0), JZ_SEND_DROPPED);
    assert_true(jz_ws_is_open(ws));
    assert_int_equal(jz_ws_send(ws, JZ_MESSAGE_PING, long_text, 125), JZ_SEND_QUEUED);
    test_client_expect(&client, JZ_OPCODE_PING, long_text, 125);
    assert_int_equal(jz_ws_send(ws, JZ_MESSAGE_TEXT, NULL, 0), JZ_SEND_QUEUED);
    test_client_expect(&client, JZ_OPCODE_TEXT, "", 0);
    test_client_close(&client);
    served_finish(&served);
}

static void expect_gone(jz_ws ws)
{
    char address[JZ_REMOTE_ADDRESS_SIZE];
    assert_int_equal(jz_ws_send(ws, JZ_MESSAGE_TEXT, "x", 1), JZ_SEND_CLOSED);
    assert_int_equal(jz_ws_send_with(ws, JZ_MESSAGE_TEXT, "x", 1, JZ_COMPRESSION_ALWAYS), JZ_SEND_CLOSED);
    assert_int_equal(jz_ws_close(ws, 1000, "", 0), JZ_SEND_CLOSED);
    assert_false(jz_ws_is_open(ws));
    assert_int_equal(jz_ws_buffered_amount(ws), 0);
    assert_int_equal(jz_ws_remote_address(ws, address), 0);
    assert_string_equal(address, "");
}

static void a_close_from_another_thread_reaches_the_client(void **state)
{
    (void)state;
    static served served;
    jz_options options = served_options();
    options.close_timeout_ms = 20000; /* a client that stands still answers in that time */
    served_start(&served, &options, NULL);
    jz_ws ws = open_client(&client, &served);
    assert_int_equal(jz_ws_close(ws, 3000, "elsewhere", 9), JZ_SEND_QUEUED);
    test_client_expect(&client, JZ_OPCODE_CLOSE,
                       "\x0B\xB8"
                       "elsewhere",
                       11);
    assert_eventually(!jz_ws_is_open(ws));
    assert_int_equal(jz_ws_send(ws, JZ_MESSAGE_TEXT, "x", 1), JZ_SEND_CLOSED);
    assert_int_equal(jz_ws_close(ws, 1000, "", 0), JZ_SEND_CLOSED);
    test_client_send_frame(&client, &(test_frame)CLOSE(3000, ""));
    assert_true(test_client_sees_end(&client));
    journal_expect(&served.journal, 1, "open close(3000 clean)");
    test_client_close(&client);
    served_finish(&served);
}

static void a_handle_of_a_connection_that_is_gone_means_no_other(void **state)
{
    (void)state;
    static served served;
    served_start(&served, NULL, NULL);
    jz_ws handles[5];
    for (size_t i = 0; i < COUNT_OF(handles); i++) {
        handles[i] = open_client(&client, &served);
        assert_true(jz_ws_is_open(handles[i]));
        for (size_t j = 0; j < i; j++) {
            assert_int_equal(jz_handle_slot(handles[j]), jz_handle_slot(handles[i])); /* the test's own premise */
            expect_gone(handles[j]);
        }
        test_client_close(&client);
        assert_eventually(served.journal.closes == i + 1);
        char address[JZ_REMOTE_ADDRESS_SIZE];
        assert_eventually(jz_ws_remote_address(handles[i], address) == 0);
        expect_gone(handles[i]);
    }
    served_finish(&served);
    for (size_t i = 0; i < COUNT_OF(handles); i++)
        expect_gone(handles[i]);
    served = (struct served){0};
    served_start(&served, NULL, NULL); /* with the number of the server that is gone, and its slots */
    jz_ws ws = open_client(&client, &served);
    for (size_t i = 0; i < COUNT_OF(handles); i++) {
        assert_int_equal(jz_handle_shard(handles[i]), jz_handle_shard(ws));
        assert_int_equal(jz_handle_slot(handles[i]), jz_handle_slot(ws));
        expect_gone(handles[i]);
    }
    test_client_close(&client);
    served_finish(&served);
}

static void what_never_was_a_handle_is_gone(void **state)
{
    (void)state;
    static served served;
    served_start(&served, NULL, NULL);
    jz_ws ws = open_client(&client, &served);
    const uint64_t values[] = {
        0,
        UINT64_MAX,
        ws.value + 1,
        ws.value - 1,
        ws.value & ~(uint64_t)JZ_MAX_GENERATION,
        ws.value + (UINT64_C(256) << JZ_GENERATION_BITS), /* no slot: they come 256 at a time */
        ws.value | (uint64_t)(JZ_MAX_SLOTS - 1) << JZ_GENERATION_BITS,
        ws.value + (UINT64_C(1) << (JZ_GENERATION_BITS + JZ_SLOT_BITS)),
        ws.value + (UINT64_C(1) << (JZ_GENERATION_BITS + JZ_SLOT_BITS + JZ_LOOP_BITS)),
    };
    for (size_t i = 0; i < COUNT_OF(values); i++)
        expect_gone((jz_ws){values[i]});
    assert_true(jz_ws_is_open(ws));
    test_client_close(&client);
    served_finish(&served);
}

typedef struct address_reader {
    jz_ws ws;
    char expected[32];
    atomic_bool is_done;
    size_t right;
    size_t wrong;
} address_reader;

static void *read_address(void *context)
{
    address_reader *self = context;
    while (!self->is_done) {
        char address[JZ_REMOTE_ADDRESS_SIZE];
        bool is_right = jz_ws_remote_address(self->ws, address) == 0 || strcmp(address, self->expected) == 0;
        self->right += is_right ? 1 : 0;
        self->wrong += is_right ? 0 : 1;
    }
    return NULL;
}

static void nobody_is_told_the_address_of_another_client(void **state)
{
    (void)state;
    static served served;
    static address_reader reader;
    served_start(&served, NULL, NULL);
    reader.ws = open_client(&client, &served);
    test_client_address(&client, reader.expected);
    pthread_t thread = start_thread(read_address, &reader);
    for (size_t i = 0; i < 50; i++) { /* each in the slot of the one before */
        test_client_close(&client);
        assert_eventually(served.journal.closes == i + 1);
        open_client(&client, &served);
    }
    reader.is_done = true;
    pthread_join(thread, NULL);
    assert_int_equal(reader.wrong, 0);
    assert_int_not_equal(reader.right, 0);
    test_client_close(&client);
    served_finish(&served);
}

static void send_to_all(journal *journal, jz_ws ws, const jz_event *event, const jz_message *message)
{
    (void)ws;
    if (event->type == JZ_EVENT_MESSAGE) {
        for (size_t i = 0; i < journal->opens; i++)
            jz_ws_send(journal_handle_of(journal, i), JZ_MESSAGE_TEXT, message->bytes, message->length);
    }
}

static void a_handler_sends_to_the_connections_of_every_loop(void **state)
{
    (void)state;
    enum { CLIENTS = 32 };
    static test_client clients[CLIENTS];
    static served served = {.journal = {.act = send_to_all}};
    jz_options options = served_options();
    options.threads = 3;
    served_start(&served, &options, NULL);
    bool has_clients[3] = {false};
    for (size_t i = 0; i < CLIENTS; i++) { /* the kernel spreads them as it likes */
        jz_ws ws = open_client(&clients[i], &served);
        assert_in_range(jz_handle_loop(ws), 0, 2);
        has_clients[jz_handle_loop(ws)] = true;
    }
    assert_true(has_clients[0] && has_clients[1] && has_clients[2]); /* missed once in 100,000 runs */
    for (size_t i = 0; i < CLIENTS; i++)
        test_client_send_frame(&clients[i], &(test_frame)TEXT("hello"));
    for (size_t i = 0; i < CLIENTS; i++) {
        for (size_t j = 0; j < CLIENTS; j++)
            test_client_expect(&clients[i], JZ_OPCODE_TEXT, "hello", 5);
    }
    for (size_t i = 0; i < CLIENTS; i++)
        test_client_close(&clients[i]);
    served_finish(&served);
}

static void *await_port(void *server)
{
    while (jz_server_port(server) == 0)
        continue;
    return NULL;
}

static void the_port_is_told_on_any_thread(void **state)
{
    (void)state;
    jz_server *server = jz_server_create(NULL, NULL);
    assert_non_null(server);
    pthread_t thread = start_thread(await_port, server);
    assert_int_equal(jz_server_listen(server, "127.0.0.1", 0, NULL), JZ_OK);
    pthread_join(thread, NULL);
    jz_server_destroy(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_of_each_thread_keep_their_order),
        cmocka_unit_test(what_may_not_be_sent_is_dropped_and_the_connection_stays_open),
        cmocka_unit_test(a_close_from_another_thread_reaches_the_client),
        cmocka_unit_test(a_handle_of_a_connection_that_is_gone_means_no_other),
        cmocka_unit_test(what_never_was_a_handle_is_gone),
        cmocka_unit_test(nobody_is_told_the_address_of_another_client),
        cmocka_unit_test(a_handler_sends_to_the_connections_of_every_loop),
        cmocka_unit_test(the_port_is_told_on_any_thread),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("server threads", tests, NULL, NULL));
}
