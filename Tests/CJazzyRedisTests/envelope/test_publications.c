/* The numbers that a publisher gives, what it announces, and what it forgets. */
#include "envelope/published.h"

#include <stdio.h>

#include "support/allocation.h"
#include "support/testing.h"

enum { ORIGIN = 77, CAPACITY = 4 };

static jz_redis_published *begin(void)
{
    jz_redis_published *published = jz_redis_published_create(ORIGIN, CAPACITY);
    assert_non_null(published);
    return published;
}

typedef struct taken {
    jz_redis_publication *publication;
    jz_redis_envelope envelope;
} taken;

static taken take(jz_redis_published *published, const char *topic, uint64_t now_ms)
{
    taken t = {.envelope = {.kind = JZ_REDIS_TEXT, .publisher = 5}};
    t.publication = jz_redis_published_take(published, topic, strlen(topic), now_ms, &t.envelope);
    return t;
}

/* Publishes, and Redis takes it. Returns the number. */
static uint64_t publish(jz_redis_published *published, const char *topic, uint64_t now_ms)
{
    taken t = take(published, topic, now_ms);
    assert_non_null(t.publication);
    jz_redis_published_answered(published, t.publication);
    return t.envelope.sequence;
}

/* Publishes, and it is dropped. */
static uint64_t drop(jz_redis_published *published, const char *topic, uint64_t now_ms)
{
    taken t = take(published, topic, now_ms);
    assert_non_null(t.publication);
    jz_redis_published_lost(published, t.publication, t.envelope.sequence);
    return t.envelope.sequence;
}

/* "TOPIC SEQUENCE LOST_FROM" of each announcement that is due; Redis takes them. */
static const char *announce(jz_redis_published *published)
{
    static char all[256];
    all[0] = '\0';
    jz_redis_envelope envelope;
    for (jz_redis_publication *p; (p = jz_redis_published_next_announcement(published, 0, &envelope)) != NULL;) {
        assert_int_equal(envelope.kind, JZ_REDIS_ANNOUNCEMENT);
        assert_int_equal(envelope.origin, ORIGIN);
        (void)snprintf(all + strlen(all), sizeof all - strlen(all), "%.*s %u %u, ", (int)p->entry.length, p->entry.name,
                       (unsigned)envelope.sequence, (unsigned)envelope.lost_from);
        jz_redis_published_answered(published, p);
    }
    return all;
}

static void each_topic_has_numbers_of_its_own(void **state)
{
    (void)state;
    jz_redis_published *published = begin();
    taken first = take(published, "a", 0);
    assert_true(first.envelope.is_anew);
    assert_int_equal(first.envelope.origin, ORIGIN);
    assert_int_equal(first.envelope.kind, JZ_REDIS_TEXT);
    assert_int_equal(first.envelope.publisher, 5);
    assert_int_equal(first.envelope.sequence, 1);
    assert_false(take(published, "a", 0).envelope.is_anew);
    assert_int_equal(publish(published, "b", 0), 1);
    assert_int_equal(publish(published, "a", 0), 3);
    assert_int_equal(publish(published, "b", 0), 2);
    assert_int_equal(publish(published, "", 0), 1);
    assert_string_equal(announce(published), "");
    jz_redis_published_free(published);
    jz_redis_published_free(NULL);
}

static void a_loss_takes_a_number_and_is_announced(void **state)
{
    (void)state;
    jz_redis_published *published = begin();
    assert_int_equal(publish(published, "a", 0), 1);
    assert_int_equal(drop(published, "a", 0), 2);
    assert_int_equal(drop(published, "b", 0), 1);
    assert_int_equal(drop(published, "a", 0), 3);
    assert_int_equal(publish(published, "a", 0), 4);
    assert_int_equal(jz_redis_published_announcements_due(published), 2);
    assert_string_equal(announce(published), "a 4 2, b 1 1, ");
    assert_string_equal(announce(published), "");
    assert_int_equal(drop(published, "a", 0), 5);
    assert_string_equal(announce(published), "a 5 5, ");
    jz_redis_published_free(published);
}

static void an_announcement_that_is_refused_is_due_again(void **state)
{
    (void)state;
    jz_redis_published *published = begin();
    (void)drop(published, "a", 0);
    jz_redis_envelope envelope;
    jz_redis_publication *announced = jz_redis_published_next_announcement(published, 0, &envelope);
    assert_non_null(announced);
    assert_int_equal(drop(published, "a", 0), 2);
    jz_redis_published_lost(published, announced, envelope.lost_from);
    assert_string_equal(announce(published), "a 2 1, ");
    jz_redis_published_free(published);
}

