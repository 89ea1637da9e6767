/* Pages that are made for each request: what their handlers see and answer, at once and later. */
#define _POSIX_C_SOURCE 200809L

#include <stdio.h>
#include <time.h>

#include "jazzy.h"
#include "support/allocation.h"
#include "support/asking.h"
#include "support/eventually.h"
#include "support/log_lines.h"
#include "support/serving.h"
#include "support/testing.h"

enum { MOST_REQUESTS = 64, LONG_MS = 20000 };

static test_client client;
static test_client other;
static log_lines lines;

/* What handlers were called with, and which of their requests ended. */
static struct {
    jz_page_request requests[MOST_REQUESTS];
    atomic_size_t count;
    jz_page_request ended[MOST_REQUESTS];
    atomic_size_t ends;
} called;

static void note_end(void *context, jz_page_request page)
{
    (void)context;
    called.ended[called.ends % MOST_REQUESTS] = page;
    called.ends++;
}

/* Answers nothing: the test does. */
static void keep(void *context, jz_page_request page, const jz_request *request)
{
    (void)context, (void)request;
    called.requests[called.count % MOST_REQUESTS] = page;
    called.count++;
}

static void answer(void *context, jz_page_request page, const jz_request *request)
{
    (void)request;
    called.count++;
    const jz_page_response *response = context;
    if (jz_page_respond(page, response) != JZ_ANSWER_TAKEN || jz_page_respond(page, response) != JZ_ANSWER_LATE)
        called.count += 1000;
}

/* All that is known of a request. */
static void describe(void *context, jz_page_request page, const jz_request *request)
{
    (void)context;
    char text[1024];
    char address[JZ_REMOTE_ADDRESS_SIZE];
    jz_string id = {"", 0};
    jz_string color = {"", 0};
    jz_string header = {"", 0};
    jz_request_parameter(request, "id", &id);
    jz_request_query_value(request, "color", &color);
    jz_request_header(request, "x-one", &header);
    jz_request_remote_address(request, address);
    int length =
        snprintf(text, sizeof text, "%.*s %.*s %.*s %.*s %.*s %s %s", (int)jz_request_path(request).length,
                 jz_request_path(request).start, (int)jz_request_route(request).length, jz_request_route(request).start,
                 (int)id.length, id.start, (int)color.length, color.start, (int)header.length, header.start, address,
                 jz_request_is_secure(request) ? "secure" : "plain");
    jz_page_respond(page, &(jz_page_response){.content_type = "text/plain", .body = text, .length = (size_t)length});
}

static const jz_page_response small = {.content_type = "text/plain", .body = "small", .length = 5};
static const jz_page_options told = {.ended = note_end};

static jz_options patient_options(void)
{
    jz_options options = serving_options(1);
    options.handshake_timeout_ms = options.upgrade_timeout_ms = options.close_timeout_ms = LONG_MS;
    return options;
}

static void handle_nothing(void *context, jz_ws ws, const jz_event *event, const jz_message *message)
{
    (void)context, (void)ws, (void)event, (void)message;
}

static jz_server *create(const jz_options *options)
{
    memset(&called, 0, sizeof called);
    jz_server *server = jz_server_create(options, NULL);
    assert_non_null(server);
    assert_int_equal(jz_server_route_get(server, "/fixed", "text/plain", "fixed", 5, NULL), JZ_OK);
    assert_int_equal(jz_server_route_page(server, "/small", NULL, answer, (void *)(uintptr_t)&small, NULL), JZ_OK);
    assert_int_equal(jz_server_route_page(server, "/later", &told, keep, NULL, NULL), JZ_OK);
    assert_int_equal(jz_server_route_page(server, "/room/:id", NULL, describe, NULL, NULL), JZ_OK);
    assert_int_equal(jz_server_route_ws(server, "/socket", NULL, handle_nothing, NULL, NULL), JZ_OK);
    return server;
}

static jz_server *run(jz_server *server)
{
    assert_int_equal(jz_server_listen(server, "127.0.0.1", 0, NULL), JZ_OK);
    assert_int_equal(jz_server_start(server, NULL), JZ_OK);
    assert_true(test_client_connect(&client, jz_server_port(server), 0));
    return server;
}

