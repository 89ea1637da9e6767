/* What a receiver takes for new, for a duplicate and for a gap. */
#include "envelope/heard.h"

#include <stdio.h>

#include "support/allocation.h"
#include "support/testing.h"

typedef enum expected { NEXT, DUPLICATE, GAP, TOLD, NOTHING } expected; /* TOLD: an announcement that is a gap */

typedef struct step {
    char kind; /* 'm': a message, 'a': one that begins anew, '!': an announcement */
    uint64_t origin;
    uint64_t sequence;
    uint64_t lost_from;
    expected expected;
} step;

enum { MOST_STEPS = 8 };

static const struct {
    const char *name;
    step steps[MOST_STEPS];
} stories[] = {
    {"one after the other", {{'a', 1, 1, 0, NEXT}, {'m', 1, 2, 0, NEXT}, {'m', 1, 3, 0, NEXT}}},
    {"the same again",
     {{'a', 1, 1, 0, NEXT},
      {'a', 1, 1, 0, DUPLICATE},
      {'m', 1, 2, 0, NEXT},
      {'a', 1, 1, 0, DUPLICATE},
      {'m', 1, 2, 0, DUPLICATE}}},
    {"one is missing", {{'a', 1, 1, 0, NEXT}, {'m', 1, 3, 0, GAP}, {'m', 1, 4, 0, NEXT}, {'m', 1, 2, 0, DUPLICATE}}},
    {"subscribed in the middle", {{'m', 1, 70, 0, NEXT}, {'m', 1, 71, 0, NEXT}, {'m', 1, 73, 0, GAP}}},
    {"origins have numbers of their own",
     {{'m', 2, 5, 0, NEXT},
      {'m', 1, 9, 0, NEXT},
      {'m', 3, 1, 0, NEXT},
      {'m', 2, 6, 0, NEXT},
      {'m', 1, 11, 0, GAP},
      {'m', 3, 2, 0, NEXT}}},
    {"a publisher has forgotten its number",
     {{'m', 1, 5, 0, NEXT},
      {'a', 1, 90, 0, NEXT},
      {'m', 1, 91, 0, NEXT},
      {'a', 1, 90, 0, DUPLICATE},
      {'m', 1, 93, 0, GAP}}},
    {"a loss with nothing behind it",
     {{'a', 1, 1, 0, NEXT}, {'!', 1, 2, 2, TOLD}, {'!', 1, 2, 2, NOTHING}, {'m', 1, 3, 0, NEXT}}},
    {"a loss that was seen before it is announced",
     {{'a', 1, 1, 0, NEXT}, {'m', 1, 3, 0, GAP}, {'!', 1, 3, 2, NOTHING}}},
    {"nothing is lost but a connection", {{'a', 1, 1, 0, NEXT}, {'m', 1, 2, 0, NEXT}, {'!', 1, 2, 0, NOTHING}}},
    {"a loss of a publisher that was never heard",
     {{'!', 1, 5, 3, TOLD}, {'!', 1, 5, 3, NOTHING}, {'m', 1, 6, 0, NEXT}}},
    {"a loss before the first that was heard", {{'m', 1, 4, 0, NEXT}, {'!', 1, 4, 3, TOLD}, {'!', 1, 4, 3, NOTHING}}},
    {"a loss behind the first that was heard, and seen",
     {{'m', 1, 4, 0, NEXT}, {'m', 1, 6, 0, GAP}, {'!', 1, 6, 5, NOTHING}}},
    {"any loss before the first that was heard", {{'m', 1, 4, 0, NEXT}, {'!', 1, 4, 0, TOLD}, {'!', 1, 4, 0, NOTHING}}},
    {"the first that was heard is the first there is", {{'a', 1, 4, 0, NEXT}, {'!', 1, 4, 0, NOTHING}}},
    {"the loss of the first that began anew", {{'m', 1, 5, 0, NEXT}, {'!', 1, 5, 0, TOLD}, {'m', 1, 9, 0, GAP}}},
};

static jz_redis_verdict take(jz_redis_heard *heard, const step *s, uint64_t now_ms)
{
    jz_redis_envelope envelope = {
        .kind = s->kind == '!' ? JZ_REDIS_ANNOUNCEMENT : JZ_REDIS_TEXT,
        .is_anew = s->kind == 'a',
        .origin = s->origin,
        .sequence = s->sequence,
        .lost_from = s->lost_from,
    };
    return jz_redis_heard_take(heard, &envelope, now_ms);
}

