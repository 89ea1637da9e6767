/* The client's address in the one header that an option names: from trusted proxies only, and nothing else counts. */
#include <stdio.h>

#include "jazzy.h"
#include "support/eventually.h"
#include "support/hooked.h"
#include "support/serving.h"
#include "support/testing.h"

static test_client client;
static test_client other;
static hooked hooked_server;
static char seen_by_hook[JZ_REMOTE_ADDRESS_SIZE];

static void note_and_accept(hooked *hooked, jz_handshake handshake, const jz_request *request)
{
    jz_request_remote_address(request, seen_by_hook);
    hooked->answer = (int)jz_handshake_accept(handshake, NULL);
}

/* `trusted`: the only trusted proxy. The name of the header does not outlive the call. */
static hooked *begin(const char *trusted, uint32_t max_connections_per_address)
{
    char name[] = "CF-Connecting-IP";
    jz_options options = serving_options(1);
    options.client_address = JZ_CLIENT_ADDRESS_HEADER;
    options.client_address_header = name;
    options.trusted_proxies = &trusted;
    options.trusted_proxy_count = 1;
    options.max_connections_per_address = max_connections_per_address;
    hooked_server = (hooked){.ask = note_and_accept};
    hooked_start(&hooked_server, &options, NULL);
    memset(name, 'x', sizeof name - 1);
    return &hooked_server;
}

static int ask(test_client *asking, const hooked *hooked, const char *lines)
{
    char request[1024];
    int length = snprintf(request, sizeof request,
                          "GET /room/1 HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                          "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n%s\r\n",
                          lines);
    assert_true(length > 0 && (size_t)length < sizeof request);
    assert_true(test_client_connect(asking, hooked->port, 0));
    assert_true(test_client_send(asking, request, (size_t)length));
    return test_client_take_head(asking);
}

static const struct {
    const char *lines;
    const char *address; /* NULL: that of the socket */
} named[] = {
    {"CF-Connecting-IP: 192.0.2.7\r\n", "192.0.2.7:0"},
    {"cf-connecting-ip:192.0.2.7:4711 \r\n", "192.0.2.7:4711"},
    {"CF-Connecting-IP: 2001:db8::7\r\n", "[2001:db8::7]:0"},
    {"CF-Connecting-IP: [2001:db8::7]\r\n", "[2001:db8::7]:0"},
    {"CF-Connecting-IP: [2001:db8::7]:4711\r\n", "[2001:db8::7]:4711"},
    {"CF-Connecting-IP: ::ffff:192.0.2.7\r\n", "192.0.2.7:0"},
    {"X-Forwarded-For: 192.0.2.9\r\nCF-Connecting-IP: 192.0.2.7\r\nForwarded: for=192.0.2.8\r\n", "192.0.2.7:0"},
    {"X-Forwarded-For: 192.0.2.9\r\nX-Real-IP: 192.0.2.8\r\n", NULL},
    {"", NULL},
};

static void the_address_is_the_one_in_the_header(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(named); i++) {
        hooked *hooked = begin("127.0.0.1", JZ_UNLIMITED);
        char expected[32];
        int status = ask(&client, hooked, named[i].lines);
        assert_that(status == 101, "%d for %s", status, named[i].lines);
        assert_eventually(hooked->journal.opens == 1);
        if (named[i].address == NULL)
            test_client_address(&client, expected);
        else
            snprintf(expected, sizeof expected, "%s", named[i].address);
        char text[JZ_REMOTE_ADDRESS_SIZE];
        jz_ws_remote_address(journal_handle_of(&hooked->journal, 0), text);
        assert_string_equal(text, expected);
        assert_string_equal(seen_by_hook, expected);
        /* Only the proxy's silence is told. */
        assert_int_equal(hooked_has_logged(hooked, "this trusted proxy does not name its client: CF-Connecting-IP is "
                                                   "missing"),
                         named[i].address == NULL);
        test_client_close(&client);
        hooked_finish(hooked);
    }
}

