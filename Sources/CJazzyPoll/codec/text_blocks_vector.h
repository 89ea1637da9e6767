/*
 * Text in blocks by look-ups in three small tables (J. Keiser and D. Lemire, "Validating UTF-8 In Less Than One
 * Instruction Per Byte", Software: Practice and Experience 51, 2021), for the vectors that the including file defines:
 *
 *     FOR_VECTORS               before each function that uses them
 *     vector, WIDTH             the type, and its bytes
 *     vector_load, vector_store, vector_repeat (a byte), vector_repeat_4 (four bytes, as they lie in memory)
 *     vector_or, vector_and, vector_xor, vector_subtract (saturating), vector_high_halves (of bytes)
 *     vector_look_up            of each byte, which is below 16, in a table of 16
 *     vector_table              that table, from memory
 *     vector_previous           (now, before, n): the bytes n places before each of `now`
 *     vector_is_ascii, vector_is_zero
 */
#ifndef JAZZY_CODEC_TEXT_BLOCKS_VECTOR_H
#define JAZZY_CODEC_TEXT_BLOCKS_VECTOR_H

#include "codec/text_blocks.h"
#include "jazzy/compiler.h"

/* The errors that two consecutive bytes can have; there is an error if all three tables have its bit. */
enum {
    TOO_SHORT = 1 << 0,      /* 11______ 0_______ or 11______ 11______ */
    TOO_LONG = 1 << 1,       /* 0_______ 10______ */
    OVERLONG_3 = 1 << 2,     /* 11100000 100_____ */
    TOO_LARGE = 1 << 3,      /* 11110100 1001____ and above */
    SURROGATE = 1 << 4,      /* 11101101 101_____ */
    OVERLONG_2 = 1 << 5,     /* 1100000_ 10______ */
    TOO_LARGE_1000 = 1 << 6, /* 11110101 1000____ and above */
    OVERLONG_4 = 1 << 6,     /* 11110000 1000____ */
    TWO_CONTINUATIONS = 1 << 7,
    ANY_LOW_HALF = TOO_SHORT | TOO_LONG | TWO_CONTINUATIONS
};

static const uint8_t first_high[16] = {
    TOO_LONG,
    TOO_LONG,
    TOO_LONG,
    TOO_LONG,
    TOO_LONG,
    TOO_LONG,
    TOO_LONG,
    TOO_LONG,
    TWO_CONTINUATIONS,
    TWO_CONTINUATIONS,
    TWO_CONTINUATIONS,
    TWO_CONTINUATIONS,
    TOO_SHORT | OVERLONG_2,
    TOO_SHORT,
    TOO_SHORT | OVERLONG_3 | SURROGATE,
    TOO_SHORT | TOO_LARGE | TOO_LARGE_1000 | OVERLONG_4,
};

static const uint8_t first_low[16] = {
    ANY_LOW_HALF | OVERLONG_3 | OVERLONG_2 | OVERLONG_4,
    ANY_LOW_HALF | OVERLONG_2,
    ANY_LOW_HALF,
    ANY_LOW_HALF,
    ANY_LOW_HALF | TOO_LARGE,
    ANY_LOW_HALF | TOO_LARGE | TOO_LARGE_1000,
    ANY_LOW_HALF | TOO_LARGE | TOO_LARGE_1000,
    ANY_LOW_HALF | TOO_LARGE | TOO_LARGE_1000,
    ANY_LOW_HALF | TOO_LARGE | TOO_LARGE_1000,
    ANY_LOW_HALF | TOO_LARGE | TOO_LARGE_1000,
    ANY_LOW_HALF | TOO_LARGE | TOO_LARGE_1000,
    ANY_LOW_HALF | TOO_LARGE | TOO_LARGE_1000,
    ANY_LOW_HALF | TOO_LARGE | TOO_LARGE_1000,
    ANY_LOW_HALF | TOO_LARGE | TOO_LARGE_1000 | SURROGATE,
    ANY_LOW_HALF | TOO_LARGE | TOO_LARGE_1000,
    ANY_LOW_HALF | TOO_LARGE | TOO_LARGE_1000,
};

static const uint8_t second_high[16] = {
    TOO_SHORT,
    TOO_SHORT,
    TOO_SHORT,
    TOO_SHORT,
    TOO_SHORT,
    TOO_SHORT,
    TOO_SHORT,
    TOO_SHORT,
    TOO_LONG | OVERLONG_2 | TWO_CONTINUATIONS | OVERLONG_3 | TOO_LARGE_1000 | OVERLONG_4,
    TOO_LONG | OVERLONG_2 | TWO_CONTINUATIONS | OVERLONG_3 | TOO_LARGE,
    TOO_LONG | OVERLONG_2 | TWO_CONTINUATIONS | SURROGATE | TOO_LARGE,
    TOO_LONG | OVERLONG_2 | TWO_CONTINUATIONS | SURROGATE | TOO_LARGE,
    TOO_SHORT,
    TOO_SHORT,
    TOO_SHORT,
    TOO_SHORT,
};

