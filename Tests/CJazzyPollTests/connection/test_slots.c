#define _POSIX_C_SOURCE 200809L

#include "connection/slots.h"

#include <pthread.h>

#include "support/allocation.h"
#include "support/testing.h"

enum { SHARD = 0x0102 };

static jz_ws handle_of(const jz_connection *connection)
{
    return jz_handle_make(SHARD, connection->slot, connection->generation);
}

static jz_connection *take(jz_slots *slots)
{
    jz_connection *connection = jz_slots_take(slots);
    assert_non_null(connection);
    return connection;
}

static void slots_are_numbered_and_never_move(void **state)
{
    (void)state;
    enum { COUNT = 3 * JZ_SLOTS_PER_CHUNK + 1 };
    static jz_connection *taken[COUNT];
    static bool is_taken[4 * JZ_SLOTS_PER_CHUNK];
    jz_slots slots;
    assert_true(jz_slots_init(&slots, 1));
    for (size_t i = 0; i < COUNT; i++) {
        taken[i] = take(&slots);
        assert_in_range(taken[i]->slot, 0, COUNT_OF(is_taken) - 1);
        assert_false(is_taken[taken[i]->slot]);
        is_taken[taken[i]->slot] = true;
    }
    for (size_t i = 0; i < COUNT; i++) {
        assert_ptr_equal(jz_slots_at(&slots, taken[i]->slot), taken[i]);
        assert_ptr_equal(jz_slots_find(&slots, handle_of(taken[i])), taken[i]);
    }
    jz_slots_destroy(&slots);
}

static void numbers_of_no_slot_are_not_found(void **state)
{
    (void)state;
    jz_slots slots;
    assert_true(jz_slots_init(&slots, 1));
    assert_null(jz_slots_at(&slots, 0));
    take(&slots);
    assert_non_null(jz_slots_at(&slots, 0));
    assert_non_null(jz_slots_at(&slots, JZ_SLOTS_PER_CHUNK - 1));
    assert_null(jz_slots_at(&slots, JZ_SLOTS_PER_CHUNK));
    assert_null(jz_slots_at(&slots, JZ_MAX_SLOTS - 1));
    assert_null(jz_slots_at(&slots, JZ_MAX_SLOTS));
    assert_null(jz_slots_at(&slots, UINT32_MAX));
    assert_null(jz_slots_find(&slots, jz_handle_make(SHARD, JZ_MAX_SLOTS - 1, 1)));
    jz_slots_destroy(&slots);
}

static void a_handle_is_stale_once_its_slot_is_given_back(void **state)
{
    (void)state;
    jz_slots slots;
    assert_true(jz_slots_init(&slots, 1));
    jz_ws stale[100];
    for (size_t i = 0; i < COUNT_OF(stale); i++) {
        jz_connection *connection = take(&slots);
        assert_int_equal(connection->slot, 0); /* it is used again at once: its memory is warm */
        stale[i] = handle_of(connection);
        assert_ptr_equal(jz_slots_find(&slots, stale[i]), connection);
        jz_slots_give_back(&slots, connection);
        for (size_t j = 0; j <= i; j++)
            assert_that(jz_slots_find(&slots, stale[j]) == NULL, "handle %zu is found after use %zu", j, i);
    }
    jz_slots_destroy(&slots);
}

static void generations_begin_where_they_are_told_to(void **state)
{
    (void)state;
    static const uint32_t beginnings[] = {1, 2, 1000, JZ_MAX_GENERATION - 1, JZ_MAX_GENERATION};
    for (size_t i = 0; i < COUNT_OF(beginnings); i++) {
        jz_slots slots;
        assert_true(jz_slots_init(&slots, beginnings[i]));
        for (size_t j = 0; j < 2 * JZ_SLOTS_PER_CHUNK; j++)
            assert_int_equal(take(&slots)->generation, beginnings[i]);
        jz_slots_destroy(&slots);
    }
}

static void a_slot_whose_generations_are_used_up_is_never_taken_again(void **state)
{
    (void)state;
    jz_slots slots;
    assert_true(jz_slots_init(&slots, JZ_MAX_GENERATION - 1));
    jz_connection *connection = take(&slots);
    jz_slots_give_back(&slots, connection);
    assert_ptr_equal(take(&slots), connection);
    jz_ws last = handle_of(connection);
    assert_int_equal(jz_handle_generation(last), JZ_MAX_GENERATION);
    jz_slots_give_back(&slots, connection);
    assert_null(jz_slots_find(&slots, last));
    assert_null(jz_slots_find(&slots, jz_handle_make(SHARD, connection->slot, 1)));
    for (size_t i = 0; i < 2 * JZ_SLOTS_PER_CHUNK; i++)
        assert_ptr_not_equal(take(&slots), connection);
    jz_slots_destroy(&slots);
}

