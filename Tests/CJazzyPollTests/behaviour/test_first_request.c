/* The request of a connection, as the handler of its open event sees it: however it came, and wherever that runs. */
#include <stdio.h>

#include "jazzy.h"
#include "support/allocation.h"
#include "support/eventually.h"
#include "support/hooked.h"
#include "support/memory_transport.h"
#include "support/receive_calls.h"
#include "support/serving.h"
#include "support/testing.h"

static test_client client;

#define HEADERS                                                                                                        \
    "X-One: first\r\nX-One: second\r\nCookie: session=abc; z=1\r\nSec-WebSocket-Protocol: chat, superchat\r\n"
#define EXPECTED                                                                                                       \
    "route=/room/:id;"                                                                                                 \
    "path=/room/./a%2Fb;query=a=1&b=x+y;id=a/b;a=1;x-one=first;session=abc;subprotocol=superchat;header 6=second;"

static const char request[] = UPGRADE_REQUEST_WITH("/room/./a%2Fb?a=1&b=x+y", HEADERS);

/* A text frame with "!!", whose masking key is zero. */
static const char frame[] = "\x81\x82\0\0\0\0!!";

/* What a request says: a text that EXPECTED describes, and the address. */
typedef struct description {
    char text[1024];
    size_t length;
    char address[JZ_REMOTE_ADDRESS_SIZE];
} description;

static void note(description *description, const char *name, bool is_there, jz_string value)
{
    size_t room = sizeof description->text - description->length;
    int length = snprintf(description->text + description->length, room, "%s=%.*s;", name,
                          is_there ? (int)value.length : 4, is_there ? value.start : "none");
    if (length > 0 && (size_t)length < room)
        description->length += (size_t)length;
}

static void describe(const jz_request *of, description *description)
{
    jz_string value = {"", 0};
    description->length = 0;
    note(description, "route", true, jz_request_route(of));
    note(description, "path", true, jz_request_path(of));
    note(description, "query", true, jz_request_query(of));
    note(description, "id", jz_request_parameter(of, "id", &value), value);
    note(description, "a", jz_request_query_value(of, "a", &value), value);
    note(description, "x-one", jz_request_header(of, "X-One", &value), value);
    note(description, "session", jz_request_cookie(of, "session", &value), value);
    note(description, "subprotocol", jz_request_subprotocol_at(of, 1, &value), value);
    note(description, "header 6", jz_request_header_at(of, 6, NULL, &value), value);
    jz_request_remote_address(of, description->address);
}

static struct {
    description opened;
    atomic_bool is_told; /* the open event had a request */
    atomic_bool is_same; /* which did not change while the event was handled */
    atomic_size_t later; /* later events that had one */
    atomic_size_t of_others;
    _Atomic uint64_t other; /* a connection that was opened before */
    atomic_bool is_held;    /* the handler of the open event waits while it is */
    jz_kept_request *kept;
} seen;

static bool has_request(jz_ws ws)
{
    jz_kept_request *kept = jz_ws_keep_request(ws);
    bool result = kept != NULL || jz_ws_request(ws) != NULL;
    jz_kept_request_free(kept);
    return result;
}

static void look(journal *journal, jz_ws ws, const jz_event *event, const jz_message *message)
{
    (void)journal;
    (void)message;
    if (event->type != JZ_EVENT_OPEN) {
        seen.later += has_request(ws) ? 1 : 0;
        return;
    }
    test_hold_while(seen.is_held);
    seen.of_others += has_request((jz_ws){seen.other}) ? 1 : 0;
    seen.other = ws.value;
    seen.kept = jz_ws_keep_request(ws);
    const jz_request *found = jz_ws_request(ws);
    if (found == NULL)
        return;
    describe(found, &seen.opened);
    seen.is_same = jz_ws_request(ws) == found;
    seen.is_told = true;
}

static void answer_at_once(hooked *hooked, jz_handshake handshake, const jz_request *of)
{
    (void)of;
    hooked->answer = (int)jz_handshake_accept(handshake, NULL);
}