static jz_server *start(void)
{
    const jz_options options = patient_options();
    return run(create(&options));
}

static void finish(jz_server *server)
{
    test_client_close(&client);
    jz_server_destroy(server);
}

static const jz_response_header headers[] = {{"Cache-Control", "no-store"}, {"X-Empty", ""}};

static const struct {
    const char *name;
    jz_page_response response;
    const char *status_line;
    const char *lines[3];
    const char *absent; /* the name of a header */
    const char *body;
} responses[] = {
    {"a text",
     {.content_type = "text/plain", .body = "hello", .length = 5},
     "HTTP/1.1 200 OK",
     {"Content-Type: text/plain", "Content-Length: 5"},
     "Connection:",
     "hello"},
    {"a status and headers",
     {.status = 503,
      .content_type = "application/json",
      .body = "{}",
      .length = 2,
      .headers = headers,
      .header_count = 2},
     "HTTP/1.1 503 Service Unavailable",
     {"Cache-Control: no-store", "X-Empty: ", "Content-Length: 2"},
     "Retry-After:",
     "{}"},
    {"an empty body", {.content_type = "text/plain"}, "HTTP/1.1 200 OK", {"Content-Length: 0"}, "Upgrade:", ""},
    {"no content type",
     {.status = 404},
     "HTTP/1.1 404 Not Found",
     {"Content-Length: 9", "Content-Type: text/plain; charset=utf-8"},
     "Upgrade:",
     "Not Found"},
    {"no content",
     {.status = 204, .content_type = "text/plain", .body = "x", .length = 1},
     "HTTP/1.1 204 No Content",
     {NULL},
     "Content-",
     ""},
    {"not modified",
     {.status = 304, .headers = headers, .header_count = 1},
     "HTTP/1.1 304 Not Modified",
     {"Cache-Control: no-store"},
     "Content-",
     ""},
    {"a status without a name", {.status = 299, .content_type = "a/b"}, "HTTP/1.1 299 Success", {NULL}, "Upgrade:", ""},
};

static void expect_response(size_t row, bool is_head)
{
    assert_that(strncmp((const char *)client.bytes, responses[row].status_line, strlen(responses[row].status_line)) ==
                    0,
                "%s: %.40s", responses[row].name, (const char *)client.bytes);
    for (size_t i = 0; i < 3 && responses[row].lines[i] != NULL; i++)
        assert_that(asking_has_line(&client, responses[row].lines[i]), "%s: no %s", responses[row].name,
                    responses[row].lines[i]);
    char head[1024] = "";
    memcpy(head, client.bytes, client.start);
    assert_that(strstr(head, responses[row].absent) == NULL, "%s: %s", responses[row].name, head);
    if (!is_head)
        asking_expect_body(&client, responses[row].body);
}

/* All on one connection, so that a body too long or too short would be noticed. */
static void who_asks_gets_what_the_handler_answers(void **state)
{
    (void)state;
    const jz_options options = patient_options();
    jz_server *server = create(&options);
    char path[32];
    for (size_t i = 0; i < COUNT_OF(responses); i++) {
        snprintf(path, sizeof path, "/answer/%zu", i);
        assert_int_equal(
            jz_server_route_page(server, path, NULL, answer, (void *)(uintptr_t)&responses[i].response, NULL), JZ_OK);
    }
    run(server);
    for (size_t i = 0; i < 2 * COUNT_OF(responses); i++) {
        char request[128];
        bool is_head = i % 2 == 1;
        snprintf(request, sizeof request, "%s /answer/%zu HTTP/1.1\r\nHost: a\r\n\r\n", is_head ? "HEAD" : "GET",
                 i / 2);
        asking(&client, request);
        expect_response(i / 2, is_head);
    }
    assert_int_equal(asking(&client, PAGE_REQUEST("/small")), 200);
    asking_expect_body(&client, "small");
    assert_int_equal(called.count, 2 * COUNT_OF(responses) + 1);
    finish(server);
}