static const struct {
    const char *name;
    uint32_t first_generation;
    size_t uses;
    uint32_t next_generation;
} ends[] = {
    {"a server without connections uses up no generation", 7, 0, 7},
    {"the generation after the only one", 7, 1, 8},
    {"the generation after the last one", 7, 1000, 1007},
    {"the last generation but one", JZ_MAX_GENERATION - 1, 1, JZ_MAX_GENERATION},
    {"all generations are used up", JZ_MAX_GENERATION - 1, 2, JZ_MAX_GENERATION},
};

static void the_end_tells_a_generation_beyond_all_handles(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(ends); i++) {
        jz_slots slots;
        assert_true(jz_slots_init(&slots, ends[i].first_generation));
        for (size_t j = 0; j < ends[i].uses; j++)
            jz_slots_give_back(&slots, take(&slots));
        uint32_t next = jz_slots_destroy(&slots);
        assert_that(next == ends[i].next_generation, "%s: %u", ends[i].name, next);
    }
}

static void slots_cost_memory_only_as_they_are_needed(void **state)
{
    (void)state;
    jz_slots slots;
    assert_true(jz_slots_init(&slots, 1));
    size_t before = test_allocation_count();
    for (size_t i = 0; i < JZ_SLOTS_PER_CHUNK; i++)
        take(&slots);
    assert_int_equal(test_allocation_count(), before + 1);
    jz_slots_give_back(&slots, jz_slots_at(&slots, 0));
    take(&slots);
    assert_int_equal(test_allocation_count(), before + 1);
    take(&slots);
    assert_int_equal(test_allocation_count(), before + 2);
    jz_slots_destroy(&slots);
}

static void without_memory_there_is_no_slot_until_there_is_memory(void **state)
{
    (void)state;
    jz_slots slots;
    test_allocations_fail_after(0);
    bool is_ready = jz_slots_init(&slots, 1);
    test_allocations_succeed();
    assert_false(is_ready);
    assert_true(jz_slots_init(&slots, 1));
    test_allocations_fail_after(0);
    jz_connection *connection = jz_slots_take(&slots);
    test_allocations_succeed();
    assert_null(connection);
    take(&slots);
    jz_slots_destroy(&slots);
}

typedef struct watched {
    jz_slots slots;
    _Atomic uint64_t stale; /* the newest handle whose connection is gone */
    atomic_bool is_done;
    size_t wrong_looks;
} watched;

static void *look_for_the_stale(void *context)
{
    watched *shared = context;
    while (!shared->is_done) {
        jz_ws ws = {shared->stale};
        shared->wrong_looks += jz_slots_find(&shared->slots, ws) != NULL ? 1 : 0;
    }
    return NULL;
}

static void no_thread_ever_finds_a_stale_handle(void **state)
{
    (void)state;
    static watched shared;
    assert_true(jz_slots_init(&shared.slots, 2));
    shared.stale = jz_handle_make(SHARD, 0, 1).value;
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, look_for_the_stale, &shared), 0);
    for (size_t i = 0; i < 100000; i++) {
        jz_connection *connection = take(&shared.slots);
        jz_ws ws = handle_of(connection);
        jz_slots_give_back(&shared.slots, connection);
        shared.stale = ws.value;
    }
    shared.is_done = true;
    pthread_join(thread, NULL);
    assert_int_equal(shared.wrong_looks, 0);
    jz_slots_destroy(&shared.slots);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slots_are_numbered_and_never_move),
        cmocka_unit_test(numbers_of_no_slot_are_not_found),
        cmocka_unit_test(a_handle_is_stale_once_its_slot_is_given_back),
        cmocka_unit_test(generations_begin_where_they_are_told_to),
        cmocka_unit_test(a_slot_whose_generations_are_used_up_is_never_taken_again),
        cmocka_unit_test(the_end_tells_a_generation_beyond_all_handles),
        cmocka_unit_test(slots_cost_memory_only_as_they_are_needed),
        cmocka_unit_test(without_memory_there_is_no_slot_until_there_is_memory),
        cmocka_unit_test(no_thread_ever_finds_a_stale_handle),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("slots", tests, NULL, NULL));
}
