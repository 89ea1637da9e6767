/* Masking of payloads (RFC 6455 §5.3). */
#ifndef JAZZY_CODEC_MASK_H
#define JAZZY_CODEC_MASK_H

#include <stddef.h>
#include <stdint.h>

/*
 * Masks or unmasks (the same operation) `length` bytes from `source` to `destination`, which are the same or do not
 * overlap. `offset` is how many bytes of the payload came before: byte i is combined with key[(offset + i) % 4].
 */
void jz_mask(uint8_t *destination, const uint8_t *source, size_t length, const uint8_t key[4], size_t offset);

/* The four bytes of the key that the payload's byte number `offset` and the three after it are combined with. */
uint32_t jz_mask_turned_key(const uint8_t key[4], size_t offset);

#endif
