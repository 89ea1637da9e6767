/* The upgrade hook: what it sees, and its immediate answers. */
#include <stdio.h>

#include "jazzy.h"
#include "support/eventually.h"
#include "support/hooked.h"
#include "support/testing.h"

static test_client client;

/* What a hook saw, in order. Written on the loop, and read after the hook was called. */
static struct {
    char text[2048];
    size_t length;
} seen;

static void note(const char *name, bool is_there, jz_string value)
{
    size_t room = sizeof seen.text - seen.length;
    int length = snprintf(seen.text + seen.length, room, "%s=%.*s;", name, is_there ? (int)value.length : 4,
                          is_there ? value.start : "none");
    if (length > 0 && (size_t)length < room)
        seen.length += (size_t)length;
}

typedef bool (*looking_up)(const jz_request *request, const char *name, jz_string *value);

static void look_up(const jz_request *request, looking_up look, const char *name)
{
    jz_string value = {"", 0};
    bool is_there = look(request, name, &value);
    note(name, is_there, value);
    if (look(request, name, NULL) != is_there)
        note("wrong", false, value);
}

static void note_lists(const jz_request *request)
{
    jz_string name;
    jz_string value;
    char label[128];
    for (size_t i = 0; jz_request_parameter_at(request, i, &name, &value); i++) {
        snprintf(label, sizeof label, "parameter %.*s", (int)name.length, name.start);
        note(label, true, value);
    }
    for (size_t i = 0; jz_request_subprotocol_at(request, i, &value); i++)
        note("subprotocol", true, value);
    for (size_t i = 5; jz_request_header_at(request, i, &name, &value); i++) {
        snprintf(label, sizeof label, "header %.*s", (int)name.length, name.start);
        note(label, true, value);
    }
}

static void look_at_everything(hooked *hooked, jz_handshake handshake, const jz_request *request)
{
    note("path", true, jz_request_path(request));
    note("query", true, jz_request_query(request));
    look_up(request, jz_request_parameter, "id");
    look_up(request, jz_request_parameter, "name");
    look_up(request, jz_request_query_value, "a");
    look_up(request, jz_request_query_value, "b");
    look_up(request, jz_request_query_value, "c");
    look_up(request, jz_request_header, "x-one");
    look_up(request, jz_request_header, "X-Two");
    look_up(request, jz_request_cookie, "session");
    look_up(request, jz_request_cookie, "other");
    note_lists(request);
    char address[JZ_REMOTE_ADDRESS_SIZE];
    size_t length = jz_request_remote_address(request, address);
    note("address", true, (jz_string){address, length});
    hooked->answer = (int)jz_handshake_accept(handshake, NULL);
}

static void a_hook_sees_the_request(void **state)
{
    (void)state;
    static hooked hooked = {.ask = look_at_everything};
    hooked_start(&hooked, NULL, NULL);
    hooked_request(&hooked, &client,
                   UPGRADE_REQUEST_WITH("/room/a%2Fb?a=1&b=x+y&a=2", "X-One: first\r\nX-One: second\r\n"
                                                                     "Cookie: session=abc; z=1\r\n"
                                                                     "Sec-WebSocket-Protocol: chat, superchat\r\n"));
    assert_int_equal(test_client_take_head(&client), 101);
    hooked_question(&hooked, 0);
    char address[32];
    test_client_address(&client, address);
    char expected[2048];
    snprintf(expected, sizeof expected,
             "path=/room/a%%2Fb;query=a=1&b=x+y&a=2;id=a/b;name=none;a=1;b=x+y;c=none;x-one=first;X-Two=none;"
             "session=abc;other=none;parameter id=a/b;subprotocol=chat;subprotocol=superchat;header X-One=first;"
             "header X-One=second;header Cookie=session=abc; z=1;header Sec-WebSocket-Protocol=chat, superchat;"
             "address=%s;",
             address);
    assert_string_equal(seen.text, expected);
    assert_int_equal(hooked.answer, JZ_ANSWER_TAKEN);
    test_client_close(&client);
    hooked_finish(&hooked);
}

static hooked_state releases;
static atomic_size_t opens_when_answered;

static void accept_with_everything(hooked *hooked, jz_handshake handshake, const jz_request *request)
{
    (void)request;
    static const jz_response_header headers[] = {{"Set-Cookie", "session=new; HttpOnly"}, {"X-Empty", ""}};
    const jz_acceptance acceptance = {
        .subprotocol = "superchat", .headers = headers, .header_count = COUNT_OF(headers), .state = &releases};
    hooked->answer = (int)jz_handshake_accept(handshake, &acceptance);
    opens_when_answered = hooked->journal.opens;
}

