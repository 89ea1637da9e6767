/* Messages that we compress, read by plain zlib. */
#include "session/compression.h"

#include <stdio.h>

#include "session/compressor.h"
#include "support/allocation.h"
#include "support/content.h"
#include "support/testing.h"
#include "support/zlib_calls.h"
#include "support/zlib_peer.h"

/* In z_stream.data_type after inflate (zlib.h): the end of a block, and how many bits of the last byte are unused. */
enum { BLOCK_BOUNDARY = 128, UNUSED_BITS = 63 };

typedef struct fixture {
    jz_compression_workspace workspace;
    jz_compressor *own;
    jz_deflate_options options;
    uint8_t window_bits;
    const jz_buffer *payload; /* of the last message that was compressed */
    zlib_peer peer;
    jz_buffer seen; /* the last message that the peer decompressed */
    test_random random;
    jz_buffer message;
} fixture;

static void start(fixture *f, uint8_t window_bits)
{
    *f = (fixture){.options = jz_route_options_default().deflate, .window_bits = window_bits, .random = {1}};
    zlib_peer_start(&f->peer, 15, window_bits);
}

static void finish(fixture *f)
{
    zlib_peer_finish(&f->peer);
    jz_compressor_free(f->own);
    jz_compression_workspace_free(&f->workspace);
    jz_buffer_free(&f->seen);
    jz_buffer_free(&f->message);
}

static bool compress_alone(fixture *f, const void *bytes, size_t length)
{
    return jz_compress_alone(&f->workspace, &f->options, f->window_bits, bytes, length, &f->payload);
}

static bool compress_in_context(fixture *f, const void *bytes, size_t length)
{
    return jz_compress_in_context(&f->workspace, &f->own, &f->options, f->window_bits, bytes, length, &f->payload);
}

static void expect_peer_sees(fixture *f, const void *bytes, size_t length)
{
    assert_true(zlib_peer_decompress(&f->peer, f->payload->bytes, f->payload->length, &f->seen));
    assert_int_equal(f->seen.length, length);
    assert_memory_equal(f->seen.bytes, bytes, length);
}

/* A message that goes as it is does not touch the peer's context. */
static void send_alone(fixture *f, const jz_buffer *message)
{
    zlib_peer_forget_decompression(&f->peer);
    if (compress_alone(f, message->bytes, message->length))
        expect_peer_sees(f, message->bytes, message->length);
}

static void send_in_context(fixture *f, const jz_buffer *message)
{
    if (compress_in_context(f, message->bytes, message->length))
        expect_peer_sees(f, message->bytes, message->length);
}

static void the_peer_reads_what_we_compress(void **state)
{
    (void)state;
    static const size_t lengths[] = {1, 2, 64, 125, 126, 256, 257, 1000, 33000, 65536, 100000};
    static const uint8_t windows[] = {9, 12, 15};
    static const uint8_t levels[] = {1, 6, 9};
    for (size_t i = 0; i < COUNT_OF(windows) * COUNT_OF(levels) * COUNT_OF(levels); i++) {
        fixture f;
        start(&f, windows[i / (COUNT_OF(levels) * COUNT_OF(levels))]);
        f.options.level = levels[i / COUNT_OF(levels) % COUNT_OF(levels)];
        f.options.memory_level = levels[i % COUNT_OF(levels)];
        for (size_t j = 0; j < COUNT_OF(lengths) * CONTENTS; j++) {
            test_content_fill(&f.message, (test_content)(j % CONTENTS), lengths[j / CONTENTS], &f.random);
            send_in_context(&f, &f.message);
        }
        for (size_t j = 0; j < COUNT_OF(lengths) * CONTENTS; j++) {
            test_content_fill(&f.message, (test_content)(j % CONTENTS), lengths[j / CONTENTS], &f.random);
            send_alone(&f, &f.message);
        }
        finish(&f);
    }
}

static void what_compresses_well_is_compressed(void **state)
{
    (void)state;
#ifdef JZ_DEFLATE_ISAL
    enum { LONGEST = 400 };
#else
    enum { LONGEST = 200 };
#endif
    fixture f;
    start(&f, 15);
    test_content_fill(&f.message, ZEROS, 100000, &f.random);
    assert_true(compress_alone(&f, f.message.bytes, f.message.length));
    assert_in_range(f.payload->length, 1, LONGEST);
    assert_true(compress_in_context(&f, f.message.bytes, f.message.length));
    assert_in_range(f.payload->length, 1, LONGEST);
    finish(&f);
}

