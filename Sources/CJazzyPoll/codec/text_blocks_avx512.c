/*
 * Text in blocks, on x86-64 processors with AVX-512 and its byte permutations (VBMI). A block fits into a register. A
 * table of 128 entries gives the kind of each byte; whether a byte may follow the bytes before it depends on their
 * kinds. Most scripts need only a part of these checks; the others are done only when a byte requires them.
 */
#include "jazzy/compiler.h"

#ifdef JZ_HAS_AVX512

#include <immintrin.h>
#include <stdbool.h>
#include <stdint.h>

#include "codec/mask.h"
#include "codec/text_blocks.h"
#include "codec/text_parts.h"

enum {
    RUN = 4,           /* blocks that are in registers at the same time */
    ALIGNED_FROM = 32, /* blocks: from here on it pays to process aligned cache lines */
    PARTS_FROM = 64,   /* blocks: from here on it pays to check parts at the same time */
    DENSE_FROM = 3     /* runs: if so many were not ASCII one after another, it is likely that most are not */
};

/* Kinds of bytes. The order of the first four matters: each is one bit below the one before. */
enum {
    CONTINUES = 1 << 7,
    LEADS_2 = 1 << 6,  /* a continuation byte follows */
    LEADS_3 = 1 << 5,  /* another one */
    LEADS_4 = 1 << 4,  /* another one */
    AFTER_E0 = 1 << 3, /* the first continuation byte must be A0 or more: others are overlong */
    AFTER_ED = 1 << 2, /* the first continuation byte must be 9F or less: others are surrogates */
    AFTER_F0 = 1 << 1, /* the first continuation byte must be 90 or more: others are overlong */
    AFTER_F4 = 1 << 0, /* the first continuation byte must be 8F or less: others are above U+10FFFF */
    SELDOM = LEADS_4 | AFTER_E0 | AFTER_ED | AFTER_F0 | AFTER_F4,
    OF_2 = LEADS_2,
    OF_3 = LEADS_2 | LEADS_3,
    OF_4 = LEADS_2 | LEADS_3 | LEADS_4,
    OF_NONE = LEADS_2 | AFTER_E0 | AFTER_ED | AFTER_F0 | AFTER_F4 /* C0, C1, F5 and above: no byte may follow */
};

#define FOUR(value) value, value, value, value
#define SIXTEEN(value) FOUR(value), FOUR(value), FOUR(value), FOUR(value)

/* The index in both tables is the lower seven bits of a byte; ASCII has no kind. */
/* clang-format off */
static const uint8_t kinds[128] = {
    /* 80 to BF */
    SIXTEEN(CONTINUES), SIXTEEN(CONTINUES), SIXTEEN(CONTINUES), SIXTEEN(CONTINUES),
    /* C0 to DF */
    OF_NONE, OF_NONE, OF_2, OF_2, FOUR(OF_2), FOUR(OF_2), FOUR(OF_2), SIXTEEN(OF_2),
    /* E0 to EF */
    OF_3 | AFTER_E0, OF_3, OF_3, OF_3, FOUR(OF_3), FOUR(OF_3), OF_3, OF_3 | AFTER_ED, OF_3, OF_3,
    /* F0 to FF */
    OF_4 | AFTER_F0, OF_4, OF_4, OF_4, OF_4 | AFTER_F4, OF_NONE, OF_NONE, OF_NONE, FOUR(OF_NONE), FOUR(OF_NONE)};
/* clang-format on */

/* The kinds of bytes that a byte may not follow. ASCII may follow none of those, and is an error of order there. */
static const uint8_t refusals[128] = {SIXTEEN(AFTER_E0 | AFTER_F0), SIXTEEN(AFTER_E0 | AFTER_F4),
                                      SIXTEEN(AFTER_ED | AFTER_F4), SIXTEEN(AFTER_ED | AFTER_F4)};

/* The kinds at the end of a block that require bytes behind it. */
static const uint8_t cut[JZ_TEXT_BLOCK] = {[61] = LEADS_4, [62] = LEADS_3, [63] = LEADS_2};

/* The numbers from 61 to 126: from two registers, 64 of them select what is three to one places before. */
static const uint8_t places[JZ_TEXT_BLOCK + 2] = {
    61,  62,  63,  64,  65,  66,  67,  68,  69,  70,  71,  72,  73,  74,  75,  76,  77,  78,  79,  80,  81,  82,
    83,  84,  85,  86,  87,  88,  89,  90,  91,  92,  93,  94,  95,  96,  97,  98,  99,  100, 101, 102, 103, 104,
    105, 106, 107, 108, 109, 110, 111, 112, 113, 114, 115, 116, 117, 118, 119, 120, 121, 122, 123, 124, 125, 126};

/* What is known of the text so far. */
typedef struct progress {
    __m512i kinds;   /* of its last block */
    __m512i order;   /* CONTINUES where a continuation byte was missing, or was not due */
    __m512i refused; /* not zero where a character is impossible */
} progress;

static JZ_FOR_AVX512 JZ_ALWAYS_INLINED progress beginning(void)
{
    const __m512i zero = _mm512_setzero_si512();
    return (progress){zero, zero, zero};
}

