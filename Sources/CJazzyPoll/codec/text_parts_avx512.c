/*
 * Text in eight parts at the same time, on x86-64 processors with AVX-512, its byte permutations (VBMI) and GFNI.
 *
 * A look-up gives the code of each byte: four bits, which tell all that RFC 3629 §4 asks of it. The codes of eight
 * blocks, one of each part, become four planes: a plane has one bit of each code, and in each of its bytes the bit of
 * the block of part 0 is bit 0, that of part 1 bit 1, and so on. What is said once about planes is said of 512 bytes,
 * so that it does not matter how much there is to say. In a plane, the byte before is the same bit of the byte before:
 * for the first one that of the blocks before, because each part goes on where its last block ended.
 *
 * Where all characters have one or two bytes, two bits are enough: those of four blocks fit into a byte as they are.
 */
#include "codec/text_parts.h"

#ifdef JZ_HAS_AVX512

#include <immintrin.h>

enum {
    PARTS = JZ_TEXT_PARTS,
    HALF = PARTS / 2,
    PLANES = 4,
    CALM = 8,         /* so many times without long characters, and none are expected */
    FIRST_OF_3 = 0xE0 /* bytes from here on begin a long character, of three or four, or none */
};

/*
 * The codes. One that leads with nothing else leads a character of two bytes; NEVER is in no text. LIMITS: of the bytes
 * that continue, only some may follow. Those are from A0 (E0: others are overlong) or from 90 on (F0: likewise) with
 * LEAST, and below A0 (ED: others are surrogates) or below 90 (F4: others are above U+10FFFF) without it.
 */
enum {
    LEADS = 1 << 3,
    OF_4 = 1 << 2,
    LIMITS = 1 << 1,
    LEAST = 1 << 0,
    OF_3 = LEAST, /* without limits */
    CONTINUES = 1 << 2,
    FROM_90 = 1 << 1,
    FROM_A0 = 1 << 0,
    NEVER = 1 << 0
};

/* The code in both halves of a byte, its bits turned: each of four blocks has its own place for each bit. */
#define TURNED(code, by) ((((code) << (by)&15) | (code) >> (4 - (by))) * 0x11)
#define FOUR(value) value, value, value, value
#define SIXTEEN(value) FOUR(value), FOUR(value), FOUR(value), FOUR(value)

/* Of 80 to BF, C0 to DF, E0 to EF, and F0 to FE. FF counts as ASCII here, which the index cannot tell from it. */
/* clang-format off */
#define CODES(by) { \
    SIXTEEN(TURNED(CONTINUES, by)), SIXTEEN(TURNED(CONTINUES | FROM_90, by)), \
    SIXTEEN(TURNED(CONTINUES | FROM_90 | FROM_A0, by)), SIXTEEN(TURNED(CONTINUES | FROM_90 | FROM_A0, by)), \
    TURNED(NEVER, by), TURNED(NEVER, by), TURNED(LEADS, by), TURNED(LEADS, by), \
    FOUR(TURNED(LEADS, by)), FOUR(TURNED(LEADS, by)), FOUR(TURNED(LEADS, by)), SIXTEEN(TURNED(LEADS, by)), \
    TURNED(LEADS | LIMITS | LEAST, by), TURNED(LEADS | OF_3, by), TURNED(LEADS | OF_3, by), \
    TURNED(LEADS | OF_3, by), FOUR(TURNED(LEADS | OF_3, by)), FOUR(TURNED(LEADS | OF_3, by)), \
    TURNED(LEADS | OF_3, by), TURNED(LEADS | LIMITS, by), TURNED(LEADS | OF_3, by), TURNED(LEADS | OF_3, by), \
    TURNED(LEADS | OF_4 | LIMITS | LEAST, by), TURNED(LEADS | OF_4, by), TURNED(LEADS | OF_4, by), \
    TURNED(LEADS | OF_4, by), TURNED(LEADS | OF_4 | LIMITS, by), TURNED(NEVER, by), TURNED(NEVER, by), \
    TURNED(NEVER, by), FOUR(TURNED(NEVER, by)), FOUR(TURNED(NEVER, by))}

