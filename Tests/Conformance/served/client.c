#define _GNU_SOURCE

#include "client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../../CJazzyPollTests/support/eventually.h"
#include "pieces.h"

/* Connections of one address that may be closing at a time are some thousands: each comes from the next of these. */
static struct sockaddr_in next_own_address(void)
{
    static uint32_t number = 0;
    number = (number + 1) % 0xFFFF;
    return (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7F000001 + number)};
}

client client_connect(uint16_t port, memory_network *network, int (*connect_otherwise)(uint16_t port))
{
    if (connect_otherwise != NULL)
        return (client){.descriptor = connect_otherwise(port)};
    if (network != NULL) {
        struct client in_memory = {.descriptor = -1};
        assert_true(memory_connect(&in_memory.memory, network, port));
        return in_memory;
    }
    client client = {.descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    assert_true(client.descriptor >= 0);
    struct sockaddr_in own = next_own_address();
    struct sockaddr_in server = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    assert_int_equal(bind(client.descriptor, (struct sockaddr *)&own, sizeof own), 0);
    assert_int_equal(connect(client.descriptor, (struct sockaddr *)&server, sizeof server), 0);
    return client;
}

/* Returns whether something came. */
static bool receive_some(client *client)
{
    enum { MOST = 16 * 1024 };
    assert_true(jz_buffer_reserve(&client->received, MOST, SIZE_MAX));
    if (client->descriptor < 0) {
        /* In this order: bytes that arrive meanwhile are not the end. */
        client->has_ended = memory_has_ended(&client->memory);
        size_t taken = memory_receive(&client->memory, client->received.bytes + client->received.length, MOST);
        client->received.length += taken;
        return taken > 0 || client->has_ended;
    }
    /* Not recv, which is the server's. */
    struct iovec vector = {client->received.bytes + client->received.length, MOST};
    struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1};
    ssize_t count = recvmsg(client->descriptor, &message, MSG_DONTWAIT);
    if (count < 0 && errno == EAGAIN)
        return false;
    client->has_ended = count <= 0;
    client->has_lost |= count < 0;
    client->received.length += count > 0 ? (size_t)count : 0;
    return true;
}

/* Waits until there is something to take, or room to send where there is something to send. */
static bool wait_for(const client *client, bool sends)
{
    if (client->descriptor < 0) {
        uint64_t deadline = test_deadline();
        while (memory_waiting(&client->memory) == 0 && !memory_has_ended(&client->memory) && test_is_before(deadline))
            memory_wait(&client->memory);
        return test_is_before(deadline);
    }
    struct pollfd polled = {client->descriptor, (short)(POLLIN | (sends ? POLLOUT : 0)), 0};
    return poll(&polled, 1, TEST_DEADLINE_MS) == 1;
}

static bool send_some(client *client, const jz_buffer *stream, size_t length)
{
    if (client->descriptor < 0) {
        client->has_lost |= !memory_send(&client->memory, stream->bytes + client->sent, length - client->sent);
        client->sent = length;
        return true;
    }
    ssize_t count =
        send(client->descriptor, stream->bytes + client->sent, length - client->sent, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (count >= 0)
        client->sent += (size_t)count;
    else if (errno != EAGAIN)
        client->has_lost = true;
    return count >= 0;
}

void client_send(client *client, const jz_buffer *stream, size_t length, bool finishes)
{
    while (client->sent < length && !client->has_lost) {
        if (send_some(client, stream, length))
            continue;
        pieces_all_is_sent();
        if (!client->has_ended && !receive_some(client) && !wait_for(client, true))
            client->has_lost = true;
    }
    if (!finishes)
        return;
    if (client->descriptor < 0)
        memory_stop_sending(&client->memory);
    else
        shutdown(client->descriptor, SHUT_WR);
    pieces_all_is_sent();
}

bool client_take_head(client *client, char *head, size_t capacity)
{
    for (;;) {
        const jz_buffer *received = &client->received;
        const uint8_t *end = received->length > 0 ? memmem(received->bytes, received->length, "\r\n\r\n", 4) : NULL;
        if (end != NULL) {
            size_t length = (size_t)(end - received->bytes) + 4;
            if (length >= capacity)
                return false;
            memcpy(head, received->bytes, length);
            head[length] = '\0';
            memmove(client->received.bytes, client->received.bytes + length, received->length - length);
            client->received.length -= length;
            return true;
        }
        if (client->has_ended || (!receive_some(client) && !wait_for(client, false)))
            return false;
    }
}

bool client_take_all(client *client)
{
    while (!client->has_ended) {
        if (!receive_some(client) && !wait_for(client, false))
            return false;
    }
    return true;
}

void client_close(client *client)
{
    /* With a reset, so that no end of it stays in the kernel. */
    const struct linger at_once = {1, 0};
    if (client->descriptor < 0) {
        memory_close(&client->memory);
    } else {
        setsockopt(client->descriptor, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
        close(client->descriptor);
    }
    jz_buffer_free(&client->received);
}
