#define _DEFAULT_SOURCE

#include "fleet.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "codec/frame_header.h"

enum { TURN_MS = 20, EVENTS = 64, READ_SIZE = 64 * 1024, HEAD_SIZE = 1024 };

static const uint8_t key[4] = {0x37, 0xFA, 0x21, 0x3D};

bool fleet_start(fleet *fleet, size_t count, fleet_take take, void *context)
{
    *fleet = (struct fleet){.count = count, .take = take, .context = context};
    fleet->clients = calloc(count, sizeof *fleet->clients);
    fleet->poll = epoll_create1(EPOLL_CLOEXEC);
    for (size_t i = 0; fleet->clients != NULL && i < count; i++)
        fleet->clients[i].descriptor = -1;
    return fleet->clients != NULL && fleet->poll >= 0;
}

static int connect_to(uint16_t port, int receive_buffer)
{
    int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const struct timeval deadline = {.tv_sec = TEST_DEADLINE_MS / 1000};
    const int on = 1;
    const struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &deadline, sizeof deadline);
    setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (receive_buffer > 0) {
        /* The server's kernel sizes its own buffer by the segments. */
        const int segment_size = 536;
        setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
        setsockopt(descriptor, IPPROTO_TCP, TCP_MAXSEG, &segment_size, sizeof segment_size);
    }
    if (connect(descriptor, (const struct sockaddr *)&address, sizeof address) == 0)
        return descriptor;
    close(descriptor);
    return -1;
}

/* Takes the head of the response and nothing after it. */
static bool take_head(int descriptor)
{
    char head[HEAD_SIZE + 1] = {0};
    ssize_t before = 0;
    for (;;) {
        ssize_t seen = recv(descriptor, head, HEAD_SIZE, MSG_PEEK);
        if (seen <= before && !(seen > 0 && before == seen))
            return false;
        head[seen] = '\0';
        const char *end = strstr(head, "\r\n\r\n");
        if (end != NULL)
            return recv(descriptor, head, (size_t)(end + 4 - head), 0) == end + 4 - head &&
                   strncmp(head, "HTTP/1.1 101 ", 13) == 0;
        before = seen;
    }
}

bool fleet_open(fleet *fleet, size_t number, uint16_t port, const char *path, int receive_buffer)
{
    char request[256];
    int length = snprintf(request, sizeof request,
                          "GET %s HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                          "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
                          path);
    fleet_client *client = &fleet->clients[number];
    *client = (fleet_client){.descriptor = connect_to(port, receive_buffer)};
    if (client->descriptor < 0)
        return false;
    if (send(client->descriptor, request, (size_t)length, MSG_NOSIGNAL) == length && take_head(client->descriptor) &&
        fcntl(client->descriptor, F_SETFL, O_NONBLOCK) == 0 && fleet_read(fleet, number, true))
        return true;
    fleet_close(fleet, number);
    return false;
}

bool fleet_read(fleet *fleet, size_t number, bool is_read)
{
    fleet_client *client = &fleet->clients[number];
    if (client->is_read == is_read)
        return true;
    client->is_read = is_read;
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = number};
    return epoll_ctl(fleet->poll, is_read ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, client->descriptor, &event) == 0;
}

static bool send_all(int descriptor, const uint8_t *bytes, size_t length)
{
    uint64_t deadline = test_deadline();
    while (length > 0 && test_is_before(deadline)) {
        ssize_t sent = send(descriptor, bytes, length, MSG_NOSIGNAL);
        if (sent < 0 && errno != EAGAIN)
            return false;
        if (sent < 0)
            poll(&(struct pollfd){.fd = descriptor, .events = POLLOUT}, 1, TURN_MS);
        else
            bytes += sent, length -= (size_t)sent;
    }
    return length == 0;
}

bool fleet_send(fleet *fleet, size_t number, uint8_t opcode, const void *payload, size_t length)
{
    uint8_t header[14];
    size_t header_length = jz_frame_header_encode(header, true, 0, opcode, length);
    header[1] |= 0x80;
    memcpy(header + header_length, key, sizeof key);
    header_length += sizeof key;
    uint8_t *frame = malloc(header_length + length);
    if (frame == NULL)
        return false;
    memcpy(frame, header, header_length);
    for (size_t i = 0; i < length; i++)
        frame[header_length + i] = ((const uint8_t *)payload)[i] ^ key[i % 4];
    bool is_sent = send_all(fleet->clients[number].descriptor, frame, header_length + length);
    free(frame);
    return is_sent;
}

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Gathers the frame's header. False when more of it has to come. */
static bool take_header(fleet_client *client, const uint8_t **bytes, size_t *length)
{
    for (;;) {
        size_t wanted = client->header_length < 2 ? 2 : jz_frame_header_length(client->header);
        if (client->header_length >= 2 && client->header_length == wanted)
            return true;
        if (*length == 0)
            return false;
        client->header[client->header_length++] = *(*bytes)++;
        (*length)--;
        if (client->header_length >= 2 && client->header_length == jz_frame_header_length(client->header)) {
            jz_frame_header header;
            jz_frame_header_decode(client->header, client->header_length, &header);
            client->payload_length = (size_t)header.payload_length;
            client->payload_taken = 0;
        }
    }
}

static void take_bytes(fleet *fleet, size_t number, const uint8_t *bytes, size_t length)
{
    fleet_client *client = &fleet->clients[number];
    while (take_header(client, &bytes, &length)) {
        size_t count = smaller(client->payload_length - client->payload_taken, length);
        if (client->payload_taken < FLEET_START)
            memcpy(client->start + client->payload_taken, bytes, smaller(count, FLEET_START - client->payload_taken));
        client->payload_taken += count;
        bytes += count;
        length -= count;
        if (client->payload_taken < client->payload_length)
            return;
        client->header_length = 0;
        fleet->take(fleet->context, number, client->header[0] & 0x0F, client->start, client->payload_length);
    }
}

static void read_client(fleet *fleet, size_t number)
{
    uint8_t bytes[READ_SIZE];
    fleet_client *client = &fleet->clients[number];
    ssize_t received = recv(client->descriptor, bytes, sizeof bytes, 0);
    if (received > 0) {
        take_bytes(fleet, number, bytes, (size_t)received);
    } else if (received == 0 || errno != EAGAIN) {
        client->has_ended = true;
        fleet_read(fleet, number, false);
    }
}

void fleet_turn(fleet *fleet)
{
    struct epoll_event events[EVENTS];
    int count = epoll_wait(fleet->poll, events, EVENTS, TURN_MS);
    for (int i = 0; i < count; i++)
        read_client(fleet, (size_t)events[i].data.u64);
}

void fleet_close(fleet *fleet, size_t number)
{
    fleet_client *client = &fleet->clients[number];
    if (client->descriptor >= 0)
        close(client->descriptor);
    client->descriptor = -1;
    client->is_read = false;
}

void fleet_reset(fleet *fleet, size_t number)
{
    const struct linger at_once = {.l_onoff = 1, .l_linger = 0};
    setsockopt(fleet->clients[number].descriptor, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    fleet_close(fleet, number);
}

void fleet_finish(fleet *fleet)
{
    for (size_t i = 0; i < fleet->count; i++)
        fleet_close(fleet, i);
    close(fleet->poll);
    free(fleet->clients);
}
