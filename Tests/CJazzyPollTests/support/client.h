/*
 * A client of plain blocking sockets over loopback. It allocates nothing, so that it can go on where the server under
 * test has no memory, and each of its calls comes to an end: after the deadline of eventually.h it has failed.
 */
#ifndef JAZZY_TESTS_CLIENT_H
#define JAZZY_TESTS_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "frame.h"

typedef struct test_client {
    int descriptor;
    size_t start; /* of received bytes that were not taken yet */
    size_t end;
    uint8_t bytes[128 * 1024];
} test_client;

/* A frame that the server sent; its payload is valid until the next call for this client. */
typedef struct test_received {
    uint8_t opcode;
    uint8_t reserved;
    bool fin;
    size_t length;
    const uint8_t *payload;
} test_received;

/* The bytes of a handshake for `path`, which is a literal; `headers` are whole lines. */
#define UPGRADE_REQUEST_WITH(path, headers)                                                                            \
    "GET " path " HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"                        \
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n" headers "\r\n"
#define UPGRADE_REQUEST(path) UPGRADE_REQUEST_WITH(path, "")

/* Each of these returns false where the connection is refused, ends, or breaks, or the deadline passes. */

/* Connects to 127.0.0.1. `receive_buffer`: bytes that the kernel keeps for this client, 0 for its default. */
bool test_client_connect(test_client *client, uint16_t port, int receive_buffer);

/* Connects to ::1, and to a Unix domain socket. */
bool test_client_connect_ipv6(test_client *client, uint16_t port);
bool test_client_connect_unix(test_client *client, const char *path);

/* Connects to the socket that is returned; -1: there is none. */
int test_client_pair(test_client *client);

bool test_client_send(test_client *client, const void *bytes, size_t length);

/* Whether the peer's kernel has all that was sent (TCP): a moment later, where the machine is busy. */
bool test_client_has_delivered(const test_client *client);

/* Receives until `count` bytes are there that were not taken; they begin at bytes + start. */
bool test_client_receive(test_client *client, size_t count);

/* Takes a response head, and returns its status; 0 where none comes. */
int test_client_take_head(test_client *client);
bool test_client_take_frame(test_client *client, test_received *frame);

/* Opens a WebSocket with the request, over a connection that there is. */
bool test_client_upgrade(test_client *client, const char *request);

/* Connects, and opens a WebSocket with the request. */
bool test_client_open(test_client *client, uint16_t port, const char *request);

/* The same for a client that is to succeed; it allocates. */
void test_client_send_frame(test_client *client, const test_frame *frame);
void test_client_expect(test_client *client, uint8_t opcode, const void *payload, size_t length);

/* Whether the server has ended the connection; first takes what it has sent. */
bool test_client_sees_end(test_client *client);

/* The same at once: whether there is nothing to take, now and ever. */
bool test_client_is_at_end(const test_client *client);

/* The same without waiting: whether there is nothing to take now, and the connection is still open. */
bool test_client_hears_nothing(const test_client *client);

/* Our address as the server sees it, such as "127.0.0.1:4711". */
void test_client_address(const test_client *client, char text[32]);

/* Shuts down sending; receiving continues. */
void test_client_stop_sending(test_client *client);

void test_client_close(test_client *client);

/* Ends the connection with a reset. */
void test_client_reset(test_client *client);

#endif
