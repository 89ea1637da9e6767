#include "codec/request_head.h"

#include <stdio.h>

#include "support/testing.h"

/* A head and its length, which the compiler counts: there may be a NUL in it. */
#define HEAD(literal) (literal), sizeof(literal) - 1

static const jz_head_limits default_limits = {JZ_DEFAULT_HEAD_LENGTH, JZ_DEFAULT_HEADERS};

static jz_head_result read_head_within(const jz_head_limits *limits, const char *bytes, size_t length,
                                       jz_request_head *head)
{
    size_t scanned = 0;
    size_t head_length = 0;
    jz_head_result result = jz_request_head_find_end(bytes, length, limits, &scanned, &head_length);
    return result == JZ_HEAD_COMPLETE ? jz_request_head_parse(bytes, head_length, limits, head) : result;
}

static jz_head_result read_head(const char *bytes, size_t length, jz_request_head *head)
{
    return read_head_within(&default_limits, bytes, length, head);
}

/* The same, with a look after each byte that arrives, each time in a copy that ends with it. */
static jz_head_result read_head_byte_by_byte(const char *bytes, size_t length, jz_request_head *head)
{
    size_t scanned = 0;
    size_t head_length = 0;
    jz_head_result result = JZ_HEAD_INCOMPLETE;
    for (size_t arrived = 1; arrived <= length && result == JZ_HEAD_INCOMPLETE; arrived++) {
        char *copy = malloc(arrived);
        assert_non_null(copy);
        memcpy(copy, bytes, arrived);
        result = jz_request_head_find_end(copy, arrived, &default_limits, &scanned, &head_length);
        free(copy);
    }
    return result == JZ_HEAD_COMPLETE ? jz_request_head_parse(bytes, head_length, &default_limits, head) : result;
}

static const struct {
    const char *name;
    const char *bytes;
    size_t length;
    const char *method;
    const char *path;
    const char *query;
    int minor_version;
    const char *headers; /* one "name=value;" after another */
} valid_heads[] = {
    {"the handshake of RFC 6455 §1.2",
     HEAD("GET /chat HTTP/1.1\r\nHost: server.example.com\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
          "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"),
     "GET", "/chat", "", 1,
     "Host=server.example.com;Upgrade=websocket;Connection=Upgrade;Sec-WebSocket-Key=dGhlIHNhbXBsZSBub25jZQ==;"},
    {"no headers", HEAD("GET / HTTP/1.1\r\n\r\n"), "GET", "/", "", 1, ""},
    {"HTTP/1.0", HEAD("GET / HTTP/1.0\r\n\r\n"), "GET", "/", "", 0, ""},
    {"a later minor version, read as the latest known", HEAD("GET / HTTP/1.2\r\n\r\n"), "GET", "/", "", 1, ""},
    {"another method", HEAD("HEAD / HTTP/1.1\r\n\r\n"), "HEAD", "/", "", 1, ""},
    {"a method of every token character", HEAD("aZ09!#$%&'*+-.^_`|~ / HTTP/1.1\r\n\r\n"), "aZ09!#$%&'*+-.^_`|~", "/",
     "", 1, ""},
    {"a query", HEAD("GET /a/b?name=value&c HTTP/1.1\r\n\r\n"), "GET", "/a/b", "name=value&c", 1, ""},
    {"a second question mark", HEAD("GET /a?b?c HTTP/1.1\r\n\r\n"), "GET", "/a", "b?c", 1, ""},
    {"an empty query", HEAD("GET /a? HTTP/1.1\r\n\r\n"), "GET", "/a", "", 1, ""},
    {"percent-encoding, left as it is", HEAD("GET /%2e%2E/%00 HTTP/1.1\r\n\r\n"), "GET", "/%2e%2E/%00", "", 1, ""},
    {"two slashes, no authority", HEAD("GET //host/a HTTP/1.1\r\n\r\n"), "GET", "//host/a", "", 1, ""},
    {"the whole server in absolute-form (RFC 9112 §3.2.4)", HEAD("OPTIONS http://host HTTP/1.1\r\n\r\n"), "OPTIONS",
     "*", "", 1, ""},
    {"OPTIONS of a path", HEAD("OPTIONS /a HTTP/1.0\r\n\r\n"), "OPTIONS", "/a", "", 0, ""},
    {"OPTIONS in absolute-form with a query", HEAD("OPTIONS http://host?a HTTP/1.1\r\n\r\n"), "OPTIONS", "/", "a", 1,
     ""},
    {"the whole server", HEAD("OPTIONS * HTTP/1.1\r\n\r\n"), "OPTIONS", "*", "", 1, ""},
    {"absolute-form", HEAD("GET http://host:80/a/b?c HTTP/1.1\r\n\r\n"), "GET", "/a/b", "c", 1, ""},
    {"absolute-form with https", HEAD("GET https://host/a HTTP/1.1\r\n\r\n"), "GET", "/a", "", 1, ""},
    {"absolute-form with ws", HEAD("GET ws://host/a HTTP/1.1\r\n\r\n"), "GET", "/a", "", 1, ""},
    {"absolute-form with wss in capitals", HEAD("GET WSS://HOST/A HTTP/1.1\r\n\r\n"), "GET", "/A", "", 1, ""},
    {"absolute-form without a path", HEAD("GET http://host HTTP/1.1\r\n\r\n"), "GET", "/", "", 1, ""},
    {"absolute-form with a query alone", HEAD("GET http://host?a=b HTTP/1.1\r\n\r\n"), "GET", "/", "a=b", 1, ""},
    {"white space around values", HEAD("GET / HTTP/1.1\r\nA:1\r\nB:  2\r\nC:\t3 \t\r\n\r\n"), "GET", "/", "", 1,
     "A=1;B=2;C=3;"},
    {"white space within a value", HEAD("GET / HTTP/1.1\r\nA: b \t c\r\n\r\n"), "GET", "/", "", 1, "A=b \t c;"},
    {"empty values", HEAD("GET / HTTP/1.1\r\nA:\r\nB: \t\r\n\r\n"), "GET", "/", "", 1, "A=;B=;"},
    {"colons in a value", HEAD("GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n"), "GET", "/", "", 1, "Host=[::1]:80;"},
    {"bytes beyond ASCII in a value", HEAD("GET / HTTP/1.1\r\nA: \x80\xFF\r\n\r\n"), "GET", "/", "", 1, "A=\x80\xFF;"},
    {"frames in the same read", HEAD("GET / HTTP/1.1\r\nA: b\r\n\r\n\x81\x85\0\n\r"), "GET", "/", "", 1, "A=b;"},
};