static void a_handler_sees_the_request(void **state)
{
    (void)state;
    jz_server *server = start();
    char address[32];
    char expected[256];
    test_client_address(&client, address);
    assert_int_equal(asking(&client, PAGE_REQUEST_WITH("GET", "/room/a%2Fb?color=red", "X-One: 1\r\n")), 200);
    snprintf(expected, sizeof expected, "/room/a%%2Fb /room/:id a/b red 1 %s plain", address);
    asking_expect_body(&client, expected);
    finish(server);
}

/* On one connection of a proxy, requests of several clients follow each other. */
static void behind_a_proxy_each_request_has_its_own_client(void **state)
{
    (void)state;
    static const char *const proxies[] = {"127.0.0.1"};
    jz_options options = patient_options();
    options.client_address = JZ_CLIENT_ADDRESS_X_FORWARDED_FOR;
    options.trusted_proxies = proxies;
    options.trusted_proxy_count = 1;
    jz_server *server = run(create(&options));
    assert_int_equal(asking(&client, PAGE_REQUEST_WITH("GET", "/room/1", "X-Forwarded-For: 192.0.2.1\r\n")), 200);
    asking_expect_body(&client, "/room/1 /room/:id 1   192.0.2.1:0 plain");
    assert_int_equal(asking(&client, PAGE_REQUEST_WITH("GET", "/room/2",
                                                       "X-Forwarded-For: 192.0.2.2\r\nX-Forwarded-Proto: https\r\n")),
                     200);
    asking_expect_body(&client, "/room/2 /room/:id 2   192.0.2.2:0 secure");
    finish(server);
}

static const struct {
    const char *request;
    int status;
    const char *line;
    const char *body;
} refused[] = {
    {"POST /small HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", 405, "Allow: GET, HEAD, OPTIONS",
     "Method Not Allowed: the method has to be one that Allow lists\n"},
    {"OPTIONS /small HTTP/1.1\r\nHost: a\r\n\r\n", 204, "Allow: GET, HEAD, OPTIONS", ""},
    {"GET /small HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc", 400, "Connection: close",
     "Bad Request: the request has content (Content-Length, Transfer-Encoding), and nothing here takes any\n"},
    {"GET /small HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, "Connection: close",
     "Bad Request: the request has content (Content-Length, Transfer-Encoding), and nothing here takes any\n"},
    {"GET /room/%00 HTTP/1.1\r\nHost: a\r\n\r\n", 400, "Connection: close",
     "Bad Request: the path has a NUL, as %00\n"},
    {"GET /small HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n", 200, "Connection: close",
     "small"},
    {"GET /small HTTP/1.0\r\nHost: a\r\n\r\n", 200, "Connection: close", "small"},
    {"GET /small HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n", 200, "Connection: keep-alive", "small"},
};

static void what_no_page_takes_is_refused_as_elsewhere(void **state)
{
    (void)state;
    jz_server *server = start();
    for (size_t i = 0; i < COUNT_OF(refused); i++) {
        assert_true(test_client_connect(&other, jz_server_port(server), 0));
        int status = asking(&other, refused[i].request);
        assert_that(status == refused[i].status, "%d for %s", status, refused[i].request);
        assert_that(asking_has_line(&other, refused[i].line), "no %s for %s", refused[i].line, refused[i].request);
        asking_expect_body(&other, refused[i].body);
        if (strcmp(refused[i].line, "Connection: close") == 0)
            assert_true(test_client_sees_end(&other));
        test_client_close(&other);
    }
    finish(server);
}

static jz_answer_status respond(size_t request, const char *text)
{
    return jz_page_respond(called.requests[request],
                           &(jz_page_response){.content_type = "text/plain", .body = text, .length = strlen(text)});
}

static void send_request(const char *request)
{
    assert_true(test_client_send(&client, request, strlen(request)));
}

