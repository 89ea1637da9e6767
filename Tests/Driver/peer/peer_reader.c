#define _GNU_SOURCE

#include "peer_reader.h"

#include <string.h>

#include "codec/frame_header.h"
#include "../../Fuzz/support/require.h"
#include "content.h"

typedef struct frame {
    uint8_t opcode;
    bool is_compressed;
    const uint8_t *payload;
    size_t length;
} frame;

void peer_reader_init(peer_reader *reader)
{
    *reader = (peer_reader){.places = {.count = 1}};
}

void peer_reader_free(peer_reader *reader)
{
    if (reader->agreed_on_deflate)
        inflateEnd(&reader->inflater);
    jz_buffer_free(&reader->message);
}

static void take_head(peer_reader *reader, const uint8_t *bytes, size_t length)
{
    static const char status_line[] = "HTTP/1.1 ";
    static const char extension[] = "\r\nSec-WebSocket-Extensions: permessage-deflate";
    size_t compared = length < strlen(status_line) ? length : strlen(status_line);
    require(compared == 0 || memcmp(bytes, status_line, compared) == 0, "the first that a client gets is a response");
    const uint8_t *end = length > 0 ? memmem(bytes, length, "\r\n\r\n", 4) : NULL;
    if (end == NULL)
        return;
    reader->has_head = true;
    reader->position = (size_t)(end - bytes) + 4;
    reader->status = (bytes[9] - '0') * 100 + (bytes[10] - '0') * 10 + bytes[11] - '0';
    require(reader->status >= 100 && reader->status < 600, "a status has three digits");
    reader->agreed_on_deflate = memmem(bytes, reader->position, extension, strlen(extension)) != NULL;
    if (reader->agreed_on_deflate)
        require(inflateInit2(&reader->inflater, -15) == Z_OK, "zlib has memory");
}

/* The next frame, if it is whole. Its length: 0 where it is not. */
static size_t find_frame(const uint8_t *bytes, size_t length, frame *frame)
{
    if (length < 2)
        return 0;
    require((bytes[0] & 0x80) != 0 && (bytes[0] & 0x30) == 0, "a server's frames are whole messages");
    require((bytes[1] & 0x80) == 0, "a server's frames are not masked");
    size_t header = bytes[1] == 127 ? 10 : bytes[1] == 126 ? 4 : 2;
    if (length < header)
        return 0;
    uint64_t payload = header == 2 ? bytes[1] : 0;
    for (size_t i = 2; i < header; i++)
        payload = payload << 8 | bytes[i];
    require(payload >= (header == 10 ? 65536u : header == 4 ? 126u : 0u), "the length has its shortest form");
    if (length - header < payload)
        return 0;
    *frame = (struct frame){bytes[0] & 15, (bytes[0] & 0x40) != 0, bytes + header, (size_t)payload};
    return header + (size_t)payload;
}

static void inflate_part(peer_reader *reader, const uint8_t *bytes, size_t length)
{
    enum { ROOM = 16 * 1024 };
    z_stream *stream = &reader->inflater;
    stream->next_in = (z_const Bytef *)bytes;
    stream->avail_in = (uInt)length;
    do {
        require(jz_buffer_reserve(&reader->message, ROOM, SIZE_MAX), "the test has memory");
        stream->next_out = reader->message.bytes + reader->message.length;
        stream->avail_out = ROOM;
        int result = inflate(stream, Z_SYNC_FLUSH);
        require(result == Z_OK || result == Z_BUF_ERROR, "what the server compresses inflates");
        reader->message.length += ROOM - stream->avail_out;
    } while (stream->avail_out == 0);
    require(stream->avail_in == 0, "a compressed message has nothing behind its end");
}

static peer_due due_at(const peer *peer, size_t place)
{
    peer_due due;
    memcpy(&due, peer->dues.bytes + place * sizeof due, sizeof due);
    return due;
}

static void add_place(peer_places *places, size_t place)
{
    for (size_t i = 0; i < places->count; i++) {
        if (places->all[i] == place)
            return;
    }
    if (places->count < PEER_READER_PLACES)
        places->all[places->count++] = place;
}

/* Adds the places behind every due that this may be, from one place on. */
static void add_places_behind(peer_places *places, const peer *peer, size_t from, const peer_due *came)
{
    size_t count = peer->dues.length / sizeof(peer_due);
    for (size_t i = from; i < count; i++) {
        peer_due due = due_at(peer, i);
        if (due.kind == came->kind && due.length == came->length && due.hash == came->hash)
            add_place(places, i + 1);
        if (!due.may_be_missing)
            return;
    }
}