static bool is_text(jz_text text, const char *expected)
{
    return jz_text_equals(text, jz_text_of(expected));
}

static void check_head(const char *name, const jz_request_head *head, size_t row)
{
    assert_that(is_text(head->method, valid_heads[row].method), "%s: method", name);
    assert_that(is_text(head->path, valid_heads[row].path), "%s: path", name);
    assert_that(is_text(head->query, valid_heads[row].query), "%s: query", name);
    assert_that(head->minor_version == valid_heads[row].minor_version, "%s: version", name);
    char headers[512] = "";
    for (size_t i = 0; i < head->header_count; i++) {
        size_t length = strlen(headers);
        snprintf(headers + length, sizeof headers - length, "%.*s=%.*s;", (int)head->headers[i].name.length,
                 head->headers[i].name.start, (int)head->headers[i].value.length, head->headers[i].value.start);
    }
    assert_that(strcmp(headers, valid_heads[row].headers) == 0, "%s: %s", name, headers);
}

static void reads_valid_heads_whole_and_byte_by_byte(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(valid_heads); i++) {
        jz_request_head head;
        memset(&head, 0xEE, sizeof head);
        assert_that(read_head(valid_heads[i].bytes, valid_heads[i].length, &head) == JZ_HEAD_COMPLETE, "%s: refused",
                    valid_heads[i].name);
        check_head(valid_heads[i].name, &head, i);
        memset(&head, 0xEE, sizeof head);
        assert_that(read_head_byte_by_byte(valid_heads[i].bytes, valid_heads[i].length, &head) == JZ_HEAD_COMPLETE,
                    "%s: refused byte by byte", valid_heads[i].name);
        check_head(valid_heads[i].name, &head, i);
    }
}

