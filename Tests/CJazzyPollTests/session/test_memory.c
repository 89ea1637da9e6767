/* Large pieces of memory: mapped, grown with their content, kept for a while, and returned to the system. */
#include "session/memory.h"

#include "session/buffer.h"
#include "session/zlib_memory.h"
#include "support/allocation.h"
#include "support/random.h"
#include "support/testing.h"

static bool keeps;

static void a_buffer_keeps_its_content_however_it_grows(void **state)
{
    (void)state;
    for (int is_kept = 0; is_kept < 2; is_kept++) {
        size_t live = test_live_allocations();
        if (is_kept)
            jz_memory_begin_keeping(&keeps);
        for (size_t step = 1000; step <= 300000; step *= 7) {
            jz_buffer buffer = {0};
            for (size_t i = 0; i * step < 3000000; i++) {
                assert_true(jz_buffer_reserve(&buffer, step, SIZE_MAX));
                memset(buffer.bytes + buffer.length, (int)(i % 251), step);
                buffer.length += step;
            }
            for (size_t i = 0; i < buffer.length; i++)
                assert_int_equal(buffer.bytes[i], i / step % 251);
            jz_buffer_free(&buffer);
        }
        jz_memory_end_keeping();
        assert_int_equal(test_live_allocations(), live);
    }
}

static void without_memory_to_grow_a_buffer_is_as_it_was(void **state)
{
    (void)state;
    for (size_t length = 1000; length <= 1000000; length *= 10) {
        jz_buffer buffer = {0};
        assert_true(jz_buffer_reserve(&buffer, length, SIZE_MAX));
        memset(buffer.bytes, 'x', length);
        buffer.length = length;
        test_allocations_fail_after(0);
        bool has_room = jz_buffer_reserve(&buffer, 2000000, SIZE_MAX);
        assert_true(test_allocations_succeed() > 0);
        assert_false(has_room);
        for (size_t i = 0; i < length; i++)
            assert_int_equal(buffer.bytes[i], 'x');
        jz_buffer_free(&buffer);
    }
}

static void sizes_beyond_all_memory_are_refused(void **state)
{
    (void)state;
    jz_buffer buffer = {0};
    assert_false(jz_buffer_reserve(&buffer, SIZE_MAX, SIZE_MAX));
    assert_false(jz_buffer_reserve(&buffer, SIZE_MAX - 1000, SIZE_MAX));
    assert_null(jz_memory_take(SIZE_MAX / 2));
    assert_null(buffer.bytes);
}

static void a_piece_is_kept_for_the_next_and_given_back_when_nobody_comes(void **state)
{
    (void)state;
    enum { SIZE = 1 << 20 };
    if (!jz_memory_is_mapped(SIZE))
        return;
    keeps = false;
    jz_memory_begin_keeping(&keeps);
    size_t live = test_live_allocations();
    jz_memory_give(jz_memory_take(SIZE), SIZE);
    assert_true(keeps);
    assert_true(jz_memory_has_kept(SIZE) && jz_memory_has_kept(SIZE - SIZE / 4));
    assert_false(jz_memory_has_kept(SIZE + SIZE / 16) || jz_memory_has_kept(SIZE / 2));
    assert_int_equal(test_live_allocations(), live + 1);
    size_t asked_for = test_allocation_count();
    for (int i = 0; i < 10; i++)
        jz_memory_give(jz_memory_take(SIZE), SIZE);
    assert_int_equal(test_allocation_count(), asked_for);

    assert_true(jz_memory_trim()); /* it was used since */
    jz_memory_give(jz_memory_take(SIZE), SIZE);
    assert_true(jz_memory_trim());
    assert_int_equal(test_live_allocations(), live + 1);
    assert_false(jz_memory_trim());
    assert_int_equal(test_live_allocations(), live);
    jz_memory_end_keeping();
}

/* It is still in the caches. */
static void of_several_that_are_kept_the_one_freed_last_comes_first(void **state)
{
    (void)state;
    enum { SIZE = 1 << 20, COUNT = 4 };
    if (!jz_memory_is_mapped(SIZE))
        return;
    void *pieces[COUNT];
    jz_memory_begin_keeping(&keeps);
    for (size_t i = 0; i < COUNT; i++)
        assert_non_null(pieces[i] = jz_memory_take(SIZE));
    for (size_t i = 0; i < COUNT; i++)
        jz_memory_give(pieces[i], SIZE);
    for (size_t i = COUNT; i-- > 0;)
        assert_ptr_equal(jz_memory_take(SIZE), pieces[i]);
    for (size_t i = 0; i < COUNT; i++)
        jz_memory_give(pieces[i], SIZE);
    jz_memory_end_keeping();
}

static void assert_is_copied_fast(const void *bytes)
{
    enum { PAGE = 4096, LONGEST_HEADER = 14 };
    size_t offset = (uintptr_t)bytes % PAGE;
    assert_in_range(offset, 2 * LONGEST_HEADER, PAGE - 1);
}

/*
 * The kernel's copy of a frame begins at a page of its own. A copy to a place in a page that is a few bytes behind that
 * of the source takes 13 times as long on some processors, and a payload is one header behind it.
 */
