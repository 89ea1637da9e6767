#include "config/routes.h"

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
    struct jz_route *route = jz_routes_add(routes, path);
    assert_non_null(route);
    route->handler = handle_nothing;
    return route;
}

static const struct jz_route *find_text(const jz_routes *routes, jz_text path)
{
    jz_route_parameters parameters;
    return jz_routes_find(routes, path, &parameters);
}

static const struct jz_route *find(const jz_routes *routes, const char *path)
{
    return find_text(routes, jz_text_of(path));
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
        const struct jz_route *found = find(&routes, paths[i]);
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
    assert_null(find(&routes, "/"));
    for (size_t i = 0; i < COUNT_OF(paths); i++)
        add(&routes, paths[i]);
    for (size_t i = 0; i < COUNT_OF(others); i++)
        assert_that(find(&routes, others[i]) == NULL, "'%s' leads somewhere", others[i]);
    assert_null(find_text(&routes, (jz_text){"/echo\0x", 7}));
    jz_routes_free(&routes);
}

static void a_path_is_found_without_a_byte_behind_it(void **state)
{
    (void)state;
    jz_routes routes = {0};
    const struct jz_route *route = add(&routes, "/echo");
    assert_ptr_equal(find_text(&routes, (jz_text){"/echo HTTP/1.1", 5}), route);
    jz_routes_free(&routes);
}

static void a_path_is_copied(void **state)
{
    (void)state;
    char path[] = "/echo";
    jz_routes routes = {0};
    const struct jz_route *route = add(&routes, path);
    memcpy(path, "/gone", sizeof path);
    assert_ptr_equal(find(&routes, "/echo"), route);
    assert_null(find(&routes, "/gone"));
    jz_routes_free(&routes);
}

static void adding_a_path_again_gives_the_same_route(void **state)
{
    (void)state;
    jz_routes routes = {0};
    struct jz_route *route = add(&routes, "/echo");
    add(&routes, "/before");
    add(&routes, "/x");
    assert_ptr_equal(jz_routes_add(&routes, "/echo"), route);
    assert_int_equal(routes.count, 3);
    jz_routes_free(&routes);
}

static void a_route_without_page_or_handler_is_not_found(void **state)
{
    (void)state;
    jz_routes routes = {0};
    struct jz_route *route = jz_routes_add(&routes, "/");
    assert_non_null(route);
    assert_null(find(&routes, "/"));
    route->page = jz_page_create("text/plain", "x", 1);
    assert_ptr_equal(find(&routes, "/"), route);
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
        const struct jz_route *route = find(&routes, path);
        assert_that(route != NULL && route->number == i, "%s is not found", path);
    }
    assert_null(find(&routes, "/1000"));
    jz_routes_free(&routes);
}

/* The parameters of a request's path, each as "name=value;". */
static void describe(char text[200], const jz_route_parameters *parameters)
{
    text[0] = '\0';
    for (size_t i = 0; i < parameters->count; i++) {
        jz_text name = parameters->all[i].name;
        jz_text value = parameters->all[i].value;
        size_t length = strlen(text);
        snprintf(text + length, 200 - length, "%.*s=%.*s;", (int)name.length, name.start, (int)value.length,
                 value.start);
    }
}

static const struct {
    const char *path;
    const char *route; /* NULL: none */
    const char *parameters;
} patterned[] = {
    {"/room/1", "/room/:id", "id=1;"},
    {"/room/lobby", "/room/lobby", ""}, /* the very path, though it was added later */
    {"/room/lobby/", NULL, ""},
    {"/room/lobby2", "/room/:id", "id=lobby2;"},
    {"/room/:id", "/room/:id", "id=:id;"},
    {"/room/", NULL, ""},
    {"/room", "/:any", "any=room;"},
    {"/room/1/user/2", "/room/:room/user/:user", "room=1;user=2;"},
    {"/room/new/user/2", "/room/:room/user/:user", "room=new;user=2;"}, /* the first of two that match */
    {"/room/new/hall/2", "/room/new/:kind/:user", "kind=hall;user=2;"},
    {"/room/1/user/", NULL, ""},
    {"/x", "/:any", "any=x;"},
    {"/", NULL, ""},
};

