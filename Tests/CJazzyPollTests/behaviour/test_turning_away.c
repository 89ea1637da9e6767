/* Clients that are turned away while a handler of the same loop runs: the message that it reads does not change. */
#define _POSIX_C_SOURCE 200809L

#include "support/client.h"
#include "support/eventually.h"
#include "support/journal.h"
#include "support/resources.h"
#include "support/serving.h"
#include "support/testing.h"

enum { LOOPS = 2, LET_IN = 2, TURNED_AWAY = 3, LENGTH = 3000, FRAMES = 20 };

static jz_server *server;
static journal seen;
static test_client clients[LET_IN];
static test_client refused[TURNED_AWAY];

static struct {
    atomic_bool is_held;
    atomic_bool holds;
    atomic_bool has_changed; /* the message, while its handler sent */
    _Atomic jz_send_status sent_with;
} handler;

/* The held handler answers its message when it is released, which first runs the loop's waiting errands. */
static void act(journal *journal, jz_ws ws, const jz_event *event, const jz_message *message)
{
    (void)journal;
    if (event->type != JZ_EVENT_MESSAGE || message->length != LENGTH)
        return;
    static uint8_t copy[LENGTH];
    memcpy(copy, message->bytes, LENGTH);
    handler.holds = true;
    test_hold_while(handler.is_held);
    handler.sent_with = jz_ws_send(ws, JZ_MESSAGE_TEXT, "answer", 6);
    handler.has_changed = memcmp(copy, message->bytes, LENGTH) != 0;
}

static void start(const jz_options *options)
{
    seen = (journal)JOURNAL_INITIALIZER;
    seen.act = act;
    handler.holds = handler.has_changed = false;
    handler.is_held = true;
    const serving_route routes[] = {{"/", journal_handle, &seen, NULL}};
    server = serving_start(options, routes, COUNT_OF(routes));
    for (size_t i = 0; i < LET_IN; i++)
        assert_true(test_client_open(&clients[i], jz_server_port(server), UPGRADE_REQUEST("/")));
    assert_eventually(seen.opens == LET_IN);
}

/* A long message and short ones behind it, in one piece, so that the loop receives them at once. */
static void send_much(test_client *client)
{
    jz_buffer bytes = {0};
    static const uint8_t key[] = {1, 2, 3, 4};
    test_frame_append(&bytes, &(test_frame)BINARY_OF(REPEATED("message", LENGTH)), key);
    for (size_t i = 0; i < FRAMES; i++)
        test_frame_append(&bytes, &(test_frame)TEXT("behind"), key);
    assert_true(test_client_send(client, bytes.bytes, bytes.length));
    jz_buffer_free(&bytes);
}

static void connect_with_bytes_in_flight(test_client *client)
{
    static char bytes[16 * 1024];
    memset(bytes, 'x', sizeof bytes);
    assert_true(test_client_connect(client, jz_server_port(server), 0));
    assert_true(test_client_send(client, bytes, sizeof bytes));
}

static void expect_intact_messages(void)
{
    assert_eventually(seen.messages == 1 + FRAMES);
    test_client_expect(&clients[1], JZ_OPCODE_TEXT, "answer", 6);
    assert_false(handler.has_changed);
    assert_int_equal(handler.sent_with, JZ_SEND_SENT);
    char text[JOURNAL_SIZE] = "open open binary(messagemessagemessagemessagemessagemessa)";
    for (size_t i = 0; i < FRAMES; i++)
        strcat(text, " text(behind)");
    journal_expect(&seen, 0, text);
}

/*
 * Connections go to the two loops in turn. The first loop's connection is answered, so that we know which goes to the
 * second.
 */
static void expect_messages_intact_while_clients_are_refused(const jz_options *options, int status)
{
    start(options);
    send_much(&clients[1]);
    assert_eventually(handler.holds);
    for (size_t i = 0; i < TURNED_AWAY; i++)
        connect_with_bytes_in_flight(&refused[i]);
    assert_int_equal(test_client_take_head(&refused[0]), status);
    assert_int_equal(test_client_take_head(&refused[2]), status); /* the second was handed over before it */
    handler.is_held = false;
    expect_intact_messages();
    assert_int_equal(test_client_take_head(&refused[1]), status);
    for (size_t i = 0; i < TURNED_AWAY; i++)
        test_client_close(&refused[i]);
    for (size_t i = 0; i < LET_IN; i++)
        test_client_close(&clients[i]);
    jz_server_destroy(server);
}

static void who_is_one_too_many_of_its_address_leaves_messages_intact(void **state)
{
    (void)state;
    jz_options options = serving_options(LOOPS);
    options.max_connections_per_address = LET_IN;
    expect_messages_intact_while_clients_are_refused(&options, 429);
}

static void who_is_one_too_many_of_all_leaves_messages_intact(void **state)
{
    (void)state;
    jz_options options = serving_options(LOOPS);
    options.max_connections = LET_IN;
    expect_messages_intact_while_clients_are_refused(&options, 503);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_without_leaks(who_is_one_too_many_of_its_address_leaves_messages_intact),
        test_without_leaks(who_is_one_too_many_of_all_leaves_messages_intact),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("turning away", tests, NULL, NULL));
}