static const struct {
    const char *name;
    const char *bytes;
    size_t length;
    jz_head_result result;
} refused_heads[] = {
    {"an empty line in front", HEAD("\r\nGET / HTTP/1.1\r\n\r\n"), JZ_HEAD_MALFORMED},
    {"nothing but empty lines", HEAD("\r\n\r\n"), JZ_HEAD_MALFORMED},
    {"a bare LF after the request line", HEAD("GET / HTTP/1.1\nA: b\r\n\r\n"), JZ_HEAD_MALFORMED},
    {"a bare LF after a header", HEAD("GET / HTTP/1.1\r\nA: b\n\r\n"), JZ_HEAD_MALFORMED},
    {"a bare LF at the end", HEAD("GET / HTTP/1.1\r\nA: b\r\n\n"), JZ_HEAD_MALFORMED},
    {"a bare LF at the start", HEAD("\n"), JZ_HEAD_MALFORMED},
    {"a bare CR in the target", HEAD("GET /\ra HTTP/1.1\r\n\r\n"), JZ_HEAD_MALFORMED},
    {"a bare CR in a value", HEAD("GET / HTTP/1.1\r\nA: b\rc\r\n\r\n"), JZ_HEAD_MALFORMED},
    {"two CR before LF", HEAD("GET / HTTP/1.1\r\r\n\r\n"), JZ_HEAD_MALFORMED},
    {"NUL in the target", HEAD("GET /\0 HTTP/1.1\r\n\r\n"), JZ_HEAD_MALFORMED},
    {"NUL in a name", HEAD("GET / HTTP/1.1\r\nA\0: b\r\n\r\n"), JZ_HEAD_MALFORMED},
    {"NUL in a value", HEAD("GET / HTTP/1.1\r\nA: \0\r\n\r\n"), JZ_HEAD_MALFORMED},
    {"a folded line with a space", HEAD("GET / HTTP/1.1\r\nA: b\r\n c: d\r\n\r\n"), JZ_HEAD_MALFORMED},
    {"a folded line with a tab", HEAD("GET / HTTP/1.1\r\nA: b\r\n\tc\r\n\r\n"), JZ_HEAD_MALFORMED},
    {"a space before the first header", HEAD("GET / HTTP/1.1\r\n A: b\r\n\r\n"), JZ_HEAD_MALFORMED},
    {"a space before the colon", HEAD("GET / HTTP/1.1\r\nA : b\r\n\r\n"), JZ_HEAD_MALFORMED},
    {"a tab before the colon", HEAD("GET / HTTP/1.1\r\nA\t: b\r\n\r\n"), JZ_HEAD_MALFORMED},
    {"no colon", HEAD("GET / HTTP/1.1\r\nA b\r\n\r\n"), JZ_HEAD_MALFORMED},
    {"no name", HEAD("GET / HTTP/1.1\r\n: b\r\n\r\n"), JZ_HEAD_MALFORMED},
    {"a delimiter in a name", HEAD("GET / HTTP/1.1\r\nA(b): c\r\n\r\n"), JZ_HEAD_MALFORMED},
    {"a byte beyond ASCII in a name", HEAD("GET / HTTP/1.1\r\nA\xC3\xA9: c\r\n\r\n"), JZ_HEAD_MALFORMED},
    {"a control character in a value", HEAD("GET / HTTP/1.1\r\nA: \x01\r\n\r\n"), JZ_HEAD_MALFORMED},
    {"DEL in a value", HEAD("GET / HTTP/1.1\r\nA: \x7F\r\n\r\n"), JZ_HEAD_MALFORMED},
    {"no method", HEAD(" / HTTP/1.1\r\n\r\n"), JZ_HEAD_MALFORMED},
    {"a method that is no token", HEAD("G@T / HTTP/1.1\r\n\r\n"), JZ_HEAD_MALFORMED},
    {"two spaces before the target", HEAD("GET  / HTTP/1.1\r\n\r\n"), JZ_HEAD_MALFORMED},
    {"two spaces behind the target", HEAD("GET /  HTTP/1.1\r\n\r\n"), JZ_HEAD_MALFORMED},
    {"a space behind the version", HEAD("GET / HTTP/1.1 \r\n\r\n"), JZ_HEAD_MALFORMED},
    {"a tab between method and target", HEAD("GET\t/ HTTP/1.1\r\n\r\n"), JZ_HEAD_MALFORMED},
    {"a tab in the target", HEAD("GET /\t HTTP/1.1\r\n\r\n"), JZ_HEAD_MALFORMED},
    {"a space in the target", HEAD("GET /a b HTTP/1.1\r\n\r\n"), JZ_HEAD_MALFORMED},
    {"a fragment in the target", HEAD("GET /a#b HTTP/1.1\r\n\r\n"), JZ_HEAD_MALFORMED},
    {"a byte beyond ASCII in the target", HEAD("GET /\xC3\xA9 HTTP/1.1\r\n\r\n"), JZ_HEAD_MALFORMED},
    {"DEL in the target", HEAD("GET /\x7F HTTP/1.1\r\n\r\n"), JZ_HEAD_MALFORMED},
    {"a target without a slash", HEAD("GET chat HTTP/1.1\r\n\r\n"), JZ_HEAD_MALFORMED},
    {"a query alone", HEAD("GET ?a HTTP/1.1\r\n\r\n"), JZ_HEAD_MALFORMED},
    {"authority-form", HEAD("CONNECT host:80 HTTP/1.1\r\n\r\n"), JZ_HEAD_MALFORMED},
    {"a scheme alone", HEAD("GET http:// HTTP/1.1\r\n\r\n"), JZ_HEAD_MALFORMED},
    {"a scheme without an authority", HEAD("GET http:///a HTTP/1.1\r\n\r\n"), JZ_HEAD_MALFORMED},
    {"userinfo", HEAD("GET http://user@host/a HTTP/1.1\r\n\r\n"), JZ_HEAD_MALFORMED},
    {"an authority of a port alone", HEAD("GET http://:80/a HTTP/1.1\r\n\r\n"), JZ_HEAD_MALFORMED},
    {"an authority that is no host", HEAD("GET http://[::1/a HTTP/1.1\r\n\r\n"), JZ_HEAD_MALFORMED},
    {"the whole server, asked for what it is not", HEAD("GET * HTTP/1.1\r\n\r\n"), JZ_HEAD_MALFORMED},
    {"a star and more", HEAD("OPTIONS *a HTTP/1.1\r\n\r\n"), JZ_HEAD_MALFORMED},
    {"no target of OPTIONS", HEAD("OPTIONS  HTTP/1.1\r\n\r\n"), JZ_HEAD_MALFORMED},
    {"a foreign scheme", HEAD("GET ftp://host/a HTTP/1.1\r\n\r\n"), JZ_HEAD_MALFORMED},
    {"no target", HEAD("GET HTTP/1.1\r\n\r\n"), JZ_HEAD_MALFORMED},
    {"no version", HEAD("GET /\r\n\r\n"), JZ_HEAD_MALFORMED},
    {"an empty version", HEAD("GET / \r\n\r\n"), JZ_HEAD_MALFORMED},
    {"a version in small letters", HEAD("GET / http/1.1\r\n\r\n"), JZ_HEAD_MALFORMED},
    {"a version without a dot", HEAD("GET / HTTP/1-1\r\n\r\n"), JZ_HEAD_MALFORMED},
    {"a version without a minor number", HEAD("GET / HTTP/1\r\n\r\n"), JZ_HEAD_MALFORMED},
    {"a version of two digits", HEAD("GET / HTTP/1.10\r\n\r\n"), JZ_HEAD_MALFORMED},
    {"a version of letters", HEAD("GET / HTTP/a.b\r\n\r\n"), JZ_HEAD_MALFORMED},
    {"another protocol", HEAD("GET / ICAP/1.1\r\n\r\n"), JZ_HEAD_MALFORMED},
    {"HTTP/0.9", HEAD("GET / HTTP/0.9\r\n\r\n"), JZ_HEAD_UNSUPPORTED_VERSION},
    {"HTTP/3.1", HEAD("GET / HTTP/3.1\r\n\r\n"), JZ_HEAD_UNSUPPORTED_VERSION},
    {"HTTP/2.0", HEAD("PRI * HTTP/2.0\r\n\r\n"), JZ_HEAD_UNSUPPORTED_VERSION},
    {"nothing yet", HEAD(""), JZ_HEAD_INCOMPLETE},
    {"a head without its last LF", HEAD("GET / HTTP/1.1\r\nA: b\r\n\r"), JZ_HEAD_INCOMPLETE},
    {"a head without its empty line", HEAD("GET / HTTP/1.1\r\nA: b\r\n"), JZ_HEAD_INCOMPLETE},
    {"half a line", HEAD("GET / HT"), JZ_HEAD_INCOMPLETE},
};

