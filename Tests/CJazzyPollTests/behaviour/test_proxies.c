/* Clients behind proxies: which address they have, and its uses. */
#include <stdio.h>

#include "jazzy.h"
#include "support/eventually.h"
#include "support/hooked.h"
#include "support/serving.h"
#include "support/testing.h"

static test_client client;
static test_client other;
static hooked hooked_server;

static const char *const trusted[] = {"127.0.0.1", "10.0.0.0/8"}; /* we are such a proxy */
static const char *const untrusting[] = {"10.0.0.0/8"};           /* we are not */

static char seen_by_hook[JZ_REMOTE_ADDRESS_SIZE];

static void note_and_accept(hooked *hooked, jz_handshake handshake, const jz_request *request)
{
    jz_request_remote_address(request, seen_by_hook);
    hooked->answer = (int)jz_handshake_accept(handshake, NULL);
}

static hooked *begin_with(const jz_options *options)
{
    hooked_server = (hooked){.ask = note_and_accept};
    hooked_start(&hooked_server, options, NULL);
    return &hooked_server;
}

static jz_options options_of(jz_client_address where, bool trusts_us)
{
    jz_options options = serving_options(1);
    options.client_address = where;
    options.trusted_proxies = trusts_us ? trusted : untrusting;
    options.trusted_proxy_count = trusts_us ? COUNT_OF(trusted) : COUNT_OF(untrusting);
    return options;
}

/* Bytes before a request head, and lines in it. */
typedef struct passing_on {
    const char *header;
    size_t header_length;
    const char *lines;
} passing_on;

static size_t write_request(char request[2048], const passing_on *passing_on)
{
    memcpy(request, passing_on->header, passing_on->header_length);
    int length = snprintf(request + passing_on->header_length, 1024,
                          "GET /room/1 HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                          "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n%s\r\n",
                          passing_on->lines);
    assert_true(length > 0 && length < 1024);
    return passing_on->header_length + (size_t)length;
}

static void send_request(test_client *sender, uint16_t port, const passing_on *passing_on)
{
    char request[2048];
    size_t length = write_request(request, passing_on);
    assert_true(test_client_connect(sender, port, 0));
    assert_true(test_client_send(sender, request, length));
}

#define HEADER(literal) (literal), sizeof(literal) - 1
#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"
#define VERSION_2 SIGNATURE "\x21\x11\0\x0C\xC0\x00\x02\x07\x0A\0\0\1\x12\x67\x01\xBB" /* 192.0.2.7:4711 */
#define VERSION_2_WITH_MORE                                                                                            \
    SIGNATURE "\x21\x21\0\x2A\x20\x01\x0D\xB8\0\0\0\0\0\0\0\0\0\0\0\x07"                                               \
              "\x20\x01\x0D\xB8\0\0\0\0\0\0\0\0\0\0\0\x01\x12\x67\x01\xBB\x04\0\x03***"
#define VERSION_2_LOCAL SIGNATURE "\x20\x00\0\0"

