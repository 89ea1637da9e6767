#include "peer.h"

#include <stdio.h>
#include <string.h>

#include "codec/frame_header.h"
#include "../../Fuzz/support/client_frame.h"
#include "../../Fuzz/support/require.h"
#include "content.h"

enum { WINDOW_BITS = 15, MEMORY_LEVEL = 8, RSV1 = 4 };

static void append(jz_buffer *buffer, const void *bytes, size_t length)
{
    require(jz_buffer_append(buffer, bytes, length), "the test has memory");
}

void peer_init(peer *peer)
{
    *peer = (struct peer){0};
}

void peer_free(peer *peer)
{
    if (peer->has_deflate)
        client_deflate_free(&peer->deflate);
    jz_buffer_free(&peer->sent);
    jz_buffer_free(&peer->messages);
    jz_buffer_free(&peer->dues);
}

void peer_ask(peer *peer, const char *path, bool offers_deflate)
{
    char request[320];
    int length = snprintf(request, sizeof request,
                          "GET %s HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                          "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n%s\r\n",
                          path, offers_deflate ? "Sec-WebSocket-Extensions: permessage-deflate\r\n" : "");
    append(&peer->sent, request, (size_t)length);
    if (offers_deflate) {
        client_deflate_init(&peer->deflate, WINDOW_BITS, MEMORY_LEVEL);
        peer->has_deflate = true;
    }
}

static void append_frame(peer *peer, uint8_t opcode, bool fin, bool is_compressed, const uint8_t *payload,
                         size_t length, const uint8_t key[4])
{
    client_frame frame = {.fin = fin,
                          .reserved = is_compressed ? RSV1 : 0,
                          .opcode = opcode,
                          .masked = true,
                          .claimed_length = length,
                          .payload = payload,
                          .payload_length = length};
    memcpy(frame.masking_key, key, 4);
    client_frame_append(&peer->sent, &frame);
}

static uint8_t opcode_of(jz_message_kind kind)
{
    static const uint8_t opcodes[] = {[JZ_MESSAGE_TEXT] = JZ_OPCODE_TEXT,
                                      [JZ_MESSAGE_BINARY] = JZ_OPCODE_BINARY,
                                      [JZ_MESSAGE_PING] = JZ_OPCODE_PING,
                                      [JZ_MESSAGE_PONG] = JZ_OPCODE_PONG};
    return opcodes[kind];
}

static void append_message(peer *peer, const peer_message *message, const peer_framing *framing)
{
    jz_buffer content = {0};
    jz_buffer payload = {0};
    bool is_control = message->kind > JZ_MESSAGE_BINARY;
    bool is_compressed = framing->is_compressed && peer->has_deflate && !is_control;
    require(jz_buffer_reserve(&content, message->length + 1, SIZE_MAX), "the test has memory");
    content_fill(content.bytes, message->length, message->number);
    if (is_compressed)
        client_deflate_message(&peer->deflate, (client_deflate_manner){.begins_anew = true}, content.bytes,
                               message->length, &payload);
    else
        append(&payload, content.bytes, message->length);
    size_t frames = is_control ? 1 : framing->fragments;
    for (size_t i = 0; i < frames; i++) {
        size_t start = payload.length * i / frames;
        size_t end = payload.length * (i + 1) / frames;
        append_frame(peer, i == 0 ? opcode_of(message->kind) : JZ_OPCODE_CONTINUATION, i + 1 == frames,
                     is_compressed && i == 0, end > start ? payload.bytes + start : NULL, end - start, framing->key);
        if (framing->has_ping_between && i + 1 < frames) {
            const peer_message ping = {.kind = JZ_MESSAGE_PING, .number = message->number, .length = i % 126};
            peer_send(peer, &ping, framing);
        }
    }
    jz_buffer_free(&content);
    jz_buffer_free(&payload);
}

void peer_send(peer *peer, const peer_message *message, const peer_framing *framing)
{
    bool counts = !peer->is_hostile && !peer->has_closed;
    append_message(peer, message, framing);
    if (counts) /* behind the pings between its fragments, which are delivered first */
        append(&peer->messages, message, sizeof *message);
}

void peer_send_close(peer *peer, uint16_t code, const uint8_t key[4])
{
    const uint8_t payload[2] = {(uint8_t)(code >> 8), (uint8_t)code};
    append_frame(peer, JZ_OPCODE_CLOSE, true, false, payload, code != 0 ? 2 : 0, key);
    peer->has_closed = true;
}

void peer_send_raw(peer *peer, const uint8_t *bytes, size_t length)
{
    append(&peer->sent, bytes, length);
    peer->is_hostile = true;
}

peer_message peer_is_told(peer *peer, const jz_message *message)
{
    peer_message next = {.action = ACTION_ECHO};
    if (peer->told == peer->messages.length / sizeof next) {
        require(peer->is_hostile, "a handler is told of no message that nobody sent");
        if (message->kind > JZ_MESSAGE_BINARY)
            next.action = ACTION_LISTEN;
        return next;
    }
    memcpy(&next, peer->messages.bytes + peer->told * sizeof next, sizeof next);
    peer->told++;
    require(message->kind == next.kind && message->length == next.length &&
                content_hash(message->bytes, message->length) == content_hash_of(next.number, next.length),
            "a handler is told of each message as it was sent, in order");
    if (message->kind > JZ_MESSAGE_BINARY)
        next.action = ACTION_LISTEN;
    return next;
}

static void add_due(peer *peer, jz_message_kind kind, const uint8_t *bytes, size_t length, bool may_be_missing,
                    bool may_be_too_late)
{
    const peer_due due = {kind, length, content_hash(bytes, length), may_be_missing, may_be_too_late};
    append(&peer->dues, &due, sizeof due);
}

void peer_add_due(peer *peer, jz_message_kind kind, const uint8_t *bytes, size_t length, bool may_be_missing)
{
    add_due(peer, kind, bytes, length, may_be_missing, false);
}

void peer_add_due_from_elsewhere(peer *peer, jz_message_kind kind, const uint8_t *bytes, size_t length,
                                 bool may_be_missing)
{
    add_due(peer, kind, bytes, length, may_be_missing, true);
}
