#include "codec/proxy_header.h"

#include "jazzy/websocket.h"
#include "support/random.h"
#include "support/testing.h"

/* Bytes and their number, which the compiler counts: there may be a NUL among them. */
#define WIRE(literal) (literal), sizeof(literal) - 1

#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"
#define IPV4_ADDRESSES "\xC0\x00\x02\x07\xC0\x00\x02\x01" /* 192.0.2.7 to 192.0.2.1 */
#define IPV6_ADDRESSES                                                                                                 \
    "\x20\x01\x0D\xB8\0\0\0\0\0\0\0\0\0\0\0\x07"                                                                       \
    "\x20\x01\x0D\xB8\0\0\0\0\0\0\0\0\0\0\0\x01" /* 2001:db8::7 to 2001:db8::1 */
#define PORTS "\x12\x67\x01\xBB"                 /* 4711 to 443 */
#define ZEROS_18 "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
#define ZEROS_108 ZEROS_18 ZEROS_18 ZEROS_18 ZEROS_18 ZEROS_18 ZEROS_18
#define UNIX_ADDRESSES ZEROS_108 ZEROS_108
#define TLV "\x04\0\x03***"

static const struct {
    const char *name;
    const char *bytes;
    size_t length;
    const char *source; /* NULL: none is named */
} headers[] = {
    {"an IPv4 line", WIRE("PROXY TCP4 192.0.2.7 192.0.2.1 4711 443\r\n"), "192.0.2.7:4711"},
    {"the longest IPv4 line", WIRE("PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n"),
     "255.255.255.255:65535"},
    {"the smallest IPv4 line", WIRE("PROXY TCP4 0.0.0.0 0.0.0.0 0 0\r\n"), "0.0.0.0:0"},
    {"an IPv6 line", WIRE("PROXY TCP6 2001:db8::7 2001:db8::1 4711 443\r\n"), "[2001:db8::7]:4711"},
    {"the longest IPv6 line",
     WIRE("PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n"),
     "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535"},
    {"an IPv6 line in capitals", WIRE("PROXY TCP6 2001:DB8::ABCD ::1 1 2\r\n"), "[2001:db8::abcd]:1"},
    {"an IPv6 line about mapped addresses", WIRE("PROXY TCP6 ::ffff:192.0.2.7 ::ffff:192.0.2.1 4711 443\r\n"),
     "192.0.2.7:4711"},
    {"an IPv6 line about nobody", WIRE("PROXY TCP6 :: ::1 4711 443\r\n"), NULL},
    {"an unknown line", WIRE("PROXY UNKNOWN\r\n"), NULL},
    {"an unknown line with addresses", WIRE("PROXY UNKNOWN 192.0.2.7 192.0.2.1 4711 443\r\n"), NULL},
    {"the longest unknown line",
     WIRE("PROXY UNKNOWN "
          "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n"),
     NULL},
    {"an unknown line with anything", WIRE("PROXY UNKNOWN \0\xFF PROXY TCP4  \t\r\n"), NULL},
    {"an unknown line with a space", WIRE("PROXY UNKNOWN \r\n"), NULL},

    {"local", WIRE(SIGNATURE "\x20\x00\0\0"), NULL},
    {"local with addresses", WIRE(SIGNATURE "\x20\x11\0\x0C" IPV4_ADDRESSES PORTS), NULL},
    {"local with fewer bytes than addresses have", WIRE(SIGNATURE "\x20\x11\0\x03***"), NULL},
    {"local with a family that there is not", WIRE(SIGNATURE "\x20\xFF\0\x03***"), NULL},
    {"TCP over IPv4", WIRE(SIGNATURE "\x21\x11\0\x0C" IPV4_ADDRESSES PORTS), "192.0.2.7:4711"},
    {"TCP over IPv4 and more", WIRE(SIGNATURE "\x21\x11\0\x12" IPV4_ADDRESSES PORTS TLV), "192.0.2.7:4711"},
    {"TCP over IPv4 and what is no TLV", WIRE(SIGNATURE "\x21\x11\0\x0E" IPV4_ADDRESSES PORTS "\x04\xFF"),
     "192.0.2.7:4711"},
    {"TCP over IPv4 from 0.0.0.0", WIRE(SIGNATURE "\x21\x11\0\x0C\0\0\0\0\0\0\0\0\0\0\0\0"), "0.0.0.0:0"},
    {"TCP over IPv6", WIRE(SIGNATURE "\x21\x21\0\x24" IPV6_ADDRESSES PORTS), "[2001:db8::7]:4711"},
    {"TCP over IPv6 and more", WIRE(SIGNATURE "\x21\x21\0\x2A" IPV6_ADDRESSES PORTS TLV), "[2001:db8::7]:4711"},
    {"TCP over IPv6 from nobody", WIRE(SIGNATURE "\x21\x21\0\x24" ZEROS_18 ZEROS_18), NULL},
    {"TCP over IPv6 from nobody's port", WIRE(SIGNATURE "\x21\x21\0\x24" ZEROS_18 "\0\0\0\0\0\0\0\0\0\0\0\0\0\0" PORTS),
     NULL},
    {"a Unix stream", WIRE(SIGNATURE "\x21\x31\0\xD8" UNIX_ADDRESSES), NULL},
    {"a Unix stream and more", WIRE(SIGNATURE "\x21\x31\0\xDE" UNIX_ADDRESSES TLV), NULL},
    {"nothing specified", WIRE(SIGNATURE "\x21\x00\0\0"), NULL},
    {"nothing specified but more", WIRE(SIGNATURE "\x21\x00\0\x06" TLV), NULL},
    /* Unsupported families count as unspecified (§2.2). */
    {"UDP over IPv4", WIRE(SIGNATURE "\x21\x12\0\x0C" IPV4_ADDRESSES PORTS), NULL},
    {"UDP over IPv6", WIRE(SIGNATURE "\x21\x22\0\x24" IPV6_ADDRESSES PORTS), NULL},
    {"Unix datagrams", WIRE(SIGNATURE "\x21\x32\0\xD8" UNIX_ADDRESSES), NULL},
    {"a stream over something", WIRE(SIGNATURE "\x21\x01\0\0"), NULL},
    {"something over IPv4", WIRE(SIGNATURE "\x21\x10\0\x0C" IPV4_ADDRESSES PORTS), NULL},
};

