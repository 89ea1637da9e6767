#include "scraping.h"

#include <stdio.h>

#include "testing.h"

enum { LARGEST = 1024 * 1024 };

static test_client own;
static char page[LARGEST];
static char head[4096];

static size_t take_head(test_client *from)
{
    size_t length = 0;
    while (length < 4 || memcmp(head + length - 4, "\r\n\r\n", 4) != 0) {
        assert_true(length + 1 < sizeof head && test_client_receive(from, 1));
        head[length++] = (char)from->bytes[from->start++];
        head[length] = '\0';
    }
    const char *content_length = strstr(head, "Content-Length: ");
    assert_non_null(content_length);
    return strtoul(content_length + strlen("Content-Length: "), NULL, 10);
}

void scrape_over(test_client *from, const char *headers)
{
    char request[2048];
    snprintf(request, sizeof request, "GET /metrics HTTP/1.1\r\nHost: a\r\nConnection: close\r\n%s\r\n", headers);
    assert_true(test_client_send(from, request, strlen(request)));
    size_t length = take_head(from);
    assert_true(length < LARGEST);
    for (size_t taken = 0; taken < length; taken++) {
        assert_true(test_client_receive(from, 1));
        page[taken] = (char)from->bytes[from->start++];
    }
    page[length] = '\0';
    test_client_close(from);
    assert_int_equal(strncmp(head, "HTTP/1.1 200 ", strlen("HTTP/1.1 200 ")), 0);
}

void scrape_with(uint16_t port, const char *headers)
{
    assert_true(test_client_connect(&own, port, 0));
    scrape_over(&own, headers);
}

void scrape(uint16_t port)
{
    scrape_with(port, "");
}

static const char *value_of(const char *sample)
{
    char line[256];
    snprintf(line, sizeof line, "\n%s ", sample);
    const char *found = strstr(page, line);
    assert_that(found != NULL, "there is no %s", sample);
    return found + strlen(line);
}

uint64_t scraped(const char *sample)
{
    return strtoull(value_of(sample), NULL, 10);
}

double scraped_number(const char *sample)
{
    return strtod(value_of(sample), NULL);
}

bool scraped_page_has(const char *text)
{
    return strstr(page, text) != NULL;
}

bool scraped_head_has(const char *text)
{
    return strstr(head, text) != NULL;
}
