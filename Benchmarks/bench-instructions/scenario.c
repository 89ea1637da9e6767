#include "scenario.h"

#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "output/publication.h"
#include "../common/client_frame.h"
#include "../common/reader.h"

enum { LARGEST = 65536, RECEIVERS = 16, WINDOW_BITS = 15 };

/*
 * A process runs one scenario. Nothing is on the stack, because its alignment depends on the length of the environment.
 */
static reader connection;
static alignas(64) uint8_t payload[LARGEST];
static size_t payload_length;
static alignas(64) uint8_t received[JZ_MAX_FRAME_HEADER + LARGEST];
static size_t received_length;

static void require(bool condition, const char *what)
{
    if (condition)
        return;
    fprintf(stderr, "bench-instructions: %s; `make test-c` tells whether the core is broken\n", what);
    exit(2);
}

static void receive(const scenario *scenario, uint8_t reserved, const uint8_t key[4], const void *bytes, size_t length)
{
    received_length += write_client_frame(received + received_length, scenario->opcode, reserved, key, bytes, length);
}

static void prepare_echo(const scenario *scenario)
{
    fill_text(payload, scenario->length, scenario->text);
    for (size_t i = 0; i < scenario->messages; i++)
        receive(scenario, 0, toggling_key, payload, scenario->length);
    reader_open(&connection, READER_ECHOES, false);
    reader_check(&connection, received, received_length, scenario->messages);
}

static void read_whole(void)
{
    reader_read(&connection, received, received_length);
}

static void read_halves(void)
{
    size_t half = received_length / 2;
    reader_read(&connection, received, half);
    reader_read(&connection, received + half, received_length - half);
}

/* All messages of an iteration differ, because a message equal to the last one would not be compressed again. */
static void prepare_compressed(const scenario *scenario)
{
    reader_open(&connection, READER_ECHOES, true);
    for (unsigned i = 0; i < scenario->messages; i++) {
        const jz_buffer *compressed;
        fill_json(payload, scenario->length, i);
        require(jz_compress_alone(&connection.workspace, &connection.settings.deflate, WINDOW_BITS, payload,
                                  scenario->length, &compressed),
                "a message does not become smaller");
        receive(scenario, JZ_RSV1, zero_key, compressed->bytes, compressed->length);
    }
    reader_check(&connection, received, received_length, scenario->messages);
}

static void prepare_fan_out(const scenario *scenario)
{
    payload_length = scenario->length;
    fill_text(payload, scenario->length, scenario->text);
    reader_open(&connection, READER_LOOKS, false);
}

/* A message to many: framed once, then looked up, held and let go for each receiver. */
static void fan_out(void)
{
    jz_publication *publication =
        jz_publication_create(JZ_MESSAGE_TEXT, payload, payload_length, JZ_COMPRESSION_AUTOMATIC);
    require(publication != NULL, "there is no memory");
    for (int i = 0; i < RECEIVERS; i++) {
        size_t length;
        jz_publication_retain(publication);
        require(jz_publication_frame_for(publication, &connection.session, &length) != NULL, "nothing is sent");
        jz_publication_release(publication);
    }
    jz_publication_release(publication);
}

static void prepare_handshake(const scenario *scenario)
{
    (void)scenario;
    reader_open(&connection, READER_LOOKS, false);
    require(reader_shake_hands(&connection, handshake_request, strlen(handshake_request)) == 101,
            "the handshake of texts.c is refused");
}

static void shake_hands(void)
{
    reader_shake_hands(&connection, handshake_request, strlen(handshake_request));
}

const scenario scenarios[] = {
    {"echo-20B-text", prepare_echo, read_whole, 1, 20, JZ_OPCODE_TEXT, TEXT_ASCII},
    {"echo-20B-text-32-per-read", prepare_echo, read_whole, 32, 20, JZ_OPCODE_TEXT, TEXT_ASCII},
    {"echo-125B-text", prepare_echo, read_whole, 1, 125, JZ_OPCODE_TEXT, TEXT_ASCII},
    {"echo-1KB-ASCII-text", prepare_echo, read_whole, 1, 1024, JZ_OPCODE_TEXT, TEXT_ASCII},
    {"echo-1KB-Russian-text", prepare_echo, read_whole, 1, 1024, JZ_OPCODE_TEXT, TEXT_RUSSIAN},
    {"echo-16KB-binary", prepare_echo, read_whole, 1, 16384, JZ_OPCODE_BINARY, TEXT_ASCII},
    {"echo-64KB-binary-in-two-reads", prepare_echo, read_halves, 1, LARGEST, JZ_OPCODE_BINARY, TEXT_ASCII},
    {"echo-200B-JSON-compressed", prepare_compressed, read_whole, 2, 200, JZ_OPCODE_TEXT, TEXT_ASCII},
    {"ping-and-pong", prepare_echo, read_whole, 1, 20, JZ_OPCODE_PING, TEXT_ASCII},
    {"fan-out-125B-to-16", prepare_fan_out, fan_out, 1, 125, JZ_OPCODE_TEXT, TEXT_ASCII},
    {"handshake", prepare_handshake, shake_hands, 1, 0, 0, TEXT_ASCII},
};
const size_t scenario_count = sizeof scenarios / sizeof scenarios[0];
