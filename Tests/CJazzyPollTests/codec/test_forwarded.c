#include "codec/forwarded.h"

#include <stdio.h>

#include "jazzy/websocket.h"
#include "support/random.h"
#include "support/testing.h"

enum { MAX_LINES = 4 };

/* The proxies that the tests trust. */
static const char *const trusted_networks[] = {"10.0.0.0/8", "fd00::/8", "192.0.2.1", "unix"};

typedef bool client_function(const jz_request_head *head, const jz_network *trusted, size_t trusted_count,
                             jz_address *client);

typedef struct row {
    const char *lines[MAX_LINES]; /* the values of that header; other headers are between them */
    const char *client;           /* NULL: none is told */
} row;

static void add_header(jz_request_head *head, const char *name, jz_text value)
{
    head->headers[head->header_count++] = (jz_header){jz_text_of(name), jz_text_trim(value)};
}

/* The client's address, or "none". */
static void find_client(client_function *function, const jz_request_head *head, char text[JZ_REMOTE_ADDRESS_SIZE])
{
    static const jz_address untouched = {{0xEE, 0xEE}, 0xEEEE};
    jz_network trusted[COUNT_OF(trusted_networks)];
    for (size_t i = 0; i < COUNT_OF(trusted); i++)
        assert_true(jz_network_parse(jz_text_of(trusted_networks[i]), &trusted[i]));
    jz_address client = untouched;
    strcpy(text, "none");
    if (function(head, trusted, COUNT_OF(trusted), &client)) {
        jz_address_format(&client, text, JZ_REMOTE_ADDRESS_SIZE);
    } else {
        assert_memory_equal(client.ip, untouched.ip, sizeof client.ip);
        assert_int_equal(client.port, untouched.port);
    }
}

static void expect_rows(client_function *function, const char *name, const row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        jz_request_head head = {0};
        char client[JZ_REMOTE_ADDRESS_SIZE];
        const char *expected = rows[i].client != NULL ? rows[i].client : "none";
        for (size_t j = 0; j < MAX_LINES && rows[i].lines[j] != NULL; j++) {
            add_header(&head, "X-Forwarded", jz_text_of("198.51.100.99"));
            add_header(&head, name, jz_text_of(rows[i].lines[j]));
            add_header(&head, "Forwarded-For", jz_text_of("198.51.100.99"));
        }
        find_client(function, &head, client);
        assert_that(strcmp(client, expected) == 0, "'%s' and so on told of %s instead of %s",
                    rows[i].lines[0] != NULL ? rows[i].lines[0] : "nothing", client, expected);
    }
}

