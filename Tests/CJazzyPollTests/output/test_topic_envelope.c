#define _POSIX_C_SOURCE 200809L

#include "output/envelope.h"

#include <pthread.h>
#include <string.h>

#include "support/allocation.h"
#include "support/testing.h"

static jz_publication *publish(jz_message_kind kind, const char *bytes, size_t length)
{
    jz_publication *publication = jz_publication_create(kind, bytes, length, JZ_COMPRESSION_AUTOMATIC);
    assert_non_null(publication);
    return publication;
}

static void expect_payload(const jz_publication *publication, const char *expected)
{
    size_t length;
    const uint8_t *payload = jz_publication_payload(publication, &length);
    assert_int_equal(jz_publication_kind(publication), JZ_MESSAGE_TEXT);
    assert_int_equal(length, strlen(expected));
    assert_memory_equal(payload, expected, length);
}

static void an_envelope_has_the_topic_the_offset_and_the_payload(void **state)
{
    (void)state;
    static const struct {
        const char *topic;
        uint64_t offset;
        jz_message_kind kind;
        const char *payload;
        size_t length;
        const char *envelope;
    } cases[] = {
        {"room/7", 58, JZ_MESSAGE_TEXT, "Hello", 5, "{\"t\":\"room/7\",\"o\":58,\"d\":\"Hello\"}"},
        {"", 1, JZ_MESSAGE_TEXT, "", 0, "{\"t\":\"\",\"o\":1,\"d\":\"\"}"},
        {"a\"b\\", UINT64_MAX, JZ_MESSAGE_TEXT, "{\"x\":\"\n\"}", 9,
         "{\"t\":\"a\\\"b\\\\\",\"o\":18446744073709551615,\"d\":\"{\\\"x\\\":\\\"\\n\\\"}\"}"},
        {"Ünder", 2, JZ_MESSAGE_TEXT, "世界 🎷", 11, "{\"t\":\"Ünder\",\"o\":2,\"d\":\"世界 🎷\"}"},
        {"b", 3, JZ_MESSAGE_BINARY, "\0\xff\"", 3, "{\"t\":\"b\",\"o\":3,\"b\":\"AP8i\"}"},
        {"b", 4, JZ_MESSAGE_BINARY, "", 0, "{\"t\":\"b\",\"o\":4,\"b\":\"\"}"},
        {"b", 5, JZ_MESSAGE_BINARY, "a", 1, "{\"t\":\"b\",\"o\":5,\"b\":\"YQ==\"}"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        jz_publication *publication = publish(cases[i].kind, cases[i].payload, cases[i].length);
        jz_publication *envelope = jz_publication_enveloped(publication, jz_text_of(cases[i].topic), cases[i].offset);
        assert_non_null(envelope);
        expect_payload(envelope, cases[i].envelope);
        jz_publication_release(publication);
        jz_publication_release(envelope);
    }
}

static void an_announcement_has_a_topic_or_none(void **state)
{
    (void)state;
    const jz_subscribed begins = {.has_recovered = true, .count = 2, .position = {0xa001, 57}};
    const jz_subscribed new = {.position = {UINT64_MAX, UINT64_MAX}};
    const jz_text topic = jz_text_of("a\"");
    jz_publication *announcement = jz_envelope_announce(NULL, &begins);
    expect_payload(announcement, "{\"epoch\":\"000000000000a001\",\"offset\":57,\"recovered\":true,\"count\":2}");
    jz_publication_release(announcement);
    announcement = jz_envelope_announce(&topic, &new);
    expect_payload(announcement, "{\"t\":\"a\\\"\",\"epoch\":\"ffffffffffffffff\",\"offset\":18446744073709551615,"
                                 "\"recovered\":false,\"count\":0}");
    jz_publication_release(announcement);
}

/* All who get it share one, and it is freed when only the history has the message. */
static void an_envelope_is_made_once_and_not_kept(void **state)
{
    (void)state;
    size_t live = test_live_allocations();
    jz_publication *publication = publish(JZ_MESSAGE_TEXT, "Hello", 5);
    jz_publication_keep(publication);
    jz_publication_release(publication);
    for (size_t i = 0; i < 3; i++) {
        jz_publication_retain(publication);
        jz_publication_retain(publication);
        jz_publication *first = jz_publication_enveloped(publication, jz_text_of("t"), 7);
        jz_publication_release(publication);
        jz_publication *second = jz_publication_enveloped(publication, jz_text_of("t"), 7);
        assert_ptr_equal(first, second);
        jz_publication_release(publication);
        /* Whoever is still to send it has it. */
        expect_payload(first, "{\"t\":\"t\",\"o\":7,\"d\":\"Hello\"}");
        jz_publication_release(first);
        jz_publication_release(second);
        assert_int_equal(test_live_allocations(), live + 1);
    }
    jz_publication_forget(publication);
    assert_int_equal(test_live_allocations(), live);
}

static void each_offset_has_an_envelope_of_its_own(void **state)
{
    (void)state;
    size_t live = test_live_allocations();
    jz_publication *publication = publish(JZ_MESSAGE_TEXT, "Hello", 5);
    jz_publication *envelopes[4];
    for (size_t i = 0; i < COUNT_OF(envelopes); i++)
        envelopes[i] = jz_publication_enveloped(publication, jz_text_of("t"), 7 + i % 2);
    expect_payload(envelopes[0], "{\"t\":\"t\",\"o\":7,\"d\":\"Hello\"}");
    expect_payload(envelopes[1], "{\"t\":\"t\",\"o\":8,\"d\":\"Hello\"}");
    assert_ptr_equal(envelopes[0], envelopes[2]);
    assert_ptr_equal(envelopes[1], envelopes[3]);
    for (size_t i = 0; i < COUNT_OF(envelopes); i++)
        jz_publication_release(envelopes[i]);
    jz_publication_release(publication);
    assert_int_equal(test_live_allocations(), live);
}

enum { THREADS = 4, ROUNDS = 200 };

typedef struct maker {
    jz_publication **publications;
    pthread_barrier_t *barrier;
    jz_publication *envelopes[ROUNDS];
} maker;

static void *make(void *context)
{
    maker *self = context;
    for (size_t i = 0; i < ROUNDS; i++) {
        pthread_barrier_wait(self->barrier);
        self->envelopes[i] = jz_publication_enveloped(self->publications[i], jz_text_of("t"), i);
        jz_publication_release(self->publications[i]);
    }
    return NULL;
}

static void loops_that_need_it_at_the_same_time_share_it(void **state)
{
    (void)state;
    static maker makers[THREADS];
    jz_publication *publications[ROUNDS];
    pthread_t threads[THREADS];
    pthread_barrier_t barrier;
    size_t live = test_live_allocations();
    assert_int_equal(pthread_barrier_init(&barrier, NULL, THREADS), 0);
    for (size_t i = 0; i < ROUNDS; i++) {
        publications[i] = publish(JZ_MESSAGE_TEXT, "Hello", 5);
        for (size_t j = 0; j < THREADS; j++)
            jz_publication_retain(publications[i]);
    }
    for (size_t i = 0; i < THREADS; i++) {
        makers[i].publications = publications;
        makers[i].barrier = &barrier;
        assert_int_equal(pthread_create(&threads[i], NULL, make, &makers[i]), 0);
    }
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    for (size_t i = 0; i < ROUNDS; i++) {
        for (size_t j = 0; j < THREADS; j++) {
            assert_ptr_equal(makers[j].envelopes[i], makers[0].envelopes[i]);
            jz_publication_release(makers[j].envelopes[i]);
        }
        jz_publication_release(publications[i]);
    }
    pthread_barrier_destroy(&barrier);
    assert_int_equal(test_live_allocations(), live);
}

static void without_memory_there_is_none_or_it_is_not_shared(void **state)
{
    (void)state;
    size_t live = test_live_allocations();
    size_t made = 0;
    for (size_t allowed = 0; allowed < 3; allowed++) {
        jz_publication *publication = publish(JZ_MESSAGE_TEXT, "Hello", 5);
        test_allocations_fail_after(allowed);
        jz_publication *envelope = jz_publication_enveloped(publication, jz_text_of("t"), 1);
        test_allocations_succeed();
        assert_int_equal(envelope != NULL, allowed > 0);
        if (envelope != NULL) {
            made++;
            expect_payload(envelope, "{\"t\":\"t\",\"o\":1,\"d\":\"Hello\"}");
            jz_publication_release(envelope);
        }
        jz_publication_release(publication);
        assert_int_equal(test_live_allocations(), live);
    }
    assert_int_equal(made, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_envelope_has_the_topic_the_offset_and_the_payload),
        cmocka_unit_test(an_announcement_has_a_topic_or_none),
        cmocka_unit_test(an_envelope_is_made_once_and_not_kept),
        cmocka_unit_test(each_offset_has_an_envelope_of_its_own),
        cmocka_unit_test(loops_that_need_it_at_the_same_time_share_it),
        cmocka_unit_test(without_memory_there_is_none_or_it_is_not_shared),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("topic_envelope", tests, NULL, NULL));
}