static void an_accepted_client_has_the_headers_the_subprotocol_and_the_state(void **state)
{
    (void)state;
    static hooked hooked = {.ask = accept_with_everything};
    releases = 0;
    opens_when_answered = 1;
    hooked_start(&hooked, NULL, NULL);
    hooked_request(&hooked, &client, UPGRADE_REQUEST_WITH("/room/1", "Sec-WebSocket-Protocol: chat, superchat\r\n"));
    assert_int_equal(test_client_take_head(&client), 101);
    hooked_expect_line(&client, "Sec-WebSocket-Protocol: superchat");
    hooked_expect_line(&client, "Set-Cookie: session=new; HttpOnly");
    hooked_expect_line(&client, "X-Empty: ");
    assert_eventually(hooked.journal.opens == 1);
    assert_int_equal(opens_when_answered, 0);
    assert_ptr_equal(hooked.state_when_opened, &releases);
    /* The route does not list it, so that only the client knows. */
    assert_string_equal(jz_ws_subprotocol(journal_handle_of(&hooked.journal, 0)), "");
    assert_int_equal(releases, 0);
    test_client_send_frame(&client, &(test_frame)CLOSE(1000, ""));
    assert_true(test_client_sees_end(&client));
    journal_expect(&hooked.journal, 1, "open close(1000 clean)");
    assert_eventually(releases == 1);
    test_client_close(&client);
    hooked_finish(&hooked);
    assert_int_equal(releases, 1);
}

/* The subprotocol for a route that lists "chat" and a client that offers "chat, other". */
static const struct {
    const char *chosen;
    const char *line; /* NULL: none */
} choices[] = {
    {NULL, "Sec-WebSocket-Protocol: chat"},
    {"", NULL},
    {"chat", "Sec-WebSocket-Protocol: chat"},
    {"other", "Sec-WebSocket-Protocol: other"},
};

static void accept_with_a_subprotocol(hooked *hooked, jz_handshake handshake, const jz_request *request)
{
    (void)request;
    const jz_acceptance acceptance = {.subprotocol = hooked->context};
    hooked->answer = (int)jz_handshake_accept(handshake, &acceptance);
}

static void a_hook_has_the_last_word_about_the_subprotocol(void **state)
{
    (void)state;
    static const char *const listed[] = {"chat"};
    for (size_t i = 0; i < COUNT_OF(choices); i++) {
        static hooked hooked;
        hooked = (struct hooked){.ask = accept_with_a_subprotocol, .context = choices[i].chosen};
        jz_route_options route = jz_route_options_default();
        route.subprotocols = listed;
        route.subprotocol_count = COUNT_OF(listed);
        hooked_start(&hooked, NULL, &route);
        hooked_request(&hooked, &client, UPGRADE_REQUEST_WITH("/room/1", "Sec-WebSocket-Protocol: chat, other\r\n"));
        assert_int_equal(test_client_take_head(&client), 101);
        client.bytes[client.start] = '\0';
        if (choices[i].line != NULL)
            hooked_expect_line(&client, choices[i].line);
        else
            assert_null(strstr((const char *)client.bytes, "Sec-WebSocket-Protocol"));
        test_client_close(&client);
        hooked_finish(&hooked);
    }
}

static void nothing_is_agreed_on_before_the_answer_nor_left_of_an_earlier_client(void **state)
{
    (void)state;
    static const char *const listed[] = {"chat"};
    static hooked hooked;
    jz_route_options route = jz_route_options_default();
    route.subprotocols = listed;
    route.subprotocol_count = COUNT_OF(listed);
    hooked_start(&hooked, NULL, &route);
    for (size_t i = 0; i < 2; i++) {
        hooked_request(&hooked, &client, UPGRADE_REQUEST_WITH("/room/1", "Sec-WebSocket-Protocol: chat\r\n"));
        jz_handshake question = hooked_question(&hooked, i);
        assert_string_equal(jz_ws_subprotocol((jz_ws){question.value}), "");
        assert_int_equal(jz_handshake_accept(question, NULL), JZ_ANSWER_TAKEN);
        assert_int_equal(test_client_take_head(&client), 101);
        assert_string_equal(jz_ws_subprotocol((jz_ws){question.value}), "chat");
        test_client_close(&client);
        assert_eventually(hooked.journal.closes == i + 1);
        assert_eventually(!jz_ws_is_open((jz_ws){question.value}));
    }
    hooked_finish(&hooked);
}

static void a_subprotocol_that_the_client_does_not_offer_is_an_error_of_the_server(void **state)
{
    (void)state;
    static hooked hooked = {.ask = accept_with_a_subprotocol, .context = "unheard-of"};
    hooked_start(&hooked, NULL, NULL);
    hooked_request(&hooked, &client, UPGRADE_REQUEST_WITH("/room/1", "Sec-WebSocket-Protocol: chat\r\n"));
    assert_int_equal(test_client_take_head(&client), 500);
    assert_true(test_client_sees_end(&client));
    assert_int_equal(hooked.answer, JZ_ANSWER_TAKEN);
    assert_true(hooked_has_logged(&hooked, "the upgrade hook of /room/:id chose the subprotocol \"unheard-of\", which "
                                           "the client does not offer"));
    assert_int_equal(hooked.journal.opens, 0);
    test_client_close(&client);
    hooked_finish(&hooked);
}

