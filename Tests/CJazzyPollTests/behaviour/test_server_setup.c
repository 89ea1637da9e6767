/* Setting up a server, and its errors. */
#define _POSIX_C_SOURCE 200809L

#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "jazzy.h"
#include "support/client.h"
#include "support/eventually.h"
#include "support/journal.h"
#include "support/testing.h"

static const char nowhere[] = "192.0.2.1"; /* TEST-NET-1 (RFC 5737): no interface has it */

static jz_server *create(uint32_t threads)
{
    jz_options options = jz_options_default();
    options.threads = threads;
    options.receive_buffer_size = 4096;
    jz_error error = {0};
    jz_server *server = jz_server_create(&options, &error);
    assert_that(server != NULL, "%s", error.message);
    return server;
}

/* Each is NULL or a status; either way with an error that says so in words. */
static void expect_refused(jz_status status, const jz_error *error, jz_status expected, const char *words)
{
    assert_that(status == expected && error->status == expected, "status %d, not %d: %s", (int)status, (int)expected,
                error->message);
    assert_that(strstr(error->message, words) != NULL, "'%s' does not say '%s'", error->message, words);
}

static void options_out_of_range_make_no_server(void **state)
{
    (void)state;
    jz_options options = jz_options_default();
    options.close_timeout_ms = 99;
    jz_error error = {0};
    assert_null(jz_server_create(&options, &error));
    expect_refused(error.status, &error, JZ_STATUS_INVALID_OPTION,
                   "option close_timeout_ms is 99; it has to be from 100 to 3600000");
    assert_null(jz_server_create(&options, NULL));
}

static const struct {
    const char *path;
    const char *words;
} no_paths[] = {
    {NULL, "route \"\": a path begins with '/'"},
    {"", "route \"\": a path begins with '/'"},
    {"echo", "route \"echo\": a path begins with '/'"},
    {" /", "route \" /\""},
    {"/a?b", "route \"/a?b\""},
    {"/?", "route \"/?\""},
    {"/#", "route \"/#\""},
    {"/a b", "route \"/a b\""},
    {"/a\tb", "route \"/a\tb\""},
    {"/a\r", "route \"/a\r\""},
    {"/a\n", "route \"/a\n\""},
    {"*", "route \"*\""},
    {"/a%", "route \"/a%\": a '%' has two hexadecimal digits behind it; write a percent sign as %25"},
    {"/%zz", "a '%' has two hexadecimal digits"},
    {"/:id/%4", "a '%' has two hexadecimal digits"},
    {"/a%00b", "route \"/a%00b\": no path has a NUL"},
    {"/a\x01", "control characters"},
    {"/a\x7F", "control characters"},
    {"/a/..", "the segments \".\" and \"..\" are taken out of the paths of requests"},
    {"/./a", "the segments \".\" and \"..\""},
    {"/a/%2e%2E/:id", "the segments \".\" and \"..\""},
    {"/:", "route \"/:\": the name of a parameter has letters, digits and '_', and at least one"},
    {"/:a-b", "route \"/:a-b\": the name of a parameter"},
    {"/a:b", "route \"/a:b\": a ':' begins a parameter, which is a whole segment, as in \"/room/:id\""},
    {"/:a/:a", "route \"/:a/:a\": every parameter of a path has a name of its own"},
    {"/:a/:b/:c/:d/:e/:f/:g/:h/:i/:j/:k/:l/:m/:n/:o/:p/:q", "a path has at most 16 parameters"},
    {"/*",
     "route \"/*\": the name of a catch-all has letters, digits and '_', and at least one, as in \"/files/*rest\""},
    {"/*rest/x", "route \"/*rest/x\": a '*' begins a catch-all, which is the last segment, as in \"/files/*rest\"; "
                 "write %2A for an "
                 "asterisk"},
};

