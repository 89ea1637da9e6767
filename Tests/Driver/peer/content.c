#include "content.h"

#include <stdlib.h>
#include <string.h>

#include "../../Fuzz/support/require.h"

/* Begins with the number, in as many letters as needed. */
enum { NUMBER_LENGTH = 8, PERIODS = 4 };

void content_fill(uint8_t *bytes, size_t length, uint32_t number)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz ABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789";
    static const size_t periods[PERIODS] = {1, 13, 997, SIZE_MAX / 2};
    size_t period = periods[number % PERIODS];
    uint64_t state = number * UINT64_C(0x9E3779B97F4A7C15);
    for (size_t i = 0; i < length; i++) {
        if (i < NUMBER_LENGTH) {
            bytes[i] = (uint8_t)letters[number >> (4 * (NUMBER_LENGTH - 1 - i)) & 15];
        } else if (i >= NUMBER_LENGTH + period) {
            bytes[i] = bytes[i - period];
        } else {
            state = state * UINT64_C(6364136223846793005) + 1442695040888963407;
            bytes[i] = (uint8_t)letters[state >> 58];
        }
    }
}

uint64_t content_hash(const uint8_t *bytes, size_t length)
{
    uint64_t hash = length * UINT64_C(0x9E3779B97F4A7C15);
    size_t i = 0;
    for (; i + 8 <= length; i += 8) {
        uint64_t word;
        memcpy(&word, bytes + i, 8);
        hash = (hash ^ word) * UINT64_C(0xFF51AFD7ED558CCD);
        hash ^= hash >> 29;
    }
    for (; i < length; i++)
        hash = (hash ^ bytes[i]) * UINT64_C(0xC4CEB9FE1A85EC53);
    return hash ^ hash >> 31;
}

uint64_t content_hash_of(uint32_t number, size_t length)
{
    uint8_t *bytes = malloc(length + 1);
    require(bytes != NULL, "the test has memory");
    content_fill(bytes, length, number);
    uint64_t hash = content_hash(bytes, length);
    free(bytes);
    return hash;
}