static void an_answer_may_come_later_and_from_another_thread(void **state)
{
    (void)state;
    jz_server *server = start();
    send_request(PAGE_REQUEST("/later"));
    assert_eventually(called.count == 1);
    assert_true(test_client_hears_nothing(&client));
    assert_int_equal(called.ends, 0);
    assert_int_equal(respond(0, "first"), JZ_ANSWER_TAKEN);
    asking_expect(&client, 200, "first");
    assert_int_equal(called.ends, 1);
    assert_int_equal(called.ended[0].number, called.requests[0].number);
    assert_int_equal(called.ended[0].value, called.requests[0].value);
    finish(server);
}

/* Both requests are those of one connection, and answers name requests. */
static void a_second_answer_is_none_for_the_next_request(void **state)
{
    (void)state;
    jz_server *server = start();
    send_request(PAGE_REQUEST("/later") PAGE_REQUEST("/later"));
    assert_eventually(called.count == 1);
    assert_int_equal(respond(0, "first"), JZ_ANSWER_TAKEN);
    asking_expect(&client, 200, "first");
    assert_eventually(called.count == 2);
    respond(0, "second"); /* it is known to be late on the loop alone */
    assert_true(test_client_hears_nothing(&client));
    assert_int_equal(respond(1, "third"), JZ_ANSWER_TAKEN);
    asking_expect(&client, 200, "third");
    assert_int_equal(respond(1, "fourth"), JZ_ANSWER_LATE);
    finish(server);
    assert_int_equal(respond(1, "fifth"), JZ_ANSWER_LATE);
}

static const struct {
    const char *name;
    jz_page_response response;
} invalid[] = {
    {"an informational status", {.status = 100}},
    {"a status beyond all", {.status = 600}},
    {"a status below all", {.status = -1}},
    {"205", {.status = 205}},
    {"a content type of two lines", {.content_type = "text/plain\r\nX: y"}},
    {"an empty content type", {.content_type = ""}},
    {"a header of the server's", {.headers = &(jz_response_header){"Content-Length", "3"}, .header_count = 1}},
    {"a header of two lines", {.headers = &(jz_response_header){"X", "a\nb"}, .header_count = 1}},
    {"a header without a name", {.headers = &(jz_response_header){NULL, "a"}, .header_count = 1}},
};

static void who_gets_an_answer_that_may_not_be_sent_waits_for_another(void **state)
{
    (void)state;
    jz_server *server = start();
    send_request(PAGE_REQUEST("/later"));
    assert_eventually(called.count == 1);
    for (size_t i = 0; i < COUNT_OF(invalid); i++)
        assert_that(jz_page_respond(called.requests[0], &invalid[i].response) == JZ_ANSWER_INVALID, "%s",
                    invalid[i].name);
    test_allocations_fail_after(0);
    jz_answer_status status = respond(0, "no memory");
    test_allocations_succeed();
    assert_int_equal(status, JZ_ANSWER_OUT_OF_MEMORY);
    assert_int_equal(respond(0, "valid"), JZ_ANSWER_TAKEN);
    asking_expect(&client, 200, "valid");
    finish(server);
}

static void what_was_asked_for_at_once_is_answered_in_order(void **state)
{
    (void)state;
    jz_server *server = start();
    send_request(PAGE_REQUEST("/fixed") PAGE_REQUEST("/small") PAGE_REQUEST("/small") PAGE_REQUEST("/later")
                     PAGE_REQUEST("/fixed") PAGE_REQUEST("/nowhere") PAGE_REQUEST("/small")
                         UPGRADE_REQUEST("/socket") "\x89\x80\x01\x02\x03\x04");
    asking_expect(&client, 200, "fixed");
    asking_expect(&client, 200, "small");
    asking_expect(&client, 200, "small");
    assert_eventually(called.count == 3);
    assert_true(test_client_hears_nothing(&client));
    assert_int_equal(respond(2, "later"), JZ_ANSWER_TAKEN);
    asking_expect(&client, 200, "later");
    asking_expect(&client, 200, "fixed");
    asking_expect(&client, 404, "Not Found: there is no route with this path\n");
    asking_expect(&client, 200, "small");
    assert_int_equal(asking_take_head(&client), 101);
    test_client_expect(&client, 0xA, "", 0);
    finish(server);
}

