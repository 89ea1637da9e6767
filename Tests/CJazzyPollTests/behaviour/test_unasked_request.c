/* What the request of a connection costs who does not ask for it in the open event: no copy, and no memory. */
#include <stdio.h>

#include "jazzy.h"
#include "support/allocation.h"
#include "support/eventually.h"
#include "support/hooked.h"
#include "support/testing.h"

static test_client client;

static void answer_at_once(hooked *hooked, jz_handshake handshake, const jz_request *request)
{
    (void)request;
    hooked->answer = (int)jz_handshake_accept(handshake, NULL);
}

/* How many bytes a handshake allocates whose head has a header of that length. */
static size_t cost_of_a_handshake(hooked *hooked, size_t length)
{
    static char head[8192];
    int written = snprintf(head, sizeof head,
                           "GET /room/1 HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                           "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
                           "X-Long: %0*d\r\n\r\n",
                           (int)length, 0);
    assert_true(test_client_connect(&client, hooked->port, 0));
    size_t before = test_allocated_bytes();
    size_t opens = hooked->journal.opens;
    assert_true(test_client_send(&client, head, (size_t)written));
    assert_int_equal(test_client_take_head(&client), 101);
    assert_eventually(hooked->journal.opens == opens + 1);
    size_t cost = test_allocated_bytes() - before;
    test_client_close(&client);
    assert_eventually(hooked->journal.closes == opens + 1);
    return cost;
}

static void who_does_not_ask_pays_for_no_copy(void **state)
{
    (void)state;
    for (int has_no_hook = 0; has_no_hook < 2; has_no_hook++) {
        static hooked hooked;
        hooked = (struct hooked){.ask = answer_at_once, .has_no_hook = has_no_hook != 0};
        hooked_start(&hooked, NULL, NULL);
        (void)cost_of_a_handshake(&hooked, 1); /* what the loop keeps for further clients */
        size_t little = cost_of_a_handshake(&hooked, 1);
        assert_int_equal(cost_of_a_handshake(&hooked, 5000), little);
        hooked_finish(&hooked);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_does_not_ask_pays_for_no_copy),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("requests that nobody asks for", tests, NULL, NULL));
}
