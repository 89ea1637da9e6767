/* Masking of payloads (RFC 6455 §5.3). */
#ifndef JAZZY_CODEC_MASK_H
#define JAZZY_CODEC_MASK_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "jazzy/compiler.h"

/*
 * Masks or unmasks (the same operation) `length` bytes from `source` to `destination`, which are the same or do not
 * overlap. `offset` is the position of the first byte in the payload: byte i is combined with key[(offset + i) % 4].
 */
void jz_mask(uint8_t *destination, const uint8_t *source, size_t length, const uint8_t key[4], size_t offset);

/* The key, rotated for the four payload bytes that begin at position `offset`. */
static inline uint32_t jz_mask_turned_key(const uint8_t key[4], size_t offset)
{
    uint32_t word;
#ifdef JZ_LITTLE_ENDIAN
    memcpy(&word, key, sizeof word);
    unsigned bits = (unsigned)(offset & 3) * 8;
    return word >> bits | word << (-bits & 31);
#else
    const uint8_t turned[4] = {key[offset & 3], key[(offset + 1) & 3], key[(offset + 2) & 3], key[(offset + 3) & 3]};
    memcpy(&word, turned, sizeof word);
    return word;
#endif
}

/* The same, for eight bytes. */
static inline uint64_t jz_mask_turned_word(const uint8_t key[4], size_t offset)
{
    return (uint64_t)jz_mask_turned_key(key, offset) * UINT64_C(0x100000001);
}

/*
 * jz_mask in place and from the start of the payload, for short payloads. The last word overlaps the words before it:
 * it is read before they are written, so that no byte is masked twice.
 */
static inline void jz_mask_short(uint8_t *bytes, size_t length, const uint8_t key[4])
{
    enum { WORD = sizeof(uint64_t) };
    if (length < WORD) {
        for (size_t i = 0; i < length; i++)
            bytes[i] ^= key[i & 3];
        return;
    }
    uint64_t last;
    memcpy(&last, bytes + length - WORD, WORD);
    last ^= jz_mask_turned_word(key, length);
    const uint64_t word_key = jz_mask_turned_word(key, 0);
    for (size_t i = 0; i + WORD < length; i += WORD) {
        uint64_t word;
        memcpy(&word, bytes + i, WORD);
        word ^= word_key;
        memcpy(bytes + i, &word, WORD);
    }
    memcpy(bytes + length - WORD, &last, WORD);
}

#endif
