#include "codec/origin.h"

#include "support/testing.h"

/* A copy without a byte behind it, so that ASan finds reads beyond the end. */
static jz_text exact_copy(const char *text)
{
    jz_text copy = {malloc(text[0] != '\0' ? strlen(text) : 1), strlen(text)};
    assert_non_null(copy.start);
    memcpy((char *)copy.start, text, copy.length);
    return copy;
}

static void free_copy(jz_text copy)
{
    free((char *)copy.start);
}

static const char *const origins[] = {
    "http://example.com",
    "https://example.com",
    "HTTPS://Example.COM",
    "ws://localhost",
    "http://localhost:8080",
    "http://a:1",
    "http://a:65535",
    "http://a-b_c~d.example.",
    "http://127.0.0.1",
    "http://192.0.2.1:81",
    "http://[::1]",
    "http://[2001:DB8::192.0.2.1]:8080",
    "http://xn--bcher-kva.example",
    "chrome-extension://abcdefghijklmnop",
    "a+b-c.9://x",
};

static void an_origin_is_a_scheme_a_host_and_perhaps_a_port(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(origins); i++) {
        jz_text origin = exact_copy(origins[i]);
        assert_that(jz_origin_is_valid(origin), "%s is refused", origins[i]);
        assert_that(jz_origin_is_same(origin, origin), "%s differs from itself", origins[i]);
        free_copy(origin);
    }
}

static const char *const no_origins[] = {
    "",
    "null",
    "*",
    "example.com",
    "example.com:80",
    "//example.com",
    "://example.com",
    "http",
    "http:",
    "http:/",
    "http:/example.com",
    "http:///",
    "http://",
    "http://:80",
    "http://example.com/",
    "http://example.com/path",
    "http://example.com?query",
    "http://example.com#fragment",
    "http://example.com ",
    " http://example.com",
    "http://example.com https://example.com", /* a list, which RFC 6454 §7.1 has and no browser sends */
    "http://user@example.com",
    "http://user:password@example.com",
    "http://example.com:",
    "http://example.com:0",
    "http://example.com:080",
    "http://example.com:65536",
    "http://example.com:99999",
    "http://example.com:100000",
    "http://example.com:18446744073709551696", /* 80, counted modulo 2 to the 64 */
    "http://example.com:+80",
    "http://example.com:-1",
    "http://example.com:8x",
    "http://example.com:80:80",
    "http://example.com::",
    "http://*.example.com",
    "https://*",
    "http://ex%61mple.com",
    "http://h\xC3\xA4nsel.example",
    "http://example\\.com",
    "http://a,b",
    "http://[]",
    "http://[:]",
    "http://[1]",
    "http://[::1",
    "http://::1",
    "http://[::1]x",
    "http://[::1]:",
    "http://[::1]:x",
    "http://[::1]]",
    "http://[[::1]]",
    "http://[::g]",
    "http://[fe80::1%eth0]",
    "1http://example.com",
    "-http://example.com",
    "ht_tp://example.com",
    "h\xC3\xA4://example.com",
    "javascript:alert(1)",
    "data:text/html,x",
    "file://",
};

static void what_is_no_origin_is_the_same_as_nothing(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(no_origins); i++) {
        jz_text text = exact_copy(no_origins[i]);
        assert_that(!jz_origin_is_valid(text), "'%s' is an origin", no_origins[i]);
        assert_that(!jz_origin_is_same(text, text), "'%s' is the same as itself", no_origins[i]);
        assert_that(!jz_origin_is_of_host(text, jz_text_of("example.com"), false), "'%s' is of example.com",
                    no_origins[i]);
        for (size_t j = 0; j < COUNT_OF(origins); j++)
            assert_that(!jz_origin_is_same(text, jz_text_of(origins[j])) &&
                            !jz_origin_is_same(jz_text_of(origins[j]), text),
                        "'%s' is the same as %s", no_origins[i], origins[j]);
        free_copy(text);
    }
    assert_false(jz_origin_is_valid((jz_text){NULL, 0}));
    assert_false(jz_origin_is_valid((jz_text){"http://a\0b", 10}));
    assert_false(jz_origin_is_valid((jz_text){"ht\0tp://a", 9}));
    assert_false(jz_origin_is_valid((jz_text){"http://[::\0]", 12}));
}

static const struct {
    const char *a;
    const char *b;
    bool are_same;
} pairs[] = {
    {"http://example.com", "http://example.com", true},
    {"http://example.com", "HTTP://EXAMPLE.com", true},
    {"http://[2001:db8::a]", "http://[2001:DB8::A]", true},
    /* The default ports (RFC 6454 §4, RFC 6455 §3). */
    {"http://example.com", "http://example.com:80", true},
    {"https://example.com", "https://example.com:443", true},
    {"ws://example.com", "ws://example.com:80", true},
    {"WSS://example.com", "wss://example.com:443", true},
    {"http://[::1]", "http://[::1]:80", true},
    {"http://example.com", "http://example.com:443", false},
    {"https://example.com", "https://example.com:80", false},
    {"http://example.com:8080", "http://example.com:8080", true},
    {"http://example.com:8080", "http://example.com:8081", false},
    {"http://example.com:8080", "http://example.com", false},
    {"app://example.com", "app://example.com", true},
    {"app://example.com", "app://example.com:80", false},
    /* Whatever else differs. */
    {"http://example.com", "https://example.com", false},
    {"http://example.com", "ws://example.com", false},
    {"https://example.com:443", "http://example.com:443", false},
    {"http://example.com", "http://example.co", false},
    {"http://example.com", "http://example.com.", false},
    {"http://example.com", "http://www.example.com", false},
    {"http://example.com", "http://example.com.evil.example", false},
    {"http://example.com", "http://evil-example.com", false},
    {"http://[::1]", "http://[::2]", false},
    {"http://127.0.0.1", "http://localhost", false},
};

