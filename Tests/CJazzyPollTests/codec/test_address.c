#include "codec/address.h"

#include <stdio.h>

#include "jazzy/websocket.h"
#include "support/random.h"
#include "support/testing.h"

#define IPV4(a, b, c, d)                                                                                               \
    {                                                                                                                  \
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, (a), (b), (c), (d)                                                   \
    }
/* A text and its length, which the compiler counts: there may be a NUL in it. */
#define TEXT(literal)                                                                                                  \
    {                                                                                                                  \
        (literal), sizeof(literal) - 1                                                                                 \
    }

static const struct {
    jz_address address;
    const char *text;
} addresses[] = {
    {{IPV4(127, 0, 0, 1), 80}, "127.0.0.1:80"},
    {{IPV4(0, 0, 0, 0), 0}, "0.0.0.0:0"},
    {{IPV4(255, 255, 255, 255), 65535}, "255.255.255.255:65535"},
    {{{[15] = 1}, 8080}, "[::1]:8080"},
    {{{[15] = 1}, 0}, "[::1]:0"},
    {{{0x20, 0x01, 0x0D, 0xB8, [15] = 7}, 4711}, "[2001:db8::7]:4711"},
    {{{[10] = 0xFF, [12] = 127, [15] = 1}, 1}, "[::ff00:7f00:1]:1"}, /* no IPv4 address: that takes two bytes 255 */
    {{{0xFD, 0x12, 0x34, 0x56, 0x78, 0x9A, 0xBC, 0xDE, 0xF0, 0x12, 0x34, 0x56, 0x78, 0x9A, 0xBC, 0xDE}, 65535},
     "[fd12:3456:789a:bcde:f012:3456:789a:bcde]:65535"},
};

static void expect_format(const jz_address *address, const char *expected)
{
    char text[JZ_REMOTE_ADDRESS_SIZE];
    assert_int_equal(jz_address_format(address, text, sizeof text), strlen(expected));
    assert_string_equal(text, expected);
}

static void an_address_is_written_as_the_manual_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(addresses); i++)
        expect_format(&addresses[i].address, addresses[i].text);
    expect_format(&(jz_address){{0}, 1}, "[::]:1");
}

static void a_peer_without_an_address_is_written_as_unix(void **state)
{
    (void)state;
    expect_format(&(jz_address){0}, "unix");
}

static bool is_same_address(const jz_address *a, const jz_address *b)
{
    return memcmp(a->ip, b->ip, sizeof a->ip) == 0 && a->port == b->port;
}

static void what_is_written_is_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(addresses); i++) {
        jz_address address;
        memset(&address, 0xEE, sizeof address);
        assert_that(jz_address_parse(jz_text_of(addresses[i].text), &address), "%s: refused", addresses[i].text);
        assert_that(is_same_address(&address, &addresses[i].address), "%s: another", addresses[i].text);
    }
}

static const struct {
    const char *text;
    const char *meaning;
} readable[] = {
    {"192.0.2.7", "192.0.2.7:0"},
    {"192.0.2.7:80", "192.0.2.7:80"},
    {"192.0.2.7:0", "192.0.2.7:0"},
    {"192.0.2.7:65535", "192.0.2.7:65535"},
    {"2001:db8::7", "[2001:db8::7]:0"},
    {"2001:db8::7:80", "[2001:db8::7:80]:0"}, /* without brackets there is no port */
    {"[2001:db8::7]", "[2001:db8::7]:0"},
    {"[2001:db8::7]:80", "[2001:db8::7]:80"},
    {"[2001:DB8:0:0:0:0:0:7]:80", "[2001:db8::7]:80"},
    {"::1", "[::1]:0"},
    {"1::", "[1::]:0"},
    {"1:2:3:4:5:6:7:8", "[1:2:3:4:5:6:7:8]:0"},
    {"2001:db8::192.0.2.7", "[2001:db8::c000:207]:0"},
    {"::ffff:192.0.2.7", "192.0.2.7:0"}, /* an IPv4 address, however it is written */
    {"[::FFFF:c000:207]:80", "192.0.2.7:80"},
    {"0000:0000:0000:0000:0000:ffff:255.255.255.255", "255.255.255.255:0"},
};

static void addresses_are_read_with_and_without_a_port(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(readable); i++) {
        jz_address address;
        char text[JZ_REMOTE_ADDRESS_SIZE];
        assert_that(jz_address_parse(jz_text_of(readable[i].text), &address), "%s: refused", readable[i].text);
        jz_address_format(&address, text, sizeof text);
        assert_that(strcmp(text, readable[i].meaning) == 0, "%s was read as %s", readable[i].text, text);
    }
}

