#include "codec/authority.h"

#include "support/testing.h"

static const char *const authorities[] = {
    "example.com",
    "EXAMPLE.com.",
    "localhost:8080",
    "a",
    "a:",
    "a:0",
    "a:080",
    "a:99999999999999999999", /* a port of the grammar, which no server has */
    "xn--bcher-kva.example",
    "b%C3%BCcher.example",
    "a_b~c-d.e!$&'()*+,;=",
    "127.0.0.1",
    "127.0.0.1:80",
    "999.1.2.3", /* no IPv4 address, and so a name (RFC 3986 §3.2.2) */
    "[::]",
    "[::1]",
    "[::1]:",
    "[::1]:8080",
    "[2001:DB8::7]",
    "[1:2:3:4:5:6:7:8]",
    "[1:2:3:4:5:6:7::]",
    "[::2:3:4:5:6:7:8]",
    "[1::3:4:5:6:7:8]",
    "[::ffff:192.0.2.1]",
    "[1:2:3:4:5:6:192.0.2.1]",
    "[v1.a]",
    "[vF0.a:b:!~]:80",
    "[V7.x]",
};

static const char *const no_authorities[] = {
    "",
    ":",
    ":80",
    "a:b",
    "a:80:",
    "a:80:80",
    "a::80",
    "a:+80",
    "a:-1",
    "a: 80",
    "a b",
    " a",
    "a/",
    "a/b",
    "a?b",
    "a#b",
    "user@a",
    "user:password@a",
    "@a",
    "http://a",
    "a\\b",
    "a\"b",
    "<a>",
    "a^b",
    "{a}",
    "a|b",
    "a`b",
    "b\xC3\xBC",
    "a%",
    "a%4",
    "a%4g",
    "a%g4",
    "%",
    "::1",
    "[",
    "[]",
    "]",
    "[::1",
    "::1]",
    "[[::1]]",
    "[::1]]",
    "[::1]a",
    "[::1]80",
    "[::1]:a",
    "[::1]:80:",
    "a[::1]",
    "[:]",
    "[1]",
    "[1:2]",
    "[:::]",
    "[1::2::3]",
    "[1:2:3:4:5:6:7]",
    "[1:2:3:4:5:6:7:8:9]",
    "[1:2:3:4:5:6:7::8]",
    "[::12345]",
    "[::g]",
    "[:1:2:3:4:5:6:7:8]",
    "[::192.0.2]",
    "[::192.0.2.256]",
    "[::192.0.2.01]",
    "[192.0.2.1]",
    "[a.example]",
    "[fe80::1%eth0]",
    "[fe80::1%25eth0]",
    "[v.a]",
    "[v1.]",
    "[v1]",
    "[v1a]",
    "[vg.a]",
    "[v1.a/b]",
    "[v1.%41]",
    "[v1.a",
};

/* A copy without a byte behind it, so that ASan finds reads beyond the end. */
static bool is_valid(const char *text, size_t length)
{
    char *copy = malloc(length > 0 ? length : 1);
    assert_non_null(copy);
    memcpy(copy, text, length);
    bool is_valid = jz_authority_is_valid((jz_text){copy, length});
    free(copy);
    return is_valid;
}

static void an_authority_is_a_host_and_perhaps_a_port(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(authorities); i++)
        assert_that(is_valid(authorities[i], strlen(authorities[i])), "'%s' is refused", authorities[i]);
}

static void whatever_else_is_none(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(no_authorities); i++)
        assert_that(!is_valid(no_authorities[i], strlen(no_authorities[i])), "'%s' is one", no_authorities[i]);
    assert_false(is_valid("a\0b", 3));
    assert_false(is_valid("a\0", 2));
    assert_false(is_valid("[::1\0]", 6));
    assert_false(is_valid("a:8\0", 4));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_authority_is_a_host_and_perhaps_a_port),
        cmocka_unit_test(whatever_else_is_none),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("authority", tests, NULL, NULL));
}
