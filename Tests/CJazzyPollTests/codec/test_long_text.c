/*
 * Long texts, which are checked in several parts at the same time where the processor can do that: in place, copied,
 * and without a mask, against what the portable way says of the bytes that are not known to be right.
 */
#include "codec/unmask_text.h"

#include "codec/processor.h"
#include "support/random.h"
#include "support/testing.h"
#include "support/vectors.h"

enum { LINE = 64, LENGTH = 84 * LINE, LONGEST = 36000, LONGEST_SEQUENCE = 4 };

static const uint8_t key[4] = {0x37, 0xFA, 0x21, 0x3D};
static const uint8_t no_key[4];

static const char *const characters[] = {"a", "\xC3\xA9", "\xE4\xB8\xAD", "\xF0\x9F\x9A\x80"};

/* Each kind of byte that RFC 3629 §4 tells from others: the first and the last of it. */
static const uint8_t kinds[] = {0x00, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xC1, 0xC2, 0xDF,
                                0xE0, 0xE1, 0xEC, 0xED, 0xEE, 0xEF, 0xF0, 0xF1, 0xF3, 0xF4, 0xF5, 0xFF};

typedef struct text {
    _Alignas(LINE) uint8_t plain[LINE + LONGEST];
    _Alignas(LINE) uint8_t masked[LINE + LONGEST];
    size_t begin; /* where in a cache line */
    size_t length;
} text;

static void set(text *text, size_t position, uint8_t byte)
{
    text->plain[text->begin + position] = byte;
    text->masked[text->begin + position] = byte ^ key[position & 3];
}

static size_t put(text *text, size_t position, const char *character)
{
    for (; *character != '\0'; character++)
        set(text, position++, (uint8_t)*character);
    return position;
}

static void fill(text *text, size_t script)
{
    size_t position = 0;
    while (position + strlen(characters[script]) <= text->length)
        position = put(text, position, characters[script]);
    while (position < text->length)
        set(text, position++, '.');
}

static bool is_valid_in_portable_way(const uint8_t *bytes, size_t length)
{
    jz_vectors in_use = jz_vectors_in_use();
    jz_use_vectors(JZ_VECTORS_PORTABLE);
    bool is_valid = jz_utf8_is_valid(bytes, length);
    jz_use_vectors(in_use);
    return is_valid;
}

/* In one of three ways: in place, from one place to another, or without a mask at all. */
static bool is_valid_in_way(text *text, size_t way)
{
    static _Alignas(LINE) uint8_t destination[LONGEST];
    jz_utf8 state = {0};
    uint8_t *plain = text->plain + text->begin;
    if (way == 0)
        return jz_unmask_text(&state, plain, plain, text->length, no_key, 0) && jz_utf8_is_complete(&state);
    if (way == 1)
        return jz_unmask_text(&state, destination, text->masked + text->begin, text->length, key, 0) &&
               jz_utf8_is_complete(&state);
    return jz_utf8_is_valid(plain, text->length);
}

enum { WAYS = 3 };

/* Some bytes of a text that is right are replaced for a moment, with ASCII around them up to whole characters. */
static void check_sequence(text *text, size_t script, size_t position, const uint8_t sequence[LONGEST_SEQUENCE],
                           size_t way)
{
    uint8_t saved[3 * LONGEST_SEQUENCE];
    size_t size = strlen(characters[script]);
    size_t first = position / size * size;
    size_t end = (position + LONGEST_SEQUENCE + size - 1) / size * size;
    memcpy(saved, text->plain + text->begin + first, end - first);
    for (size_t i = first; i < end; i++)
        set(text, i, 'a');
    for (size_t i = 0; i < LONGEST_SEQUENCE; i++)
        set(text, position + i, sequence[i]);
    bool is_valid = is_valid_in_portable_way(text->plain + text->begin + first, end - first);
    assert_that(is_valid_in_way(text, way) == is_valid, "%02x %02x %02x %02x at %zu, way %zu, script %zu", sequence[0],
                sequence[1], sequence[2], sequence[3], position, way, script);
    for (size_t i = first; i < end; i++)
        set(text, i, saved[i - first]);
}

/* Lines are where blocks end, and some of them where parts do. */
static void every_kind_of_sequence_is_judged_alike_across_the_ends_of_lines(void **state)
{
    (void)state;
    if (jz_vectors_in_use() == JZ_VECTORS_PORTABLE)
        return; /* it knows no lines, and is what the others are compared with */
    static text text;
    static const uint8_t last[] = {'a', 0x80, 0xBF, 0xC3};
    test_random random = {3629};
    text.length = LENGTH;
    for (size_t script = 0; script < COUNT_OF(characters); script++) {
        text.begin = test_random_below(&random, LINE);
        fill(&text, script);
        for (size_t i = 0; i < COUNT_OF(kinds) * COUNT_OF(kinds) * COUNT_OF(kinds); i++) {
            const uint8_t sequence[LONGEST_SEQUENCE] = {kinds[i % 24], kinds[i / 24 % 24], kinds[i / 24 / 24],
                                                        last[test_random_below(&random, COUNT_OF(last))]};
            for (size_t before = 0; before <= LONGEST_SEQUENCE; before++) {
                size_t line = (1 + test_random_below(&random, LENGTH / LINE - 2)) * LINE;
                check_sequence(&text, script, line - text.begin + LINE - before, sequence,
                               test_random_below(&random, WAYS));
            }
        }
    }
}