static const row x_forwarded_for[] = {
    {{NULL}, NULL},
    {{""}, NULL},
    {{"198.51.100.7"}, "198.51.100.7:0"},
    {{"198.51.100.7:4711"}, "198.51.100.7:4711"},
    {{"2001:db8::7"}, "[2001:db8::7]:0"},
    {{"[2001:db8::7]"}, "[2001:db8::7]:0"},
    {{"[2001:db8::7]:4711"}, "[2001:db8::7]:4711"},
    {{"::ffff:198.51.100.7"}, "198.51.100.7:0"},
    /* The last untrusted address is the client; its own elements are not believed. */
    {{"203.0.113.9, 198.51.100.7"}, "198.51.100.7:0"},
    {{"203.0.113.9,198.51.100.7"}, "198.51.100.7:0"},
    {{"203.0.113.9 \t, \t198.51.100.7"}, "198.51.100.7:0"},
    {{"203.0.113.9, 198.51.100.7, 10.0.0.1"}, "198.51.100.7:0"},
    {{"203.0.113.9, 198.51.100.7, 10.0.0.1:80, fd00::1, 192.0.2.1"}, "198.51.100.7:0"},
    {{"10.0.0.1, 198.51.100.7, 10.0.0.2"}, "198.51.100.7:0"},
    {{"192.0.2.2, 192.0.2.1"}, "192.0.2.2:0"},
    {{"203.0.113.9, ::ffff:10.0.0.1"}, "203.0.113.9:0"},
    /* All are trusted: the first is where the request came from. */
    {{"10.0.0.1"}, "10.0.0.1:0"},
    {{"10.0.0.3:80, 10.0.0.2, 10.0.0.1"}, "10.0.0.3:80"},
    /* Several lines are one list. */
    {{"198.51.100.7", "10.0.0.1"}, "198.51.100.7:0"},
    {{"203.0.113.9", "198.51.100.7"}, "198.51.100.7:0"},
    {{"203.0.113.9, 198.51.100.7", "10.0.0.2, 10.0.0.1", "fd00::1"}, "198.51.100.7:0"},
    {{"10.0.0.3, 10.0.0.2", "10.0.0.1"}, "10.0.0.3:0"},
    {{"198.51.100.7", "", "10.0.0.1"}, "198.51.100.7:0"},
    {{"garbage", "198.51.100.7", "10.0.0.1"}, "198.51.100.7:0"},
    /* Empty elements are no elements. */
    {{","}, NULL},
    {{" , ,,"}, NULL},
    {{",198.51.100.7"}, "198.51.100.7:0"},
    {{"198.51.100.7,"}, "198.51.100.7:0"},
    {{"198.51.100.7,, ,10.0.0.1, "}, "198.51.100.7:0"},
    /* An element that is no address hides the elements in front of it. */
    {{"unknown"}, NULL},
    {{"198.51.100.7, unknown"}, NULL},
    {{"198.51.100.7, _hidden, 10.0.0.1"}, "10.0.0.1:0"},
    {{"198.51.100.7, unknown, 10.0.0.2, 10.0.0.1"}, "10.0.0.2:0"},
    {{"198.51.100.7", "unknown", "10.0.0.1"}, "10.0.0.1:0"},
    {{"198.51.100.7", "unknown"}, NULL},
    {{"unknown, 198.51.100.7"}, "198.51.100.7:0"},
    {{"198.51.100.7 10.0.0.1"}, NULL},
    {{"198.51.100.7; 10.0.0.1"}, NULL},
    {{"\"198.51.100.7\""}, NULL},
    {{"\"198.51.100.7, 10.0.0.1"}, "10.0.0.1:0"},
    {{"for=198.51.100.7"}, NULL},
    {{"198.51.100.07"}, NULL},
    {{"198.51.100.7:65536"}, NULL},
    {{"client.example.com"}, NULL},
    {{"10.0.0.0/8"}, NULL},
    /* "unix" may be trusted, but is no address in a header. */
    {{"198.51.100.7, unix"}, NULL},
    {{"198.51.100.7, ::"}, NULL},
};

static void x_forwarded_for_tells_the_last_that_is_not_trusted(void **state)
{
    (void)state;
    expect_rows(jz_x_forwarded_for, "X-Forwarded-For", x_forwarded_for, COUNT_OF(x_forwarded_for));
    expect_rows(jz_x_forwarded_for, "x-forwarded-for", x_forwarded_for, COUNT_OF(x_forwarded_for));
}