static const struct {
    jz_client_address where;
    bool trusts_us;
    passing_on passing_on;
    const char *address; /* NULL: that of the socket */
} clients[] = {
    {JZ_CLIENT_ADDRESS_PEER, true, {HEADER(""), "X-Forwarded-For: 192.0.2.7\r\nForwarded: for=192.0.2.8\r\n"}, NULL},
    {JZ_CLIENT_ADDRESS_X_FORWARDED_FOR, true, {HEADER(""), "X-Forwarded-For: 192.0.2.7\r\n"}, "192.0.2.7:0"},
    {JZ_CLIENT_ADDRESS_X_FORWARDED_FOR, true, {HEADER(""), "X-Forwarded-For: 192.0.2.7:81\r\n"}, "192.0.2.7:81"},
    {JZ_CLIENT_ADDRESS_X_FORWARDED_FOR, true, {HEADER(""), "X-Forwarded-For: 2001:db8::7\r\n"}, "[2001:db8::7]:0"},
    {JZ_CLIENT_ADDRESS_X_FORWARDED_FOR,
     true,
     {HEADER(""), "X-Forwarded-For: 192.0.2.9, 192.0.2.7\r\nX-Forwarded-For: 10.1.2.3\r\n"},
     "192.0.2.7:0"},
    {JZ_CLIENT_ADDRESS_X_FORWARDED_FOR, true, {HEADER(""), "Forwarded: for=192.0.2.7\r\n"}, NULL},
    {JZ_CLIENT_ADDRESS_X_FORWARDED_FOR, true, {HEADER(""), "X-Forwarded-For: unknown\r\n"}, NULL},
    {JZ_CLIENT_ADDRESS_X_FORWARDED_FOR, true, {HEADER(""), ""}, NULL},
    {JZ_CLIENT_ADDRESS_X_FORWARDED_FOR, false, {HEADER(""), "X-Forwarded-For: 192.0.2.7\r\n"}, NULL},
    {JZ_CLIENT_ADDRESS_FORWARDED, true, {HEADER(""), "Forwarded: for=192.0.2.7;proto=https\r\n"}, "192.0.2.7:0"},
    {JZ_CLIENT_ADDRESS_FORWARDED,
     true,
     {HEADER(""), "Forwarded: for=192.0.2.9, for=\"[2001:db8::7]:4711\", for=10.0.0.1\r\n"},
     "[2001:db8::7]:4711"},
    {JZ_CLIENT_ADDRESS_FORWARDED, true, {HEADER(""), "X-Forwarded-For: 192.0.2.7\r\n"}, NULL},
    {JZ_CLIENT_ADDRESS_FORWARDED, true, {HEADER(""), "Forwarded: for=_hidden\r\n"}, NULL},
    {JZ_CLIENT_ADDRESS_FORWARDED, false, {HEADER(""), "Forwarded: for=192.0.2.7\r\n"}, NULL},
    {JZ_CLIENT_ADDRESS_PROXY_PROTOCOL,
     true,
     {HEADER("PROXY TCP4 192.0.2.7 10.0.0.1 4711 443\r\n"), ""},
     "192.0.2.7:4711"},
    {JZ_CLIENT_ADDRESS_PROXY_PROTOCOL,
     true,
     {HEADER("PROXY TCP6 2001:db8::7 2001:db8::1 4711 443\r\n"), "X-Forwarded-For: 192.0.2.9\r\n"},
     "[2001:db8::7]:4711"},
    {JZ_CLIENT_ADDRESS_PROXY_PROTOCOL, true, {HEADER("PROXY UNKNOWN\r\n"), ""}, NULL},
    {JZ_CLIENT_ADDRESS_PROXY_PROTOCOL, true, {HEADER(VERSION_2), ""}, "192.0.2.7:4711"},
    {JZ_CLIENT_ADDRESS_PROXY_PROTOCOL, true, {HEADER(VERSION_2_WITH_MORE), ""}, "[2001:db8::7]:4711"},
    {JZ_CLIENT_ADDRESS_PROXY_PROTOCOL, true, {HEADER(VERSION_2_LOCAL), ""}, NULL},
    {JZ_CLIENT_ADDRESS_PROXY_PROTOCOL, false, {HEADER(""), "Forwarded: for=192.0.2.7\r\n"}, NULL},
};

static void expect_address(hooked *hooked, size_t connection, const char *address)
{
    char socket_address[32];
    test_client_address(&client, socket_address);
    const char *expected = address != NULL ? address : socket_address;
    assert_eventually(hooked->journal.opens == connection + 1);
    char text[JZ_REMOTE_ADDRESS_SIZE];
    size_t length = jz_ws_remote_address(journal_handle_of(&hooked->journal, connection), text);
    assert_string_equal(text, expected);
    assert_int_equal(length, strlen(expected));
    assert_string_equal(seen_by_hook, expected);
}

static void the_address_is_the_clients_where_a_trusted_proxy_tells_it(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(clients); i++) {
        const jz_options options = options_of(clients[i].where, clients[i].trusts_us);
        hooked *hooked = begin_with(&options);
        send_request(&client, hooked->port, &clients[i].passing_on);
        int status = test_client_take_head(&client);
        assert_that(status == 101, "%d for client %zu", status, i);
        expect_address(hooked, 0, clients[i].address);
        test_client_close(&client);
        hooked_finish(hooked);
    }
}