static void refuses_malformed_heads_whole_and_byte_by_byte(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(refused_heads); i++) {
        jz_request_head head;
        jz_head_result result = read_head(refused_heads[i].bytes, refused_heads[i].length, &head);
        assert_that(result == refused_heads[i].result, "%s: %d instead of %d", refused_heads[i].name, (int)result,
                    (int)refused_heads[i].result);
        result = read_head_byte_by_byte(refused_heads[i].bytes, refused_heads[i].length, &head);
        assert_that(result == refused_heads[i].result, "%s, byte by byte: %d instead of %d", refused_heads[i].name,
                    (int)result, (int)refused_heads[i].result);
    }
}

static const struct {
    const char *name;
    const char *bytes;
    size_t length;
    const char *words; /* in what is said of it */
} faults[] = {
    {"TLS", HEAD("\x16\x03\x01\x02\0\x01"), "TLS"},
    {"a NUL", HEAD("GET /\0"), "NUL"},
    {"a bare LF", HEAD("GET / HTTP/1.1\n"), "an LF without a CR"},
    {"a bare CR", HEAD("GET / HTTP/1.1\rX"), "a CR without an LF"},
    {"an empty line in front", HEAD("\r\nGET / HTTP/1.1\r\n\r\n"), "the request line"},
    {"no version", HEAD("GET /\r\n\r\n"), "METHOD TARGET HTTP/1.1"},
    {"a method that is no token", HEAD("G@T / HTTP/1.1\r\n\r\n"), "the method"},
    {"a space in the target", HEAD("GET /a b HTTP/1.1\r\n\r\n"), "the only white space"},
    {"a fragment", HEAD("GET /a#b HTTP/1.1\r\n\r\n"), "a '#'"},
    {"no slash", HEAD("GET a HTTP/1.1\r\n\r\n"), "begins with no '/'"},
    {"userinfo", HEAD("GET http://a@b/ HTTP/1.1\r\n\r\n"), "an authority that is no host and port"},
    {"a star", HEAD("GET * HTTP/1.1\r\n\r\n"), "for OPTIONS alone"},
    {"another version", HEAD("GET / HTTP/3.0\r\n\r\n"), "another version than HTTP/1.1"},
    {"no colon", HEAD("GET / HTTP/1.1\r\nA\r\n\r\n"), "a name and a colon"},
    {"a control character", HEAD("GET / HTTP/1.1\r\nA: \x01\r\n\r\n"), "a control character"},
};