/* What was seen, and what was kept, which has outlived the server. */
static void expect_that_it_was_seen(const char *row, const char *address)
{
    assert_that(seen.is_told && seen.is_same, "%s: no request in the open event", row);
    assert_that(strcmp(seen.opened.text, EXPECTED) == 0, "%s: '%s'", row, seen.opened.text);
    assert_string_equal(seen.opened.address, address);
    assert_that(seen.later == 0, "%s: a request in later events", row);
    assert_that(seen.of_others == 0, "%s: the request of another connection", row);
    assert_non_null(seen.kept);
    jz_request *parsed = jz_kept_request_parse(seen.kept);
    assert_non_null(parsed);
    description again;
    describe(parsed, &again);
    jz_request_free(parsed);
    jz_kept_request_free(seen.kept);
    seen.kept = NULL;
    assert_that(strcmp(again.text, EXPECTED) == 0, "%s: kept '%s'", row, again.text);
    assert_string_equal(again.address, address);
}

typedef enum hooking { NO_HOOK, ANSWERS_AT_ONCE, ANSWERS_LATER } hooking;

static const struct {
    const char *name;
    size_t first_part; /* bytes of the head that come before the rest; 0: it comes at once */
    hooking hooking;
    jz_execution execution;
} ways[] = {
    {"at once", 0, NO_HOOK, JZ_EXECUTION_LOOP},
    {"in parts", 30, NO_HOOK, JZ_EXECUTION_LOOP},
    {"at once, hook", 0, ANSWERS_AT_ONCE, JZ_EXECUTION_LOOP},
    {"in parts, hook", 30, ANSWERS_AT_ONCE, JZ_EXECUTION_LOOP},
    {"at once, hook that waits", 0, ANSWERS_LATER, JZ_EXECUTION_LOOP},
    {"in parts, hook that waits", 30, ANSWERS_LATER, JZ_EXECUTION_LOOP},
    {"at once, worker", 0, NO_HOOK, JZ_EXECUTION_WORKERS},
    {"in parts, worker", 30, NO_HOOK, JZ_EXECUTION_WORKERS},
    {"at once, hook, worker", 0, ANSWERS_AT_ONCE, JZ_EXECUTION_WORKERS},
    {"in parts, hook that waits, worker", 30, ANSWERS_LATER, JZ_EXECUTION_WORKERS},
};

/* Another client's input is read into the loop's buffer, from its beginning. */
static void overwrite_the_receive_buffer(uint16_t port)
{
    static test_client visitor;
    static char page[4096];
    int length = snprintf(page, sizeof page, "GET /%0*d HTTP/1.1\r\nHost: localhost\r\n\r\n", 3000, 0);
    assert_true(test_client_connect(&visitor, port, 0));
    assert_true(test_client_send(&visitor, page, (size_t)length));
    assert_int_equal(test_client_take_head(&visitor), 404);
    test_client_close(&visitor);
}

/* Sends the request and, unless the server has to answer first, a message at once, which comes in the same read. */
static void open_in_that_way(hooked *hooked, size_t way)
{
    char input[sizeof request + sizeof frame];
    bool waits = ways[way].hooking == ANSWERS_LATER;
    size_t length = sizeof request - 1;
    memcpy(input, request, length);
    memcpy(input + length, frame, sizeof frame - 1);
    seen.is_held = ways[way].execution == JZ_EXECUTION_WORKERS;
    test_receive_in_pieces(&ways[way].first_part, ways[way].first_part > 0 ? 1 : 0);
    assert_true(test_client_connect(&client, hooked->port, 0));
    assert_true(test_client_send(&client, input, waits ? length : length + sizeof frame - 1));
    if (waits) {
        jz_handshake question = hooked_question(hooked, 0);
        overwrite_the_receive_buffer(hooked->port);
        assert_int_equal(jz_handshake_accept(question, NULL), JZ_ANSWER_TAKEN);
    }
    assert_int_equal(test_client_take_head(&client), 101);
    assert_true(test_received_all_pieces());
    if (seen.is_held)
        overwrite_the_receive_buffer(hooked->port);
    seen.is_held = false;
    assert_true(!waits || test_client_send(&client, frame, sizeof frame - 1));
}

