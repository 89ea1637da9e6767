/* The cost of compression: how often it is done, and memory. */
#include "session/compression.h"
#include "session/compressor.h"
#include "support/allocation.h"
#include "support/content.h"
#include "support/testing.h"
#include "support/zlib_calls.h"

static const jz_deflate_options defaults = {
    .mode = JZ_DEFLATE_SHARED, .window_bits = 15, .memory_level = 8, .level = 6, .min_message_size = 64};

typedef struct fixture {
    jz_compression_workspace workspace;
    const jz_buffer *payload;
    jz_buffer message;
    test_random random;
} fixture;

static void start(fixture *f, test_content content, size_t length)
{
    *f = (fixture){.random = {1}};
    test_content_fill(&f->message, content, length, &f->random);
}

static void finish(fixture *f)
{
    jz_compression_workspace_free(&f->workspace);
    jz_buffer_free(&f->message);
}

/* Compresses the message, and returns how often that took a call of deflate. */
static size_t deflations_for(fixture *f, const jz_deflate_options *options, uint8_t window_bits, bool is_compressed)
{
    size_t before = test_deflate_count();
    assert_int_equal(
        jz_compress_alone(&f->workspace, options, window_bits, f->message.bytes, f->message.length, &f->payload),
        is_compressed);
    return test_deflate_count() - before;
}

static void a_message_to_many_is_compressed_once(void **state)
{
    (void)state;
    fixture f;
    start(&f, LETTERS, 5000);
    assert_int_not_equal(deflations_for(&f, &defaults, 15, true), 0);
    const uint8_t *bytes = f.payload->bytes;
    size_t length = f.payload->length;
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(deflations_for(&f, &defaults, 15, true), 0);
        assert_ptr_equal(f.payload->bytes, bytes);
        assert_int_equal(f.payload->length, length);
    }
    finish(&f);
}

static void a_message_to_many_is_tried_once_where_it_would_grow(void **state)
{
    (void)state;
    fixture f;
    start(&f, NOISE, 5000);
    assert_int_not_equal(deflations_for(&f, &defaults, 15, false), 0);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(deflations_for(&f, &defaults, 15, false), 0);
    finish(&f);
}

static void the_same_message_lies_anywhere(void **state)
{
    (void)state;
    fixture f;
    start(&f, LETTERS, 5000);
    assert_int_not_equal(deflations_for(&f, &defaults, 15, true), 0);
    jz_buffer copy = {0};
    assert_true(jz_buffer_append(&copy, f.message.bytes, f.message.length));
    jz_buffer_free(&f.message);
    f.message = copy;
    assert_int_equal(deflations_for(&f, &defaults, 15, true), 0);
    finish(&f);
}

static void another_message_at_the_same_place_is_another(void **state)
{
    (void)state;
    static const size_t places[] = {0, 2500, 4999};
    fixture f;
    start(&f, LETTERS, 5000);
    assert_int_not_equal(deflations_for(&f, &defaults, 15, true), 0);
    for (size_t i = 0; i < COUNT_OF(places); i++) {
        f.message.bytes[places[i]] ^= 1;
        assert_int_not_equal(deflations_for(&f, &defaults, 15, true), 0);
        assert_int_equal(deflations_for(&f, &defaults, 15, true), 0);
    }
    f.message.length--; /* only its beginning */
    assert_int_not_equal(deflations_for(&f, &defaults, 15, true), 0);
    finish(&f);
}

static void receivers_share_it_as_far_as_they_share_parameters(void **state)
{
    (void)state;
    jz_deflate_options faster = defaults;
    faster.level = 1;
    jz_deflate_options smaller = defaults;
    smaller.memory_level = 1;
    const struct {
        const jz_deflate_options *options;
        uint8_t window_bits;
    } receivers[] = {{&defaults, 15}, {&defaults, 9}, {&defaults, 12}, {&faster, 15}, {&smaller, 15}};
    fixture f;
    start(&f, LETTERS, 5000);
    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < COUNT_OF(receivers); i++) {
            size_t count = deflations_for(&f, receivers[i].options, receivers[i].window_bits, true);
            assert_that((count > 0) == (round == 0), "round %d, receiver %zu: %zu deflations", round, i, count);
        }
    }
    finish(&f);
}

