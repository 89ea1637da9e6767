#include "payload.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "fail.h"

static const char *const names[] = {
    [PAYLOAD_BINARY] = "binary",   [PAYLOAD_ASCII] = "ascii", [PAYLOAD_RUSSIAN] = "russian",
    [PAYLOAD_CHINESE] = "chinese", [PAYLOAD_EMOJI] = "emoji", [PAYLOAD_JSON] = "json"};

enum { KINDS = sizeof names / sizeof *names };

/* As people write it: with spaces, punctuation and line ends, which are ASCII in every language. */
static const char *const samples[] = {
    [PAYLOAD_BINARY] = "",
    [PAYLOAD_ASCII] = "The quick brown fox jumps over the lazy dog, and over 13 more. ",
    [PAYLOAD_RUSSIAN] = "Съешь же ещё этих мягких французских булок, да выпей чаю. ",
    [PAYLOAD_CHINESE] = "我能吞下玻璃而不伤身体。视野无限广，窗外有蓝天。\n",
    [PAYLOAD_EMOJI] = "\U0001F600\U0001F680 great \U0001F44D\U0001F3FD\u2764\uFE0F \U0001F389\U0001F1EB\U0001F1F7! ",
    [PAYLOAD_JSON] = "",
};

static const uint8_t masking_key[4] = {0x37, 0xFA, 0x21, 0x3D};

const char *payload_name(payload_kind kind)
{
    return names[kind];
}

bool payload_kind_of(const char *name, payload_kind *kind)
{
    for (unsigned i = 0; i < KINDS; i++) {
        if (strcmp(name, names[i]) == 0) {
            *kind = (payload_kind)i;
            return true;
        }
    }
    return false;
}

/* The same numbers in every run (Numerical Recipes' linear congruential generator). */
static uint32_t next_number(uint32_t *state)
{
    *state = *state * 1664525 + 1013904223;
    return *state >> 8;
}

static void fill_binary(uint8_t *bytes, size_t length, uint32_t state)
{
    for (size_t i = 0; i < length; i++)
        bytes[i] = (uint8_t)next_number(&state);
}

static void fill_text(uint8_t *bytes, size_t length, const char *sample)
{
    size_t position = 0;
    size_t in_sample = 0;
    size_t sample_length = strlen(sample);
    while (position < length) {
        size_t character = 1;
        while (in_sample + character < sample_length && ((uint8_t)sample[in_sample + character] & 0xC0) == 0x80)
            character++;
        if (character > length - position) {
            memset(bytes + position, '.', length - position);
            return;
        }
        memcpy(bytes + position, sample + in_sample, character);
        position += character;
        in_sample = (in_sample + character) % sample_length;
    }
}

/* Records as services send them: the same names again and again, other values. */
static void fill_json(uint8_t *bytes, size_t length, uint32_t state)
{
    size_t position = 0;
    memset(bytes, ' ', length);
    while (position < length) {
        uint32_t numbers[6];
        for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
            numbers[i] = next_number(&state);
        char record[256];
        int count = snprintf(record, sizeof record,
                             "{\"id\":%u,\"symbol\":\"SYM%u\",\"bid\":%u.%02u,\"ask\":%u.%02u,"
                             "\"time\":\"2026-11-%02uT%02u:%02u:%02uZ\",\"venue\":\"XNAS\"},",
                             numbers[0] % 1000000, numbers[1] % 500, numbers[2] % 1000, numbers[2] / 1000 % 100,
                             numbers[3] % 1000, numbers[3] / 1000 % 100, numbers[4] % 30 + 1, numbers[4] / 30 % 24,
                             numbers[5] % 60, numbers[5] / 60 % 60);
        size_t fitting = (size_t)count < length - position ? (size_t)count : length - position;
        memcpy(bytes + position, record, fitting);
        position += fitting;
    }
    if (length >= 2) {
        bytes[0] = '[';
        bytes[length - 1] = ']';
    }
}

