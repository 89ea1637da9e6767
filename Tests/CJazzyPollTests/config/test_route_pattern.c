#include "config/route_pattern.h"

#include <stdio.h>

#include "support/testing.h"

enum { TEXT_SIZE = 512 };

static const char *const patterns[] = {
    "/",
    "/room",
    "/room/",
    "//",
    "/:id",
    "/:id/",
    "/:id//:b",
    "/room/:id",
    "/room/:id/user/:user",
    "/:A/:a/:_/:0/:a0_Z",
    "/:a/:aa/:b",
    "/:a/:b/:c/:d/:e/:f/:g/:h/:i/:j/:k/:l/:m/:n/:o/:p",
    "/*rest",
    "/files/*rest",
    "/:a/x/*Rest_0",
    "/:a/:b/:c/:d/:e/:f/:g/:h/:i/:j/:k/:l/:m/:n/:o/*p",
    "/a*b",
    "/a*",
    "/a**/b",
};

static void parameters_are_whole_segments_with_names_of_their_own(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(patterns); i++) {
        const char *why = "untouched";
        assert_that(jz_route_pattern_is_valid(patterns[i], &why), "%s: %s", patterns[i], why);
        assert_string_equal(why, "untouched");
        bool has_catch_all = strstr(patterns[i], "/*") != NULL;
        assert_int_equal(jz_route_pattern_has_catch_all(patterns[i]), has_catch_all);
        assert_int_equal(jz_route_pattern_has_parameters(patterns[i]),
                         has_catch_all || strchr(patterns[i], ':') != NULL);
    }
}

static const struct {
    const char *pattern;
    const char *words;
} no_patterns[] = {
    {"/:", "letters, digits and '_', and at least one"},
    {"/:/", "letters, digits and '_', and at least one"},
    {"/room/:/x", "letters, digits and '_', and at least one"},
    {"/:a-b", "letters, digits and '_'"},
    {"/:a.json", "letters, digits and '_'"},
    {"/:a*", "letters, digits and '_'"},
    {"/::a", "letters, digits and '_'"},
    {"/:a:b", "letters, digits and '_'"},
    {"/:\xC3\xA4", "letters, digits and '_'"},
    {"/:@", "letters, digits and '_'"},
    {"/:[", "letters, digits and '_'"},
    {"/:`", "letters, digits and '_'"},
    {"/:{id}", "letters, digits and '_'"},
    {"/a:b", "a whole segment"},
    {"/a:", "a whole segment"},
    {"/a/b:c/d", "a whole segment"},
    {":a", "a whole segment"},
    {"/:a/:a", "a name of its own"},
    {"/:a/x/:b/:a", "a name of its own"},
    {"/:a/:b/:c/:d/:e/:f/:g/:h/:i/:j/:k/:l/:m/:n/:o/:p/:q", "at most 16 parameters"},
    {"/:a/:b/:c/:d/:e/:f/:g/:h/:i/:j/:k/:l/:m/:n/:o/:p/*q", "at most 16 parameters"},
    {"/*", "the name of a catch-all has letters, digits and '_', and at least one, as in \"/files/*rest\"; write %2A"},
    {"/files/*", "the name of a catch-all"},
    {"/files/**", "the name of a catch-all"},
    {"/files/*.json", "the name of a catch-all"},
    {"/files/*a:b", "the name of a catch-all"},
    {"/*rest/", "a catch-all, which is the last segment, as in \"/files/*rest\"; write %2A"},
    {"/*/a", "a catch-all, which is the last segment"},
    {"/*a/*b", "a catch-all, which is the last segment"},
    {"/*a/:b", "a catch-all, which is the last segment"},
    {"/:a/*a", "a name of its own"},
};

static void anything_else_after_a_colon_or_an_asterisk_is_refused_in_words(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(no_patterns); i++) {
        const char *why = "";
        assert_that(!jz_route_pattern_is_valid(no_patterns[i].pattern, &why), "%s is accepted", no_patterns[i].pattern);
        assert_that(strstr(why, no_patterns[i].words) != NULL, "%s: '%s' does not say '%s'", no_patterns[i].pattern,
                    why, no_patterns[i].words);
    }
}

