#include "../../Sources/CJazzyPoll/server/routes.h"

#include <stdio.h>

#include "support/allocation.h"
#include "support/testing.h"

static void handle_nothing(void *context, jz_ws ws, const jz_event *event, const jz_message *message)
{
    (void)context;
    (void)ws;
    (void)event;
    (void)message;
}

static struct jz_route *add(jz_routes *routes, const char *path)
{
    struct jz_route *route = jz_routes_add(routes, jz_text_of(path));
    assert_non_null(route);
    route->handler = handle_nothing;
    return route;
}

static const char *const paths[] = {"/",     "/echo", "/Echo",  "/echo/",    "/echo/a",      "/ech",  "/echoe",
                                    "/chat", "//",    "/a%20b", "/\xC3\xA4", "/a/b/c/d/e/f", "/?",    "/zebra",
                                    "/0",    "/~",    "/a b",   "/echp",     "/dcho",        "/echo2"};

static void a_path_leads_to_its_own_route(void **state)
{
    (void)state;
    jz_routes routes = {0};
    struct jz_route *added[COUNT_OF(paths)];
    for (size_t i = 0; i < COUNT_OF(paths); i++)
        added[i] = add(&routes, paths[i]);
    assert_int_equal(routes.count, COUNT_OF(paths));
    for (size_t i = 0; i < COUNT_OF(paths); i++) {
        const struct jz_route *found = jz_routes_find(&routes, jz_text_of(paths[i]));
        assert_that(found == added[i], "%s leads to %s", paths[i], found != NULL ? found->path : "nothing");
        assert_string_equal(found->path, paths[i]);
        assert_int_equal(found->number, i);
    }
    jz_routes_free(&routes);
}

static void any_other_path_leads_nowhere(void **state)
{
    (void)state;
    static const char *const others[] = {"",       "e",       "/e",     "/echo//", "/ECHO",        "/echo/b", "/a b c",
                                         "/a%20B", "/a%20",   "echo",   "/chat\n", "/a/b/c/d/e/g", "*",       "/\xC3",
                                         "/zebr",  "/zebra ", "/echo1", "/echo3",  "///",          " /echo",  "/;"};
    jz_routes routes = {0};
    assert_null(jz_routes_find(&routes, jz_text_of("/")));
    for (size_t i = 0; i < COUNT_OF(paths); i++)
        add(&routes, paths[i]);
    for (size_t i = 0; i < COUNT_OF(others); i++)
        assert_that(jz_routes_find(&routes, jz_text_of(others[i])) == NULL, "'%s' leads somewhere", others[i]);
    assert_null(jz_routes_find(&routes, (jz_text){"/echo\0x", 7}));
    jz_routes_free(&routes);
}

static void a_path_is_found_without_a_byte_behind_it(void **state)
{
    (void)state;
    jz_routes routes = {0};
    const struct jz_route *route = add(&routes, "/echo");
    assert_ptr_equal(jz_routes_find(&routes, (jz_text){"/echo HTTP/1.1", 5}), route);
    jz_routes_free(&routes);
}

static void a_path_is_copied(void **state)
{
    (void)state;
    char path[] = "/echo";
    jz_routes routes = {0};
    const struct jz_route *route = add(&routes, path);
    memcpy(path, "/gone", sizeof path);
    assert_ptr_equal(jz_routes_find(&routes, jz_text_of("/echo")), route);
    assert_null(jz_routes_find(&routes, jz_text_of("/gone")));
    jz_routes_free(&routes);
}

static void adding_a_path_again_gives_the_same_route(void **state)
{
    (void)state;
    jz_routes routes = {0};
    struct jz_route *route = add(&routes, "/echo");
    add(&routes, "/before");
    add(&routes, "/x");
    assert_ptr_equal(jz_routes_add(&routes, jz_text_of("/echo")), route);
    assert_int_equal(routes.count, 3);
    jz_routes_free(&routes);
}

static void a_route_without_page_or_handler_is_not_found(void **state)
{
    (void)state;
    jz_routes routes = {0};
    struct jz_route *route = jz_routes_add(&routes, jz_text_of("/"));
    assert_non_null(route);
    assert_null(jz_routes_find(&routes, jz_text_of("/")));
    route->page = jz_page_create("text/plain", "x", 1);
    assert_ptr_equal(jz_routes_find(&routes, jz_text_of("/")), route);
    jz_routes_free(&routes);
}

