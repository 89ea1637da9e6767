#include "clients.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "codec/frame_header.h"
#include "codec/mask.h"
#include "floor.h"
#include "sockets.h"

enum { MOST_DESCRIPTORS = 65536, BUFFER_SIZE = 128 * 1024 };

typedef struct client {
    floor_connection handshake;
    bool publishes;
    size_t kept; /* bytes of a frame that is not complete yet, in `rest` */
    uint8_t *rest;
} client;

/* A descriptor is the index of its client. */
static client *clients[MOST_DESCRIPTORS];
static int newest_descriptor;
static bool has_receiver;

void clients_add(int descriptor)
{
    clients[descriptor] = descriptor < MOST_DESCRIPTORS ? calloc(1, sizeof **clients) : NULL;
    if (clients[descriptor] == NULL)
        floor_fail("accept a connection");
    if (descriptor > newest_descriptor)
        newest_descriptor = descriptor;
}

static void forget(int descriptor)
{
    free(clients[descriptor]->rest);
    free(clients[descriptor]);
    clients[descriptor] = NULL;
    close(descriptor);
}

/* What is left of a frame is kept for the next read. */
static void keep(client *client, const uint8_t *bytes, size_t length)
{
    if (length > 0 && client->rest == NULL)
        client->rest = malloc(BUFFER_SIZE);
    if (length > BUFFER_SIZE || (length > 0 && client->rest == NULL))
        floor_fail("keep so much of a message");
    if (length > 0)
        memcpy(client->rest, bytes, length);
    client->kept = length;
}

static void take_frames(client *client, uint8_t *bytes, size_t length,
                        void (*take)(void *context, const uint8_t *bytes, size_t length), void *context)
{
    jz_frame_header header;
    while (jz_frame_header_decode(bytes, length, &header) && length - header.header_length >= header.payload_length) {
        uint8_t *payload = bytes + header.header_length;
        size_t payload_length = (size_t)header.payload_length;
        jz_mask(payload, payload, payload_length, header.masking_key, 0);
        if (header.opcode == JZ_OPCODE_TEXT && client->publishes)
            take(context, payload, payload_length);
        bytes = payload + payload_length;
        length -= header.header_length + payload_length;
    }
    keep(client, bytes, length);
}

void clients_read(int descriptor, void (*take)(void *context, const uint8_t *bytes, size_t length), void *context)
{
    static uint8_t buffer[2 * BUFFER_SIZE];
    client *client = clients[descriptor];
    if (client->kept > 0)
        memcpy(buffer, client->rest, client->kept);
    ssize_t received = recv(descriptor, buffer + client->kept, BUFFER_SIZE, 0);
    if (received <= 0) {
        if (received == 0 || errno != EAGAIN)
            forget(descriptor);
        return;
    }
    if (client->handshake.is_open) {
        take_frames(client, buffer, client->kept + (size_t)received, take, context);
        return;
    }
    char response[FLOOR_RESPONSE];
    size_t length = floor_take_request(&client->handshake, buffer, (size_t)received, response);
    client->publishes = received > 6 && memcmp(buffer, "GET /p", 6) == 0;
    has_receiver |= length > 0 && !client->publishes;
    floor_send_all(descriptor, (const uint8_t *)response, length);
}

bool clients_receive(void)
{
    return has_receiver;
}

size_t clients_write_frame(uint8_t *frame, const void *payload, size_t length)
{
    size_t header = jz_frame_header_encode(frame, true, 0, JZ_OPCODE_TEXT, length);
    memcpy(frame + header, payload, length);
    return header + length;
}

void clients_send(const uint8_t *bytes, size_t length)
{
    for (int receiver = 0; receiver <= newest_descriptor; receiver++) {
        const client *client = clients[receiver];
        if (client != NULL && client->handshake.is_open && !client->publishes)
            floor_send_all(receiver, bytes, length);
    }
}