static void a_path_without_parameters_goes_before_patterns_and_those_in_their_order(void **state)
{
    (void)state;
    static const char *const added[] = {
        "/room/:id", "/z", "/room/:room/user/:user", "/room/new/:kind/:user", "/room/lobby", "/:any", "/a"};
    jz_routes routes = {0};
    for (size_t i = 0; i < COUNT_OF(added); i++)
        assert_int_equal(add(&routes, added[i])->number, i);
    assert_int_equal(routes.count, COUNT_OF(added));
    for (size_t i = 0; i < COUNT_OF(patterned); i++) {
        char text[200] = "";
        jz_route_parameters parameters;
        memset(&parameters, 0xEE, sizeof parameters);
        const struct jz_route *route = jz_routes_find(&routes, jz_text_of(patterned[i].path), &parameters);
        if (route != NULL)
            describe(text, &parameters);
        const char *found = route != NULL ? route->path : "nothing";
        const char *expected = patterned[i].route != NULL ? patterned[i].route : "nothing";
        assert_that(strcmp(found, expected) == 0 && strcmp(text, patterned[i].parameters) == 0,
                    "%s leads to %s with '%s'", patterned[i].path, found, text);
    }
    jz_routes_free(&routes);
}

static const struct {
    const char *path;
    const char *route; /* NULL: none */
    const char *parameters;
} caught[] = {
    {"/files/a", "/files/:name", "name=a;"},
    {"/files/readme", "/files/readme", ""},
    {"/files/readme/x", "/files/*rest", "rest=readme/x;"},
    {"/files/a/b", "/files/*rest", "rest=a/b;"},
    {"/files/images/b", "/files/images/*image", "image=b;"},
    {"/files/images/b/c", "/files/images/*image", "image=b/c;"},
    {"/files/images", "/files/:name", "name=images;"},
    {"/files/images/", "/files/*rest", "rest=images/;"},
    {"/files/", "/*all", "all=files/;"},
    {"/u/x/y/z", "/:user/:kind/*rest", "user=u;kind=x;rest=y/z;"},
    {"/u/x", "/:user/*rest", "user=u;rest=x;"},
    {"/u/x/", "/:user/*rest", "user=u;rest=x/;"},
    {"/u", "/*all", "all=u;"},
    {"/", NULL, ""},
};

/* The order in which they are added makes no difference. */
static void catch_alls_go_behind_all_others_and_longer_prefixes_before_shorter_ones(void **state)
{
    (void)state;
    static const char *const added[] = {"/*all",        "/:user/*rest",       "/files/:name",
                                        "/files/*rest", "/:user/:kind/*rest", "/files/images/*image",
                                        "/files/readme"};
    for (size_t first = 0; first < COUNT_OF(added); first++) {
        jz_routes routes = {0};
        for (size_t i = 0; i < COUNT_OF(added); i++)
            add(&routes, added[(first + i) % COUNT_OF(added)]);
        for (size_t i = 0; i < COUNT_OF(caught); i++) {
            char text[200] = "";
            jz_route_parameters parameters;
            const struct jz_route *route = jz_routes_find(&routes, jz_text_of(caught[i].path), &parameters);
            if (route != NULL)
                describe(text, &parameters);
            const char *found = route != NULL ? route->path : "nothing";
            const char *expected = caught[i].route != NULL ? caught[i].route : "nothing";
            assert_that(strcmp(found, expected) == 0 && strcmp(text, caught[i].parameters) == 0,
                        "%s leads to %s with '%s'", caught[i].path, found, text);
        }
        jz_routes_free(&routes);
    }
}

static void a_catch_all_is_one_route_whatever_it_is_called_and_hidden_by_none(void **state)
{
    (void)state;
    jz_routes routes = {0};
    struct jz_route *route = add(&routes, "/files/*rest");
    add(&routes, "/*rest");
    assert_ptr_equal(jz_routes_add(&routes, "/files/*path"), route);
    assert_int_equal(routes.count, 2);
    assert_null(jz_routes_find_covering(&routes, "/files/:name"));
    add(&routes, "/:a/:b");
    assert_null(jz_routes_find_covering(&routes, "/files/images/*rest"));
    assert_non_null(jz_routes_find_covering(&routes, "/files/:name"));
    jz_routes_free(&routes);
}

static void a_pattern_is_one_route_whatever_its_parameters_are_called(void **state)
{
    (void)state;
    jz_routes routes = {0};
    struct jz_route *route = add(&routes, "/room/:id");
    add(&routes, "/room");
    assert_ptr_equal(jz_routes_add(&routes, "/room/:id"), route);
    assert_ptr_equal(jz_routes_add(&routes, "/room/:name"), route);
    assert_string_equal(route->path, "/room/:id");
    assert_ptr_not_equal(jz_routes_add(&routes, "/room/:id/:name"), route);
    assert_ptr_not_equal(jz_routes_add(&routes, "/room/id"), route);
    assert_int_equal(routes.count, 4);
    jz_routes_free(&routes);
}

