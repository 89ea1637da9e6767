/* What is kept of files that were compressed. */
#include <stdio.h>

#include "shard/packed.h"
#include "support/allocation.h"
#include "support/testing.h"

static jz_publication *content_of(size_t length)
{
    static uint8_t bytes[JZ_MOST_PACKED];
    return jz_publication_create(JZ_MESSAGE_BINARY, bytes, length, JZ_COMPRESSION_NEVER);
}

static void make(jz_packed *packed, const char *name, const char *version, size_t length)
{
    jz_publication *content = NULL;
    assert_int_equal(jz_packed_find(packed, name, version, &content), JZ_PACKED_NOT_YET);
    content = content_of(length);
    jz_packed_keep(packed, name, version, content);
    jz_publication_release(content);
}

static bool has(jz_packed *packed, const char *name, const char *version, size_t length)
{
    jz_publication *content = NULL;
    jz_packed_state found = jz_packed_find(packed, name, version, &content);
    if (found == JZ_PACKED_NOT_YET)
        jz_packed_give_up(packed, name, version);
    if (found != JZ_PACKED_HERE)
        return false;
    assert_int_equal(jz_publication_length(content), length);
    jz_publication_release(content);
    return true;
}

static void each_version_is_made_once(void **state)
{
    (void)state;
    size_t live = test_live_allocations();
    jz_packed *packed = jz_packed_create();
    jz_publication *content = NULL;
    assert_int_equal(jz_packed_find(packed, "a", "1", &content), JZ_PACKED_NOT_YET);
    assert_int_equal(jz_packed_find(packed, "a", "1", &content), JZ_PACKED_BUSY);
    assert_int_equal(jz_packed_find(packed, "a", "2", &content), JZ_PACKED_BUSY);
    jz_packed_keep(packed, "a", "1", NULL);
    assert_int_equal(jz_packed_find(packed, "a", "1", &content), JZ_PACKED_USELESS);
    make(packed, "a", "2", 10);
    assert_true(has(packed, "a", "2", 10));
    make(packed, "b", "2", 20);
    assert_true(has(packed, "a", "2", 10));
    assert_true(has(packed, "b", "2", 20));
    assert_false(has(packed, "a", "1", 10));
    make(packed, "a", "1", 30);
    jz_packed_free(packed);
    assert_int_equal(test_live_allocations(), live);
}

static void what_was_used_longest_ago_goes_first(void **state)
{
    (void)state;
    enum { PART = JZ_MOST_PACKED / 4 };
    jz_packed *packed = jz_packed_create();
    static const char *const names[] = {"a", "b", "c", "d"};
    for (size_t i = 0; i < COUNT_OF(names); i++)
        make(packed, names[i], "1", PART);
    assert_true(has(packed, "a", "1", PART));
    make(packed, "e", "1", PART);
    assert_true(has(packed, "a", "1", PART));
    assert_false(has(packed, "b", "1", PART));
    assert_true(has(packed, "e", "1", PART));
    for (int i = 0; i < 3000; i++) {
        char name[16];
        snprintf(name, sizeof name, "n%d", i);
        make(packed, name, "1", 1);
    }
    assert_false(has(packed, "n0", "1", 1));
    assert_true(has(packed, "n2999", "1", 1));
    jz_packed_free(packed);
}

static void without_memory_nothing_is_kept(void **state)
{
    (void)state;
    jz_publication *content = NULL;
    test_allocations_fail_after(0);
    assert_null(jz_packed_create());
    test_allocations_succeed();
    jz_packed *packed = jz_packed_create();
    for (size_t allowed = 0; allowed < 2; allowed++) {
        test_allocations_fail_after(allowed);
        assert_int_equal(jz_packed_find(packed, "a", "1", &content), JZ_PACKED_NOT_YET);
        test_allocations_succeed();
        jz_publication *made = content_of(10);
        jz_packed_keep(packed, "a", "1", made);
        jz_publication_release(made);
        assert_false(has(packed, "a", "1", 10));
    }
    jz_packed_free(packed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_version_is_made_once),
        cmocka_unit_test(what_was_used_longest_ago_goes_first),
        cmocka_unit_test(without_memory_nothing_is_kept),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("packed", tests, NULL, NULL));
}
