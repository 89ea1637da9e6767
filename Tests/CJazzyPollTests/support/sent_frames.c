#include "sent_frames.h"

#include <stdio.h>
#include <zlib.h>

#include "testing.h"

/* Small output steps, so that only bytes in the window can be referred to. */
enum { INFLATE_STEP = 64 };

static test_frame frame_due_for(const session_event *event)
{
    static const uint8_t opcodes[] = {
        [JZ_MESSAGE_TEXT] = JZ_OPCODE_TEXT, [JZ_MESSAGE_BINARY] = JZ_OPCODE_BINARY, [JZ_MESSAGE_PING] = JZ_OPCODE_PONG};
    if (event->type == JZ_EVENT_CLOSE) {
        uint16_t code = event->close_code == JZ_CLOSE_NO_STATUS ? 0 : event->close_code;
        return (test_frame){.fin = true, .opcode = JZ_OPCODE_CLOSE, .close_code = code};
    }
    return (test_frame){.fin = true,
                        .reserved = event->is_sent_back_compressed ? JZ_RSV1 : 0,
                        .opcode = opcodes[event->kind],
                        .payload = event->bytes};
}

/* Whether an echo server sends something when this happens. */
static bool is_answered(const session_event *event)
{
    if (event->type == JZ_EVENT_CLOSE)
        return event->was_clean;
    return event->type == JZ_EVENT_MESSAGE && event->kind != JZ_MESSAGE_PONG;
}

due_frames due_frames_of(const session_row *row)
{
    due_frames due = {calloc(row->output.count + row->events.count + 1, sizeof *due.first), 0};
    for (size_t i = 0; i < row->output.count; i++)
        due.first[due.count++] = row->output.first[i];
    for (size_t i = 0; row->echoes && i < row->events.count; i++) {
        if (is_answered(&row->events.first[i]))
            due.first[due.count++] = frame_due_for(&row->events.first[i]);
    }
    if (row->failure != JZ_FAILURE_NONE) {
        const char *text = jz_failure_text(row->failure);
        due.first[due.count++] = (test_frame)CLOSE_OF(row->failure_code, {text, strlen(text), strlen(text)});
    }
    return due;
}

void due_frames_free(due_frames *due)
{
    free(due->first);
    *due = (due_frames){0};
}

/* Where the sent bytes are compared, and what inflates them. */
typedef struct reading {
    const uint8_t *bytes;
    size_t rest;
    z_stream inflater;
    bool forgets; /* every message is compressed for itself */
} reading;

static bool take(reading *reading, size_t count)
{
    reading->bytes += count;
    reading->rest -= count;
    return true;
}

static bool take_frame_as_it_is(reading *reading, const test_frame *due)
{
    jz_buffer expected = {0};
    test_frame_append(&expected, due, NULL);
    bool is_same = expected.length <= reading->rest && memcmp(expected.bytes, reading->bytes, expected.length) == 0;
    if (is_same)
        take(reading, expected.length);
    jz_buffer_free(&expected);
    return is_same;
}

/* The header of an unmasked, final frame with RSV1 and this opcode, its length in the shortest form. */
static bool take_compressed_header(reading *reading, uint8_t opcode, size_t *length)
{
    const uint8_t *bytes = reading->bytes;
    if (reading->rest < 2 || bytes[0] != (0xC0 | opcode) || bytes[1] > 127)
        return false;
    size_t header = bytes[1] == 127 ? 10 : bytes[1] == 126 ? 4 : 2;
    if (reading->rest < header)
        return false;
    *length = header == 2 ? bytes[1] : 0;
    for (size_t i = 2; i < header; i++)
        *length = *length << 8 | bytes[i];
    size_t shortest = header == 10 ? 65536 : header == 4 ? 126 : 0;
    return *length >= shortest && *length <= reading->rest - header && take(reading, header);
}

/* Inflates a part of a message, and appends the output. */
static bool inflate_part(z_stream *stream, const uint8_t *bytes, size_t length, jz_buffer *message)
{
    uint8_t step[INFLATE_STEP];
    stream->next_in = (z_const Bytef *)bytes;
    stream->avail_in = (uInt)length;
    do {
        stream->next_out = step;
        stream->avail_out = sizeof step;
        int result = inflate(stream, Z_SYNC_FLUSH);
        if (result != Z_OK && result != Z_BUF_ERROR)
            return false;
        assert_true(jz_buffer_append(message, step, sizeof step - stream->avail_out));
    } while (stream->avail_out == 0);
    return stream->avail_in == 0;
}

static bool take_compressed_frame(reading *reading, const test_frame *due)
{
    static const uint8_t tail[] = {0x00, 0x00, 0xFF, 0xFF}; /* RFC 7692 §7.2.2 */
    size_t length;
    if (!take_compressed_header(reading, due->opcode, &length))
        return false;
    if (reading->forgets)
        inflateReset(&reading->inflater);
    jz_buffer expected = {0};
    jz_buffer message = {0};
    test_bytes_append(&expected, due->payload);
    bool is_same = inflate_part(&reading->inflater, reading->bytes, length, &message) &&
                   inflate_part(&reading->inflater, tail, sizeof tail, &message) && message.length == expected.length &&
                   memcmp(message.bytes, expected.bytes, expected.length) == 0;
    jz_buffer_free(&expected);
    jz_buffer_free(&message);
    return is_same && length < due->payload.total && take(reading, length);
}

bool sent_frames_are_due(const session_row *row, const jz_buffer *sent, char text[SENT_FRAMES_TEXT_SIZE])
{
    const session_deflate *deflate = row->deflate;
    bool is_agreed = deflate != NULL && deflate->answer != NULL;
    reading reading = {
        .bytes = sent->bytes, .rest = sent->length, .forgets = is_agreed && deflate->server_no_context_takeover};
    assert_int_equal(inflateInit2(&reading.inflater, is_agreed ? -deflate->server_window_bits : -15), Z_OK);
    due_frames due = due_frames_of(row);
    size_t same = 0;
    while (same < due.count && (due.first[same].reserved == JZ_RSV1 ? take_compressed_frame(&reading, &due.first[same])
                                                                    : take_frame_as_it_is(&reading, &due.first[same])))
        same++;
    bool are_due = same == due.count && reading.rest == 0;
    snprintf(text, SENT_FRAMES_TEXT_SIZE, "%zu of %zu frames were sent as they are due, %zu of %zu bytes follow", same,
             due.count, reading.rest, sent->length);
    inflateEnd(&reading.inflater);
    due_frames_free(&due);
    return are_due;
}