/* Before that one there may be another way of checking than behind it, at one of them. */
static void every_kind_of_pair_is_judged_alike_across_the_end_of_each_line(void **state)
{
    (void)state;
    if (jz_vectors_in_use() == JZ_VECTORS_PORTABLE)
        return; /* it knows no lines, and is what the others are compared with */
    static text text;
    text.length = LENGTH;
    for (size_t script = 1; script < COUNT_OF(characters); script++) {
        text.begin = script;
        fill(&text, script);
        for (size_t i = 0; i < COUNT_OF(kinds) * COUNT_OF(kinds); i++) {
            const uint8_t sequence[LONGEST_SEQUENCE] = {'a', kinds[i / COUNT_OF(kinds)], kinds[i % COUNT_OF(kinds)],
                                                        'a'};
            for (size_t line = 2; line < LENGTH / LINE; line++) {
                size_t way = (i + line) % WAYS;
                /* Where the unmasked text is: copies begin at a line. */
                size_t end = line * LINE - (way == 1 ? 0 : text.begin);
                check_sequence(&text, script, end - 2, sequence, way);
                check_sequence(&text, script, end - 3, sequence, way);
            }
        }
    }
}

/* Tables have an entry for each byte, of which those above are but a few. */
static void every_pair_of_bytes_is_judged_alike_whatever_follows(void **state)
{
    (void)state;
    if (jz_vectors_in_use() == JZ_VECTORS_PORTABLE)
        return; /* it has no such tables, and is what the others are compared with */
    static text text;
    static const uint8_t rests[][2] = {{'a', 'a'}, {0x80, 'a'}, {0x80, 0x80}};
    test_random random = {256};
    text.length = LENGTH;
    for (size_t script = 0; script < COUNT_OF(characters); script++) {
        text.begin = test_random_below(&random, LINE);
        fill(&text, script);
        for (size_t i = 0; i < COUNT_OF(rests) << 16; i++) {
            const uint8_t *rest = rests[i >> 16];
            const uint8_t sequence[LONGEST_SEQUENCE] = {(uint8_t)(i >> 8), (uint8_t)i, rest[0], rest[1]};
            size_t position = LINE + test_random_below(&random, LENGTH - 2 * LINE);
            check_sequence(&text, script, position, sequence, test_random_below(&random, WAYS));
        }
    }
}

/* One script, now and then a character of another one, and every second time a byte that may well be wrong. */
static void fill_mostly(text *text, test_random *random, size_t script, bool is_changed)
{
    const size_t seldom = 1 + test_random_below(random, 3000);
    size_t position = 0;
    while (position + LONGEST_SEQUENCE <= text->length) {
        bool is_other = test_random_below(random, seldom) == 0;
        size_t chosen = is_other ? test_random_below(random, COUNT_OF(characters)) : script;
        position = put(text, position, characters[chosen]);
    }
    while (position < text->length)
        set(text, position++, '.');
    if (is_changed)
        set(text, test_random_below(random, text->length), kinds[test_random_below(random, COUNT_OF(kinds))]);
}

static void texts_mostly_of_one_script_are_judged_alike(void **state)
{
    (void)state;
    static text text;
    test_random random = {6455};
    for (size_t i = 0; i < 1200; i++) {
        text.begin = test_random_below(&random, LINE);
        text.length = 4000 + test_random_below(&random, LONGEST - 4000);
        fill_mostly(&text, &random, i % COUNT_OF(characters), i / COUNT_OF(characters) % 2 != 0);
        bool is_valid = is_valid_in_portable_way(text.plain + text.begin, text.length);
        for (size_t way = 0; way < WAYS; way++)
            assert_that(is_valid_in_way(&text, way) == is_valid, "text %zu, way %zu", i, way);
    }
}

/* Short characters, one or two bytes each, so that lines end anywhere in them, and now and then a long one. */
static void fill_mostly_short(text *text, test_random *random, bool is_changed)
{
    const size_t seldom = 500 + test_random_below(random, 8000);
    size_t position = 0;
    while (position + LONGEST_SEQUENCE <= text->length) {
        size_t shortest = test_random_below(random, seldom) == 0 ? 2 : 0;
        position = put(text, position, characters[shortest + test_random_below(random, 2)]);
    }
    while (position < text->length)
        set(text, position++, '.');
    if (is_changed)
        set(text, test_random_below(random, text->length), kinds[test_random_below(random, COUNT_OF(kinds))]);
}

