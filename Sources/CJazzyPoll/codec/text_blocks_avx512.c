/* Text in blocks, on x86-64 processors with AVX-512. */
#include "jazzy/compiler.h"

#ifdef JZ_HAS_AVX512

#include <immintrin.h>
#include <stdbool.h>
#include <stdint.h>

#define FOR_VECTORS JZ_FOR_AVX512

enum { WIDTH = 64 };

typedef __m512i vector;

static FOR_VECTORS inline vector vector_load(const uint8_t *bytes)
{
    return _mm512_loadu_si512(bytes);
}

static FOR_VECTORS inline void vector_store(uint8_t *bytes, vector value)
{
    _mm512_storeu_si512(bytes, value);
}

static FOR_VECTORS inline vector vector_repeat(uint8_t byte)
{
    return _mm512_set1_epi8((char)byte);
}

static FOR_VECTORS inline vector vector_repeat_4(uint32_t bytes)
{
    return _mm512_set1_epi32((int)bytes);
}

static FOR_VECTORS inline vector vector_or(vector a, vector b)
{
    return _mm512_or_si512(a, b);
}

static FOR_VECTORS inline vector vector_and(vector a, vector b)
{
    return _mm512_and_si512(a, b);
}

static FOR_VECTORS inline vector vector_xor(vector a, vector b)
{
    return _mm512_xor_si512(a, b);
}

static FOR_VECTORS inline vector vector_subtract(vector a, vector b)
{
    return _mm512_subs_epu8(a, b);
}

static FOR_VECTORS inline vector vector_high_halves(vector a)
{
    return _mm512_and_si512(_mm512_srli_epi16(a, 4), _mm512_set1_epi8(0x0F));
}

static FOR_VECTORS inline vector vector_table(const uint8_t table[16])
{
    return _mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i *)(const void *)table));
}

static FOR_VECTORS inline vector vector_look_up(vector table, vector indices)
{
    return _mm512_shuffle_epi8(table, indices);
}

/* Each quarter of `now` has before it the quarter before, and the first one the last of `before`. */
static FOR_VECTORS inline vector quarters_before(vector now, vector before)
{
    return _mm512_permutex2var_epi64(before, _mm512_set_epi64(13, 12, 11, 10, 9, 8, 7, 6), now);
}

/* A macro, because how far is part of the instruction. */
#define vector_previous(now, before, n) _mm512_alignr_epi8(now, quarters_before(now, before), 16 - (n))

static FOR_VECTORS inline bool vector_is_ascii(vector a)
{
    return _mm512_movepi8_mask(a) == 0;
}

static FOR_VECTORS inline bool vector_is_zero(vector a)
{
    return _mm512_test_epi8_mask(a, a) == 0;
}

#include "text_blocks_vector.h"

FOR_VECTORS bool jz_text_blocks_avx512(uint8_t *destination, const uint8_t *source, size_t count, uint32_t key)
{
    return take_blocks(destination, source, count, key);
}

#else

/* ISO C wants a declaration in every file. */
typedef int jz_no_avx512;

#endif