static void ill_formed_paths_make_no_route(void **state)
{
    (void)state;
    jz_server *server = create(1);
    for (size_t i = 0; i < COUNT_OF(no_paths); i++) {
        jz_error error = {0};
        jz_status status = jz_server_route_ws(server, no_paths[i].path, NULL, journal_handle, NULL, &error);
        expect_refused(status, &error, JZ_STATUS_INVALID_ROUTE, no_paths[i].words);
        status = jz_server_route_get(server, no_paths[i].path, "text/plain", "x", 1, &error);
        expect_refused(status, &error, JZ_STATUS_INVALID_ROUTE, no_paths[i].words);
        assert_int_equal(jz_server_route_ws(server, no_paths[i].path, NULL, journal_handle, NULL, NULL),
                         JZ_STATUS_INVALID_ROUTE);
    }
    jz_server_destroy(server);
}

static void a_route_that_can_never_match_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *earlier;
        const char *path;
        const char *words; /* NULL: it can match */
    } rows[] = {
        {"/:a/:b", "/room/:id", "route \"/room/:id\" would never match: \"/:a/:b\", which was added before"},
        {"/:a/:b", "/:x/y", "would never match"},
        {"/:a/x/:c", "/:a/x/y/:d", NULL},
        {"/room/:id", "/:a/:b", NULL},
        {"/:a", "/:a/:b", NULL},
        {"/:a/", "/:a", NULL},
        {"/:a/:b", "/:a//:b", NULL},
        {"/:a/x", "/:a/xy", NULL},
        {"/:a", "/a", NULL}, /* it goes before */
        {"/caf\xC3\xA9", "/caf%c3%a9", "there is a WebSocket route already"},
        {"/%7Euser/:id", "/~user/:name", "\"/~user/:id\" is there already and matches the same paths"},
        {"/files/*rest", "/files/*path", "\"/files/*rest\" is there already and matches the same paths"},
        {"/files/*rest", "/files/*rest", "there is a WebSocket route already"},
        {"/*all", "/files/:name", NULL}, /* it goes before, too */
        {"/*all", "/files/*rest", NULL},
        {"/files/*rest", "/*all", NULL},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        jz_server *server = create(1);
        jz_error error = {0};
        assert_int_equal(jz_server_route_ws(server, rows[i].earlier, NULL, journal_handle, NULL, &error), JZ_OK);
        jz_status status = jz_server_route_ws(server, rows[i].path, NULL, journal_handle, NULL, &error);
        if (rows[i].words != NULL)
            expect_refused(status, &error, JZ_STATUS_INVALID_ROUTE, rows[i].words);
        else
            assert_that(status == JZ_OK, "%s behind %s: %s", rows[i].path, rows[i].earlier, error.message);
        jz_server_destroy(server);
    }
}

static void a_route_that_no_head_has_room_for_is_refused(void **state)
{
    (void)state;
    char path[300] = "/";
    memset(path + 1, 'a', sizeof path - 2);
    jz_options options = jz_options_default();
    options.max_head_size = 256;
    jz_server *server = jz_server_create(&options, NULL);
    assert_non_null(server);
    jz_error error = {0};
    path[256 - strlen("GET  HTTP/1.1\r\n\r\n") + 1] = '\0';
    expect_refused(jz_server_route_ws(server, path, NULL, journal_handle, NULL, &error), &error,
                   JZ_STATUS_INVALID_ROUTE,
                   "would never match: a request for it has at least 257 bytes, and "
                   "max_head_size is 256");
    path[strlen(path) - 1] = '\0';
    assert_int_equal(jz_server_route_ws(server, path, NULL, journal_handle, NULL, &error), JZ_OK);
    jz_server_destroy(server);
}

static void a_route_has_a_handler_and_options_in_range(void **state)
{
    (void)state;
    jz_server *server = create(1);
    jz_error error = {0};
    expect_refused(jz_server_route_ws(server, "/", NULL, NULL, NULL, &error), &error, JZ_STATUS_INVALID_ROUTE,
                   "route \"/\": the handler is NULL");
    jz_route_options options = jz_route_options_default();
    options.deflate.window_bits = 8;
    expect_refused(jz_server_route_ws(server, "/", &options, journal_handle, NULL, &error), &error,
                   JZ_STATUS_INVALID_OPTION, "option deflate.window_bits is 8; it has to be from 9 to 15");
    /* A refused route does not occupy the path. */
    assert_int_equal(jz_server_route_ws(server, "/", NULL, journal_handle, NULL, &error), JZ_OK);
    jz_server_destroy(server);
}