static void what_was_published_lately_is_announced_after_reconnecting(void **state)
{
    (void)state;
    jz_redis_published *published = begin();
    (void)publish(published, "old", 1000);
    (void)publish(published, "lately", 1001);
    (void)drop(published, "lost", 500);
    jz_redis_published_reconnected(published, 1001, 2000);
    assert_string_equal(announce(published), "lost 1 1, lately 1 0, ");
    assert_false(jz_redis_published_is_lost_any_due(published));
    jz_redis_published_free(published);
}

static void a_topic_that_was_forgotten_begins_anew_above_all_its_numbers(void **state)
{
    (void)state;
    jz_redis_published *published = begin();
    for (uint64_t i = 1; i <= 9; i++)
        assert_int_equal(publish(published, "a", 0), i);
    static const char *const others[] = {"b", "c", "d", "e"};
    for (size_t i = 0; i < COUNT_OF(others); i++)
        (void)publish(published, others[i], 0);
    assert_int_equal(jz_redis_published_count(published), CAPACITY);
    taken again = take(published, "a", 0);
    assert_true(again.envelope.is_anew);
    assert_int_equal(again.envelope.sequence, 10);
    assert_false(jz_redis_published_is_lost_any_due(published));
    jz_redis_published_free(published);
}

static void topics_that_were_not_used_for_long_are_forgotten(void **state)
{
    (void)state;
    jz_redis_published *published = begin();
    (void)publish(published, "a", 0);
    (void)publish(published, "b", 0);
    (void)publish(published, "c", JZ_REDIS_DOUBT_MS + 1);
    assert_int_equal(jz_redis_published_count(published), 1);
    (void)drop(published, "c", JZ_REDIS_DOUBT_MS + 1);
    (void)publish(published, "d", 3 * JZ_REDIS_DOUBT_MS);
    assert_int_equal(jz_redis_published_count(published), 2); /* c has a loss to announce */
    assert_false(jz_redis_published_is_lost_any_due(published));
    jz_redis_published_free(published);
}

static void topics_with_unanswered_messages_stay(void **state)
{
    (void)state;
    jz_redis_published *published = begin();
    static const char *const names[] = {"a", "b", "c", "d", "e", "f", "g", "h"};
    taken all[COUNT_OF(names)];
    for (size_t i = 0; i < COUNT_OF(names); i++)
        all[i] = take(published, names[i], 0);
    assert_int_equal(jz_redis_published_count(published), COUNT_OF(names));
    assert_false(jz_redis_published_is_lost_any_due(published));
    for (size_t i = 0; i < COUNT_OF(names); i++)
        jz_redis_published_answered(published, all[i].publication);
    for (int i = 0; i < 8; i++) {
        char name[] = {(char)('m' + i), '\0'};
        (void)publish(published, name, 0);
    }
    assert_int_equal(jz_redis_published_count(published), CAPACITY);
    jz_redis_published_free(published);
}

static void a_loss_that_had_to_be_forgotten_is_announced_to_all(void **state)
{
    (void)state;
    jz_redis_published *published = begin();
    static const char *const names[] = {"a", "b", "c", "d", "e"};
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        assert_false(jz_redis_published_is_lost_any_due(published));
        (void)drop(published, names[i], 0);
    }
    assert_true(jz_redis_published_is_lost_any_due(published));
    assert_int_equal(jz_redis_published_announcements_due(published), CAPACITY);
    jz_redis_envelope envelope;
    jz_redis_published_take_lost_any(published, 0, &envelope);
    assert_int_equal(envelope.kind, JZ_REDIS_LOST_ANY);
    assert_int_equal(envelope.origin, ORIGIN);
    assert_false(jz_redis_published_is_lost_any_due(published));
    jz_redis_published_lost_any(published);
    assert_true(jz_redis_published_is_lost_any_due(published));
    jz_redis_published_free(published);
}

static void after_reconnecting_topics_that_were_forgotten_lately_are_announced_to_all(void **state)
{
    (void)state;
    static const struct {
        uint64_t since_ms;
        bool is_due;
    } cases[] = {{7, true}, {8, false}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        jz_redis_published *published = begin();
        static const char *const names[] = {"a", "b", "c", "d", "e"};
        for (size_t k = 0; k < COUNT_OF(names); k++)
            (void)publish(published, names[k], 7);
        jz_redis_published_reconnected(published, cases[i].since_ms, 9);
        assert_int_equal(jz_redis_published_is_lost_any_due(published), cases[i].is_due);
        jz_redis_published_free(published);
    }
}

