/* A block of SHA-1 on x86-64 processors that have instructions for it. */
#include "codec/sha1_x86.h"

#ifdef JZ_HAS_SHA

#include <immintrin.h>

typedef struct rounds {
    __m128i abcd;
    __m128i before;   /* abcd, four rounds ago, from which e is made */
    __m128i words[4]; /* of the schedule: the last sixteen */
} rounds;

/* Computes the next four words of the schedule, in place of the oldest four of the last sixteen. */
static JZ_FOR_SHA void extend_schedule(rounds *rounds, unsigned group)
{
    __m128i *words = rounds->words;
    __m128i mixed = _mm_xor_si128(_mm_sha1msg1_epu32(words[group & 3], words[(group + 1) & 3]), words[(group + 2) & 3]);
    words[group & 3] = _mm_sha1msg2_epu32(mixed, words[(group + 3) & 3]);
}

/* Four rounds. A macro, because the quarter is part of the instruction. */
#define TAKE_GROUP(rounds, e, quarter)                                                                                 \
    do {                                                                                                               \
        __m128i sum = (e);                                                                                             \
        (rounds)->before = (rounds)->abcd;                                                                             \
        (rounds)->abcd = _mm_sha1rnds4_epu32((rounds)->abcd, sum, quarter);                                            \
    } while (0)

#define TAKE_QUARTER(rounds, first, quarter)                                                                           \
    for (unsigned group = (first); group < 5 * ((quarter) + 1); group++) {                                             \
        if (group >= 4)                                                                                                \
            extend_schedule(rounds, group);                                                                            \
        TAKE_GROUP(rounds, _mm_sha1nexte_epu32((rounds)->before, (rounds)->words[group & 3]), quarter);                \
    }

JZ_FOR_SHA void jz_sha1_take_block_x86(uint32_t state[5], const uint8_t block[64])
{
    const __m128i big_endian = _mm_set_epi64x(0x0001020304050607, 0x08090a0b0c0d0e0f);
    rounds rounds;
    for (unsigned i = 0; i < 4; i++)
        rounds.words[i] =
            _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(const void *)(block + i * 16)), big_endian);
    const __m128i abcd = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)(const void *)state), 0x1B);
    const __m128i e = _mm_set_epi32((int)state[4], 0, 0, 0);
    rounds.abcd = abcd;

    TAKE_GROUP(&rounds, _mm_add_epi32(e, rounds.words[0]), 0);
    TAKE_QUARTER(&rounds, 1, 0)
    TAKE_QUARTER(&rounds, 5, 1)
    TAKE_QUARTER(&rounds, 10, 2)
    TAKE_QUARTER(&rounds, 15, 3)

    __m128i last_e = _mm_sha1nexte_epu32(rounds.before, e);
    rounds.abcd = _mm_shuffle_epi32(_mm_add_epi32(rounds.abcd, abcd), 0x1B);
    _mm_storeu_si128((__m128i *)(void *)state, rounds.abcd);
    state[4] = (uint32_t)_mm_extract_epi32(last_e, 3);
}

#else

/* ISO C requires a declaration in every file. */
typedef int jz_no_sha;

#endif
