#include "client_frame.h"

#include "fuzz_input.h"

static void append_byte(jz_buffer *output, unsigned byte)
{
    uint8_t narrow = (uint8_t)byte;
    require(jz_buffer_append(output, &narrow, 1), "the fuzzer has memory");
}

static void append_length(jz_buffer *output, const client_frame *frame)
{
    unsigned mask_bit = frame->masked ? 0x80 : 0;
    uint64_t length = frame->claimed_length;
    unsigned bits = frame->form == LENGTH_OF_64_BITS ? 64 : frame->form == LENGTH_OF_16_BITS ? 16 : 0;
    if (frame->form == SHORTEST_LENGTH && length > 125)
        bits = length > 65535 ? 64 : 16;
    append_byte(output, mask_bit | (bits == 64 ? 127 : bits == 16 ? 126 : (unsigned)length));
    for (; bits > 0; bits -= 8)
        append_byte(output, (unsigned)(length >> (bits - 8)) & 0xFF);
}

void client_frame_append(jz_buffer *output, const client_frame *frame)
{
    append_byte(output, (frame->fin ? 0x80u : 0) | (unsigned)frame->reserved << 4 | frame->opcode);
    append_length(output, frame);
    if (frame->masked)
        require(jz_buffer_append(output, frame->masking_key, 4), "the fuzzer has memory");
    size_t start = output->length;
    require(jz_buffer_append(output, frame->payload, frame->payload_length), "the fuzzer has memory");
    for (size_t i = 0; frame->masked && i < frame->payload_length; i++)
        output->bytes[start + i] ^= frame->masking_key[i % 4];
}