/* Codes of two bits, where nothing from E0 on occurs: 1 leads, 2 continues, and 3, C0 and C1, is in no text. */
#define PAIRS(by) { \
    SIXTEEN(2 << (by)), SIXTEEN(2 << (by)), SIXTEEN(2 << (by)), SIXTEEN(2 << (by)), \
    3 << (by), 3 << (by), 1 << (by), 1 << (by), FOUR(1 << (by)), FOUR(1 << (by)), FOUR(1 << (by)), SIXTEEN(1 << (by))}

static const _Alignas(JZ_TEXT_BLOCK) uint8_t codes[HALF][128] = {CODES(0), CODES(1), CODES(2), CODES(3)};
static const _Alignas(JZ_TEXT_BLOCK) uint8_t pairs[HALF][128] = {PAIRS(0), PAIRS(2), PAIRS(4), PAIRS(6)};
/* clang-format on */

/* The numbers from 62 to 126: from two registers, 64 of them select what is two places or one before. */
static const uint8_t places[JZ_TEXT_BLOCK + 1] = {
    62,  63,  64,  65,  66,  67,  68,  69,  70,  71,  72,  73,  74,  75,  76,  77,  78,  79,  80,  81,  82,  83,
    84,  85,  86,  87,  88,  89,  90,  91,  92,  93,  94,  95,  96,  97,  98,  99,  100, 101, 102, 103, 104, 105,
    106, 107, 108, 109, 110, 111, 112, 113, 114, 115, 116, 117, 118, 119, 120, 121, 122, 123, 124, 125, 126};

/* The end of a block, where what is due on the next place is cut. */
static const uint8_t last_place[JZ_TEXT_BLOCK] = {[63] = 0xFF};

/* What three vectors give, told by what these bits give. */
enum { A = 0xF0, B = 0xCC, C = 0xAA };
#define COMBINE(a, b, c, function) _mm512_ternarylogic_epi64(a, b, c, 0xFF & (function))

/* The bits of a byte that have these places in it are those of `a`, the others those of `b`. */
#define SELECT(bits, a, b) COMBINE(_mm512_set1_epi8((char)(bits)), a, b, (A & B) | (~A & C))

/* Each bit of each byte comes from those, from bit 0 to bit 7. */
#define MOVE_BITS(bytes, from_0, from_1, from_2, from_3, from_4, from_5, from_6, from_7)                               \
    _mm512_gf2p8affine_epi64_epi8(                                                                                     \
        bytes,                                                                                                         \
        _mm512_set1_epi64((int64_t)((uint64_t)(from_0) << 56 | (uint64_t)(from_1) << 48 | (uint64_t)(from_2) << 40 |   \
                                    (uint64_t)(from_3) << 32 | (uint64_t)(from_4) << 24 | (uint64_t)(from_5) << 16 |   \
                                    (uint64_t)(from_6) << 8 | (uint64_t)(from_7))),                                    \
        0)

/* What is known of the text so far. */
typedef struct progress {
    __m512i planes[PLANES]; /* of the last blocks */
    __m512i due;            /* a plane: after the next byte, one that continues */
    __m512i pairs[2];       /* instead of both where characters are short: of the last blocks of four parts each */
    __m512i errors;         /* not zero where a character is impossible */
    __m512i pair_errors;    /* likewise in the upper bit of each pair */
    bool have_limits;       /* some of the characters that began in the last blocks */
    unsigned calm;          /* how many times in a row no long character began */
} progress;

/* Where the parts are. */
typedef struct stretch {
    uint8_t *destination;
    const uint8_t *source;
    size_t length; /* of each part */
    __m512i keys;
} stretch;

/* The index is the lower seven bits, which those of ASCII are, too: their code is 0. */
static JZ_FOR_AVX512 JZ_ALWAYS_INLINED __m512i look_up(const uint8_t table[128], __m512i bytes)
{
    const __mmask64 is_no_ascii = _mm512_test_epi8_mask(bytes, _mm512_set1_epi8((char)0x80));
    return _mm512_maskz_permutex2var_epi8(is_no_ascii, _mm512_load_si512(table), bytes, _mm512_load_si512(table + 64));
}

