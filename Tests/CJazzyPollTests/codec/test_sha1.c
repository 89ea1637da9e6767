#include "codec/sha1.h"

#include <stdio.h>

#include "support/testing.h"
#include "support/vectors.h"

static void check_digest(const char *name, const uint8_t *bytes, size_t length, const char *expected)
{
    uint8_t digest[JZ_SHA1_LENGTH];
    jz_sha1(bytes, length, digest);
    char text[2 * JZ_SHA1_LENGTH + 1];
    for (size_t i = 0; i < JZ_SHA1_LENGTH; i++)
        snprintf(text + 2 * i, 3, "%02x", digest[i]);
    assert_that(strcmp(text, expected) == 0, "%s: %s instead of %s", name, text, expected);
}

/* The examples of FIPS 180 and of NIST's "Examples with Intermediate Values". */
static const struct {
    const char *message;
    const char *digest;
} examples[] = {
    {"", "da39a3ee5e6b4b0d3255bfef95601890afd80709"},
    {"abc", "a9993e364706816aba3e25717850c26c9cd0d89d"},
    {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", "84983e441c3bd26ebaae4aa1f95129e5e54670f1"},
    {"abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrst"
     "nopqrstu",
     "a49b2446a02c645bf419f995b67091253a04a259"},
};

static void digests_the_examples_of_the_standard(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(examples); i++)
        check_digest(examples[i].message, (const uint8_t *)examples[i].message, strlen(examples[i].message),
                     examples[i].digest);
}

static void digests_a_million_times_the_letter_a(void **state)
{
    (void)state;
    size_t length = 1000000;
    uint8_t *bytes = malloc(length);
    assert_non_null(bytes);
    memset(bytes, 'a', length);
    check_digest("a million letters", bytes, length, "34aa973cd4c4daa4f61eeb2bdbad27316534016f");
    free(bytes);
}

/* Byte i of the message of n bytes is (7 i + n) mod 256; the digests are from Python's hashlib. */
static const struct {
    size_t length;
    const char *digest;
} paddings[] = {
    {1, "bf8b4530d8d246dd74ac53a13471bba17941dff7"},   {55, "63ac9708fb581dd150d3647549f9e0cb51dcf1df"},
    {56, "5a0c4d0eb2f15e05bbbff6b8dada9ae767fc03f0"},  {57, "4e77d3077d2ab5167db3434c31cac3d15a3afc12"},
    {63, "d94ff3ad53f9b9327704b812ee9c1f3abbba3d48"},  {64, "5f55a35e13f1865e7ffc22dca1275b1a49b0ff56"},
    {65, "d7f8931010f8342a97383e1410a58c47d057708b"},  {119, "774001b5ad1f46b40c48e1b94cb092c593ead25b"},
    {120, "6ebf3111dc761f11b13f29df0484848785385973"}, {121, "467945c0e868aaff130a18a6ff44c3963010999f"},
    {127, "82d007f6e7e5672722c0717b6bea2ba6f17cd35c"}, {128, "0a44ac02432f6ead67d86fcb70a4d8ce589e50ec"},
    {129, "461b146c523c63566b8bf8852dc8462116cf2e3f"}, {1000, "7461968a9edb9b418224f1acb305d2feeaa10ba5"},
};

static void digests_messages_on_both_sides_of_every_padding_border(void **state)
{
    (void)state;
    for (size_t row = 0; row < COUNT_OF(paddings); row++) {
        size_t length = paddings[row].length;
        /* Of exactly this length, so that a read beyond it is seen by the address sanitizer. */
        uint8_t *bytes = malloc(length);
        assert_non_null(bytes);
        for (size_t i = 0; i < length; i++)
            bytes[i] = (uint8_t)(i * 7 + length);
        char name[32];
        snprintf(name, sizeof name, "%zu bytes", length);
        check_digest(name, bytes, length, paddings[row].digest);
        free(bytes);
    }
}

static int run(const char *vectors)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(digests_the_examples_of_the_standard),
        cmocka_unit_test(digests_a_million_times_the_letter_a),
        cmocka_unit_test(digests_messages_on_both_sides_of_every_padding_border),
    };
    return cmocka_run_group_tests_name(vectors, tests, NULL, NULL);
}

int main(void)
{
    return EXIT_STATUS_OF(test_with_each_vectors(run));
}
