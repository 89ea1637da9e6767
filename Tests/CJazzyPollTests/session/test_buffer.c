#include "session/buffer.h"

#include "support/allocation.h"
#include "support/testing.h"

static void an_empty_buffer_owns_nothing(void **state)
{
    (void)state;
    size_t before = test_allocation_count();
    jz_buffer buffer = {0};
    assert_true(jz_buffer_append(&buffer, NULL, 0));
    assert_true(jz_buffer_reserve(&buffer, 0, SIZE_MAX));
    assert_null(buffer.bytes);
    jz_buffer_free(&buffer);
    assert_int_equal(test_allocation_count(), before);
}

static void what_is_appended_is_kept_in_order(void **state)
{
    (void)state;
    jz_buffer buffer = {0};
    for (size_t i = 0; i < 1000; i++) {
        uint8_t pair[] = {(uint8_t)i, (uint8_t)(i >> 8)};
        assert_true(jz_buffer_append(&buffer, pair, sizeof pair));
    }
    assert_int_equal(buffer.length, 2000);
    for (size_t i = 0; i < 1000; i++) {
        assert_int_equal(buffer.bytes[2 * i], (uint8_t)i);
        assert_int_equal(buffer.bytes[2 * i + 1], (uint8_t)(i >> 8));
    }
    jz_buffer_free(&buffer);
}

static void appending_copies(void **state)
{
    (void)state;
    jz_buffer buffer = {0};
    char text[] = "before";
    assert_true(jz_buffer_append(&buffer, text, sizeof text));
    memset(text, 'x', sizeof text);
    assert_string_equal(buffer.bytes, "before");
    jz_buffer_free(&buffer);
}

static void appending_byte_by_byte_allocates_seldom(void **state)
{
    (void)state;
    jz_buffer buffer = {0};
    size_t before = test_allocation_count();
    for (size_t i = 0; i < 1000000; i++)
        assert_true(jz_buffer_append(&buffer, "x", 1));
    assert_in_range(test_allocation_count() - before, 1, 20); /* it doubles: the logarithm of a million */
    assert_in_range(buffer.capacity, 1000000, 2000000);
    jz_buffer_free(&buffer);
}

static void reserved_room_is_used_without_another_allocation(void **state)
{
    (void)state;
    jz_buffer buffer = {0};
    assert_true(jz_buffer_append(&buffer, "x", 1));
    assert_true(jz_buffer_reserve(&buffer, 5000, SIZE_MAX));
    assert_int_equal(buffer.length, 1);
    size_t before = test_allocation_count();
    for (size_t i = 0; i < 5000; i++)
        assert_true(jz_buffer_append(&buffer, "y", 1));
    assert_int_equal(test_allocation_count(), before);
    jz_buffer_free(&buffer);
}

static const struct {
    const char *name;
    size_t length; /* before */
    size_t additional;
    size_t ceiling;
    size_t lowest_capacity;
    size_t highest_capacity;
} ceilings[] = {
    {"a ceiling stops doubling", 1000, 10, 1010, 1010, 1010},
    {"a ceiling stops the first allocation", 0, 10, 10, 10, 10},
    {"a ceiling that does not suffice is passed, by no more than is needed", 1000, 100, 1050, 1100, 1100},
    {"a far ceiling changes nothing", 1000, 10, 1000000, 2000, 2000},
    {"without a ceiling it doubles", 1000, 10, SIZE_MAX, 2000, 2000},
    {"what doubling does not give is given", 1000, 5000, SIZE_MAX, 6000, 6000},
};

static void room_grows_by_doubling_up_to_a_ceiling(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(ceilings); i++) {
        jz_buffer buffer = {0};
        if (ceilings[i].length > 0) {
            assert_true(jz_buffer_reserve(&buffer, ceilings[i].length, ceilings[i].length));
            buffer.length = ceilings[i].length;
            assert_int_equal(buffer.capacity, ceilings[i].length);
        }
        assert_true(jz_buffer_reserve(&buffer, ceilings[i].additional, ceilings[i].ceiling));
        assert_that(buffer.capacity >= ceilings[i].lowest_capacity && buffer.capacity <= ceilings[i].highest_capacity,
                    "%s: capacity %zu", ceilings[i].name, buffer.capacity);
        jz_buffer_free(&buffer);
    }
}

static void freeing_leaves_an_empty_buffer_that_can_be_used_again(void **state)
{
    (void)state;
    jz_buffer buffer = {0};
    assert_true(jz_buffer_append(&buffer, "first", 5));
    jz_buffer_free(&buffer);
    assert_null(buffer.bytes);
    assert_int_equal(buffer.length, 0);
    assert_int_equal(buffer.capacity, 0);
    assert_true(jz_buffer_append(&buffer, "second", 6));
    assert_memory_equal(buffer.bytes, "second", 6);
    jz_buffer_free(&buffer);
}

static void without_memory_the_buffer_is_as_it_was(void **state)
{
    (void)state;
    jz_buffer buffer = {0};
    assert_true(jz_buffer_append(&buffer, "kept", 4));
    jz_buffer before = buffer;
    test_allocations_fail_after(0);
    bool was_reserved = jz_buffer_reserve(&buffer, before.capacity, SIZE_MAX);
    static const uint8_t much[4096];
    bool was_appended = jz_buffer_append(&buffer, much, sizeof much);
    test_allocations_succeed();
    assert_false(was_reserved);
    assert_false(was_appended);
    assert_memory_equal(&buffer, &before, sizeof buffer);
    assert_memory_equal(buffer.bytes, "kept", 4);
    jz_buffer_free(&buffer);
}

static void a_length_beyond_all_sizes_is_refused(void **state)
{
    (void)state;
    jz_buffer buffer = {0};
    assert_true(jz_buffer_append(&buffer, "kept", 4));
    jz_buffer before = buffer;
    assert_false(jz_buffer_reserve(&buffer, SIZE_MAX, SIZE_MAX));
    assert_false(jz_buffer_reserve(&buffer, SIZE_MAX - 3, SIZE_MAX));
    assert_memory_equal(&buffer, &before, sizeof buffer);
    jz_buffer_free(&buffer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_buffer_owns_nothing),
        cmocka_unit_test(what_is_appended_is_kept_in_order),
        cmocka_unit_test(appending_copies),
        cmocka_unit_test(appending_byte_by_byte_allocates_seldom),
        cmocka_unit_test(reserved_room_is_used_without_another_allocation),
        cmocka_unit_test(room_grows_by_doubling_up_to_a_ceiling),
        cmocka_unit_test(freeing_leaves_an_empty_buffer_that_can_be_used_again),
        cmocka_unit_test(without_memory_the_buffer_is_as_it_was),
        cmocka_unit_test(a_length_beyond_all_sizes_is_refused),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("buffer", tests, NULL, NULL));
}
