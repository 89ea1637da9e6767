/* Tables of names that grow and shrink a little with each operation, and the hash that nobody can guess. */
#include "tables/table.h"

#include <stdio.h>

#include "support/allocation.h"
#include "support/random.h"
#include "support/testing.h"
#include "tables/siphash.h"

enum { MANY = 100000, LONGEST_CHAIN = 32 };

typedef struct name {
    jz_redis_entry entry; /* first, so that an entry is its name */
    char text[16];
    bool is_in;
    unsigned visits;
} name;

static name *make_names(const jz_redis_table *table, size_t count)
{
    name *names = calloc(count, sizeof *names);
    assert_non_null(names);
    for (size_t i = 0; i < count; i++) {
        int length = snprintf(names[i].text, sizeof names[i].text, "%zu", i);
        names[i].entry.name = names[i].text;
        names[i].entry.length = (size_t)length;
        names[i].entry.hash = jz_redis_table_hash(table, names[i].text, (size_t)length);
    }
    return names;
}

static void expect_all(const jz_redis_table *table, const name *names, size_t count)
{
    size_t expected = 0;
    for (size_t i = 0; i < count; i++) {
        const jz_redis_entry *entry = &names[i].entry;
        const jz_redis_entry *found = jz_redis_table_find(table, entry->hash, entry->name, entry->length);
        assert_that(found == (names[i].is_in ? entry : NULL), "%zu of %zu", i, table->count);
        expected += names[i].is_in;
    }
    assert_int_equal(table->count, expected);
}

static void keep(jz_redis_entry *entry)
{
    ((name *)entry)->is_in = false;
}

static void everything_is_found_at_every_size(void **state)
{
    (void)state;
    jz_redis_table table;
    jz_redis_table_init(&table);
    name *names = make_names(&table, MANY);
    test_random random = {1};
    size_t sizes[] = {1, 15, 16, 17, 1000, MANY, 4097, 100, 3, 0, 50};
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        while (table.count != sizes[i]) {
            name *chosen = &names[test_random_below(&random, MANY)];
            bool grows = table.count < sizes[i];
            if (chosen->is_in == grows)
                continue;
            if (grows)
                assert_true(jz_redis_table_add(&table, &chosen->entry));
            else
                jz_redis_table_remove(&table, &chosen->entry);
            chosen->is_in = grows;
        }
        expect_all(&table, names, MANY);
        assert_true(table.bucket_count <= (table.count < 8 ? 16 : 2 * table.count + 1));
    }
    jz_redis_table_destroy(&table, keep);
    for (size_t i = 0; i < MANY; i++)
        assert_false(names[i].is_in);
    free(names);
}

static void no_chain_is_long(void **state)
{
    (void)state;
    jz_redis_table table;
    jz_redis_table_init(&table);
    name *names = make_names(&table, MANY);
    for (size_t i = 0; i < MANY; i++)
        assert_true(jz_redis_table_add(&table, &names[i].entry));
    for (size_t i = 0; i < table.bucket_count; i++) {
        size_t length = 0;
        for (const jz_redis_entry *entry = table.buckets[i]; entry != NULL; entry = entry->next)
            length++;
        assert_true(length <= LONGEST_CHAIN);
    }
    jz_redis_table_destroy(&table, keep);
    free(names);
}

static void visit(void *context, jz_redis_entry *entry)
{
    ((name *)entry)->visits++;
    (*(size_t *)context)++;
}

static void each_entry_is_visited_once(void **state)
{
    (void)state;
    enum { FEW = 1000 };
    jz_redis_table table;
    jz_redis_table_init(&table);
    name *names = make_names(&table, FEW);
    size_t visits = 0;
    jz_redis_table_visit(&table, visit, &visits);
    assert_int_equal(visits, 0);
    for (size_t i = 0; i < FEW; i++)
        assert_true(jz_redis_table_add(&table, &names[i].entry));
    jz_redis_table_visit(&table, visit, &visits);
    assert_int_equal(visits, FEW);
    for (size_t i = 0; i < FEW; i++)
        assert_int_equal(names[i].visits, 1);
    jz_redis_table_destroy(&table, keep);
    free(names);
}

static void without_memory_a_table_grows_no_more_and_loses_nothing(void **state)
{
    (void)state;
    enum { FEW = 200 };
    jz_redis_table table;
    jz_redis_table_init(&table);
    name *names = make_names(&table, FEW);
    test_allocations_fail_after(0);
    bool is_added = jz_redis_table_add(&table, &names[0].entry);
    test_allocations_succeed();
    assert_false(is_added);
    assert_null(jz_redis_table_find(&table, names[0].entry.hash, names[0].text, 1));
    names[0].is_in = jz_redis_table_add(&table, &names[0].entry);
    test_allocations_fail_after(0);
    for (size_t i = 1; i < FEW; i++)
        names[i].is_in = jz_redis_table_add(&table, &names[i].entry);
    for (size_t i = 1; i < FEW; i += 3) {
        jz_redis_table_remove(&table, &names[i].entry);
        names[i].is_in = false;
    }
    test_allocations_succeed();
    expect_all(&table, names, FEW);
    assert_int_equal(table.count, FEW - (FEW - 1 + 2) / 3);
    jz_redis_table_destroy(&table, keep);
    free(names);
}

/* The example of the paper, appendix A: 15 bytes, and the key 00 01 ... 0f. */
static void the_hash_is_siphash(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14};
    const uint64_t key[2] = {UINT64_C(0x0706050403020100), UINT64_C(0x0F0E0D0C0B0A0908)};
    assert_true(jz_redis_siphash_2_4(key, bytes, sizeof bytes) == UINT64_C(0xA129CA6149BE45E5));
    jz_redis_table one;
    jz_redis_table other;
    jz_redis_table_init(&one);
    jz_redis_table_init(&other);
    assert_int_not_equal(jz_redis_table_hash(&one, "a", 1), jz_redis_table_hash(&other, "a", 1));
    for (size_t length = 0; length < sizeof bytes; length++)
        assert_int_not_equal(jz_redis_siphash(key, bytes, length), jz_redis_siphash(key, bytes, length + 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_is_found_at_every_size),
        cmocka_unit_test(no_chain_is_long),
        cmocka_unit_test(each_entry_is_visited_once),
        cmocka_unit_test(without_memory_a_table_grows_no_more_and_loses_nothing),
        cmocka_unit_test(the_hash_is_siphash),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("redis table", tests, NULL, NULL));
}
