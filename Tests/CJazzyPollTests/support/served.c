#include "served.h"

#include "testing.h"

jz_options served_options(void)
{
    jz_options options = jz_options_default();
    options.threads = 1;
    options.close_timeout_ms = 2000;
    return options;
}

void served_start(served *served, const jz_options *options, const jz_route_options *route)
{
    jz_error error = {0};
    assert_int_equal(pthread_mutex_init(&served->journal.lock, NULL), 0);
    const jz_options defaults = served_options();
    served->server = jz_server_create(options != NULL ? options : &defaults, &error);
    assert_that(served->server != NULL, "%s", error.message);
    assert_int_equal(jz_server_route_ws(served->server, "/", route, journal_handle, &served->journal, &error), JZ_OK);
    assert_that(jz_server_listen(served->server, "127.0.0.1", 0, &error) == JZ_OK, "%s", error.message);
    assert_that(jz_server_start(served->server, &error) == JZ_OK, "%s", error.message);
    served->port = jz_server_port(served->server);
}

void served_finish(served *served)
{
    jz_server_destroy(served->server);
    assert_int_equal(served->journal.opens, served->journal.closes);
    pthread_mutex_destroy(&served->journal.lock);
}