/* Heads that end anywhere, in reads that end anywhere. */
static void requests_in_pieces_are_answered_alike(void **state)
{
    (void)state;
    jz_server *server = start();
    static const char requests[] = PAGE_REQUEST("/small") PAGE_REQUEST("/fixed") PAGE_REQUEST("/small");
    for (size_t cut = 1; cut + 1 < sizeof requests; cut += 3) {
        assert_true(test_client_send(&client, requests, cut));
        if (cut >= strlen(PAGE_REQUEST("/small")))
            asking_expect(&client, 200, "small");
        assert_true(test_client_send(&client, requests + cut, sizeof requests - 1 - cut));
        if (cut < strlen(PAGE_REQUEST("/small")))
            asking_expect(&client, 200, "small");
        asking_expect(&client, 200, "fixed");
        asking_expect(&client, 200, "small");
    }
    finish(server);
}

/* All together they take longer than a busy machine may delay the other client, unless that was served. */
static atomic_bool other_was_served;

static void take_a_moment(void *context, jz_page_request page, const jz_request *request)
{
    const struct timespec moment = {.tv_nsec = 20 * 1000 * 1000};
    if (!other_was_served)
        nanosleep(&moment, NULL);
    answer(context, page, request);
}

static void who_asks_for_much_at_once_lets_others_have_their_turns(void **state)
{
    (void)state;
    enum { MUCH = 1000 };
    const jz_options options = patient_options();
    other_was_served = false;
    jz_server *server = create(&options);
    assert_int_equal(jz_server_route_page(server, "/moment", NULL, take_a_moment, (void *)(uintptr_t)&small, NULL),
                     JZ_OK);
    run(server);
    char requests[MUCH * sizeof PAGE_REQUEST("/moment")] = "";
    for (size_t i = 0; i < MUCH; i++)
        strcat(requests, PAGE_REQUEST("/moment"));
    assert_true(test_client_connect(&other, jz_server_port(server), 0));
    send_request(requests);
    asking_expect(&client, 200, "small");
    assert_int_equal(asking(&other, PAGE_REQUEST("/small")), 200);
    assert_in_range(called.count, 2, MUCH);
    other_was_served = true;
    for (size_t i = 1; i < MUCH; i++)
        asking_expect(&client, 200, "small");
    test_client_close(&other);
    finish(server);
}

/* Its client has to ask again on another connection, as the answer's "Connection: close" says. */
enum { GREAT = 64 * 1024 };
static char great_body[GREAT];
static const jz_page_response great = {.content_type = "text/plain", .body = great_body, .length = GREAT};

/* Another iteration of the loop, which answers somebody else. */
static void have_a_turn(void)
{
    assert_int_equal(asking(&client, PAGE_REQUEST("/fixed")), 200);
    asking_expect_body(&client, "fixed");
}

/* However little is asked for each: all at once, or each in a segment of its own, which is read by itself. */
static void who_asks_for_many_pages_and_takes_none_costs_no_more_than_one(void **state)
{
    (void)state;
    enum { REQUESTS = 400, LITTLE_BUFFER = 4096, TURNS = 200, COST = 3 * GREAT };
    static const char request[] = PAGE_REQUEST("/great");
    for (int is_at_once = 0; is_at_once < 2; is_at_once++) {
        const jz_options options = patient_options();
        jz_server *server = create(&options);
        assert_int_equal(jz_server_route_page(server, "/great", NULL, answer, (void *)(uintptr_t)&great, NULL), JZ_OK);
        run(server);
        assert_true(test_client_connect(&other, jz_server_port(server), LITTLE_BUFFER));
        have_a_turn();
        size_t before = test_live_bytes();
        for (size_t i = 0; i < REQUESTS; i++) {
            assert_true(test_client_send(&other, request, strlen(request)));
            if (is_at_once == 0)
                have_a_turn();
        }
        /* Each answer comes in a later iteration, of which these are many. */
        for (size_t i = 0; i < TURNS; i++)
            have_a_turn();
        jz_statistics statistics;
        jz_server_statistics(server, &statistics);
        assert_in_range(statistics.buffered_bytes, 1, 2 * GREAT);
        assert_in_range(test_live_bytes(), 0, before + COST);
        for (size_t i = 0; i < REQUESTS; i++) {
            assert_int_equal(asking_take_head(&other), 200);
            assert_true(test_client_receive(&other, GREAT));
            other.start += GREAT;
        }
        assert_int_equal(called.count, REQUESTS);
        test_client_close(&other);
        finish(server);
    }
}

