/* Text in blocks, on x86-64 processors with AVX2. */
#include "jazzy/compiler.h"

#ifdef JZ_HAS_AVX2

#include <immintrin.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "codec/mask.h"

#define FOR_VECTORS JZ_FOR_AVX2

enum {
    WIDTH = 32,
    ALIGNED_FROM = 256 /* blocks: below, the parts of cache lines cost as much as aligned vectors gain */
};

typedef __m256i vector;

static FOR_VECTORS inline vector vector_load(const uint8_t *bytes)
{
    return _mm256_loadu_si256((const __m256i *)(const void *)bytes);
}

static FOR_VECTORS inline void vector_store(uint8_t *bytes, vector value)
{
    _mm256_storeu_si256((__m256i *)(void *)bytes, value);
}

static FOR_VECTORS inline vector vector_repeat(uint8_t byte)
{
    return _mm256_set1_epi8((char)byte);
}

static FOR_VECTORS inline vector vector_repeat_4(uint32_t bytes)
{
    return _mm256_set1_epi32((int)bytes);
}

static FOR_VECTORS inline vector vector_or(vector a, vector b)
{
    return _mm256_or_si256(a, b);
}

static FOR_VECTORS inline vector vector_and(vector a, vector b)
{
    return _mm256_and_si256(a, b);
}

static FOR_VECTORS inline vector vector_xor(vector a, vector b)
{
    return _mm256_xor_si256(a, b);
}

static FOR_VECTORS inline vector vector_subtract(vector a, vector b)
{
    return _mm256_subs_epu8(a, b);
}

static FOR_VECTORS inline vector vector_high_halves(vector a)
{
    return _mm256_and_si256(_mm256_srli_epi16(a, 4), _mm256_set1_epi8(0x0F));
}

static FOR_VECTORS inline vector vector_table(const uint8_t table[16])
{
    return _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(const void *)table));
}

static FOR_VECTORS inline vector vector_look_up(vector table, vector indices)
{
    return _mm256_shuffle_epi8(table, indices);
}

/* A macro, because the distance is part of the instruction. */
#define vector_previous(now, before, n) _mm256_alignr_epi8(now, _mm256_permute2x128_si256(before, now, 0x21), 16 - (n))

static FOR_VECTORS inline bool vector_is_ascii(vector a)
{
    return _mm256_movemask_epi8(a) == 0;
}

static FOR_VECTORS inline bool vector_is_zero(vector a)
{
    return _mm256_testz_si256(a, a) != 0;
}

#include "codec/text_blocks_vector.h"

/* Not inlined: where it is several times, gcc keeps less of it in registers. */
static JZ_NEVER_INLINED FOR_VECTORS progress take_more(progress text, uint8_t *destination, const uint8_t *source,
                                                       size_t count, uint32_t key)
{
    return take_blocks(text, destination, source, count, vector_repeat_4(key));
}

/* The first bytes, up to a cache line: checked where they stand at the end of a block, behind ASCII. */
static FOR_VECTORS inline progress take_front(uint8_t *bytes, size_t length, uint32_t key)
{
    uint8_t block[JZ_TEXT_BLOCK] = {0};
    uint8_t *at_end = block + sizeof block - length;
    jz_mask(bytes, bytes, length, (const uint8_t *)&key, 0);
    memcpy(at_end, bytes, length);
    return take_more(beginning(), NULL, block, 1, 0);
}

/* In place, in whole cache lines; the text covers only a part of the first and of the last. */
static JZ_NEVER_INLINED FOR_VECTORS bool take_aligned(uint8_t *bytes, size_t count, uint32_t key)
{
    const size_t in_front = -(uintptr_t)bytes % JZ_TEXT_BLOCK;
    const size_t in_lines = (count - 1) * JZ_TEXT_BLOCK;
    const uint32_t turned = jz_mask_turned_key((const uint8_t *)&key, in_front);
    progress text = take_front(bytes, in_front, key);
    text = take_more(text, bytes + in_front, bytes + in_front, count - 1, turned);
    /* The last bytes are checked with those before them, as a block. */
    uint8_t *rest = bytes + in_front + in_lines;
    jz_mask(rest, rest, JZ_TEXT_BLOCK - in_front, (const uint8_t *)&turned, 0);
    text.before = vector_load(bytes + in_lines - WIDTH);
    text.cut = cut_characters(text.before);
    text = take_more(text, NULL, bytes + in_lines, 1, 0);
    return vector_is_zero(text.errors);
}

FOR_VECTORS bool jz_text_blocks_avx2(uint8_t *destination, const uint8_t *source, size_t count, uint32_t key)
{
    if (count >= ALIGNED_FROM && destination == source)
        return take_aligned(destination, count, key);
    return all_blocks_are_possible(destination, source, count, key);
}

#else

/* ISO C requires a declaration in every file. */
typedef int jz_no_avx2;

#endif
