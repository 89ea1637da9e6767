#include "codec/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

enum { IP_BITS = 128, IPV4_BITS = 32 };

static const uint8_t mapped_prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};

void jz_ip_map_ipv4(const uint8_t ipv4[4], uint8_t ip[16])
{
    memcpy(ip, mapped_prefix, sizeof mapped_prefix);
    memcpy(ip + sizeof mapped_prefix, ipv4, 4);
}

bool jz_ip_is_ipv4(const uint8_t ip[16])
{
    return memcmp(ip, mapped_prefix, sizeof mapped_prefix) == 0;
}

bool jz_ip_is_loopback(const uint8_t ip[16])
{
    static const uint8_t ipv6[16] = {[15] = 1};
    return memcmp(ip, ipv6, sizeof ipv6) == 0 || (jz_ip_is_ipv4(ip) && ip[12] == 127);
}

/* Whether all bits from `first` on are zero. */
static bool is_zero_from(const uint8_t ip[16], unsigned first)
{
    for (unsigned bit = first; bit < IP_BITS; bit++) {
        if ((ip[bit / 8] >> (7 - bit % 8) & 1) != 0)
            return false;
    }
    return true;
}

bool jz_ip_is_unspecified(const uint8_t ip[16])
{
    static const uint8_t unspecified[16];
    return memcmp(ip, unspecified, sizeof unspecified) == 0;
}

/* inet_pton refuses leading zeros, white space, zones and shortened IPv4, but reads only up to a NUL. */
static bool parse_ip(int family, jz_text text, void *ip)
{
    char terminated[INET6_ADDRSTRLEN];
    if (text.length == 0 || text.length >= sizeof terminated || memchr(text.start, '\0', text.length) != NULL)
        return false;
    memcpy(terminated, text.start, text.length);
    terminated[text.length] = '\0';
    return inet_pton(family, terminated, ip) == 1;
}

bool jz_ip_parse_ipv4(jz_text text, uint8_t ip[16])
{
    uint8_t ipv4[4];
    if (!parse_ip(AF_INET, text, ipv4))
        return false;
    jz_ip_map_ipv4(ipv4, ip);
    return true;
}

bool jz_ip_parse_ipv6(jz_text text, uint8_t ip[16])
{
    uint8_t parsed[16];
    if (!parse_ip(AF_INET6, text, parsed))
        return false;
    memcpy(ip, parsed, sizeof parsed);
    return true;
}

/* Parses a decimal number from 0 to `most`, without leading zeros; `most` has at most five digits. */
static bool parse_number(jz_text text, unsigned most, unsigned *number)
{
    if (text.length == 0 || text.length > 5 || (text.length > 1 && text.start[0] == '0'))
        return false;
    unsigned parsed = 0;
    for (size_t i = 0; i < text.length; i++) {
        if (text.start[i] < '0' || text.start[i] > '9')
            return false;
        parsed = parsed * 10 + (unsigned)(text.start[i] - '0');
    }
    *number = parsed;
    return parsed <= most;
}

bool jz_port_parse(jz_text text, uint16_t *port)
{
    unsigned number;
    if (!parse_number(text, UINT16_MAX, &number))
        return false;
    *port = (uint16_t)number;
    return true;
}

/* Splits at the first separator, which belongs to neither part. False if there is none. */
static bool split(jz_text text, char separator, jz_text *before, jz_text *after)
{
    const char *found = text.length > 0 ? memchr(text.start, separator, text.length) : NULL;
    if (found == NULL)
        return false;
    *before = (jz_text){text.start, (size_t)(found - text.start)};
    *after = (jz_text){found + 1, text.length - before->length - 1};
    return true;
}

/* "[2001:db8::7]" or "[2001:db8::7]:80", after the first bracket. */
static bool parse_in_brackets(jz_text text, jz_address *address)
{
    jz_text ip;
    jz_text rest;
    if (!split(text, ']', &ip, &rest) || !jz_ip_parse_ipv6(ip, address->ip))
        return false;
    if (rest.length == 0)
        return true;
    return rest.start[0] == ':' && jz_port_parse((jz_text){rest.start + 1, rest.length - 1}, &address->port);
}

/* An IPv6 address without brackets has no port: its last colon would be ambiguous (RFC 5952 §6). */
static bool parse_plain(jz_text text, jz_address *address)
{
    jz_text ip;
    jz_text port;
    if (jz_ip_parse_ipv4(text, address->ip) || jz_ip_parse_ipv6(text, address->ip))
        return true;
    return split(text, ':', &ip, &port) && jz_ip_parse_ipv4(ip, address->ip) && jz_port_parse(port, &address->port);
}

bool jz_address_parse(jz_text text, jz_address *address)
{
    jz_address parsed = {0};
    bool is_address = text.length > 0 && text.start[0] == '['
                          ? parse_in_brackets((jz_text){text.start + 1, text.length - 1}, &parsed)
                          : parse_plain(text, &parsed);
    if (!is_address || jz_ip_is_unspecified(parsed.ip))
        return false;
    *address = parsed;
    return true;
}

size_t jz_address_format(const jz_address *address, char *text, size_t size)
{
    char ip[INET6_ADDRSTRLEN];
    bool is_ipv4 = jz_ip_is_ipv4(address->ip);
    int length;
    if (address->port == 0 && jz_ip_is_unspecified(address->ip)) {
        length = snprintf(text, size, "unix");
    } else {
        inet_ntop(is_ipv4 ? AF_INET : AF_INET6, address->ip + (is_ipv4 ? sizeof mapped_prefix : 0), ip, sizeof ip);
        length = snprintf(text, size, is_ipv4 ? "%s:%u" : "[%s]:%u", ip, address->port);
    }
    return length > 0 ? (size_t)length : 0;
}

bool jz_network_parse(jz_text text, jz_network *network)
{
    static const jz_network unix_peers = {.prefix_bits = IP_BITS};
    if (jz_text_equals(text, jz_text_of("unix"))) {
        *network = unix_peers;
        return true;
    }
    jz_text ip = text;
    jz_text prefix;
    bool has_prefix = split(text, '/', &ip, &prefix);
    jz_network parsed;
    bool is_ipv4 = jz_ip_parse_ipv4(ip, parsed.ip);
    if (!is_ipv4 && !jz_ip_parse_ipv6(ip, parsed.ip))
        return false;
    unsigned most = is_ipv4 ? IPV4_BITS : IP_BITS;
    unsigned bits = most;
    if (has_prefix && !parse_number(prefix, most, &bits))
        return false;
    parsed.prefix_bits = (uint8_t)(IP_BITS - most + bits);
    if (!is_zero_from(parsed.ip, parsed.prefix_bits))
        return false;
    if (parsed.prefix_bits == IP_BITS && jz_ip_is_unspecified(parsed.ip)) /* its name is "unix" */
        return false;
    *network = parsed;
    return true;
}

bool jz_network_contains(const jz_network *network, const jz_address *address)
{
    if (jz_ip_is_unspecified(address->ip) && network->prefix_bits != IP_BITS)
        return false;
    size_t bytes = network->prefix_bits / 8;
    unsigned bits = network->prefix_bits % 8;
    if (memcmp(network->ip, address->ip, bytes) != 0)
        return false;
    return bits == 0 || (network->ip[bytes] ^ address->ip[bytes]) >> (8 - bits) == 0;
}