static void it_is_said_which_rule_a_head_breaks(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(faults); i++) {
        size_t scanned = 0;
        size_t head_length = 0;
        jz_request_head head;
        const char *fault;
        if (jz_request_head_find_end(faults[i].bytes, faults[i].length, &default_limits, &scanned, &head_length) ==
            JZ_HEAD_COMPLETE) {
            assert_int_not_equal(jz_request_head_parse(faults[i].bytes, head_length, &default_limits, &head),
                                 JZ_HEAD_COMPLETE);
            fault = head.fault;
        } else {
            fault = jz_request_head_fault(faults[i].bytes, faults[i].length);
        }
        assert_that(fault != NULL && strstr(fault, faults[i].words) != NULL, "%s: %s", faults[i].name, fault);
    }
}

static const struct {
    const char *head; /* without its end */
    const char *host;
    const char *fault; /* words of it; NULL: there is none */
} hosts[] = {
    {"GET / HTTP/1.1\r\nHost: example.com:8080", "example.com:8080", NULL},
    {"GET / HTTP/1.1\r\nhost:[::1]", "[::1]", NULL},
    {"GET / HTTP/1.1\r\nHost: a:", "a:", NULL},
    {"GET / HTTP/1.1\r\nHost:", "", NULL}, /* the target has no authority */
    {"OPTIONS * HTTP/1.1\r\nHost:", "", NULL},
    {"GET / HTTP/1.0", "", NULL},
    {"GET / HTTP/1.0\r\nHost:", "", NULL},
    {"GET / HTTP/1.1", NULL, "Host is missing"},
    {"GET / HTTP/1.1\r\nHost: a\r\nHost: a", NULL, "several Host"},
    {"GET / HTTP/1.0\r\nHost: a\r\nHost: a", NULL, "several Host"},
    {"GET / HTTP/1.1\r\nHost: a b", NULL, "Host is no host"},
    {"GET / HTTP/1.0\r\nHost: a/b", NULL, "Host is no host"},
    {"GET / HTTP/1.1\r\nHost: user@a", NULL, "Host is no host"},
    {"GET / HTTP/1.1\r\nHost: :80", NULL, "Host is no host"},
    {"GET / HTTP/1.1\r\nHost: \xC3\xA4", NULL, "Host is no host"},
    /* The target's authority counts (RFC 9112 §3.2.2), and Host has to be there and well-formed all the same. */
    {"GET http://b:81/ HTTP/1.1\r\nHost: a", "b:81", NULL},
    {"GET ws://b?c HTTP/1.1\r\nHost: a", "b", NULL},
    {"GET http://b/ HTTP/1.0", "b", NULL},
    {"GET http://b/ HTTP/1.1", NULL, "Host is missing"},
    {"GET http://b/ HTTP/1.1\r\nHost:", NULL, "Host is empty"},
    {"GET http://b/ HTTP/1.1\r\nHost: a b", NULL, "Host is no host"},
    {"GET http://b/ HTTP/1.1\r\nHost: b\r\nHost: b", NULL, "several Host"},
};

