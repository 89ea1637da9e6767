#include "codec/path.h"

#include <stdio.h>

#include "support/testing.h"

enum { TEXT_SIZE = 512 };

/* Paths, and the one way in which all that are equivalent to them are written (RFC 3986 §6.2.2). */
static const struct {
    const char *path;
    const char *normal;
} paths[] = {
    {"/", "/"},
    {"//", "//"},
    {"/a/b/", "/a/b/"},
    {"/a//b", "/a//b"},
    {"/AZaz09-._~!$&'()*+,;=:@", "/AZaz09-._~!$&'()*+,;=:@"},
    /* Case, and what needs no encoding (§6.2.2.1, §6.2.2.2). */
    {"/caf\xC3\xA9", "/caf%C3%A9"},
    {"/caf%c3%a9", "/caf%C3%A9"},
    {"/caf%C3%a9", "/caf%C3%A9"},
    {"/%63%61%66%C3%A9", "/caf%C3%A9"},
    {"/%7Euser", "/~user"},
    {"/%7e%2D%2e%5f%30%5A", "/~-._0Z"},
    /* A delimiter that is encoded is none, and a slash least of all (§2.2). */
    {"/a%2Fb", "/a%2Fb"},
    {"/a%2fb", "/a%2Fb"},
    {"/a%3ab%40%21%3b", "/a%3Ab%40%21%3B"},
    {"/a%3fb%23", "/a%3Fb%23"},
    /* An escape is taken once. */
    {"/%2541", "/%2541"},
    {"/%25%34%31", "/%2541"},
    {"/%252F", "/%252F"},
    /* Characters that a path may not have unescaped (§3.3). */
    {"/a b", "/a%20b"},
    {"/\"<>[\\]^`{|}", "/%22%3C%3E%5B%5C%5D%5E%60%7B%7C%7D"},
    {"/\xFF\x01\x7F", "/%FF%01%7F"},
    {"/100%", "/100%25"},
    {"/%zz", "/%25zz"},
    {"/%4", "/%254"},
    {"/%%41", "/%25A"},
    {"/%2%35", "/%2525"},
    {"/%00", "/%00"},
    /* Dot segments (§5.2.4, §6.2.2.3). */
    {"/.", "/"},
    {"/..", "/"},
    {"/./", "/"},
    {"/../", "/"},
    {"/a/.", "/a/"},
    {"/a/./", "/a/"},
    {"/a/..", "/"},
    {"/a/../", "/"},
    {"/a/b/..", "/a/"},
    {"/a/b/../c", "/a/c"},
    {"/a/./b/../../c", "/c"},
    {"/../../a", "/a"},
    {"/a//../b", "/a/b"},
    {"/a/b/c/./../../g", "/a/g"},
    {"/%2e/a", "/a"},
    {"/a/%2E%2e/b", "/b"},
    {"/a/.%2E/b", "/b"},
    {"/...", "/..."},
    {"/.a/..b/c./d..", "/.a/..b/c./d.."},
    {"/a/..%2Fb", "/a/..%2Fb"},
    {"/..;/a", "/..;/a"},
    {"/a/%252e%252e/b", "/a/%252e%252e/b"},
};

static jz_text exact_copy(const char *text)
{
    jz_text copy = {malloc(strlen(text)), strlen(text)}; /* no byte behind it */
    assert_non_null(copy.start);
    memcpy((char *)copy.start, text, copy.length);
    return copy;
}

static void normalise(const char *text, char normal[TEXT_SIZE])
{
    jz_text path = exact_copy(text);
    size_t room = JZ_NORMAL_PATH_SIZE(path.length);
    char *written = malloc(room);
    assert_non_null(written);
    size_t length = jz_path_normalise(path, written);
    assert_true(length <= room && length < TEXT_SIZE);
    memcpy(normal, written, length);
    normal[length] = '\0';
    free(written);
    free((char *)path.start);
}

static void equivalent_paths_are_written_in_one_way(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(paths); i++) {
        char normal[TEXT_SIZE];
        normalise(paths[i].path, normal);
        assert_that(strcmp(normal, paths[i].normal) == 0, "%s: %s", paths[i].path, normal);
        char again[TEXT_SIZE];
        normalise(normal, again);
        assert_that(strcmp(again, normal) == 0, "%s is not normal: %s", normal, again);
    }
}

static void what_is_written_in_that_way_is_told_from_what_is_not(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(paths); i++) {
        jz_text path = exact_copy(paths[i].path);
        bool is_same = strcmp(paths[i].path, paths[i].normal) == 0;
        assert_that(jz_path_is_normal(path) == is_same, "%s", paths[i].path);
        assert_true(jz_path_is_normal(jz_text_of(paths[i].normal)));
        free((char *)path.start);
    }
}

static const struct {
    const char *path;
    bool has_dot_segments;
    bool is_well_encoded;
} checks[] = {
    {"/", false, true},        {"/a/..", true, true},     {"/./a", true, true},     {"/a/%2e", true, true},
    {"/a/.%2E/b", true, true}, {"/a.b/..c", false, true}, {"/...", false, true},    {"/%2e%2e%2e", false, true},
    {"/%", false, false},      {"/%4", false, false},     {"/a%zz", false, false},  {"/%%41", false, false},
    {"/%41%7e", false, true},  {"/..%2f", false, true},   {"/a/..%", false, false},
};

static void dot_segments_and_ill_formed_escapes_are_seen(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(checks); i++) {
        jz_text path = exact_copy(checks[i].path);
        assert_that(jz_path_has_dot_segments(path) == checks[i].has_dot_segments, "dot segments of %s", checks[i].path);
        assert_that(jz_path_is_well_encoded(path) == checks[i].is_well_encoded, "escapes of %s", checks[i].path);
        free((char *)path.start);
    }
}

/* A path of 64 KiB of nothing but dots must not cost more than its length. */
static void the_longest_paths_are_normalised_in_one_pass(void **state)
{
    (void)state;
    enum { LENGTH = 65536 };
    static char path[LENGTH];
    static char normal[JZ_NORMAL_PATH_SIZE(LENGTH)];
    for (size_t i = 0; i < LENGTH; i++)
        path[i] = "/.a"[i % 3];
    assert_true(jz_path_is_normal((jz_text){path, LENGTH - 1}));
    assert_int_equal(jz_path_normalise((jz_text){path, LENGTH - 1}, normal), LENGTH - 1);
    for (size_t i = 0; i < LENGTH; i++)
        path[i] = "/.."[i % 3];
    assert_int_equal(jz_path_normalise((jz_text){path, LENGTH}, normal), 1);
    memset(path + 1, '|', LENGTH - 1);
    assert_int_equal(jz_path_normalise((jz_text){path, LENGTH}, normal), 1 + 3 * (LENGTH - 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equivalent_paths_are_written_in_one_way),
        cmocka_unit_test(what_is_written_in_that_way_is_told_from_what_is_not),
        cmocka_unit_test(dot_segments_and_ill_formed_escapes_are_seen),
        cmocka_unit_test(the_longest_paths_are_normalised_in_one_pass),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("path", tests, NULL, NULL));
}
