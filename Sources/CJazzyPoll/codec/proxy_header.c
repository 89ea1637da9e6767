#include "codec/proxy_header.h"

#include <string.h>

#include "codec/big_endian.h"

enum {
    MAX_LINE = 107, /* §2.1: the longest line of version 1, CR LF included */
    MAX_IPV4_TEXT = 15,
    MAX_IPV6_TEXT = 45, /* with the last 32 bits as IPv4 */
    MAX_PORT_TEXT = 5,

    FIXED_LENGTH = 16, /* §2.2: bytes of version 2 before the addresses */
    COMMAND_LOCAL = 0x20,
    COMMAND_PROXY = 0x21,
    TCP_OVER_IPV4 = 0x11,
    TCP_OVER_IPV6 = 0x21,

    FIELD_HEAD = 3,    /* §2.2: type, length of the value */
    FIELD_SSL = 0x20,  /* §2.2.6 */
    CLIENT_SSL = 0x01, /* in the first byte of its value */
    LEAST_SSL = 5
};

static const char signature[] = {'\r', '\n', '\r', '\n', '\0', '\r', '\n', 'Q', 'U', 'I', 'T', '\n'};

/* Takes bytes off the front, as long as `result` stays COMPLETE. */
typedef struct reader {
    jz_text rest;
    jz_proxy_header_result result;
} reader;

static void skip(reader *from, size_t count)
{
    from->rest.start += count;
    from->rest.length -= count;
}

static void take_bytes(reader *from, const char *wanted, size_t length)
{
    if (from->result != JZ_PROXY_HEADER_COMPLETE)
        return;
    size_t there = length < from->rest.length ? length : from->rest.length;
    if (there > 0 && memcmp(from->rest.start, wanted, there) != 0)
        from->result = JZ_PROXY_HEADER_MALFORMED;
    else if (there < length)
        from->result = JZ_PROXY_HEADER_INCOMPLETE;
    else
        skip(from, length);
}

static void take_text(reader *from, const char *wanted)
{
    take_bytes(from, wanted, strlen(wanted));
}

/* Takes at most `longest` of these characters, and the end character behind them. */
static jz_text take_field(reader *from, const char *characters, size_t longest, char end)
{
    jz_text field = {from->rest.start, 0};
    if (from->result != JZ_PROXY_HEADER_COMPLETE)
        return field;
    size_t set_size = strlen(characters);
    while (field.length < from->rest.length && field.start[field.length] != end) {
        if (field.length == longest || memchr(characters, field.start[field.length], set_size) == NULL) {
            from->result = JZ_PROXY_HEADER_MALFORMED;
            return field;
        }
        field.length++;
    }
    if (field.length == from->rest.length)
        from->result = JZ_PROXY_HEADER_INCOMPLETE;
    else
        skip(from, field.length + 1);
    return field;
}

static void refuse_unless(bool is_legal, reader *from)
{
    if (from->result == JZ_PROXY_HEADER_COMPLETE && !is_legal)
        from->result = JZ_PROXY_HEADER_MALFORMED;
}

static void take_ipv4(reader *from, uint8_t ip[16])
{
    refuse_unless(jz_ip_parse_ipv4(take_field(from, "0123456789.", MAX_IPV4_TEXT, ' '), ip), from);
}

static void take_ipv6(reader *from, uint8_t ip[16])
{
    refuse_unless(jz_ip_parse_ipv6(take_field(from, "0123456789abcdefABCDEF:.", MAX_IPV6_TEXT, ' '), ip), from);
}

static void take_port(reader *from, char end, uint16_t *port)
{
    refuse_unless(jz_port_parse(take_field(from, "0123456789", MAX_PORT_TEXT, end), port), from);
}

/* No host has the unspecified address (RFC 4291 §2.5.2), which here would mean a peer at a Unix domain socket. */
static void name_source(jz_proxy_header *header, const jz_address *source)
{
    header->names_source = !jz_ip_is_unspecified(source->ip);
    if (header->names_source)
        header->source = *source;
}

/* The rest of a line, behind the protocol's name. The destination is not used, but must be well-formed. */
static void take_addresses(reader *from, void (*take_ip)(reader *from, uint8_t ip[16]), jz_proxy_header *header)
{
    jz_address source = {0};
    jz_address destination = {0};
    take_text(from, " ");
    take_ip(from, source.ip);
    take_ip(from, destination.ip);
    take_port(from, ' ', &source.port);
    take_port(from, '\r', &destination.port);
    take_text(from, "\n");
    name_source(header, &source);
}

static bool is_next(const reader *from, char character)
{
    return from->rest.length > 0 && from->rest.start[0] == character;
}

/* Anything may follow "UNKNOWN", and is ignored (§2.1). */
static void take_anything(reader *from)
{
    if (!is_next(from, '\r'))
        take_text(from, " ");
    while (from->rest.length > 0 && !is_next(from, '\r') && !is_next(from, '\n'))
        skip(from, 1);
    take_text(from, "\r\n");
}