/* The same names again and again, other values, as services send them. */
static void fill_with_records(jz_buffer *message, size_t length, test_random *random)
{
    message->length = 0;
    while (message->length < length) {
        char record[128];
        int count =
            snprintf(record, sizeof record, "{\"id\":%zu,\"symbol\":\"SYM%zu\",\"bid\":%zu.%02zu,\"venue\":\"XNAS\"},",
                     test_random_below(random, 1000000), test_random_below(random, 500),
                     test_random_below(random, 1000), test_random_below(random, 100));
        assert_true(jz_buffer_append(message, record, (size_t)count));
    }
}

#ifdef JZ_DEFLATE_ISAL
/* The codes of a message's first block, and only one (RFC 1951 §3.2.3). */
static unsigned codes_of(fixture *f, uint8_t level, const char *message)
{
    f->options.level = level;
    zlib_peer_forget_decompression(&f->peer);
    assert_true(compress_alone(f, message, strlen(message)));
    expect_peer_sees(f, message, strlen(message));
    return (f->payload->bytes[0] >> 1) & 3;
}

static void few_bytes_that_repeat_themselves_have_fixed_codes_at_level_1(void **state)
{
    (void)state;
    enum { FIXED_CODES = 1, OWN_CODES = 2 };
    static const char repeating[] = "[{\"x\":104.25,\"y\":873.5,\"id\":17},{\"x\":651.75,\"y\":12.5,\"id\":942},"
                                    "{\"x\":3.25,\"y\":540.75,\"id\":208},{\"x\":77.5,\"y\":936.25,\"id\":651}]";
    static const char plain[] = "Is anybody else unable to reach the office printer since this morning? I have "
                                "restarted it twice, and it still claims that there is no paper in its second tray.";
    fixture f;
    start(&f, 15);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(codes_of(&f, 1, repeating), FIXED_CODES);
        assert_int_equal(codes_of(&f, 1, plain), OWN_CODES);
        assert_int_equal(codes_of(&f, 2, repeating), OWN_CODES);
        assert_int_equal(codes_of(&f, 6, repeating), OWN_CODES);
    }
    finish(&f);
}
#endif

/* But for the bytes by which zlib's own output differs when it is tuned. Not only the first that a compressor takes. */
static void records_become_as_small_as_by_zlib(void **state)
{
    (void)state;
    static const size_t lengths[] = {2000, 16000, 64000};
    fixture f;
    start(&f, 15);
    jz_buffer expected = {0};
    for (size_t i = 0; i < COUNT_OF(lengths); i++) {
        fill_with_records(&f.message, lengths[i], &f.random);
        expected.length = 0;
        zlib_peer_forget_compression(&f.peer);
        zlib_peer_compress(&f.peer, f.message.bytes, f.message.length, &expected);
        assert_true(compress_alone(&f, f.message.bytes, f.message.length));
        assert_that(f.payload->length <= expected.length + expected.length / 200, "%zu bytes: %zu, by zlib %zu",
                    f.message.length, f.payload->length, expected.length);
        zlib_peer_forget_decompression(&f.peer);
        expect_peer_sees(&f, f.message.bytes, f.message.length);
    }
    jz_buffer_free(&expected);
    finish(&f);
}

static void what_is_far_away_is_found_too(void **state)
{
    (void)state;
    enum { DISTANCE = 5000, TIMES = 10, MESSAGES = 3 };
    fixture f;
    start(&f, 15);
    for (int i = 0; i < MESSAGES; i++) {
        test_content_fill(&f.message, LETTERS, DISTANCE, &f.random);
        assert_true(jz_buffer_reserve(&f.message, DISTANCE * TIMES, SIZE_MAX));
        for (int j = 1; j < TIMES; j++)
            assert_true(jz_buffer_append(&f.message, f.message.bytes, DISTANCE));
        assert_true(compress_alone(&f, f.message.bytes, f.message.length));
        assert_in_range(f.payload->length, 1, DISTANCE);
        zlib_peer_forget_decompression(&f.peer);
        expect_peer_sees(&f, f.message.bytes, f.message.length);
    }
    finish(&f);
}

