#include "http/response.h"

#include <stdio.h>

#include "support/allocation.h"
#include "support/clock.h"
#include "support/testing.h"

#define DATE "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
#define PAGE .content_type = "text/html", .body = "<p>Hi", .length = 5

static const struct {
    const char *name;
    jz_response response;
    const char *text;
} responses[] = {
    {"a page, on a connection that lives on",
     {.status = 200, .keeps_alive = true, PAGE},
     "HTTP/1.1 200 OK\r\n" DATE "Content-Length: 5\r\nContent-Type: text/html\r\n\r\n<p>Hi"},
    {"a page, on a connection that ends",
     {.status = 200, PAGE},
     "HTTP/1.1 200 OK\r\n" DATE "Content-Length: 5\r\nConnection: close\r\nContent-Type: text/html\r\n\r\n<p>Hi"},
    {"a page, to a peer that does not expect the connection to live on",
     {.status = 200, .keeps_alive = true, .says_keep_alive = true, PAGE},
     "HTTP/1.1 200 OK\r\n" DATE "Content-Length: 5\r\nConnection: keep-alive\r\nContent-Type: text/html\r\n\r\n<p>Hi"},
    {"a connection that ends is not said to live on",
     {.status = 200, .says_keep_alive = true, PAGE},
     "HTTP/1.1 200 OK\r\n" DATE "Content-Length: 5\r\nConnection: close\r\nContent-Type: text/html\r\n\r\n<p>Hi"},
    {"the headers of a page alone, with its length (RFC 9110 §9.3.2)",
     {.status = 200, .keeps_alive = true, .is_head = true, PAGE},
     "HTTP/1.1 200 OK\r\n" DATE "Content-Length: 5\r\nContent-Type: text/html\r\n\r\n"},
    {"an empty page",
     {.status = 200, .keeps_alive = true, .content_type = "text/plain"},
     "HTTP/1.1 200 OK\r\n" DATE "Content-Length: 0\r\nContent-Type: text/plain\r\n\r\n"},
    {"no content, and so no length of it (RFC 9110 §8.6)",
     {.status = 204, .keeps_alive = true, .extra_headers = "Allow: GET\r\n"},
     "HTTP/1.1 204 No Content\r\n" DATE "Allow: GET\r\n\r\n"},
    {"extra headers",
     {.status = 405, .keeps_alive = true, .extra_headers = "Allow: GET\r\nX: y\r\n", PAGE},
     "HTTP/1.1 405 Method Not Allowed\r\n" DATE
     "Content-Length: 5\r\nContent-Type: text/html\r\nAllow: GET\r\nX: y\r\n\r\n<p>Hi"},
    {"an upgrade is required",
     {.status = 426, .keeps_alive = true, .asks_for_upgrade = true, PAGE},
     "HTTP/1.1 426 Upgrade Required\r\n" DATE
     "Content-Length: 5\r\nConnection: Upgrade\r\nContent-Type: text/html\r\nUpgrade: websocket\r\n\r\n<p>Hi"},
    {"an upgrade is required, on a connection that ends",
     {.status = 426, .asks_for_upgrade = true, .extra_headers = "Sec-WebSocket-Version: 13\r\n", PAGE},
     "HTTP/1.1 426 Upgrade Required\r\n" DATE
     "Content-Length: 5\r\nConnection: Upgrade, close\r\nContent-Type: text/html\r\nUpgrade: websocket\r\n"
     "Sec-WebSocket-Version: 13\r\n\r\n<p>Hi"},
    {"an upgrade is required, of a peer that does not expect the connection to live on",
     {.status = 426, .asks_for_upgrade = true, .keeps_alive = true, .says_keep_alive = true, PAGE},
     "HTTP/1.1 426 Upgrade Required\r\n" DATE
     "Content-Length: 5\r\nConnection: Upgrade, keep-alive\r\nContent-Type: text/html\r\nUpgrade: websocket\r\n\r\n"
     "<p>Hi"},
};

static void expect_text(const char *name, const jz_response *response, const char *text)
{
    jz_date date = {0};
    jz_buffer output = {0};
    test_date_stop(784111777);
    assert_true(jz_response_append(response, &date, &output));
    assert_that(output.length == strlen(text) && memcmp(output.bytes, text, output.length) == 0, "%s:\n%.*s", name,
                (int)output.length, (const char *)output.bytes);
    jz_buffer_free(&output);
}

static void a_response_is_written_byte_for_byte(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(responses); i++)
        expect_text(responses[i].name, &responses[i].response, responses[i].text);
}

static const struct {
    int status;
    const char *reason;
} refusals[] = {
    {400, "Bad Request"},
    {204, "No Content"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {408, "Request Timeout"},
    {426, "Upgrade Required"},
    {431, "Request Header Fields Too Large"},
    {505, "HTTP Version Not Supported"},
};

static void a_refusal_says_why_in_its_status_line_and_in_its_body(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(refusals); i++) {
        char text[512];
        snprintf(text, sizeof text,
                 "HTTP/1.1 %d %s\r\n" DATE "Content-Length: %zu\r\nConnection: close\r\n"
                 "Content-Type: text/plain; charset=utf-8\r\n\r\n%s",
                 refusals[i].status, refusals[i].reason, strlen(refusals[i].reason), refusals[i].reason);
        jz_response response = jz_response_refusing(refusals[i].status);
        expect_text(refusals[i].reason, &response, text);
    }
}

static void a_content_type_may_be_of_any_length(void **state)
{
    (void)state;
    static char type[10000];
    memset(type, 't', sizeof type - 1);
    jz_date date = {0};
    jz_buffer output = {0};
    jz_response response = {.status = 200, .content_type = type, .body = "body", .length = 4};
    assert_true(jz_response_append(&response, &date, &output));
    assert_memory_equal(output.bytes + output.length - 8, "\r\n\r\nbody", 8);
    assert_memory_equal(output.bytes + output.length - 8 - strlen(type), type, strlen(type));
    jz_buffer_free(&output);
}

static void without_memory_nothing_is_appended(void **state)
{
    (void)state;
    static const char body[4000];
    const jz_response response = {.status = 200, .content_type = "text/plain", .body = body, .length = sizeof body};
    jz_date date = {0};
    jz_buffer output = {0};
    assert_true(jz_buffer_append(&output, "before", 6));
    size_t refused = 0;
    for (bool is_appended = false; !is_appended; refused++) {
        test_allocations_fail_after(refused);
        is_appended = jz_response_append(&response, &date, &output);
        test_allocations_succeed();
        assert_true(is_appended || output.length == 6);
    }
    assert_in_range(refused, 2, 10); /* at least the body needed more room */
    assert_memory_equal(output.bytes, "beforeHTTP/1.1 200 OK", 21);
    jz_buffer_free(&output);
}

static int run_clocks(void **state)
{
    (void)state;
    test_clocks_run();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_response_is_written_byte_for_byte),
        cmocka_unit_test(a_refusal_says_why_in_its_status_line_and_in_its_body),
        cmocka_unit_test(a_content_type_may_be_of_any_length),
        cmocka_unit_test(without_memory_nothing_is_appended),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("response", tests, NULL, run_clocks));
}
