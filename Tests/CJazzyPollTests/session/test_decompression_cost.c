/* The cost of a client's compressed messages: memory and time. */
#include <time.h>

#include "session/compression.h"
#include "session/decompressor.h"
#include "support/allocation.h"
#include "support/content.h"
#include "support/testing.h"
#include "support/zlib_peer.h"

enum { LIMIT = 1 << 20, LARGEST_CHUNK = 256 * 1024, LARGEST_WINDOW = 32 * 1024 };

static void a_message_may_be_as_large_as_the_limit_and_not_larger(void **state)
{
    (void)state;
    static const size_t limits[] = {1, 2, 255, 4095, 4096, 4097, 65536, 300000};
    test_random random = {.state = 3};
    jz_buffer message = {0};
    jz_buffer payload = {0};
    zlib_peer peer;
    zlib_peer_start(&peer, 15, 15);
    for (size_t i = 0; i < COUNT_OF(limits) * CONTENTS; i++) {
        size_t limit = limits[i / CONTENTS];
        for (size_t beyond = 0; beyond < 2; beyond++) {
            jz_compression_workspace workspace = {0};
            test_content_fill(&message, (test_content)(i % CONTENTS), limit + beyond, &random);
            payload.length = 0;
            zlib_peer_forget_compression(&peer);
            zlib_peer_compress(&peer, message.bytes, message.length, &payload);
            jz_failure failure = jz_decompress(&workspace, NULL, 15, payload.bytes, payload.length, limit);
            assert_that(failure == (beyond == 0 ? JZ_FAILURE_NONE : JZ_FAILURE_MESSAGE_TOO_BIG),
                        "%zu bytes where %zu are allowed: %s", message.length, limit, jz_failure_text(failure));
            jz_compression_workspace_free(&workspace);
        }
    }
    zlib_peer_finish(&peer);
    jz_buffer_free(&message);
    jz_buffer_free(&payload);
}

static void a_bomb_costs_the_limit_and_one_chunk_of_memory(void **state)
{
    (void)state;
    static const size_t limits[] = {1, 1000, 65536, LIMIT, 8 * LIMIT};
    static const size_t bomb_length = 32 << 20;
    jz_buffer message = {0};
    jz_buffer payload = {0};
    zlib_peer peer;
    zlib_peer_start(&peer, 15, 15);
    assert_true(jz_buffer_reserve(&message, bomb_length, SIZE_MAX));
    memset(message.bytes, 0, bomb_length);
    zlib_peer_compress(&peer, message.bytes, bomb_length, &payload);
    for (size_t i = 0; i < COUNT_OF(limits); i++) {
        jz_compression_workspace workspace = {0};
        assert_int_equal(jz_decompress(&workspace, NULL, 15, payload.bytes, payload.length, limits[i]),
                         JZ_FAILURE_MESSAGE_TOO_BIG);
        assert_in_range(workspace.decompressed.capacity, 0, limits[i] + LARGEST_CHUNK);
        jz_compression_workspace_free(&workspace);
    }
    zlib_peer_finish(&peer);
    jz_buffer_free(&message);
    jz_buffer_free(&payload);
}

static void a_decompressor_costs_what_the_manual_says(void **state)
{
    (void)state;
    test_random random = {.state = 5};
    jz_buffer message = {0};
    jz_buffer payload = {0};
    test_content_fill(&message, NOISE, 100000, &random);
    for (uint8_t bits = 9; bits <= 15; bits++) {
        zlib_peer peer;
        zlib_peer_start(&peer, bits, 15);
        payload.length = 0;
        zlib_peer_compress(&peer, message.bytes, message.length, &payload);
        jz_decompressor *decompressor = NULL;
        jz_compression_workspace workspace = {0};
        assert_true(jz_buffer_reserve(&workspace.decompressed, LIMIT, SIZE_MAX));
        size_t before = test_allocated_bytes();
        assert_int_equal(jz_decompress(&workspace, &decompressor, bits, payload.bytes, payload.length, LIMIT),
                         JZ_FAILURE_NONE);
        assert_in_range(test_allocated_bytes() - before, (size_t)1 << bits, ((size_t)1 << bits) + 7 * 1024 + 512);
        jz_decompressor_free(decompressor);
        jz_compression_workspace_free(&workspace);
        zlib_peer_finish(&peer);
    }
    jz_buffer_free(&message);
    jz_buffer_free(&payload);
}

/* The least of three measurements, in seconds of this process. */
static double time_of_decompressing(const jz_buffer *payload)
{
    double least = 1e9;
    for (int i = 0; i < 3; i++) {
        jz_compression_workspace workspace = {0};
        clock_t before = clock();
        assert_int_equal(jz_decompress(&workspace, NULL, 15, payload->bytes, payload->length, LIMIT), JZ_FAILURE_NONE);
        double seconds = (double)(clock() - before) / CLOCKS_PER_SEC;
        least = seconds < least ? seconds : least;
        jz_compression_workspace_free(&workspace);
    }
    return least;
}

/* Two bytes of input must not make us move a window of 32 KiB about. */
static void blocks_with_bfinal_cost_no_more_after_a_full_window(void **state)
{
    (void)state;
    test_random random = {.state = 6};
    jz_buffer message = {0};
    jz_buffer many = {0};
    jz_buffer many_after_window = {0};
    test_content_fill(&message, NOISE, LARGEST_WINDOW, &random);
    zlib_peer peer;
    zlib_peer_start(&peer, 15, 15);
    zlib_peer_compress(&peer, message.bytes, message.length, &many_after_window);
    assert_true(jz_buffer_append(&many_after_window, "\0\0\xFF\xFF", 4));
    for (int i = 0; i < 300000; i++) {
        assert_true(jz_buffer_append(&many, "\x03\x00", 2));
        assert_true(jz_buffer_append(&many_after_window, "\x03\x00", 2));
    }
    double seconds = time_of_decompressing(&many);
    double seconds_after_window = time_of_decompressing(&many_after_window);
    assert_that(seconds_after_window < 5 * seconds + 0.02, "%.3f s, after a full window %.3f s", seconds,
                seconds_after_window);
    zlib_peer_finish(&peer);
    jz_buffer_free(&message);
    jz_buffer_free(&many);
    jz_buffer_free(&many_after_window);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_may_be_as_large_as_the_limit_and_not_larger),
        cmocka_unit_test(a_bomb_costs_the_limit_and_one_chunk_of_memory),
        cmocka_unit_test(a_decompressor_costs_what_the_manual_says),
        cmocka_unit_test(blocks_with_bfinal_cost_no_more_after_a_full_window),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("decompression cost", tests, NULL, NULL));
}