/* Parses a copy that ends with the last byte: ASan sees one that is read beyond it. */
static jz_proxy_header_result parse(const char *bytes, size_t length, jz_proxy_header *header)
{
    uint8_t *copy = malloc(length > 0 ? length : 1);
    assert_non_null(copy);
    memcpy(copy, bytes, length);
    jz_proxy_header_result result = jz_proxy_header_parse(copy, length, header);
    free(copy);
    return result;
}

static void check_header(size_t row, const jz_proxy_header *header)
{
    static const jz_address none = {0};
    char source[JZ_REMOTE_ADDRESS_SIZE];
    jz_address_format(&header->source, source, sizeof source);
    assert_that(header->length == headers[row].length, "%s: %zu bytes", headers[row].name, header->length);
    assert_that(header->names_source == (headers[row].source != NULL), "%s: source", headers[row].name);
    if (headers[row].source != NULL)
        assert_that(strcmp(source, headers[row].source) == 0, "%s: %s", headers[row].name, source);
    else
        assert_memory_equal(header->source.ip, none.ip, sizeof none.ip);
}

static void headers_of_both_versions_are_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(headers); i++) {
        jz_proxy_header header;
        memset(&header, 0xEE, sizeof header);
        assert_that(parse(headers[i].bytes, headers[i].length, &header) == JZ_PROXY_HEADER_COMPLETE, "%s: refused",
                    headers[i].name);
        check_header(i, &header);
    }
}

static void what_follows_a_header_is_not_looked_at(void **state)
{
    (void)state;
    static const char *const followers[] = {"GET / HTTP/1.1\r\n\r\n", "\r\n", "\n", "PROXY UNKNOWN\r\n", "\xFF"};
    for (size_t i = 0; i < COUNT_OF(headers); i++) {
        for (size_t j = 0; j < COUNT_OF(followers); j++) {
            char bytes[512];
            jz_proxy_header header;
            size_t length = headers[i].length;
            memcpy(bytes, headers[i].bytes, length);
            memcpy(bytes + length, followers[j], strlen(followers[j]));
            assert_that(parse(bytes, length + strlen(followers[j]), &header) == JZ_PROXY_HEADER_COMPLETE, "%s: refused",
                        headers[i].name);
            check_header(i, &header);
        }
    }
}

static void every_beginning_of_a_header_is_incomplete_and_changes_nothing(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(headers); i++) {
        for (size_t length = 0; length < headers[i].length; length++) {
            jz_proxy_header header = {.length = 12345};
            assert_that(parse(headers[i].bytes, length, &header) == JZ_PROXY_HEADER_INCOMPLETE, "%s: %zu bytes",
                        headers[i].name, length);
            assert_int_equal(header.length, 12345);
        }
    }
}

