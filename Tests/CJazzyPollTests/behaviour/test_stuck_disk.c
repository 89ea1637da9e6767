/* A disk that hangs: who asked for a file is told in time, and nobody else waits. */
#define _DEFAULT_SOURCE

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "jazzy.h"
#include "support/asking.h"
#include "support/eventually.h"
#include "support/log_lines.h"
#include "support/read_calls.h"
#include "support/serving.h"
#include "support/testing.h"

static test_client client;
static test_client other;
static log_lines lines;
static char path[64];

static int make_file(void **state)
{
    (void)state;
    strcpy(path, "/tmp/jazzy-file-XXXXXX");
    int descriptor = mkstemp(path);
    bool is_written = descriptor >= 0 && write(descriptor, "content", 7) == 7;
    close(descriptor);
    return is_written ? 0 : -1;
}

static int remove_file(void **state)
{
    (void)state;
    return unlink(path);
}

/* With a connection of its own, which ends if there is no answer in time. */
static bool is_answered(const jz_server *server)
{
    test_client_close(&other);
    return test_client_connect(&other, jz_server_port(server), 0) && asking(&other, PAGE_REQUEST("/file")) == 200;
}

static void a_file_that_is_not_read_in_time_is_refused_and_nobody_else_waits(void **state)
{
    (void)state;
    jz_options options = serving_options(1);
    options.upgrade_timeout_ms = 1000;
    log_lines_begin(&lines, &options);
    jz_server *server = jz_server_create(&options, NULL);
    assert_int_equal(jz_server_route_file(server, "/file", path, NULL, NULL), JZ_OK);
    assert_int_equal(jz_server_route_get(server, "/fixed", "text/plain", "fixed", 5, NULL), JZ_OK);
    assert_int_equal(jz_server_listen(server, "127.0.0.1", 0, NULL), JZ_OK);
    assert_int_equal(jz_server_start(server, NULL), JZ_OK);
    assert_true(test_client_connect(&client, jz_server_port(server), 0));
    assert_true(test_client_connect(&other, jz_server_port(server), 0));
    test_reads_wait();
    assert_true(test_client_send(&client, PAGE_REQUEST("/file"), strlen(PAGE_REQUEST("/file"))));
    assert_int_equal(asking(&other, PAGE_REQUEST("/fixed")), 200);
    asking_expect_body(&other, "fixed");
    assert_int_equal(asking_take_head(&client), 503);
    asking_expect_body(&client, "Service Unavailable: the page was not made in time (upgrade_timeout_ms)\n");
    assert_true(test_client_sees_end(&client));
    assert_true(log_lines_have(&lines, "the page /file was not answered within 1000 ms (upgrade_timeout_ms)"));
    test_reads_go_on();
    assert_eventually(is_answered(server)); /* a busy machine may not read it in time, either */
    asking_expect_body(&other, "content");
    test_client_close(&client);
    test_client_close(&other);
    jz_server_destroy(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_that_is_not_read_in_time_is_refused_and_nobody_else_waits),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("a stuck disk", tests, make_file, remove_file));
}
