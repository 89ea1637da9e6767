/* Frame headers: decoding follows the bits of RFC 6455 §5.2, and encoding and decoding are inverse. */
#include "codec/frame_header.h"

#include "support/fuzz_input.h"

/* `count` bits from bit `first` on, counted as the RFC's drawing does: from the left, bytes in network order. */
static uint64_t bits_at(const uint8_t *bytes, size_t first, size_t count)
{
    uint64_t value = 0;
    for (size_t i = first; i < first + count; i++)
        value = value << 1 | (bytes[i / 8] >> (7 - i % 8) & 1u);
    return value;
}

static size_t bits_of_length(const uint8_t *bytes)
{
    uint64_t field = bits_at(bytes, 9, 7);
    return field == 126 ? 16 : field == 127 ? 64 : 0;
}

static size_t expected_header_length(const uint8_t *bytes)
{
    return 2 + bits_of_length(bytes) / 8 + (bits_at(bytes, 8, 1) != 0 ? 4 : 0);
}

static uint64_t shortest_length_with(size_t bits)
{
    return bits == 64 ? 65536 : bits == 16 ? 126 : 0;
}

static void require_fields(const jz_frame_header *header, const uint8_t *bytes)
{
    size_t bits = bits_of_length(bytes);
    uint64_t length = bits > 0 ? bits_at(bytes, 16, bits) : bits_at(bytes, 9, 7);
    require(header->fin == (bits_at(bytes, 0, 1) == 1), "FIN is the first bit");
    require(header->reserved == bits_at(bytes, 1, 3), "RSV1 to RSV3 are the next three");
    require(header->opcode == bits_at(bytes, 4, 4), "the opcode is the next four");
    require(header->masked == (bits_at(bytes, 8, 1) == 1), "MASK is the first bit of the second byte");
    require(header->payload_length == length, "the payload length has 7, 16 or 64 bits");
    require(header->length_is_minimal == (length >= shortest_length_with(bits)), "a length may be longer than need be");
    require(header->header_length == expected_header_length(bytes), "the header's length follows from its fields");
    if (header->masked)
        require(memcmp(header->masking_key, bytes + header->header_length - 4, 4) == 0, "the key comes last");
}

/* Every length of input up to the header's: too few bytes are never a header, and none beyond them is read. */
static void decode_prefixes(const uint8_t *bytes, size_t length)
{
    for (size_t count = 0; count <= length && count <= JZ_MAX_FRAME_HEADER; count++) {
        uint8_t *copy = fuzz_copy(bytes, count);
        jz_frame_header header = {0};
        bool is_decoded = jz_frame_header_decode(copy, count, &header);
        free(copy);
        bool is_whole = count >= 2 && count >= expected_header_length(bytes);
        require(is_decoded == is_whole, "a header is decoded as soon as it is whole");
        if (is_decoded)
            require_fields(&header, bytes);
    }
}

/* A server's header in its shortest form is encoded as it was read. */
static void encode_again(const uint8_t *bytes, size_t length)
{
    jz_frame_header header = {0};
    if (!jz_frame_header_decode(bytes, length, &header) || header.masked || !header.length_is_minimal)
        return;
    uint8_t encoded[JZ_MAX_SENT_FRAME_HEADER];
    size_t encoded_length =
        jz_frame_header_encode(encoded, header.fin, header.reserved, header.opcode, header.payload_length);
    require(encoded_length == header.header_length, "the same header has the same length");
    require(memcmp(encoded, bytes, encoded_length) == 0, "the same header has the same bytes");
}

static void encode_and_decode(fuzz_input input)
{
    bool fin = (fuzz_take_byte(&input) & 1) != 0;
    uint8_t reserved = fuzz_take_below(&input, 8);
    uint8_t opcode = fuzz_take_below(&input, 16);
    unsigned bits = fuzz_take_below(&input, 65);
    uint64_t payload_length = 0;
    for (unsigned i = 0; i < bits; i += 8)
        payload_length = payload_length << 8 | fuzz_take_byte(&input);
    payload_length = bits == 0 ? 0 : payload_length & UINT64_MAX >> (64 - bits);

    uint8_t encoded[JZ_MAX_SENT_FRAME_HEADER];
    size_t length = jz_frame_header_encode(encoded, fin, reserved, opcode, payload_length);
    jz_frame_header header = {0};
    require(jz_frame_header_decode(encoded, length, &header), "an encoded header is whole");
    require(header.header_length == length, "and nothing but a header");
    require(header.fin == fin && header.reserved == reserved && header.opcode == opcode, "its bits are what was asked");
    require(header.payload_length == payload_length, "its length is what was asked");
    require(header.length_is_minimal && !header.masked, "it is what a server may send");
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    decode_prefixes(bytes, length);
    encode_again(bytes, length);
    encode_and_decode((fuzz_input){bytes, length});
    return 0;
}
