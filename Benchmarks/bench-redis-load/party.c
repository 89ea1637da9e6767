#define _GNU_SOURCE

#include "party.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "fail.h"

enum { PATIENCE_MS = 30000, MOST_HEADER = 8, RECEIVED = 256 * 1024 };

static const uint8_t masking_key[4] = {0x37, 0xFA, 0x21, 0x3D};

/* A masked text frame of up to 65,535 bytes. Returns its length. */
static size_t write_frame(uint8_t *frame, const uint8_t *payload, size_t length)
{
    size_t header = 2;
    frame[0] = 0x81;
    frame[1] = (uint8_t)(0x80 | (length < 126 ? length : 126));
    if (length >= 126) {
        frame[header++] = (uint8_t)(length >> 8);
        frame[header++] = (uint8_t)length;
    }
    memcpy(frame + header, masking_key, sizeof masking_key);
    header += sizeof masking_key;
    for (size_t i = 0; i < length; i++)
        frame[header + i] = payload[i] ^ masking_key[i & 3];
    return header + length;
}

parcel parcel_create(const task *task)
{
    static const char begin[] = "42[\"fan\",\"";
    static const char end[] = "\"]";
    size_t before = task->is_socket_io ? strlen(begin) : 0;
    size_t after = task->is_socket_io ? strlen(end) : 0;
    parcel parcel = {.payload_length = before + task->size + after};
    parcel.payload = malloc(parcel.payload_length + 1);
    parcel.frames = malloc(task->depth * (parcel.payload_length + MOST_HEADER));
    if (parcel.payload == NULL || parcel.frames == NULL)
        fail("no memory for %zu messages of %zu bytes", task->depth, task->size);
    memcpy(parcel.payload, begin, before);
    for (size_t i = 0; i < task->size; i++)
        parcel.payload[before + i] = (uint8_t)('a' + i % 26);
    memcpy(parcel.payload + before + task->size, end, after);
    for (size_t i = 0; i < task->depth; i++)
        parcel.length += write_frame(parcel.frames + parcel.length, parcel.payload, parcel.payload_length);
    return parcel;
}

void parcel_destroy(parcel *parcel)
{
    free(parcel->payload);
    free(parcel->frames);
    *parcel = (struct parcel){0};
}

static void send_all(int descriptor, const uint8_t *bytes, size_t length)
{
    while (length > 0) {
        ssize_t sent = send(descriptor, bytes, length, MSG_NOSIGNAL);
        if (sent < 0 && errno == EAGAIN) {
            struct pollfd writable = {.fd = descriptor, .events = POLLOUT};
            if (poll(&writable, 1, PATIENCE_MS) <= 0)
                fail("the server takes no messages any more");
            continue;
        }
        if (sent < 0)
            fail("the server ended a connection: %s", strerror(errno));
        bytes += sent;
        length -= (size_t)sent;
    }
}

void party_send(const connection *party, const parcel *parcel)
{
    send_all(party->descriptor, parcel->frames, parcel->length);
}

size_t party_receive(connection *party, const expectation *expected)
{
    static uint8_t received[RECEIVED];
    ssize_t count = connection_receive(party, received, sizeof received);
    if (count < 0 && errno == EAGAIN)
        return 0;
    if (count <= 0)
        fail("the server ended a connection%s%s", count < 0 ? ": " : "", count < 0 ? strerror(errno) : "");
    size_t messages = frame_reader_take(&party->reader, received, (size_t)count, expected);
    if (party->reader.has_closed)
        fail("the server closed a connection");
    return messages;
}

static void await_message(connection *party)
{
    const expectation anything = {0};
    while (party_receive(party, &anything) == 0) {
        struct pollfd readable = {.fd = party->descriptor, .events = POLLIN};
        if (poll(&readable, 1, PATIENCE_MS) <= 0)
            fail("the server does not answer as Socket.IO does");
    }
}

connection party_join(const task *task, uint16_t port, const char *path, size_t number)
{
    const settings settings = {.port = port, .ports = 1, .path = path};
    connection party = connection_open(&settings, number);
    if (task->is_socket_io) {
        uint8_t frame[MOST_HEADER + 2];
        await_message(&party); /* Engine.IO opens */
        send_all(party.descriptor, frame, write_frame(frame, (const uint8_t *)"40", 2));
        await_message(&party); /* Socket.IO is connected */
    }
    return party;
}

/* A tenth of a second. */
static void pause_a_little(void)
{
    const struct timespec pause = {.tv_nsec = 100 * 1000 * 1000};
    nanosleep(&pause, NULL);
}

/* Returns how many of them hear something for the first time, and adds what came to all to `*came`. */
static size_t listen_once(connection *receivers, size_t count, bool *have_heard, size_t *came)
{
    const expectation anything = {0};
    size_t first_times = 0;
    for (size_t i = 0; i < count; i++) {
        size_t messages = party_receive(&receivers[i], &anything);
        *came += messages;
        first_times += messages > 0 && !have_heard[i];
        have_heard[i] |= messages > 0;
    }
    return first_times;
}

void party_await_topics(const task *task, const connection *publisher, connection *receivers, size_t count)
{
    enum { MOST_TRIES = 300, QUIET = 3 };
    struct task one_message = *task;
    one_message.depth = 1;
    parcel parcel = parcel_create(&one_message);
    bool *have_heard = calloc(count, sizeof *have_heard);
    size_t missing = count;
    if (have_heard == NULL)
        fail("no memory");
    for (int tries = 0; missing > 0; tries++) {
        size_t came = 0;
        if (tries == MOST_TRIES)
            fail("%zu of %zu receivers hear nothing of what is published", missing, count);
        party_send(publisher, &parcel);
        pause_a_little();
        missing -= listen_once(receivers, count, have_heard, &came);
    }
    for (int quiet = 0; quiet < QUIET; quiet++) {
        size_t came = 0;
        pause_a_little();
        listen_once(receivers, count, have_heard, &came);
        if (came > 0)
            quiet = -1;
    }
    free(have_heard);
    parcel_destroy(&parcel);
}
