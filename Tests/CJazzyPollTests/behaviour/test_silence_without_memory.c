/*
 * A handler whose calls wait behind those of other threads has closed its connection, and there is no memory for the
 * letter that would tell its loop when they are done.
 */
#include <stdatomic.h>

#include "codec/frame_header.h"
#include "jazzy.h"
#include "support/allocation.h"
#include "support/client.h"
#include "support/eventually.h"
#include "support/serving.h"
#include "support/testing.h"

enum { OTHERS = 20000 }; /* calls: more than an iteration takes, which cost nothing */

static struct {
    _Atomic uint64_t ws;
    atomic_bool holds; /* the handler has the loop, until it is let go */
    atomic_bool is_let_go;
    atomic_int sent;
    atomic_int closed;
    atomic_size_t heard; /* messages of the peer */
} speaker;

static void send_and_close(void *context, jz_ws ws, const jz_event *event, const jz_message *message)
{
    (void)context, (void)message;
    if (event->type == JZ_EVENT_OPEN)
        speaker.ws = ws.value;
    if (event->type != JZ_EVENT_MESSAGE || speaker.heard++ > 0)
        return;
    speaker.holds = true;
    test_hold_while(!speaker.is_let_go);
    speaker.sent = (int)jz_ws_send(ws, JZ_MESSAGE_TEXT, "last", 4);
    speaker.closed = (int)jz_ws_close(ws, 4000, "", 0);
    test_allocation_fails_once_after(0); /* the next is the server's own */
}

static void send_two_texts(test_client *client)
{
    static const uint8_t key[4] = {1, 2, 3, 4};
    jz_buffer texts = {0};
    test_frame_append(&texts, &(test_frame)TEXT("a"), key);
    test_frame_append(&texts, &(test_frame)TEXT("b"), key);
    assert_true(test_client_send(client, texts.bytes, texts.length));
    jz_buffer_free(&texts);
}

static void who_has_closed_hears_of_no_more_messages_all_the_same(void **state)
{
    static test_client client;
    (void)state;
    const jz_options options = serving_options(1);
    const serving_route route = {"/", send_and_close, NULL, NULL};
    jz_server *server = serving_start(&options, &route, 1);
    assert_true(test_client_open(&client, jz_server_port(server), UPGRADE_REQUEST("/")));
    send_two_texts(&client);
    assert_eventually(speaker.holds);
    for (int i = 0; i < OTHERS; i++)
        assert_int_equal(jz_ws_unsubscribe((jz_ws){speaker.ws}, "none", 4), JZ_SEND_QUEUED);
    speaker.is_let_go = true;
    test_client_expect(&client, JZ_OPCODE_TEXT, "last", 4);
    test_client_expect(&client, JZ_OPCODE_CLOSE, "\x0F\xA0", 2);
    assert_int_equal(test_allocations_succeed(), 1);
    assert_int_equal(speaker.sent, JZ_SEND_QUEUED);
    assert_int_equal(speaker.closed, JZ_SEND_QUEUED);
    assert_int_equal(speaker.heard, 1);
    test_client_close(&client);
    jz_server_destroy(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_has_closed_hears_of_no_more_messages_all_the_same),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("silence without memory", tests, NULL, NULL));
}