/* As above where FF, whose code ASCII gets, does not occur: quicker where masks are what there is most to do. */
static JZ_FOR_AVX512 JZ_ALWAYS_INLINED __m512i look_up_short(const uint8_t table[128], __m512i bytes)
{
    return _mm512_permutex2var_epi8(_mm512_load_si512(table), _mm512_min_epi8(bytes, _mm512_set1_epi8(-1)),
                                    _mm512_load_si512(table + 64));
}

/* What is that many places before: one or two. */
static JZ_FOR_AVX512 JZ_ALWAYS_INLINED __m512i previous(__m512i now, __m512i last, size_t distance)
{
    return _mm512_permutex2var_epi8(last, _mm512_loadu_si512(places + 2 - distance), now);
}

/* The codes of blocks of this part and the one HALF behind it, in the lower and the upper halves of bytes. */
static JZ_FOR_AVX512 JZ_ALWAYS_INLINED __m512i codes_of(size_t part, __m512i lower, __m512i upper)
{
    return SELECT(0x0F, look_up(codes[part], lower), look_up(codes[part], upper));
}

/* Because of the turns, each bit of the code has another place in each block. So all of them come by selecting. */
static JZ_FOR_AVX512 JZ_ALWAYS_INLINED void make_planes(__m512i planes[PLANES], __m512i first, __m512i second,
                                                        __m512i third, __m512i fourth)
{
    const __m512i first_third = SELECT(0x33, first, third);
    const __m512i third_first = SELECT(0x33, third, first);
    const __m512i second_fourth = SELECT(0x33, second, fourth);
    const __m512i fourth_second = SELECT(0x33, fourth, second);
    planes[0] = SELECT(0x55, first_third, second_fourth);
    planes[1] = MOVE_BITS(SELECT(0x55, fourth_second, first_third), 2, 4, 8, 1, 32, 64, 128, 16);
    planes[2] = MOVE_BITS(SELECT(0x55, third_first, fourth_second), 4, 8, 1, 2, 64, 128, 16, 32);
    planes[3] = MOVE_BITS(SELECT(0x55, second_fourth, third_first), 8, 1, 2, 4, 128, 16, 32, 64);
}

/*
 * Of the bytes after those with LIMITS. FROM_90 and FROM_A0 have the places of LIMITS and LEAST, so that one look at
 * the byte before tells what matters.
 */
static JZ_FOR_AVX512 JZ_ALWAYS_INLINED void check_limits(progress *text, const __m512i now[PLANES], __m512i last_leads,
                                                         __m512i last_is_of_4)
{
    const __m512i last_has_limits = previous(now[1], text->planes[1], 1);
    const __m512i last_has_least = previous(now[0], text->planes[0], 1);
    const __m512i is_above = COMBINE(last_is_of_4, now[1], now[0], (A & B) | (~A & C));
    const __m512i is_outside = COMBINE(last_has_limits, is_above, last_has_least, A & (B ^ C));
    text->errors = COMBINE(text->errors, last_leads, is_outside, A | (B & C));
}

/* Any characters. */
static JZ_FOR_AVX512 JZ_ALWAYS_INLINED void check_planes(progress *text, const __m512i now[PLANES])
{
    /* What continues is what has to: after a byte that leads, after the next one of three, and after the next of four.
     */
    const __m512i last_leads = previous(now[3], text->planes[3], 1);
    const __m512i last_is_of_4 = previous(now[2], text->planes[2], 1);
    const __m512i is_any = COMBINE(now[2], now[1], now[0], A | B | C);
    const __m512i due = COMBINE(now[3], is_any, _mm512_and_si512(last_leads, last_is_of_4), (A & B) | C);
    const __m512i continues = _mm512_andnot_si512(now[3], now[2]);
    const __m512i order = COMBINE(continues, last_leads, previous(due, text->due, 2), A ^ (B | C));
    const __m512i is_never = COMBINE(now[3], now[2], now[0], ~A & ~B & C);
    text->errors = COMBINE(text->errors, order, is_never, A | B | C);
    text->due = due;
    /* In many scripts no character has LIMITS. Where some have, now or in the last blocks, characters are long, or
     * were. */
    const bool have_limits = _mm512_test_epi8_mask(now[3], now[1]) != 0;
    bool are_long = true;
    if (have_limits | text->have_limits)
        check_limits(text, now, last_leads, last_is_of_4);
    else
        are_long = _mm512_test_epi8_mask(due, due) != 0;
    text->calm = are_long ? 0 : text->calm + 1;
    text->have_limits = have_limits;
    JZ_UNROLLED
    for (size_t i = 0; i < PLANES; i++)
        text->planes[i] = now[i];
}