enum { BODY_LENGTH = 60000 };

static char body[BODY_LENGTH];

static void reject_with_everything(hooked *hooked, jz_handshake handshake, const jz_request *request)
{
    (void)request;
    static const jz_response_header headers[] = {{"WWW-Authenticate", "Basic realm=\"x\""}, {"X-Two", "2"}};
    const jz_rejection rejection = {.status = 401,
                                    .headers = headers,
                                    .header_count = COUNT_OF(headers),
                                    .content_type = "application/json",
                                    .body = body,
                                    .length = sizeof body};
    hooked->answer = (int)jz_handshake_reject(handshake, &rejection);
}

static void a_rejected_client_gets_the_status_the_headers_and_all_of_the_body(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof body; i++)
        body[i] = (char)(i % 251);
    static hooked hooked = {.ask = reject_with_everything};
    hooked_start(&hooked, NULL, NULL);
    hooked_request(&hooked, &client, UPGRADE_REQUEST("/room/1"));
    assert_int_equal(test_client_take_head(&client), 401);
    hooked_expect_line(&client, "WWW-Authenticate: Basic realm=\"x\"");
    hooked_expect_line(&client, "X-Two: 2");
    hooked_expect_line(&client, "Content-Type: application/json");
    hooked_expect_line(&client, "Content-Length: 60000");
    hooked_expect_line(&client, "Connection: close");
    assert_true(test_client_receive(&client, sizeof body));
    assert_memory_equal(client.bytes + client.start, body, sizeof body);
    assert_int_equal(client.end - client.start, sizeof body);
    assert_true(test_client_sees_end(&client));
    assert_int_equal(hooked.answer, JZ_ANSWER_TAKEN);
    assert_int_equal(hooked_refused(&hooked, JZ_REFUSAL_REJECTED), 1);
    assert_int_equal(hooked.journal.opens, 0);
    test_client_close(&client);
    hooked_finish(&hooked);
}

static void reject_with_a_status(hooked *hooked, jz_handshake handshake, const jz_request *request)
{
    (void)request;
    const jz_rejection rejection = {.status = 302, .body = "not sent", .length = 8};
    hooked->answer = (int)jz_handshake_reject(handshake, &rejection);
}

static void a_rejection_without_a_body_says_what_the_status_means(void **state)
{
    (void)state;
    static hooked hooked = {.ask = reject_with_a_status};
    hooked_start(&hooked, NULL, NULL);
    hooked_request(&hooked, &client, UPGRADE_REQUEST("/room/1"));
    assert_int_equal(test_client_take_head(&client), 302);
    assert_true(test_client_receive(&client, 5));
    assert_memory_equal(client.bytes + client.start, "Found", 5);
    assert_int_equal(client.end - client.start, 5);
    assert_true(test_client_sees_end(&client));
    test_client_close(&client);
    hooked_finish(&hooked);
}

static const jz_response_header invalid_headers[] = {
    {NULL, "x"},
    {"X-A", NULL},
    {"", "x"},
    {"X A", "x"},
    {"X:A", "x"},
    {"X-A\r\nX-B", "x"},
    {"X-\xC3\xA4", "x"},
    {"X-A", "x\r\nX-B: y"},
    {"X-A", "x\n"},
    {"X-A", "\r"},
    {"X-A", "\x01"},
    {"X-A", "\x1F"},
    {"X-A", "\x7F"},
    {"Connection", "close"},
    {"upgrade", "x"},
    {"DATE", "x"},
    {"Content-Length", "1"},
    {"content-type", "text/plain"},
    {"Transfer-Encoding", "chunked"},
    {"Sec-WebSocket-Accept", "x"},
    {"sec-websocket-protocol", "chat"},
    {"Sec-WebSocket-Extensions", "permessage-deflate"},
    {"Sec-WebSocket-", "x"},
};

static const char *const invalid_subprotocols[] = {"a b", "a,b", "a\r\n", " ", "\"a\"", "\xC3\xA4"};
static const char *const invalid_content_types[] = {"", "text/plain\r\nX: y", "\x7F"};
static const int invalid_statuses[] = {-1, 0, 100, 101, 200, 204, 299, 600, 1000};