static void behind_very_many_requests_the_connection_ends(void **state)
{
    (void)state;
    enum { VERY_MANY = 8000 };
    static char requests[VERY_MANY * sizeof PAGE_REQUEST("/later")];
    jz_options options = patient_options();
    options.receive_buffer_size = 1024 * 1024;
    jz_server *server = run(create(&options));
    for (size_t i = 0; i < VERY_MANY; i++)
        memcpy(requests + i * strlen(PAGE_REQUEST("/later")), PAGE_REQUEST("/later"), sizeof PAGE_REQUEST("/later"));
    size_t before = test_live_bytes();
    send_request(requests);
    size_t answered = 0;
    do {
        assert_eventually(called.count > answered);
        assert_in_range(test_live_bytes(), 0, before + 512 * 1024);
        assert_int_equal(respond(answered % MOST_REQUESTS, "later"), JZ_ANSWER_TAKEN);
        asking_expect(&client, 200, "later");
        answered++;
    } while (!asking_has_line(&client, "Connection: close") && answered < VERY_MANY);
    assert_in_range(answered, 1, VERY_MANY - 1);
    assert_true(test_client_sees_end(&client));
    finish(server);
}

/* A worker's handler may block: until the test opens the gate. */
static atomic_bool gate;
static atomic_bool ran_in_handler;

static void wait_at_gate(void *context, jz_page_request page, const jz_request *request)
{
    called.count++;
    ran_in_handler = jz_in_handler();
    test_hold_while(!gate);
    describe(context, page, request);
}

static jz_server *start_with_workers(uint32_t workers)
{
    static const jz_page_options blocking = {.execution = JZ_EXECUTION_WORKERS, .ended = note_end};
    jz_options options = patient_options();
    options.worker_threads = workers;
    jz_server *server = create(&options);
    gate = false;
    assert_int_equal(jz_server_route_page(server, "/slow/:id", &blocking, wait_at_gate, NULL, NULL), JZ_OK);
    return run(server);
}

static void a_page_that_is_not_answered_in_time_is_refused(void **state)
{
    (void)state;
    jz_options options = patient_options();
    log_lines_begin(&lines, &options);
    jz_server *server = create(&options);
    const jz_page_options hurried = {.answer_timeout_ms = 100, .ended = note_end};
    assert_int_equal(jz_server_route_page(server, "/hurried", &hurried, keep, NULL, NULL), JZ_OK);
    run(server);
    assert_int_equal(asking(&client, PAGE_REQUEST("/hurried")), 503);
    assert_true(asking_has_line(&client, "Connection: close"));
    asking_expect_body(&client, "Service Unavailable: the page was not made in time (answer_timeout_ms)\n");
    assert_true(test_client_sees_end(&client));
    assert_int_equal(called.ends, 1);
    assert_int_equal(respond(0, "late"), JZ_ANSWER_LATE);
    assert_true(log_lines_have(&lines, "the page /hurried was not answered within 100 ms (answer_timeout_ms)"));
    jz_statistics statistics;
    jz_server_statistics(server, &statistics);
    assert_int_equal(statistics.refused[JZ_REFUSAL_UPGRADE_TIMEOUT], 1);
    finish(server);
}

static void a_client_that_goes_away_is_told_of(void **state)
{
    (void)state;
    jz_server *server = start();
    send_request(PAGE_REQUEST("/later"));
    assert_eventually(called.count == 1);
    test_client_reset(&client);
    assert_eventually(called.ends == 1);
    assert_int_equal(respond(0, "late"), JZ_ANSWER_LATE);
    jz_server_destroy(server);
}

