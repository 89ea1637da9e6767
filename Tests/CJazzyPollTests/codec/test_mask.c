#include "codec/mask.h"

#include "support/testing.h"
#include "support/vectors.h"

enum { MAX_LENGTH = 400, MAX_ALIGNMENT = 8, MAX_OFFSET = 8, GUARD = 0xEE };

static const uint8_t key[4] = {0x37, 0xFA, 0x21, 0x3D};

static uint8_t plain_byte(size_t index)
{
    return (uint8_t)(index * 31 + 7);
}

/* RFC 6455 §5.3, to the letter. */
static uint8_t masked_byte(size_t index, size_t offset)
{
    return (uint8_t)(plain_byte(index) ^ key[(index + offset) % 4]);
}

static void check_masked(const uint8_t *bytes, size_t alignment, size_t length, size_t offset)
{
    for (size_t i = 0; i < alignment; i++)
        assert_that(bytes[i] == GUARD, "wrote %zu bytes before the destination", alignment - i);
    for (size_t i = 0; i < length; i++)
        assert_that(bytes[alignment + i] == masked_byte(i, offset), "byte %zu of %zu, offset %zu, alignment %zu", i,
                    length, offset, alignment);
    for (size_t i = alignment + length; i < MAX_ALIGNMENT + MAX_LENGTH; i++)
        assert_that(bytes[i] == GUARD, "wrote behind the destination: length %zu, alignment %zu", length, alignment);
}

static void masks_in_place_at_every_length_offset_and_alignment(void **state)
{
    (void)state;
    _Alignas(8) uint8_t bytes[MAX_ALIGNMENT + MAX_LENGTH];
    for (size_t alignment = 0; alignment < MAX_ALIGNMENT; alignment++) {
        for (size_t offset = 0; offset < MAX_OFFSET; offset++) {
            for (size_t length = 0; length <= MAX_LENGTH; length++) {
                memset(bytes, GUARD, sizeof bytes);
                for (size_t i = 0; i < length; i++)
                    bytes[alignment + i] = plain_byte(i);
                jz_mask(bytes + alignment, bytes + alignment, length, key, offset);
                check_masked(bytes, alignment, length, offset);
            }
        }
    }
}

static void copies_between_all_alignments_and_leaves_the_source_alone(void **state)
{
    (void)state;
    _Alignas(8) uint8_t source[MAX_ALIGNMENT + MAX_LENGTH];
    _Alignas(8) uint8_t destination[MAX_ALIGNMENT + MAX_LENGTH];
    for (size_t from = 0; from < MAX_ALIGNMENT; from++) {
        for (size_t i = 0; i < MAX_LENGTH; i++)
            source[from + i] = plain_byte(i);
        for (size_t to = 0; to < MAX_ALIGNMENT; to++) {
            for (size_t length = 0; length <= MAX_LENGTH; length++) {
                size_t offset = length % MAX_OFFSET;
                memset(destination, GUARD, sizeof destination);
                jz_mask(destination + to, source + from, length, key, offset);
                check_masked(destination, to, length, offset);
            }
        }
        for (size_t i = 0; i < MAX_LENGTH; i++)
            assert_int_equal(source[from + i], plain_byte(i));
    }
}

/* Large ones are taken from an aligned address on. */
static void masks_large_payloads_wherever_they_begin(void **state)
{
    (void)state;
    enum { LARGE = 5000, SHORTEST = 4090, MAX_BEGIN = 64 };
    _Alignas(64) uint8_t bytes[MAX_BEGIN + LARGE + 1];
    for (size_t begin = 1; begin <= MAX_BEGIN; begin++) {
        for (size_t length = SHORTEST; length <= LARGE; length += 13) {
            size_t offset = length % MAX_OFFSET;
            memset(bytes, GUARD, sizeof bytes);
            for (size_t i = 0; i < length; i++)
                bytes[begin + i] = plain_byte(i);
            jz_mask(bytes + begin, bytes + begin, length, key, offset);
            for (size_t i = 0; i < length; i++)
                assert_that(bytes[begin + i] == masked_byte(i, offset), "byte %zu of %zu, from %zu", i, length, begin);
            assert_true(bytes[begin - 1] == GUARD && bytes[begin + length] == GUARD);
        }
    }
}

static void a_payload_masked_in_two_parts_is_the_payload_masked_at_once(void **state)
{
    (void)state;
    for (size_t split = 0; split <= MAX_LENGTH; split++) {
        uint8_t bytes[MAX_LENGTH];
        for (size_t i = 0; i < MAX_LENGTH; i++)
            bytes[i] = plain_byte(i);
        jz_mask(bytes, bytes, split, key, 0);
        jz_mask(bytes + split, bytes + split, MAX_LENGTH - split, key, split);
        for (size_t i = 0; i < MAX_LENGTH; i++)
            assert_that(bytes[i] == masked_byte(i, 0), "byte %zu, split at %zu", i, split);
    }
}

static void masking_twice_gives_the_payload_back(void **state)
{
    (void)state;
    uint8_t bytes[] = "a payload that is longer than one word";
    jz_mask(bytes, bytes, sizeof bytes, key, 3);
    assert_memory_not_equal(bytes, "a payload that is longer than one word", sizeof bytes);
    jz_mask(bytes, bytes, sizeof bytes, key, 3);
    assert_string_equal(bytes, "a payload that is longer than one word");
}

static void masks_the_hello_of_the_rfc(void **state)
{
    (void)state;
    uint8_t masked[5];
    jz_mask(masked, (const uint8_t *)"Hello", 5, key, 0);
    assert_memory_equal(masked, "\x7f\x9f\x4d\x51\x58", 5); /* §5.7 */
}

static void offsets_may_be_as_large_as_sizes_get(void **state)
{
    (void)state;
    uint8_t bytes[20] = {0};
    jz_mask(bytes, bytes, sizeof bytes, key, SIZE_MAX - 3); /* a multiple of four */
    for (size_t i = 0; i < sizeof bytes; i++)
        assert_int_equal(bytes[i], key[i % 4]);
}

static int run(const char *vectors)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(masks_in_place_at_every_length_offset_and_alignment),
        cmocka_unit_test(copies_between_all_alignments_and_leaves_the_source_alone),
        cmocka_unit_test(masks_large_payloads_wherever_they_begin),
        cmocka_unit_test(a_payload_masked_in_two_parts_is_the_payload_masked_at_once),
        cmocka_unit_test(masking_twice_gives_the_payload_back),
        cmocka_unit_test(masks_the_hello_of_the_rfc),
        cmocka_unit_test(offsets_may_be_as_large_as_sizes_get),
    };
    return cmocka_run_group_tests_name(vectors, tests, NULL, NULL);
}

int main(void)
{
    return EXIT_STATUS_OF(test_with_each_vectors(run));
}
