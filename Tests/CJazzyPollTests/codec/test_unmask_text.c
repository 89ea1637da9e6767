/* Unmasking and checking in one pass, against the plain way: unmask byte by byte, then check byte by byte. */
#include "codec/unmask_text.h"

#include "codec/text_blocks.h"
#include "support/random.h"
#include "support/testing.h"
#include "support/vectors.h"

/* Blocks are taken up to four at a time: some fours, and some single ones after them. */
enum { MAX_LENGTH = 10 * JZ_TEXT_BLOCK + 5, GUARD = 0xEE, GUARDS = 16 };

static const uint8_t key[4] = {0x37, 0xFA, 0x21, 0x3D};

static const char *const characters[] = {"a", "\xC3\xA9", "\xE4\xB8\xAD", "\xF0\x9F\x9A\x80"};

/* Characters next to forbidden ones: U+0080, U+07FF, U+0800, U+D7FF, U+E000, U+FFFF, U+10000, U+10FFFF. */
static const char *const edges[] = {"\xC2\x80",     "\xDF\xBF",     "\xE0\xA0\x80",     "\xED\x9F\xBF",
                                    "\xEE\x80\x80", "\xEF\xBF\xBF", "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF"};

/* A text of characters of up to `longest` bytes. */
static void fill_text(test_random *random, uint8_t *text, size_t length, size_t longest)
{
    size_t position = 0;
    while (position < length) {
        size_t choice = test_random_below(random, longest);
        size_t count = choice + 1;
        if (count > length - position)
            choice = 0, count = 1;
        memcpy(text + position, characters[choice], count);
        position += count;
    }
}

typedef struct outcome {
    bool is_possible;
    jz_utf8 state;
} outcome;

static bool is_same(outcome a, outcome b)
{
    if (a.is_possible != b.is_possible || !a.is_possible)
        return a.is_possible == b.is_possible;
    return a.state.pending == b.state.pending &&
           (a.state.pending == 0 || (a.state.lowest == b.state.lowest && a.state.highest == b.state.highest));
}

static outcome checked_byte_by_byte(jz_utf8 state, const uint8_t *text, size_t length)
{
    outcome result = {true, state};
    for (size_t i = 0; i < length && result.is_possible; i++)
        result.is_possible = jz_utf8_feed(&result.state, text + i, 1);
    return result;
}

static void mask_text(uint8_t *masked, const uint8_t *text, size_t length, size_t offset)
{
    for (size_t i = 0; i < length; i++)
        masked[i] = text[i] ^ key[(offset + i) & 3];
}

/* In place or not, from `offset` of the payload on, going on from `state`. */
static outcome unmasked(jz_utf8 state, const uint8_t *text, size_t length, size_t offset, bool is_in_place)
{
    uint8_t source[MAX_LENGTH] = {0};
    uint8_t destination[MAX_LENGTH + GUARDS];
    mask_text(source, text, length, offset);
    memset(destination, GUARD, sizeof destination);
    if (is_in_place)
        memcpy(destination, source, length);
    outcome result = {true, state};
    result.is_possible =
        jz_unmask_text(&result.state, destination, is_in_place ? destination : source, length, key, offset);
    if (result.is_possible)
        assert_that(length == 0 || memcmp(destination, text, length) == 0, "unmasked %zu bytes wrongly", length);
    for (size_t i = 0; i < GUARDS; i++)
        assert_that(destination[length + i] == GUARD, "wrote behind %zu bytes", length);
    return result;
}

static void check(const uint8_t *text, size_t length, size_t offset, const char *what)
{
    outcome expected = checked_byte_by_byte((jz_utf8){0}, text, length);
    for (int is_in_place = 0; is_in_place < 2; is_in_place++)
        assert_that(is_same(unmasked((jz_utf8){0}, text, length, offset, is_in_place != 0), expected),
                    "%s: %zu bytes, offset %zu", what, length, offset);
    jz_utf8 state = {0};
    bool is_possible = jz_utf8_feed(&state, text, length);
    assert_that(is_same((outcome){is_possible, state}, expected), "%s: %zu bytes, not masked", what, length);
}