/* Every header with the request behind it, cut in two at every byte, and byte by byte. */
static void a_proxy_header_may_come_in_pieces(void **state)
{
    (void)state;
    static const passing_on headers[] = {{HEADER("PROXY TCP4 192.0.2.7 10.0.0.1 4711 443\r\n"), ""},
                                         {HEADER(VERSION_2), ""}};
    const jz_options options = options_of(JZ_CLIENT_ADDRESS_PROXY_PROTOCOL, true);
    hooked *hooked = begin_with(&options);
    size_t connections = 0;
    for (size_t i = 0; i < COUNT_OF(headers); i++) {
        for (size_t cut = 1; cut <= headers[i].header_length + 2; cut++) {
            char request[2048];
            size_t length = write_request(request, &headers[i]);
            bool is_bytewise = cut == headers[i].header_length + 2;
            assert_true(test_client_connect(&client, hooked->port, 0));
            size_t step = is_bytewise ? 1 : cut;
            for (size_t sent = 0; sent < length; sent += step, step = is_bytewise ? 1 : length - sent) {
                assert_true(test_client_send(&client, request + sent, step));
                if (!is_bytewise)
                    test_pause_before(test_deadline());
            }
            assert_int_equal(test_client_take_head(&client), 101);
            expect_address(hooked, connections++, "192.0.2.7:4711");
            test_client_reset(&client);
        }
        if (i == 0) { /* the journal has room for so many connections only */
            hooked_finish(hooked);
            hooked = begin_with(&options);
            connections = 0;
        }
    }
    hooked_finish(hooked);
}

static const struct {
    const char *bytes;
    size_t length;
} no_headers[] = {
    {HEADER(UPGRADE_REQUEST("/room/1"))},
    {HEADER("PROXY TCP4 192.0.2.7 10.0.0.1 4711\r\n" UPGRADE_REQUEST("/room/1"))},
    {HEADER("PROXY TCP4 192.0.2.300 10.0.0.1 4711 443\r\n" UPGRADE_REQUEST("/room/1"))},
    {HEADER("PROXY TCP4 2001:db8::7 2001:db8::1 4711 443\r\n")},
    {HEADER("PROXY tcp4 192.0.2.7 10.0.0.1 4711 443\r\n")},
    {HEADER("\n")},
    {HEADER(SIGNATURE "\x31\x11\0\x0C")},
    {HEADER(SIGNATURE "\x21\x11\0\x0B")},
    {HEADER(SIGNATURE "\x21\x11\xFF\xFF")},
};

static void who_is_trusted_and_sends_no_proxy_header_is_left(void **state)
{
    (void)state;
    const jz_options options = options_of(JZ_CLIENT_ADDRESS_PROXY_PROTOCOL, true);
    hooked *hooked = begin_with(&options);
    for (size_t i = 0; i < COUNT_OF(no_headers); i++) {
        assert_true(test_client_connect(&client, hooked->port, 0));
        assert_true(test_client_send(&client, no_headers[i].bytes, no_headers[i].length));
        assert_that(!test_client_receive(&client, 1), "header %zu is answered", i);
        uint64_t counted = hooked_refused(hooked, JZ_REFUSAL_PROXY_HEADER);
        assert_that(counted == i + 1, "header %zu: %llu are counted", i, (unsigned long long)counted);
        test_client_close(&client);
    }
    assert_int_equal(hooked->questions, 0);
    hooked_finish(hooked);
}

static void who_is_trusted_and_is_silent_is_left_in_the_end(void **state)
{
    (void)state;
    jz_options options = options_of(JZ_CLIENT_ADDRESS_PROXY_PROTOCOL, true);
    options.handshake_timeout_ms = 100;
    hooked *hooked = begin_with(&options);
    assert_true(test_client_connect(&client, hooked->port, 0));
    assert_true(test_client_send(&client, "PROXY TCP4 ", 11));
    assert_false(test_client_receive(&client, 1));
    assert_int_equal(hooked_refused(hooked, JZ_REFUSAL_HANDSHAKE_TIMEOUT), 1);
    test_client_close(&client);
    hooked_finish(hooked);
}

static void a_proxy_header_from_elsewhere_is_no_request(void **state)
{
    (void)state;
    const jz_options options = options_of(JZ_CLIENT_ADDRESS_PROXY_PROTOCOL, false);
    static const passing_on invented = {HEADER("PROXY TCP4 192.0.2.7 10.0.0.1 4711 443\r\n"), ""};
    hooked *hooked = begin_with(&options);
    send_request(&client, hooked->port, &invented);
    assert_int_equal(test_client_take_head(&client), 400);
    assert_int_equal(hooked_refused(hooked, JZ_REFUSAL_MALFORMED_HEAD), 1);
    test_client_close(&client);
    hooked_finish(hooked);
}

