#include "codec/utf8.h"

#include "support/random.h"
#include "support/testing.h"
#include "support/vectors.h"

/*
 * The reference knows nothing but how RFC 3629 §3 encodes a code point: a sequence is a character if it is the encoding
 * of some code point, and it can still become one if it is the start of such an encoding.
 */
static bool begins_character[1u << 24]; /* indexed by index_of a beginning of one to three bytes */

static size_t encode(uint32_t code_point, uint8_t bytes[4])
{
    if (code_point > 0x10FFFF || (code_point >= 0xD800 && code_point <= 0xDFFF))
        return 0;
    if (code_point < 0x80) {
        bytes[0] = (uint8_t)code_point;
        return 1;
    }
    size_t length = code_point < 0x800 ? 2 : code_point < 0x10000 ? 3 : 4;
    static const uint8_t leads[] = {0, 0, 0xC0, 0xE0, 0xF0};
    for (size_t i = length - 1; i > 0; i--) {
        bytes[i] = (uint8_t)(0x80 | (code_point & 0x3F));
        code_point >>= 6;
    }
    bytes[0] = (uint8_t)(leads[length] | code_point);
    return length;
}

/* Beginnings of different lengths share no index: none of them begins with zero. */
static size_t index_of(const uint8_t *bytes, size_t length)
{
    size_t index = 0;
    for (size_t i = 0; i < length; i++)
        index = index << 8 | bytes[i];
    return index;
}

static int fill_in_beginnings(void **state)
{
    (void)state;
    for (uint32_t code_point = 0; code_point <= 0x10FFFF; code_point++) {
        uint8_t bytes[4];
        size_t length = encode(code_point, bytes);
        for (size_t prefix = 1; prefix < length; prefix++)
            begins_character[index_of(bytes, prefix)] = true;
    }
    return 0;
}

static bool is_character(const uint8_t *bytes, size_t length)
{
    static const uint8_t lead_bits[] = {0, 0x7F, 0x1F, 0x0F, 0x07};
    uint32_t code_point = bytes[0] & lead_bits[length];
    for (size_t i = 1; i < length; i++)
        code_point = code_point << 6 | (bytes[i] & 0x3F);
    uint8_t encoded[4];
    return encode(code_point, encoded) == length && memcmp(encoded, bytes, length) == 0;
}

typedef struct verdict {
    size_t impossible_at; /* the first byte that no text has here; the length where there is none */
    bool is_complete;
} verdict;

static verdict reference(const uint8_t *bytes, size_t length)
{
    size_t start = 0;
    for (size_t end = 1; end <= length; end++) {
        if (is_character(bytes + start, end - start))
            start = end;
        else if (end - start > 3 || !begins_character[index_of(bytes + start, end - start)])
            return (verdict){end - 1, false};
    }
    return (verdict){length, start == length};
}

static verdict fed_byte_by_byte(const uint8_t *bytes, size_t length)
{
    jz_utf8 utf8 = {0};
    for (size_t i = 0; i < length; i++) {
        if (!jz_utf8_feed(&utf8, bytes + i, 1))
            return (verdict){i, false};
    }
    return (verdict){length, jz_utf8_is_complete(&utf8)};
}

static bool is_valid_in_two_parts(const uint8_t *bytes, size_t length, size_t split)
{
    jz_utf8 utf8 = {0};
    return jz_utf8_feed(&utf8, bytes, split) && jz_utf8_feed(&utf8, bytes + split, length - split) &&
           jz_utf8_is_complete(&utf8);
}

static void check_against_reference(const uint8_t *bytes, size_t length)
{
    verdict expected = reference(bytes, length);
    verdict found = fed_byte_by_byte(bytes, length);
    assert_that(found.impossible_at == expected.impossible_at && found.is_complete == expected.is_complete,
                "refused at byte %zu instead of %zu of %zu: %02x %02x %02x %02x …", found.impossible_at,
                expected.impossible_at, length, bytes[0], bytes[1], bytes[2], bytes[3]);
    assert_int_equal(jz_utf8_is_valid(bytes, length), expected.is_complete);
}