static const row forwarded[] = {
    {{NULL}, NULL},
    {{""}, NULL},
    {{"for=198.51.100.7"}, "198.51.100.7:0"},
    {{"for=\"198.51.100.7\""}, "198.51.100.7:0"},
    {{"for=\"198.51.100.7:4711\""}, "198.51.100.7:4711"},
    {{"for=\"[2001:db8::7]\""}, "[2001:db8::7]:0"},
    {{"for=\"[2001:db8::7]:4711\""}, "[2001:db8::7]:4711"},
    {{"for=\"[2001:db8::\\7]:47\\1\\1\""}, "[2001:db8::7]:4711"},
    {{"For=\"[2001:DB8::7]:4711\""}, "[2001:db8::7]:4711"},
    {{"FOR=198.51.100.7"}, "198.51.100.7:0"},
    /* The examples of RFC 7239 §4. */
    {{"for=\"_gazonk\""}, NULL},
    {{"For=\"[2001:db8:cafe::17]:4711\""}, "[2001:db8:cafe::17]:4711"},
    {{"for=192.0.2.60;proto=http;by=203.0.113.43"}, "192.0.2.60:0"},
    {{"for=192.0.2.43, for=198.51.100.17"}, "198.51.100.17:0"},
    /* Other parameters, before and after. */
    {{"by=10.0.0.1;for=198.51.100.7"}, "198.51.100.7:0"},
    {{"proto=https;host=\"example.com:443\";for=\"198.51.100.7:1\";by=_proxy"}, "198.51.100.7:1"},
    {{"for=198.51.100.7; proto=https ;\thost=example.com"}, "198.51.100.7:0"},
    {{"for=198.51.100.7;unheard-of=\"\""}, "198.51.100.7:0"},
    {{";for=198.51.100.7;;proto=http;"}, "198.51.100.7:0"},
    {{"xfor=10.0.0.1;for=198.51.100.7;fort=10.0.0.1"}, "198.51.100.7:0"},
    {{"for=198.51.100.7;host=\"a,for=10.0.0.1\""}, "198.51.100.7:0"},
    {{"for=198.51.100.7;host=\"a;for=10.0.0.1\""}, "198.51.100.7:0"},
    {{"for=198.51.100.7;host=\"a\\\",for=10.0.0.1\""}, "198.51.100.7:0"},
    {{"for=198.51.100.7;host=\"a\\\\\",for=10.0.0.1"}, "198.51.100.7:0"},
    {{"for=198.51.100.7;host=\"\\\\\\\",for=10.0.0.1\""}, "198.51.100.7:0"},
    {{"for=198.51.100.7;host=\",\";by=\",\""}, "198.51.100.7:0"},
    /* A port may be hidden though the address is not. */
    {{"for=\"198.51.100.7:_port\""}, "198.51.100.7:0"},
    {{"for=\"[2001:db8::7]:_a-Z.0_\""}, "[2001:db8::7]:0"},
    {{"for=\"198.51.100.7:_\""}, NULL},
    {{"for=\"198.51.100.7:_a b\""}, NULL},
    {{"for=\"198.51.100.7:_a!\""}, NULL},
    {{"for=\"198.51.100.7:80:_port\""}, NULL},
    {{"for=\":_port\""}, NULL},
    {{"for=\"198.51.100.7:port\""}, NULL},
    /* The walk from the last to the first. */
    {{"for=203.0.113.9, for=198.51.100.7, for=10.0.0.1;proto=http"}, "198.51.100.7:0"},
    {{"for=203.0.113.9,for=198.51.100.7,for=\"10.0.0.1:80\",for=\"[fd00::1]\""}, "198.51.100.7:0"},
    {{"for=\"10.0.0.3:80\", for=10.0.0.2, for=10.0.0.1"}, "10.0.0.3:80"},
    {{"for=10.0.0.1"}, "10.0.0.1:0"},
    {{"for=203.0.113.9, for=198.51.100.7", "for=10.0.0.2", "for=10.0.0.1"}, "198.51.100.7:0"},
    {{"for=198.51.100.7", "", "for=10.0.0.1"}, "198.51.100.7:0"},
    {{" , for=198.51.100.7 ,,\t, for=10.0.0.1 ,"}, "198.51.100.7:0"},
    {{","}, NULL},
    /* An element without an address hides the elements in front of it. */
    {{"for=unknown"}, NULL},
    {{"for=198.51.100.7, for=unknown"}, NULL},
    {{"for=198.51.100.7, for=unknown, for=10.0.0.1"}, "10.0.0.1:0"},
    {{"for=198.51.100.7, for=_hidden, for=10.0.0.1"}, "10.0.0.1:0"},
    {{"for=198.51.100.7, for=\"_hidden:4711\", for=10.0.0.2, for=10.0.0.1"}, "10.0.0.2:0"},
    {{"for=198.51.100.7, proto=http, for=10.0.0.1"}, "10.0.0.1:0"},
    {{"for=198.51.100.7, by=10.0.0.1"}, NULL},
    {{"for=198.51.100.7, ;"}, NULL},
    {{"for=198.51.100.7", "for=unknown", "for=10.0.0.1"}, "10.0.0.1:0"},
    {{"for=198.51.100.7, for=unix"}, NULL},
    {{"for=198.51.100.7, for=\"[::]\""}, NULL},
    /* So do malformed elements. */
    {{"198.51.100.7"}, NULL},
    {{"for"}, NULL},
    {{"for="}, NULL},
    {{"for=;"}, NULL},
    {{"for=\"\""}, NULL},
    {{"=198.51.100.7"}, NULL},
    {{"for=198.51.100.7;proto"}, NULL},
    {{"for=198.51.100.7;proto="}, NULL},
    {{"for=198.51.100.7;=http"}, NULL},
    {{"for=198.51.100.7 proto=http"}, NULL},
    {{"for = 198.51.100.7"}, NULL},
    {{"for= 198.51.100.7"}, NULL},
    {{"for=198.51.100.7;for=198.51.100.7"}, NULL},
    {{"for=198.51.100.7;For=10.0.0.1"}, NULL},
    {{"for=198.51.100.7:4711"}, NULL}, /* no token: it has to be quoted */
    {{"for=[2001:db8::7]"}, NULL},     /* likewise */
    {{"for=\"2001:db8::7\""}, NULL},   /* where brackets are missing, a port could be meant */
    {{"for=\"[198.51.100.7]\""}, NULL},
    {{"for=\" 198.51.100.7\""}, NULL},
    {{"for=\"198.51.100.7\"1"}, NULL},
    {{"for=\"198.51.100.7\"\"\""}, NULL},
    {{"for=\"198.51.100.7:04711\""}, NULL},
    {{"for=\"198.51.100.7:65536\""}, NULL},
    {{"for=\"198.51.100.7"}, NULL},
    {{"for=198.51.100.7\""}, NULL},
    {{"for=\"198.51.100.7\\\""}, NULL},
    {{"for=\"198.51.100.7\\"}, NULL},
    {{"for=198.51.100.7, \""}, NULL},
    {{"for='198.51.100.7'"}, NULL},
};