static void a_content_type_is_one_line(void **state)
{
    (void)state;
    static const char *const types[] = {NULL, "text/plain\r\nX: y", "text/plain\n", "\r"};
    jz_server *server = create(1);
    for (size_t i = 0; i < COUNT_OF(types); i++) {
        jz_error error = {0};
        expect_refused(jz_server_route_get(server, "/", types[i], "x", 1, &error), &error, JZ_STATUS_INVALID_ROUTE,
                       "route \"/\": the content type is not one line");
    }
    jz_server_destroy(server);
}

static void a_path_has_one_page_and_one_handler(void **state)
{
    (void)state;
    jz_server *server = create(1);
    jz_error error = {0};
    assert_int_equal(jz_server_route_ws(server, "/both", NULL, journal_handle, NULL, &error), JZ_OK);
    assert_int_equal(jz_server_route_get(server, "/both", "text/plain", NULL, 0, &error), JZ_OK);
    expect_refused(jz_server_route_ws(server, "/both", NULL, journal_handle, NULL, &error), &error,
                   JZ_STATUS_INVALID_ROUTE, "route \"/both\": there is a WebSocket route already");
    expect_refused(jz_server_route_get(server, "/both", "text/plain", "x", 1, &error), &error, JZ_STATUS_INVALID_ROUTE,
                   "route \"/both\": there is a page already");
    jz_server_destroy(server);
}

static void a_pattern_has_one_page_and_one_handler_and_its_parameters_one_name_each(void **state)
{
    (void)state;
    static const char words[] = "route \"/room/:name\": \"/room/:id\" is there already and matches the same paths";
    jz_server *server = create(1);
    jz_error error = {0};
    assert_int_equal(jz_server_route_ws(server, "/room/:id", NULL, journal_handle, NULL, &error), JZ_OK);
    expect_refused(jz_server_route_ws(server, "/room/:name", NULL, journal_handle, NULL, &error), &error,
                   JZ_STATUS_INVALID_ROUTE, words);
    expect_refused(jz_server_route_get(server, "/room/:name", "text/plain", "x", 1, &error), &error,
                   JZ_STATUS_INVALID_ROUTE, words);
    assert_int_equal(jz_server_route_get(server, "/room/:id", "text/plain", "x", 1, &error), JZ_OK);
    expect_refused(jz_server_route_ws(server, "/room/:id", NULL, journal_handle, NULL, &error), &error,
                   JZ_STATUS_INVALID_ROUTE, "route \"/room/:id\": there is a WebSocket route already");
    assert_int_equal(jz_server_route_ws(server, "/room/:name/x", NULL, journal_handle, NULL, &error), JZ_OK);
    assert_int_equal(jz_server_route_ws(server, "/room/lobby", NULL, journal_handle, NULL, &error), JZ_OK);
    jz_server_destroy(server);
}

static void a_server_gets_the_port_that_it_asks_for(void **state)
{
    (void)state;
    for (uint32_t threads = 1; threads <= 3; threads++) {
        jz_server *any = create(threads);
        assert_int_equal(jz_server_port(any), 0);
        assert_int_equal(jz_server_listen(any, "127.0.0.1", 0, NULL), JZ_OK);
        uint16_t port = jz_server_port(any);
        assert_int_not_equal(port, 0);
        jz_server_destroy(any);
        jz_server *same = create(threads);
        assert_int_equal(jz_server_listen(same, "127.0.0.1", port, NULL), JZ_OK);
        assert_int_equal(jz_server_port(same), port);
        jz_server_destroy(same);
    }
}