/* RFC 7692 §7.2.1: a raw DEFLATE stream, flushed, without its last four bytes. */
static uint8_t *compress_message(const uint8_t *payload, size_t length, size_t *compressed_length)
{
    z_stream stream = {0};
    if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        fail("zlib does not start");
    size_t capacity = deflateBound(&stream, (uLong)length) + 16;
    uint8_t *compressed = malloc(capacity);
    if (compressed == NULL)
        fail("no memory");
    stream.next_in = (Bytef *)payload;
    stream.avail_in = (uInt)length;
    stream.next_out = compressed;
    stream.avail_out = (uInt)capacity;
    if (deflate(&stream, Z_SYNC_FLUSH) != Z_OK || stream.avail_in > 0)
        fail("zlib does not compress");
    *compressed_length = capacity - stream.avail_out - 4;
    deflateEnd(&stream);
    return compressed;
}

/* Returns the length of the header. */
static size_t write_header(uint8_t header[14], bool is_text, bool is_compressed, size_t length)
{
    size_t position = 2;
    header[0] = (uint8_t)(0x80 | (is_compressed ? 0x40 : 0) | (is_text ? 0x1 : 0x2));
    if (length < 126) {
        header[1] = (uint8_t)(0x80 | length);
    } else {
        size_t bytes = length <= UINT16_MAX ? 2 : 8;
        header[1] = (uint8_t)(0x80 | (bytes == 2 ? 126 : 127));
        for (size_t i = 0; i < bytes; i++)
            header[position++] = (uint8_t)((uint64_t)length >> (8 * (bytes - 1 - i)));
    }
    memcpy(header + position, masking_key, sizeof masking_key);
    return position + sizeof masking_key;
}

/* The `number`-th of different messages; texts of people are all the same. */
static void fill(payload_kind kind, uint8_t *payload, size_t length, size_t number)
{
    uint32_t state = (uint32_t)(number * 7919 + 7);
    if (kind == PAYLOAD_BINARY)
        fill_binary(payload, length, state);
    else if (kind == PAYLOAD_JSON)
        fill_json(payload, length, state);
    else
        fill_text(payload, length, samples[kind]);
}

/* Appends a frame around `content`. */
static void append_frame(frames *frames, bool is_text, bool is_compressed, const uint8_t *content, size_t length)
{
    size_t before = frames->count > 0 ? frames->ends[frames->count - 1] : 0;
    uint8_t header[14];
    size_t header_length = write_header(header, is_text, is_compressed, length);
    uint8_t *grown = realloc(frames->bytes, before + header_length + length);
    size_t *ends = realloc(frames->ends, (frames->count + 1) * sizeof *ends);
    if (grown == NULL || ends == NULL)
        fail("no memory for frames of %zu bytes; take fewer or smaller ones", length);
    memcpy(grown + before, header, header_length);
    for (size_t i = 0; i < length; i++)
        grown[before + header_length + i] = content[i] ^ masking_key[i & 3];
    frames->bytes = grown;
    frames->ends = ends;
    frames->ends[frames->count++] = before + header_length + length;
}

frames frames_create(payload_kind kind, size_t payload_length, bool is_compressed, size_t count)
{
    frames frames = {.payload = malloc(payload_length + 1), .payload_length = payload_length};
    if (frames.payload == NULL)
        fail("no memory");
    if (is_compressed && count < DIFFERENT_MESSAGES)
        count = DIFFERENT_MESSAGES;
    for (size_t i = count; i-- > 0;) {
        fill(kind, frames.payload, payload_length, is_compressed ? i : 0);
        size_t length = payload_length;
        uint8_t *compressed = is_compressed ? compress_message(frames.payload, payload_length, &length) : NULL;
        append_frame(&frames, kind != PAYLOAD_BINARY, is_compressed, is_compressed ? compressed : frames.payload,
                     length);
        free(compressed);
    }
    frames.period = is_compressed ? frames.ends[frames.count - 1] : frames.ends[0];
    return frames;
}

void frames_destroy(frames *frames)
{
    free(frames->payload);
    free(frames->bytes);
    free(frames->ends);
    *frames = (struct frames){0};
}
