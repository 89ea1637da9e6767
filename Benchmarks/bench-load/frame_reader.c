#include "frame_reader.h"

#include <string.h>

#include "fail.h"

enum { OPCODE_CLOSE = 0x8, CONTROL = 0x8 };

static size_t header_length_of(const frame_reader *reader)
{
    if (reader->header_length < 2)
        return 2;
    if ((reader->header[1] & 0x80) != 0)
        fail("the server sent a masked frame, which only clients do (RFC 6455 5.1)");
    return reader->header[1] < 126 ? 2 : reader->header[1] == 126 ? 4 : 10;
}

static uint64_t payload_length_of(const frame_reader *reader)
{
    if (reader->header[1] < 126)
        return reader->header[1];
    uint64_t length = 0;
    for (size_t i = 2; i < reader->header_length; i++)
        length = length << 8 | reader->header[i];
    return length;
}

/* Returns how many bytes of the header were taken. */
static size_t take_header(frame_reader *reader, const uint8_t *bytes, size_t length)
{
    size_t taken = 0;
    while (taken < length && reader->header_length < header_length_of(reader))
        reader->header[reader->header_length++] = bytes[taken++];
    if (reader->header_length == header_length_of(reader)) {
        reader->is_in_payload = true;
        reader->remaining = payload_length_of(reader);
        if ((reader->header[0] & 0x40) != 0)
            reader->is_compressed = true;
    }
    return taken;
}

static void compare(const frame_reader *reader, const uint8_t *bytes, size_t count, const expectation *expected)
{
    if (expected->payload == NULL || reader->is_compressed)
        return;
    if (expected->is_compressed)
        fail("the server agreed on permessage-deflate, and sent a message back uncompressed");
    if (reader->message_length + count > expected->length ||
        memcmp(expected->payload + reader->message_length, bytes, count) != 0)
        fail("the server did not send the message back that it was sent");
}

/* A frame is complete. Returns whether a data message is. */
static bool finish_frame(frame_reader *reader, const expectation *expected)
{
    bool is_control = (reader->header[0] & CONTROL) != 0;
    bool is_last = (reader->header[0] & 0x80) != 0;
    if ((reader->header[0] & 0x0F) == OPCODE_CLOSE)
        reader->has_closed = true;
    reader->header_length = 0;
    reader->is_in_payload = false;
    if (is_control || !is_last)
        return false;
    if (expected->payload != NULL && !reader->is_compressed && reader->message_length != expected->length)
        fail("the server sent a message of %llu bytes where one of %zu was due",
             (unsigned long long)reader->message_length, expected->length);
    reader->message_length = 0;
    reader->is_compressed = false;
    return true;
}

/* Payload bytes, at most those that are still to come; NULL where they were discarded. */
static size_t take_payload(frame_reader *reader, const uint8_t *bytes, size_t count, const expectation *expected)
{
    if ((reader->header[0] & CONTROL) == 0) {
        if (bytes != NULL)
            compare(reader, bytes, count, expected);
        reader->message_length += count;
    }
    reader->remaining -= count;
    return reader->remaining == 0 ? finish_frame(reader, expected) : 0;
}

size_t frame_reader_skip(frame_reader *reader, size_t length, const expectation *expected)
{
    return take_payload(reader, NULL, length, expected);
}

size_t frame_reader_take(frame_reader *reader, const uint8_t *bytes, size_t length, const expectation *expected)
{
    size_t messages = 0;
    const uint8_t *end = bytes + length;
    while (bytes < end || (reader->is_in_payload && reader->remaining == 0)) {
        if (!reader->is_in_payload) {
            bytes += take_header(reader, bytes, (size_t)(end - bytes));
            continue;
        }
        size_t count = (size_t)(end - bytes);
        if (reader->remaining < count)
            count = (size_t)reader->remaining;
        messages += take_payload(reader, bytes, count, expected);
        bytes += count;
    }
    return messages;
}