static void forwarded_tells_the_last_that_is_not_trusted(void **state)
{
    (void)state;
    expect_rows(jz_forwarded, "Forwarded", forwarded, COUNT_OF(forwarded));
    expect_rows(jz_forwarded, "FORWARDED", forwarded, COUNT_OF(forwarded));
}

static void each_function_reads_its_own_header(void **state)
{
    (void)state;
    jz_request_head head = {0};
    char client[JZ_REMOTE_ADDRESS_SIZE];
    add_header(&head, "X-Forwarded-For", jz_text_of("198.51.100.7"));
    add_header(&head, "Forwarded", jz_text_of("for=203.0.113.9"));
    find_client(jz_x_forwarded_for, &head, client);
    assert_string_equal(client, "198.51.100.7:0");
    find_client(jz_forwarded, &head, client);
    assert_string_equal(client, "203.0.113.9:0");
}

static void with_nobody_trusted_the_last_element_counts(void **state)
{
    (void)state;
    jz_request_head head = {0};
    jz_address client;
    char text[JZ_REMOTE_ADDRESS_SIZE];
    add_header(&head, "X-Forwarded-For", jz_text_of("198.51.100.7, 10.0.0.1"));
    assert_true(jz_x_forwarded_for(&head, NULL, 0, &client));
    jz_address_format(&client, text, sizeof text);
    assert_string_equal(text, "10.0.0.1:0");
}

static void expect_forwarded(const char *line, const char *expected)
{
    jz_request_head head = {0};
    char client[JZ_REMOTE_ADDRESS_SIZE];
    add_header(&head, "Forwarded", jz_text_of(line));
    find_client(jz_forwarded, &head, client);
    assert_that(strcmp(client, expected) == 0, "%s told of %s", line, client);
}

static void a_node_of_more_than_128_bytes_names_nobody_and_other_values_may_be_longer(void **state)
{
    (void)state;
    char many[1001] = "";
    char line[1100];
    memset(many, 'x', sizeof many - 1);
    snprintf(line, sizeof line, "for=\"198.51.100.7:_%.*s\"", 128 - 14, many);
    expect_forwarded(line, "198.51.100.7:0");
    snprintf(line, sizeof line, "for=\"198.51.100.7:_%.*s\"", 129 - 14, many);
    expect_forwarded(line, "none");
    snprintf(line, sizeof line, "host=%s;for=198.51.100.7;by=\"%.10s\"", many, many);
    expect_forwarded(line, "198.51.100.7:0");
}