static void the_host_is_the_targets_or_that_of_the_only_host(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(hosts); i++) {
        char bytes[256];
        jz_request_head head;
        jz_text host;
        snprintf(bytes, sizeof bytes, "%s\r\n\r\n", hosts[i].head);
        assert_int_equal(read_head(bytes, strlen(bytes), &head), JZ_HEAD_COMPLETE);
        const char *fault = jz_request_head_host(&head, &host);
        if (hosts[i].fault != NULL)
            assert_that(fault != NULL && strstr(fault, hosts[i].fault) != NULL, "%s: %s", hosts[i].head, fault);
        else
            assert_that(fault == NULL && is_text(host, hosts[i].host), "%s: %s", hosts[i].head, fault);
    }
}

static const struct {
    const char *name;
    const char *bytes;
    size_t length; /* the last byte is the one that cannot be */
} broken_lines[] = {
    {"LF without CR", HEAD("GET / HTTP/1.1\n")},
    {"CR without LF", HEAD("GET / HTTP/1.1\rX")},
    {"CR before CR", HEAD("GET / HTTP/1.1\r\r")},
    {"NUL", HEAD("GET /\0")},
    {"NUL first of all", HEAD("\0")},
    {"LF first of all", HEAD("\n")},
};

/* Input that is not HTTP is answered at once, not after a time-out. */
static void bare_line_ends_and_nul_are_refused_as_soon_as_they_are_seen(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(broken_lines); i++) {
        size_t scanned = 0;
        size_t head_length = 0;
        jz_head_result before = jz_request_head_find_end(broken_lines[i].bytes, broken_lines[i].length - 1,
                                                         &default_limits, &scanned, &head_length);
        assert_that(before == JZ_HEAD_INCOMPLETE, "%s: refused too early", broken_lines[i].name);
        assert_int_equal(scanned, broken_lines[i].length - 1);
        jz_head_result result = jz_request_head_find_end(broken_lines[i].bytes, broken_lines[i].length, &default_limits,
                                                         &scanned, &head_length);
        assert_that(result == JZ_HEAD_MALFORMED, "%s: accepted", broken_lines[i].name);
    }
}

static void the_head_ends_with_its_empty_line_and_what_follows_is_not_looked_at(void **state)
{
    (void)state;
    static const char bytes[] = "GET / HTTP/1.1\r\n\r\n\0\n\r\r\n\r\n";
    size_t scanned = 0;
    size_t head_length = 0;
    assert_int_equal(jz_request_head_find_end(bytes, sizeof bytes - 1, &default_limits, &scanned, &head_length),
                     JZ_HEAD_COMPLETE);
    assert_int_equal(head_length, strlen("GET / HTTP/1.1\r\n\r\n"));
}

/* Writes a head of exactly this length, with one long header. */
static char *head_of_length(size_t length)
{
    static const char start[] = "GET / HTTP/1.1\r\nA: ";
    char *bytes = malloc(length);
    assert_non_null(bytes);
    memset(bytes, 'x', length);
    memcpy(bytes, start, sizeof start - 1);
    memcpy(bytes + length - 4, "\r\n\r\n", 4);
    return bytes;
}