static JZ_FOR_AVX512 inline __m512i kinds_of(__m512i bytes)
{
    return _mm512_maskz_permutex2var_epi8(_mm512_movepi8_mask(bytes), _mm512_loadu_si512(kinds), bytes,
                                          _mm512_loadu_si512(kinds + 64));
}

static JZ_FOR_AVX512 inline __m512i refusals_of(__m512i bytes)
{
    return _mm512_permutex2var_epi8(_mm512_loadu_si512(refusals), bytes, _mm512_loadu_si512(refusals + 64));
}

/* The kinds that many places before those of `now`: up to three. */
static JZ_FOR_AVX512 JZ_ALWAYS_INLINED __m512i previous(__m512i now, __m512i last, size_t distance)
{
    return _mm512_permutex2var_epi8(last, _mm512_loadu_si512(places + 3 - distance), now);
}

/* Each bit takes the place of the one above: what a byte requires of the next one comes to where that is told. */
static JZ_FOR_AVX512 inline __m512i one_up(__m512i kinds)
{
    return _mm512_add_epi8(kinds, kinds);
}

/* Which sequences the blocks may have. */
typedef enum look { LOOK_FOR_2, LOOK_FOR_3, LOOK_FOR_ALL } look;

/*
 * Checks a block, whose kinds are `now`. `for_what` is constant, here and below. What bytes before require is combined
 * by an exclusive or, which is enough: where two lead bytes require the same byte, the second of them stands where a
 * continuation byte is due, which is an error anyway.
 */
static JZ_FOR_AVX512 JZ_ALWAYS_INLINED void check_block(progress *text, __m512i block, __m512i now, look for_what)
{
    const __m512i before = previous(now, text->kinds, 1);
    __m512i due = before;
    if (for_what >= LOOK_FOR_3) {
        __m512i earlier = previous(now, text->kinds, 2);
        if (for_what == LOOK_FOR_ALL)
            earlier = _mm512_xor_si512(earlier, one_up(previous(now, text->kinds, 3)));
        due = _mm512_xor_si512(due, one_up(earlier));
    }
    if (for_what == LOOK_FOR_ALL)
        text->refused = _mm512_or_si512(text->refused, _mm512_and_si512(before, refusals_of(block)));
    text->order = _mm512_or_si512(text->order, _mm512_xor_si512(now, one_up(due)));
    text->kinds = now;
}

static JZ_FOR_AVX512 JZ_ALWAYS_INLINED void check_blocks(progress *text, const __m512i *blocks, const __m512i *now,
                                                         size_t count, look for_what)
{
    JZ_UNROLLED
    for (size_t i = 0; i < count; i++)
        check_block(text, blocks[i], now[i], for_what);
}

/* Checks blocks that are not all ASCII. `count` is constant, here and below. */
static JZ_FOR_AVX512 JZ_ALWAYS_INLINED void check_run(progress *text, const __m512i *blocks, size_t count)
{
    __m512i now[RUN];
    __m512i all = text->kinds;
    JZ_UNROLLED
    for (size_t i = 0; i < count; i++) {
        now[i] = kinds_of(blocks[i]);
        all = _mm512_or_si512(all, now[i]);
    }
    if (_mm512_test_epi8_mask(all, _mm512_set1_epi8(SELDOM | LEADS_3)) == 0)
        check_blocks(text, blocks, now, count, LOOK_FOR_2);
    else if (_mm512_test_epi8_mask(all, _mm512_set1_epi8(SELDOM)) == 0)
        check_blocks(text, blocks, now, count, LOOK_FOR_3);
    else
        check_blocks(text, blocks, now, count, LOOK_FOR_ALL);
}

static JZ_FOR_AVX512 JZ_ALWAYS_INLINED void check_ascii(progress *text)
{
    text->refused = _mm512_or_si512(text->refused, _mm512_and_si512(text->kinds, _mm512_loadu_si512(cut)));
    text->kinds = _mm512_setzero_si512();
}

/* Returns whether all of it is ASCII. */
static JZ_FOR_AVX512 JZ_ALWAYS_INLINED bool take_run(progress *text, uint8_t *destination, const uint8_t *source,
                                                     size_t count, __m512i keys)
{
    __m512i blocks[RUN];
    __m512i all = _mm512_setzero_si512();
    JZ_UNROLLED
    for (size_t i = 0; i < count; i++) {
        blocks[i] = _mm512_xor_si512(_mm512_loadu_si512(source + i * JZ_TEXT_BLOCK), keys);
        all = _mm512_or_si512(all, blocks[i]);
    }
    if (destination != NULL) {
        JZ_UNROLLED
        for (size_t i = 0; i < count; i++)
            _mm512_storeu_si512(destination + i * JZ_TEXT_BLOCK, blocks[i]);
    }
    const bool is_ascii = _mm512_movepi8_mask(all) == 0;
    if (is_ascii)
        check_ascii(text);
    else
        check_run(text, blocks, count);
    return is_ascii;
}

