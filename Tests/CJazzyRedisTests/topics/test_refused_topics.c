/* Topics that Redis refuses, alone and in a command with others, whatever was asked for them meanwhile. */
#include "topics/asked.h"

#include <stdlib.h>

#include "support/testing.h"

static jz_redis_topics *topics;
static jz_redis_asked asked;

static int set_up(void **state)
{
    (void)state;
    topics = jz_redis_topics_create(0);
    assert_non_null(topics);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    jz_redis_asked_clear(&asked);
    jz_redis_topics_free(topics);
    return 0;
}

static void want(const char *name)
{
    assert_true(jz_redis_topics_want(topics, name, strlen(name)));
}

static void unwant(const char *name)
{
    jz_redis_topics_unwant(topics, name, strlen(name), 0);
}

static jz_redis_topic *find(const char *name)
{
    return jz_redis_topics_find(topics, name, strlen(name));
}

static size_t ask(bool is_subscribe)
{
    jz_redis_topic *batch[JZ_REDIS_TOPIC_BATCH];
    size_t count = is_subscribe ? jz_redis_topics_next_to_subscribe(topics, batch, JZ_REDIS_TOPIC_BATCH)
                                : jz_redis_topics_next_to_unsubscribe(topics, 1, batch, JZ_REDIS_TOPIC_BATCH);
    assert_true(count == 0 || jz_redis_asked_add(&asked, is_subscribe, batch, count));
    return count;
}

static void refuse(const char *name)
{
    jz_redis_command_asked *command = jz_redis_asked_refused(&asked);
    assert_non_null(command);
    assert_int_equal(command->count, 1);
    assert_ptr_equal(command->topics[0], find(name));
    jz_redis_topics_refused(topics, command->topics[0]);
    free(command);
}

static void acknowledge(const char *name)
{
    assert_true(jz_redis_asked_answered(&asked));
    assert_true(jz_redis_topics_answered(topics, name, strlen(name)));
}

static void a_refused_topic_waits_and_owes_a_gap(void **state)
{
    (void)state;
    want("a");
    assert_int_equal(ask(true), 1);
    assert_true(jz_redis_topics_is_to_be_asked_again(find("a")));
    refuse("a");
    assert_true(find("a")->was_refused);
    assert_int_equal(jz_redis_topics_counts(topics).refused, 1);
    assert_int_equal(ask(true), 0);
    assert_null(jz_redis_topics_next_gap(topics));
    jz_redis_topics_retry_refused(topics, 10);
    assert_int_equal(jz_redis_topics_counts(topics).refused, 0);
    assert_int_equal(ask(true), 1);
    acknowledge("a");
    assert_ptr_equal(jz_redis_topics_next_gap(topics), find("a"));
    assert_false(find("a")->was_refused);
    assert_int_equal(jz_redis_topics_counts(topics).acknowledged, 1);
}

static void only_some_are_tried_again(void **state)
{
    (void)state;
    static const char *const names[] = {"a", "b", "c"};
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        want(names[i]);
        assert_int_equal(ask(true), 1);
        refuse(names[i]);
    }
    jz_redis_topics_retry_refused(topics, 2);
    assert_int_equal(ask(true), 2);
    assert_int_equal(jz_redis_topics_counts(topics).refused, 1);
}

static void one_that_nobody_wants_any_more_is_forgotten(void **state)
{
    (void)state;
    want("before");
    ask(true);
    unwant("before"); /* it lingers, and is refused then */
    refuse("before");
    assert_null(find("before"));
    want("after");
    ask(true);
    refuse("after");
    unwant("after");
    assert_null(find("after"));
    assert_int_equal(jz_redis_topics_counts(topics).refused, 0);
}

/* The SUBSCRIBE is refused when an UNSUBSCRIBE is on its way already, and perhaps another SUBSCRIBE. */
static void the_last_command_decides(void **state)
{
    (void)state;
    want("a");
    ask(true);
    unwant("a");
    assert_int_equal(ask(false), 1);
    assert_false(jz_redis_topics_is_to_be_asked_again(find("a")));
    refuse("a");
    acknowledge("a"); /* UNSUBSCRIBE is not refused */
    assert_null(find("a"));

    want("b");
    ask(true);
    unwant("b");
    ask(false);
    want("b");
    assert_int_equal(ask(true), 1);
    refuse("b");
    acknowledge("b");
    assert_int_equal(jz_redis_topics_counts(topics).acknowledged, 0);
    acknowledge("b");
    assert_int_equal(jz_redis_topics_counts(topics).acknowledged, 1);
    assert_int_equal(jz_redis_topics_counts(topics).refused, 0);
}

static void a_new_connection_asks_for_all(void **state)
{
    (void)state;
    want("a");
    ask(true);
    refuse("a");
    jz_redis_asked_clear(&asked);
    jz_redis_topics_disconnected(topics);
    assert_int_equal(jz_redis_topics_counts(topics).refused, 0);
    assert_int_equal(ask(true), 1);
}

static void what_is_not_refused_as_a_whole_is_no_refusal_of_topics(void **state)
{
    (void)state;
    assert_null(jz_redis_asked_refused(&asked));
    assert_false(jz_redis_asked_answered(&asked));
    want("a");
    want("b");
    assert_int_equal(ask(true), 2);
    acknowledge("a");
    assert_null(jz_redis_asked_refused(&asked)); /* one of its topics was acknowledged */
    acknowledge("b");
    unwant("a");
    assert_int_equal(ask(false), 1);
    assert_null(jz_redis_asked_refused(&asked));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_refused_topic_waits_and_owes_a_gap, set_up, tear_down),
        cmocka_unit_test_setup_teardown(only_some_are_tried_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(one_that_nobody_wants_any_more_is_forgotten, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_last_command_decides, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_new_connection_asks_for_all, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_not_refused_as_a_whole_is_no_refusal_of_topics, set_up, tear_down),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests(tests, NULL, NULL));
}