static const jz_text no_addresses[] = {
    TEXT(""),
    TEXT("unix"),
    TEXT("localhost"),
    TEXT("unknown"),
    TEXT("example.com:80"),
    TEXT(" 192.0.2.7"),
    TEXT("192.0.2.7 "),
    TEXT("192.0.2. 7"),
    TEXT("192.0.2.7\n"),
    TEXT("192.0.2.7\0"),
    TEXT("192.0.2.7\0:80"),
    TEXT("2001:db8::7\0"),
    TEXT("192.0.2"),
    TEXT("192.0.2."),
    TEXT("192.0.2.7."),
    TEXT("192.0.2.7.1"),
    TEXT(".192.0.2.7"),
    TEXT("192..2.7"),
    TEXT("192.0.2.256"),
    TEXT("192.0.2.07"),
    TEXT("192.0.2.007"),
    TEXT("192.0.2.00"),
    TEXT("0xC0.0.2.7"),
    TEXT("3221225991"),
    TEXT("+1.0.2.7"),
    TEXT("192.0.2.-7"),
    TEXT("192.0.2.7:"),
    TEXT("192.0.2.7:08"),
    TEXT("192.0.2.7:00"),
    TEXT("192.0.2.7:65536"),
    TEXT("192.0.2.7:99999"),
    TEXT("192.0.2.7:100000"),
    TEXT("192.0.2.7:4294967376"),
    TEXT("192.0.2.7:+80"),
    TEXT("192.0.2.7:-1"),
    TEXT("192.0.2.7: 80"),
    TEXT("192.0.2.7:80 "),
    TEXT("192.0.2.7:8a"),
    TEXT("192.0.2.7:80:80"),
    TEXT("192.0.2.7/32"),
    TEXT("[192.0.2.7]"),
    TEXT("[192.0.2.7]:80"),
    TEXT(":80"),
    TEXT(":"),
    TEXT(":::"),
    TEXT("2001:db8"),
    TEXT("2001:db8::7::"),
    TEXT("2001:db8:::7"),
    TEXT(":2001:db8::7"),
    TEXT("2001:db8::7:"),
    TEXT("2001:db8::00007"),
    TEXT("2001:db8::g"),
    TEXT("1:2:3:4:5:6:7"),
    TEXT("1:2:3:4:5:6:7:8:9"),
    TEXT("::192.0.2.07"),
    TEXT("::192.0.2"),
    TEXT("fe80::1%1"),
    TEXT("fe80::1%eth0"),
    TEXT("[fe80::1%eth0]:80"),
    TEXT("[2001:db8::7"),
    TEXT("2001:db8::7]"),
    TEXT("2001:db8::7]:80"),
    TEXT("[[2001:db8::7]]"),
    TEXT("[2001:db8::7]80"),
    TEXT("[2001:db8::7]:"),
    TEXT("[2001:db8::7]:080"),
    TEXT("[2001:db8::7]:65536"),
    TEXT("[2001:db8::7] :80"),
    TEXT("[ 2001:db8::7]"),
    TEXT("[]"),
    TEXT("["),
    TEXT("]"),
    TEXT("[]:80"),
    TEXT("[2001:db8::7]/32"),
    TEXT("00000000000000000000000000000000000000000000000000000000::1"),
    TEXT("0000:0000:0000:0000:0000:ffff:255.255.255.2555"),
};

static void anything_else_is_no_address_and_changes_nothing(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(no_addresses); i++) {
        jz_address address = {IPV4(1, 2, 3, 4), 5};
        assert_that(!jz_address_parse(no_addresses[i], &address), "%s: accepted", no_addresses[i].start);
        assert_that(is_same_address(&address, &(jz_address){IPV4(1, 2, 3, 4), 5}), "%s: changed",
                    no_addresses[i].start);
    }
}

/* It would be the address of a peer at a Unix domain socket, which may well be trusted. */
static void nobody_is_named_by_the_unspecified_address(void **state)
{
    (void)state;
    static const char *const unspecified[] = {"::", "[::]", "[::]:0", "[::]:80", "0:0:0:0:0:0:0:0", "::0.0.0.0"};
    for (size_t i = 0; i < COUNT_OF(unspecified); i++) {
        jz_address address;
        assert_that(!jz_address_parse(jz_text_of(unspecified[i]), &address), "%s", unspecified[i]);
    }
}