/* What was known of the text when the last one of them was seen is no longer true at the next one. */
static void long_characters_are_judged_alike_where_they_are_seldom(void **state)
{
    (void)state;
    static text text;
    test_random random = {512};
    for (size_t i = 0; i < 300; i++) {
        text.begin = test_random_below(&random, LINE);
        text.length = LONGEST / 2 + test_random_below(&random, LONGEST / 2);
        fill_mostly_short(&text, &random, i % 2 != 0);
        bool is_valid = is_valid_in_portable_way(text.plain + text.begin, text.length);
        for (size_t way = 0; way < WAYS; way++)
            assert_that(is_valid_in_way(&text, way) == is_valid, "text %zu, way %zu", i, way);
    }
}

/* Nothing may be taken for granted because nothing was wrong so far. */
static void a_wrong_byte_is_found_in_every_place(void **state)
{
    (void)state;
    static const uint8_t wrong[] = {0x80, 0xC0, 0xC3, 0xE4, 0xED, 0xF0, 0xF5, 0xFF};
    static text text;
    test_random random = {64};
    text.length = LENGTH;
    for (size_t script = 0; script < COUNT_OF(characters); script++) {
        text.begin = test_random_below(&random, LINE);
        fill(&text, script);
        for (size_t position = 0; position < LENGTH; position++) {
            uint8_t right = text.plain[text.begin + position];
            for (size_t i = 0; i < COUNT_OF(wrong); i++) {
                set(&text, position, wrong[i]);
                assert_that(!is_valid_in_way(&text, (position + i) % WAYS) ||
                                is_valid_in_portable_way(text.plain + text.begin, LENGTH),
                            "%02x instead of %02x at %zu", wrong[i], right, position);
            }
            set(&text, position, right);
        }
    }
}

/* The first lines are no ASCII, and all others are, but for one character at the end of a line, with or without its
 * end. */
static void a_character_at_the_end_of_a_line_is_judged_alike_where_only_ascii_follows(void **state)
{
    (void)state;
    enum { FIRST_LINES = 20 };
    static text text;
    text.length = LENGTH;
    for (size_t script = 1; script < COUNT_OF(characters); script++) {
        fill(&text, script);
        for (size_t i = FIRST_LINES * LINE / 12 * 12; i < LENGTH; i++)
            set(&text, i, 'a');
        for (size_t line = FIRST_LINES + 2; line < LENGTH / LINE; line++) {
            for (size_t other = 1; other < COUNT_OF(characters); other++) {
                size_t size = strlen(characters[other]);
                for (size_t length = 1; length <= size; length++) {
                    for (size_t i = 0; i < length; i++)
                        set(&text, line * LINE - length + i, (uint8_t)characters[other][i]);
                    for (size_t way = 0; way < WAYS; way++)
                        assert_that(is_valid_in_way(&text, way) == (length == size), "%zu of %zu bytes, line %zu",
                                    length, size, line);
                    for (size_t i = 0; i < length; i++)
                        set(&text, line * LINE - length + i, 'a');
                }
            }
        }
    }
}

/* At the beginning of a line there is all that is no ASCII in it: the end of a character. */
static void a_character_across_the_end_of_a_line_is_right_where_all_else_is_ascii(void **state)
{
    (void)state;
    static text text;
    text.length = LENGTH;
    fill(&text, 1);
    for (size_t i = 20 * LINE; i < LENGTH; i++)
        set(&text, i, 'a');
    for (size_t line = 21; line < LENGTH / LINE; line++) {
        for (size_t script = 1; script < COUNT_OF(characters); script++) {
            size_t size = strlen(characters[script]);
            for (size_t before = 1; before < size; before++) {
                put(&text, line * LINE - before, characters[script]);
                for (size_t way = 0; way < WAYS; way++)
                    assert_that(is_valid_in_way(&text, way), "%zu of %zu bytes before line %zu", before, size, line);
                for (size_t i = 0; i < size; i++)
                    set(&text, line * LINE - before + i, 'a');
            }
        }
    }
}

static int run(const char *vectors)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_of_sequence_is_judged_alike_across_the_ends_of_lines),
        cmocka_unit_test(every_kind_of_pair_is_judged_alike_across_the_end_of_each_line),
        cmocka_unit_test(every_pair_of_bytes_is_judged_alike_whatever_follows),
        cmocka_unit_test(texts_mostly_of_one_script_are_judged_alike),
        cmocka_unit_test(long_characters_are_judged_alike_where_they_are_seldom),
        cmocka_unit_test(a_wrong_byte_is_found_in_every_place),
        cmocka_unit_test(a_character_at_the_end_of_a_line_is_judged_alike_where_only_ascii_follows),
        cmocka_unit_test(a_character_across_the_end_of_a_line_is_right_where_all_else_is_ascii),
    };
    return cmocka_run_group_tests_name(vectors, tests, NULL, NULL);
}

int main(void)
{
    return EXIT_STATUS_OF(test_with_each_vectors(run));
}
