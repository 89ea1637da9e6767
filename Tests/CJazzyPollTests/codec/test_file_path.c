#include "codec/content_type.h"
#include "codec/file_path.h"

#include "support/testing.h"

#define TEXT(literal)                                                                                                  \
    {                                                                                                                  \
        literal, sizeof literal - 1                                                                                    \
    }

static const struct {
    jz_text path;
    bool may_be_served;
} paths[] = {
    {TEXT(""), true},
    {TEXT("a"), true},
    {TEXT("a/b.c"), true},
    {TEXT("a/b/"), true},
    {TEXT("a b\\c\xFF"), true},
    {TEXT(".well-known/a"), true},
    {TEXT("a..b/c."), true},
    {TEXT("/"), false},
    {TEXT("/a"), false},
    {TEXT("a//b"), false},
    {TEXT("a//"), false},
    {TEXT("."), false},
    {TEXT(".."), false},
    {TEXT("../a"), false},
    {TEXT("a/.."), false},
    {TEXT("a/../b"), false},
    {TEXT("a/./b"), false},
    {TEXT("..."), false},
    {TEXT(".a"), false},
    {TEXT("a/.b/c"), false},
    {TEXT("a/.well-known"), false},
    {TEXT(".well-known2/a"), false},
    {TEXT("a\0b"), false},
    {TEXT("\0"), false},
};

static void a_path_names_something_within_the_folder_or_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(paths); i++)
        assert_that(jz_file_path_may_be_served(paths[i].path) == paths[i].may_be_served, "%.*s",
                    (int)paths[i].path.length, paths[i].path.start);
    char name[5000];
    memset(name, 'a', sizeof name);
    assert_true(jz_file_path_may_be_served((jz_text){name, 255}));
    assert_false(jz_file_path_may_be_served((jz_text){name, 256}));
    for (size_t i = 1; i < sizeof name; i += 2)
        name[i] = '/';
    assert_true(jz_file_path_may_be_served((jz_text){name, 4000}));
    assert_false(jz_file_path_may_be_served((jz_text){name, 4001}));
}

static const struct {
    const char *name;
    const char *content_type;
    bool is_compressible;
} names[] = {
    {"index.html", "text/html; charset=utf-8", true},
    {"a/B.HTM", "text/html; charset=utf-8", true},
    {"a.b.css", "text/css; charset=utf-8", true},
    {"app.mjs", "text/javascript; charset=utf-8", true},
    {"data.json", "application/json", true},
    {"site.webmanifest", "application/manifest+json", true},
    {"logo.svg", "image/svg+xml", true},
    {"code.wasm", "application/wasm", true},
    {"photo.jpeg", "image/jpeg", false},
    {"font.woff2", "font/woff2", false},
    {"a.gz", "application/gzip", false},
    {"html", "application/octet-stream", false},
    {"a.html/b", "application/octet-stream", false},
    {"a.", "application/octet-stream", false},
    {"", "application/octet-stream", false},
};

static void the_last_dot_of_a_name_says_what_it_is(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        const char *content_type = jz_content_type_of(jz_text_of(names[i].name));
        assert_string_equal(content_type, names[i].content_type);
        assert_that(jz_content_is_compressible(content_type) == names[i].is_compressible, "%s", names[i].name);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_path_names_something_within_the_folder_or_is_refused),
        cmocka_unit_test(the_last_dot_of_a_name_says_what_it_is),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("file path", tests, NULL, NULL));
}
