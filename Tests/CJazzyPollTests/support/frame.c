#include "frame.h"

#include "testing.h"

void test_bytes_append(jz_buffer *buffer, test_bytes bytes)
{
    if (bytes.total == 0)
        return;
    assert_true(bytes.pattern_length > 0 && jz_buffer_reserve(buffer, bytes.total, SIZE_MAX));
    uint8_t *start = buffer->bytes + buffer->length;
    size_t length = bytes.pattern_length < bytes.total ? bytes.pattern_length : bytes.total;
    memcpy(start, bytes.pattern, length);
    while (length < bytes.total) { /* repeats the bytes that are there */
        size_t count = length < bytes.total - length ? length : bytes.total - length;
        memcpy(start + length, start, count);
        length += count;
    }
    buffer->length += length;
}

static void append_byte(jz_buffer *buffer, unsigned byte)
{
    uint8_t narrow = (uint8_t)byte;
    assert_true(jz_buffer_append(buffer, &narrow, 1));
}

static void append_length(jz_buffer *buffer, uint64_t length, test_length_form form, bool is_masked)
{
    if (form == SHORTEST_LENGTH && length > 125)
        form = length > 65535 ? LENGTH_OF_64_BITS : LENGTH_OF_16_BITS;
    unsigned mask_bit = is_masked ? 0x80 : 0;
    if (form == SHORTEST_LENGTH) {
        append_byte(buffer, mask_bit | (unsigned)length);
        return;
    }
    append_byte(buffer, mask_bit | (form == LENGTH_OF_16_BITS ? 126 : 127));
    for (unsigned shift = form == LENGTH_OF_16_BITS ? 16 : 64; shift > 0;) {
        shift -= 8;
        append_byte(buffer, (unsigned)(length >> shift) & 0xFF);
    }
}

void test_frame_append(jz_buffer *buffer, const test_frame *frame, const uint8_t *client_key)
{
    if (frame->is_raw) {
        test_bytes_append(buffer, frame->payload);
        return;
    }
    const uint8_t *key = frame->masking == MASKED_AS_REQUIRED ? client_key : frame->key;
    bool is_masked = frame->masking != NEVER_MASKED && key != NULL;
    size_t length = frame->payload.total + (frame->close_code != 0 ? 2 : 0);

    append_byte(buffer, (frame->fin ? 0x80u : 0) | (unsigned)frame->reserved << 4 | frame->opcode);
    append_length(buffer, frame->claimed_length != 0 ? frame->claimed_length : length, frame->length_form, is_masked);
    if (is_masked)
        assert_true(jz_buffer_append(buffer, key, 4));

    size_t payload_start = buffer->length;
    if (frame->close_code != 0) {
        append_byte(buffer, frame->close_code >> 8);
        append_byte(buffer, frame->close_code & 0xFF);
    }
    test_bytes_append(buffer, frame->payload);
    uint8_t *payload = buffer->bytes + payload_start;
    for (size_t i = 0; is_masked && i < length; i++)
        payload[i] ^= key[i & 3];
}