static void a_payload_in_a_mapped_piece_is_further_on_in_its_page_than_behind_a_header(void **state)
{
    (void)state;
    if (!jz_memory_is_mapped(JZ_MAPPED_FROM))
        return;
    for (int is_kept = 0; is_kept < 2; is_kept++) {
        if (is_kept)
            jz_memory_begin_keeping(&keeps);
        for (size_t size = JZ_MAPPED_FROM; size <= 4 << 20; size = size * 2 + 1000) {
            void *taken = jz_memory_take(size);
            assert_is_copied_fast(taken);
            jz_memory_give(taken, size);
            size_t grown_to = size;
            uint8_t *grown = jz_memory_grow(NULL, 0, 0, &grown_to);
            assert_is_copied_fast(grown);
            memset(grown, 'x', grown_to);
            size_t twice = 2 * grown_to;
            grown = jz_memory_grow(grown, grown_to, grown_to, &twice);
            assert_is_copied_fast(grown);
            memset(grown, 'y', twice);
            jz_memory_give(grown, twice);
        }
        jz_memory_end_keeping();
    }
}

static void what_is_kept_is_bounded(void **state)
{
    (void)state;
    enum { SIZE = 200000, COUNT = 1000, MOST_BYTES = 16 << 20 };
    static void *pieces[COUNT];
    size_t live = test_live_allocations();
    size_t bytes = test_live_bytes();
    jz_memory_begin_keeping(&keeps);
    for (size_t i = 0; i < COUNT; i++)
        assert_non_null(pieces[i] = jz_memory_take(SIZE + i));
    for (size_t i = 0; i < COUNT; i++)
        jz_memory_give(pieces[i], SIZE + i);
    assert_in_range(test_live_bytes() - bytes, 0, MOST_BYTES);
    jz_memory_end_keeping();
    assert_int_equal(test_live_allocations(), live);
}

/* A large one comes and goes, again and again, and each time a small one comes to stay. */
static void what_stays_has_no_more_memory_than_it_needs(void **state)
{
    (void)state;
    enum { LARGE = 8 << 20, COUNT = 20 };
    jz_buffer small[COUNT] = {0};
    jz_memory_begin_keeping(&keeps);
    for (size_t i = 0; i < COUNT; i++) {
        jz_buffer large = {0};
        assert_true(jz_buffer_reserve(&large, LARGE, SIZE_MAX));
        jz_buffer_free(&large);
        assert_true(jz_buffer_reserve(&small[i], JZ_MAPPED_FROM, SIZE_MAX));
        assert_in_range(small[i].capacity, JZ_MAPPED_FROM, 2 * JZ_MAPPED_FROM);
    }
    for (size_t i = 0; i < COUNT; i++)
        jz_buffer_free(&small[i]);
    jz_memory_end_keeping();
}

/* So it is within a larger mapping, where a process has as many of them as the system lets it have. */
static void what_cannot_be_unmapped_goes_back_all_the_same(void **state)
{
    (void)state;
    enum { SIZE = 1 << 20 };
    if (!jz_memory_is_mapped(SIZE))
        return;
    uint8_t *bytes = jz_memory_take(SIZE);
    assert_non_null(bytes);
    memset(bytes, 'x', SIZE);
    test_unmapping_fails(true);
    jz_memory_give(bytes, SIZE);
    test_unmapping_fails(false);
    /* The piece still exists, with pages that were never written. */
    for (size_t i = 0; i < SIZE; i++)
        assert_int_equal(bytes[i], 0);
    jz_memory_give(bytes, SIZE);
}

/* Also where the piece has no room, or there was none to be had. */
static void zlib_gets_its_memory_from_one_piece(void **state)
{
    (void)state;
    for (size_t size = 1000; size <= 1000000; size *= 1000) {
        for (int fails = 0; fails < 2; fails++) {
            size_t live = test_live_allocations();
            z_stream stream = {0};
            jz_zlib_memory memory;
            if (fails)
                test_allocations_fail_after(0);
            jz_zlib_memory_begin(&memory, size, &stream);
            test_allocations_succeed();
            assert_int_equal(deflateInit2(&stream, 6, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY), Z_OK);
            assert_int_equal(deflateEnd(&stream), Z_OK);
            jz_zlib_memory_end(&memory);
            assert_int_equal(test_live_allocations(), live);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_buffer_keeps_its_content_however_it_grows),
        cmocka_unit_test(without_memory_to_grow_a_buffer_is_as_it_was),
        cmocka_unit_test(sizes_beyond_all_memory_are_refused),
        cmocka_unit_test(a_piece_is_kept_for_the_next_and_given_back_when_nobody_comes),
        cmocka_unit_test(of_several_that_are_kept_the_one_freed_last_comes_first),
        cmocka_unit_test(a_payload_in_a_mapped_piece_is_further_on_in_its_page_than_behind_a_header),
        cmocka_unit_test(what_is_kept_is_bounded),
        cmocka_unit_test(what_stays_has_no_more_memory_than_it_needs),
        cmocka_unit_test(what_cannot_be_unmapped_goes_back_all_the_same),
        cmocka_unit_test(zlib_gets_its_memory_from_one_piece),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("memory", tests, NULL, NULL));
}