static JZ_FOR_AVX512 JZ_ALWAYS_INLINED uint8_t *behind(uint8_t *destination, size_t blocks)
{
    return destination != NULL ? destination + blocks * JZ_TEXT_BLOCK : NULL;
}

/* Whole runs, or until many follow that are not ASCII. Returns how many blocks those were. */
static JZ_FOR_AVX512 JZ_ALWAYS_INLINED size_t take_runs(progress *text, uint8_t *destination, const uint8_t *source,
                                                        size_t count, __m512i keys)
{
    size_t left = count;
    size_t dense = 0;
    while (left >= RUN && (dense < DENSE_FROM || left < PARTS_FROM)) {
        bool is_ascii = take_run(text, destination, source, RUN, keys);
        dense = is_ascii ? 0 : dense + 1;
        destination = behind(destination, RUN);
        source += RUN * JZ_TEXT_BLOCK;
        left -= RUN;
    }
    return count - left;
}

/* Here, bytes that no text has are noticed by the next one: no byte may follow. */
static inline bool is_in_no_text(uint8_t byte)
{
    return byte == 0xC0 || byte == 0xC1 || byte >= 0xF5;
}

/* Behind blocks that were taken. Returns how many there are in the parts. */
static JZ_FOR_AVX512 JZ_ALWAYS_INLINED size_t take_parts(progress *text, uint8_t *destination, const uint8_t *source,
                                                         size_t count, uint32_t key)
{
    const size_t taken = count / JZ_TEXT_PARTS * JZ_TEXT_PARTS;
    const uint8_t *unmasked = destination != NULL ? destination : source;
    if (is_in_no_text(unmasked[-1]) ||
        !jz_text_parts_avx512(destination, source, count / JZ_TEXT_PARTS * JZ_TEXT_BLOCK, key))
        text->refused = _mm512_set1_epi8(-1);
    text->kinds = kinds_of(_mm512_loadu_si512(unmasked + (taken - 1) * JZ_TEXT_BLOCK));
    return taken;
}

static JZ_FOR_AVX512 JZ_ALWAYS_INLINED void take_all(progress *text, uint8_t *destination, const uint8_t *source,
                                                     size_t count, uint32_t key)
{
    const __m512i keys = _mm512_set1_epi32((int)key);
    size_t taken = take_runs(text, destination, source, count, keys);
    if (count - taken >= PARTS_FROM)
        taken += take_parts(text, behind(destination, taken), source + taken * JZ_TEXT_BLOCK, count - taken, key);
    for (; taken < count; taken++)
        take_run(text, behind(destination, taken), source + taken * JZ_TEXT_BLOCK, 1, keys);
}

/* Takes those bytes of a block that `lanes` selects. The others count as ASCII, but the text may continue there. */
static JZ_FOR_AVX512 JZ_ALWAYS_INLINED void take_part(progress *text, uint8_t *block, __mmask64 lanes, __m512i keys)
{
    const progress before = *text;
    __m512i masked = _mm512_maskz_loadu_epi8(lanes, block);
    __m512i bytes = _mm512_maskz_mov_epi8(lanes, _mm512_xor_si512(masked, keys));
    _mm512_mask_storeu_epi8(block, lanes, bytes);
    check_run(text, &bytes, 1);
    text->order = _mm512_or_si512(before.order, _mm512_maskz_mov_epi8(lanes, text->order));
    text->refused = _mm512_or_si512(before.refused, _mm512_maskz_mov_epi8(lanes, text->refused));
}

static JZ_FOR_AVX512 JZ_ALWAYS_INLINED bool is_possible(const progress *text)
{
    return _mm512_movepi8_mask(text->order) == 0 && _mm512_test_epi8_mask(text->refused, text->refused) == 0;
}

/* In place, in whole cache lines; the text covers only a part of the first and of the last. */
static JZ_NEVER_INLINED JZ_FOR_AVX512 bool take_aligned(uint8_t *bytes, size_t count, uint32_t key)
{
    size_t in_front = (uintptr_t)bytes % JZ_TEXT_BLOCK;
    const uint32_t turned = jz_mask_turned_key((const uint8_t *)&key, -in_front);
    const __m512i keys = _mm512_set1_epi32((int)turned);
    const __mmask64 first = ~UINT64_C(0) << in_front;
    uint8_t *line = (uint8_t *)((uintptr_t)bytes - in_front);
    progress text = beginning();
    take_part(&text, line, first, keys);
    take_all(&text, line + JZ_TEXT_BLOCK, line + JZ_TEXT_BLOCK, count - 1, turned);
    take_part(&text, line + count * JZ_TEXT_BLOCK, ~first, keys);
    return is_possible(&text);
}

JZ_FOR_AVX512 bool jz_text_blocks_avx512(uint8_t *destination, const uint8_t *source, size_t count, uint32_t key)
{
    if (count >= ALIGNED_FROM && destination == source)
        return take_aligned(destination, count, key);
    progress text = beginning();
    take_all(&text, destination, source, count, key);
    return is_possible(&text);
}

#else

/* ISO C requires a declaration in every file. */
typedef int jz_no_avx512;

#endif