static void texts_of_every_length_are_taken_as_byte_by_byte(void **state)
{
    (void)state;
    test_random random = {1};
    uint8_t text[MAX_LENGTH];
    for (size_t longest = 1; longest <= 4; longest++) {
        for (size_t length = 0; length <= MAX_LENGTH; length++) {
            fill_text(&random, text, length, longest);
            check(text, length, length & 3, "whole");
        }
    }
}

static void a_text_goes_on_after_every_cut(void **state)
{
    (void)state;
    test_random random = {2};
    uint8_t text[MAX_LENGTH];
    for (size_t longest = 1; longest <= 4; longest++) {
        fill_text(&random, text, sizeof text, longest);
        for (size_t cut = 0; cut <= sizeof text; cut++) {
            outcome first = unmasked((jz_utf8){0}, text, cut, 0, true);
            assert_that(is_same(first, checked_byte_by_byte((jz_utf8){0}, text, cut)), "first part of %zu", cut);
            outcome second = unmasked(first.state, text + cut, sizeof text - cut, cut, true);
            assert_that(second.is_possible && jz_utf8_is_complete(&second.state), "cut at %zu", cut);
        }
    }
}

static const char *some_character(test_random *random, size_t script)
{
    return script < COUNT_OF(characters) ? characters[script] : edges[test_random_below(random, COUNT_OF(edges))];
}

/* As fill_text, but the script changes after up to some blocks. */
static void fill_changing_text(test_random *random, uint8_t *text, size_t length)
{
    enum { LONGEST_STRETCH = 3 * JZ_TEXT_BLOCK };
    memset(text, 'a', length);
    for (size_t position = 0; position + 4 <= length;) {
        size_t script = test_random_below(random, COUNT_OF(characters) + 1);
        size_t end = position + test_random_below(random, LONGEST_STRETCH);
        while (position < end && position + 4 <= length) {
            const char *character = some_character(random, script);
            memcpy(text + position, character, strlen(character));
            position += strlen(character);
        }
    }
}

static void texts_that_change_their_script_are_taken_as_byte_by_byte(void **state)
{
    (void)state;
    test_random random = {4};
    uint8_t text[MAX_LENGTH];
    for (int i = 0; i < 1000; i++) {
        fill_changing_text(&random, text, sizeof text);
        check(text, sizeof text, 0, "scripts change");
        text[test_random_below(&random, sizeof text)] = (uint8_t)test_random_below(&random, 256);
        check(text, sizeof text, 0, "scripts change, and a byte");
        text[test_random_below(&random, sizeof text)] ^= (uint8_t)(1u << test_random_below(&random, 8));
        check(text, sizeof text, 0, "scripts change, and a byte and a bit");
    }
}

/* Where a byte may well be overlooked: near the beginning, near the end, or anywhere. */
static size_t some_position(test_random *random, size_t length)
{
    enum { NEAR = 2 * JZ_TEXT_BLOCK };
    size_t near = test_random_below(random, NEAR);
    switch (test_random_below(random, 3)) {
    case 0:
        return near;
    case 1:
        return length - 1 - near;
    default:
        return test_random_below(random, length);
    }
}

enum { SPREAD = 400, LONGEST = 16384 + SPREAD };

/* Begins at each byte of a cache line, so many times; every second time with some wrong byte. */
static void check_everywhere(test_random *random, size_t shortest, size_t rounds)
{
    static _Alignas(JZ_TEXT_BLOCK) uint8_t bytes[JZ_TEXT_BLOCK + LONGEST + GUARDS];
    static uint8_t text[LONGEST];
    for (size_t i = 0; i < rounds * JZ_TEXT_BLOCK; i++) {
        size_t begin = i % JZ_TEXT_BLOCK;
        size_t length = shortest + test_random_below(random, SPREAD + 1);
        size_t offset = test_random_below(random, 4);
        fill_changing_text(random, text, length);
        if (i / JZ_TEXT_BLOCK % 2 != 0)
            text[some_position(random, length)] = (uint8_t)test_random_below(random, 256);
        memset(bytes, GUARD, sizeof bytes);
        mask_text(bytes + begin, text, length, offset);
        outcome result = {true, {0}};
        result.is_possible = jz_unmask_text(&result.state, bytes + begin, bytes + begin, length, key, offset);
        assert_that(is_same(result, checked_byte_by_byte((jz_utf8){0}, text, length)), "%zu bytes from %zu", length,
                    begin);
        if (result.is_possible)
            assert_memory_equal(bytes + begin, text, length);
        for (size_t k = 0; k < sizeof bytes; k++)
            assert_that(bytes[k] == GUARD || (k >= begin && k < begin + length), "wrote at %zu, from %zu", k, begin);
    }
}