static void a_route_that_leads_nowhere_hides_no_pattern(void **state)
{
    (void)state;
    jz_routes routes = {0};
    assert_non_null(jz_routes_add(&routes, "/room/lobby"));
    assert_non_null(jz_routes_add(&routes, "/:a/:b"));
    assert_null(find(&routes, "/room/lobby"));
    const struct jz_route *route = add(&routes, "/room/:id");
    assert_ptr_equal(find(&routes, "/room/lobby"), route);
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
        const struct jz_route *refused = jz_routes_add(&routes, "/chat");
        test_allocations_succeed();
        assert_null(refused);
        assert_int_equal(routes.count, 1);
        assert_ptr_equal(find(&routes, "/echo"), route);
        assert_null(find(&routes, "/chat"));
    }
    add(&routes, "/chat");
    for (size_t allowed = 0; allowed < 3; allowed++) {
        test_allocations_fail_after(allowed);
        const struct jz_route *refused = jz_routes_add(&routes, "/room/:id");
        test_allocations_succeed();
        assert_null(refused);
        assert_int_equal(routes.count, 2);
        assert_null(find(&routes, "/room/1"));
    }
    add(&routes, "/room/:id");
    assert_non_null(find(&routes, "/room/1"));
    for (size_t allowed = 0; allowed < 3; allowed++) {
        test_allocations_fail_after(allowed);
        const struct jz_route *refused = jz_routes_add(&routes, "/files/*rest");
        test_allocations_succeed();
        assert_null(refused);
        assert_null(find(&routes, "/files/1/2"));
        assert_non_null(find(&routes, "/room/1"));
    }
    add(&routes, "/files/*rest");
    assert_non_null(find(&routes, "/files/1/2"));
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
    assert_null(find(&routes, "/"));
    jz_routes_free(&routes);
}

static void each_route_has_a_number_for_each_subprotocol_and_one_for_none(void **state)
{
    (void)state;
    static const char *const subprotocols[] = {"a", "b", "c"};
    static const struct {
        const char *path;
        size_t subprotocols;
    } added[] = {{"/z", 2}, {"/page", 0}, {"/a", 0}, {"/:any", 3}, {"/m", 1}};
    jz_routes routes = {0};
    for (size_t i = 0; i < COUNT_OF(added); i++) {
        struct jz_route *route = add(&routes, added[i].path);
        if (strcmp(added[i].path, "/page") == 0)
            continue;
        route->options.subprotocols = subprotocols;
        route->options.subprotocol_count = added[i].subprotocols;
        route->first_number = jz_routes_count_numbers(&routes) + 1;
    }
    assert_int_equal(jz_routes_count_numbers(&routes), 4 + 2 + 3 + 1);
    size_t number = 1;
    for (size_t i = 0; i < COUNT_OF(added); i++) {
        const struct jz_route *route = find(&routes, added[i].path);
        if (route->first_number == 0)
            continue;
        assert_int_equal(jz_route_number_of(route, jz_text_of("other")), number);
        for (size_t j = 0; j <= added[i].subprotocols; j++, number++) {
            assert_true(jz_routes_find_number(&routes, number) == route);
            const char *subprotocol = jz_route_subprotocol_of(route, number);
            assert_string_equal(subprotocol, j > 0 ? subprotocols[j - 1] : "");
            assert_int_equal(jz_route_number_of(route, jz_text_of(subprotocol)), number);
        }
    }
    assert_null(jz_routes_find_number(&routes, number));
    assert_null(jz_routes_find_number(&routes, 0));
    for (size_t i = 0; i < routes.count; i++) {
        routes.routes[i]->options.subprotocols = NULL; /* of the test */
        routes.routes[i]->options.subprotocol_count = 0;
    }
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
        cmocka_unit_test(a_path_without_parameters_goes_before_patterns_and_those_in_their_order),
        cmocka_unit_test(catch_alls_go_behind_all_others_and_longer_prefixes_before_shorter_ones),
        cmocka_unit_test(a_catch_all_is_one_route_whatever_it_is_called_and_hidden_by_none),
        cmocka_unit_test(a_pattern_is_one_route_whatever_its_parameters_are_called),
        cmocka_unit_test(a_route_that_leads_nowhere_hides_no_pattern),
        cmocka_unit_test(a_page_is_copied),
        cmocka_unit_test(a_page_may_be_empty),
        cmocka_unit_test(without_memory_the_routes_are_as_they_were),
        cmocka_unit_test(without_memory_there_is_no_page),
        cmocka_unit_test(freed_routes_are_none),
        cmocka_unit_test(each_route_has_a_number_for_each_subprotocol_and_one_for_none),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("routes", tests, NULL, NULL));
}