/* Nothing behind the end of a text is looked at, which ASan would see. */
static void every_beginning_of_a_text_is_judged_by_itself(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(readable); i++) {
        for (size_t length = 0; length <= strlen(readable[i].text); length++) {
            char *exact = malloc(length > 0 ? length : 1);
            assert_non_null(exact);
            memcpy(exact, readable[i].text, length);
            jz_address address;
            jz_network network;
            jz_address_parse((jz_text){exact, length}, &address);
            jz_network_parse((jz_text){exact, length}, &network);
            free(exact);
        }
    }
}

static const struct {
    const char *text;
    jz_network network;
} networks[] = {
    {"10.0.0.0/8", {IPV4(10, 0, 0, 0), 104}},
    {"0.0.0.0/0", {IPV4(0, 0, 0, 0), 96}},
    {"192.0.2.7", {IPV4(192, 0, 2, 7), 128}},
    {"192.0.2.7/32", {IPV4(192, 0, 2, 7), 128}},
    {"192.0.2.6/31", {IPV4(192, 0, 2, 6), 127}},
    {"172.16.0.0/12", {IPV4(172, 16, 0, 0), 108}},
    {"::/0", {{0}, 0}},
    {"::1", {{[15] = 1}, 128}},
    {"2001:db8::/32", {{0x20, 0x01, 0x0D, 0xB8}, 32}},
    {"2001:db8::7/128", {{0x20, 0x01, 0x0D, 0xB8, [15] = 7}, 128}},
    {"fe80::/10", {{0xFE, 0x80}, 10}},
    {"8000::/1", {{0x80}, 1}},
    {"::ffff:10.0.0.0/104", {IPV4(10, 0, 0, 0), 104}},
    {"unix", {{0}, 128}},
};

static void networks_are_read_and_a_host_is_one(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(networks); i++) {
        jz_network network;
        memset(&network, 0xEE, sizeof network);
        assert_that(jz_network_parse(jz_text_of(networks[i].text), &network), "%s: refused", networks[i].text);
        assert_that(memcmp(network.ip, networks[i].network.ip, sizeof network.ip) == 0, "%s: ip", networks[i].text);
        assert_that(network.prefix_bits == networks[i].network.prefix_bits, "%s: %u bits", networks[i].text,
                    network.prefix_bits);
    }
}

static const jz_text no_networks[] = {
    TEXT(""),
    TEXT("/"),
    TEXT("/8"),
    TEXT("localhost"),
    TEXT("localhost/8"),
    TEXT("Unix"),
    TEXT("unix/0"),
    TEXT("unix\0"),
    TEXT(" unix"),
    TEXT("10.0.0.0/"),
    TEXT("10.0.0.0/33"),
    TEXT("10.0.0.0/104"),
    TEXT("10.0.0.0/08"),
    TEXT("10.0.0.0/00"),
    TEXT("10.0.0.0/-1"),
    TEXT("10.0.0.0/+8"),
    TEXT("10.0.0.0/ 8"),
    TEXT("10.0.0.0 /8"),
    TEXT("10.0.0.0/8 "),
    TEXT("10.0.0.0/8\0"),
    TEXT("10.0.0.0/8/8"),
    TEXT("10.0.0.0/255.0.0.0"),
    TEXT("10.0.0.0/4294967304"),
    TEXT("10.0.0.0:80"),
    TEXT("10.0.0.0:80/8"),
    TEXT("10/8"),
    TEXT("10.0.0.0,10.0.0.1"),
    TEXT("2001:db8::/129"),
    TEXT("2001:db8::/0128"),
    TEXT("[2001:db8::]/32"),
    TEXT("[2001:db8::7]"),
    TEXT("fe80::1%eth0/128"),
    /* Bits beyond the prefix. */
    TEXT("10.0.0.1/8"),
    TEXT("10.1.0.0/8"),
    TEXT("192.0.2.7/31"),
    TEXT("172.24.0.0/12"),
    TEXT("0.0.0.1/0"),
    TEXT("2001:db8::1/32"),
    TEXT("2001:db8::1/127"),
    TEXT("fe80::/8"),
    TEXT("::1/0"),
    TEXT("::ffff:10.0.0.0/96"),
    /* No node's address; "unix" has another name. */
    TEXT("::"),
    TEXT("::/128"),
};

static void anything_else_is_no_network(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(no_networks); i++) {
        jz_network network;
        assert_that(!jz_network_parse(no_networks[i], &network), "%s: accepted", no_networks[i].start);
    }
}