/* Redis may be another one that all others have left, too: what was told to it is told again to the next. */
static void what_was_announced_is_announced_again_after_reconnecting_again(void **state)
{
    (void)state;
    jz_redis_envelope envelope;
    jz_redis_published *published = begin();
    (void)publish(published, "a", 1);
    jz_redis_published_reconnected(published, 0, 9);
    jz_redis_publication *announced = jz_redis_published_next_announcement(published, 10, &envelope);
    assert_non_null(announced);
    jz_redis_published_answered(published, announced);
    jz_redis_published_reconnected(published, 10, 20);
    assert_string_equal(announce(published), "a 1 0, ");
    jz_redis_published_free(published);
}

static void who_is_told_of_any_topic_is_told_how_long_ago(void **state)
{
    (void)state;
    jz_redis_envelope envelope;
    static const char *const names[] = {"a", "b", "c", "d", "e"};
    jz_redis_published *published = begin();
    for (size_t k = 0; k < COUNT_OF(names); k++)
        (void)publish(published, names[k], 7);
    jz_redis_published_reconnected(published, 0, 100);
    jz_redis_published_take_lost_any(published, 130, &envelope);
    assert_int_equal(envelope.sequence, 30);
    jz_redis_published_reconnected(published, 131, 200); /* it may have been in vain */
    assert_false(jz_redis_published_is_lost_any_due(published));
    jz_redis_published_reconnected(published, 130, 200);
    assert_true(jz_redis_published_is_lost_any_due(published));
    jz_redis_published_lost_any(published); /* of another reason: just now */
    jz_redis_published_take_lost_any(published, 300, &envelope);
    assert_int_equal(envelope.sequence, 0);
    jz_redis_published_free(published);
}

static void without_memory_a_message_is_lost_and_everybody_is_told(void **state)
{
    (void)state;
    size_t live = test_live_allocations();
    for (size_t step = 0;; step++) {
        test_allocations_fail_after(step);
        jz_redis_published *published = jz_redis_published_create(ORIGIN, CAPACITY);
        jz_redis_publication *publication = published != NULL ? take(published, "a", 0).publication : NULL;
        test_allocations_succeed();
        if (published != NULL) {
            assert_int_equal(jz_redis_published_is_lost_any_due(published), publication == NULL);
            assert_int_equal(jz_redis_published_count(published), publication != NULL ? 1 : 0);
            assert_int_equal(publish(published, "a", 0), publication != NULL ? 2 : 1);
        }
        jz_redis_published_free(published);
        assert_int_equal(test_live_allocations(), live);
        if (publication != NULL)
            break;
        assert_true(step < 10);
    }
}

/* Names of any length: what is kept of them is bounded as the number of topics is. */
static void long_names_leave_earlier(void **state)
{
    (void)state;
    static char name[CAPACITY * JZ_REDIS_PUBLISHED_AVERAGE / 2];
    jz_redis_published *published = begin();
    memset(name, 'n', sizeof name - 1);
    for (char first = 'a'; first <= 'z'; first++) {
        name[0] = first;
        publish(published, name, 1);
        assert_true(jz_redis_published_count(published) <= 2);
    }
    for (char first = 'a'; first < 'e'; first++)
        publish(published, (char[]){first, '\0'}, 1);
    assert_int_equal(jz_redis_published_count(published), CAPACITY);
    jz_redis_published_free(published);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(long_names_leave_earlier),
        cmocka_unit_test(each_topic_has_numbers_of_its_own),
        cmocka_unit_test(a_loss_takes_a_number_and_is_announced),
        cmocka_unit_test(an_announcement_that_is_refused_is_due_again),
        cmocka_unit_test(what_was_published_lately_is_announced_after_reconnecting),
        cmocka_unit_test(a_topic_that_was_forgotten_begins_anew_above_all_its_numbers),
        cmocka_unit_test(topics_that_were_not_used_for_long_are_forgotten),
        cmocka_unit_test(topics_with_unanswered_messages_stay),
        cmocka_unit_test(a_loss_that_had_to_be_forgotten_is_announced_to_all),
        cmocka_unit_test(after_reconnecting_topics_that_were_forgotten_lately_are_announced_to_all),
        cmocka_unit_test(what_was_announced_is_announced_again_after_reconnecting_again),
        cmocka_unit_test(who_is_told_of_any_topic_is_told_how_long_ago),
        cmocka_unit_test(without_memory_a_message_is_lost_and_everybody_is_told),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("published", tests, NULL, NULL));
}