/* Not zero where a byte of `now` is impossible after the bytes before it. */
static FOR_VECTORS inline vector errors_of(vector now, vector before)
{
    vector previous = vector_previous(now, before, 1);
    vector pairs =
        vector_and(vector_and(vector_look_up(vector_table(first_high), vector_high_halves(previous)),
                              vector_look_up(vector_table(first_low), vector_and(previous, vector_repeat(0x0F)))),
                   vector_look_up(vector_table(second_high), vector_high_halves(now)));
    /* The third byte of a sequence of three or four, and the fourth of four: only these may follow a continuation
       byte. */
    vector third = vector_subtract(vector_previous(now, before, 2), vector_repeat(0xE0 - 0x80));
    vector fourth = vector_subtract(vector_previous(now, before, 3), vector_repeat(0xF0 - 0x80));
    vector must_continue = vector_and(vector_or(third, fourth), vector_repeat(TWO_CONTINUATIONS));
    return vector_xor(must_continue, pairs);
}

/* Not zero where a character is cut by the end. */
static FOR_VECTORS inline vector cut_characters(vector last)
{
    enum { WIDEST = 32 };
    static const uint8_t largest_whole[WIDEST] = {255, 255, 255, 255, 255, 255, 255, 255,  255,  255, 255,
                                                  255, 255, 255, 255, 255, 255, 255, 255,  255,  255, 255,
                                                  255, 255, 255, 255, 255, 255, 255, 0xEF, 0xDF, 0xBF};
    return vector_subtract(last, vector_load(largest_whole + sizeof largest_whole - WIDTH));
}

enum { RUN = 4 * JZ_TEXT_BLOCK };

/* Takes four blocks if all of them are ASCII; else nothing. */
static FOR_VECTORS inline bool take_ascii_run(uint8_t *destination, const uint8_t *source, vector keys)
{
    vector parts[RUN / WIDTH];
    vector all = vector_repeat(0);
    JZ_UNROLLED
    for (size_t i = 0; i < RUN / WIDTH; i++) {
        parts[i] = vector_xor(vector_load(source + i * WIDTH), keys);
        all = vector_or(all, parts[i]);
    }
    if (!vector_is_ascii(all))
        return false;
    if (destination != NULL) {
        JZ_UNROLLED
        for (size_t i = 0; i < RUN / WIDTH; i++)
            vector_store(destination + i * WIDTH, parts[i]);
    }
    return true;
}

/* What is known of the text so far. */
typedef struct progress {
    vector errors; /* not zero where a byte is impossible */
    vector before; /* its last bytes */
    vector cut;    /* not zero where they end within a character */
} progress;

static FOR_VECTORS inline progress beginning(void)
{
    return (progress){vector_repeat(0), vector_repeat(0), vector_repeat(0)};
}

/* Returns what is known of the text then: compilers keep that in registers. */
static FOR_VECTORS JZ_ALWAYS_INLINED progress take_blocks(progress text, uint8_t *destination, const uint8_t *source,
                                                          size_t count, vector keys)
{
    enum { PARTS = JZ_TEXT_BLOCK / WIDTH };
    for (; count > 0; count--) {
        vector parts[PARTS];
        vector all = vector_repeat(0);
        JZ_UNROLLED
        for (size_t i = 0; i < PARTS; i++) {
            parts[i] = vector_xor(vector_load(source + i * WIDTH), keys);
            all = vector_or(all, parts[i]);
        }
        if (destination != NULL) {
            JZ_UNROLLED
            for (size_t i = 0; i < PARTS; i++)
                vector_store(destination + i * WIDTH, parts[i]);
            destination += JZ_TEXT_BLOCK;
        }
        bool is_ascii = vector_is_ascii(all);
        if (is_ascii) {
            text.errors = vector_or(text.errors, text.cut);
            text.cut = vector_repeat(0);
        } else {
            JZ_UNROLLED
            for (size_t i = 0; i < PARTS; i++) {
                text.errors = vector_or(text.errors, errors_of(parts[i], text.before));
                text.before = parts[i];
            }
            text.cut = cut_characters(text.before);
        }
        text.before = parts[PARTS - 1];
        source += JZ_TEXT_BLOCK;
        while (is_ascii && count > RUN / JZ_TEXT_BLOCK && take_ascii_run(destination, source, keys)) {
            destination = destination != NULL ? destination + RUN : NULL;
            source += RUN;
            count -= RUN / JZ_TEXT_BLOCK;
        }
    }
    return text;
}

static FOR_VECTORS inline bool all_blocks_are_possible(uint8_t *destination, const uint8_t *source, size_t count,
                                                       uint32_t key)
{
    progress text = take_blocks(beginning(), destination, source, count, vector_repeat_4(key));
    return vector_is_zero(text.errors);
}

#endif