static void a_thousand_routes_are_all_found(void **state)
{
    (void)state;
    enum { COUNT = 1000, STEP = 389 }; /* has no divisor in common with COUNT: each number comes once */
    jz_routes routes = {0};
    char path[16];
    for (size_t i = 0; i < COUNT; i++) {
        snprintf(path, sizeof path, "/%zu", i * STEP % COUNT);
        assert_int_equal(add(&routes, path)->number, i);
    }
    for (size_t i = 0; i < COUNT; i++) {
        snprintf(path, sizeof path, "/%zu", i * STEP % COUNT);
        const struct jz_route *route = jz_routes_find(&routes, jz_text_of(path));
        assert_that(route != NULL && route->number == i, "%s is not found", path);
    }
    assert_null(jz_routes_find(&routes, jz_text_of("/1000")));
    jz_routes_free(&routes);
}

static void a_page_is_copied(void **state)
{
    (void)state;
    char type[] = "text/html";
    char body[] = "<p>\0</p>";
    jz_page *page = jz_page_create(type, body, sizeof body);
    assert_non_null(page);
    memset(type, 'x', sizeof type - 1);
    memset(body, 'x', sizeof body);
    assert_string_equal(page->content_type, "text/html");
    assert_int_equal(page->length, 9);
    assert_memory_equal(page->body, "<p>\0</p>", 9);
    jz_routes routes = {0};
    add(&routes, "/")->page = page;
    jz_routes_free(&routes);
}

static void a_page_may_be_empty(void **state)
{
    (void)state;
    jz_page *page = jz_page_create("", NULL, 0);
    assert_non_null(page);
    assert_non_null(page->body);
    assert_int_equal(page->length, 0);
    assert_string_equal(page->content_type, "");
    jz_routes routes = {0};
    add(&routes, "/")->page = page;
    jz_routes_free(&routes);
}

static void without_memory_the_routes_are_as_they_were(void **state)
{
    (void)state;
    jz_routes routes = {0};
    const struct jz_route *route = add(&routes, "/echo");
    for (size_t allowed = 0; allowed < 3; allowed++) { /* the route, its path, the list */
        test_allocations_fail_after(allowed);
        const struct jz_route *refused = jz_routes_add(&routes, jz_text_of("/chat"));
        test_allocations_succeed();
        assert_null(refused);
        assert_int_equal(routes.count, 1);
        assert_ptr_equal(jz_routes_find(&routes, jz_text_of("/echo")), route);
        assert_null(jz_routes_find(&routes, jz_text_of("/chat")));
    }
    add(&routes, "/chat");
    jz_routes_free(&routes);
}

static void without_memory_there_is_no_page(void **state)
{
    (void)state;
    for (size_t allowed = 0; allowed < 3; allowed++) { /* the page, its type, its body */
        test_allocations_fail_after(allowed);
        const jz_page *page = jz_page_create("text/plain", "x", 1);
        test_allocations_succeed();
        assert_null(page);
    }
}

static void freed_routes_are_none(void **state)
{
    (void)state;
    jz_routes routes = {0};
    add(&routes, "/");
    jz_routes_free(&routes);
    assert_null(jz_routes_find(&routes, jz_text_of("/")));
    jz_routes_free(&routes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_path_leads_to_its_own_route),
        cmocka_unit_test(any_other_path_leads_nowhere),
        cmocka_unit_test(a_path_is_found_without_a_byte_behind_it),
        cmocka_unit_test(a_path_is_copied),
        cmocka_unit_test(adding_a_path_again_gives_the_same_route),
        cmocka_unit_test(a_route_without_page_or_handler_is_not_found),
        cmocka_unit_test(a_thousand_routes_are_all_found),
        cmocka_unit_test(a_page_is_copied),
        cmocka_unit_test(a_page_may_be_empty),
        cmocka_unit_test(without_memory_the_routes_are_as_they_were),
        cmocka_unit_test(without_memory_there_is_no_page),
        cmocka_unit_test(freed_routes_are_none),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("routes", tests, NULL, NULL));
}
