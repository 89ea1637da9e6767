/* Files and folders as pages: what is served, and what never is. */
#define _DEFAULT_SOURCE

#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "jazzy.h"
#include "support/asking.h"
#include "support/eventually.h"
#include "support/serving.h"
#include "support/site.h"
#include "support/testing.h"

static const struct {
    const char *path;
    int status;
    const char *body;
} paths[] = {
    {"/files/", 200, "<p>index</p>"},
    {"/files/index.html", 200, "<p>index</p>"},
    {"/files/a.txt", 200, "0123456789"},
    {"/files/a.txt?x=/../../secret.txt", 200, "0123456789"},
    {"/files/nothing.txt", 200, ""},
    {"/files/caf%C3%A9%20au%20lait.txt", 200, "coffee"},
    {"/files/%61.txt", 200, "0123456789"},
    {"/files/back%5Cslash", 200, "odd"},
    {"/files/sub/", 200, "<p>sub</p>"},
    {"/files/sub/data.JSON", 200, "{}"},
    {"/files/sub/../a.txt", 200, "0123456789"},
    {"/files/.well-known/acme", 200, "token"},
    {"/one", 200, "0123456789"},
    {"/bare/x/a.txt", 200, "0123456789"},
    {"/bare/x/", 404, NO_ROUTE},
    {"/bare/x/sub/", 404, NOT_FOUND},
    /* What is not there, and what is no file. */
    {"/files", 404, NO_ROUTE},
    {"/files/none", 404, NOT_FOUND},
    {"/files/a.txt/", 404, NOT_FOUND},
    {"/files/a.txt/b", 404, NOT_FOUND},
    {"/files/sub", 404, NOT_FOUND},
    {"/files/empty/", 404, NOT_FOUND},
    {"/files/pipe", 404, NOT_FOUND},
    /* What must not be. */
    {"/files/../secret.txt", 404, NO_ROUTE},
    {"/files/sub/../../secret.txt", 404, NO_ROUTE},
    {"/files/%2e%2e/secret.txt", 404, NO_ROUTE},
    {"/files/..%2fsecret.txt", 404, NO_ROUTE},
    {"/files/..%2Fsecret.txt", 404, NO_ROUTE},
    {"/files/%2e%2e%2fsecret.txt", 404, NO_ROUTE},
    {"/files/%252e%252e%252fsecret.txt", 404, NOT_FOUND},
    {"/files/..%5csecret.txt", 404, NOT_FOUND},
    {"/files/..;/secret.txt", 404, NOT_FOUND},
    {"/files//secret.txt", 404, NO_ROUTE},
    {"/files//etc/passwd", 404, NO_ROUTE},
    {"/files/%2fetc%2fpasswd", 404, NO_ROUTE},
    {"/files/sub//index.html", 404, NOT_FOUND},
    {"/files/%c0%ae%c0%ae/secret.txt", 404, NOT_FOUND},
    {"/files/link.txt", 404, NOT_FOUND},
    {"/files/inner.txt", 404, NOT_FOUND},
    {"/files/up/secret.txt", 404, NOT_FOUND},
    {"/files/root/etc/passwd", 404, NOT_FOUND},
    {"/files/.hidden", 404, NOT_FOUND},
    {"/files/%2ehidden", 404, NOT_FOUND},
    {"/files/.git/config", 404, NOT_FOUND},
    {"/files/...", 404, NOT_FOUND},
    {"/files/sub/.well-known/acme", 404, NOT_FOUND},
    {"/files/.well-known/", 404, NOT_FOUND},
    {"/files/a.txt%00.html", 400, "Bad Request: the path has a NUL, as %00\n"},
};