static void proxies_tell_the_scheme_of_their_client(void **state)
{
    (void)state;
    enum { NOT = JZ_SCHEME_NOT_NAMED, PLAIN = JZ_SCHEME_PLAIN, SECURE = JZ_SCHEME_SECURE };
    static const struct {
        const char *header;
        const char *lines[2];
        int naming;
    } rows[] = {
        {"X-Forwarded-Proto", {"https"}, SECURE},
        {"x-forwarded-proto", {"HTTPS"}, SECURE},
        {"X-Forwarded-Proto", {"wss"}, SECURE},
        {"X-Forwarded-Proto", {"http"}, PLAIN},
        {"X-Forwarded-Proto", {"ws"}, PLAIN},
        {"X-Forwarded-Proto", {"httpsx"}, PLAIN},
        {"X-Forwarded-Proto", {"\"https\""}, PLAIN},
        {"X-Forwarded-Proto", {""}, NOT},
        {"X-Forwarded-Proto", {" , ,"}, NOT},
        {"X-Forwarded-Protocol", {"https"}, NOT},
        /* The last element is the nearest proxy's. */
        {"X-Forwarded-Proto", {"http, https"}, SECURE},
        {"X-Forwarded-Proto", {"https,http"}, PLAIN},
        {"X-Forwarded-Proto", {"https, "}, SECURE},
        {"X-Forwarded-Proto", {"http", "https"}, SECURE},
        {"X-Forwarded-Proto", {"https", "http"}, PLAIN},
        {"Forwarded", {"proto=https"}, SECURE},
        {"Forwarded", {"for=198.51.100.7;proto=https;host=a"}, SECURE},
        {"Forwarded", {"Proto=\"HT\\TPS\";for=198.51.100.7"}, SECURE},
        {"Forwarded", {"for=198.51.100.7;proto=http"}, PLAIN},
        {"Forwarded", {"for=198.51.100.7;proto=\"\""}, PLAIN},
        {"Forwarded", {"for=198.51.100.7"}, NOT},
        {"Forwarded", {"for=_hidden;proto=https"}, SECURE},
        {"Forwarded", {"for=198.51.100.7;proto=https;proto=http"}, PLAIN},
        {"Forwarded", {"for=198.51.100.7;proto=http;proto=https"}, PLAIN},
        /* What counts is how the client came to the first trusted proxy. */
        {"Forwarded", {"for=198.51.100.7;proto=https, for=10.1.2.3;proto=http"}, SECURE},
        {"Forwarded", {"for=198.51.100.7;proto=http, for=10.1.2.3;proto=https"}, PLAIN},
        {"Forwarded", {"for=198.51.100.7, for=10.1.2.3;proto=https"}, NOT},
        {"Forwarded", {"for=198.51.100.7;proto=https", "for=10.1.2.3;proto=http"}, SECURE},
        {"Forwarded", {"for=10.1.2.3;proto=https"}, SECURE},
        /* What the client has written does not. */
        {"Forwarded", {"for=10.1.2.3;proto=https, for=198.51.100.7;proto=http"}, PLAIN},
        {"Forwarded", {"proto=https, for=198.51.100.7"}, NOT},
        {"Forwarded", {"proto=https, for=\"198.51.100.7"}, NOT},
        {"Forwarded", {"for=198.51.100.7;proto"}, NOT},
    };
    jz_network trusted[COUNT_OF(trusted_networks)];
    for (size_t i = 0; i < COUNT_OF(trusted); i++)
        assert_true(jz_network_parse(jz_text_of(trusted_networks[i]), &trusted[i]));
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        jz_request_head head = {0};
        for (size_t line = 0; line < COUNT_OF(rows[i].lines) && rows[i].lines[line] != NULL; line++)
            add_header(&head, rows[i].header, jz_text_of(rows[i].lines[line]));
        bool is_list = rows[i].header[0] != 'F';
        jz_scheme_naming naming =
            is_list ? jz_x_forwarded_scheme(&head) : jz_forwarded_scheme(&head, trusted, COUNT_OF(trusted));
        assert_that((int)naming == rows[i].naming, "%s: %s told %d", rows[i].header, rows[i].lines[0], (int)naming);
        naming = is_list ? jz_forwarded_scheme(&head, trusted, COUNT_OF(trusted)) : jz_x_forwarded_scheme(&head);
        assert_int_equal(naming, JZ_SCHEME_NOT_NAMED);
    }
}

