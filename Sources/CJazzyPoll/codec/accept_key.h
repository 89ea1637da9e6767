/* The server's answer to the client's key in the handshake (RFC 6455 §4.2.2). */
#ifndef JAZZY_CODEC_ACCEPT_KEY_H
#define JAZZY_CODEC_ACCEPT_KEY_H

#include <stdbool.h>
#include <stddef.h>

enum {
    JZ_CLIENT_KEY_LENGTH = 24, /* base64 of 16 bytes */
    JZ_ACCEPT_KEY_LENGTH = 28  /* base64 of a SHA-1 digest */
};

/* Whether this is a valid Sec-WebSocket-Key: base64 of exactly 16 bytes (§4.2.1, item 5). */
bool jz_client_key_is_valid(const char *key, size_t length);

/* Writes the value of Sec-WebSocket-Accept for a valid key, without a NUL. */
void jz_accept_key(const char key[JZ_CLIENT_KEY_LENGTH], char accept[JZ_ACCEPT_KEY_LENGTH]);

#endif