/*
 * RFC 7692 §7.2.1: a flush to a byte boundary, whose last four bytes are not sent. What zlib makes of a message is
 * known; another engine finds other matches.
 */
static void what_is_sent_is_a_flush_without_its_end(void **state)
{
    (void)state;
    fixture f;
    start(&f, 15);
    jz_buffer expected = {0};
    for (int i = 0; i < 5; i++) {
        test_content_fill(&f.message, LETTERS, 1000, &f.random);
        expected.length = 0;
        zlib_peer_compress(&f.peer, f.message.bytes, f.message.length, &expected);
        assert_true(compress_in_context(&f, f.message.bytes, f.message.length));
#ifndef JZ_DEFLATE_ISAL
        assert_int_equal(f.payload->length, expected.length);
        assert_memory_equal(f.payload->bytes, expected.bytes, expected.length);
#endif
        expect_peer_sees(&f, f.message.bytes, f.message.length);
        assert_int_equal(f.peer.inflating.data_type & (BLOCK_BOUNDARY | UNUSED_BITS), BLOCK_BOUNDARY);
    }
    jz_buffer_free(&expected);
    finish(&f);
}

static void in_context_a_message_refers_to_earlier_ones(void **state)
{
    (void)state;
    fixture f;
    start(&f, 15);
    test_content_fill(&f.message, LETTERS, 2000, &f.random);
    assert_true(compress_in_context(&f, f.message.bytes, f.message.length));
    size_t first_length = f.payload->length;
    expect_peer_sees(&f, f.message.bytes, f.message.length);
    for (int i = 0; i < 10; i++) {
        assert_true(compress_in_context(&f, f.message.bytes, f.message.length));
        assert_in_range(f.payload->length, 1, first_length / 20);
        expect_peer_sees(&f, f.message.bytes, f.message.length);
    }
    finish(&f);
}

static void alone_a_message_refers_to_no_other(void **state)
{
    (void)state;
    fixture f;
    start(&f, 15);
    jz_buffer other = {0};
    test_content_fill(&f.message, LETTERS, 2000, &f.random);
    test_content_fill(&other, LETTERS, 2000, &f.random);
    assert_true(jz_buffer_append(&other, f.message.bytes, f.message.length));
    for (int i = 0; i < 3; i++) {
        send_alone(&f, &f.message);
        send_alone(&f, &other); /* the peer decompresses each with an empty window */
    }
    jz_buffer_free(&other);
    finish(&f);
}

static void what_would_grow_goes_as_it_is_and_leaves_no_trace(void **state)
{
    (void)state;
    fixture f;
    start(&f, 15);
    jz_buffer noise = {0};
    test_content_fill(&f.message, LETTERS, 500, &f.random);
    test_content_fill(&noise, NOISE, 500, &f.random);
    for (int i = 0; i < 5; i++) {
        assert_true(compress_in_context(&f, f.message.bytes, f.message.length));
        expect_peer_sees(&f, f.message.bytes, f.message.length);
        assert_false(compress_in_context(&f, noise.bytes, noise.length)); /* the peer does not see it */
        /* Half of it is repeated: nothing may refer to bytes that the peer has not received. */
        jz_buffer both = {0};
        assert_true(jz_buffer_append(&both, noise.bytes, 250));
        assert_true(jz_buffer_append(&both, f.message.bytes, f.message.length));
        assert_true(jz_buffer_append(&both, noise.bytes, 250));
        assert_true(compress_in_context(&f, both.bytes, both.length));
        expect_peer_sees(&f, both.bytes, both.length);
        assert_false(compress_alone(&f, noise.bytes, noise.length));
        jz_buffer_free(&both);
        test_content_fill(&noise, NOISE, 500, &f.random);
    }
    jz_buffer_free(&noise);
    finish(&f);
}

static void what_would_stay_as_long_as_it_is_goes_as_it_is(void **state)
{
    (void)state;
    fixture f;
    start(&f, 15);
    assert_false(compress_alone(&f, "Hello", 5));
    assert_false(compress_in_context(&f, "Hello", 5));
    assert_false(compress_in_context(&f, "Hello", 5)); /* "f2 00 11 00 00" would be five bytes, too */
    assert_false(compress_alone(&f, "x", 1));
    finish(&f);
}