/* Values with which a client may try to make the proxy's appended element be misread. */
static const char *const inventions[] = {
    "\"",
    "\\",
    "for=\"",
    "for=10.0.0.9;host=\"",
    "for=\"\\",
    "for=\"10.0.0.9\\\"",
    "for=10.0.0.9;host=\"\\\\\\",
    "\",\"",
    "for=\"[",
    "for=10.0.0.9;",
    "for=10.0.0.9,for",
    "for=10.0.0.9;by",
    "(",
    "\xFF\t\x80",
};

static void what_a_client_invents_does_not_hide_what_proxies_append(void **state)
{
    (void)state;
    static const struct {
        const char *appended;
        const char *client;
    } proxies[] = {
        {"for=198.51.100.7", "198.51.100.7:0"},
        {"for=\"198.51.100.7:4711\"", "198.51.100.7:4711"},
        {"for=\"[2001:db8::7]:4711\";host=\"a,\\\"b\\\\\"", "[2001:db8::7]:4711"},
        {"for=\"[2001:db8::7]\", for=\"10.0.0.1\"", "[2001:db8::7]:0"},
    };
    for (size_t i = 0; i < COUNT_OF(inventions); i++) {
        for (size_t j = 0; j < COUNT_OF(proxies); j++) {
            char line[256];
            snprintf(line, sizeof line, "%s, %s", inventions[i], proxies[j].appended);
            expect_forwarded(line, proxies[j].client);
        }
    }
}

/* 64 KiB of what takes longest: with time that grew with the square this would take minutes. */
static void long_headers_take_no_longer_than_they_are(void **state)
{
    (void)state;
    enum { LENGTH = 65536 };
    static const char *const patterns[] = {",", "\"", "\\", "\\\"", "\",", ";", "for=10.0.0.1,", "for=\"", "10.0.0.1,"};
    char *line = malloc(LENGTH);
    assert_non_null(line);
    for (size_t i = 0; i < COUNT_OF(patterns); i++) {
        char client[JZ_REMOTE_ADDRESS_SIZE];
        jz_request_head head = {0};
        for (size_t j = 0; j < LENGTH; j++)
            line[j] = patterns[i][j % strlen(patterns[i])];
        add_header(&head, "Forwarded", (jz_text){line, LENGTH});
        add_header(&head, "X-Forwarded-For", (jz_text){line, LENGTH});
        for (size_t j = 0; j < 10; j++) {
            find_client(jz_forwarded, &head, client);
            find_client(jz_x_forwarded_for, &head, client);
        }
    }
    free(line);
}

/* For any value, nothing outside of it is read (ASan would find that). */
static void changed_bytes_tell_of_another_or_of_nobody(void **state)
{
    (void)state;
    test_random random = {1};
    for (size_t i = 0; i < COUNT_OF(forwarded); i++) {
        size_t length = forwarded[i].lines[0] != NULL ? strlen(forwarded[i].lines[0]) : 0;
        for (size_t change = 0; change < 200 && length > 0; change++) {
            char client[JZ_REMOTE_ADDRESS_SIZE];
            jz_request_head head = {0};
            char *exact = malloc(length);
            assert_non_null(exact);
            memcpy(exact, forwarded[i].lines[0], length);
            exact[test_random_below(&random, length)] = (char)test_random_next(&random);
            add_header(&head, "Forwarded", (jz_text){exact, length});
            add_header(&head, "X-Forwarded-For", (jz_text){exact, length});
            find_client(jz_forwarded, &head, client);
            find_client(jz_x_forwarded_for, &head, client);
            free(exact);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(x_forwarded_for_tells_the_last_that_is_not_trusted),
        cmocka_unit_test(forwarded_tells_the_last_that_is_not_trusted),
        cmocka_unit_test(each_function_reads_its_own_header),
        cmocka_unit_test(with_nobody_trusted_the_last_element_counts),
        cmocka_unit_test(a_node_of_more_than_128_bytes_names_nobody_and_other_values_may_be_longer),
        cmocka_unit_test(proxies_tell_the_scheme_of_their_client),
        cmocka_unit_test(what_a_client_invents_does_not_hide_what_proxies_append),
        cmocka_unit_test(long_headers_take_no_longer_than_they_are),
        cmocka_unit_test(changed_bytes_tell_of_another_or_of_nobody),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("forwarded", tests, NULL, NULL));
}