/* Only the last byte shows that this is no header. */
static const struct {
    const char *name;
    const char *bytes;
    size_t length;
} malformed[] = {
    {"a request", WIRE("G")},
    {"TLS", WIRE("\x16")},
    {"a NUL", WIRE("\0")},
    {"an empty line", WIRE("\n")},
    {"another method", WIRE("PU")},
    {"small letters", WIRE("p")},
    {"small letters later", WIRE("PRo")},
    {"no space", WIRE("PROXYT")},
    {"two spaces", WIRE("PROXY  ")},
    {"a tab", WIRE("PROXY\t")},
    {"no protocol", WIRE("PROXY \r")},
    {"another protocol", WIRE("PROXY UD")},
    {"a protocol in small letters", WIRE("PROXY t")},
    {"another TCP", WIRE("PROXY TCP5")},
    {"TCP alone", WIRE("PROXY TCP ")},
    {"TCP without addresses", WIRE("PROXY TCP4\r")},
    {"more behind TCP", WIRE("PROXY TCP44")},
    {"two spaces before the source", WIRE("PROXY TCP4  ")},
    {"an IPv4 address that is too long", WIRE("PROXY TCP4 111.111.111.1111")},
    {"an IPv4 address of too large numbers", WIRE("PROXY TCP4 256.0.2.7 ")},
    {"an IPv4 address of three numbers", WIRE("PROXY TCP4 192.0.2 ")},
    {"an IPv4 address with a leading zero", WIRE("PROXY TCP4 192.0.2.07 ")},
    {"IPv6 in an IPv4 line", WIRE("PROXY TCP4 2001:")},
    {"mapped IPv4 in an IPv4 line", WIRE("PROXY TCP4 :")},
    {"a name for a source", WIRE("PROXY TCP4 l")},
    {"a port with the source", WIRE("PROXY TCP4 192.0.2.7:")},
    {"a NUL in the source", WIRE("PROXY TCP4 192.0.2.7\0")},
    {"a line end after the source", WIRE("PROXY TCP4 192.0.2.7\r")},
    {"a destination that is none", WIRE("PROXY TCP4 192.0.2.7 192.0.2.256 ")},
    {"an IPv6 destination", WIRE("PROXY TCP4 192.0.2.7 :")},
    {"no ports", WIRE("PROXY TCP4 192.0.2.7 192.0.2.1\r")},
    {"one port", WIRE("PROXY TCP4 192.0.2.7 192.0.2.1 4711\r")},
    {"no number for a port", WIRE("PROXY TCP4 192.0.2.7 192.0.2.1 a")},
    {"a negative port", WIRE("PROXY TCP4 192.0.2.7 192.0.2.1 -")},
    {"a port with a leading zero", WIRE("PROXY TCP4 192.0.2.7 192.0.2.1 0471 ")},
    {"a port of two zeros", WIRE("PROXY TCP4 192.0.2.7 192.0.2.1 00 ")},
    {"a port that is too large", WIRE("PROXY TCP4 192.0.2.7 192.0.2.1 65536 ")},
    {"a port that is too long", WIRE("PROXY TCP4 192.0.2.7 192.0.2.1 100000")},
    {"two spaces before a port", WIRE("PROXY TCP4 192.0.2.7 192.0.2.1  ")},
    {"a second port that is too large", WIRE("PROXY TCP4 192.0.2.7 192.0.2.1 1 65536\r")},
    {"a second port that is none", WIRE("PROXY TCP4 192.0.2.7 192.0.2.1 1 \r")},
    {"a third port", WIRE("PROXY TCP4 192.0.2.7 192.0.2.1 1 2 ")},
    {"LF without CR", WIRE("PROXY TCP4 192.0.2.7 192.0.2.1 1 2\n")},
    {"CR without LF", WIRE("PROXY TCP4 192.0.2.7 192.0.2.1 1 2\rX")},
    {"two CR", WIRE("PROXY TCP4 192.0.2.7 192.0.2.1 1 2\r\r")},
    {"IPv4 in an IPv6 line", WIRE("PROXY TCP6 192.0.2.7 ")},
    {"IPv4 with a port in an IPv6 line", WIRE("PROXY TCP6 192.0.2.7:80 ")},
    {"brackets", WIRE("PROXY TCP6 [")},
    {"a zone", WIRE("PROXY TCP6 fe80::1%")},
    {"an IPv6 address with two gaps", WIRE("PROXY TCP6 2001::db8::7 ")},
    {"an IPv6 address that is too long", WIRE("PROXY TCP6 0000:0000:0000:0000:0000:ffff:255.255.255.2555")},
    {"addresses that leave no space for ports", WIRE("PROXY TCP6 0000:0000:0000:0000:0000:ffff:255.255.255.255 "
                                                     "0000:0000:0000:0000:0000:ffff:255.255.255.255 6553")},
    {"more behind UNKNOWN", WIRE("PROXY UNKNOWNS")},
    {"LF behind UNKNOWN", WIRE("PROXY UNKNOWN\n")},
    {"LF without CR behind UNKNOWN", WIRE("PROXY UNKNOWN 1\n")},
    {"CR without LF behind UNKNOWN", WIRE("PROXY UNKNOWN 1\r2")},
    {"an unknown line without an end",
     WIRE("PROXY UNKNOWN "
          "fffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r")},

    {"empty lines", WIRE("\r\n\r\n\r")},
    {"empty lines and a request", WIRE("\r\nG")},
    {"another signature", WIRE("\r\n\r\n\0\r\nQUIT\r")},
    {"version 1 after the signature", WIRE(SIGNATURE "\x11")},
    {"version 3", WIRE(SIGNATURE "\x31")},
    {"another command", WIRE(SIGNATURE "\x22")},
    {"another family", WIRE(SIGNATURE "\x21\x41")},
    {"another protocol of version 2", WIRE(SIGNATURE "\x21\x13")},
    {"IPv4 that is too short", WIRE(SIGNATURE "\x21\x11\0\x0B")},
    {"IPv4 over UDP that is too short", WIRE(SIGNATURE "\x21\x12\0\0")},
    {"IPv6 that is too short", WIRE(SIGNATURE "\x21\x21\0\x23")},
    {"Unix that is too short", WIRE(SIGNATURE "\x21\x31\0\xD7")},
    {"too much", WIRE(SIGNATURE "\x21\x11\x0F\xF1")},
    {"much too much", WIRE(SIGNATURE "\x21\x11\xFF\xFF")},
    {"too much that is local", WIRE(SIGNATURE "\x20\x00\x0F\xF1")},
    {"too much that is not specified", WIRE(SIGNATURE "\x21\x00\x0F\xF1")},
};

