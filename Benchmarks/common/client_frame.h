/*
 * Frames of a client that can be read repeatedly without being restored in between.
 *
 * A session unmasks in place, so a masked payload is plain afterwards. Reading the same frame again masks it again: the
 * payload alternates between two texts. With `toggling_key` both are of the same kind, for the texts of texts.h: UTF-8
 * with the same number and length of characters.
 */
#ifndef BENCHMARKS_CLIENT_FRAME_H
#define BENCHMARKS_CLIENT_FRAME_H

#include <stddef.h>
#include <stdint.h>

extern const uint8_t toggling_key[4];

/* Compressed data, which must not change, is masked with zeros: that takes the same work. */
extern const uint8_t zero_key[4];

/* Writes a whole message's frame, which takes up to JZ_MAX_FRAME_HEADER bytes more than the payload. Returns its
 * length.
 */
size_t write_client_frame(uint8_t *destination, uint8_t opcode, uint8_t reserved, const uint8_t key[4],
                          const void *payload, size_t length);

#endif
