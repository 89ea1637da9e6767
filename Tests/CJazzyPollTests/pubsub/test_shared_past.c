#include "pubsub/shared_past.h"

#include <stdio.h>

#include "support/allocation.h"
#include "support/testing.h"

enum { EPOCH = 7, KEEP = 5, NOW_MS = 1000000 };

static const jz_siphash_key key = {{1, 2}};
static const char topic[] = "room/7";

static jz_history *keeping(void)
{
    const jz_history_options options = {.keep = KEEP, .for_ms = 60000, .bytes = 1000};
    jz_history *history = jz_history_create(1024 * 1024, &key);
    assert_non_null(history);
    assert_true(jz_history_add_rule(history, jz_text_of("room/"), &options));
    return history;
}

static void hold(jz_history *history, jz_held_topic *held)
{
    jz_history_hold(history, 0, jz_text_of(topic), NOW_MS, held);
}

static jz_publication *message(uint64_t offset)
{
    char text[24];
    int length = snprintf(text, sizeof text, "%llu", (unsigned long long)offset);
    jz_publication *publication =
        jz_publication_create(JZ_MESSAGE_TEXT, text, (size_t)length, JZ_COMPRESSION_AUTOMATIC);
    assert_non_null(publication);
    return publication;
}

/* As a message that is delivered. */
static jz_coming deliver(jz_history *history, uint64_t epoch, uint64_t offset, bool is_joined)
{
    jz_publication *publication = message(offset);
    jz_held_topic held;
    hold(history, &held);
    jz_coming coming = jz_history_look_at(&held, (jz_position){epoch, offset});
    if (coming > JZ_COMING_NEXT)
        jz_history_forget_kept(&held);
    if (coming >= JZ_COMING_NEXT) {
        assert_true(jz_history_prepare(&held));
        jz_history_append_at(&held, publication, (jz_position){epoch, offset}, is_joined);
    }
    jz_history_release(&held);
    jz_publication_release(publication);
    return coming;
}

/* The topic is wanted, and has delivered all up to an offset. */
static jz_history *delivered(uint64_t first, uint64_t last)
{
    jz_history *history = keeping();
    assert_true(jz_history_want(history, jz_text_of(topic)));
    for (uint64_t offset = first; offset <= last; offset++)
        deliver(history, EPOCH, offset, true);
    return history;
}

static void what_is_delivered_is_the_next_or_not(void **state)
{
    (void)state;
    static const struct {
        uint64_t epoch;
        uint64_t offset;
        jz_coming coming;
    } rows[] = {
        {EPOCH, 1, JZ_COMING_AGAIN},      {EPOCH, 5, JZ_COMING_AGAIN},           {EPOCH, 6, JZ_COMING_NEXT},
        {EPOCH, 7, JZ_COMING_BEYOND},     {EPOCH, UINT64_MAX, JZ_COMING_BEYOND}, {EPOCH + 1, 1, JZ_COMING_BEYOND},
        {EPOCH + 1, 6, JZ_COMING_BEYOND},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        jz_history *history = delivered(3, 5);
        assert_int_equal(deliver(history, rows[i].epoch, rows[i].offset, true), rows[i].coming);
        jz_history_unwant(history, jz_text_of(topic));
        assert_int_equal(deliver(history, rows[i].epoch, rows[i].offset, true), JZ_COMING_UNWANTED);
        jz_history_destroy(history);
    }
    jz_history *history = delivered(1, 0);
    assert_int_equal(deliver(history, EPOCH, 9, true), JZ_COMING_FIRST);
    jz_history_destroy(history);
}

static void the_broker_is_asked_for_what_is_not_known(void **state)
{
    (void)state;
    static const struct {
        uint64_t first, last; /* of what was delivered */
        jz_subscribe_options options;
        bool asks;
    } rows[] = {
        {1, 0, {0}, true},
        {3, 5, {0}, false},
        {3, 5, {.recent = 3}, false},
        {3, 5, {.recent = 4}, true},
        {3, 5, {.has_since = true, .since = {EPOCH, 5}}, false},
        {3, 5, {.has_since = true, .since = {EPOCH, 2}}, false},
        {3, 5, {.has_since = true, .since = {EPOCH, 1}}, true},
        {3, 5, {.has_since = true, .since = {EPOCH, 6}}, true},      /* it may be on its way here */
        {3, 5, {.has_since = true, .since = {EPOCH + 1, 4}}, false}, /* nobody continues there */
        {1, 3, {.recent = 100}, false},                              /* there are no more */
        {3, 9, {.has_since = true, .since = {EPOCH, 3}}, false},     /* so much is not kept */
        {3, 9, {.recent = 100}, false},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        jz_history *history = delivered(rows[i].first, rows[i].last);
        jz_held_topic held;
        hold(history, &held);
        assert_that(jz_history_has_to_ask(&held, &rows[i].options) == rows[i].asks, "row %zu", i);
        jz_history_release(&held);
        jz_history_destroy(history);
    }
}