static void an_address_that_cannot_be_had_is_refused_in_words(void **state)
{
    (void)state;
    jz_server *first = create(1);
    assert_int_equal(jz_server_listen(first, "127.0.0.1", 0, NULL), JZ_OK);
    uint16_t taken = jz_server_port(first);
    for (uint32_t threads = 1; threads <= 2; threads++) {
        jz_server *server = create(threads);
        jz_error error = {0};
        expect_refused(jz_server_listen(server, "not an address", 0, &error), &error, JZ_STATUS_INVALID_ADDRESS,
                       "cannot listen on \"not an address\"");
        expect_refused(jz_server_listen(server, "", 0, &error), &error, JZ_STATUS_INVALID_ADDRESS,
                       "cannot listen on \"\"");
        expect_refused(jz_server_listen(server, nowhere, 0, &error), &error, JZ_STATUS_ADDRESS_UNAVAILABLE, nowhere);
        expect_refused(jz_server_listen(server, "127.0.0.1", taken, &error), &error, JZ_STATUS_ADDRESS_IN_USE,
                       "the port is in use");
        assert_int_equal(jz_server_port(server), 0);
        /* None of this keeps it from listening somewhere else. */
        assert_int_equal(jz_server_listen(server, "127.0.0.1", 0, &error), JZ_OK);
        jz_server_destroy(server);
    }
    jz_server_destroy(first);
}

static void servers_with_several_threads_do_not_share_a_port_either(void **state)
{
    (void)state;
    jz_server *first = create(2);
    assert_int_equal(jz_server_listen(first, "127.0.0.1", 0, NULL), JZ_OK);
    jz_server *second = create(2);
    assert_int_equal(jz_server_listen(second, "127.0.0.1", jz_server_port(first), NULL), JZ_STATUS_ADDRESS_IN_USE);
    jz_server_destroy(second);
    jz_server_destroy(first);
}

static void what_does_not_fit_the_state_is_refused(void **state)
{
    (void)state;
    jz_error error = {0};
    jz_server *server = create(1);
    expect_refused(jz_server_start(server, &error), &error, JZ_STATUS_INVALID_STATE, "after it was made to listen");
    expect_refused(jz_server_run(server, &error), &error, JZ_STATUS_INVALID_STATE, "after it was made to listen");
    expect_refused(jz_server_run_until_signal(server, &error), &error, JZ_STATUS_INVALID_STATE, "made to listen");
    jz_server_wait(server); /* returns at once */

    assert_int_equal(jz_server_listen(server, "127.0.0.1", 0, &error), JZ_OK);
    assert_int_equal(jz_server_route_ws(server, "/late", NULL, journal_handle, NULL, &error), JZ_OK);
    jz_server_wait(server);

    assert_int_equal(jz_server_start(server, &error), JZ_OK);
    for (int i = 0; i < 2; i++) { /* while it runs, and after it has stopped */
        expect_refused(jz_server_start(server, &error), &error, JZ_STATUS_INVALID_STATE, "runs once");
        expect_refused(jz_server_run(server, &error), &error, JZ_STATUS_INVALID_STATE, "runs once");
        expect_refused(jz_server_listen(server, NULL, 0, &error), &error, JZ_STATUS_INVALID_STATE,
                       "before the server runs");
        expect_refused(jz_server_route_ws(server, "/x", NULL, journal_handle, NULL, &error), &error,
                       JZ_STATUS_INVALID_STATE, "before the server runs");
        expect_refused(jz_server_route_get(server, "/x", "text/plain", "x", 1, &error), &error, JZ_STATUS_INVALID_STATE,
                       "before the server runs");
        assert_int_equal(jz_server_start(server, NULL), JZ_STATUS_INVALID_STATE);
        jz_server_stop(server);
        jz_server_wait(server);
    }
    jz_server_destroy(server);
}

static void a_server_that_was_stopped_before_it_ran_runs_and_ends(void **state)
{
    (void)state;
    jz_server *server = create(2);
    assert_int_equal(jz_server_listen(server, "127.0.0.1", 0, NULL), JZ_OK);
    jz_server_stop(server);
    assert_int_equal(jz_server_run(server, NULL), JZ_OK);
    jz_server_destroy(server);
}