static void origins_are_the_same_where_scheme_host_and_port_are(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(pairs); i++) {
        jz_text a = jz_text_of(pairs[i].a);
        jz_text b = jz_text_of(pairs[i].b);
        assert_that(jz_origin_is_same(a, b) == pairs[i].are_same, "%s and %s", pairs[i].a, pairs[i].b);
        assert_that(jz_origin_is_same(b, a) == pairs[i].are_same, "%s and %s", pairs[i].b, pairs[i].a);
    }
}

static const struct {
    const char *origin;
    const char *host;
    bool is_of_host;
} hosts[] = {
    {"http://example.com", "example.com", true},
    {"http://example.com", "EXAMPLE.com", true},
    {"http://localhost:8080", "localhost:8080", true},
    {"http://[::1]:8080", "[::1]:8080", true},
    {"http://[::1]", "[::1]", true},
    /* If Host has no port, the default port of the origin's scheme counts. */
    {"http://example.com:80", "example.com", true},
    {"http://example.com", "example.com:80", true},
    {"http://example.com", "example.com:", true},
    {"http://[::1]", "[::1]:", true},
    {"https://example.com", "example.com", true},
    {"https://example.com:443", "example.com", true},
    {"https://example.com", "example.com:443", true},
    {"https://example.com", "example.com:80", false},
    {"http://example.com", "example.com:443", false},
    {"http://example.com", "example.com:8080", false},
    {"http://example.com:8080", "example.com", false},
    {"http://example.com:8080", "example.com:8081", false},
    /* Other hosts. */
    {"http://evil.example", "example.com", false},
    {"http://example.com.evil.example", "example.com", false},
    {"http://example.co", "example.com", false},
    {"http://localhost", "127.0.0.1", false},
    /* Pages do not come from here by any other scheme. */
    {"app://example.com", "example.com", false},
    {"app://example.com:80", "example.com:80", false},
    {"ws://example.com", "example.com", true},
    {"wss://example.com", "example.com", true},
    /* Malformed Hosts (RFC 9110 §7.2). */
    {"http://example.com", "", false},
    {"http://example.com", ":80", false},
    {"http://example.com", ":", false},
    {"http://example.com", "example.com:80:", false},
    {"http://example.com", "example.com::", false},
    {"http://example.com", "example.com:080", false},
    {"http://example.com", "example.com, example.com", false},
    {"http://example.com", "example.com/", false},
    {"http://example.com", "user@example.com", false},
    {"http://example.com", "http://example.com", false},
    {"http://example.com:65535", "example.com:131071", false}, /* the same modulo 2 to the 16 */
    {"http://[::1]", "::1", false},
    {"http://[::1]", "[::1", false},
    {"http://[::1]", "[", false},
};

static void an_origin_is_of_a_host_where_host_and_port_are_the_same(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(hosts); i++) {
        jz_text origin = exact_copy(hosts[i].origin);
        jz_text host = exact_copy(hosts[i].host);
        assert_that(jz_origin_is_of_host(origin, host, false) == hosts[i].is_of_host, "%s and '%s'", hosts[i].origin,
                    hosts[i].host);
        free_copy(origin);
        free_copy(host);
    }
}

static void where_a_host_was_reached_securely_its_pages_were_too(void **state)
{
    (void)state;
    static const struct {
        const char *origin;
        const char *host;
        bool is_of_host;
    } rows[] = {
        {"https://example.com", "example.com", true},
        {"https://example.com", "example.com:443", true},
        {"https://example.com:8443", "example.com:8443", true},
        {"HTTPS://example.com", "example.com", true},
        {"wss://example.com", "example.com", true},
        {"https://[::1]:8443", "[::1]:8443", true},
        {"http://example.com", "example.com", false},
        {"http://example.com", "example.com:80", false},
        {"http://example.com:443", "example.com", false},
        {"http://example.com:443", "example.com:443", false},
        {"http://example.com:8443", "example.com:8443", false},
        {"ws://example.com:8443", "example.com:8443", false},
        {"https://example.com", "example.com:8443", false},
        {"https://evil.example", "example.com", false},
        {"app://example.com", "example.com", false},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        assert_that(jz_origin_is_of_host(jz_text_of(rows[i].origin), jz_text_of(rows[i].host), true) ==
                        rows[i].is_of_host,
                    "%s and '%s'", rows[i].origin, rows[i].host);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_origin_is_a_scheme_a_host_and_perhaps_a_port),
        cmocka_unit_test(what_is_no_origin_is_the_same_as_nothing),
        cmocka_unit_test(origins_are_the_same_where_scheme_host_and_port_are),
        cmocka_unit_test(an_origin_is_of_a_host_where_host_and_port_are_the_same),
        cmocka_unit_test(where_a_host_was_reached_securely_its_pages_were_too),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("origin", tests, NULL, NULL));
}