static JZ_FOR_AVX512 JZ_ALWAYS_INLINED void check(progress *text, const __m512i *blocks)
{
    __m512i planes[PLANES];
    make_planes(planes, codes_of(0, blocks[0], blocks[HALF]), codes_of(1, blocks[1], blocks[1 + HALF]),
                codes_of(2, blocks[2], blocks[2 + HALF]), codes_of(3, blocks[3], blocks[3 + HALF]));
    check_planes(text, planes);
}

static JZ_FOR_AVX512 JZ_ALWAYS_INLINED void check_four_short(progress *text, const __m512i *blocks, size_t half)
{
    __m512i now = _mm512_or_si512(look_up_short(pairs[0], blocks[0]), look_up_short(pairs[1], blocks[1]));
    now = COMBINE(now, look_up_short(pairs[2], blocks[2]), look_up_short(pairs[3], blocks[3]), A | B | C);
    const __m512i last = previous(now, text->pairs[half], 1);
    text->pairs[half] = now;
    text->pair_errors = COMBINE(text->pair_errors, now, _mm512_add_epi8(last, last), A | (B ^ C));
    text->pair_errors = COMBINE(text->pair_errors, now, _mm512_add_epi8(now, now), A | (B & C));
}

/* Characters of one or two bytes. */
static JZ_FOR_AVX512 JZ_ALWAYS_INLINED void check_short(progress *text, const __m512i *blocks)
{
    check_four_short(text, blocks, 0);
    check_four_short(text, blocks + HALF, 1);
}

/* All that matters of the blocks before, where all characters are short, is where a byte leads. */
static JZ_FOR_AVX512 JZ_ALWAYS_INLINED void planes_to_pairs(progress *text)
{
    text->pairs[0] = MOVE_BITS(text->planes[3], 1, 0, 2, 0, 4, 0, 8, 0);
    text->pairs[1] = MOVE_BITS(text->planes[3], 16, 0, 32, 0, 64, 0, 128, 0);
}

static JZ_FOR_AVX512 JZ_ALWAYS_INLINED void pairs_to_planes(progress *text)
{
    text->planes[3] = _mm512_or_si512(MOVE_BITS(text->pairs[0], 1, 4, 16, 64, 0, 0, 0, 0),
                                      MOVE_BITS(text->pairs[1], 0, 0, 0, 0, 1, 4, 16, 64));
    text->planes[2] = text->planes[1] = text->planes[0] = text->due = _mm512_setzero_si512();
}

/* ASCII continues nothing. */
static JZ_FOR_AVX512 JZ_ALWAYS_INLINED void check_short_ascii(progress *text)
{
    const __m512i leads = _mm512_and_si512(_mm512_or_si512(text->pairs[0], text->pairs[1]), _mm512_set1_epi8(0x55));
    text->errors = COMBINE(text->errors, leads, _mm512_loadu_si512(last_place), A | (B & C));
}

static JZ_FOR_AVX512 JZ_ALWAYS_INLINED __m512i largest(const __m512i *blocks)
{
    const __m512i front = _mm512_max_epu8(_mm512_max_epu8(blocks[0], blocks[1]), _mm512_max_epu8(blocks[2], blocks[3]));
    const __m512i back = _mm512_max_epu8(_mm512_max_epu8(blocks[4], blocks[5]), _mm512_max_epu8(blocks[6], blocks[7]));
    return _mm512_max_epu8(front, back);
}

static JZ_FOR_AVX512 JZ_ALWAYS_INLINED bool has_long_characters(__m512i most)
{
    return _mm512_cmpge_epu8_mask(most, _mm512_set1_epi8((char)FIRST_OF_3)) != 0;
}

/* Unmasks the block that is so far into this part. `stores` is a constant, here and below. */
static JZ_FOR_AVX512 JZ_ALWAYS_INLINED __m512i take_block(const stretch *where, size_t at, size_t part, bool stores)
{
    const size_t place = part * where->length + at;
    const __m512i block = _mm512_xor_si512(_mm512_loadu_si512(where->source + place), where->keys);
    if (stores)
        _mm512_storeu_si512(where->destination + place, block);
    return block;
}

