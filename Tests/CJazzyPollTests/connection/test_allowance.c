/* What a message rate allows: exactly that, however often it is asked for, and at both ends of its range. */
#include "connection/allowance.h"

#include "support/allocation.h"
#include "support/random.h"
#include "support/testing.h"

enum { BEGAN_MS = 1000000 };

static const jz_message_rate rates[] = {
    {1, 1, JZ_EXCEEDING_DROP},
    {3, 2, JZ_EXCEEDING_CLOSE},
    {7, 1, JZ_EXCEEDING_DROP},
    {20, 40, JZ_EXCEEDING_DROP},
    {999, 1000, JZ_EXCEEDING_DROP},
    {1001, 1, JZ_EXCEEDING_DROP},
    {1, JZ_MAX_MESSAGE_RATE, JZ_EXCEEDING_DROP},
    {JZ_MAX_MESSAGE_RATE, 1, JZ_EXCEEDING_DROP},
    {JZ_MAX_MESSAGE_RATE, JZ_MAX_MESSAGE_RATE, JZ_EXCEEDING_DROP},
};

static uint64_t take_all(jz_allowance *allowance, jz_message_kind kind)
{
    uint64_t count = 0;
    while (jz_allowance_take(allowance, kind))
        count++;
    return count;
}

static void after_silence_there_is_a_burst_and_never_more(void **state)
{
    (void)state;
    static const uint64_t silences[] = {0, 1, 1000, 1000000000, UINT32_MAX, UINT64_MAX / 2};
    for (size_t i = 0; i < COUNT_OF(rates); i++) {
        for (size_t j = 0; j < COUNT_OF(silences); j++) {
            jz_allowance allowance;
            jz_allowance_begin(&allowance, &rates[i], BEGAN_MS);
            jz_allowance_fill(&allowance, &rates[i], BEGAN_MS + silences[j]);
            assert_int_equal(take_all(&allowance, JZ_MESSAGE_TEXT), rates[i].burst);
            assert_int_equal(take_all(&allowance, JZ_MESSAGE_PING), rates[i].burst);
        }
    }
}

/* For one pong at a time, and for no message. */
static void a_pong_that_is_expected_is_one_more(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rates); i++) {
        jz_allowance allowance;
        jz_allowance_begin(&allowance, &rates[i], BEGAN_MS);
        for (int ping = 0; ping < 3; ping++)
            jz_allowance_expect_pong(&allowance, &rates[i]);
        jz_allowance_fill(&allowance, &rates[i], BEGAN_MS + 1000);
        assert_int_equal(take_all(&allowance, JZ_MESSAGE_PONG), rates[i].burst + UINT64_C(1));
        assert_int_equal(take_all(&allowance, JZ_MESSAGE_TEXT), rates[i].burst);
        jz_allowance_expect_pong(&allowance, &rates[i]);
        assert_int_equal(take_all(&allowance, JZ_MESSAGE_PONG), 1);
    }
}

/* In steps of any length, for as long as no burst is full. */
static void what_is_taken_at_once_is_the_rate_to_the_last_message(void **state)
{
    (void)state;
    enum { STEPS = 300 };
    test_random random = {1};
    for (size_t i = 0; i < COUNT_OF(rates); i++) {
        jz_allowance allowance;
        uint64_t now = BEGAN_MS;
        /* The longest time after which it is not full, whatever was left over. */
        size_t most = ((size_t)rates[i].burst * 1000 - 999) / rates[i].per_second;
        jz_allowance_begin(&allowance, &rates[i], now);
        uint64_t taken = take_all(&allowance, JZ_MESSAGE_BINARY);
        for (int step = 0; step < STEPS && most > 0; step++) {
            now += test_random_below(&random, most < 50 ? most + 1 : 50);
            jz_allowance_fill(&allowance, &rates[i], now);
            taken += take_all(&allowance, JZ_MESSAGE_BINARY);
            uint64_t expected = rates[i].burst + (now - BEGAN_MS) * rates[i].per_second / 1000;
            assert_that(taken == expected, "rate %zu: %llu instead of %llu", i, (unsigned long long)taken,
                        (unsigned long long)expected);
        }
    }
}

static void the_wait_is_over_when_the_next_message_is_there_and_not_before(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rates); i++) {
        jz_allowance allowance;
        uint64_t now = BEGAN_MS;
        jz_allowance_begin(&allowance, &rates[i], now);
        assert_int_equal(jz_allowance_wait_ms(&allowance, &rates[i]), 0);
        for (int round = 0; round < 20; round++) {
            take_all(&allowance, JZ_MESSAGE_TEXT);
            uint32_t wait_ms = jz_allowance_wait_ms(&allowance, &rates[i]);
            assert_in_range(wait_ms, 1, (1000 - 1) / rates[i].per_second + 1);
            jz_allowance_fill(&allowance, &rates[i], now + wait_ms - 1);
            assert_false(jz_allowance_take(&allowance, JZ_MESSAGE_TEXT));
            jz_allowance_fill(&allowance, &rates[i], now += wait_ms);
            assert_int_equal(jz_allowance_wait_ms(&allowance, &rates[i]), 0);
            assert_true(jz_allowance_take(&allowance, JZ_MESSAGE_TEXT));
        }
    }
}

static void messages_that_came_nevertheless_are_paid_later(void **state)
{
    (void)state;
    static const jz_message_rate rate = {10, 2, JZ_EXCEEDING_PAUSE};
    jz_allowance allowance;
    jz_allowance_begin(&allowance, &rate, BEGAN_MS);
    for (int i = 0; i < 5; i++)
        jz_allowance_charge(&allowance, JZ_MESSAGE_TEXT);
    assert_int_equal(jz_allowance_wait_ms(&allowance, &rate), 400);
    assert_true(jz_allowance_take(&allowance, JZ_MESSAGE_PONG));
    /* Without end. */
    for (int i = 0; i < 5000000; i++)
        jz_allowance_charge(&allowance, JZ_MESSAGE_TEXT);
    assert_false(jz_allowance_take(&allowance, JZ_MESSAGE_TEXT));
    jz_allowance_fill(&allowance, &rate, UINT64_MAX);
    assert_int_equal(jz_allowance_wait_ms(&allowance, &rate), 0);
}