/* The broker has been asked because of one who claims this offset, and has told no other newest than is known. */
static void be_asked_for(jz_history *history, uint64_t claimed)
{
    jz_waiting waiting = {.options = {.has_since = true, .since = {EPOCH, claimed}}};
    jz_held_topic held;
    hold(history, &held);
    assert_int_not_equal(jz_history_wait(&held, &waiting, NOW_MS), 0);
    jz_history_doubt(&held);
    assert_ptr_equal(jz_history_take_waiting(&held), &waiting);
    jz_history_end_fetch(&held);
    jz_history_release(&held);
}

static bool asks_at(jz_history *history, uint64_t now_ms, jz_subscribe_options options)
{
    jz_held_topic held;
    jz_history_hold(history, 0, jz_text_of(topic), now_ms, &held);
    bool asks = jz_history_has_to_ask(&held, &options);
    jz_history_release(&held);
    return asks;
}

static void offsets_that_are_made_up_are_a_reason_to_ask_once_a_second(void **state)
{
    (void)state;
    const jz_subscribe_options ahead = {.has_since = true, .since = {EPOCH, 6}};
    const jz_subscribe_options far_ahead = {.has_since = true, .since = {EPOCH, UINT64_MAX}};
    const jz_subscribe_options behind = {.has_since = true, .since = {EPOCH, 1}};
    jz_history *history = delivered(3, 5);
    be_asked_for(history, 5); /* nothing was wrong with this */
    assert_true(asks_at(history, NOW_MS, ahead));
    be_asked_for(history, 6);
    assert_false(asks_at(history, NOW_MS - 100, ahead)); /* by the clock of a loop that is late */
    assert_false(asks_at(history, NOW_MS, ahead));
    assert_false(asks_at(history, NOW_MS + 900, far_ahead));
    assert_true(asks_at(history, NOW_MS + 900, behind));
    assert_true(asks_at(history, NOW_MS + 1000, ahead));
    jz_history_destroy(history);
}

static void an_answer_fits_what_is_known_or_not(void **state)
{
    (void)state;
    static const struct {
        bool is_live;
        jz_position newest;
        jz_fitting fitting;
    } rows[] = {
        {true, {EPOCH, 5}, JZ_FITTING},
        {true, {EPOCH, 4}, JZ_FITTING},
        {true, {EPOCH, 0}, JZ_FITTING},
        {true, {EPOCH, 6}, JZ_FITTING_AFRESH},
        {true, {EPOCH + 1, 5}, JZ_FITTING_AT_ODDS},
        {false, {EPOCH, 5}, JZ_FITTING},
        {false, {EPOCH, 4}, JZ_FITTING_NOT},
        {false, {EPOCH, 6}, JZ_FITTING_AFRESH},
        {false, {EPOCH + 1, 0}, JZ_FITTING_AFRESH},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        jz_history *history = delivered(3, 5);
        jz_held_topic held;
        hold(history, &held);
        if (!rows[i].is_live)
            jz_history_forget_kept(&held);
        assert_that(jz_history_compare(&held, rows[i].newest) == rows[i].fitting, "row %zu", i);
        jz_history_miss(&held);
        assert_int_equal(jz_history_compare(&held, rows[i].newest), JZ_FITTING_NOT);
        jz_history_release(&held);
        jz_history_destroy(history);
    }
}

static void expect_kept(jz_held_topic *held, uint64_t first, uint64_t last)
{
    assert_int_equal(held->past->offset, last);
    assert_int_equal(held->past->ring.count, last + 1 - first);
    for (uint64_t offset = first; offset <= last; offset++) {
        size_t length;
        const void *payload = jz_publication_payload(jz_past_at(held->past, offset), &length);
        char text[24];
        snprintf(text, sizeof text, "%llu", (unsigned long long)offset);
        assert_int_equal(length, strlen(text));
        assert_memory_equal(payload, text, length);
    }
}

