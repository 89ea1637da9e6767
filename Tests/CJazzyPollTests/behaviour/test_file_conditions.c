/* What of a file is sent: all, nothing, a part, or what was compressed, as its request wants it. */
#define _DEFAULT_SOURCE

#include <stdio.h>

#include "jazzy.h"
#include "support/asking.h"
#include "support/eventually.h"
#include "support/serving.h"
#include "support/site.h"
#include "support/testing.h"

/* In these, TAG and DATE stand for what the file has, and OTHER for another tag. */
static const struct {
    const char *headers;
    int status;
    const char *line;
    const char *body;
} conditions[] = {
    {"If-None-Match: TAG\r\n", 304, "ETag: TAG", ""},
    {"If-None-Match: W/TAG\r\n", 304, "Last-Modified: DATE", ""},
    {"If-None-Match: OTHER, TAG\r\n", 304, "ETag: TAG", ""},
    {"If-None-Match: OTHER\r\nIf-None-Match: TAG\r\n", 304, "ETag: TAG", ""},
    {"If-None-Match: *\r\n", 304, "ETag: TAG", ""},
    {"If-None-Match: OTHER\r\n", 200, "ETag: TAG", "0123456789"},
    {"If-None-Match: OTHER\r\nIf-Modified-Since: DATE\r\n", 200, "ETag: TAG", "0123456789"},
    {"If-None-Match: \"unfinished\r\n", 200, "ETag: TAG", "0123456789"},
    {"If-Modified-Since: DATE\r\n", 304, "ETag: TAG", ""},
    {"If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n", 200, "ETag: TAG", "0123456789"},
    {"If-Modified-Since: yesterday\r\n", 200, "ETag: TAG", "0123456789"},
    {"If-Match: TAG\r\n", 200, "ETag: TAG", "0123456789"},
    {"If-Match: *\r\n", 200, "ETag: TAG", "0123456789"},
    {"If-Match: OTHER\r\n", 412, "ETag: TAG", "Precondition Failed"},
    {"If-Match: W/TAG\r\n", 412, "ETag: TAG", "Precondition Failed"},
    {"If-Unmodified-Since: DATE\r\n", 200, "ETag: TAG", "0123456789"},
    {"If-Unmodified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n", 412, "ETag: TAG", "Precondition Failed"},
    {"Range: bytes=0-0\r\n", 206, "Content-Range: bytes 0-0/10", "0"},
    {"Range: bytes=2-4\r\n", 206, "Content-Length: 3", "234"},
    {"Range: bytes=7-\r\n", 206, "Content-Range: bytes 7-9/10", "789"},
    {"Range: bytes=7-99999999999999999999999\r\n", 206, "Content-Range: bytes 7-9/10", "789"},
    {"Range: bytes=-4\r\n", 206, "Content-Range: bytes 6-9/10", "6789"},
    {"Range: bytes=-40\r\n", 206, "Content-Range: bytes 0-9/10", "0123456789"},
    {"Range: bytes=10-\r\n", 416, "Content-Range: bytes */10", "Range Not Satisfiable"},
    {"Range: bytes=99999999999999999999-\r\n", 416, "Content-Range: bytes */10", "Range Not Satisfiable"},
    {"Range: bytes=-0\r\n", 416, "Content-Range: bytes */10", "Range Not Satisfiable"},
    {"Range: bytes=0-1,2-3\r\n", 200, "Content-Length: 10", "0123456789"},
    {"Range: bytes=0-,0-,0-,0-,0-\r\n", 200, "Content-Length: 10", "0123456789"},
    {"Range: bytes=0-1\r\nRange: bytes=2-3\r\n", 200, "Content-Length: 10", "0123456789"},
    {"Range: bytes=4-2\r\n", 200, "Content-Length: 10", "0123456789"},
    {"Range: bytes=\r\n", 200, "Content-Length: 10", "0123456789"},
    {"Range: lines=0-1\r\n", 200, "Content-Length: 10", "0123456789"},
    {"Range: bytes=0-1\r\nIf-Range: TAG\r\n", 206, "Content-Length: 2", "01"},
    {"Range: bytes=0-1\r\nIf-Range: OTHER\r\n", 200, "Content-Length: 10", "0123456789"},
    {"Range: bytes=0-1\r\nIf-Range: W/TAG\r\n", 200, "Content-Length: 10", "0123456789"},
    {"Range: bytes=0-1\r\nIf-Range: DATE\r\n", 200, "Content-Length: 10", "0123456789"},
    {"Range: bytes=0-1\r\nIf-None-Match: TAG\r\n", 304, "ETag: TAG", ""},
};

/* Replaces each of these words. */
static void fill_in(const char *text, const char *tag, const char *date, char *filled, size_t size)
{
    const struct {
        const char *word;
        const char *value;
    } words[] = {{"TAG", tag}, {"DATE", date}, {"OTHER", "\"other\""}};
    size_t length = 0;
    while (*text != '\0' && length + 1 < size) {
        size_t word = 0;
        while (word < COUNT_OF(words) && strncmp(text, words[word].word, strlen(words[word].word)) != 0)
            word++;
        if (word < COUNT_OF(words)) {
            length += (size_t)snprintf(filled + length, size - length, "%s", words[word].value);
            text += strlen(words[word].word);
        } else {
            filled[length++] = *text++;
        }
    }
    filled[length] = '\0';
}

