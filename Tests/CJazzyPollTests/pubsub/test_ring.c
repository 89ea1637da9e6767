#include "pubsub/ring.h"

#include "support/allocation.h"
#include "support/random.h"
#include "support/testing.h"

enum { PLACE_SIZE = 12, MOST = 3000 };

/* Publications are not looked at: any addresses will do. */
static jz_publication *numbered(uint32_t number)
{
    static char all[MOST * 40];
    return (jz_publication *)(void *)&all[number % sizeof all];
}

static uint32_t tick_of(uint32_t number)
{
    return number * 7 + 1;
}

/* The ring has the numbers from `oldest` to `next` - 1. */
static void expect(const jz_ring *ring, uint32_t oldest, uint32_t next)
{
    assert_int_equal(ring->count, next - oldest);
    for (uint32_t i = 0; i < ring->count; i++) {
        assert_ptr_equal(jz_ring_at(ring, i), numbered(oldest + i));
        assert_int_equal(jz_ring_tick_at(ring, i), tick_of(oldest + i));
    }
}

static void add(jz_ring *ring, uint32_t most, uint32_t number)
{
    assert_true(jz_ring_make_room(ring, most));
    jz_ring_add(ring, numbered(number), tick_of(number));
}

static void add_oldest(jz_ring *ring, uint32_t most, uint32_t number)
{
    assert_true(jz_ring_make_room(ring, most));
    jz_ring_add_oldest(ring, numbered(number), tick_of(number));
}

static void take(jz_ring *ring, uint32_t number)
{
    assert_ptr_equal(jz_ring_take(ring), numbered(number));
}

/* It grows and shrinks wherever its oldest is, and what it has keeps its order. */
static void it_is_a_queue(void **state)
{
    (void)state;
    size_t live = test_live_allocations();
    static const uint32_t mosts[] = {1, 2, 5, 16, 17, 100, 128, 129, 200, 777, MOST};
    for (size_t i = 0; i < COUNT_OF(mosts); i++) {
        uint32_t most = mosts[i] + 1;
        test_random random = {most};
        jz_ring ring = {0};
        uint32_t oldest = 0;
        uint32_t next = 0;
        for (unsigned step = 0; step < 60; step++) {
            uint32_t wanted = (uint32_t)test_random_below(&random, most);
            /* To and fro, so that the oldest is anywhere when there is no more room, or too much. */
            for (size_t turns = test_random_below(&random, 300); turns > 0; turns--) {
                add(&ring, most, next++);
                take(&ring, oldest++);
            }
            while (next - oldest < wanted)
                add(&ring, most, next++);
            expect(&ring, oldest, next);
            while (next - oldest > wanted)
                take(&ring, oldest++);
            expect(&ring, oldest, next);
        }
        while (oldest < next)
            take(&ring, oldest++);
        jz_ring_free(&ring);
        assert_int_equal(test_live_allocations(), live);
    }
}

/* What is older than all may come later than the rest. */
static void it_also_grows_at_its_old_end(void **state)
{
    (void)state;
    static const uint32_t mosts[] = {1, 5, 100, 129, 1000};
    for (size_t i = 0; i < COUNT_OF(mosts); i++) {
        jz_ring ring = {0};
        uint32_t oldest = MOST;
        uint32_t next = MOST;
        while (ring.count < mosts[i]) {
            add_oldest(&ring, mosts[i], --oldest);
            if (ring.count < mosts[i])
                add(&ring, mosts[i], next++);
        }
        expect(&ring, oldest, next);
        while (oldest < next)
            take(&ring, oldest++);
        jz_ring_free(&ring);
    }
}

/* Full, the oldest makes room for the newest, and no memory is needed. */
static void a_full_ring_goes_round(void **state)
{
    (void)state;
    static const uint32_t mosts[] = {1, 4, 100, 128, 129, 1000};
    for (size_t i = 0; i < COUNT_OF(mosts); i++) {
        jz_ring ring = {0};
        uint32_t next = 0;
        while (next < mosts[i])
            add(&ring, mosts[i], next++);
        assert_true(ring.capacity - mosts[i] <= mosts[i] / 64);
        size_t count = test_allocation_count();
        for (; next < 4 * mosts[i]; next++) {
            take(&ring, next - mosts[i]);
            add(&ring, mosts[i], next);
        }
        assert_int_equal(test_allocation_count(), count);
        expect(&ring, next - mosts[i], next);
        jz_ring_free(&ring);
    }
}

/* Also while it grows and shrinks: 12 bytes for each, less than one for the list of pieces, and the spare places. */
static void it_never_has_many_more_places_than_publications(void **state)
{
    (void)state;
    enum { MANY = 100000, CONSTANT = (JZ_MOST_SPARE_PLACES + JZ_MOST_SPARE_PLACES / 2) * PLACE_SIZE };
    size_t live = test_live_bytes();
    jz_ring ring = {0};
    uint32_t next = 0;
    for (; next < MANY; next++) {
        (void)test_most_live_bytes();
        add(&ring, MANY, next);
        size_t most = test_most_live_bytes() - live;
        assert_that(most <= ring.count * 13 + CONSTANT, "%zu bytes for %u places", most, (unsigned)ring.count);
        assert_true(ring.capacity - ring.count <= JZ_MOST_SPARE_PLACES);
    }
    for (uint32_t oldest = 0; oldest < next; oldest++) {
        (void)test_most_live_bytes();
        take(&ring, oldest);
        size_t most = test_most_live_bytes() - live;
        assert_that(most <= (ring.count + 1) * 13 + CONSTANT, "%zu bytes for %u places", most, (unsigned)ring.count);
        assert_true(ring.capacity - ring.count <= JZ_MOST_SPARE_PLACES);
    }
    jz_ring_free(&ring);
    assert_int_equal(test_live_bytes(), live);
}

static void without_memory_it_stays_as_it_is(void **state)
{
    (void)state;
    enum { MANY = 2000 };
    jz_ring ring = {0};
    uint32_t oldest = 0;
    uint32_t next = 0;
    while (next < MANY) {
        for (size_t allowed = 0;; allowed++) {
            test_allocations_fail_after(allowed);
            bool is_made = jz_ring_make_room(&ring, MANY);
            test_allocations_succeed();
            if (is_made)
                break;
            expect(&ring, oldest, next);
        }
        jz_ring_add(&ring, numbered(next), tick_of(next));
        next++;
        if (next % 3 == 0)
            take(&ring, oldest++);
    }
    test_allocations_fail_after(0);
    while (oldest < next)
        take(&ring, oldest++);
    test_allocations_succeed();
    add(&ring, MANY, next);
    expect(&ring, oldest, next + 1);
    jz_ring_free(&ring);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_a_queue),
        cmocka_unit_test(it_also_grows_at_its_old_end),
        cmocka_unit_test(a_full_ring_goes_round),
        cmocka_unit_test(it_never_has_many_more_places_than_publications),
        cmocka_unit_test(without_memory_it_stays_as_it_is),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("ring", tests, NULL, NULL));
}