static const struct {
    const char *pattern;
    const char *path;
    const char *parameters; /* each as "name=value;"; NULL: it does not match */
} rows[] = {
    {"/room/:id", "/room/1", "id=1;"},
    {"/room/:id", "/room/a-b.c~d!$&'()*+,;=:@", "id=a-b.c~d!$&'()*+,;=:@;"},
    {"/room/:id", "/room/%2F%20", "id=%2F%20;"}, /* as sent: no slash that divides segments */
    {"/room/:id", "/room/:id", "id=:id;"},
    {"/room/:id", "/room/", NULL},
    {"/room/:id", "/room//", NULL},
    {"/room/:id", "/room", NULL},
    {"/room/:id", "/room/1/", NULL},
    {"/room/:id", "/room/1/2", NULL},
    {"/room/:id", "/Room/1", NULL},
    {"/room/:id", "/rooms/1", NULL},
    {"/room/:id", "/xroom/1", NULL},
    {"/room/:id", "", NULL},
    {"/room/:id", "*", NULL},
    {"/room/:id/", "/room/1/", "id=1;"},
    {"/room/:id/", "/room/1", NULL},
    {"/:a", "/x", "a=x;"},
    {"/:a", "/", NULL},
    {"/:a/:b", "/x/y", "a=x;b=y;"},
    {"/:a/:b", "//y", NULL},
    {"/:a/:b", "/x/", NULL},
    {"/:a/:b", "/x", NULL},
    {"/:a//:b", "/x//y", "a=x;b=y;"},
    {"/room/:id/user/:user", "/room/1/user/2", "id=1;user=2;"},
    {"/room/:id/user/:user", "/room/1/users/2", NULL},
    {"/room/:id/user/:user", "/room/1/user", NULL},
    {"/:a/x", "/x/x", "a=x;"},
    {"/:a/x", "/x/xx", NULL},
    {"/:a/xx", "/x/x", NULL},
    {"/room", "/room", ""},
    {"/room", "/room/", NULL},
    {"/room", "/roo", NULL},
    {"/:a/:b/:c/:d/:e/:f/:g/:h/:i/:j/:k/:l/:m/:n/:o/:p", "/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16",
     "a=1;b=2;c=3;d=4;e=5;f=6;g=7;h=8;i=9;j=10;k=11;l=12;m=13;n=14;o=15;p=16;"},
    {"/files/*rest", "/files/a", "rest=a;"},
    {"/files/*rest", "/files/a/b/c.txt", "rest=a/b/c.txt;"},
    {"/files/*rest", "/files/a/", "rest=a/;"},
    {"/files/*rest", "/files/a//b", "rest=a//b;"},
    {"/files/*rest", "/files/*", "rest=*;"},
    {"/files/*rest", "/files/a%20b/%3F", "rest=a%20b/%3F;"},
    {"/files/*rest", "/files/%252F", "rest=%252F;"},
    {"/files/*rest", "/files/%2", "rest=%2;"},
    {"/files/*rest", "/files/", NULL}, /* one segment at least, */
    {"/files/*rest", "/files", NULL},
    {"/files/*rest", "/files//etc/passwd", NULL}, /* of which the first is not empty: else it were an absolute path, */
    {"/files/*rest", "/files/%2Fetc/passwd", NULL},
    {"/files/*rest", "/files/a%2F..%2Fb", NULL}, /* and none is made of several */
    {"/files/*rest", "/files/a/b%2Fc", NULL},
    {"/files/*rest", "/filesa", NULL},
    {"/*rest", "/a/b", "rest=a/b;"},
    {"/*rest", "/", NULL},
    {"/*rest", "*", NULL},
    {"/:user/*rest", "/u/a/b", "user=u;rest=a/b;"},
    {"/:user/*rest", "/u%2Fv/a", "user=u%2Fv;rest=a;"},
    {"/:user/*rest", "/u/", NULL},
    {"/:user/*rest", "//a", NULL},
    {"/a*b", "/a*b", ""},
    {"/a*b", "/axb", NULL},
};

static void describe(char text[TEXT_SIZE], const jz_route_parameters *parameters)
{
    text[0] = '\0';
    for (size_t i = 0; i < parameters->count; i++) {
        jz_text name = parameters->all[i].name;
        jz_text value = parameters->all[i].value;
        size_t length = strlen(text);
        snprintf(text + length, TEXT_SIZE - length, "%.*s=%.*s;", (int)name.length, name.start, (int)value.length,
                 value.start);
    }
}