static const char *const unclear[] = {
    "CF-Connecting-IP: 192.0.2.7\r\nCF-Connecting-IP: 192.0.2.7\r\n",
    "CF-Connecting-IP: 192.0.2.7\r\ncf-connecting-ip: 192.0.2.8\r\n",
    "CF-Connecting-IP: \r\nCF-Connecting-IP: 192.0.2.7\r\n",
    "CF-Connecting-IP:\r\n",
    "CF-Connecting-IP: unknown\r\n",
    "CF-Connecting-IP: 192.0.2.7, 192.0.2.8\r\n",
    "CF-Connecting-IP: 192.0.2.7 192.0.2.8\r\n",
    "CF-Connecting-IP: 192.0.2.07\r\n",
    "CF-Connecting-IP: 192.0.2.7:\r\n",
    "CF-Connecting-IP: 192.0.2.7:65536\r\n",
    "CF-Connecting-IP: [192.0.2.7]\r\n",
    "CF-Connecting-IP: [2001:db8::7\r\n",
    "CF-Connecting-IP: 2001:db8::7%eth0\r\n",
    "CF-Connecting-IP: \"192.0.2.7\"\r\n",
    "CF-Connecting-IP: for=192.0.2.7\r\n",
    "CF-Connecting-IP: ::\r\n",
};

static void where_the_header_is_unclear_nobody_is_let_in(void **state)
{
    (void)state;
    hooked *hooked = begin("127.0.0.1", JZ_UNLIMITED);
    for (size_t i = 0; i < COUNT_OF(unclear); i++) {
        int status = ask(&client, hooked, unclear[i]);
        assert_that(status == 400, "%d for %s", status, unclear[i]);
        assert_int_equal(hooked_refused(hooked, JZ_REFUSAL_INVALID_HANDSHAKE), i + 1);
        test_client_close(&client);
    }
    assert_true(hooked_has_logged(hooked, "refused: CF-Connecting-IP has to be there once, with one address"));
    assert_int_equal(hooked->questions, 0);
    hooked_finish(hooked);
}

static void what_others_than_trusted_proxies_say_counts_for_nothing(void **state)
{
    (void)state;
    hooked *hooked = begin("10.0.0.0/8", 2);
    char expected[32];
    assert_int_equal(ask(&client, hooked, "CF-Connecting-IP: 192.0.2.7\r\n"), 101);
    test_client_address(&client, expected);
    assert_string_equal(seen_by_hook, expected);
    /* Nor is it an error. */
    assert_int_equal(ask(&other, hooked, unclear[0]), 101);
    static test_client third;
    assert_int_equal(ask(&third, hooked, "CF-Connecting-IP: 192.0.2.9\r\n"), 429);
    test_client_close(&third);
    test_client_close(&other);
    test_client_close(&client);
    hooked_finish(hooked);
}

static void limits_count_the_address_in_the_header(void **state)
{
    (void)state;
    hooked *hooked = begin("127.0.0.1", 1);
    assert_int_equal(ask(&client, hooked, "CF-Connecting-IP: 192.0.2.7\r\n"), 101);
    assert_int_equal(ask(&other, hooked, "CF-Connecting-IP: 192.0.2.7:99\r\n"), 429);
    test_client_close(&other);
    assert_int_equal(ask(&other, hooked, "CF-Connecting-IP: 192.0.2.8\r\n"), 101);
    assert_int_equal(hooked_refused(hooked, JZ_REFUSAL_CONNECTIONS_PER_ADDRESS), 1);
    test_client_close(&other);
    test_client_close(&client);
    hooked_finish(hooked);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_address_is_the_one_in_the_header),
        cmocka_unit_test(where_the_header_is_unclear_nobody_is_let_in),
        cmocka_unit_test(what_others_than_trusted_proxies_say_counts_for_nothing),
        cmocka_unit_test(limits_count_the_address_in_the_header),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("client address header", tests, NULL, NULL));
}