static void who_waits_when_the_server_stops_is_told_so(void **state)
{
    (void)state;
    jz_server *server = start();
    send_request(PAGE_REQUEST("/later") PAGE_REQUEST("/small"));
    assert_eventually(called.count == 1);
    jz_server_stop(server);
    asking_expect(&client, 503, "Service Unavailable: the server stops\n");
    assert_true(test_client_sees_end(&client));
    assert_int_equal(called.ends, 1);
    finish(server);
}

/* Whether the server listens no more. */
static bool refuses(const jz_server *server)
{
    bool is_connected = test_client_connect(&other, jz_server_port(server), 0);
    if (is_connected)
        test_client_close(&other);
    return !is_connected;
}

/* Its handler runs on: the server waits for it. */
static void who_waits_for_a_worker_when_the_server_stops_is_told_so(void **state)
{
    (void)state;
    jz_server *server = start_with_workers(1);
    send_request(PAGE_REQUEST("/slow/1"));
    assert_eventually(called.count == 1);
    jz_server_stop(server);
    asking_expect(&client, 503, "Service Unavailable: the server stops\n");
    assert_true(test_client_sees_end(&client));
    assert_int_equal(called.ends, 1);
    gate = true;
    finish(server);
}

static void who_waits_when_the_server_drains_is_answered_and_then_has_to_leave(void **state)
{
    (void)state;
    jz_server *server = start();
    send_request(PAGE_REQUEST("/later") PAGE_REQUEST("/small"));
    assert_eventually(called.count == 1);
    jz_server_drain(server, JZ_NEVER);
    assert_eventually(refuses(server));
    assert_int_equal(respond(0, "later"), JZ_ANSWER_TAKEN);
    asking_expect(&client, 200, "later");
    assert_true(asking_has_line(&client, "Connection: close"));
    assert_true(test_client_sees_end(&client));
    finish(server);
}

static const char *const wrong_options[] = {"execution", "answer_timeout_ms is 99", "answer_timeout_ms is 3600001"};

static void what_cannot_be_a_page_is_refused(void **state)
{
    (void)state;
    const jz_options options = patient_options();
    jz_server *server = create(&options);
    const jz_page_options wrong[] = {
        {.execution = (jz_execution)2}, {.answer_timeout_ms = 99}, {.answer_timeout_ms = 3600001}};
    jz_error error;
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        assert_int_equal(jz_server_route_page(server, "/new", &wrong[i], keep, NULL, &error), JZ_STATUS_INVALID_OPTION);
        assert_non_null(strstr(error.message, wrong_options[i]));
    }
    assert_int_equal(jz_server_route_page(server, "/new", NULL, NULL, NULL, &error), JZ_STATUS_INVALID_ROUTE);
    assert_string_equal(error.message, "page \"/new\": the handler is NULL");
    assert_int_equal(jz_server_route_page(server, "new", NULL, keep, NULL, &error), JZ_STATUS_INVALID_ROUTE);
    for (size_t i = 0; i < 2; i++) {
        const char *path = i == 0 ? "/fixed" : "/small";
        assert_int_equal(jz_server_route_page(server, path, NULL, keep, NULL, &error), JZ_STATUS_INVALID_ROUTE);
        assert_int_equal(jz_server_route_get(server, path, "text/plain", "", 0, &error), JZ_STATUS_INVALID_ROUTE);
        assert_non_null(strstr(error.message, "there is a page already"));
    }
    run(server);
    assert_int_equal(jz_server_route_page(server, "/new", NULL, keep, NULL, &error), JZ_STATUS_INVALID_STATE);
    finish(server);
}