static void every_code_point_is_valid_whole_and_split_anywhere(void **state)
{
    (void)state;
    for (uint32_t code_point = 0; code_point <= 0x10FFFF; code_point++) {
        uint8_t bytes[4];
        size_t length = encode(code_point, bytes);
        if (length == 0)
            continue; /* surrogates: see below */
        for (size_t split = 0; split <= length; split++)
            assert_that(is_valid_in_two_parts(bytes, length, split), "U+%04X split at %zu", code_point, split);
        for (size_t cut = 1; cut < length; cut++)
            assert_that(!jz_utf8_is_valid(bytes, cut), "U+%04X cut to %zu bytes", code_point, cut);
    }
}

static void every_sequence_of_three_bytes_is_judged_as_the_reference_does(void **state)
{
    (void)state;
    for (uint32_t sequence = 0; sequence < 1u << 24; sequence++) {
        uint8_t bytes[4] = {(uint8_t)(sequence >> 16), (uint8_t)(sequence >> 8), (uint8_t)sequence, 0};
        check_against_reference(bytes, 3);
    }
}

static void every_border_of_four_byte_sequences_is_judged_as_the_reference_does(void **state)
{
    (void)state;
    static const uint8_t borders[] = {0x00, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xFF};
    for (unsigned lead = 0xE0; lead <= 0xFF; lead++) {
        for (unsigned second = 0; second <= 0xFF; second++) {
            for (size_t third = 0; third < COUNT_OF(borders); third++) {
                for (size_t fourth = 0; fourth < COUNT_OF(borders); fourth++) {
                    uint8_t bytes[] = {(uint8_t)lead, (uint8_t)second, borders[third], borders[fourth]};
                    check_against_reference(bytes, sizeof bytes);
                }
            }
        }
    }
}

typedef struct impossible_text {
    const char *name;
    const char *text;
    size_t impossible_at;
} impossible_text;

static const impossible_text impossible_texts[] = {
    {"a stray continuation byte", "a\x80", 1},
    {"a continuation byte too many", "\xC3\xA9\xA9", 2},
    {"a missing continuation byte",
     "\xE2\x82"
     "a",
     2},
    {"a character within a character", "\xE2\xC3\xA9", 1},
    {"an overlong NUL", "\xC0\x80", 0},
    {"an overlong slash of two bytes", "\xC0\xAF", 0},
    {"the last overlong form of two bytes", "\xC1\xBF", 0},
    {"an overlong slash of three bytes", "\xE0\x80\xAF", 1},
    {"the last overlong form of three bytes", "\xE0\x9F\xBF", 1},
    {"an overlong slash of four bytes", "\xF0\x80\x80\xAF", 1},
    {"the last overlong form of four bytes", "\xF0\x8F\xBF\xBF", 1},
    {"the first surrogate", "\xED\xA0\x80", 1},
    {"the last surrogate", "\xED\xBF\xBF", 1},
    {"a pair of surrogates", "\xED\xA0\xBD\xED\xB8\x80", 1},
    {"U+110000", "\xF4\x90\x80\x80", 1},
    {"a lead byte far beyond U+10FFFF", "\xF5\x80\x80\x80", 0},
    {"the old form of five bytes", "\xF8\x88\x80\x80\x80", 0},
    {"the old form of six bytes", "\xFC\x84\x80\x80\x80\x80", 0},
    {"the byte FE", "\xFE", 0},
    {"the byte FF", "\xFF", 0},
};

static void impossible_texts_are_refused_at_their_first_impossible_byte(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(impossible_texts); i++) {
        const impossible_text *row = &impossible_texts[i];
        const uint8_t *bytes = (const uint8_t *)row->text;
        size_t length = strlen(row->text);
        assert_that(fed_byte_by_byte(bytes, length).impossible_at == row->impossible_at, "%s", row->name);
        for (size_t split = 0; split <= length; split++)
            assert_that(!is_valid_in_two_parts(bytes, length, split), "%s, split at %zu", row->name, split);
        jz_utf8 utf8 = {0};
        assert_that(jz_utf8_feed(&utf8, bytes, row->impossible_at), "%s: refused too early", row->name);
    }
}

