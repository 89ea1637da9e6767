#include "codec/origin.h"

#include <stdint.h>

#include "codec/address.h"

enum { NO_PORT = 0, PLAIN_PORT = 80, SECURE_PORT = 443, MAX_PORT = 65535, MAX_PORT_DIGITS = 5 };

typedef struct authority {
    jz_text host;
    unsigned port; /* NO_PORT if omitted */
} authority;

typedef struct origin_parts {
    jz_text scheme;
    authority authority;
} origin_parts;

static bool is_digit(char character)
{
    return character >= '0' && character <= '9';
}

static bool is_letter(char character)
{
    return (character >= 'a' && character <= 'z') || (character >= 'A' && character <= 'Z');
}

/* RFC 3986 §3.1. */
static bool is_scheme(jz_text text)
{
    for (size_t i = 0; i < text.length; i++) {
        char character = text.start[i];
        if (!is_letter(character) && !is_digit(character) && character != '+' && character != '-' && character != '.')
            return false;
    }
    return text.length > 0 && is_letter(text.start[0]);
}

static bool is_name(jz_text text)
{
    for (size_t i = 0; i < text.length; i++) {
        char character = text.start[i];
        if (!is_letter(character) && !is_digit(character) && (character == '\0' || strchr("-._~", character) == NULL))
            return false;
    }
    return text.length > 0;
}

/* The text between the brackets. Addresses are compared as text: all browsers write them in the same way (RFC 5952). */
static bool is_ipv6_address(jz_text text)
{
    uint8_t ip[16];
    return jz_ip_parse_ipv6(text, ip);
}

/* 1 to 65535 without leading zeros: the one way to write a port in an origin (RFC 6454 §6.2). */
static bool read_port(jz_text text, unsigned *port)
{
    if (text.length == 0 || text.length > MAX_PORT_DIGITS || text.start[0] == '0')
        return false;
    *port = 0;
    for (size_t i = 0; i < text.length; i++) {
        if (!is_digit(text.start[i]))
            return false;
        *port = *port * 10 + (unsigned)(text.start[i] - '0');
    }
    return *port <= MAX_PORT;
}

/* Takes the host off the front of `rest`, brackets included. */
static bool take_host(jz_text *rest, jz_text *host)
{
    jz_text taken = {rest->start, 0};
    bool is_well_formed;
    if (rest->length > 0 && rest->start[0] == '[') {
        jz_text address = {rest->start + 1, rest->length - 1};
        jz_text inside;
        is_well_formed = jz_text_take_until(&address, ']', &inside) && is_ipv6_address(inside);
        taken.length = is_well_formed ? inside.length + 2 : 0;
    } else {
        while (taken.length < rest->length && rest->start[taken.length] != ':')
            taken.length++;
        is_well_formed = is_name(taken);
    }
    *host = taken;
    rest->start += taken.length;
    rest->length -= taken.length;
    return is_well_formed;
}

/* A Host may have a colon without a port behind it, which means the same as no colon (RFC 3986 §3.2.3, §6.2.3). */
static bool read_authority(jz_text text, authority *read)
{
    read->port = NO_PORT;
    if (!take_host(&text, &read->host))
        return false;
    if (text.length == 0 || jz_text_equals(text, jz_text_of(":")))
        return true;
    return text.start[0] == ':' && read_port((jz_text){text.start + 1, text.length - 1}, &read->port);
}

/* The default port of a scheme, or NO_PORT (RFC 9110 §4.2, RFC 6455 §3). */
static unsigned default_port(jz_text scheme)
{
    if (jz_text_equals_ignoring_case(scheme, jz_text_of("http")) ||
        jz_text_equals_ignoring_case(scheme, jz_text_of("ws")))
        return PLAIN_PORT;
    if (jz_text_equals_ignoring_case(scheme, jz_text_of("https")) ||
        jz_text_equals_ignoring_case(scheme, jz_text_of("wss")))
        return SECURE_PORT;
    return NO_PORT;
}

/* Parses an origin; an omitted port becomes the default port. */
static bool read_origin(jz_text text, origin_parts *origin)
{
    if (!jz_text_take_until(&text, ':', &origin->scheme) || !is_scheme(origin->scheme))
        return false;
    if (text.length < 2 || memcmp(text.start, "//", 2) != 0 || text.start[text.length - 1] == ':')
        return false;
    if (!read_authority((jz_text){text.start + 2, text.length - 2}, &origin->authority))
        return false;
    if (origin->authority.port == NO_PORT)
        origin->authority.port = default_port(origin->scheme);
    return true;
}

static bool is_same_authority(const authority *a, const authority *b)
{
    return a->port == b->port && jz_text_equals_ignoring_case(a->host, b->host);
}

bool jz_origin_is_valid(jz_text origin)
{
    origin_parts parts;
    return read_origin(origin, &parts);
}

bool jz_origin_is_same(jz_text a, jz_text b)
{
    origin_parts first;
    origin_parts second;
    return read_origin(a, &first) && read_origin(b, &second) &&
           jz_text_equals_ignoring_case(first.scheme, second.scheme) &&
           is_same_authority(&first.authority, &second.authority);
}

bool jz_origin_is_of_host(jz_text origin, jz_text host, bool is_secure)
{
    origin_parts parts;
    authority asked;
    if (!read_origin(origin, &parts) || default_port(parts.scheme) == NO_PORT || !read_authority(host, &asked))
        return false;
    if (is_secure && default_port(parts.scheme) != SECURE_PORT)
        return false;
    if (asked.port == NO_PORT)
        asked.port = default_port(parts.scheme);
    return is_same_authority(&parts.authority, &asked);
}

static bool has_no_origin(jz_text text)
{
    return jz_text_equals(text, jz_text_of("null")) || jz_text_equals(text, jz_text_of("file://"));
}

bool jz_origin_may_be_listed(jz_text text)
{
    return has_no_origin(text) || jz_origin_is_valid(text);
}

bool jz_origin_is_as_listed(jz_text origin, jz_text listed)
{
    return has_no_origin(listed) ? jz_text_equals(origin, listed) : jz_origin_is_same(origin, listed);
}
