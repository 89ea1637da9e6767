#include "codec/cookie.h"

#include <stdio.h>

#include "support/testing.h"

enum { TEXT_SIZE = 1024 };

static const jz_head_limits default_limits = {JZ_DEFAULT_HEAD_LENGTH, JZ_DEFAULT_HEADERS};

/* Looks in a request with these lines among its headers. The value points into `text`. */
static bool find(char text[TEXT_SIZE], const char *lines, const char *name, jz_text *value)
{
    int length = snprintf(text, TEXT_SIZE, "GET / HTTP/1.1\r\nHost: x\r\nX-Cookie: sid=wrong\r\n%s\r\n", lines);
    jz_request_head head;
    assert_that(jz_request_head_parse(text, (size_t)length, &default_limits, &head) == JZ_HEAD_COMPLETE, "%s", lines);
    return jz_cookie_find(&head, jz_text_of(name), value);
}

static const struct {
    const char *lines;
    const char *name;
    const char *value; /* NULL: there is none */
} rows[] = {
    /* The examples of RFC 6265 §3.1. */
    {"Cookie: SID=31d4d96e407aad42; lang=en-US\r\n", "SID", "31d4d96e407aad42"},
    {"Cookie: SID=31d4d96e407aad42; lang=en-US\r\n", "lang", "en-US"},
    {"Cookie: SID=31d4d96e407aad42\r\n", "lang", NULL},
    {"", "SID", NULL},
    {"Cookie:\r\n", "SID", NULL},
    {"cookie: a=1\r\n", "a", "1"},
    /* Names are compared byte by byte and whole. */
    {"Cookie: sid=1; Sid=2; SID=3\r\n", "SID", "3"},
    {"Cookie: xsid=1; sidx=2; si=3\r\n", "sid", NULL},
    {"Cookie: other=sid=1\r\n", "sid", NULL},
    {"Cookie: __Host-sid=1; sid=2\r\n", "sid", "2"},
    /* The first of several (§5.4, item 2: cookies with longer paths come first). */
    {"Cookie: a=1; a=2\r\n", "a", "1"},
    {"Cookie: a=1\r\nCookie: a=2\r\n", "a", "1"},
    {"Cookie: a=1\r\nHost: y\r\ncookie: b=2\r\n", "b", "2"},
    {"Set-Cookie: a=1\r\nCookie2: a=2\r\n", "a", NULL},
    /* White space, and the lack of it. */
    {"Cookie: a=1;b=2\r\n", "b", "2"},
    {"Cookie:  a = 1 \t;\t b\t=\t2\r\n", "a", "1"},
    {"Cookie:  a = 1 \t;\t b\t=\t2\r\n", "b", "2"},
    {"Cookie: a=b c\r\n", "a", "b c"},
    {"Cookie: a b=1\r\n", "b", NULL},
    /* Quotes (§4.1.1). */
    {"Cookie: a=\"1\"\r\n", "a", "1"},
    {"Cookie: a= \"1\" ; b=2\r\n", "a", "1"},
    {"Cookie: a=\" 1 \"\r\n", "a", " 1 "},
    {"Cookie: a=\"\"\r\n", "a", ""},
    {"Cookie: a=\"\r\n", "a", "\""},
    {"Cookie: a=\"1\r\n", "a", "\"1"},
    {"Cookie: a=1\"\r\n", "a", "1\""},
    {"Cookie: a=\"\"1\"\"\r\n", "a", "\"1\""},
    {"Cookie: a=\"1; b=2\"\r\n", "a", "\"1"},
    {"Cookie: a=\"1; b=2\"\r\n", "b", "2\""},
    {"Cookie: \"a\"=1\r\n", "a", NULL},
    /* Values. */
    {"Cookie: a=\r\n", "a", ""},
    {"Cookie: a=; b=2\r\n", "a", ""},
    {"Cookie: a=b=c==\r\n", "a", "b=c=="},
    {"Cookie: a=%20+,\r\n", "a", "%20+,"},
    {"Cookie: a=\xC3\xA4\r\n", "a", "\xC3\xA4"},
    /* Text that is no pair is skipped. */
    {"Cookie: a; a=1\r\n", "a", "1"},
    {"Cookie: a\r\n", "a", NULL},
    {"Cookie: ;;; ; a=1;\r\n", "a", "1"},
    {"Cookie: =1; a=2\r\n", "a", "2"},
    {"Cookie: ;\r\n", "", NULL},
};

static void a_cookie_is_found_by_its_name(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char text[TEXT_SIZE];
        jz_text value = jz_text_of("untouched");
        bool is_found = find(text, rows[i].lines, rows[i].name, &value);
        const char *expected = is_found ? rows[i].value : "untouched";
        assert_that(is_found == (rows[i].value != NULL) && jz_text_equals(value, jz_text_of(expected)),
                    "%s in '%s': %s '%.*s'", rows[i].name, rows[i].lines, is_found ? "found" : "not found",
                    (int)value.length, value.start);
    }
}

static void a_value_lies_in_the_head(void **state)
{
    (void)state;
    char text[TEXT_SIZE];
    jz_text value;
    assert_true(find(text, "Cookie: first=1; second=\"\"\r\n", "second", &value));
    assert_ptr_equal(value.start, strstr(text, "\"\"") + 1);
    assert_int_equal(value.length, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cookie_is_found_by_its_name),
        cmocka_unit_test(a_value_lies_in_the_head),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("cookie", tests, NULL, NULL));
}
