/* Requests over one connection, and their responses, for tests of pages. */
#ifndef JAZZY_TESTS_ASKING_H
#define JAZZY_TESTS_ASKING_H

#include "client.h"
#include "jazzy.h"

/* A request for a page; `headers` are whole lines. */
#define PAGE_REQUEST_WITH(method, path, headers) method " " path " HTTP/1.1\r\nHost: a\r\n" headers "\r\n"
#define PAGE_REQUEST(path) PAGE_REQUEST_WITH("GET", path, "")

/* Takes the next response head, which the client's bytes then begin with, and returns its status. */
int asking_take_head(test_client *client);

/* Sends a request and takes the head of its response. */
int asking(test_client *client, const char *request);

/* Whether the head that was taken last has this line. */
bool asking_has_line(const test_client *client, const char *line);

/* Takes this body. */
void asking_expect_body(test_client *client, const char *body);

/* The next response has this status and this body. */
void asking_expect(test_client *client, int status, const char *body);

#endif
