/* Which topics that are not acknowledged a message waits for, and that no wait is for ever. */
#include "topics/topics.h"

#include <stdio.h>

#include "support/testing.h"

static jz_redis_topics *topics;

static int set_up(void **state)
{
    (void)state;
    topics = jz_redis_topics_create(0);
    assert_non_null(topics);
    jz_redis_topics_connected(topics);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    jz_redis_topics_free(topics);
    return 0;
}

static void want(const char *name)
{
    jz_redis_topic *batch[4];
    assert_true(jz_redis_topics_want(topics, name, strlen(name)));
    (void)jz_redis_topics_next_to_subscribe(topics, batch, 4);
}

static uint64_t turn_of(const char *name)
{
    return jz_redis_topics_turn_of(topics, name, strlen(name));
}

static void acknowledge(const char *name)
{
    assert_true(jz_redis_topics_answered(topics, name, strlen(name)));
}

static bool is_settled(uint64_t turn)
{
    return jz_redis_topics_settled_turn(topics) >= turn;
}

static void a_message_waits_for_its_topic_and_those_wanted_with_it(void **state)
{
    (void)state;
    want("a");
    want("b");
    uint64_t turn = turn_of("a");
    assert_int_not_equal(turn, 0);
    assert_int_equal(turn_of("other"), 0);
    assert_false(is_settled(turn));
    acknowledge("a");
    assert_int_equal(turn_of("a"), 0);
    assert_false(is_settled(turn));
    acknowledge("b");
    assert_true(is_settled(turn));
}

/* However many topics are wanted, and published to, meanwhile. */
static void later_topics_do_not_prolong_it(void **state)
{
    (void)state;
    char names[100][8];
    want("a");
    uint64_t turn = turn_of("a");
    uint64_t last = turn;
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        (void)snprintf(names[i], sizeof names[i], "%zu", i);
        want(names[i]);
        last = turn_of(names[i]);
        assert_true(last > turn);
    }
    acknowledge("a");
    assert_true(is_settled(turn));
    assert_false(is_settled(last));
    want("b");
    uint64_t later = turn_of("b");
    for (size_t i = 0; i < COUNT_OF(names); i++)
        acknowledge(names[i]);
    assert_true(is_settled(last));
    assert_false(is_settled(later));
    acknowledge("b");
    assert_true(is_settled(later));
}

static void what_will_not_be_acknowledged_is_not_waited_for(void **state)
{
    (void)state;
    want("refused");
    uint64_t turn = turn_of("refused");
    jz_redis_topics_refused(topics, jz_redis_topics_find(topics, "refused", 7));
    assert_true(is_settled(turn));
    assert_int_equal(turn_of("refused"), 0);
    want("left");
    turn = turn_of("left");
    jz_redis_topics_unwant(topics, "left", 4, 0);
    assert_true(is_settled(turn));
    want("lost");
    turn = turn_of("lost");
    jz_redis_topics_disconnected(topics);
    assert_true(is_settled(turn));
    assert_int_equal(turn_of("lost"), 0); /* a gap is told of it once there is a connection */
    jz_redis_topics_connected(topics);
    turn = turn_of("lost");
    assert_int_not_equal(turn, 0);
    assert_false(is_settled(turn));
}

static void what_takes_too_long_owes_a_gap_instead(void **state)
{
    (void)state;
    want("a");
    want("b");
    uint64_t turn = turn_of("a");
    jz_redis_topics_wait_no_longer(topics);
    assert_true(is_settled(turn));
    want("c");
    assert_int_equal(turn_of("c"), 0);
    acknowledge("a");
    acknowledge("b");
    acknowledge("c");
    for (size_t i = 0; i < 3; i++)
        assert_non_null(jz_redis_topics_next_gap(topics));
    assert_null(jz_redis_topics_next_gap(topics));
    want("d"); /* it is fast again */
    turn = turn_of("d");
    assert_int_not_equal(turn, 0);
    assert_false(is_settled(turn));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_message_waits_for_its_topic_and_those_wanted_with_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(later_topics_do_not_prolong_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_will_not_be_acknowledged_is_not_waited_for, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_takes_too_long_owes_a_gap_instead, set_up, tear_down),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests(tests, NULL, NULL));
}
