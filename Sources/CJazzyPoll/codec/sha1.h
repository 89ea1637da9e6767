/* SHA-1 (FIPS 180-4), for the handshake only: there it shows that the peer speaks WebSocket, and protects nothing. */
#ifndef JAZZY_CODEC_SHA1_H
#define JAZZY_CODEC_SHA1_H

#include <stddef.h>
#include <stdint.h>

enum { JZ_SHA1_LENGTH = 20 };

void jz_sha1(const uint8_t *bytes, size_t length, uint8_t digest[JZ_SHA1_LENGTH]);

#endif