static void a_handler_on_a_worker_may_block_while_others_are_served(void **state)
{
    (void)state;
    jz_server *server = start_with_workers(2);
    char address[32];
    char expected[256];
    test_client_address(&client, address);
    send_request(PAGE_REQUEST_WITH("GET", "/slow/a%2Fb?color=red", "X-One: 1\r\n") PAGE_REQUEST("/fixed"));
    assert_eventually(called.count == 1);
    assert_true(ran_in_handler);
    assert_true(test_client_connect(&other, jz_server_port(server), 0));
    assert_int_equal(asking(&other, PAGE_REQUEST("/small")), 200);
    asking_expect_body(&other, "small");
    assert_true(test_client_hears_nothing(&client));
    gate = true;
    snprintf(expected, sizeof expected, "/slow/a%%2Fb /slow/:id a/b red 1 %s plain", address);
    asking_expect(&client, 200, expected);
    asking_expect(&client, 200, "fixed");
    assert_int_equal(called.ends, 1);
    test_client_close(&other);
    finish(server);
}

static uint64_t open_connections(const jz_server *server)
{
    jz_statistics statistics;
    jz_server_statistics(server, &statistics);
    return statistics.connections;
}

/* The only worker is busy with another request meanwhile. */
static void who_has_gone_before_a_worker_is_free_costs_no_call(void **state)
{
    (void)state;
    jz_server *server = start_with_workers(1);
    send_request(PAGE_REQUEST("/slow/1"));
    assert_eventually(called.count == 1);
    assert_true(test_client_connect(&other, jz_server_port(server), 0));
    assert_int_equal(asking(&other, PAGE_REQUEST("/small")), 200);
    asking_expect_body(&other, "small");
    assert_true(test_client_send(&other, PAGE_REQUEST("/slow/2"), strlen(PAGE_REQUEST("/slow/2"))));
    assert_int_equal(open_connections(server), 2);
    test_client_reset(&other);
    assert_eventually(open_connections(server) == 1);
    gate = true;
    asking_expect(&client, 200, "/slow/1");
    finish(server);
    assert_int_equal(called.count, 2);
    assert_int_equal(called.ends, 1);
}

/* Its WebSocket and its page have one path. */
static void a_path_may_have_a_page_and_a_websocket(void **state)
{
    (void)state;
    const jz_options options = patient_options();
    jz_server *server = create(&options);
    assert_int_equal(jz_server_route_page(server, "/socket", NULL, answer, (void *)(uintptr_t)&small, NULL), JZ_OK);
    run(server);
    assert_int_equal(asking(&client, PAGE_REQUEST("/socket")), 200);
    asking_expect_body(&client, "small");
    assert_int_equal(asking(&client, UPGRADE_REQUEST("/socket")), 101);
    finish(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_asks_gets_what_the_handler_answers),
        cmocka_unit_test(a_handler_sees_the_request),
        cmocka_unit_test(behind_a_proxy_each_request_has_its_own_client),
        cmocka_unit_test(what_no_page_takes_is_refused_as_elsewhere),
        cmocka_unit_test(an_answer_may_come_later_and_from_another_thread),
        cmocka_unit_test(a_second_answer_is_none_for_the_next_request),
        cmocka_unit_test(who_gets_an_answer_that_may_not_be_sent_waits_for_another),
        cmocka_unit_test(what_was_asked_for_at_once_is_answered_in_order),
        cmocka_unit_test(requests_in_pieces_are_answered_alike),
        cmocka_unit_test(who_asks_for_much_at_once_lets_others_have_their_turns),
        cmocka_unit_test(who_asks_for_many_pages_and_takes_none_costs_no_more_than_one),
        cmocka_unit_test(behind_very_many_requests_the_connection_ends),
        cmocka_unit_test(a_page_that_is_not_answered_in_time_is_refused),
        cmocka_unit_test(a_client_that_goes_away_is_told_of),
        cmocka_unit_test(who_waits_when_the_server_stops_is_told_so),
        cmocka_unit_test(who_waits_for_a_worker_when_the_server_stops_is_told_so),
        cmocka_unit_test(who_waits_when_the_server_drains_is_answered_and_then_has_to_leave),
        cmocka_unit_test(what_cannot_be_a_page_is_refused),
        cmocka_unit_test(a_handler_on_a_worker_may_block_while_others_are_served),
        cmocka_unit_test(who_has_gone_before_a_worker_is_free_costs_no_call),
        cmocka_unit_test(a_path_may_have_a_page_and_a_websocket),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("made pages", tests, NULL, NULL));
}
