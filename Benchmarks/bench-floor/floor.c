#define _GNU_SOURCE

#include "floor.h"

#include <stdio.h>
#include <string.h>

#include "codec/accept_key.h"
#include "codec/frame_header.h"
#include "codec/mask.h"

/* Unmasks to a place that is further down and may overlap: word by word from the front. */
static void unmask_down(uint8_t *destination, const uint8_t *source, size_t length, const uint8_t key[4])
{
    uint32_t half_key;
    memcpy(&half_key, key, sizeof half_key);
    const uint64_t word_key = (uint64_t)half_key << 32 | half_key;
    size_t position = 0;
    for (; length - position >= sizeof word_key; position += sizeof word_key) {
        uint64_t word;
        memcpy(&word, source + position, sizeof word);
        word ^= word_key;
        memcpy(destination + position, &word, sizeof word);
    }
    if (length - position >= 4) {
        uint32_t half;
        memcpy(&half, source + position, sizeof half);
        half ^= half_key;
        memcpy(destination + position, &half, sizeof half);
        position += sizeof half;
    }
    for (; position < length; position++)
        destination[position] = source[position] ^ key[position & 3];
}

/* Takes what there is of the payload of the frame under way. Returns where the output then ends. */
static uint8_t *take_payload(floor_connection *connection, uint8_t **bytes, const uint8_t *end, uint8_t *destination)
{
    uint8_t *source = *bytes;
    size_t count = (size_t)(end - source);
    if (connection->remaining < count)
        count = (size_t)connection->remaining;
    if (destination == source)
        jz_mask(source, source, count, connection->masking_key, 0);
    else
        unmask_down(destination, source, count, connection->masking_key);
    connection->remaining -= count;
    if (connection->remaining > 0) {
        uint8_t turned[4];
        for (size_t i = 0; i < sizeof turned; i++)
            turned[i] = connection->masking_key[(count + i) & 3];
        memcpy(connection->masking_key, turned, sizeof turned);
    }
    *bytes = source + count;
    return destination + count;
}

static void carry(floor_connection *connection, const uint8_t *bytes, size_t length)
{
    memcpy(connection->carry, bytes, length);
    connection->carry_length = (uint8_t)length;
}

/*
 * Takes the header of a frame and writes ours to where the output ends. The first frame stays where it is, behind its
 * shorter header; the next ones move down to it. Returns the length of our header; 0 where the client's is cut.
 */
static size_t begin_frame(floor_connection *connection, uint8_t **bytes, const uint8_t *end, uint8_t **start,
                          uint8_t **output_end)
{
    enum { SHORT_HEADER = 6, SHORT_SENT_HEADER = 2, MAX_SHORT_PAYLOAD = 125 };
    uint8_t *header = *bytes;
    size_t available = (size_t)(end - header);
    if (available >= SHORT_HEADER && (header[1] & 0x7F) <= MAX_SHORT_PAYLOAD) {
        memcpy(connection->masking_key, header + 2, sizeof connection->masking_key);
        connection->remaining = header[1] & 0x7F;
        *bytes += SHORT_HEADER;
        if (*start == NULL)
            *output_end = *start = *bytes - SHORT_SENT_HEADER;
        (*output_end)[0] = header[0];
        (*output_end)[1] = (uint8_t)connection->remaining;
        return SHORT_SENT_HEADER;
    }
    jz_frame_header decoded = {0};
    if (!jz_frame_header_decode(header, available, &decoded))
        return 0;
    memcpy(connection->masking_key, decoded.masking_key, sizeof connection->masking_key);
    connection->remaining = decoded.payload_length;
    *bytes += decoded.header_length;
    uint8_t sent[JZ_MAX_SENT_FRAME_HEADER];
    size_t length = jz_frame_header_encode(sent, decoded.fin, 0, decoded.opcode, decoded.payload_length);
    if (*start == NULL)
        *output_end = *start = *bytes - length;
    memcpy(*output_end, sent, length);
    return length;
}

size_t floor_take_frames(floor_connection *connection, uint8_t *bytes, size_t length, uint8_t **output)
{
    const uint8_t *end = bytes + length;
    bytes -= connection->carry_length;
    memcpy(bytes, connection->carry, connection->carry_length);
    connection->carry_length = 0;

    uint8_t *start = NULL;
    uint8_t *output_end = NULL;
    if (connection->remaining > 0) {
        start = bytes;
        output_end = take_payload(connection, &bytes, end, bytes);
    }
    while (bytes < end) {
        size_t sent_length = begin_frame(connection, &bytes, end, &start, &output_end);
        if (sent_length == 0) {
            carry(connection, bytes, (size_t)(end - bytes));
            break;
        }
        output_end = take_payload(connection, &bytes, end, output_end + sent_length);
    }
    *output = start;
    return (size_t)(output_end - start);
}

size_t floor_take_request(floor_connection *connection, const uint8_t *bytes, size_t length,
                          char response[FLOOR_RESPONSE])
{
    static const char name[] = "Sec-WebSocket-Key: ";
    static const char slow[] = "GET /slow ";
    const uint8_t *key = memmem(bytes, length, name, strlen(name));
    char accept[JZ_ACCEPT_KEY_LENGTH];
    if (key == NULL || (size_t)(bytes + length - key) < strlen(name) + JZ_CLIENT_KEY_LENGTH)
        return 0;
    jz_accept_key((const char *)key + strlen(name), accept);
    connection->is_open = true;
    connection->is_slow = memcmp(bytes, slow, strlen(slow)) == 0; /* a key is longer */
    return (size_t)snprintf(response, FLOOR_RESPONSE,
                            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                            "Sec-WebSocket-Accept: %.*s\r\n\r\n",
                            (int)sizeof accept, accept);
}