static void every_invalid_answer_leaves_the_question_open(void **state)
{
    (void)state;
    static hooked hooked;
    hooked_start(&hooked, NULL, NULL);
    hooked_request(&hooked, &client, UPGRADE_REQUEST("/room/1"));
    jz_handshake question = hooked_question(&hooked, 0);
    for (size_t i = 0; i < COUNT_OF(invalid_headers); i++) {
        const jz_response_header headers[] = {{"X-Valid", "x"}, invalid_headers[i]};
        const jz_acceptance acceptance = {.headers = headers, .header_count = 2, .state = &releases};
        const jz_rejection rejection = {.status = 403, .headers = headers, .header_count = 2};
        assert_that(jz_handshake_accept(question, &acceptance) == JZ_ANSWER_INVALID, "header %zu is accepted", i);
        assert_that(jz_handshake_reject(question, &rejection) == JZ_ANSWER_INVALID, "header %zu is accepted", i);
    }
    for (size_t i = 0; i < COUNT_OF(invalid_subprotocols); i++) {
        const jz_acceptance acceptance = {.subprotocol = invalid_subprotocols[i]};
        assert_that(jz_handshake_accept(question, &acceptance) == JZ_ANSWER_INVALID, "subprotocol %zu is accepted", i);
    }
    for (size_t i = 0; i < COUNT_OF(invalid_content_types); i++) {
        const jz_rejection rejection = {.status = 403, .content_type = invalid_content_types[i], .body = ""};
        assert_that(jz_handshake_reject(question, &rejection) == JZ_ANSWER_INVALID, "type %zu is accepted", i);
    }
    for (size_t i = 0; i < COUNT_OF(invalid_statuses); i++) {
        const jz_rejection rejection = {.status = invalid_statuses[i]};
        assert_that(jz_handshake_reject(question, &rejection) == JZ_ANSWER_INVALID, "status %zu is accepted", i);
    }
    assert_true(jz_handshake_is_waiting(question));
    static const jz_response_header valid[] = {{"X-Tab", "a\tb \xC3\xA4"}, {"!#$%&'*+-.^_`|~9", "x"}};
    const jz_acceptance acceptance = {.headers = valid, .header_count = COUNT_OF(valid)};
    assert_int_equal(jz_handshake_accept(question, &acceptance), JZ_ANSWER_TAKEN);
    assert_int_equal(test_client_take_head(&client), 101);
    hooked_expect_line(&client, "X-Tab: a\tb \xC3\xA4");
    hooked_expect_line(&client, "!#$%&'*+-.^_`|~9: x");
    assert_false(jz_handshake_is_waiting(question));
    test_client_close(&client);
    hooked_finish(&hooked);
}

static void statuses_from_300_to_599_can_be_sent(void **state)
{
    (void)state;
    static const int statuses[] = {300, 399, 418, 503, 599};
    static hooked hooked;
    hooked_start(&hooked, NULL, NULL);
    for (size_t i = 0; i < COUNT_OF(statuses); i++) {
        hooked_request(&hooked, &client, UPGRADE_REQUEST("/room/1"));
        const jz_rejection rejection = {.status = statuses[i]};
        assert_int_equal(jz_handshake_reject(hooked_question(&hooked, i), &rejection), JZ_ANSWER_TAKEN);
        assert_int_equal(test_client_take_head(&client), statuses[i]);
        test_client_close(&client);
    }
    hooked_finish(&hooked);
}

static void a_client_that_stopped_sending_is_still_answered(void **state)
{
    (void)state;
    static hooked hooked;
    hooked_start(&hooked, NULL, NULL);
    hooked_request(&hooked, &client, UPGRADE_REQUEST("/room/1"));
    jz_handshake question = hooked_question(&hooked, 0);
    test_client_stop_sending(&client);
    assert_int_equal(jz_handshake_reject(question, &(jz_rejection){.status = 403}), JZ_ANSWER_TAKEN);
    assert_int_equal(test_client_take_head(&client), 403);
    assert_true(test_client_sees_end(&client));
    test_client_close(&client);
    hooked_finish(&hooked);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_hook_sees_the_request),
        cmocka_unit_test(an_accepted_client_has_the_headers_the_subprotocol_and_the_state),
        cmocka_unit_test(a_hook_has_the_last_word_about_the_subprotocol),
        cmocka_unit_test(nothing_is_agreed_on_before_the_answer_nor_left_of_an_earlier_client),
        cmocka_unit_test(a_subprotocol_that_the_client_does_not_offer_is_an_error_of_the_server),
        cmocka_unit_test(a_rejected_client_gets_the_status_the_headers_and_all_of_the_body),
        cmocka_unit_test(a_rejection_without_a_body_says_what_the_status_means),
        cmocka_unit_test(every_invalid_answer_leaves_the_question_open),
        cmocka_unit_test(statuses_from_300_to_599_can_be_sent),
        cmocka_unit_test(a_client_that_stopped_sending_is_still_answered),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("upgrade hook", tests, NULL, NULL));
}
