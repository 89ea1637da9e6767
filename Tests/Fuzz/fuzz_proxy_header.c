/*
 * PROXY headers: arbitrary bytes, parsed as they arrive, where results must not change later; and headers with known
 * content, complete and cut.
 */
#include "codec/proxy_header.h"

#include <arpa/inet.h>
#include <stdio.h>

#include "support/fuzz_input.h"

enum { MAX_TLVS = 64, MAX_WRITTEN = 16 + 216 + MAX_TLVS, LONGEST_LINE = 107 };

static jz_proxy_header_result parse_copy(const uint8_t *bytes, size_t length, jz_proxy_header *header)
{
    uint8_t *copy = fuzz_copy(bytes, length);
    jz_proxy_header_result result = jz_proxy_header_parse(copy, length, header);
    free(copy);
    return result;
}

static bool is_same_address(const jz_address *a, const jz_address *b)
{
    return memcmp(a->ip, b->ip, sizeof a->ip) == 0 && a->port == b->port;
}

static void require_sound(const jz_proxy_header *header, size_t length)
{
    static const jz_address nobody = {0};
    require(header->length <= length && header->length <= JZ_MAX_PROXY_HEADER, "a header is what has arrived");
    require(header->names_source == (memcmp(header->source.ip, nobody.ip, sizeof nobody.ip) != 0),
            "a source that is named is somebody's address");
    require(header->names_source || header->source.port == 0, "no source has no port");
}

/*
 * Byte by byte until there is a result, then all at once: a header is complete with its last byte, and a result does
 * not change later.
 */
static void judge_as_they_arrive(const uint8_t *bytes, size_t length)
{
    jz_proxy_header first = {0};
    jz_proxy_header_result before = JZ_PROXY_HEADER_INCOMPLETE;
    size_t step = 1;
    for (size_t arrived = 0; arrived <= length; arrived += step) {
        jz_proxy_header header = {0};
        jz_proxy_header_result result = parse_copy(bytes, arrived, &header);
        require(before == JZ_PROXY_HEADER_INCOMPLETE || result == before, "a judgement is kept");
        require(result != JZ_PROXY_HEADER_INCOMPLETE || arrived < JZ_MAX_PROXY_HEADER, "nobody is waited for for ever");
        require(result != JZ_PROXY_HEADER_INCOMPLETE || arrived < LONGEST_LINE || bytes[0] == '\r',
                "a line has an end");
        if (result == JZ_PROXY_HEADER_COMPLETE) {
            require_sound(&header, arrived);
            require(before == JZ_PROXY_HEADER_COMPLETE || header.length == arrived,
                    "a header is complete with its last byte");
            require(before != JZ_PROXY_HEADER_COMPLETE || header.length == first.length, "a header stays as long");
            require(before != JZ_PROXY_HEADER_COMPLETE || is_same_address(&header.source, &first.source),
                    "a header's source stays the same");
            first = header;
        }
        before = result;
        if (result != JZ_PROXY_HEADER_INCOMPLETE && length - arrived > 1)
            step = length - arrived; /* the whole, and an end */
    }
}

typedef struct written_header {
    uint8_t bytes[MAX_WRITTEN];
    size_t length;
    jz_proxy_header meaning;
} written_header;

static void append(written_header *written, const void *bytes, size_t length)
{
    require(length <= sizeof written->bytes - written->length, "a header has its space");
    memcpy(written->bytes + written->length, bytes, length);
    written->length += length;
}

static void append_zeros(written_header *written, size_t length)
{
    static const uint8_t zeros[216];
    append(written, zeros, length);
}

static void append_number(written_header *written, uint16_t number)
{
    append(written, (const uint8_t[]){(uint8_t)(number >> 8), (uint8_t)number}, 2);
}

typedef struct endpoint {
    uint8_t ip[16]; /* the first four of an IPv4 address */
    uint16_t port;
} endpoint;

static endpoint take_endpoint(fuzz_input *input)
{
    endpoint taken = {.port = fuzz_take_uint16(input)};
    for (size_t i = 0; i < sizeof taken.ip; i++)
        taken.ip[i] = fuzz_take_byte(input);
    return taken;
}

