/* The last incidents of a shard: a ring for each kind. */
#include <pthread.h>
#include <stdio.h>
#include <time.h>

#include "shard/incidents.h"
#include "support/testing.h"

enum { KEPT = JZ_KEPT_INCIDENTS, THREADS = 4, EACH = 5000 };

static jz_incidents incidents;
static const jz_address peer = {.ip = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 192, 0, 2, 7}, .port = 4711};

static int begin(void **state)
{
    (void)state;
    jz_incidents_init(&incidents);
    return 0;
}

static int end(void **state)
{
    (void)state;
    jz_incidents_destroy(&incidents);
    return 0;
}

static void note(jz_incident_kind kind, const char *text)
{
    const jz_happening happening = {
        .kind = kind, .close_code = 1006, .reason = "peer", .text = text, .route = "/room", .peer = &peer};
    jz_incidents_note(&incidents, &happening);
}

static void note_numbered(jz_incident_kind kind, uint64_t from, uint64_t to)
{
    char text[32];
    for (uint64_t i = from; i <= to; i++) {
        snprintf(text, sizeof text, "number %llu", (unsigned long long)i);
        note(kind, text);
    }
}

static void an_incident_is_kept_with_all_that_is_known(void **state)
{
    (void)state;
    jz_incident found;
    uint64_t before_ms = (uint64_t)time(NULL) * 1000;
    note(JZ_INCIDENT_CLOSED, "it\nended");
    assert_true(jz_incidents_find(&incidents, JZ_INCIDENT_CLOSED, 1, &found));
    assert_int_equal(found.kind, JZ_INCIDENT_CLOSED);
    assert_int_equal(found.number, 1);
    assert_in_range(found.time_ms, before_ms, (uint64_t)time(NULL) * 1000 + 2000); /* time() is late by a tick */
    assert_string_equal(found.reason, "peer");
    assert_string_equal(found.text, "it\\nended");
    assert_string_equal(found.route, "/room");
    assert_string_equal(found.address, "192.0.2.7:4711");
    assert_int_equal(found.close_code, 1006);
    for (int kind = 0; kind < JZ_INCIDENT_KINDS; kind++)
        assert_int_equal(jz_incidents_count(&incidents, (jz_incident_kind)kind), kind == JZ_INCIDENT_CLOSED);
}

static void the_last_ones_of_each_kind_are_kept(void **state)
{
    (void)state;
    char text[32];
    jz_incident found;
    note_numbered(JZ_INCIDENT_FAILED, 1, 2);
    uint64_t last = 0;
    static const uint64_t steps[] = {1, KEPT - 1, KEPT, KEPT + 1, 2 * KEPT, 100 * KEPT + 3};
    for (size_t i = 0; i < COUNT_OF(steps); i++) {
        note_numbered(JZ_INCIDENT_REFUSED, last + 1, steps[i]);
        last = steps[i];
        assert_int_equal(jz_incidents_count(&incidents, JZ_INCIDENT_REFUSED), last);
        for (uint64_t number = 0; number <= last + 1; number++) {
            bool is_kept = number > 0 && number <= last && number + KEPT > last;
            assert_int_equal(jz_incidents_find(&incidents, JZ_INCIDENT_REFUSED, number, &found), is_kept);
            if (!is_kept)
                continue;
            snprintf(text, sizeof text, "number %llu", (unsigned long long)number);
            assert_string_equal(found.text, text);
            assert_int_equal(found.number, number);
        }
        /* Many of one kind hide none of another. */
        assert_true(jz_incidents_find(&incidents, JZ_INCIDENT_FAILED, 1, &found));
        assert_string_equal(found.text, "number 1");
    }
    assert_false(jz_incidents_find(&incidents, JZ_INCIDENT_REFUSED, UINT64_MAX, &found));
}

static void a_long_text_is_cut(void **state)
{
    (void)state;
    char text[JZ_INCIDENT_TEXT_SIZE * 2];
    jz_incident found;
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    note(JZ_INCIDENT_LOST, text);
    assert_true(jz_incidents_find(&incidents, JZ_INCIDENT_LOST, 1, &found));
    assert_true(strlen(found.text) < JZ_INCIDENT_TEXT_SIZE);
    assert_memory_equal(found.text, text, JZ_INCIDENT_TEXT_SIZE - 8);
}

static void *note_many(void *context)
{
    (void)context;
    jz_incident found;
    for (size_t i = 0; i < EACH; i++) {
        note(JZ_INCIDENT_REFUSED, "refused");
        uint64_t count = jz_incidents_count(&incidents, JZ_INCIDENT_REFUSED);
        if (jz_incidents_find(&incidents, JZ_INCIDENT_REFUSED, count, &found) &&
            (found.number != count || strcmp(found.text, "refused") != 0))
            return "torn";
    }
    return NULL;
}

static void several_threads_may_note_and_look(void **state)
{
    (void)state;
    pthread_t threads[THREADS];
    void *fault;
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, note_many, NULL), 0);
    for (size_t i = 0; i < THREADS; i++) {
        pthread_join(threads[i], &fault);
        assert_null(fault);
    }
    assert_int_equal(jz_incidents_count(&incidents, JZ_INCIDENT_REFUSED), THREADS * EACH);
}

static void each_kind_has_a_name(void **state)
{
    (void)state;
    static const char *const names[] = {"refused", "failed", "closed", "lost", "unknown"};
    for (int kind = 0; kind <= JZ_INCIDENT_KINDS; kind++)
        assert_string_equal(jz_incident_kind_name((jz_incident_kind)kind), names[kind]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_incident_is_kept_with_all_that_is_known, begin, end),
        cmocka_unit_test_setup_teardown(the_last_ones_of_each_kind_are_kept, begin, end),
        cmocka_unit_test_setup_teardown(a_long_text_is_cut, begin, end),
        cmocka_unit_test_setup_teardown(several_threads_may_note_and_look, begin, end),
        cmocka_unit_test(each_kind_has_a_name),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("incident ring", tests, NULL, NULL));
}
