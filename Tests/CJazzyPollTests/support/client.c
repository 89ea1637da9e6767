#define _DEFAULT_SOURCE

#include "client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "platform/acknowledged.h"
#include "eventually.h"

static const uint8_t key[4] = {0x37, 0xFA, 0x21, 0x3D};

static void begin(test_client *client, int descriptor)
{
    const struct timeval deadline = {.tv_sec = TEST_DEADLINE_MS / 1000};
    client->start = 0;
    client->end = 0;
    client->descriptor = descriptor;
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &deadline, sizeof deadline);
    setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &deadline, sizeof deadline);
}

static bool connect_to(test_client *client, const struct sockaddr *address, socklen_t length, int receive_buffer)
{
    const int on = 1;
    begin(client, socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (client->descriptor < 0)
        return false;
    setsockopt(client->descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (receive_buffer > 0)
        setsockopt(client->descriptor, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    if (connect(client->descriptor, address, length) == 0)
        return true;
    test_client_close(client);
    return false;
}

bool test_client_connect(test_client *client, uint16_t port, int receive_buffer)
{
    const struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    return connect_to(client, (const struct sockaddr *)&address, sizeof address, receive_buffer);
}

bool test_client_connect_ipv6(test_client *client, uint16_t port)
{
    const struct sockaddr_in6 address = {
        .sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    return connect_to(client, (const struct sockaddr *)&address, sizeof address, 0);
}

bool test_client_connect_unix(test_client *client, const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path)
        return false;
    memcpy(address.sun_path, path, strlen(path) + 1);
    return connect_to(client, (const struct sockaddr *)&address, sizeof address, 0);
}

int test_client_pair(test_client *client)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0)
        return -1;
    begin(client, ends[0]);
    return ends[1];
}

bool test_client_send(test_client *client, const void *bytes, size_t length)
{
    const uint8_t *rest = bytes;
    while (length > 0) {
        ssize_t sent = send(client->descriptor, rest, length, MSG_NOSIGNAL);
        if (sent <= 0)
            return false;
        rest += sent;
        length -= (size_t)sent;
    }
    return true;
}

bool test_client_has_delivered(const test_client *client)
{
    return jz_socket_unacknowledged(client->descriptor) == 0;
}

bool test_client_receive(test_client *client, size_t count)
{
    if (count > sizeof client->bytes)
        return false;
    if (count > sizeof client->bytes - client->start) {
        client->end -= client->start;
        memmove(client->bytes, client->bytes + client->start, client->end);
        client->start = 0;
    }
    while (client->end - client->start < count) {
        ssize_t received = recv(client->descriptor, client->bytes + client->end, sizeof client->bytes - client->end, 0);
        if (received <= 0)
            return false;
        client->end += (size_t)received;
    }
    return true;
}

int test_client_take_head(test_client *client)
{
    for (size_t length = 16;; length++) {
        if (!test_client_receive(client, length))
            return 0;
        const char *head = (const char *)client->bytes + client->start;
        if (memcmp(head + length - 4, "\r\n\r\n", 4) != 0)
            continue;
        client->start += length;
        int status = 0;
        return sscanf(head, "HTTP/1.1 %3d ", &status) == 1 ? status : 0;
    }
}

bool test_client_take_frame(test_client *client, test_received *frame)
{
    jz_frame_header header;
    if (!test_client_receive(client, 2))
        return false;
    size_t header_length = jz_frame_header_length(client->bytes + client->start);
    if (!test_client_receive(client, header_length) ||
        !jz_frame_header_decode(client->bytes + client->start, header_length, &header) ||
        !test_client_receive(client, header_length + (size_t)header.payload_length))
        return false;
    *frame = (test_received){.opcode = header.opcode,
                             .reserved = header.reserved,
                             .fin = header.fin,
                             .length = (size_t)header.payload_length,
                             .payload = client->bytes + client->start + header_length};
    client->start += header_length + frame->length;
    return true;
}

bool test_client_upgrade(test_client *client, const char *request)
{
    if (test_client_send(client, request, strlen(request)) && test_client_take_head(client) == 101)
        return true;
    test_client_close(client);
    return false;
}

bool test_client_open(test_client *client, uint16_t port, const char *request)
{
    return test_client_connect(client, port, 0) && test_client_upgrade(client, request);
}

void test_client_send_frame(test_client *client, const test_frame *frame)
{
    jz_buffer bytes = {0};
    test_frame_append(&bytes, frame, key);
    bool is_sent = test_client_send(client, bytes.bytes, bytes.length);
    jz_buffer_free(&bytes);
    assert_true(is_sent);
}

void test_client_expect(test_client *client, uint8_t opcode, const void *payload, size_t length)
{
    test_received frame;
    assert_true(test_client_take_frame(client, &frame));
    assert_true(frame.fin);
    assert_int_equal(frame.opcode, opcode);
    assert_int_equal(frame.length, length);
    assert_memory_equal(frame.payload, payload, length);
}

bool test_client_sees_end(test_client *client)
{
    for (;;) {
        client->start = 0;
        client->end = 0;
        ssize_t received = recv(client->descriptor, client->bytes, sizeof client->bytes, 0);
        if (received <= 0)
            return received == 0;
    }
}

bool test_client_is_at_end(const test_client *client)
{
    char byte;
    ssize_t received = recv(client->descriptor, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return received == 0 || (received < 0 && errno != EAGAIN && errno != EWOULDBLOCK);
}

bool test_client_hears_nothing(const test_client *client)
{
    char byte;
    ssize_t received = recv(client->descriptor, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return client->start == client->end && received < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

void test_client_address(const test_client *client, char text[32])
{
    struct sockaddr_in address = {0};
    socklen_t length = sizeof address;
    assert_int_equal(getsockname(client->descriptor, (struct sockaddr *)&address, &length), 0);
    snprintf(text, 32, "127.0.0.1:%u", ntohs(address.sin_port));
}

void test_client_stop_sending(test_client *client)
{
    shutdown(client->descriptor, SHUT_WR);
}

void test_client_close(test_client *client)
{
    if (client->descriptor >= 0)
        close(client->descriptor);
    client->descriptor = -1;
}

void test_client_reset(test_client *client)
{
    const struct linger at_once = {.l_onoff = 1, .l_linger = 0};
    setsockopt(client->descriptor, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    test_client_close(client);
}