static void the_open_event_has_the_request_however_it_came(void **state)
{
    (void)state;
    size_t live = test_live_allocations();
    memset(&seen, 0, sizeof seen);
    for (size_t i = 0; i < COUNT_OF(ways); i++) {
        static hooked hooked;
        hooked = (struct hooked){.journal.act = look,
                                 .ask = ways[i].hooking == ANSWERS_AT_ONCE ? answer_at_once : NULL,
                                 .has_no_hook = ways[i].hooking == NO_HOOK};
        jz_route_options route = jz_route_options_default();
        route.execution = ways[i].execution;
        seen.is_told = false;
        hooked_start(&hooked, NULL, &route);
        open_in_that_way(&hooked, i);
        assert_eventually(hooked.journal.messages == 1);
        char address[32];
        test_client_address(&client, address);
        assert_false(has_request(journal_handle_of(&hooked.journal, 0)));
        test_client_send_frame(&client, &(test_frame)CLOSE(1000, ""));
        assert_true(test_client_sees_end(&client));
        journal_expect(&hooked.journal, 1, "open text(!!) close(1000 clean)");
        test_client_close(&client);
        hooked_finish(&hooked);
        expect_that_it_was_seen(ways[i].name, address);
    }
    assert_int_equal(test_live_allocations(), live);
}

static void a_worker_sees_the_request_of_a_client_that_has_left(void **state)
{
    (void)state;
    static hooked hooked = {.journal.act = look, .has_no_hook = true};
    jz_route_options route = jz_route_options_default();
    route.execution = JZ_EXECUTION_WORKERS;
    memset(&seen, 0, sizeof seen);
    seen.is_held = true;
    hooked_start(&hooked, NULL, &route);
    hooked_request(&hooked, &client, request);
    assert_int_equal(test_client_take_head(&client), 101);
    char address[32];
    test_client_address(&client, address);
    assert_eventually(hooked.journal.opens == 1); /* else there is no handle that could be closed */
    test_client_reset(&client);
    assert_eventually(!jz_ws_is_open(journal_handle_of(&hooked.journal, 0)));
    seen.is_held = false;
    assert_eventually(hooked.journal.closes == 1);
    hooked_finish(&hooked);
    expect_that_it_was_seen("gone", address);
}

static void it_has_the_address_of_the_client_behind_a_proxy(void **state)
{
    (void)state;
    static const char *const trusted[] = {"127.0.0.1"};
    static hooked hooked = {.journal.act = look, .has_no_hook = true};
    jz_options options = serving_options(1);
    options.client_address = JZ_CLIENT_ADDRESS_X_FORWARDED_FOR;
    options.trusted_proxies = trusted;
    options.trusted_proxy_count = COUNT_OF(trusted);
    memset(&seen, 0, sizeof seen);
    hooked_start(&hooked, &options, NULL);
    hooked_request(&hooked, &client,
                   UPGRADE_REQUEST_WITH("/room/./a%2Fb?a=1&b=x+y", HEADERS "X-Forwarded-For: 192.0.2.7\r\n"));
    assert_int_equal(test_client_take_head(&client), 101);
    assert_eventually(seen.is_told);
    test_client_close(&client);
    hooked_finish(&hooked);
    expect_that_it_was_seen("forwarded", "192.0.2.7:0");
}

static const struct {
    const char *route;
    const char *path;
    const char *parameters;
} matches[] = {
    {"/exact", "/exact", ""},
    {"/exact", "/x/../%65xact", ""},
    {"/a/:b/c/:d", "/a/1/c/2", "b=1;d=2;"},
    {"/a/:b/c/:d", "/./a/%31/c/J%c3%bcrgen", "b=1;d=J\xC3\xBCrgen;"},
    {"/files/*rest", "/files/one/two%20three", "rest=one/two three;"},
    {"/:user/files/*rest", "/ada/files/x", "user=ada;rest=x;"},
    /* A client need not escape an asterisk, as a route must where it begins a segment. */
    {"/files/*rest", "/files/*/a*/**b", "rest=*/a*/**b;"},
    {"/%2Aexact", "/*exact", ""},
    {"/%2A/:a", "/*/%2a", "a=*;"},
};

static void note_parameters(journal *journal, jz_ws ws, const jz_event *event, const jz_message *message)
{
    look(journal, ws, event, message);
    const jz_request *found = jz_ws_request(ws);
    if (found == NULL)
        return;
    seen.opened.length = 0;
    seen.opened.text[0] = '\0';
    jz_string name;
    jz_string value;
    for (size_t i = 0; jz_request_parameter_at(found, i, &name, &value); i++) {
        char text[64];
        snprintf(text, sizeof text, "%.*s", (int)name.length, name.start);
        note(&seen.opened, text, true, value);
    }
}