static void what_is_no_header_is_refused_with_the_byte_that_tells(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(malformed); i++) {
        jz_proxy_header header = {.length = 12345};
        for (size_t length = 0; length < malformed[i].length; length++)
            assert_that(parse(malformed[i].bytes, length, &header) == JZ_PROXY_HEADER_INCOMPLETE, "%s: %zu bytes",
                        malformed[i].name, length);
        assert_that(parse(malformed[i].bytes, malformed[i].length, &header) == JZ_PROXY_HEADER_MALFORMED,
                    "%s: not refused", malformed[i].name);
        assert_int_equal(header.length, 12345);
    }
}

static void what_was_refused_stays_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(malformed); i++) {
        char bytes[256] = {0};
        jz_proxy_header header;
        memcpy(bytes, malformed[i].bytes, malformed[i].length);
        memcpy(bytes + malformed[i].length, "\r\n", 2);
        for (size_t length = malformed[i].length; length <= sizeof bytes; length++)
            assert_that(parse(bytes, length, &header) == JZ_PROXY_HEADER_MALFORMED, "%s: %zu bytes", malformed[i].name,
                        length);
    }
}

#define SSL(client) "\x20\0\x05" client "\0\0\0\0"
#define V2_IPV4(more, length) WIRE(SIGNATURE "\x21\x11\0" length IPV4_ADDRESSES PORTS more)