static void a_parameter_matches_one_segment_that_is_not_empty(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char text[TEXT_SIZE] = "nothing";
        const char *expected = rows[i].parameters != NULL ? rows[i].parameters : "nothing";
        size_t length = strlen(rows[i].path);
        char *path = malloc(length > 0 ? length : 1); /* no byte behind it */
        assert_non_null(path);
        memcpy(path, rows[i].path, length);
        jz_route_parameters parameters;
        if (jz_route_pattern_match(rows[i].pattern, (jz_text){path, length}, &parameters))
            describe(text, &parameters);
        assert_that(strcmp(text, expected) == 0, "%s and %s: '%s'", rows[i].pattern, rows[i].path, text);
        free(path);
    }
}

static const struct {
    const char *a;
    const char *b;
    bool are_same;
} pairs[] = {
    {"/room/:id", "/room/:id", true},
    {"/room/:id", "/room/:name", true},
    {"/:a/:b", "/:b/:a", true},
    {"/:a/x/:b", "/:long/x/:names", true},
    {"/:a/", "/:b/", true},
    {"/room", "/room", true},
    {"/room/:id", "/room/id", false},
    {"/room/:id", "/room/:id/", false},
    {"/room/:id", "/rooms/:id", false},
    {"/room/:id", "/room/", false},
    {"/room/:id", "/room", false},
    {"/:a/:b", "/:a/b", false},
    {"/:a/:b", "/a/:b", false},
    {"/:a/x", "/:a/y", false},
    {"/:a", "/:a/:b", false},
    {"/room", "/rooms", false},
    {"/", "", false},
    {"/files/*rest", "/files/*rest", true},
    {"/files/*rest", "/files/*path", true},
    {"/:a/*b", "/:b/*a", true},
    {"/files/*rest", "/files/:rest", false},
    {"/files/*rest", "/files/rest", false},
    {"/files/*rest", "/file/*rest", false},
    {"/files/*rest", "/*rest", false},
    {"/a*b", "/a*c", false},
};

static void patterns_are_the_same_but_for_the_names_of_parameters(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(pairs); i++) {
        assert_that(jz_route_pattern_is_same(pairs[i].a, pairs[i].b) == pairs[i].are_same, "%s and %s", pairs[i].a,
                    pairs[i].b);
        assert_that(jz_route_pattern_is_same(pairs[i].b, pairs[i].a) == pairs[i].are_same, "%s and %s", pairs[i].b,
                    pairs[i].a);
    }
}

static const struct {
    const char *earlier;
    const char *later;
    bool are_equal;
} orders[] = {
    {"/files/*rest", "/*rest", false}, {"/a/b/*r", "/a/*r", false},     {"/a/*r", "/:a/:b/*r", false},
    {"/a/*r", "/:a/*r", false},        {"/a/:b/*r", "/:a/b/*r", false}, {"/a/b/*r", "/a/:b/*r", false},
    {"/a/:b/*r", "/a/*r", false},      {"/a//*r", "/a/*r", false},      {"/a*b/*r", "/:a/*r", false},
    {"/a/*r", "/b/*r", false},         {"/b/*r", "/aa/*r", false},      {"/:a/*r", "/:b/*rest", true},
    {"/*r", "/*rest", true},           {"/a/b/*r", "/a/b/*s", true},
};

static void of_two_catch_alls_the_one_with_the_longer_prefix_goes_before(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(orders); i++) {
        assert_that(jz_route_pattern_goes_before(orders[i].earlier, orders[i].later) == !orders[i].are_equal,
                    "%s and %s", orders[i].earlier, orders[i].later);
        assert_that(!jz_route_pattern_goes_before(orders[i].later, orders[i].earlier), "%s and %s", orders[i].later,
                    orders[i].earlier);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parameters_are_whole_segments_with_names_of_their_own),
        cmocka_unit_test(anything_else_after_a_colon_or_an_asterisk_is_refused_in_words),
        cmocka_unit_test(a_parameter_matches_one_segment_that_is_not_empty),
        cmocka_unit_test(patterns_are_the_same_but_for_the_names_of_parameters),
        cmocka_unit_test(of_two_catch_alls_the_one_with_the_longer_prefix_goes_before),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("route pattern", tests, NULL, NULL));
}
