/* An upgrade hook lets a client in without the compression that its route has and the client offers. */
#include "jazzy.h"
#include "support/eventually.h"
#include "support/hooked.h"
#include "support/testing.h"

static test_client client;

#define OFFERING UPGRADE_REQUEST_WITH("/room/1", "Sec-WebSocket-Extensions: permessage-deflate\r\n")

static const char repetitive[] = "abcabcabcabcabcabcabcabcabcabcabcabcabcabcabcabcabcabcabcabcabcabcabcabcabcabc";

static void greet(journal *journal, jz_ws ws, const jz_event *event, const jz_message *message)
{
    (void)journal;
    (void)message;
    if (event->type == JZ_EVENT_OPEN)
        jz_ws_send_with(ws, JZ_MESSAGE_TEXT, repetitive, sizeof repetitive - 1, JZ_COMPRESSION_ALWAYS);
}

static void answer_at_once(hooked *hooked, jz_handshake handshake, const jz_request *request)
{
    (void)request;
    hooked->answer = (int)jz_handshake_accept(handshake, hooked->context);
}

static const jz_acceptance plain = {0};
static const jz_acceptance declining = {.declines_compression = true};

static const struct {
    const jz_acceptance *acceptance; /* NULL means all zero */
    jz_deflate_mode mode;
    bool answers_later;
    bool is_compressed;
} rows[] = {
    {NULL, JZ_DEFLATE_SHARED, false, true},          {&plain, JZ_DEFLATE_DEDICATED, false, true},
    {&plain, JZ_DEFLATE_SHARED, true, true},         {&declining, JZ_DEFLATE_SHARED, false, false},
    {&declining, JZ_DEFLATE_SHARED, true, false},    {&declining, JZ_DEFLATE_DEDICATED, false, false},
    {&declining, JZ_DEFLATE_DEDICATED, true, false}, {&declining, JZ_DEFLATE_OFF, false, false},
};

static void a_client_whose_compression_is_declined_gets_no_extension_and_plain_messages(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        static hooked hooked;
        hooked = (struct hooked){.journal.act = greet, .context = rows[i].acceptance};
        hooked.ask = rows[i].answers_later ? NULL : answer_at_once;
        jz_route_options route = jz_route_options_default();
        route.deflate.mode = rows[i].mode;
        hooked_start(&hooked, NULL, &route);
        hooked_request(&hooked, &client, OFFERING);
        if (rows[i].answers_later)
            assert_int_equal(jz_handshake_accept(hooked_question(&hooked, 0), rows[i].acceptance), JZ_ANSWER_TAKEN);
        assert_int_equal(test_client_take_head(&client), 101);
        char head[1024] = "";
        assert_true(client.start < sizeof head);
        memcpy(head, client.bytes, client.start);
        bool is_agreed = strstr(head, "permessage-deflate") != NULL;
        assert_that(is_agreed == rows[i].is_compressed, "row %zu: '%s'", i, head);
        test_received frame;
        assert_true(test_client_take_frame(&client, &frame));
        assert_that((frame.reserved != 0) == rows[i].is_compressed, "row %zu: RSV %d", i, frame.reserved);
        test_client_close(&client);
        hooked_finish(&hooked);
    }
}

/* RSV1 was not agreed on (RFC 6455 §5.2). */
static void a_client_that_compresses_all_the_same_fails(void **state)
{
    (void)state;
    static hooked hooked = {.ask = answer_at_once, .context = &declining};
    jz_route_options route = jz_route_options_default();
    route.deflate.mode = JZ_DEFLATE_SHARED;
    hooked_start(&hooked, NULL, &route);
    hooked_request(&hooked, &client, OFFERING);
    assert_int_equal(test_client_take_head(&client), 101);
    static const char compressed[] = "\xC1\x87\0\0\0\0\xF2\x48\xCD\xC9\xC9\x07\0"; /* RFC 7692 §7.2.3.1 */
    assert_true(test_client_send(&client, compressed, sizeof compressed - 1));
    assert_true(test_client_sees_end(&client));
    assert_eventually(hooked.journal.closes == 1);
    assert_non_null(strstr(hooked.journal.text, "close(1002"));
    test_client_close(&client);
    hooked_finish(&hooked);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_client_whose_compression_is_declined_gets_no_extension_and_plain_messages),
        cmocka_unit_test(a_client_that_compresses_all_the_same_fails),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("declined compression", tests, NULL, NULL));
}
