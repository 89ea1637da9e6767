/*
 * The floor: a lower bound for servers on epoll. It receives into one large buffer, unmasks in place, and sends once
 * for each read, and does nothing else: it checks no frames, has no control frames and no time-outs, and blocks if a
 * receiver does not keep up. Not a usable WebSocket server; a measure for others.
 *
 *     bench-floor [--port N] [--fan]     with --fan each message goes to every connection instead of back
 *
 * To a connection that has asked for /slow it sends back after a millisecond, as a handler would that takes as long.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "floor.h"
#include "loop.h"
#include "sockets.h"

enum {
    BUFFER_SIZE = 512 * 1024, /* bytes received at once */
};

/* A descriptor is the index of its connection. */
static floor_connection *connections[FLOOR_MOST_DESCRIPTORS];
static int newest_descriptor;
static uint8_t memory[FLOOR_CARRY + BUFFER_SIZE];
static bool fans_out;

static void answer(int descriptor, const uint8_t *bytes, size_t length)
{
    if (!fans_out) {
        floor_send_all(descriptor, bytes, length);
        return;
    }
    for (int receiver = 0; receiver <= newest_descriptor; receiver++) {
        if (connections[receiver] != NULL && connections[receiver]->is_open)
            floor_send_all(receiver, bytes, length);
    }
}

static void end_connection(int descriptor)
{
    free(connections[descriptor]);
    connections[descriptor] = NULL;
    close(descriptor);
}

static void serve_connection(int descriptor)
{
    floor_connection *connection = connections[descriptor];
    uint8_t *bytes = memory + FLOOR_CARRY;
    ssize_t received = recv(descriptor, bytes, BUFFER_SIZE, 0);
    if (received <= 0) {
        if (received == 0 || errno != EAGAIN)
            end_connection(descriptor);
        return;
    }
    uint8_t *output = NULL;
    if (connection->is_open) {
        if (connection->is_slow)
            nanosleep(&(struct timespec){.tv_nsec = 1000 * 1000}, NULL);
        size_t length = floor_take_frames(connection, bytes, (size_t)received, &output);
        if (length > 0)
            answer(descriptor, output, length);
    } else {
        char response[FLOOR_RESPONSE];
        size_t length = floor_take_request(connection, bytes, (size_t)received, response);
        floor_send_all(descriptor, (const uint8_t *)response, length);
    }
}

static void accept_connection(int descriptor)
{
    connections[descriptor] = calloc(1, sizeof *connections[descriptor]);
    if (connections[descriptor] == NULL)
        floor_fail("accept a connection");
    if (descriptor > newest_descriptor)
        newest_descriptor = descriptor;
}

int main(int count, char **arguments)
{
    unsigned long port = 8080;
    for (int i = 1; i < count; i++) {
        char *end = NULL;
        if (strcmp(arguments[i], "--fan") == 0) {
            fans_out = true;
        } else if (strcmp(arguments[i], "--port") == 0 && i + 1 < count &&
                   (port = strtoul(arguments[i + 1], &end, 10)) > 0 && port <= 65535 && *end == '\0') {
            i++;
        } else {
            fprintf(stderr, "bench-floor: what is \"%s\"?\nusage: bench-floor [--port 1-65535] [--fan]\n",
                    arguments[i]);
            return 2;
        }
    }
    floor_allow_many_descriptors();
    floor_run((uint16_t)port, accept_connection, serve_connection);
}
