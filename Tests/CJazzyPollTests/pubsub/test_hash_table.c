/* Tables that grow and shrink a little with each operation: their content, and how much an operation moves. */
#include "pubsub/hash_table.h"

#include "support/allocation.h"
#include "support/random.h"
#include "support/testing.h"

enum {
    MANY = 200000,
    LONGEST_CHAIN = 32, /* with a good hash a chain of 16 among so many has a probability of 1 in a million */
    MOST_SPLITS = 1,
    MOST_UNIONS = 2
};

typedef struct number {
    jz_hash_entry entry; /* first, so that an entry is its number */
    uint32_t value;
    bool is_in;
} number;

static number *make_numbers(const jz_hash_table *table, uint32_t count)
{
    number *numbers = calloc(count, sizeof *numbers);
    assert_non_null(numbers);
    for (uint32_t i = 0; i < count; i++) {
        numbers[i].value = i;
        numbers[i].entry.hash = jz_hash_table_hash(table, &numbers[i].value, sizeof numbers[i].value);
    }
    return numbers;
}

static size_t chain_length(const jz_hash_table *table, uint64_t hash)
{
    size_t length = 0;
    for (const jz_hash_entry *entry = jz_hash_table_look(table, hash); entry != NULL; entry = entry->next)
        length++;
    return length;
}

static bool has(const jz_hash_table *table, const number *wanted)
{
    const jz_hash_entry *entry = jz_hash_table_look(table, wanted->entry.hash);
    while (entry != NULL && entry != &wanted->entry)
        entry = entry->next;
    return entry != NULL;
}

static void expect_all(const jz_hash_table *table, const number *numbers, uint32_t count)
{
    size_t expected = 0;
    for (uint32_t i = 0; i < count; i++) {
        assert_that(has(table, &numbers[i]) == numbers[i].is_in, "%u of %zu", i, table->count);
        expected += numbers[i].is_in ? 1 : 0;
    }
    assert_int_equal(table->count, expected);
}

static void put(jz_hash_table *table, number *number)
{
    assert_true(jz_hash_table_add(table, &number->entry));
    number->is_in = true;
}

static void take(jz_hash_table *table, number *number)
{
    jz_hash_table_remove(table, &number->entry);
    number->is_in = false;
}

static void an_empty_table_has_nothing_and_takes_no_memory(void **state)
{
    (void)state;
    size_t allocations = test_allocation_count();
    jz_hash_table table;
    jz_hash_table_init(&table);
    assert_null(jz_hash_table_look(&table, 0));
    assert_null(jz_hash_table_look(&table, UINT64_MAX));
    jz_hash_table_destroy(&table, NULL);
    assert_int_equal(test_allocation_count(), allocations);
}

static void each_table_has_a_key_of_its_own(void **state)
{
    (void)state;
    jz_hash_table first;
    jz_hash_table second;
    jz_hash_table_init(&first);
    jz_hash_table_init(&second);
    assert_memory_not_equal(&first.key, &second.key, sizeof first.key);
    assert_int_not_equal(first.key.words[0], first.key.words[1]);
    assert_int_not_equal(jz_hash_table_hash(&first, "topic", 5), jz_hash_table_hash(&second, "topic", 5));
    jz_hash_table_destroy(&first, NULL);
    jz_hash_table_destroy(&second, NULL);
}

/* At every size on the way up and down, and so at every place where buckets are split, united, and segments end. */
static void everything_is_found_at_every_size(void **state)
{
    (void)state;
    enum { SOME = 1500 };
    size_t live = test_live_allocations();
    jz_hash_table table;
    jz_hash_table_init(&table);
    number *numbers = make_numbers(&table, SOME);
    for (uint32_t i = 0; i < SOME; i++) {
        put(&table, &numbers[i]);
        expect_all(&table, numbers, SOME);
    }
    test_random random = {1};
    for (uint32_t left = SOME; left > 0; left--) {
        size_t i = test_random_below(&random, SOME);
        while (!numbers[i].is_in)
            i = (i + 1) % SOME;
        take(&table, &numbers[i]);
        expect_all(&table, numbers, SOME);
    }
    jz_hash_table_destroy(&table, NULL);
    free(numbers);
    assert_int_equal(test_live_allocations(), live);
}