/* The codes of each two blocks are looked up before more are taken, so that the registers suffice. */
static JZ_FOR_AVX512 JZ_ALWAYS_INLINED __m512i take_codes(const stretch *where, size_t at, size_t part, bool stores)
{
    const __m512i lower = take_block(where, at, part, stores);
    const __m512i upper = take_block(where, at, part + HALF, stores);
    return codes_of(part, lower, upper);
}

/* Until all characters are short for a while. Returns how far into the parts that is. */
static JZ_FOR_AVX512 JZ_ALWAYS_INLINED size_t take_any(progress *text, const stretch *where, size_t at, bool stores)
{
    while (at < where->length && text->calm < CALM) {
        const __m512i first = take_codes(where, at, 0, stores);
        const __m512i third = take_codes(where, at, 2, stores);
        const __m512i second = take_codes(where, at, 1, stores);
        const __m512i fourth = take_codes(where, at, 3, stores);
        __m512i planes[PLANES];
        make_planes(planes, first, second, third, fourth);
        check_planes(text, planes);
        at += JZ_TEXT_BLOCK;
    }
    return at;
}

/* Until behind the first blocks with long characters. */
static JZ_FOR_AVX512 JZ_ALWAYS_INLINED size_t take_short(progress *text, const stretch *where, size_t at, bool stores)
{
    planes_to_pairs(text);
    while (at < where->length) {
        __m512i blocks[PARTS];
        JZ_UNROLLED
        for (size_t i = 0; i < PARTS; i++)
            blocks[i] = take_block(where, at, i, stores);
        const __m512i most = largest(blocks);
        at += JZ_TEXT_BLOCK;
        if (_mm512_movepi8_mask(most) == 0) {
            check_short_ascii(text);
        } else if (!has_long_characters(most)) {
            check_short(text, blocks);
        } else {
            pairs_to_planes(text);
            check(text, blocks);
            text->calm = 0;
            break;
        }
    }
    return at;
}

/* Before the first blocks: where characters stand that begin in the blocks before, which others check. */
static JZ_FOR_AVX512 JZ_ALWAYS_INLINED progress beginning(const stretch *where)
{
    const __m512i zero = _mm512_setzero_si512();
    progress text = {.planes = {zero, zero, zero, zero}, .due = zero, .pairs = {zero, zero}, .errors = zero};
    const uint8_t *unmasked = where->destination != NULL ? where->destination : where->source;
    __m512i blocks[PARTS];
    blocks[0] = _mm512_loadu_si512(unmasked - JZ_TEXT_BLOCK);
    for (size_t i = 1; i < PARTS; i++)
        blocks[i] =
            _mm512_xor_si512(_mm512_loadu_si512(where->source + i * where->length - JZ_TEXT_BLOCK), where->keys);
    check(&text, blocks);
    text.errors = text.pair_errors = zero;
    text.calm = has_long_characters(largest(blocks)) ? 0 : CALM;
    return text;
}

static JZ_FOR_AVX512 JZ_ALWAYS_INLINED bool is_possible(const progress *text)
{
    const __m512i errors = COMBINE(text->errors, text->pair_errors, _mm512_set1_epi8((char)0xAA), A | (B & C));
    return _mm512_test_epi8_mask(errors, errors) == 0;
}

static JZ_FOR_AVX512 JZ_ALWAYS_INLINED bool take_parts(const stretch *where, bool stores)
{
    progress text = beginning(where);
    for (size_t at = 0; at < where->length;)
        at = text.calm < CALM ? take_any(&text, where, at, stores) : take_short(&text, where, at, stores);
    return is_possible(&text);
}

JZ_FOR_AVX512 bool jz_text_parts_avx512(uint8_t *destination, const uint8_t *source, size_t length, uint32_t key)
{
    const stretch where = {destination, source, length, _mm512_set1_epi32((int)key)};
    return destination != NULL ? take_parts(&where, true) : take_parts(&where, false);
}

#else

/* ISO C requires a declaration in every file. */
typedef int jz_no_text_parts;

#endif