/* Between two loop iterations only small buffers are kept. */
static void trimming_gives_back_what_only_a_large_message_needed(void **state)
{
    (void)state;
    enum { SMALL = 10000, LARGE = 5000000, KEPT = 256 * 1024 };
    static const test_content contents[] = {ZEROS, LETTERS, NOISE};
    for (size_t i = 0; i < COUNT_OF(contents); i++) {
        fixture f;
        start(&f, contents[i], LARGE);
        bool is_compressed = contents[i] != NOISE;
        deflations_for(&f, &defaults, 15, is_compressed);
        jz_compression_workspace_trim(&f.workspace);
        const jz_compressor *compressor = f.workspace.compressors;
        assert_in_range(compressor->last_message.capacity, 0, KEPT);
        assert_in_range(compressor->last_compressed.capacity, 0, KEPT);
        assert_in_range(f.workspace.compressed.capacity, 0, KEPT);
        assert_in_range(f.workspace.decompressed.capacity, 0, KEPT);
        assert_int_not_equal(deflations_for(&f, &defaults, 15, is_compressed), 0);
        test_content_fill(&f.message, LETTERS, SMALL, &f.random);
        deflations_for(&f, &defaults, 15, true);
        finish(&f);
    }
}

static void trimming_leaves_small_messages_alone(void **state)
{
    (void)state;
    fixture f;
    start(&f, LETTERS, 5000);
    deflations_for(&f, &defaults, 15, true);
    jz_compression_workspace_trim(&f.workspace);
    assert_int_equal(deflations_for(&f, &defaults, 15, true), 0);
    finish(&f);
}

/* Whatever trimming frees and keeps: a message that was compressed before is compressed after it. */
static void trimming_makes_no_message_incompressible(void **state)
{
    (void)state;
    for (size_t length = 261900; length < 262300; length += 20) { /* about as much as is kept: see trim */
        fixture f;
        start(&f, LETTERS, length);
        deflations_for(&f, &defaults, 15, true);
        jz_compression_workspace_trim(&f.workspace);
        deflations_for(&f, &defaults, 15, true);
        finish(&f);
    }
}

/* jz_deflate_options: the figures, without the engine's state. */
static size_t cost_that_the_manual_says(uint8_t window_bits, uint8_t memory_level)
{
#ifdef JZ_DEFLATE_ISAL
    (void)window_bits;
    size_t for_symbols = (size_t)1 << (memory_level + 8);
    return 160 * 1024 + (for_symbols < 4096 ? 4096 : for_symbols);
#else
    return ((size_t)1 << (window_bits + 2)) + ((size_t)1 << (memory_level + 9));
#endif
}

static void a_compressor_costs_what_the_manual_says(void **state)
{
    (void)state;
    enum { STATE = 8 * 1024 };
    fixture f;
    start(&f, LETTERS, 1000);
    for (uint8_t window_bits = 9; window_bits <= 15; window_bits++) {
        for (uint8_t memory_level = 1; memory_level <= 9; memory_level++) {
            jz_deflate_options options = defaults;
            options.memory_level = memory_level;
            jz_compressor *compressor = NULL;
            assert_true(jz_buffer_reserve(&f.workspace.compressed, 10000, SIZE_MAX));
            size_t before = test_allocated_bytes();
            assert_true(jz_compress_in_context(&f.workspace, &compressor, &options, window_bits, f.message.bytes,
                                               f.message.length, &f.payload));
            size_t cost = test_allocated_bytes() - before;
            size_t said = cost_that_the_manual_says(window_bits, memory_level);
            assert_that(cost >= said && cost <= said + STATE, "window %u, memory level %u: %zu bytes, not %zu",
                        window_bits, memory_level, cost, said);
            jz_compressor_free(compressor);
        }
    }
    finish(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_to_many_is_compressed_once),
        cmocka_unit_test(a_message_to_many_is_tried_once_where_it_would_grow),
        cmocka_unit_test(the_same_message_lies_anywhere),
        cmocka_unit_test(another_message_at_the_same_place_is_another),
        cmocka_unit_test(receivers_share_it_as_far_as_they_share_parameters),
        cmocka_unit_test(trimming_gives_back_what_only_a_large_message_needed),
        cmocka_unit_test(trimming_leaves_small_messages_alone),
        cmocka_unit_test(trimming_makes_no_message_incompressible),
        cmocka_unit_test(a_compressor_costs_what_the_manual_says),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("compression cost", tests, NULL, NULL));
}
