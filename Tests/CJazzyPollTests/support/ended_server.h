/* A server with one route that keeps a journal, and its clients: for tests of how servers end. */
#ifndef JAZZY_TESTS_ENDED_SERVER_H
#define JAZZY_TESTS_ENDED_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "support/client.h"
#include "support/journal.h"

enum {
    SHORT_MS = 300,
    LONG_MS = 3600000, /* much longer than any test lasts */
    SOON_MS = 10000    /* what does not wait for LONG_MS ends before, however slow the machine */
};

typedef void (*journal_act)(journal *journal, jz_ws ws, const jz_event *event, const jz_message *message);

/* Starts it, with `route` for "/" (NULL: the defaults), and opens the clients. The journal's context is the server. */
jz_server *ended_server_start(journal *seen, const jz_options *options, const jz_route_options *route, journal_act act,
                              test_client *clients, size_t count);

/* Closes the clients, destroys the server, and asserts that each open event had its close event. */
void ended_server_finish(jz_server *server, journal *seen, test_client *clients, size_t count);

/* Asserts that a message is echoed. */
void ended_server_expect_service(test_client *client);

/* The client closes, and sees the end. */
void ended_server_leave(test_client *client);

/* Whether the server accepts nobody any more. */
bool ended_server_refuses(const jz_server *server);

/* Waits for the server's end, and returns how long that took, in milliseconds. */
uint64_t ended_server_wait(jz_server *server);

#endif
