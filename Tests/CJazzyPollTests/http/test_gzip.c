#include <zlib.h>

#include "http/gzip.h"
#include "support/allocation.h"
#include "support/testing.h"

static void content_is_compressed_if_that_makes_it_smaller(void **state)
{
    (void)state;
    enum { SIZE = 100000 };
    static char text[SIZE];
    static uint8_t unpacked[SIZE];
    for (size_t i = 0; i < SIZE; i++)
        text[i] = (char)('a' + i % 19);
    jz_buffer packed = {0};
    bool is_useless;
    assert_true(jz_gzip(text, SIZE, &packed, &is_useless));
    assert_false(is_useless);
    z_stream stream = {
        .next_in = packed.bytes, .avail_in = (uInt)packed.length, .next_out = unpacked, .avail_out = SIZE};
    assert_int_equal(inflateInit2(&stream, 16 + MAX_WBITS), Z_OK);
    assert_int_equal(inflate(&stream, Z_FINISH), Z_STREAM_END);
    assert_int_equal(stream.total_out, SIZE);
    assert_memory_equal(unpacked, text, SIZE);
    inflateEnd(&stream);
    jz_buffer_free(&packed);
    assert_false(jz_gzip("too short to become smaller", 27, &packed, &is_useless));
    assert_true(is_useless);
    assert_int_equal(packed.length, 0);
}

static void without_memory_nothing_is_compressed(void **state)
{
    (void)state;
    static const char text[1000];
    size_t live = test_live_allocations();
    for (size_t allowed = 0; allowed < 2; allowed++) {
        jz_buffer packed = {0};
        bool is_useless;
        test_allocations_fail_after(allowed);
        bool is_packed = jz_gzip(text, sizeof text, &packed, &is_useless);
        test_allocations_succeed();
        assert_false(is_packed || is_useless);
        assert_int_equal(test_live_allocations(), live);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(content_is_compressed_if_that_makes_it_smaller),
        cmocka_unit_test(without_memory_nothing_is_compressed),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("gzip", tests, NULL, NULL));
}
