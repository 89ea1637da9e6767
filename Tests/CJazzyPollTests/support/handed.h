/* Servers that listen nowhere, and get connections handed: see jz_server_adopt. Their route is "/", with a journal. */
#ifndef JAZZY_TESTS_HANDED_H
#define JAZZY_TESTS_HANDED_H

#include "client.h"
#include "jazzy.h"
#include "journal.h"

/* Each of these asserts that it succeeds. */

/* The caller destroys the server. */
jz_server *handed_create(const jz_options *options, journal *journal);

/* The same, and it runs on its own threads. */
jz_server *handed_start(const jz_options *options, journal *journal);

/* Gives the server the other end of a pair. `options` as for jz_server_adopt. */
void handed_connect(jz_server *server, test_client *client, const jz_adopt_options *options);

/* The same, and opens a WebSocket. */
void handed_open(jz_server *server, test_client *client);

/* The server does not adopt the descriptor, for the reason that has these words, and leaves it open. */
void handed_expect_refused(jz_server *server, int descriptor, const jz_adopt_options *options, jz_status status,
                           const char *words);

/* The same for an end of a pair. */
void handed_expect_refusal(jz_server *server, const jz_adopt_options *options, jz_status status, const char *words);

jz_statistics handed_statistics(const jz_server *server);

#endif