static void a_server_can_be_destroyed_in_every_state(void **state)
{
    (void)state;
    jz_server_destroy(NULL);
    jz_server_destroy(create(3));
    jz_server *listening = create(3);
    assert_int_equal(jz_server_listen(listening, "127.0.0.1", 0, NULL), JZ_OK);
    static test_client client; /* the kernel has it accepted; the server never will */
    assert_true(test_client_connect(&client, jz_server_port(listening), 0));
    jz_server_destroy(listening);
    test_client_close(&client);
    jz_server *running = create(3);
    assert_int_equal(jz_server_listen(running, "127.0.0.1", 0, NULL), JZ_OK);
    assert_int_equal(jz_server_start(running, NULL), JZ_OK);
    jz_server_destroy(running);
}

static void set_descriptor_limit(rlim_t limit)
{
    struct rlimit limits;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limits), 0);
    limits.rlim_cur = limit < limits.rlim_max ? limit : limits.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limits), 0);
}

static rlim_t lowest_free_descriptor(void)
{
    int descriptor = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);
    assert_int_not_equal(descriptor, -1);
    close(descriptor);
    return (rlim_t)descriptor;
}

static void without_descriptors_a_server_says_so(void **state)
{
    (void)state;
    struct rlimit before;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    jz_server *server = create(1);
    jz_error creating = {0};
    jz_error listening = {0};
    set_descriptor_limit(lowest_free_descriptor());
    const jz_server *refused = jz_server_create(NULL, &creating);
    jz_status status = jz_server_listen(server, "127.0.0.1", 0, &listening);
    set_descriptor_limit(before.rlim_cur);
    assert_null(refused);
    expect_refused(creating.status, &creating, JZ_STATUS_NO_DESCRIPTORS, "no file descriptors left");
    expect_refused(status, &listening, JZ_STATUS_NO_DESCRIPTORS, "no file descriptors left");
    assert_int_equal(jz_server_listen(server, "127.0.0.1", 0, NULL), JZ_OK);
    jz_server_destroy(server);
}

static void there_are_at_most_255_servers(void **state)
{
    (void)state;
    struct rlimit before;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    set_descriptor_limit(2 * JZ_MAX_SERVERS + 100);
    static jz_server *servers[JZ_MAX_SERVERS];
    for (size_t i = 0; i < JZ_MAX_SERVERS; i++)
        servers[i] = create(1);
    jz_error error = {0};
    assert_null(jz_server_create(NULL, &error));
    expect_refused(error.status, &error, JZ_STATUS_TOO_MANY_SERVERS, "there are 255 already");
    jz_server_destroy(servers[100]);
    servers[100] = create(1);
    for (size_t i = 0; i < JZ_MAX_SERVERS; i++)
        jz_server_destroy(servers[i]);
    set_descriptor_limit(before.rlim_cur);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_out_of_range_make_no_server),
        cmocka_unit_test(ill_formed_paths_make_no_route),
        cmocka_unit_test(a_route_that_can_never_match_is_refused),
        cmocka_unit_test(a_route_that_no_head_has_room_for_is_refused),
        cmocka_unit_test(a_route_has_a_handler_and_options_in_range),
        cmocka_unit_test(a_content_type_is_one_line),
        cmocka_unit_test(a_path_has_one_page_and_one_handler),
        cmocka_unit_test(a_pattern_has_one_page_and_one_handler_and_its_parameters_one_name_each),
        cmocka_unit_test(a_server_gets_the_port_that_it_asks_for),
        cmocka_unit_test(an_address_that_cannot_be_had_is_refused_in_words),
        cmocka_unit_test(servers_with_several_threads_do_not_share_a_port_either),
        cmocka_unit_test(what_does_not_fit_the_state_is_refused),
        cmocka_unit_test(a_server_that_was_stopped_before_it_ran_runs_and_ends),
        cmocka_unit_test(a_server_can_be_destroyed_in_every_state),
        cmocka_unit_test(without_descriptors_a_server_says_so),
        cmocka_unit_test(there_are_at_most_255_servers),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("server setup", tests, NULL, NULL));
}