static void a_head_may_have_8192_bytes_by_default_and_no_more(void **state)
{
    (void)state;
    jz_request_head head;
    char *longest = head_of_length(8192);
    assert_int_equal(read_head(longest, 8192, &head), JZ_HEAD_COMPLETE);
    assert_int_equal(head.headers[0].value.length, 8192 - strlen("GET / HTTP/1.1\r\nA: \r\n\r\n"));
    assert_int_equal(read_head_byte_by_byte(longest, 8192, &head), JZ_HEAD_COMPLETE);
    assert_int_equal(read_head(longest, 8191, &head), JZ_HEAD_INCOMPLETE);
    free(longest);

    char *too_long = head_of_length(8193);
    assert_int_equal(read_head(too_long, 8193, &head), JZ_HEAD_TOO_LARGE);
    assert_int_equal(read_head_byte_by_byte(too_long, 8193, &head), JZ_HEAD_TOO_LARGE);
    assert_int_equal(read_head(too_long, 8192, &head), JZ_HEAD_TOO_LARGE); /* no byte could complete it any more */
    assert_int_equal(read_head(too_long, 8191, &head), JZ_HEAD_INCOMPLETE);
    free(too_long);
}

static size_t write_head_with_headers(char *bytes, size_t capacity, unsigned count)
{
    size_t length = (size_t)snprintf(bytes, capacity, "GET / HTTP/1.1\r\n");
    for (unsigned i = 0; i < count; i++)
        length += (size_t)snprintf(bytes + length, capacity - length, "Name-%u: value %u\r\n", i, i);
    length += (size_t)snprintf(bytes + length, capacity - length, "\r\n");
    return length;
}

static void a_head_may_have_64_headers_by_default_and_no_more(void **state)
{
    (void)state;
    char bytes[4096];
    jz_request_head head;
    size_t length = write_head_with_headers(bytes, sizeof bytes, 64);
    assert_int_equal(read_head(bytes, length, &head), JZ_HEAD_COMPLETE);
    assert_int_equal(head.header_count, 64);
    assert_true(is_text(head.headers[63].name, "Name-63"));
    assert_true(is_text(head.headers[63].value, "value 63"));
    length = write_head_with_headers(bytes, sizeof bytes, 65);
    assert_int_equal(read_head(bytes, length, &head), JZ_HEAD_TOO_LARGE);
}

static void a_head_is_as_long_as_its_limit_allows(void **state)
{
    (void)state;
    static const size_t limits[] = {23, 24, 4096, 8191, 8193, JZ_MAX_HEAD_LENGTH};
    for (size_t i = 0; i < COUNT_OF(limits); i++) {
        jz_head_limits within = {limits[i], JZ_DEFAULT_HEADERS};
        jz_request_head head;
        char *longest = head_of_length(limits[i]);
        assert_int_equal(read_head_within(&within, longest, limits[i], &head), JZ_HEAD_COMPLETE);
        assert_int_equal(read_head_within(&within, longest, limits[i] - 1, &head), JZ_HEAD_INCOMPLETE);
        free(longest);
        char *too_long = head_of_length(limits[i] + 1);
        assert_int_equal(read_head_within(&within, too_long, limits[i] + 1, &head), JZ_HEAD_TOO_LARGE);
        assert_int_equal(read_head_within(&within, too_long, limits[i], &head), JZ_HEAD_TOO_LARGE);
        assert_int_equal(read_head_within(&within, too_long, limits[i] - 1, &head), JZ_HEAD_INCOMPLETE);
        free(too_long);
    }
}

static void a_head_has_as_many_headers_as_its_limit_allows(void **state)
{
    (void)state;
    static const unsigned limits[] = {0, 1, 63, 65, JZ_MAX_HEADERS};
    static char bytes[16384];
    for (size_t i = 0; i < COUNT_OF(limits); i++) {
        jz_head_limits within = {sizeof bytes, limits[i]};
        jz_request_head head;
        size_t length = write_head_with_headers(bytes, sizeof bytes, limits[i]);
        assert_int_equal(read_head_within(&within, bytes, length, &head), JZ_HEAD_COMPLETE);
        assert_int_equal(head.header_count, limits[i]);
        length = write_head_with_headers(bytes, sizeof bytes, limits[i] + 1);
        assert_int_equal(read_head_within(&within, bytes, length, &head), JZ_HEAD_TOO_LARGE);
    }
}

