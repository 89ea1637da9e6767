#define _GNU_SOURCE

#include "connection.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fail.h"

enum { SOURCE_ADDRESSES = 64, RESPONSE_SIZE = 2048, PATIENCE_SECONDS = 10 };

/* The frames that are sent are made once, for all connections: each has to be compressed by itself, unless a connection
   sends but one. */
static const char *offer_of(const settings *settings)
{
    if (!settings->uses_deflate)
        return "";
    return settings->workload == WORKLOAD_IDLE ? "Sec-WebSocket-Extensions: permessage-deflate\r\n"
                                               : "Sec-WebSocket-Extensions: permessage-deflate; "
                                                 "server_no_context_takeover; client_no_context_takeover\r\n";
}

size_t write_request(const settings *settings, char *request, size_t capacity)
{
    int length = snprintf(request, capacity,
                          "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                          "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n%s\r\n",
                          settings->path, settings->port, offer_of(settings));
    if (length < 0 || (size_t)length >= capacity)
        fail("--path is too long");
    return (size_t)length;
}

int begin_connecting(const settings *settings, size_t number)
{
    const int on = 1;
    struct sockaddr_in source = {.sin_family = AF_INET,
                                 .sin_addr.s_addr = htonl(INADDR_LOOPBACK + (uint32_t)(number % SOURCE_ADDRESSES))};
    struct sockaddr_in server = {.sin_family = AF_INET,
                                 .sin_port = htons((uint16_t)(settings->port + number % settings->ports)),
                                 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (descriptor < 0)
        fail("cannot create a socket: %s", strerror(errno));
    setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(descriptor, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    if (bind(descriptor, (const struct sockaddr *)&source, sizeof source) != 0)
        fail("cannot use a loopback address: %s", strerror(errno));
    if (connect(descriptor, (const struct sockaddr *)&server, sizeof server) != 0 && errno != EINPROGRESS)
        fail("cannot connect to port %u: %s; is the server running?", settings->port, strerror(errno));
    return descriptor;
}

static void block(int descriptor, bool blocks)
{
    int flags = fcntl(descriptor, F_GETFL);
    fcntl(descriptor, F_SETFL, blocks ? flags & ~O_NONBLOCK : flags | O_NONBLOCK);
}

/* With TLS, all that there is: the server has no reason to send more. */
static ssize_t receive_response(connection *connection, char *bytes, size_t capacity)
{
    static uint8_t received[TLS_LEAST_CAPACITY];
    if (connection->tls == NULL)
        return recv(connection->descriptor, bytes, 1, 0);
    ssize_t count = tls_receive(connection->tls, received, sizeof received);
    if (count > (ssize_t)capacity)
        fail("the handshake failed: the server sent too much");
    if (count > 0)
        memcpy(bytes, received, (size_t)count);
    return count;
}

/* Reads the response to the handshake and nothing after it. */
static void read_response(const settings *settings, connection *connection)
{
    char response[RESPONSE_SIZE + 1] = "";
    size_t length = 0;
    while (strstr(response, "\r\n\r\n") == NULL) {
        ssize_t count = 0;
        if (length < RESPONSE_SIZE)
            count = receive_response(connection, response + length, RESPONSE_SIZE - length);
        if (count < 0 && errno == EAGAIN && connection->tls != NULL)
            continue;
        if (count <= 0)
            fail("the handshake failed: %s", count == 0 ? "the server closed, or sent too much" : strerror(errno));
        length += (size_t)count;
    }
    if (strncmp(response, "HTTP/1.1 101", 12) != 0)
        fail("the handshake was refused: %.*s", (int)strcspn(response, "\r\n"), response);
    if (settings->uses_deflate && strcasestr(response, "permessage-deflate") == NULL)
        fail("the server did not agree on permessage-deflate");
}

static ssize_t send_some(connection *connection, const void *bytes, size_t length, bool has_more)
{
    return connection->tls != NULL ? tls_send(connection->tls, bytes, length, has_more)
                                   : send(connection->descriptor, bytes, length, MSG_NOSIGNAL);
}

connection connection_open(const settings *settings, size_t number)
{
    connection connection = {.descriptor = begin_connecting(settings, number)};
    const struct timeval patience = {.tv_sec = PATIENCE_SECONDS};
    setsockopt(connection.descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(connection.descriptor, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    block(connection.descriptor, true);
    connection.tls = settings->tls != TLS_NONE ? tls_open(connection.descriptor) : NULL;
    connection.sends_apart = settings->sends_apart;
    if (connection.tls != NULL && !tls_shake_hands(connection.tls))
        fail("the server does not answer in the TLS handshake");
    char request[1024];
    size_t length = write_request(settings, request, sizeof request);
    if (send_some(&connection, request, length, false) != (ssize_t)length)
        fail("cannot connect to port %u: %s; is the server running?", settings->port, strerror(errno));
    read_response(settings, &connection);
    block(connection.descriptor, false);
    return connection;
}

ssize_t connection_receive(connection *connection, void *bytes, size_t capacity)
{
    return connection->tls != NULL ? tls_receive(connection->tls, bytes, capacity)
                                   : recv(connection->descriptor, bytes, capacity, 0);
}

ssize_t connection_discard(connection *connection, const expectation *expected, size_t *messages)
{
    frame_reader *reader = &connection->reader;
    ssize_t taken = 0;
    if (!reader->is_in_payload) {
        uint8_t bytes[LONGEST_HEADER];
        taken = recv(connection->descriptor, bytes, sizeof bytes, 0);
        if (taken <= 0)
            return taken;
        *messages += frame_reader_take(reader, bytes, (size_t)taken, expected);
        if (!reader->is_in_payload)
            return taken;
    }
    ssize_t count = recv(connection->descriptor, NULL, (size_t)reader->remaining, MSG_TRUNC);
    if (count <= 0)
        return taken > 0 ? taken : count; /* what ended it is told next time, too */
    *messages += frame_reader_skip(reader, (size_t)count, expected);
    return taken + count;
}

void connection_begin_row(connection *connection, const frames *frames, size_t number)
{
    connection->next = number % frames->count;
    connection->position = connection->next > 0 ? frames->ends[connection->next - 1] % frames->period : 0;
}

void connection_send(connection *connection, const frames *frames, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        size_t begin = connection->next > 0 ? frames->ends[connection->next - 1] : 0;
        connection->unsent += frames->ends[connection->next] - begin;
        connection->next = connection->next + 1 < frames->count ? connection->next + 1 : 0;
    }
    connection->is_blocked = false;
    while (connection->unsent > 0 || (connection->tls != NULL && tls_has_unsent(connection->tls))) {
        size_t end = connection->sends_apart ? frames->ends[0] : frames->ends[frames->count - 1];
        size_t available = end - connection->position;
        size_t length = connection->unsent < available ? (size_t)connection->unsent : available;
        ssize_t sent = send_some(connection, frames->bytes + connection->position, length, connection->unsent > length);
        if (sent < 0 && errno == EAGAIN) {
            connection->is_blocked = true;
            return;
        }
        if (sent < 0)
            fail("the server ended a connection: %s", strerror(errno));
        connection->unsent -= (uint64_t)sent;
        connection->position = (connection->position + (uint64_t)sent) % frames->period;
    }
}

void connection_reset(connection *connection)
{
    const struct linger reset = {.l_onoff = 1};
    setsockopt(connection->descriptor, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    if (connection->tls != NULL)
        tls_close(connection->tls);
    close(connection->descriptor);
    connection->descriptor = -1;
}

void need_descriptors(size_t wanted)
{
    enum { OWN = 32 };
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_max < wanted + OWN)
        fail("%zu connections need more descriptors than the limit of %llu (ulimit -Hn); take fewer", wanted,
             (unsigned long long)limit.rlim_max);
}