static void what_is_fetched_is_added_before_what_is_known(void **state)
{
    (void)state;
    static const struct {
        uint64_t first, last;     /* of what was delivered; none: it is not live */
        uint64_t newest, fetched; /* of the answer, and how many messages it has */
        uint64_t expected_first, expected_last;
    } rows[] = {
        {1, 0, 3, 3, 1, 3}, {1, 0, 9, 9, 5, 9}, {1, 0, 9, 2, 8, 9}, {1, 0, 9, 0, 10, 9},
        {4, 5, 3, 3, 1, 5}, {4, 5, 4, 4, 1, 5}, {4, 5, 5, 1, 4, 5}, {4, 5, 5, 5, 1, 5},
        {6, 7, 5, 5, 3, 7}, {4, 5, 4, 1, 4, 5}, {4, 5, 2, 2, 4, 5}, /* there is something between them */
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        jz_history *history = delivered(rows[i].first, rows[i].last);
        jz_publication *publications[16];
        jz_broker_kept_message messages[16] = {{.age_ms = 0}};
        for (uint64_t j = 0; j < rows[i].fetched; j++)
            publications[j] = message(rows[i].newest - rows[i].fetched + 1 + j);
        const jz_fetched fetched = {.newest = {EPOCH, rows[i].newest},
                                    .count = (size_t)rows[i].fetched,
                                    .publications = publications,
                                    .messages = messages};
        jz_held_topic held;
        hold(history, &held);
        jz_history_add_fetched(&held, &fetched, true);
        expect_kept(&held, rows[i].expected_first, rows[i].expected_last);
        assert_true(held.past->sharing->is_live && held.past->sharing->is_whole);
        jz_history_release(&held);
        for (uint64_t j = 0; j < rows[i].fetched; j++)
            jz_publication_release(publications[j]);
        jz_history_destroy(history);
    }
}

/* In the moment in which it is known to be lost, and the topic not yet to be incomplete. */
static void nobody_continues_from_what_comes_while_the_broker_is_lost(void **state)
{
    (void)state;
    jz_history *history = delivered(3, 5);
    jz_held_topic held;
    assert_int_equal(deliver(history, EPOCH, 6, false), JZ_COMING_NEXT);
    hold(history, &held);
    assert_false(jz_history_is_known(&held));
    assert_int_equal(held.past->ring.count, 0);
    jz_history_release(&held);
    assert_int_equal(deliver(history, EPOCH, 6, false), JZ_COMING_AGAIN);
    assert_int_equal(deliver(history, EPOCH, 7, true), JZ_COMING_NEXT);
    hold(history, &held);
    assert_true(jz_history_is_known(&held));
    expect_kept(&held, 7, 7);
    jz_history_release(&held);
    jz_history_destroy(history);
}

static void a_topic_that_is_wanted_without_memory_is_not(void **state)
{
    (void)state;
    size_t before = test_live_allocations();
    jz_history *history = keeping();
    size_t failed = 1;
    for (size_t step = 0; failed > 0; step++) {
        size_t empty = test_live_allocations();
        test_allocation_fails_once_after(step);
        bool is_wanted = jz_history_want(history, jz_text_of(topic));
        failed = test_allocations_succeed();
        assert_true(is_wanted || failed > 0);
        if (is_wanted)
            jz_history_unwant(history, jz_text_of(topic));
        assert_true(step > 0 || test_live_allocations() == empty);
        assert_int_equal(jz_history_count(history).topics, 0);
    }
    jz_history_destroy(history);
    assert_int_equal(test_live_allocations(), before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_delivered_is_the_next_or_not),
        cmocka_unit_test(the_broker_is_asked_for_what_is_not_known),
        cmocka_unit_test(offsets_that_are_made_up_are_a_reason_to_ask_once_a_second),
        cmocka_unit_test(an_answer_fits_what_is_known_or_not),
        cmocka_unit_test(what_is_fetched_is_added_before_what_is_known),
        cmocka_unit_test(nobody_continues_from_what_comes_while_the_broker_is_lost),
        cmocka_unit_test(a_topic_that_is_wanted_without_memory_is_not),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("shared past", tests, NULL, NULL));
}