/* Counts instead of times, which would depend on the machine: buckets, entries, and bytes of memory. */
static void no_operation_moves_more_than_a_little(void **state)
{
    (void)state;
    size_t live = test_live_allocations();
    jz_hash_table table;
    jz_hash_table_init(&table);
    number *numbers = make_numbers(&table, MANY);
    for (uint32_t i = 0; i < MANY; i++) {
        size_t buckets = table.bucket_count > 0 ? table.bucket_count : 16;
        size_t bytes = test_allocated_bytes();
        put(&table, &numbers[i]);
        assert_in_range(table.bucket_count - buckets, 0, MOST_SPLITS);
        assert_in_range(chain_length(&table, numbers[i].entry.hash), 1, LONGEST_CHAIN);
        /* A segment, and now and then the list of them, which has a pointer for each. */
        size_t most = (JZ_BUCKETS_PER_SEGMENT + 2 * (table.bucket_count / JZ_BUCKETS_PER_SEGMENT + 4)) * sizeof(void *);
        assert_in_range(test_allocated_bytes() - bytes, 0, most);
        assert_true(table.bucket_count >= table.count);
    }
    for (uint32_t i = 0; i < MANY; i++) {
        size_t buckets = table.bucket_count;
        take(&table, &numbers[i]);
        assert_in_range(buckets - table.bucket_count, 0, MOST_UNIONS);
        assert_in_range(chain_length(&table, numbers[i].entry.hash), 0, LONGEST_CHAIN);
        assert_true(table.bucket_count <= 16 || table.bucket_count <= 2 * table.count + 1);
    }
    assert_int_equal(test_live_allocations(), live + 3); /* the numbers, one segment and the list of it */
    jz_hash_table_destroy(&table, NULL);
    free(numbers);
    assert_int_equal(test_live_allocations(), live);
}

static void without_memory_a_table_grows_no_more_and_loses_nothing(void **state)
{
    (void)state;
    enum { SOME = 2000 };
    jz_hash_table table;
    jz_hash_table_init(&table);
    number *numbers = make_numbers(&table, SOME);
    for (size_t allocations = 0; allocations < 2; allocations++) {
        test_allocations_fail_after(allocations);
        assert_false(jz_hash_table_add(&table, &numbers[0].entry));
        test_allocations_succeed();
        assert_int_equal(table.count, 0);
    }
    put(&table, &numbers[0]);
    test_allocations_fail_after(0);
    for (uint32_t i = 1; i < SOME; i++)
        put(&table, &numbers[i]);
    assert_true(test_allocations_succeed() > 0);
    assert_int_equal(table.bucket_count, JZ_BUCKETS_PER_SEGMENT);
    expect_all(&table, numbers, SOME);
    /* With memory it catches up, and without it gets smaller all the same. */
    for (uint32_t i = 0; i < SOME; i++) {
        take(&table, &numbers[i]);
        put(&table, &numbers[i]);
    }
    assert_int_equal(table.bucket_count, SOME);
    test_allocations_fail_after(0);
    for (uint32_t i = 1; i < SOME; i++)
        take(&table, &numbers[i]);
    test_allocations_succeed();
    expect_all(&table, numbers, SOME);
    assert_int_equal(table.bucket_count, 16);
    jz_hash_table_destroy(&table, NULL);
    free(numbers);
}

static void count_visit(void *context, jz_hash_entry *entry)
{
    size_t *visits = context;
    visits[entry->hash]++;
}

static void each_entry_is_visited_once(void **state)
{
    (void)state;
    enum { MOST = 700 }; /* several segments */
    static number numbers[MOST];
    static size_t visits[MOST];
    jz_hash_table table;
    jz_hash_table_init(&table);
    jz_hash_table_visit(&table, count_visit, visits);
    for (size_t count = 1; count <= MOST; count++) {
        numbers[count - 1].entry.hash = count - 1;
        put(&table, &numbers[count - 1]);
    }
    jz_hash_table_visit(&table, count_visit, visits);
    for (size_t i = 0; i < MOST; i++)
        assert_int_equal(visits[i], 1);
    jz_hash_table_destroy(&table, NULL);
}

static void free_number(jz_hash_entry *entry)
{
    free(entry);
}

static void what_is_left_can_be_given_back_with_the_table(void **state)
{
    (void)state;
    size_t live = test_live_allocations();
    jz_hash_table table;
    jz_hash_table_init(&table);
    for (uint64_t i = 0; i < 1000; i++) {
        number *added = calloc(1, sizeof *added);
        assert_non_null(added);
        added->entry.hash = i % 7; /* also with many entries in one bucket */
        put(&table, added);
    }
    jz_hash_table_destroy(&table, free_number);
    assert_int_equal(test_live_allocations(), live);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_table_has_nothing_and_takes_no_memory),
        cmocka_unit_test(each_table_has_a_key_of_its_own),
        cmocka_unit_test(everything_is_found_at_every_size),
        cmocka_unit_test(no_operation_moves_more_than_a_little),
        cmocka_unit_test(without_memory_a_table_grows_no_more_and_loses_nothing),
        cmocka_unit_test(each_entry_is_visited_once),
        cmocka_unit_test(what_is_left_can_be_given_back_with_the_table),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("hash table", tests, NULL, NULL));
}