/* On one connection, except where it ends. */
static void no_path_leads_out_of_the_folder(void **state)
{
    (void)state;
    jz_server *server = site_start();
    for (size_t i = 0; i < COUNT_OF(paths); i++) {
        char request[256];
        snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: a\r\n\r\n", paths[i].path);
        int status = asking(&client, request);
        assert_that(status == paths[i].status, "%d for %s", status, paths[i].path);
        asking_expect_body(&client, paths[i].body);
        assert_that(status != 200 || asking_has_line(&client, "X-Content-Type-Options: nosniff"), "%s", paths[i].path);
    }
    site_finish(server);
}

/* Of what the route tells of itself: names longer than any file's, and as long as a head may be. */
static void a_path_may_be_longer_than_any_file(void **state)
{
    (void)state;
    jz_server *server = site_start();
    static const size_t lengths[] = {254, 255, 256, 257, 4000, 4096, 5000, 8000};
    for (size_t i = 0; i < COUNT_OF(lengths); i++) {
        for (int has_slashes = 0; has_slashes < 2; has_slashes++) {
            char request[9000] = "GET /files/";
            for (size_t k = strlen(request), end = k + lengths[i]; k < end; k++)
                request[k] = has_slashes && k % 2 == 0 ? '/' : 'a';
            strcat(request, " HTTP/1.1\r\nHost: a\r\n\r\n");
            assert_int_equal(asking(&client, request), 404);
            asking_expect_body(&client, NOT_FOUND);
        }
    }
    site_finish(server);
}

static const struct {
    const char *path;
    const char *content_type;
} types[] = {
    {"/files/", "text/html; charset=utf-8"},
    {"/files/a.txt", "text/plain; charset=utf-8"},
    {"/files/style.css", "text/css; charset=utf-8"},
    {"/files/sub/data.JSON", "application/json"},
    {"/files/large.bin", "application/octet-stream"},
    {"/bare/x/a.txt", "text/x-bare"},
    {"/one", "text/plain; charset=utf-8"},
};

static void the_content_type_follows_from_the_name(void **state)
{
    (void)state;
    jz_server *server = site_start();
    for (size_t i = 0; i < COUNT_OF(types); i++) {
        char request[256];
        char line[128];
        snprintf(request, sizeof request, "HEAD %s HTTP/1.1\r\nHost: a\r\n\r\n", types[i].path);
        snprintf(line, sizeof line, "Content-Type: %s", types[i].content_type);
        assert_int_equal(asking(&client, request), 200);
        assert_that(asking_has_line(&client, line), "%s is no %s", types[i].path, line);
        assert_true(asking_has_line(&client, strncmp(types[i].path, "/bare", 5) == 0 ? "Cache-Control: max-age=60"
                                                                                     : "Cache-Control: no-cache"));
    }
    site_finish(server);
}

static void without_descriptors_there_is_a_503_and_a_line_in_the_log(void **state)
{
    (void)state;
    jz_server *server = site_start();
    struct rlimit before;
    assert_int_equal(asking(&client, PAGE_REQUEST("/fixed")), 200);
    asking_expect_body(&client, "fixed");
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &(struct rlimit){3, before.rlim_max}), 0);
    int status = asking(&client, PAGE_REQUEST("/files/a.txt"));
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(status, 503);
    asking_expect_body(&client, "Service Unavailable");
    assert_true(log_lines_have(&lines, "the file \"a.txt\" of the page /files/*file cannot be read: Too many open"));
    assert_int_equal(asking(&client, PAGE_REQUEST("/files/a.txt")), 200);
    site_finish(server);
}

static void a_file_that_may_not_be_read_is_refused_and_logged(void **state)
{
    (void)state;
    if (geteuid() == 0)
        skip(); /* who may read everything */
    jz_server *server = site_start();
    site_write_text("public/closed.txt", "closed");
    assert_int_equal(chmod(site_path("public/closed.txt"), 0), 0);
    assert_int_equal(asking(&client, PAGE_REQUEST("/files/closed.txt")), 403);
    asking_expect_body(&client, "Forbidden");
    assert_true(log_lines_have(&lines, "cannot be read: Permission denied"));
    unlink(site_path("public/closed.txt"));
    site_finish(server);
}