static expected meaning_of(jz_redis_verdict verdict, char kind)
{
    if (kind == '!')
        return verdict.is_new ? NEXT : verdict.is_gap ? TOLD : NOTHING;
    return !verdict.is_new ? DUPLICATE : verdict.is_gap ? GAP : NEXT;
}

static void each_story_is_understood(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(stories); i++) {
        jz_redis_heard heard = {0};
        for (size_t k = 0; k < MOST_STEPS && stories[i].steps[k].kind != 0; k++) {
            const step *s = &stories[i].steps[k];
            expected meaning = meaning_of(take(&heard, s, 0), s->kind);
            assert_that(meaning == s->expected, "%s, step %zu: %d", stories[i].name, k + 1, (int)meaning);
        }
        jz_redis_heard_clear(&heard);
        assert_null(heard.origins);
    }
}

static jz_redis_verdict message(jz_redis_heard *heard, uint64_t origin, uint64_t sequence, uint64_t now_ms)
{
    return take(heard, &(step){.kind = sequence == 1 ? 'a' : 'm', .origin = origin, .sequence = sequence}, now_ms);
}

/* Processes that have ended leave before memory is taken for others, however many there were. */
static void origins_that_ended_take_no_memory(void **state)
{
    (void)state;
    jz_redis_heard heard = {0};
    size_t live = test_live_bytes();
    size_t most = 0;
    for (uint64_t i = 1; i < 10000; i++) {
        jz_redis_verdict verdict = message(&heard, i * 7919 % 10007 + 1, 1, i * JZ_REDIS_ORIGIN_AGE_MS / 4);
        assert_true(verdict.is_new && !verdict.is_gap);
        most = test_live_bytes() - live > most ? test_live_bytes() - live : most;
    }
    assert_true(most <= 8 * 32);
    jz_redis_heard_clear(&heard);
}

/* More publishers than a receiver keeps: memory is bounded, and what might be a gap is told as one. */
static void more_origins_than_are_kept_are_told_as_gaps(void **state)
{
    (void)state;
    jz_redis_heard heard = {0};
    size_t live = test_live_bytes();
    for (uint64_t origin = 1; origin <= JZ_REDIS_MOST_ORIGINS; origin++)
        assert_false(message(&heard, origin, 5, origin).is_gap);
    for (uint64_t origin = 2; origin <= JZ_REDIS_MOST_ORIGINS; origin++)
        assert_false(message(&heard, origin, 6, JZ_REDIS_MOST_ORIGINS + origin).is_gap);
    size_t bytes = test_live_bytes() - live;
    assert_false(message(&heard, JZ_REDIS_MOST_ORIGINS + 1, 1, 3000).is_gap); /* begins anew: nothing before it */
    assert_true(message(&heard, 1, 6, 3001).is_gap);                          /* was the oldest */
    assert_true(message(&heard, 1, 6, 3002).is_new == false);
    assert_false(message(&heard, JZ_REDIS_MOST_ORIGINS, 7, 3003).is_gap);
    assert_int_equal(test_live_bytes() - live, bytes);
    jz_redis_heard_clear(&heard);
}

static void without_memory_every_message_is_delivered_and_may_be_a_gap(void **state)
{
    (void)state;
    jz_redis_heard heard = {0};
    assert_false(message(&heard, 1, 5, 0).is_gap);
    test_allocations_fail_after(0);
    jz_redis_verdict first = message(&heard, 2, 5, 0);
    jz_redis_verdict second = message(&heard, 2, 6, 0);
    jz_redis_verdict known = message(&heard, 1, 6, 0);
    test_allocations_succeed();
    assert_true(first.is_new && first.is_gap && second.is_new && second.is_gap);
    assert_true(known.is_new && !known.is_gap);
    assert_true(message(&heard, 2, 7, 0).is_gap); /* 6 was told, but nobody knows */
    assert_false(message(&heard, 2, 8, 0).is_gap);
    jz_redis_heard_clear(&heard);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_story_is_understood),
        cmocka_unit_test(origins_that_ended_take_no_memory),
        cmocka_unit_test(more_origins_than_are_kept_are_told_as_gaps),
        cmocka_unit_test(without_memory_every_message_is_delivered_and_may_be_a_gap),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("heard", tests, NULL, NULL));
}
