#include "session/upgrade.h"

#include "support/allocation.h"
#include "support/testing.h"

#define GET "GET /chat HTTP/1.1\r\n"
#define HOST "Host: server.example.com\r\n"
#define UPGRADE "Upgrade: websocket\r\n"
#define CONNECTION "Connection: Upgrade\r\n"
#define KEY "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
#define VERSION "Sec-WebSocket-Version: 13\r\n"
#define END "\r\n"
#define DEFLATE "Sec-WebSocket-Extensions: permessage-deflate\r\n"

static const jz_deflate_options off = {.mode = JZ_DEFLATE_OFF, .window_bits = 15};
static const jz_deflate_options shared = {.mode = JZ_DEFLATE_SHARED, .window_bits = 15};

static const jz_head_limits default_limits = {JZ_DEFAULT_HEAD_LENGTH, JZ_DEFAULT_HEADERS};

static jz_request_head parse(const char *name, const char *text)
{
    jz_request_head head;
    assert_that(jz_request_head_parse(text, strlen(text), &default_limits, &head) == JZ_HEAD_COMPLETE,
                "%s: not a request head", name);
    return head;
}

/* The requirements of RFC 6455 §4.2.1, by their numbers there. The host (2) is for the server to judge, as for pages.
 */
static const struct {
    const char *name;
    const char *head;
    int status;
} requests[] = {
    {"the least that is required", GET HOST UPGRADE CONNECTION KEY VERSION END, 101},
    {"in another order", GET VERSION KEY CONNECTION UPGRADE HOST END, 101},

    {"1: a POST", "POST /chat HTTP/1.1\r\n" HOST UPGRADE CONNECTION KEY VERSION END, 405},
    {"1: a HEAD", "HEAD /chat HTTP/1.1\r\n" HOST UPGRADE CONNECTION KEY VERSION END, 405},
    {"1: methods are case-sensitive", "get /chat HTTP/1.1\r\n" HOST UPGRADE CONNECTION KEY VERSION END, 405},
    {"1: higher than HTTP/1.1", "GET /chat HTTP/1.2\r\n" HOST UPGRADE CONNECTION KEY VERSION END, 101},
    {"1: HTTP/1.0", "GET /chat HTTP/1.0\r\n" HOST UPGRADE CONNECTION KEY VERSION END, 400},

    {"4: no Connection", GET HOST UPGRADE KEY VERSION END, 400},
    {"4: an empty Connection", GET HOST UPGRADE "Connection:\r\n" KEY VERSION END, 400},
    {"4: a Connection without Upgrade", GET HOST UPGRADE "Connection: keep-alive\r\n" KEY VERSION END, 400},
    {"4: a Connection with a longer word", GET HOST UPGRADE "Connection: Upgraded\r\n" KEY VERSION END, 400},
    {"4: a Connection with a shorter word", GET HOST UPGRADE "Connection: Upgrad\r\n" KEY VERSION END, 400},
    {"4: a Connection without commas", GET HOST UPGRADE "Connection: keep-alive Upgrade\r\n" KEY VERSION END, 400},
    {"4: in any case", GET HOST UPGRADE "Connection: uPGRADE\r\n" KEY VERSION END, 101},
    {"4: first of a list", GET HOST UPGRADE "Connection: upgrade,keep-alive\r\n" KEY VERSION END, 101},
    {"4: last of a list", GET HOST UPGRADE "Connection: keep-alive, \t Upgrade \r\n" KEY VERSION END, 101},
    {"4: among empty elements", GET HOST UPGRADE "Connection: ,, Upgrade,\r\n" KEY VERSION END, 101},
    {"4: on a line of its own", GET HOST UPGRADE "Connection: keep-alive\r\n" CONNECTION KEY VERSION END, 101},

    {"5: no key", GET HOST UPGRADE CONNECTION VERSION END, 400},
    {"5: an empty key", GET HOST UPGRADE CONNECTION "Sec-WebSocket-Key:\r\n" VERSION END, 400},
    {"5: a key of 15 bytes", GET HOST UPGRADE CONNECTION "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25j\r\n" VERSION END,
     400},
    {"5: a key of 17 bytes", GET HOST UPGRADE CONNECTION "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZXM=\r\n" VERSION END,
     400},
    {"5: a key that is not base64",
     GET HOST UPGRADE CONNECTION "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25j!Q==\r\n" VERSION END, 400},
    {"5: two keys", GET HOST UPGRADE CONNECTION KEY KEY VERSION END, 400},
    {"5: white space around the key",
     GET HOST UPGRADE CONNECTION "Sec-WebSocket-Key:\t dGhlIHNhbXBsZSBub25jZQ== \t\r\n" VERSION END, 101},
    {"5: a header name in any case",
     GET HOST UPGRADE CONNECTION "SEC-websocket-KEY: dGhlIHNhbXBsZSBub25jZQ==\r\n" VERSION END, 101},

    {"6: no version", GET HOST UPGRADE CONNECTION KEY END, 426},
    {"6: an empty version", GET HOST UPGRADE CONNECTION KEY "Sec-WebSocket-Version:\r\n" END, 426},
    {"6: version 8", GET HOST UPGRADE CONNECTION KEY "Sec-WebSocket-Version: 8\r\n" END, 426},
    {"6: version 14", GET HOST UPGRADE CONNECTION KEY "Sec-WebSocket-Version: 14\r\n" END, 426},
    {"6: version 130", GET HOST UPGRADE CONNECTION KEY "Sec-WebSocket-Version: 130\r\n" END, 426},
    {"6: version 013", GET HOST UPGRADE CONNECTION KEY "Sec-WebSocket-Version: 013\r\n" END, 426},
    {"6: version 13.0", GET HOST UPGRADE CONNECTION KEY "Sec-WebSocket-Version: 13.0\r\n" END, 426},
    {"6: a list of versions", GET HOST UPGRADE CONNECTION KEY "Sec-WebSocket-Version: 13, 8\r\n" END, 426},
    {"6: two versions", GET HOST UPGRADE CONNECTION KEY VERSION VERSION END, 426},
    {"6: another version is told before a missing key", GET HOST UPGRADE CONNECTION "Sec-WebSocket-Version: 8\r\n" END,
     426},

    {"7: an origin", GET HOST UPGRADE CONNECTION KEY VERSION "Origin: http://example.com\r\n" END, 101},
    {"8: subprotocols", GET HOST UPGRADE CONNECTION KEY VERSION "Sec-WebSocket-Protocol: chat, superchat\r\n" END, 101},
    {"9: an extension", GET HOST UPGRADE CONNECTION KEY VERSION DEFLATE END, 101},
    {"9: unknown extensions",
     GET HOST UPGRADE CONNECTION KEY VERSION "Sec-WebSocket-Extensions: foo, bar; baz=2\r\n" END, 101},
    {"9: extensions that are no list", GET HOST UPGRADE CONNECTION KEY VERSION "Sec-WebSocket-Extensions: ;\r\n" END,
     400},
    {"10: other headers", GET HOST UPGRADE CONNECTION KEY VERSION "Cookie: a=b\r\nX: y\r\n" END, 101},
};