static void conditions_and_ranges_are_followed(void **state)
{
    (void)state;
    jz_server *server = site_start();
    char tag[64];
    char date[64];
    assert_int_equal(asking(&client, PAGE_REQUEST("/files/a.txt")), 200);
    asking_expect_body(&client, "0123456789");
    site_take_header("ETag", tag, sizeof tag);
    site_take_header("Last-Modified", date, sizeof date);
    for (size_t i = 0; i < COUNT_OF(conditions); i++) {
        char headers[512];
        char line[128];
        char request[768];
        fill_in(conditions[i].headers, tag, date, headers, sizeof headers);
        fill_in(conditions[i].line, tag, date, line, sizeof line);
        snprintf(request, sizeof request, "GET /files/a.txt HTTP/1.1\r\nHost: a\r\n%s\r\n", headers);
        int status = asking(&client, request);
        assert_that(status == conditions[i].status, "%d for %s", status, headers);
        assert_that(asking_has_line(&client, line), "no %s for %s", line, headers);
        asking_expect_body(&client, conditions[i].body);
    }
    /* A range is for GET alone, and there is none of nothing. */
    assert_int_equal(asking(&client, PAGE_REQUEST_WITH("HEAD", "/files/a.txt", "Range: bytes=0-1\r\n")), 200);
    assert_true(asking_has_line(&client, "Content-Length: 10"));
    assert_int_equal(asking(&client, PAGE_REQUEST_WITH("GET", "/files/nothing.txt", "Range: bytes=0-\r\n")), 416);
    asking_expect_body(&client, "Range Not Satisfiable");
    assert_int_equal(asking(&client, PAGE_REQUEST("/fixed")), 200);
    site_finish(server);
}

static const struct {
    const char *headers;
    bool is_packed;
} encodings[] = {
    {"Accept-Encoding: gzip\r\n", true},
    {"Accept-Encoding: deflate, GZIP;q=0.5, br\r\n", true},
    {"Accept-Encoding: br\r\nAccept-Encoding: gzip\r\n", true},
    {"Accept-Encoding: *\r\n", true},
    {"Accept-Encoding: x-gzip\r\n", true},
    {"", false},
    {"Accept-Encoding: \r\n", false},
    {"Accept-Encoding: br, deflate\r\n", false},
    {"Accept-Encoding: gzip;q=0\r\n", false},
    {"Accept-Encoding: gzip; q=0.000, *\r\n", false},
    {"Accept-Encoding: *;q=0\r\n", false},
    {"Accept-Encoding: gzip;q=0;x=1\r\n", false},
    {"Accept-Encoding: gzip;x=1;q=0\r\n", false},
    {"Accept-Encoding: gzip ; Q = 0\r\n", false},
    {"Accept-Encoding: gzip;q=nothing\r\n", false},
    {"Accept-Encoding: gzip;q=0.001\r\n", true},
    {"Accept-Encoding: gzip;x=0;q=1.000\r\n", true},
    {"Accept-Encoding: gzip\r\nRange: bytes=0-999\r\n", false},
};

static void who_takes_gzip_gets_it(void **state)
{
    (void)state;
    jz_server *server = site_start();
    for (size_t i = 0; i < COUNT_OF(encodings); i++) {
        char request[256];
        snprintf(request, sizeof request, "GET /files/style.css HTTP/1.1\r\nHost: a\r\n%s\r\n", encodings[i].headers);
        int status = asking(&client, request);
        assert_true(status == 200 || status == 206);
        assert_true(asking_has_line(&client, "Vary: Accept-Encoding"));
        assert_that(asking_has_line(&client, "Content-Encoding: gzip") == encodings[i].is_packed, "%s",
                    encodings[i].headers);
        site_expect_style(encodings[i].is_packed);
    }
    /* Both have tags of their own, which conditions know. */
    char tag[64];
    char request[256];
    assert_int_equal(asking(&client, PAGE_REQUEST_WITH("HEAD", "/files/style.css", "Accept-Encoding: gzip\r\n")), 200);
    site_take_header("ETag", tag, sizeof tag);
    snprintf(request, sizeof request,
             "GET /files/style.css HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\nIf-None-Match: %s\r\n\r\n", tag);
    assert_int_equal(asking(&client, request), 304);
    snprintf(request, sizeof request, "GET /files/style.css HTTP/1.1\r\nHost: a\r\nIf-None-Match: %s\r\n\r\n", tag);
    assert_int_equal(asking(&client, request), 200);
    site_expect_style(false);
    /* What does not become smaller is sent as it is, and what is compressed already is not looked at. */
    assert_int_equal(asking(&client, PAGE_REQUEST_WITH("HEAD", "/files/a.txt", "Accept-Encoding: gzip\r\n")), 200);
    assert_false(asking_has_line(&client, "Content-Encoding: gzip"));
    assert_true(asking_has_line(&client, "Vary: Accept-Encoding"));
    assert_int_equal(asking(&client, PAGE_REQUEST_WITH("HEAD", "/files/large.bin", "Accept-Encoding: gzip\r\n")), 200);
    assert_false(asking_has_line(&client, "Vary: Accept-Encoding"));
    site_finish(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(conditions_and_ranges_are_followed),
        cmocka_unit_test(who_takes_gzip_gets_it),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("conditions of files", tests, make_site, remove_site));
}
