/* Text in blocks, on 64-bit ARM processors, all of which have NEON. */
#if defined(__aarch64__) && defined(__ARM_NEON)

#include <arm_neon.h>
#include <stdbool.h>
#include <stdint.h>

#define FOR_VECTORS

enum { WIDTH = 16 };

typedef uint8x16_t vector;

static inline vector vector_load(const uint8_t *bytes)
{
    return vld1q_u8(bytes);
}

static inline void vector_store(uint8_t *bytes, vector value)
{
    vst1q_u8(bytes, value);
}

static inline vector vector_repeat(uint8_t byte)
{
    return vdupq_n_u8(byte);
}

static inline vector vector_repeat_4(uint32_t bytes)
{
    return vreinterpretq_u8_u32(vdupq_n_u32(bytes));
}

static inline vector vector_or(vector a, vector b)
{
    return vorrq_u8(a, b);
}

static inline vector vector_and(vector a, vector b)
{
    return vandq_u8(a, b);
}

static inline vector vector_xor(vector a, vector b)
{
    return veorq_u8(a, b);
}

static inline vector vector_subtract(vector a, vector b)
{
    return vqsubq_u8(a, b);
}

static inline vector vector_high_halves(vector a)
{
    return vshrq_n_u8(a, 4);
}

static inline vector vector_table(const uint8_t table[16])
{
    return vld1q_u8(table);
}

static inline vector vector_look_up(vector table, vector indices)
{
    return vqtbl1q_u8(table, indices);
}

/* A macro, because the distance is part of the instruction. */
#define vector_previous(now, before, n) vextq_u8(before, now, 16 - (n))

static inline bool vector_is_ascii(vector a)
{
    return vmaxvq_u8(a) < 0x80;
}

static inline bool vector_is_zero(vector a)
{
    return vmaxvq_u8(a) == 0;
}

#include "codec/text_blocks_vector.h"

bool jz_text_blocks_neon(uint8_t *destination, const uint8_t *source, size_t count, uint32_t key)
{
    return all_blocks_are_possible(destination, source, count, key);
}

#else

/* ISO C requires a declaration in every file. */
typedef int jz_no_neon;

#endif