/* §2.2.6: a field of this type, with the flag that the client has connected over TLS. */
static void a_field_of_version_2_says_that_the_client_speaks_tls(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        const char *bytes;
        size_t length;
        bool is_secure;
    } rows[] = {
        {"TLS", V2_IPV4(SSL("\x01"), "\x14"), true},
        {"TLS with a certificate", V2_IPV4(SSL("\x07"), "\x14"), true},
        {"TLS behind another field", V2_IPV4(TLV SSL("\x01"), "\x1A"), true},
        {"TLS before another field", V2_IPV4(SSL("\x01") TLV, "\x1A"), true},
        {"TLS with its version", V2_IPV4("\x20\0\x0F\x01\0\0\0\0\x21\0\x07TLSv1.3", "\x1E"), true},
        {"TLS over IPv6", WIRE(SIGNATURE "\x21\x21\0\x2C" IPV6_ADDRESSES PORTS SSL("\x01")), true},
        {"TLS of a Unix stream", WIRE(SIGNATURE "\x21\x31\0\xE0" UNIX_ADDRESSES SSL("\x01")), true},
        {"TLS from where is not specified", WIRE(SIGNATURE "\x21\x00\0\x08" SSL("\x01")), true},
        {"no field", V2_IPV4("", "\x0C"), false},
        {"another field", V2_IPV4(TLV, "\x12"), false},
        {"no TLS", V2_IPV4(SSL("\0"), "\x14"), false},
        {"a certificate without TLS", V2_IPV4(SSL("\x02"), "\x14"), false},
        {"a field that is too short", V2_IPV4("\x20\0\x01\x01", "\x10"), false},
        {"an empty field", V2_IPV4("\x20\0\0", "\x0F"), false},
        {"a field that is longer than the header", V2_IPV4("\x20\0\x06\x01\0\0\0\0", "\x14"), false},
        {"a field behind one that is longer", V2_IPV4("\x04\0\xFF" SSL("\x01"), "\x17"), false},
        {"half a field", V2_IPV4("\x20\0", "\x0E"), false},
        {"a second field that says no", V2_IPV4(SSL("\0") SSL("\x01"), "\x1C"), false},
        {"the proxy's own connection", WIRE(SIGNATURE "\x20\x00\0\x08" SSL("\x01")), false},
        {"version 1", WIRE("PROXY TCP4 192.0.2.7 192.0.2.1 4711 443\r\n"), false},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        jz_proxy_header header;
        assert_that(parse(rows[i].bytes, rows[i].length, &header) == JZ_PROXY_HEADER_COMPLETE, "%s: refused",
                    rows[i].name);
        assert_that(header.length == rows[i].length, "%s: %zu bytes", rows[i].name, header.length);
        assert_that(header.is_secure == rows[i].is_secure, "%s", rows[i].name);
    }
}

static void a_header_may_have_4096_bytes(void **state)
{
    (void)state;
    static char bytes[JZ_MAX_PROXY_HEADER + 1] = SIGNATURE "\x21\x11\x0F\xF0" IPV4_ADDRESSES PORTS;
    jz_proxy_header header;
    assert_int_equal(parse(bytes, 4095, &header), JZ_PROXY_HEADER_INCOMPLETE);
    assert_int_equal(parse(bytes, 4096, &header), JZ_PROXY_HEADER_COMPLETE);
    assert_int_equal(header.length, 4096);
    assert_int_equal(parse(bytes, 4097, &header), JZ_PROXY_HEADER_COMPLETE);
    assert_int_equal(header.length, 4096);
    assert_true(header.names_source);
}

/* Whatever the result after a changed byte is, further bytes do not change it. */
static void a_changed_byte_makes_another_header_or_none(void **state)
{
    (void)state;
    test_random random = {1};
    for (size_t i = 0; i < COUNT_OF(headers); i++) {
        for (size_t change = 0; change < 200; change++) {
            char bytes[512] = {0};
            size_t length = headers[i].length;
            memcpy(bytes, headers[i].bytes, length);
            bytes[test_random_below(&random, length)] = (char)test_random_next(&random);
            jz_proxy_header_result before = JZ_PROXY_HEADER_INCOMPLETE;
            for (size_t arrived = 0; arrived <= length; arrived++) {
                jz_proxy_header header = {0};
                jz_proxy_header_result result = parse(bytes, arrived, &header);
                assert_true(before == JZ_PROXY_HEADER_INCOMPLETE || result == before);
                assert_true(result != JZ_PROXY_HEADER_COMPLETE || header.length <= arrived);
                before = result;
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(headers_of_both_versions_are_read),
        cmocka_unit_test(what_follows_a_header_is_not_looked_at),
        cmocka_unit_test(every_beginning_of_a_header_is_incomplete_and_changes_nothing),
        cmocka_unit_test(what_is_no_header_is_refused_with_the_byte_that_tells),
        cmocka_unit_test(what_was_refused_stays_refused),
        cmocka_unit_test(a_field_of_version_2_says_that_the_client_speaks_tls),
        cmocka_unit_test(a_header_may_have_4096_bytes),
        cmocka_unit_test(a_changed_byte_makes_another_header_or_none),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("proxy header", tests, NULL, NULL));
}
