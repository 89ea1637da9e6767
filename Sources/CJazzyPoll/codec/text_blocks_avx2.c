/* Text in blocks, on x86-64 processors with AVX2. */
#include "jazzy/compiler.h"

#ifdef JZ_HAS_AVX2

#include <immintrin.h>
#include <stdbool.h>
#include <stdint.h>

#define FOR_VECTORS JZ_FOR_AVX2

enum { WIDTH = 32 };

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

FOR_VECTORS bool jz_text_blocks_avx2(uint8_t *destination, const uint8_t *source, size_t count, uint32_t key)
{
    return take_blocks(destination, source, count, key);
}

#else

/* ISO C requires a declaration in every file. */
typedef int jz_no_avx2;

#endif