static void an_empty_message_goes_as_it_is(void **state)
{
    (void)state;
    fixture f;
    start(&f, 15);
    for (int i = 0; i < 2; i++) {
        assert_false(compress_alone(&f, "", 0));
        assert_false(compress_in_context(&f, "", 0));
        assert_false(compress_alone(&f, NULL, 0));
        assert_false(compress_in_context(&f, NULL, 0));
    }
    finish(&f);
}

static void a_message_that_was_not_sent_can_be_forgotten(void **state)
{
    (void)state;
    fixture f;
    start(&f, 15);
    test_content_fill(&f.message, LETTERS, 2000, &f.random);
    assert_true(compress_in_context(&f, f.message.bytes, f.message.length)); /* and dropped */
    jz_compressor_forget(f.own);
    assert_true(compress_in_context(&f, f.message.bytes, f.message.length));
    expect_peer_sees(&f, f.message.bytes, f.message.length);
    finish(&f);
}

static const struct {
    const char *name;
    size_t allowed; /* allocations that succeed */
    bool is_alone;
} shortages[] = {
    {"the shared compressor", 0, true},        {"its zlib state", 1, true},  {"its output", 2, true},
    {"the connection's compressor", 0, false}, {"its zlib state", 1, false}, {"its output", 2, false},
};

static void without_memory_a_message_goes_as_it_is_and_leaves_no_trace(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(shortages); i++) {
        fixture f;
        start(&f, 15);
        test_content_fill(&f.message, LETTERS, 2000, &f.random);
        test_allocations_fail_after(shortages[i].allowed);
        bool is_compressed = shortages[i].is_alone ? compress_alone(&f, f.message.bytes, f.message.length)
                                                   : compress_in_context(&f, f.message.bytes, f.message.length);
        size_t refused = test_allocations_succeed();
        assert_that(!is_compressed && refused > 0, "%s: was not missed", shortages[i].name);
        assert_true(compress_in_context(&f, f.message.bytes, f.message.length));
        expect_peer_sees(&f, f.message.bytes, f.message.length);
        finish(&f);
    }
}

static void without_memory_to_remember_it_a_message_is_compressed_all_the_same(void **state)
{
    (void)state;
    fixture f;
    start(&f, 15);
    test_content_fill(&f.message, LETTERS, 2000, &f.random);
    assert_true(compress_alone(&f, f.message.bytes, f.message.length - 1)); /* makes the compressor */
    jz_buffer_free(&f.workspace.compressors->last_message);
    assert_true(jz_buffer_reserve(&f.workspace.compressors->last_compressed, 10000, SIZE_MAX));
    for (int i = 0; i < 2; i++) {
        test_allocations_fail_after(0);
        bool is_compressed = compress_alone(&f, f.message.bytes, f.message.length);
        assert_int_equal(test_allocations_succeed(), 1);
        assert_true(is_compressed);
        zlib_peer_forget_decompression(&f.peer);
        expect_peer_sees(&f, f.message.bytes, f.message.length);
    }
    finish(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_peer_reads_what_we_compress),
        cmocka_unit_test(what_compresses_well_is_compressed),
#ifdef JZ_DEFLATE_ISAL
        cmocka_unit_test(few_bytes_that_repeat_themselves_have_fixed_codes_at_level_1),
#endif
        cmocka_unit_test(records_become_as_small_as_by_zlib),
        cmocka_unit_test(what_is_far_away_is_found_too),
        cmocka_unit_test(what_is_sent_is_a_flush_without_its_end),
        cmocka_unit_test(in_context_a_message_refers_to_earlier_ones),
        cmocka_unit_test(alone_a_message_refers_to_no_other),
        cmocka_unit_test(what_would_grow_goes_as_it_is_and_leaves_no_trace),
        cmocka_unit_test(what_would_stay_as_long_as_it_is_goes_as_it_is),
        cmocka_unit_test(an_empty_message_goes_as_it_is),
        cmocka_unit_test(a_message_that_was_not_sent_can_be_forgotten),
        cmocka_unit_test(without_memory_a_message_goes_as_it_is_and_leaves_no_trace),
        cmocka_unit_test(without_memory_to_remember_it_a_message_is_compressed_all_the_same),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("compression", tests, NULL, NULL));
}
