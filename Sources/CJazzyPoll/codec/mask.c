#include "mask.h"

#include <string.h>

void jz_mask(uint8_t *destination, const uint8_t *source, size_t length, const uint8_t key[4], size_t offset)
{
    uint8_t rotated[8];
    for (size_t i = 0; i < sizeof rotated; i++)
        rotated[i] = key[(offset + i) & 3];

    uint64_t word_key;
    memcpy(&word_key, rotated, sizeof word_key);

    /* memcpy makes the words aligned and endian-neutral; the compiler turns this loop into vector instructions. */
    size_t position = 0;
    for (; length - position >= sizeof word_key; position += sizeof word_key) {
        uint64_t word;
        memcpy(&word, source + position, sizeof word);
        word ^= word_key;
        memcpy(destination + position, &word, sizeof word);
    }
    for (; position < length; position++)
        destination[position] = source[position] ^ rotated[position & 7];
}