/* Long texts are processed in whole cache lines; they cover only a part of the first and of the last. */
static void long_texts_are_taken_wherever_they_begin(void **state)
{
    (void)state;
    test_random random = {5};
    check_everywhere(&random, 2000, 32);
    check_everywhere(&random, LONGEST - SPREAD, 4);
}

/* Also at the ends of blocks, and where a block of ASCII follows one that ends within a character. */
static void every_wrong_byte_is_found_wherever_it_stands(void **state)
{
    (void)state;
    static const uint8_t wrong[] = {0x00, 'a',  0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xC1, 0xC2, 0xDF,
                                    0xE0, 0xE1, 0xED, 0xEF, 0xF0, 0xF1, 0xF4, 0xF5, 0xF8, 0xFE, 0xFF};
    test_random random = {3};
    for (size_t longest = 1; longest <= 4; longest++) {
        uint8_t text[6 * JZ_TEXT_BLOCK + 5];
        fill_text(&random, text, sizeof text, longest);
        for (size_t position = 0; position < sizeof text; position++) {
            for (size_t i = 0; i < COUNT_OF(wrong); i++) {
                uint8_t right = text[position];
                text[position] = wrong[i];
                check(text, sizeof text, 0, "one byte changed");
                text[position] = right;
            }
        }
    }
}

static void a_character_that_ascii_cuts_is_refused_wherever_blocks_end(void **state)
{
    (void)state;
    uint8_t text[MAX_LENGTH];
    for (size_t script = 1; script < COUNT_OF(characters); script++) {
        for (size_t length = 1; length < strlen(characters[script]); length++) {
            for (size_t end = length; end < sizeof text; end++) {
                memset(text, 'a', sizeof text);
                memcpy(text + end - length, characters[script], length);
                check(text, sizeof text, 0, "cut by ASCII");
            }
        }
    }
}

static void every_pair_of_bytes_is_judged_alike_across_the_ends_of_blocks(void **state)
{
    (void)state;
    static const size_t places[] = {14, 15, 30, 31, 62, 63, 64, 126, 127, 255, 319};
    for (size_t i = 0; i < COUNT_OF(places); i++) {
        uint8_t text[6 * JZ_TEXT_BLOCK];
        /* Short texts are processed in other steps. */
        size_t length = places[i] < 2 * JZ_TEXT_BLOCK ? 2 * JZ_TEXT_BLOCK + 20 : sizeof text;
        memset(text, 'a', length);
        for (unsigned pair = 0; pair < 1u << 16; pair += 1 + (pair & 3)) {
            text[places[i]] = (uint8_t)(pair >> 8);
            text[places[i] + 1] = (uint8_t)pair;
            text[places[i] + 2] = 0x80 | (pair & 0x3F);
            check(text, length, 1, "a pair");
        }
    }
}

static int run(const char *vectors)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_of_every_length_are_taken_as_byte_by_byte),
        cmocka_unit_test(a_text_goes_on_after_every_cut),
        cmocka_unit_test(texts_that_change_their_script_are_taken_as_byte_by_byte),
        cmocka_unit_test(long_texts_are_taken_wherever_they_begin),
        cmocka_unit_test(every_wrong_byte_is_found_wherever_it_stands),
        cmocka_unit_test(a_character_that_ascii_cuts_is_refused_wherever_blocks_end),
        cmocka_unit_test(every_pair_of_bytes_is_judged_alike_across_the_ends_of_blocks),
    };
    return cmocka_run_group_tests_name(vectors, tests, NULL, NULL);
}

int main(void)
{
    return EXIT_STATUS_OF(test_with_each_vectors(run));
}
