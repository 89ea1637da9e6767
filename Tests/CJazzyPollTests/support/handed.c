#define _POSIX_C_SOURCE 200809L

#include "handed.h"

#include <fcntl.h>
#include <unistd.h>

#include "testing.h"

jz_server *handed_create(const jz_options *options, journal *journal)
{
    jz_error error = {0};
    jz_server *server = jz_server_create(options, &error);
    assert_that(server != NULL, "%s", error.message);
    assert_int_equal(jz_server_route_ws(server, "/", NULL, journal_handle, journal, &error), JZ_OK);
    return server;
}

jz_server *handed_start(const jz_options *options, journal *journal)
{
    jz_error error = {0};
    jz_server *server = handed_create(options, journal);
    assert_that(jz_server_expect_adoption(server, &error) == JZ_OK, "%s", error.message);
    assert_that(jz_server_start(server, &error) == JZ_OK, "%s", error.message);
    return server;
}

void handed_connect(jz_server *server, test_client *client, const jz_adopt_options *options)
{
    jz_error error = {0};
    int descriptor = test_client_pair(client);
    assert_true(descriptor >= 0);
    assert_that(jz_server_adopt(server, descriptor, options, &error) == JZ_OK, "%s", error.message);
}

void handed_open(jz_server *server, test_client *client)
{
    handed_connect(server, client, NULL);
    assert_true(test_client_upgrade(client, UPGRADE_REQUEST("/")));
}

void handed_expect_refused(jz_server *server, int descriptor, const jz_adopt_options *options, jz_status status,
                           const char *words)
{
    jz_error error = {0};
    bool was_open = fcntl(descriptor, F_GETFD) >= 0;
    jz_status given = jz_server_adopt(server, descriptor, options, &error);
    assert_that(given == status && error.status == status, "status %d, not %d: %s", (int)given, (int)status,
                error.message);
    assert_that(strstr(error.message, words) != NULL, "'%s' does not say '%s'", error.message, words);
    assert_int_equal(jz_server_adopt(server, descriptor, options, NULL), status);
    assert_int_equal(fcntl(descriptor, F_GETFD) >= 0, was_open);
}

void handed_expect_refusal(jz_server *server, const jz_adopt_options *options, jz_status status, const char *words)
{
    static test_client client;
    int descriptor = test_client_pair(&client);
    assert_true(descriptor >= 0);
    handed_expect_refused(server, descriptor, options, status, words);
    assert_true(test_client_hears_nothing(&client));
    close(descriptor);
    test_client_close(&client);
}

jz_statistics handed_statistics(const jz_server *server)
{
    jz_statistics statistics;
    jz_server_statistics(server, &statistics);
    return statistics;
}