/* Version 1 (§2.1), a line of text. */
static void take_line(reader *from, jz_proxy_header *header)
{
    take_text(from, "PROXY ");
    if (is_next(from, 'U')) {
        take_text(from, "UNKNOWN");
        take_anything(from);
        return;
    }
    take_text(from, "TCP");
    bool is_ipv4 = is_next(from, '4');
    take_text(from, is_ipv4 ? "4" : "6");
    take_addresses(from, is_ipv4 ? take_ipv4 : take_ipv6, header);
}

/* The length of a family's addresses; the family is the upper half of the byte. */
static size_t addresses_length(uint8_t family_and_protocol)
{
    static const uint8_t lengths[] = {0, 2 * 4 + 2 * 2, 2 * 16 + 2 * 2, 2 * 108}; /* none, IPv4, IPv6, Unix */
    return lengths[family_and_protocol >> 4];
}

static bool is_known(uint8_t family_and_protocol)
{
    return family_and_protocol >> 4 <= 3 && (family_and_protocol & 0x0F) <= 2;
}

/* Whether these bytes can begin the fixed part of a version 2 header; judged byte by byte, as far as received. */
static bool may_be_fixed_part(const uint8_t *bytes, size_t length)
{
    bool is_local = length > 12 && bytes[12] == COMMAND_LOCAL;
    if (length > 12 && !is_local && bytes[12] != COMMAND_PROXY)
        return false;
    if (length > 13 && !is_local && !is_known(bytes[13])) /* a LOCAL header's family is ignored */
        return false;
    if (length < FIXED_LENGTH)
        return true;
    size_t following = jz_read_uint16(bytes + 14);
    return following <= JZ_MAX_PROXY_HEADER - FIXED_LENGTH && (is_local || following >= addresses_length(bytes[13]));
}

/* Whether the fields behind the addresses say that the client speaks TLS to the proxy. Ill-formed ones say nothing. */
static bool say_secure(const uint8_t *fields, size_t length)
{
    while (length >= FIELD_HEAD) {
        size_t taken = FIELD_HEAD + (size_t)jz_read_uint16(fields + 1);
        if (taken > length)
            return false;
        if (fields[0] == FIELD_SSL)
            return taken >= FIELD_HEAD + LEAST_SSL && (fields[FIELD_HEAD] & CLIENT_SSL) != 0;
        fields += taken;
        length -= taken;
    }
    return false;
}

/* Version 2 (§2.2). Addresses other than TCP over IP, and fields behind them other than that of TLS, are skipped. */
static void take_binary(reader *from, const uint8_t *bytes, size_t length, jz_proxy_header *header)
{
    take_bytes(from, signature, sizeof signature);
    refuse_unless(may_be_fixed_part(bytes, length), from);
    if (from->result != JZ_PROXY_HEADER_COMPLETE)
        return;
    if (length < FIXED_LENGTH || length - FIXED_LENGTH < jz_read_uint16(bytes + 14)) {
        from->result = JZ_PROXY_HEADER_INCOMPLETE;
        return;
    }
    skip(from, FIXED_LENGTH - sizeof signature + jz_read_uint16(bytes + 14));
    jz_address source = {0};
    const uint8_t *addresses = bytes + FIXED_LENGTH;
    if (bytes[12] == COMMAND_PROXY && bytes[13] == TCP_OVER_IPV4) {
        jz_ip_map_ipv4(addresses, source.ip);
        source.port = jz_read_uint16(addresses + 2 * 4);
    } else if (bytes[12] == COMMAND_PROXY && bytes[13] == TCP_OVER_IPV6) {
        memcpy(source.ip, addresses, sizeof source.ip);
        source.port = jz_read_uint16(addresses + 2 * 16);
    }
    name_source(header, &source);
    if (bytes[12] == COMMAND_PROXY) { /* whose addresses are all there */
        size_t before = addresses_length(bytes[13]);
        header->is_secure = say_secure(addresses + before, jz_read_uint16(bytes + 14) - before);
    }
}

jz_proxy_header_result jz_proxy_header_parse(const uint8_t *bytes, size_t length, jz_proxy_header *header)
{
    jz_proxy_header parsed = {0};
    reader from = {{(const char *)bytes, length}, JZ_PROXY_HEADER_COMPLETE};
    if (is_next(&from, signature[0])) {
        take_binary(&from, bytes, length, &parsed);
    } else {
        from.rest.length = length < MAX_LINE ? length : MAX_LINE;
        take_line(&from, &parsed);
        if (from.result == JZ_PROXY_HEADER_INCOMPLETE && length >= MAX_LINE)
            return JZ_PROXY_HEADER_MALFORMED;
    }
    if (from.result != JZ_PROXY_HEADER_COMPLETE)
        return from.result;
    parsed.length = (size_t)(from.rest.start - (const char *)bytes);
    *header = parsed;
    return JZ_PROXY_HEADER_COMPLETE;
}