/* Two from one address may not be; one from another may, and so may the proxies themselves. */
static const struct {
    jz_client_address where;
    passing_on first;
    passing_on second;
    passing_on proxy;
} limited[] = {
    {JZ_CLIENT_ADDRESS_X_FORWARDED_FOR,
     {HEADER(""), "X-Forwarded-For: 192.0.2.7\r\n"},
     {HEADER(""), "X-Forwarded-For: 192.0.2.8, 10.0.0.1\r\n"},
     {HEADER(""), ""}},
    {JZ_CLIENT_ADDRESS_FORWARDED,
     {HEADER(""), "Forwarded: for=192.0.2.7\r\n"},
     {HEADER(""), "Forwarded: for=\"[2001:db8::7]\"\r\n"},
     {HEADER(""), "Forwarded: for=10.0.0.1\r\n"}},
    {JZ_CLIENT_ADDRESS_PROXY_PROTOCOL,
     {HEADER(VERSION_2), ""},
     {HEADER(VERSION_2_WITH_MORE), ""},
     {HEADER(VERSION_2_LOCAL), ""}},
};

static void expect_status(const hooked *hooked, const passing_on *passing_on, int status)
{
    send_request(&client, hooked->port, passing_on);
    int answered = test_client_take_head(&client);
    assert_that(answered == status, "%d, not %d", answered, status);
    test_client_close(&client);
}

static size_t open_connections(const hooked *hooked)
{
    jz_statistics statistics;
    jz_server_statistics(hooked->server, &statistics);
    return (size_t)statistics.connections;
}

static void limits_count_clients_and_not_proxies(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(limited); i++) {
        jz_options options = options_of(limited[i].where, true);
        options.max_connections_per_address = 1;
        hooked *hooked = begin_with(&options);
        static test_client proxies[3];
        for (size_t j = 0; j < COUNT_OF(proxies); j++) {
            send_request(&proxies[j], hooked->port, &limited[i].proxy);
            assert_int_equal(test_client_take_head(&proxies[j]), 101);
        }
        send_request(&other, hooked->port, &limited[i].first);
        assert_int_equal(test_client_take_head(&other), 101);
        expect_status(hooked, &limited[i].first, 429);
        expect_status(hooked, &limited[i].first, 429);
        assert_int_equal(hooked_refused(hooked, JZ_REFUSAL_CONNECTIONS_PER_ADDRESS), 2);
        expect_status(hooked, &limited[i].second, 101);
        test_client_close(&other);
        assert_eventually(open_connections(hooked) == COUNT_OF(proxies));
        expect_status(hooked, &limited[i].first, 101);
        for (size_t j = 0; j < COUNT_OF(proxies); j++)
            test_client_close(&proxies[j]);
        assert_eventually(open_connections(hooked) == 0);
        hooked_finish(hooked);
    }
}

static void a_proxy_header_counts_before_the_request_does(void **state)
{
    (void)state;
    jz_options options = options_of(JZ_CLIENT_ADDRESS_PROXY_PROTOCOL, true);
    options.max_connections_per_address = 1;
    hooked *hooked = begin_with(&options);
    send_request(&other, hooked->port, &(const passing_on){HEADER(VERSION_2), ""});
    assert_int_equal(test_client_take_head(&other), 101);
    assert_true(test_client_connect(&client, hooked->port, 0));
    assert_true(test_client_send(&client, HEADER(VERSION_2)));
    assert_int_equal(test_client_take_head(&client), 429);
    test_client_close(&client);
    test_client_close(&other);
    hooked_finish(hooked);
}

static void a_limit_counts_who_is_not_trusted_by_its_own_address(void **state)
{
    (void)state;
    jz_options options = options_of(JZ_CLIENT_ADDRESS_X_FORWARDED_FOR, false);
    options.max_connections_per_address = 1;
    hooked *hooked = begin_with(&options);
    send_request(&other, hooked->port, &limited[0].first);
    assert_int_equal(test_client_take_head(&other), 101);
    assert_true(test_client_connect(&client, hooked->port, 0));
    assert_int_equal(test_client_take_head(&client), 429);
    test_client_close(&client);
    test_client_close(&other);
    hooked_finish(hooked);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_address_is_the_clients_where_a_trusted_proxy_tells_it),
        cmocka_unit_test(a_proxy_header_may_come_in_pieces),
        cmocka_unit_test(who_is_trusted_and_sends_no_proxy_header_is_left),
        cmocka_unit_test(who_is_trusted_and_is_silent_is_left_in_the_end),
        cmocka_unit_test(a_proxy_header_from_elsewhere_is_no_request),
        cmocka_unit_test(limits_count_clients_and_not_proxies),
        cmocka_unit_test(a_proxy_header_counts_before_the_request_does),
        cmocka_unit_test(a_limit_counts_who_is_not_trusted_by_its_own_address),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("proxies", tests, NULL, NULL));
}