static void pings_and_pongs_cost_no_messages(void **state)
{
    (void)state;
    static const jz_message_rate rate = {10, 3, JZ_EXCEEDING_CLOSE};
    jz_allowance allowance;
    jz_allowance_begin(&allowance, &rate, BEGAN_MS);
    assert_true(jz_allowance_take(&allowance, JZ_MESSAGE_PING));
    assert_true(jz_allowance_take(&allowance, JZ_MESSAGE_PONG));
    assert_true(jz_allowance_take(&allowance, JZ_MESSAGE_PING));
    assert_false(jz_allowance_take(&allowance, JZ_MESSAGE_PONG));
    assert_int_equal(jz_allowance_wait_ms(&allowance, &rate), 100); /* for any kind */
    assert_true(jz_allowance_take(&allowance, JZ_MESSAGE_TEXT));
    assert_int_equal(take_all(&allowance, JZ_MESSAGE_BINARY), 2);
}

/* Else what a late timer finds would be too little for the rate. */
static void where_reading_pauses_a_burst_is_at_least_what_comes_in_100_ms(void **state)
{
    (void)state;
    static const struct {
        jz_message_rate rate;
        uint64_t burst;
    } rows[] = {
        {{1, 1, JZ_EXCEEDING_PAUSE}, 1},
        {{20, 40, JZ_EXCEEDING_PAUSE}, 40},
        {{20, 1, JZ_EXCEEDING_PAUSE}, 3},
        {{1000, 1, JZ_EXCEEDING_PAUSE}, 101},
        {{JZ_MAX_MESSAGE_RATE, 1, JZ_EXCEEDING_PAUSE}, 100001},
        {{JZ_MAX_MESSAGE_RATE, JZ_MAX_MESSAGE_RATE, JZ_EXCEEDING_PAUSE}, JZ_MAX_MESSAGE_RATE},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        jz_allowance allowance;
        jz_allowance_begin(&allowance, &rows[i].rate, BEGAN_MS);
        assert_int_equal(take_all(&allowance, JZ_MESSAGE_TEXT), rows[i].burst);
        jz_allowance_fill(&allowance, &rows[i].rate, BEGAN_MS + (uint64_t)UINT32_MAX);
        assert_int_equal(take_all(&allowance, JZ_MESSAGE_TEXT), rows[i].burst);
    }
}

static void time_that_stands_still_or_goes_back_gives_nothing(void **state)
{
    (void)state;
    static const jz_message_rate rate = {1000, 1, JZ_EXCEEDING_DROP};
    static const uint64_t times[] = {BEGAN_MS, BEGAN_MS - 1, 0, BEGAN_MS};
    jz_allowance allowance;
    jz_allowance_begin(&allowance, &rate, BEGAN_MS);
    assert_true(jz_allowance_take(&allowance, JZ_MESSAGE_TEXT));
    for (size_t i = 0; i < COUNT_OF(times); i++) {
        jz_allowance_fill(&allowance, &rate, times[i]);
        assert_false(jz_allowance_take(&allowance, JZ_MESSAGE_TEXT));
    }
    jz_allowance_fill(&allowance, &rate, BEGAN_MS + 1);
    assert_true(jz_allowance_take(&allowance, JZ_MESSAGE_TEXT));
}

static void each_slot_has_its_allowance(void **state)
{
    (void)state;
    static const uint32_t slots[] = {0, 255, 256, 5000, 4194303, 1};
    jz_allowances allowances = {0};
    assert_null(jz_allowances_at(&allowances, 0));
    for (size_t allowed = 0; allowed < 2; allowed++) { /* the list, and the chunk */
        test_allocations_fail_after(allowed);
        bool has_room = jz_allowances_ensure(&allowances, 5000);
        test_allocations_succeed();
        assert_false(has_room);
        assert_null(jz_allowances_at(&allowances, 5000));
    }
    for (size_t i = 0; i < COUNT_OF(slots); i++) {
        assert_true(jz_allowances_ensure(&allowances, slots[i]));
        jz_allowances_at(&allowances, slots[i])->filled_ms = slots[i];
    }
    for (size_t i = 0; i < COUNT_OF(slots); i++) {
        assert_true(jz_allowances_ensure(&allowances, slots[i]));
        assert_int_equal(jz_allowances_at(&allowances, slots[i])->filled_ms, slots[i]);
    }
    assert_null(jz_allowances_at(&allowances, 10000));
    jz_allowances_free(&allowances);
    assert_null(jz_allowances_at(&allowances, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(after_silence_there_is_a_burst_and_never_more),
        cmocka_unit_test(a_pong_that_is_expected_is_one_more),
        cmocka_unit_test(what_is_taken_at_once_is_the_rate_to_the_last_message),
        cmocka_unit_test(the_wait_is_over_when_the_next_message_is_there_and_not_before),
        cmocka_unit_test(messages_that_came_nevertheless_are_paid_later),
        cmocka_unit_test(pings_and_pongs_cost_no_messages),
        cmocka_unit_test(where_reading_pauses_a_burst_is_at_least_what_comes_in_100_ms),
        cmocka_unit_test(time_that_stands_still_or_goes_back_gives_nothing),
        cmocka_unit_test(each_slot_has_its_allowance),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("allowance", tests, NULL, NULL));
}