static const struct {
    const char *network;
    const char *address; /* NULL: a peer without an address */
    bool is_contained;
} memberships[] = {
    {"10.0.0.0/8", "10.0.0.0", true},
    {"10.0.0.0/8", "10.255.255.255", true},
    {"10.0.0.0/8", "10.1.2.3:80", true},
    {"10.0.0.0/8", "::ffff:10.1.2.3", true},
    {"10.0.0.0/8", "11.0.0.0", false},
    {"10.0.0.0/8", "9.255.255.255", false},
    {"10.0.0.0/8", "::10.0.0.1", false},
    {"10.0.0.0/8", "a00::", false},
    {"10.0.0.0/8", NULL, false},
    {"172.16.0.0/12", "172.16.0.0", true},
    {"172.16.0.0/12", "172.31.255.255", true},
    {"172.16.0.0/12", "172.15.255.255", false},
    {"172.16.0.0/12", "172.32.0.0", false},
    {"192.0.2.7", "192.0.2.7", true},
    {"192.0.2.7", "192.0.2.7:65535", true},
    {"192.0.2.7", "192.0.2.6", false},
    {"192.0.2.6/31", "192.0.2.7", true},
    {"192.0.2.6/31", "192.0.2.5", false},
    {"192.0.2.6/31", "192.0.2.8", false},
    {"0.0.0.0/0", "255.255.255.255", true},
    {"0.0.0.0/0", "0.0.0.0", true},
    {"0.0.0.0/0", "::1", false},
    {"0.0.0.0/0", NULL, false},
    {"::/0", "::1", true},
    {"::/0", "ffff::", true},
    {"::/0", "192.0.2.7", true},
    {"::/0", NULL, false},
    {"::/96", "::1", true},
    {"::/96", NULL, false},
    {"::/127", NULL, false},
    {"2001:db8::/32", "2001:db8:ffff::1", true},
    {"2001:db8::/32", "2001:db9::", false},
    {"2001:db8::/32", "2001:db7:ffff:ffff:ffff:ffff:ffff:ffff", false},
    {"fe80::/10", "[febf::1]:80", true},
    {"fe80::/10", "fec0::", false},
    {"8000::/1", "8000::", true},
    {"8000::/1", "7fff::", false},
    {"::1", "::1", true},
    {"::1", "::2", false},
    {"::1", "127.0.0.1", false},
    {"unix", NULL, true},
    {"unix", "::1", false},
    {"unix", "0.0.0.0", false},
    {"unix", "0.0.0.0:80", false},
};

static void a_network_contains_the_addresses_with_its_prefix(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(memberships); i++) {
        const char *name = memberships[i].address != NULL ? memberships[i].address : "a peer without an address";
        jz_network network;
        jz_address address = {0};
        assert_true(jz_network_parse(jz_text_of(memberships[i].network), &network));
        assert_true(memberships[i].address == NULL || jz_address_parse(jz_text_of(memberships[i].address), &address));
        assert_that(jz_network_contains(&network, &address) == memberships[i].is_contained, "%s in %s", name,
                    memberships[i].network);
    }
}

/* An address and it with one bit changed part where that bit is: they share every network up to it, and none beyond. */
static void a_prefix_ends_at_its_very_bit(void **state)
{
    (void)state;
    test_random random = {1};
    for (unsigned bit = 0; bit < 128; bit++) {
        jz_address address = {.port = 80};
        for (size_t i = 0; i < sizeof address.ip; i++)
            address.ip[i] = (uint8_t)test_random_next(&random);
        jz_address other = address;
        other.ip[bit / 8] ^= (uint8_t)(0x80 >> bit % 8);
        for (unsigned prefix = 0; prefix <= 128; prefix++) {
            jz_network network = {.prefix_bits = (uint8_t)prefix};
            for (unsigned i = 0; i < prefix; i++)
                network.ip[i / 8] |= (uint8_t)(address.ip[i / 8] & 0x80 >> i % 8);
            assert_that(jz_network_contains(&network, &address), "bit %u, prefix %u", bit, prefix);
            assert_that(jz_network_contains(&network, &other) == (prefix <= bit), "bit %u, prefix %u", bit, prefix);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_address_is_written_as_the_manual_says),
        cmocka_unit_test(a_peer_without_an_address_is_written_as_unix),
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(addresses_are_read_with_and_without_a_port),
        cmocka_unit_test(anything_else_is_no_address_and_changes_nothing),
        cmocka_unit_test(nobody_is_named_by_the_unspecified_address),
        cmocka_unit_test(every_beginning_of_a_text_is_judged_by_itself),
        cmocka_unit_test(networks_are_read_and_a_host_is_one),
        cmocka_unit_test(anything_else_is_no_network),
        cmocka_unit_test(a_network_contains_the_addresses_with_its_prefix),
        cmocka_unit_test(a_prefix_ends_at_its_very_bit),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("address", tests, NULL, NULL));
}
