/*
 * Messages that are sent at once because they are large: back as they came, which goes out from where they were
 * received, and all that only looks like it.
 */
#include "codec/frame_header.h"
#include "jazzy.h"
#include "support/client.h"
#include "support/eventually.h"
#include "support/receive_calls.h"
#include "support/served.h"
#include "support/testing.h"

enum { LENGTH = 20000, OTHER = 9000 };

static uint8_t other[OTHER];

/* The first byte of a message says what to send. */
static void answer(journal *journal, jz_ws ws, const jz_event *event, const jz_message *message)
{
    (void)journal;
    if (event->type != JZ_EVENT_MESSAGE)
        return;
    switch (message->bytes[0]) {
    case 'b': /* back */
        jz_ws_send(ws, message->kind, message->bytes, message->length);
        break;
    case 't': /* twice; the message must not change in between */
        jz_ws_send(ws, message->kind, message->bytes, message->length);
        jz_ws_send(ws, message->kind, message->bytes, message->length);
        break;
    case 'e': /* its end, and then all of it */
        jz_ws_send(ws, message->kind, message->bytes + 1000, message->length - 1000);
        jz_ws_send(ws, message->kind, message->bytes, message->length);
        break;
    case 'f': /* its front */
        jz_ws_send(ws, message->kind, message->bytes, OTHER);
        break;
    case 'o': /* something else */
        jz_ws_send(ws, JZ_MESSAGE_BINARY, other, sizeof other);
        break;
    default: /* after something small, and before it */
        jz_ws_send(ws, JZ_MESSAGE_TEXT, "before", 6);
        jz_ws_send(ws, message->kind, message->bytes, message->length);
        jz_ws_send(ws, JZ_MESSAGE_TEXT, "after", 5);
        break;
    }
}

static uint8_t content_at(char what, size_t position)
{
    return position == 0 ? (uint8_t)what : (uint8_t)(position % 251);
}

static void expect(test_client *client, char what, size_t from, size_t length)
{
    test_received frame;
    assert_true(test_client_take_frame(client, &frame));
    assert_that(frame.opcode == JZ_OPCODE_BINARY && frame.length == length, "%c: %zu bytes", what, frame.length);
    for (size_t i = 0; i < length; i++)
        assert_that(frame.payload[i] == content_at(what, from + i), "%c: byte %zu of %zu", what, from + i, length);
}

static void expect_answers(test_client *client, char what)
{
    switch (what) {
    case 'b':
        expect(client, what, 0, LENGTH);
        break;
    case 't':
        expect(client, what, 0, LENGTH);
        expect(client, what, 0, LENGTH);
        break;
    case 'e':
        expect(client, what, 1000, LENGTH - 1000);
        expect(client, what, 0, LENGTH);
        break;
    case 'f':
        expect(client, what, 0, OTHER);
        break;
    case 'o':
        test_client_expect(client, JZ_OPCODE_BINARY, other, sizeof other);
        break;
    default:
        test_client_expect(client, JZ_OPCODE_TEXT, "before", 6);
        expect(client, what, 0, LENGTH);
        test_client_expect(client, JZ_OPCODE_TEXT, "after", 5);
        break;
    }
}

static void fill(char *message, size_t length, char what)
{
    for (size_t i = 0; i < length; i++)
        message[i] = (char)content_at(what, i);
}

static void large_answers_are_what_was_sent_wherever_it_lies(void **state)
{
    (void)state;
    static served served = {.journal = {.act = answer}};
    static test_client client;
    static char message[LENGTH];
    memset(other, 'x', sizeof other);
    served_start(&served, NULL, NULL);
    assert_true(test_client_open(&client, served.port, UPGRADE_REQUEST("/")));
    for (const char *what = "bteofs"; *what != '\0'; what++) {
        fill(message, LENGTH, *what);
        test_client_send_frame(&client, &(test_frame)BINARY_OF({message, LENGTH, LENGTH}));
        expect_answers(&client, *what);
        /* A message in two fragments is not in the receive buffer. */
        test_client_send_frame(&client, &(test_frame){.opcode = JZ_OPCODE_BINARY, .payload = {message, 7000, 7000}});
        test_client_send_frame(&client, &(test_frame){.opcode = JZ_OPCODE_CONTINUATION,
                                                      .fin = true,
                                                      .payload = {message + 7000, LENGTH - 7000, LENGTH - 7000}});
        expect_answers(&client, *what);
    }
    test_client_close(&client);
    served_finish(&served);
}

/* The one after it in the same read is not written over. */
static void messages_in_one_read_are_answered_each_for_itself(void **state)
{
    (void)state;
    static served served = {.journal = {.act = answer}};
    static test_client client;
    static char messages[2][LENGTH];
    served_start(&served, NULL, NULL);
    assert_true(test_client_open(&client, served.port, UPGRADE_REQUEST("/")));
    fill(messages[0], LENGTH, 't');
    fill(messages[1], LENGTH, 'e');
    static const uint8_t key[4] = {1, 2, 3, 4};
    jz_buffer bytes = {0};
    for (size_t i = 0; i < 4; i++)
        test_frame_append(&bytes, &(test_frame)BINARY_OF({messages[i & 1], LENGTH, LENGTH}), key);
    assert_true(test_client_send(&client, bytes.bytes, bytes.length));
    for (size_t i = 0; i < 4; i++)
        expect_answers(&client, "te"[i & 1]);
    jz_buffer_free(&bytes);
    test_client_close(&client);
    served_finish(&served);
}

static void expect_back(test_client *client, const char *message, size_t length)
{
    test_client_send_frame(client, &(test_frame)BINARY_OF({message, length, length}));
    test_received frame;
    assert_true(test_client_take_frame(client, &frame));
    assert_that(frame.opcode == JZ_OPCODE_BINARY && frame.length == length, "%zu of %zu bytes", frame.length, length);
    assert_memory_equal(frame.payload, message, length);
}

/* The payload is then nearly at the front of the receive buffer: there is no room for a header before it. */
static void a_header_that_a_read_cuts_leaves_the_answer_as_it_is(void **state)
{
    (void)state;
    static served served = {.journal = {.act = answer}};
    static test_client client;
    static char message[70000];
    served_start(&served, NULL, NULL);
    assert_true(test_client_open(&client, served.port, UPGRADE_REQUEST("/")));
    const struct {
        size_t length;
        size_t header_length; /* of the client's frame, §5.2 */
    } frames[] = {{8192, 8}, {65535, 8}, {65536, 14}, {70000, 14}};
    for (size_t i = 0; i < COUNT_OF(frames); i++) {
        for (size_t cut = 1; cut <= frames[i].header_length + 4; cut++) {
            fill(message, frames[i].length, 'b');
            test_receive_in_pieces(&cut, 1);
            expect_back(&client, message, frames[i].length);
            assert_true(test_received_all_pieces());
        }
    }
    test_receive_in_pieces(NULL, 0);
    test_client_close(&client);
    served_finish(&served);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_header_that_a_read_cuts_leaves_the_answer_as_it_is),
        cmocka_unit_test(large_answers_are_what_was_sent_wherever_it_lies),
        cmocka_unit_test(messages_in_one_read_are_answered_each_for_itself),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("large answers", tests, NULL, NULL));
}