static void take_message(peer_reader *reader, const peer *peer, const frame *frame)
{
    static const uint8_t tail[] = {0x00, 0x00, 0xFF, 0xFF}; /* RFC 7692 §7.2.2 */
    const uint8_t *bytes = frame->payload;
    size_t length = frame->length;
    require(!frame->is_compressed || reader->agreed_on_deflate, "compression is agreed on");
    if (frame->is_compressed) {
        reader->message.length = 0;
        inflate_part(reader, bytes, length);
        inflate_part(reader, tail, sizeof tail);
        bytes = reader->message.bytes;
        length = reader->message.length;
    }
    jz_message_kind kind = frame->opcode == JZ_OPCODE_TEXT ? JZ_MESSAGE_TEXT : JZ_MESSAGE_BINARY;
    const peer_due came = {.kind = kind, .length = length, .hash = content_hash(bytes, length)};
    peer_places next = {.count = 0};
    for (size_t i = 0; i < reader->places.count; i++)
        add_places_behind(&next, peer, reader->places.all[i], &came);
    require(next.count > 0, "what comes was accepted, and nothing that was accepted before it is left out");
    reader->places = next;
    reader->data_count++;
}

/* For a ping that was not answered yet; earlier pings may stay unanswered (RFC 6455 §5.5.3). */
static void take_pong(peer_reader *reader, const peer *peer, const frame *frame)
{
    size_t count = peer->messages.length / sizeof(peer_message);
    uint64_t hash = content_hash(frame->payload, frame->length);
    while (reader->next_ping < count) {
        peer_message message;
        memcpy(&message, peer->messages.bytes + reader->next_ping++ * sizeof message, sizeof message);
        if (message.kind == JZ_MESSAGE_PING && message.length == frame->length &&
            content_hash_of(message.number, message.length) == hash)
            return;
    }
    require(peer->is_hostile, "no pong comes without a ping");
}

static void take_frame(peer_reader *reader, const peer *peer, const frame *frame)
{
    /* Pings that come before the peer's own close frame are answered (RFC 6455 §5.5.2). */
    require(!reader->has_close || frame->opcode == JZ_OPCODE_PONG, "nothing but pongs follows a close frame");
    if (frame->opcode == JZ_OPCODE_TEXT || frame->opcode == JZ_OPCODE_BINARY) {
        take_message(reader, peer, frame);
        return;
    }
    require(frame->opcode == JZ_OPCODE_CLOSE || frame->opcode == JZ_OPCODE_PING || frame->opcode == JZ_OPCODE_PONG,
            "a server's frames have opcodes of the RFC");
    require(frame->length <= 125 && !frame->is_compressed, "a control frame is short and not compressed");
    if (frame->opcode == JZ_OPCODE_PONG)
        take_pong(reader, peer, frame);
    if (frame->opcode == JZ_OPCODE_CLOSE) {
        require(frame->length != 1, "a close frame has a whole code, or none");
        reader->has_close = true;
        reader->close_code = frame->length > 0 ? (uint16_t)(frame->payload[0] << 8 | frame->payload[1]) : 0;
    }
}

void peer_reader_read(peer_reader *reader, const peer *peer, const uint8_t *bytes, size_t length)
{
    if (!reader->has_head)
        take_head(reader, bytes, length);
    if (reader->status != 101)
        return;
    frame frame;
    size_t count;
    while ((count = find_frame(bytes + reader->position, length - reader->position, &frame)) > 0) {
        take_frame(reader, peer, &frame);
        reader->position += count;
    }
}

bool peer_reader_is_between_frames(const peer_reader *reader, size_t length)
{
    return reader->has_head ? reader->status != 101 || reader->position == length : length == 0;
}

static bool has_all_from(const peer *peer, size_t place)
{
    size_t count = peer->dues.length / sizeof(peer_due);
    for (size_t i = place; i < count; i++) {
        peer_due due = due_at(peer, i);
        if (!due.may_be_missing && !due.may_be_too_late)
            return false;
    }
    return true;
}

bool peer_reader_has_all(const peer_reader *reader, const peer *peer)
{
    for (size_t i = 0; i < reader->places.count; i++) {
        if (has_all_from(peer, reader->places.all[i]))
            return true;
    }
    return false;
}
