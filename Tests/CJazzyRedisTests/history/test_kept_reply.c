/* What Redis answers to a fetch, as bytes and as messages; and who waits for it. */
#include "history/kept_reply.h"

#include "history/fetches.h"
#include "support/testing.h"

#define BYTES(literal) literal, sizeof(literal) - 1
#define HEAD(newest) "\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0" newest

static const struct {
    const char *name;
    const char *bytes;
    size_t length;
    int count; /* -1: it cannot be read */
} replies[] = {
    {"nothing yet", BYTES(HEAD("\0")), 0},
    {"nothing that is kept", BYTES(HEAD("\7")), 0},
    {"a text and a binary message", BYTES(HEAD("\2") "t\0\0\0\5\0\0\0\2hib\0\0\0\6\0\0\0\1\xFF"), 2},
    {"an empty message", BYTES(HEAD("\1") "t\0\0\0\5\0\0\0\0"), 1},
    {"a text that is none, and an older one",
     BYTES(HEAD("\3") "b\0\0\0\1\0\0\0\1xt\0\0\0\5\0\0\0\1\xFFt\0\0\0\6\0\0\0\0"), 1},
    {"no epoch", BYTES("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1"), -1},
    {"half a head", BYTES("\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0"), -1},
    {"more messages than offsets", BYTES(HEAD("\1") "t\0\0\0\5\0\0\0\0t\0\0\0\5\0\0\0\0"), -1},
    {"half of a message's head", BYTES(HEAD("\1") "t\0\0\0\5\0\0\0"), -1},
    {"a message that is cut", BYTES(HEAD("\1") "t\0\0\0\5\0\0\0\2h"), -1},
    {"another kind", BYTES(HEAD("\1") "x\0\0\0\5\0\0\0\0"), -1},
    {"a length of 4 GiB", BYTES(HEAD("\1") "t\0\0\0\5\xFF\xFF\xFF\xFFh"), -1},
};

static void replies_are_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(replies); i++) {
        uint8_t *bytes = malloc(replies[i].length); /* of exactly this size, for the sanitizer */
        assert_non_null(bytes);
        memcpy(bytes, replies[i].bytes, replies[i].length);
        jz_redis_kept_reply reply;
        jz_redis_kept_reading reading = jz_redis_kept_reply_read(bytes, replies[i].length, &reply);
        assert_that((reading == JZ_REDIS_KEPT_READ) == (replies[i].count >= 0), "%s", replies[i].name);
        assert_that(reading != JZ_REDIS_KEPT_READ || reply.count == (size_t)replies[i].count, "%s", replies[i].name);
        free(reply.messages);
        free(bytes);
    }
}

static void the_oldest_comes_first(void **state)
{
    (void)state;
    jz_redis_kept_reply reply;
    const char bytes[] = HEAD("\5") "t\0\0\0\5\0\0\0\2hib\0\0\0\6\0\0\0\3old";
    assert_int_equal(jz_redis_kept_reply_read((const uint8_t *)bytes, sizeof bytes - 1, &reply), JZ_REDIS_KEPT_READ);
    assert_true(reply.epoch == 1 && reply.newest == 5 && reply.count == 2);
    assert_true(reply.messages[0].is_binary && reply.messages[0].age_ms == 6 && reply.messages[0].length == 3);
    assert_memory_equal(reply.messages[0].bytes, "old", 3);
    assert_memory_equal(reply.messages[1].bytes, "hi", 2);
    free(reply.messages);
}

static jz_redis_fetch *add(jz_redis_fetches *fetches, const char *topic)
{
    jz_redis_list made;
    jz_redis_list_init(&made);
    jz_redis_fetch *fetch = jz_redis_fetch_make(topic, strlen(topic));
    assert_non_null(fetch);
    jz_redis_list_append(&made, &fetch->place);
    jz_redis_fetches_take(fetches, &made);
    assert_int_equal(made.count, 0);
    return fetch;
}

static void what_was_sent_over_a_lost_connection_is_asked_again_first(void **state)
{
    (void)state;
    jz_redis_fetches fetches;
    jz_redis_fetches_init(&fetches);
    jz_redis_fetch *a = add(&fetches, "a");
    jz_redis_fetch *b = add(&fetches, "b");
    jz_redis_fetch *c = add(&fetches, "c");
    jz_redis_fetches_send(&fetches, a);
    jz_redis_fetches_send(&fetches, b);
    uint64_t old = a->id;
    assert_ptr_equal(jz_redis_fetches_find(&fetches, old), a);
    assert_true(jz_redis_fetch_keep_reply(a, "reply", 5));
    b->has_marker = true;
    jz_redis_fetches_again(&fetches);
    assert_null(jz_redis_fetches_find(&fetches, old));
    assert_ptr_equal(jz_redis_fetches_first(&fetches), a);
    assert_true(a->reply == NULL && !b->has_marker);
    jz_redis_fetches_send(&fetches, a);
    assert_int_not_equal(a->id, old);
    jz_redis_fetches_postpone(&fetches, b);
    assert_ptr_equal(jz_redis_fetches_first(&fetches), c);
    jz_redis_fetches_clear(&fetches);
    assert_null(jz_redis_fetches_first(&fetches));
}

static void what_takes_long_is_found(void **state)
{
    (void)state;
    jz_redis_fetches fetches;
    jz_redis_fetches_init(&fetches);
    jz_redis_fetch *a = add(&fetches, "");
    a->asked_ms = 5;
    assert_null(jz_redis_fetches_sent_before(&fetches, 6));
    jz_redis_fetches_send(&fetches, a);
    assert_null(jz_redis_fetches_sent_before(&fetches, 5));
    assert_ptr_equal(jz_redis_fetches_sent_before(&fetches, 6), a);
    jz_redis_fetches_remove(&fetches, a);
    assert_null(jz_redis_fetches_sent_before(&fetches, 6));
}

static void only_so_much_is_asked_for_at_a_time(void **state)
{
    (void)state;
    jz_redis_fetches fetches;
    jz_redis_fetches_init(&fetches);
    size_t count = 0;
    for (jz_redis_fetch *fetch = add(&fetches, "x");; fetch = add(&fetches, "x"), count++) {
        fetch->bytes = 8 * 1024 * 1024;
        if (!jz_redis_fetches_have_room(&fetches, fetch))
            break;
        jz_redis_fetches_send(&fetches, fetch);
    }
    assert_int_equal(count, JZ_REDIS_MOST_FETCHED / (8 * 1024 * 1024));
    jz_redis_fetches_again(&fetches);
    assert_int_equal(fetches.sent_bytes, 0);
    for (count = 0; jz_redis_fetches_first(&fetches) != NULL; count++)
        jz_redis_fetches_remove(&fetches, jz_redis_fetches_first(&fetches));
    for (count = 0;; count++) {
        jz_redis_fetch *fetch = add(&fetches, "x");
        fetch->bytes = 1;
        if (!jz_redis_fetches_have_room(&fetches, fetch))
            break;
        jz_redis_fetches_send(&fetches, fetch);
    }
    assert_int_equal(count, JZ_REDIS_MOST_FETCHES);
    jz_redis_fetches_clear(&fetches);
    assert_int_equal(fetches.sent_bytes, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(replies_are_read),
        cmocka_unit_test(the_oldest_comes_first),
        cmocka_unit_test(what_was_sent_over_a_lost_connection_is_asked_again_first),
        cmocka_unit_test(what_takes_long_is_found),
        cmocka_unit_test(only_so_much_is_asked_for_at_a_time),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("what is fetched", tests, NULL, NULL));
}
