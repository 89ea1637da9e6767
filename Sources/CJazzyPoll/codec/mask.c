#include "codec/mask.h"

#include <string.h>

#include "jazzy/compiler.h"
#include "codec/processor.h"

enum {
    BLOCK = 64,
    VECTOR = 32,
    VECTORS_FROM = 256, /* bytes: below, choosing instructions for the processor costs more than it gains */
    ALIGNED_FROM = 4096 /* bytes: below, masking up to the first cache line costs as much as aligned vectors gain */
};

/* memcpy makes this correct at any alignment and in any byte order. */
static JZ_ALWAYS_INLINED void mask_8(uint8_t *destination, const uint8_t *source, uint64_t key)
{
    uint64_t word;
    memcpy(&word, source, sizeof word);
    word ^= key;
    memcpy(destination, &word, sizeof word);
}

/* Whole blocks, which the compiler turns into vector instructions of the processor that the caller is compiled for. */
static JZ_ALWAYS_INLINED void mask_blocks(uint8_t *destination, const uint8_t *source, size_t count, uint64_t key)
{
    for (; count > 0; count--) {
        uint64_t words[BLOCK / sizeof(uint64_t)];
        memcpy(words, source, BLOCK);
        for (size_t i = 0; i < BLOCK / sizeof(uint64_t); i++)
            words[i] ^= key;
        memcpy(destination, words, BLOCK);
        destination += BLOCK;
        source += BLOCK;
    }
}

static void mask_portable(uint8_t *destination, const uint8_t *source, size_t count, uint64_t key)
{
    mask_blocks(destination, source, count, key);
}

#ifdef JZ_HAS_AVX2
static JZ_FOR_AVX2 void mask_avx2(uint8_t *destination, const uint8_t *source, size_t count, uint64_t key)
{
    mask_blocks(destination, source, count, key);
}
#endif

static void mask_many_blocks(uint8_t *destination, const uint8_t *source, size_t count, uint64_t key)
{
#ifdef JZ_HAS_AVX2
    if (jz_vectors_in_use() >= JZ_VECTORS_AVX2) {
        mask_avx2(destination, source, count, key);
        return;
    }
#endif
    mask_portable(destination, source, count, key);
}

/* Fewer than BLOCK bytes: one step for each bit that is set in the length. */
static JZ_ALWAYS_INLINED void mask_rest(uint8_t *destination, const uint8_t *source, size_t length, uint64_t key)
{
    for (; length >= sizeof key; length -= sizeof key) {
        mask_8(destination, source, key);
        destination += sizeof key;
        source += sizeof key;
    }
    if ((length & 4) != 0) {
        uint32_t word;
        memcpy(&word, source, sizeof word);
        word ^= (uint32_t)key;
        memcpy(destination, &word, sizeof word);
        destination += 4;
        source += 4;
    }
    uint8_t bytes[4];
    uint32_t half_key = (uint32_t)key;
    memcpy(bytes, &half_key, sizeof bytes);
    for (size_t i = 0; i < (length & 3); i++)
        destination[i] = source[i] ^ bytes[i];
}

void jz_mask(uint8_t *destination, const uint8_t *source, size_t length, const uint8_t key[4], size_t offset)
{
    uint64_t word_key = jz_mask_turned_word(key, offset);
    if (length >= ALIGNED_FROM) {
        size_t front = -(uintptr_t)destination % VECTOR;
        mask_rest(destination, source, front, word_key);
        destination += front;
        source += front;
        length -= front;
        word_key = jz_mask_turned_word(key, (offset & 3) + front);
    }
    if (length >= BLOCK) {
        size_t count = length / BLOCK;
        if (length >= VECTORS_FROM)
            mask_many_blocks(destination, source, count, word_key);
        else
            mask_blocks(destination, source, count, word_key);
        destination += count * BLOCK;
        source += count * BLOCK;
        length -= count * BLOCK;
    }
    mask_rest(destination, source, length, word_key);
}