static void a_request_is_judged_by_each_requirement(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(requests); i++) {
        jz_request_head head = parse(requests[i].name, requests[i].head);
        int status = jz_upgrade_judge(&head, &shared).status;
        assert_that(status == requests[i].status, "%s: %d", requests[i].name, status);
        assert_that(jz_upgrade_is_requested(&head), "%s: does not ask for it", requests[i].name);
    }
}

static const struct {
    const char *upgrade;
    bool is_requested;
} upgrades[] = {
    {"", false},
    {"Upgrade: websocket\r\n", true},
    {"Upgrade: WebSocket\r\n", true},
    {"upgrade:WEBSOCKET\r\n", true},
    {"Upgrade: h2c, websocket\r\n", true},
    {"Upgrade: websocket, h2c\r\n", true},
    {"Upgrade: h2c\r\nUpgrade: websocket\r\n", true},
    {"Upgrade:\r\n", false},
    {"Upgrade: h2c\r\n", false},
    {"Upgrade: websockets\r\n", false},
    {"Upgrade: web socket\r\n", false},
    {"Upgrade: websocket/13\r\n", false},
    {"Connection: websocket\r\n", false},
};

static void the_upgrade_header_asks_for_it(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(upgrades); i++) {
        char text[512] = GET HOST CONNECTION KEY VERSION;
        strcat(text, upgrades[i].upgrade);
        strcat(text, END);
        jz_request_head head = parse(upgrades[i].upgrade, text);
        assert_that(jz_upgrade_is_requested(&head) == upgrades[i].is_requested, "'%s'", upgrades[i].upgrade);
    }
}

#define ANSWER                                                                                                         \
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"                                \
    "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"

/* §4.2.2, item 5, with the key of §1.3. The server does not name protocols that it does not speak. */
static const struct {
    const char *name;
    const char *extra;
    const jz_deflate_options *options;
    const char *answer;
} answers[] = {
    {"nothing but what is required", "", &shared, ANSWER END},
    {"no subprotocol", "Sec-WebSocket-Protocol: chat, superchat\r\n", &shared, ANSWER END},
    {"no unknown extension", "Sec-WebSocket-Extensions: foo, bar; baz=2\r\n", &shared, ANSWER END},
    {"no extension that is off", DEFLATE, &off, ANSWER END},
    {"the extension that was agreed on", DEFLATE, &shared,
     ANSWER
     "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; client_no_context_takeover\r\n" END},
};

static void the_answer_says_what_was_agreed_on(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(answers); i++) {
        char text[512] = GET HOST UPGRADE CONNECTION KEY VERSION;
        strcat(text, answers[i].extra);
        strcat(text, END);
        jz_request_head head = parse(answers[i].name, text);
        jz_upgrade upgrade = jz_upgrade_judge(&head, answers[i].options);
        assert_int_equal(upgrade.status, 101);
        jz_buffer output = {0};
        assert_true(jz_upgrade_append_response(&upgrade, &output));
        assert_that(output.length == strlen(answers[i].answer) &&
                        memcmp(output.bytes, answers[i].answer, output.length) == 0,
                    "%s:\n%.*s", answers[i].name, (int)output.length, (const char *)output.bytes);
        jz_buffer_free(&output);
    }
}

static void without_memory_nothing_is_appended(void **state)
{
    (void)state;
    static const char before[200];
    jz_request_head head = parse("with compression", GET HOST UPGRADE CONNECTION KEY VERSION DEFLATE END);
    jz_upgrade upgrade = jz_upgrade_judge(&head, &shared);
    jz_buffer output = {0};
    assert_true(jz_buffer_append(&output, before, sizeof before));
    test_allocations_fail_after(0);
    bool is_appended = jz_upgrade_append_response(&upgrade, &output);
    test_allocations_succeed();
    assert_false(is_appended);
    assert_int_equal(output.length, sizeof before);
    jz_buffer_free(&output);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_is_judged_by_each_requirement),
        cmocka_unit_test(the_upgrade_header_asks_for_it),
        cmocka_unit_test(the_answer_says_what_was_agreed_on),
        cmocka_unit_test(without_memory_nothing_is_appended),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("upgrade", tests, NULL, NULL));
}