static void name_source(written_header *written, const endpoint *source, bool is_ipv4)
{
    static const uint8_t nobody[16];
    static const uint8_t before_ipv4[12] = {[10] = 0xFF, [11] = 0xFF};
    jz_proxy_header *meaning = &written->meaning;
    if (!is_ipv4 && memcmp(source->ip, nobody, sizeof nobody) == 0)
        return;
    meaning->names_source = true;
    meaning->source.port = source->port;
    memcpy(meaning->source.ip, is_ipv4 ? before_ipv4 : source->ip, is_ipv4 ? 12 : 16);
    if (is_ipv4)
        memcpy(meaning->source.ip + 12, source->ip, 4);
}

static void write_line(written_header *written, fuzz_input *input)
{
    char line[LONGEST_LINE + 1] = "PROXY UNKNOWN\r\n";
    uint8_t kind = fuzz_take_below(input, 3);
    endpoint source = take_endpoint(input);
    endpoint destination = take_endpoint(input);
    if (kind > 0) {
        char source_text[INET6_ADDRSTRLEN];
        char destination_text[INET6_ADDRSTRLEN];
        int family = kind == 1 ? AF_INET : AF_INET6;
        inet_ntop(family, source.ip, source_text, sizeof source_text);
        inet_ntop(family, destination.ip, destination_text, sizeof destination_text);
        snprintf(line, sizeof line, "PROXY TCP%d %s %s %u %u\r\n", kind == 1 ? 4 : 6, source_text, destination_text,
                 source.port, destination.port);
        name_source(written, &source, kind == 1);
    }
    append(written, line, strlen(line));
}

static void write_binary(written_header *written, fuzz_input *input)
{
    static const size_t address_lengths[] = {0, 4, 16, 108};
    static const uint8_t tlvs[MAX_TLVS];
    bool is_local = fuzz_take_below(input, 4) == 3;
    uint8_t family = fuzz_take_below(input, 4);
    uint8_t protocol = fuzz_take_below(input, 3);
    size_t further = fuzz_take_below(input, MAX_TLVS + 1);
    endpoint ends[] = {take_endpoint(input), take_endpoint(input)};
    bool is_ip = family == 1 || family == 2;
    size_t addresses_length = 2 * address_lengths[family] + (is_ip ? 4 : 0);

    append(written, "\r\n\r\n\0\r\nQUIT\n", 12);
    append(written, (const uint8_t[]){is_local ? 0x20 : 0x21, (uint8_t)(family << 4 | protocol)}, 2);
    append_number(written, (uint16_t)(addresses_length + further));
    for (size_t i = 0; i < 2 && is_ip; i++)
        append(written, ends[i].ip, address_lengths[family]);
    for (size_t i = 0; i < 2 && is_ip; i++)
        append_number(written, ends[i].port);
    append_zeros(written, is_ip ? 0 : addresses_length);
    append(written, tlvs, further);
    if (is_ip && protocol == 1 && !is_local)
        name_source(written, &ends[0], family == 1);
}

/* The header is parsed as written, and not before it is complete. */
static void write_and_read(fuzz_input input)
{
    written_header written = {0};
    if ((fuzz_take_byte(&input) & 1) != 0)
        write_line(&written, &input);
    else
        write_binary(&written, &input);
    jz_proxy_header header = {0};
    for (size_t arrived = 0; arrived < written.length; arrived++)
        require(parse_copy(written.bytes, arrived, &header) == JZ_PROXY_HEADER_INCOMPLETE,
                "the beginning of a header is incomplete");
    require(parse_copy(written.bytes, written.length, &header) == JZ_PROXY_HEADER_COMPLETE, "a header is complete");
    require(header.length == written.length, "a header is as long as it was written");
    require(header.names_source == written.meaning.names_source, "TCP over IP names its source, and nothing else");
    require(is_same_address(&header.source, &written.meaning.source), "the source is whom the header names");
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    judge_as_they_arrive(bytes, length);
    write_and_read((fuzz_input){bytes, length});
    return 0;
}