static void its_parameters_are_those_that_led_to_the_route(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(matches); i++) {
        journal journal = JOURNAL_INITIALIZER;
        journal.act = note_parameters;
        const serving_route routes[] = {{matches[i].route, journal_handle, &journal, NULL}};
        jz_options options = serving_options(1);
        jz_server *server = serving_start(&options, routes, COUNT_OF(routes));
        char head[512];
        int length = snprintf(head, sizeof head,
                              "GET %s HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                              "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
                              matches[i].path);
        memset(&seen, 0, sizeof seen);
        assert_true(test_client_connect(&client, jz_server_port(server), 0));
        assert_true(test_client_send(&client, head, (size_t)length));
        assert_int_equal(test_client_take_head(&client), 101);
        test_client_close(&client);
        assert_eventually(journal.closes == 1);
        jz_server_destroy(server);
        pthread_mutex_destroy(&journal.lock);
        assert_true(seen.is_told);
        assert_that(strcmp(seen.opened.text, matches[i].parameters) == 0, "row %zu: '%s'", i, seen.opened.text);
        jz_kept_request_free(seen.kept);
    }
}

static void it_comes_over_any_transport(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 8; seed++) {
        journal journal = JOURNAL_INITIALIZER;
        memory_network network = {.seed = seed, .most_received = 100};
        jz_options options = serving_options(1);
        jz_error error = {0};
        journal.act = look;
        memset(&seen, 0, sizeof seen);
        memory_network_begin(&network);
        jz_server *server = jz_server_create(&options, &error);
        assert_non_null(server);
        assert_int_equal(jz_server_route_ws(server, "/room/:id", NULL, journal_handle, &journal, &error), JZ_OK);
        const jz_listen_options listening = {.transport = &memory_transport, .transport_context = &network};
        assert_int_equal(jz_server_listen_with(server, "127.0.0.1", 0, &listening, &error), JZ_OK);
        assert_int_equal(jz_server_start(server, &error), JZ_OK);
        memory_client end;
        assert_true(memory_connect(&end, &network, jz_server_port(server)));
        assert_true(memory_send(&end, request, sizeof request - 1));
        char address[JZ_REMOTE_ADDRESS_SIZE];
        assert_eventually(journal.opens == 1);
        jz_ws_remote_address(journal_handle_of(&journal, 0), address);
        memory_close(&end);
        assert_eventually(journal.closes == 1);
        jz_server_destroy(server);
        expect_that_it_was_seen("memory", address);
        pthread_mutex_destroy(&journal.lock);
        memory_network_end(&network);
    }
}

static atomic_size_t found_without_memory;

static void look_without_memory(journal *journal, jz_ws ws, const jz_event *event, const jz_message *message)
{
    if (event->type == JZ_EVENT_OPEN) {
        test_allocations_fail_after(0);
        found_without_memory += has_request(ws) ? 1 : 0;
        test_allocations_succeed();
    }
    look(journal, ws, event, message);
}

static void without_memory_there_is_none_and_later_there_is(void **state)
{
    (void)state;
    static hooked hooked = {.journal.act = look_without_memory, .has_no_hook = true};
    memset(&seen, 0, sizeof seen);
    found_without_memory = 0;
    hooked_start(&hooked, NULL, NULL);
    hooked_request(&hooked, &client, request);
    assert_int_equal(test_client_take_head(&client), 101);
    assert_eventually(seen.is_told);
    char address[32];
    test_client_address(&client, address);
    test_client_close(&client);
    hooked_finish(&hooked);
    assert_int_equal(found_without_memory, 0);
    expect_that_it_was_seen("little memory", address);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_open_event_has_the_request_however_it_came),
        cmocka_unit_test(a_worker_sees_the_request_of_a_client_that_has_left),
        cmocka_unit_test(it_has_the_address_of_the_client_behind_a_proxy),
        cmocka_unit_test(its_parameters_are_those_that_led_to_the_route),
        cmocka_unit_test(it_comes_over_any_transport),
        cmocka_unit_test(without_memory_there_is_none_and_later_there_is),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("the request of a connection", tests, NULL, NULL));
}