/* Whole words of ASCII are skipped at once: no character may hide in them, wherever it stands. */
static void one_bad_byte_is_found_anywhere_in_a_long_ascii_text(void **state)
{
    (void)state;
    enum { LENGTH = 100, ALIGNMENTS = 8 };
    for (size_t alignment = 0; alignment < ALIGNMENTS; alignment++) {
        _Alignas(8) uint8_t bytes[ALIGNMENTS + LENGTH];
        memset(bytes, 'a', sizeof bytes);
        assert_true(jz_utf8_is_valid(bytes + alignment, LENGTH));
        for (size_t position = 0; position < LENGTH; position++) {
            bytes[alignment + position] = 0xFF;
            assert_that(!jz_utf8_is_valid(bytes + alignment, LENGTH), "position %zu", position);
            assert_that(jz_utf8_is_valid(bytes + alignment, position), "position %zu", position);
            bytes[alignment + position] = 'a';
        }
    }
}

/* Mostly characters, of every length, with a broken one or a piece of one now and then. */
static size_t random_text(test_random *random, uint8_t *bytes, size_t capacity)
{
    size_t length = 0;
    while (capacity - length >= 4) {
        size_t choice = test_random_below(random, 40);
        if (choice == 0) {
            bytes[length++] = (uint8_t)test_random_next(random);
            continue;
        }
        static const uint32_t bounds[] = {0x80, 0x800, 0x10000, 0x110000};
        uint8_t character[4];
        size_t count = encode((uint32_t)test_random_below(random, bounds[choice % 4]), character);
        if (choice == 1 && count > 1)
            count--;
        memcpy(bytes + length, character, count);
        length += count;
    }
    return length;
}

static void random_texts_are_judged_as_the_reference_does_at_every_split(void **state)
{
    (void)state;
    test_random random = {3629};
    size_t valid = 0;
    for (size_t round = 0; round < 5000; round++) {
        uint8_t bytes[80];
        size_t length = random_text(&random, bytes, 4 + test_random_below(&random, sizeof bytes - 3));
        check_against_reference(bytes, length);
        bool is_valid = reference(bytes, length).is_complete;
        valid += is_valid;
        for (size_t split = 0; split <= length; split++)
            assert_that(is_valid_in_two_parts(bytes, length, split) == is_valid, "round %zu, split %zu", round, split);
    }
    assert_in_range(valid, 500, 4500); /* both sorts are many, or this test says little */
}

static void random_bytes_are_judged_as_the_reference_does(void **state)
{
    (void)state;
    test_random random = {6455};
    for (size_t round = 0; round < 20000; round++) {
        uint8_t bytes[16];
        for (size_t i = 0; i < sizeof bytes; i++)
            bytes[i] = (uint8_t)test_random_next(&random);
        check_against_reference(bytes, sizeof bytes);
    }
}

static void an_empty_text_is_valid(void **state)
{
    (void)state;
    assert_true(jz_utf8_is_valid(NULL, 0));
}

static int run(const char *vectors)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_code_point_is_valid_whole_and_split_anywhere),
        cmocka_unit_test(every_sequence_of_three_bytes_is_judged_as_the_reference_does),
        cmocka_unit_test(every_border_of_four_byte_sequences_is_judged_as_the_reference_does),
        cmocka_unit_test(impossible_texts_are_refused_at_their_first_impossible_byte),
        cmocka_unit_test(one_bad_byte_is_found_anywhere_in_a_long_ascii_text),
        cmocka_unit_test(random_texts_are_judged_as_the_reference_does_at_every_split),
        cmocka_unit_test(random_bytes_are_judged_as_the_reference_does),
        cmocka_unit_test(an_empty_text_is_valid),
    };
    return cmocka_run_group_tests_name(vectors, tests, fill_in_beginnings, NULL);
}

int main(void)
{
    return EXIT_STATUS_OF(test_with_each_vectors(run));
}