static const struct {
    const char *path;
    const char *root; /* in the test's folder, if it does not begin with a slash */
    bool is_folder;
    jz_file_options options;
    jz_status status;
    const char *message;
} wrong[] = {
    {"/x/", "none", true, {0}, JZ_STATUS_INVALID_OPTION, "No such file or directory"},
    {"/x", "none", false, {0}, JZ_STATUS_INVALID_OPTION, "No such file or directory"},
    {"/x/", "secret.txt", true, {0}, JZ_STATUS_INVALID_OPTION, "it is no folder"},
    {"/x", "public", false, {0}, JZ_STATUS_INVALID_OPTION, "it is no file"},
    {"/x", "public/pipe", false, {0}, JZ_STATUS_INVALID_OPTION, "it is no file"},
    {"/x", "public", true, {0}, JZ_STATUS_INVALID_ROUTE, "ends with a slash"},
    {"x/", "public", true, {0}, JZ_STATUS_INVALID_ROUTE, "begins with '/'"},
    {"/files/", "public", true, {0}, JZ_STATUS_INVALID_ROUTE, "there is a page already"},
    {"/fixed", "secret.txt", false, {0}, JZ_STATUS_INVALID_ROUTE, "there is a page already"},
    {"/x/", "public", true, {.index = "sub/index.html"}, JZ_STATUS_INVALID_OPTION, "the index of a folder"},
    {"/x/", "public", true, {.index = "../secret.txt"}, JZ_STATUS_INVALID_OPTION, "the index of a folder"},
    {"/x/", "public", true, {.cache_control = "a\r\nb"}, JZ_STATUS_INVALID_OPTION, "one line each"},
    {"/x/", "public", true, {.content_type = ""}, JZ_STATUS_INVALID_OPTION, "one line each"},
};

static void what_cannot_be_served_is_refused_at_once(void **state)
{
    (void)state;
    const jz_options options = site_options();
    jz_server *server = site_create(&options);
    jz_error error;
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        const char *root = site_path(wrong[i].root);
        jz_status status = wrong[i].is_folder
                               ? jz_server_route_folder(server, wrong[i].path, root, &wrong[i].options, &error)
                               : jz_server_route_file(server, wrong[i].path, root, &wrong[i].options, &error);
        assert_that(status == wrong[i].status && strstr(error.message, wrong[i].message) != NULL, "row %zu: %s", i,
                    error.message);
    }
    assert_int_equal(jz_server_route_folder(server, "/x/", NULL, NULL, NULL), JZ_STATUS_INVALID_OPTION);
    assert_int_equal(jz_server_route_file(server, NULL, site_path("secret.txt"), NULL, NULL), JZ_STATUS_INVALID_ROUTE);
    jz_server_destroy(server);
}

/* Relative paths mean the folder in which the program was when it named them. */
static void a_program_may_change_its_folder(void **state)
{
    (void)state;
    char before[512];
    assert_non_null(getcwd(before, sizeof before));
    const jz_options options = site_options();
    assert_int_equal(chdir(top), 0);
    jz_server *server = site_create(&options);
    assert_int_equal(jz_server_route_file(server, "/relative", "public/a.txt", NULL, NULL), JZ_OK);
    assert_int_equal(chdir(before), 0);
    site_run(server);
    assert_int_equal(asking(&client, PAGE_REQUEST("/relative")), 200);
    asking_expect_body(&client, "0123456789");
    site_finish(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_path_leads_out_of_the_folder),
        cmocka_unit_test(a_path_may_be_longer_than_any_file),
        cmocka_unit_test(the_content_type_follows_from_the_name),
        cmocka_unit_test(without_descriptors_there_is_a_503_and_a_line_in_the_log),
        cmocka_unit_test(a_file_that_may_not_be_read_is_refused_and_logged),
        cmocka_unit_test(what_cannot_be_served_is_refused_at_once),
        cmocka_unit_test(a_program_may_change_its_folder),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("files", tests, make_site, remove_site));
}