static void no_limit_allows_more_headers_than_there_is_room_for(void **state)
{
    (void)state;
    static char bytes[16384];
    jz_head_limits within = {sizeof bytes, SIZE_MAX};
    jz_request_head head;
    size_t length = write_head_with_headers(bytes, sizeof bytes, JZ_MAX_HEADERS + 1);
    assert_int_equal(read_head_within(&within, bytes, length, &head), JZ_HEAD_TOO_LARGE);
    assert_int_equal(head.header_count, JZ_MAX_HEADERS);
}

static const char head_with_lists[] = "GET / HTTP/1.1\r\n"
                                      "Connection: keep-alive, Upgrade\r\n"
                                      "X-Other: first\r\n"
                                      "connection:close\t,\tx-last\r\n"
                                      "x-OTHER: second\r\n"
                                      "X-Empty:\r\n"
                                      "X-Gaps: ,, a ,\r\n\r\n";

static void headers_are_found_by_name_in_any_case_and_counted(void **state)
{
    (void)state;
    jz_request_head head;
    assert_int_equal(read_head(HEAD(head_with_lists), &head), JZ_HEAD_COMPLETE);
    jz_text value = jz_text_of("untouched");
    assert_int_equal(jz_request_head_find(&head, "X-Missing", &value), 0);
    assert_true(is_text(value, "untouched"));
    assert_int_equal(jz_request_head_find(&head, "x-other", &value), 2);
    assert_true(is_text(value, "first"));
    assert_int_equal(jz_request_head_find(&head, "X-EMPTY", &value), 1);
    assert_int_equal(value.length, 0);
    assert_int_equal(jz_request_head_find(&head, "Connection", NULL), 2);
    assert_int_equal(jz_request_head_find(&head, "X-Othe", NULL), 0);
}

static const struct {
    const char *name;
    const char *token;
    bool is_listed;
} list_lookups[] = {
    {"Connection", "upgrade", true}, {"Connection", "keep-alive", true},
    {"CONNECTION", "CLOSE", true}, /* in the second line of that name */
    {"Connection", "x-last", true},  {"Connection", "keep", false},
    {"Connection", "grade", false},  {"Connection", "keep-alive, Upgrade", false},
    {"Connection", "first", false},  {"X-Other", "second", true},
    {"X-Missing", "upgrade", false}, {"X-Empty", "a", false},
    {"X-Gaps", "a", true},
};

static void tokens_are_found_in_lists_over_all_lines_of_a_name(void **state)
{
    (void)state;
    jz_request_head head;
    assert_int_equal(read_head(HEAD(head_with_lists), &head), JZ_HEAD_COMPLETE);
    for (size_t i = 0; i < COUNT_OF(list_lookups); i++)
        assert_that(jz_request_head_lists(&head, list_lookups[i].name, list_lookups[i].token) ==
                        list_lookups[i].is_listed,
                    "%s in %s", list_lookups[i].token, list_lookups[i].name);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_valid_heads_whole_and_byte_by_byte),
        cmocka_unit_test(refuses_malformed_heads_whole_and_byte_by_byte),
        cmocka_unit_test(it_is_said_which_rule_a_head_breaks),
        cmocka_unit_test(the_host_is_the_targets_or_that_of_the_only_host),
        cmocka_unit_test(bare_line_ends_and_nul_are_refused_as_soon_as_they_are_seen),
        cmocka_unit_test(the_head_ends_with_its_empty_line_and_what_follows_is_not_looked_at),
        cmocka_unit_test(a_head_may_have_8192_bytes_by_default_and_no_more),
        cmocka_unit_test(a_head_may_have_64_headers_by_default_and_no_more),
        cmocka_unit_test(a_head_is_as_long_as_its_limit_allows),
        cmocka_unit_test(a_head_has_as_many_headers_as_its_limit_allows),
        cmocka_unit_test(no_limit_allows_more_headers_than_there_is_room_for),
        cmocka_unit_test(headers_are_found_by_name_in_any_case_and_counted),
        cmocka_unit_test(tokens_are_found_in_lists_over_all_lines_of_a_name),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("request_head", tests, NULL, NULL));
}
