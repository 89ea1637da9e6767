/*
 * Histories that a broker keeps: who can continue from what the server knows does so at once, and everybody else when
 * the broker has answered; who has missed something is closed, and comes back for it.
 */
#define _POSIX_C_SOURCE 200809L

#include <stdio.h>

#include "jazzy.h"
#include "jazzy/broker.h"
#include "support/client.h"
#include "support/eventually.h"
#include "support/keeper.h"
#include "support/testing.h"

static test_client client;
static test_client other;
static test_client third;

static bool is_same(jz_position one, jz_position other_one)
{
    return one.epoch == other_one.epoch && one.offset == other_one.offset;
}

/* Opens a client that is where the topic is, after three messages that nobody here has got. */
static jz_position open_at_three(keeper *keeper, test_client *opened)
{
    keeper_publish(keeper, "one");
    keeper_publish(keeper, "two");
    keeper_publish(keeper, "three");
    keeper_come(keeper, opened, "?");
    keeper_await_fetch(keeper, 1);
    keeper_answer(keeper);
    jz_position position = keeper_expect_begin(opened, "false", 0);
    assert_true(is_same(position, keeper_end(keeper)));
    return position;
}

static void the_broker_is_asked_once_for_all_who_wait(void **state)
{
    (void)state;
    keeper keeper;
    keeper_open(&keeper, NULL, NULL);
    keeper_publish(&keeper, "one");
    keeper_publish(&keeper, "two");
    keeper_publish(&keeper, "three");
    keeper_come(&keeper, &client, "?");
    keeper_come_back(&keeper, &other, (jz_position){keeper.epoch, 1});
    keeper_come(&keeper, &third, "r2");
    assert_int_equal(keeper.pending, 3);
    assert_int_equal(keeper.wanted, 1);
    keeper_await_fetch(&keeper, 1);
    keeper_answer(&keeper);
    assert_int_equal(keeper_expect_begin(&client, "false", 0).offset, 3);
    assert_int_equal(keeper_expect_begin(&other, "true", 2).offset, 1);
    keeper_expect(&other, "two");
    keeper_expect(&other, "three");
    assert_int_equal(keeper_expect_begin(&third, "false", 2).offset, 1);
    keeper_expect(&third, "two");
    keeper_expect(&third, "three");
    keeper_publish(&keeper, "four");
    keeper_expect(&client, "four");
    keeper_expect(&other, "four");
    keeper_expect(&third, "four");
    test_client_close(&client);
    test_client_close(&other);
    test_client_close(&third);
    keeper_close(&keeper);
}

/* They begin at the same position, and share no more than the messages. */
static void who_waits_gets_envelopes_if_it_has_asked_for_them(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        keeper keeper;
        char text[JZ_POSITION_SIZE + 1] = "e";
        test_client *enveloped = i == 0 ? &client : &other;
        test_client *plain = i == 0 ? &other : &client;
        keeper_open(&keeper, NULL, NULL);
        keeper_publish(&keeper, "one");
        keeper_publish(&keeper, "two");
        jz_position_format((jz_position){keeper.epoch, 1}, text + 1);
        if (i == 0)
            keeper_come(&keeper, enveloped, text);
        keeper_come_back(&keeper, plain, (jz_position){keeper.epoch, 1});
        if (i == 1)
            keeper_come(&keeper, enveloped, text);
        assert_int_equal(keeper.pending, 2);
        keeper_await_fetch(&keeper, 1);
        keeper_answer(&keeper);
        keeper_publish(&keeper, "three");
        assert_int_equal(keeper_expect_begin(plain, "true", 1).offset, 1);
        keeper_expect(plain, "two");
        keeper_expect(plain, "three");
        char beginning[160];
        snprintf(beginning, sizeof beginning,
                 "{\"t\":\"room/7\",\"epoch\":\"%016llx\",\"offset\":1,\"recovered\":true,\"count\":1}",
                 (unsigned long long)keeper.epoch);
        keeper_expect(enveloped, beginning);
        keeper_expect(enveloped, "{\"t\":\"room/7\",\"o\":2,\"d\":\"two\"}");
        keeper_expect(enveloped, "{\"t\":\"room/7\",\"o\":3,\"d\":\"three\"}");
        /* Offsets that are not the next ones, or another epoch: who has envelopes is closed, too. */
        keeper_begin_anew(&keeper);
        keeper_publish(&keeper, "anew");
        keeper_expect_gap(enveloped);
        keeper_expect_gap(plain);
        keeper_close(&keeper);
    }
}

static void whoever_comes_back_to_what_is_known_asks_nobody(void **state)
{
    (void)state;
    keeper keeper;
    keeper_open(&keeper, NULL, NULL);
    jz_position position = open_at_three(&keeper, &client);
    for (int i = 0; i < 5; i++) {
        keeper_publish(&keeper, "next");
        keeper_expect(&client, "next");
    }
    /* Also before what was delivered here, because that was fetched; and where nobody can continue, it is known, too.
     */
    static const struct {
        uint64_t epoch;
        uint64_t offset;
        const char *recovered;
        size_t count;
    } rows[] = {
        {0, 8, "true", 0}, {0, 3, "true", 5}, {0, 0, "true", 8}, {1, 3, "false", 0}, {UINT64_MAX, 8, "false", 0}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        keeper_come_back(&keeper, &other, (jz_position){position.epoch + rows[i].epoch, rows[i].offset});
        keeper_expect_begin(&other, rows[i].recovered, rows[i].count);
        test_client_close(&other);
    }
    keeper_come(&keeper, &other, "r2");
    assert_int_equal(keeper_expect_begin(&other, "false", 2).offset, 6);
    test_client_close(&other);
    assert_int_equal(keeper.fetches, 1);
    assert_int_equal(keeper.pending, 1);
    test_client_close(&client);
    keeper_close(&keeper);
}

static void what_is_fetched_comes_before_what_was_delivered_meanwhile(void **state)
{
    (void)state;
    keeper keeper;
    keeper_open(&keeper, NULL, NULL);
    keeper_publish(&keeper, "one");
    keeper_publish(&keeper, "two");
    keeper_come_back(&keeper, &client, (jz_position){keeper.epoch, 0});
    keeper_await_fetch(&keeper, 1);
    keeper_publish(&keeper, "three");
    keeper_publish(&keeper, "four");
    /* From what was delivered alone this one can continue, and needs no answer. */
    keeper_come_back(&keeper, &other, (jz_position){keeper.epoch, 2});
    keeper_expect_begin(&other, "true", 2);
    keeper_expect(&other, "three");
    keeper_expect(&other, "four");
    keeper_answer_to(&keeper, keeper.number, 3, KEEPER_MOST); /* as it was before the fourth */
    keeper_expect_begin(&client, "true", 4);
    keeper_expect(&client, "one");
    keeper_expect(&client, "two");
    keeper_expect(&client, "three");
    keeper_expect(&client, "four");
    keeper_publish(&keeper, "five");
    keeper_expect(&client, "five");
    keeper_expect(&other, "five");
    test_client_close(&client);
    test_client_close(&other);
    keeper_close(&keeper);
}

static void what_the_broker_does_not_keep_any_more_is_not_recovered(void **state)
{
    (void)state;
    keeper keeper;
    keeper_open(&keeper, NULL, &(jz_history_options){.keep = 3, .for_ms = 300000, .bytes = 1000});
    for (int i = 0; i < 5; i++)
        keeper_publish(&keeper, "old");
    keeper_come_back(&keeper, &client, (jz_position){keeper.epoch, 1});
    keeper_come_back(&keeper, &other, (jz_position){keeper.epoch, 2});
    keeper_await_fetch(&keeper, 1);
    keeper_answer(&keeper); /* with more than is to be kept */
    assert_int_equal(keeper_expect_begin(&client, "false", 0).offset, 5);
    assert_int_equal(keeper_expect_begin(&other, "true", 3).offset, 2);
    test_client_close(&other);
    keeper_come_back(&keeper, &other, (jz_position){keeper.epoch, 1});
    keeper_expect_begin(&other, "false", 0);
    assert_int_equal(keeper.fetches, 1);
    test_client_close(&client);
    test_client_close(&other);
    keeper_close(&keeper);
}

static void who_has_missed_a_message_is_closed_and_comes_back_for_it(void **state)
{
    (void)state;
    keeper keeper;
    keeper_open(&keeper, NULL, NULL);
    jz_position position = open_at_three(&keeper, &client);
    keeper_come(&keeper, &other, "+");
    keeper.is_deaf = true;
    keeper_publish(&keeper, "lost");
    keeper_publish(&keeper, "five");
    assert_int_equal(keeper_deliver(&keeper, 5), JZ_SEND_SENT);
    keeper_expect_gap(&client);
    keeper_expect(&other, "five"); /* who has not subscribed from a position has nothing to count */
    keeper_come_back(&keeper, &client, position);
    keeper_await_fetch(&keeper, 2);
    keeper_answer(&keeper);
    keeper_expect_begin(&client, "true", 2);
    keeper_expect(&client, "lost");
    keeper_expect(&client, "five");
    test_client_close(&client);
    test_client_close(&other);
    keeper_close(&keeper);
}

static void what_comes_twice_is_sent_once(void **state)
{
    (void)state;
    keeper keeper;
    keeper_open(&keeper, NULL, NULL);
    open_at_three(&keeper, &client);
    keeper_publish(&keeper, "four");
    for (uint64_t offset = 1; offset <= 4; offset++)
        assert_int_equal(keeper_deliver(&keeper, offset), JZ_SEND_SENT);
    keeper_publish(&keeper, "five");
    keeper_expect(&client, "four");
    keeper_expect(&client, "five");
    jz_statistics statistics;
    jz_server_statistics(keeper.server, &statistics);
    assert_int_equal(statistics.broker.delivered, 2); /* three came when nobody had subscribed */
    test_client_close(&client);
    keeper_close(&keeper);
}

static void a_new_epoch_closes_who_was_in_the_old_one(void **state)
{
    (void)state;
    keeper keeper;
    keeper_open(&keeper, NULL, NULL);
    jz_position position = open_at_three(&keeper, &client);
    keeper_begin_anew(&keeper);
    keeper_publish(&keeper, "first");
    keeper_expect_gap(&client);
    keeper_come_back(&keeper, &client, position);
    keeper_come_back(&keeper, &other, (jz_position){keeper.epoch, 0}); /* all of the new one is known */
    if (keeper.fetches > 1)
        keeper_answer(&keeper); /* nobody was left who had subscribed when they came */
    jz_position next = keeper_expect_begin(&client, "false", 0);
    assert_true(is_same(next, keeper_end(&keeper)));
    keeper_expect_begin(&other, "true", 1);
    keeper_expect(&other, "first");
    test_client_close(&client);
    test_client_close(&other);
    keeper_close(&keeper);
}

static void an_answer_with_another_epoch_than_what_was_delivered_is_asked_again(void **state)
{
    (void)state;
    keeper keeper;
    keeper_open(&keeper, NULL, NULL);
    open_at_three(&keeper, &client);
    keeper_come_back(&keeper, &other, (jz_position){keeper.epoch, 9}); /* from the future */
    keeper_await_fetch(&keeper, 2);
    keeper_begin_anew(&keeper); /* and nothing was published since */
    keeper_answer(&keeper);
    keeper_await_fetch(&keeper, 3);
    keeper_answer(&keeper);
    keeper_expect_gap(&client);
    assert_true(is_same(keeper_expect_begin(&other, "false", 0), keeper_end(&keeper)));
    keeper_publish(&keeper, "first");
    keeper_expect(&other, "first");
    test_client_close(&other);
    keeper_close(&keeper);
}

static void whoever_is_ahead_of_this_server_waits_for_it(void **state)
{
    (void)state;
    keeper keeper;
    keeper_open(&keeper, NULL, NULL);
    jz_position position = open_at_three(&keeper, &client);
    keeper.is_deaf = true; /* what is on its way here, another server has already */
    keeper_publish(&keeper, "four");
    keeper_come_back(&keeper, &other, keeper_end(&keeper));
    keeper_await_fetch(&keeper, 2);
    assert_int_equal(keeper_deliver(&keeper, 4), JZ_SEND_SENT);
    keeper_answer(&keeper);
    assert_int_equal(keeper_expect_begin(&other, "true", 0).offset, position.offset + 1);
    keeper_expect(&client, "four");
    test_client_close(&client);
    test_client_close(&other);
    keeper_close(&keeper);
}

static void what_the_broker_has_missed_is_fetched_by_who_comes_back(void **state)
{
    (void)state;
    keeper keeper;
    keeper_open(&keeper, NULL, NULL);
    jz_position position = open_at_three(&keeper, &client);
    keeper_come(&keeper, &other, "+");
    jz_broker_missed(keeper.server, "room/8", 6);
    jz_broker_missed(keeper.server, "hall", 4);
    keeper.is_deaf = true;
    keeper_publish(&keeper, "missed");
    jz_broker_missed(keeper.server, KEEPER_TOPIC);
    keeper_expect_gap(&client);
    keeper_come_back(&keeper, &client, position);
    keeper_await_fetch(&keeper, 2);
    keeper_answer(&keeper);
    keeper_expect_begin(&client, "true", 1);
    keeper_expect(&client, "missed");
    test_client_close(&client);
    test_client_close(&other);
    keeper_close(&keeper);
}

static void a_gap_while_the_broker_is_asked_makes_the_answer_worthless(void **state)
{
    (void)state;
    keeper keeper;
    keeper_open(&keeper, NULL, NULL);
    keeper_publish(&keeper, "one");
    keeper_come_back(&keeper, &client, (jz_position){keeper.epoch, 0});
    keeper_await_fetch(&keeper, 1);
    uint64_t number = keeper.number;
    keeper.is_deaf = true;
    keeper_publish(&keeper, "two");
    jz_broker_missed(keeper.server, KEEPER_TOPIC);
    keeper_answer_to(&keeper, number, 1, 1);
    keeper_await_fetch(&keeper, 2);
    assert_true(keeper.number != number);
    keeper_answer_to(&keeper, number, 1, 1); /* which nobody asks any more */
    keeper_answer(&keeper);
    keeper_expect_begin(&client, "true", 2);
    keeper_expect(&client, "one");
    keeper_expect(&client, "two");
    test_client_close(&client);
    keeper_close(&keeper);
}

static void a_lost_connection_closes_nobody_before_it_is_back(void **state)
{
    (void)state;
    keeper keeper;
    keeper_open(&keeper, NULL, NULL);
    jz_position position = open_at_three(&keeper, &client);
    keeper_come(&keeper, &other, "+");
    jz_broker_set_joined(keeper.server, false);
    keeper.is_deaf = true;
    keeper_publish(&keeper, "missed");
    keeper_come_back(&keeper, &third, position); /* what is known here may not be all */
    keeper_await_fetch(&keeper, 2);
    assert_true(test_client_hears_nothing(&client));
    keeper.wanted = 0; /* the broker has forgotten the topics, and is told of them again */
    jz_broker_set_joined(keeper.server, true);
    keeper_expect_gap(&client);
    keeper_answer(&keeper); /* to what was asked before it was back */
    keeper_await_fetch(&keeper, 3);
    keeper_answer(&keeper);
    keeper_expect_begin(&third, "true", 1);
    keeper_expect(&third, "missed");
    keeper_come_back(&keeper, &client, position);
    keeper_expect_begin(&client, "true", 1);
    keeper_expect(&client, "missed");
    test_client_close(&client);
    test_client_close(&other);
    test_client_close(&third);
    keeper_close(&keeper);
}

static void what_cannot_be_known_is_not_recovered_now_or_later(void **state)
{
    (void)state;
    static const jz_position nowhere = {0};
    keeper keeper;
    keeper_open(&keeper, NULL, NULL);
    keeper_publish(&keeper, "one");
    keeper_come_back(&keeper, &client, (jz_position){keeper.epoch, 1});
    keeper_await_fetch(&keeper, 1);
    keeper_fail(&keeper);
    assert_true(is_same(keeper_expect_begin(&client, "false", 0), nowhere));
    keeper.is_unfetching = true;
    keeper_come_back(&keeper, &other, (jz_position){keeper.epoch, 1});
    assert_true(is_same(keeper_expect_begin(&other, "false", 0), nowhere));
    /* They get what comes, and what they count from nowhere is no position of the topic. */
    keeper_publish(&keeper, "two");
    keeper_expect(&client, "two");
    keeper_expect(&other, "two");
    test_client_close(&other);
    keeper_come_back(&keeper, &other, (jz_position){0, 1});
    assert_true(is_same(keeper_expect_begin(&other, "false", 0), keeper_end(&keeper)));
    test_client_close(&client);
    test_client_close(&other);
    keeper_close(&keeper);
}

static void a_publication_goes_to_the_broker_alone(void **state)
{
    (void)state;
    keeper keeper;
    keeper_open(&keeper, NULL, NULL);
    open_at_three(&keeper, &client);
    keeper_come(&keeper, &other, "+");
    keeper_say(&keeper, &client, "!mine"); /* each message counts, also one's own */
    keeper_expect(&client, "mine");
    keeper_expect(&other, "mine");
    keeper_say(&keeper, &other, "!others");
    keeper_expect(&client, "others");
    keeper.is_refusing = true;
    keeper_say(&keeper, &other, "!refused");
    assert_int_equal(keeper.published, JZ_SEND_DROPPED);
    assert_int_equal(jz_server_publish(keeper.server, KEEPER_TOPIC, JZ_MESSAGE_TEXT, "refused", 7), JZ_SEND_DROPPED);
    keeper.is_refusing = false;
    assert_int_equal(jz_server_publish(keeper.server, KEEPER_TOPIC, JZ_MESSAGE_TEXT, "last", 4), JZ_SEND_SENT);
    keeper_expect(&client, "last");
    keeper_expect(&other, "last");
    /* A message without a position has no place here. */
    assert_int_equal(jz_broker_deliver(keeper.server, KEEPER_TOPIC, JZ_MESSAGE_TEXT, "odd", 3), JZ_SEND_DROPPED);
    assert_int_equal(jz_broker_deliver_kept(keeper.server, NULL, (jz_ws){0}, "hall", 4, JZ_MESSAGE_TEXT, "odd", 3,
                                            (jz_position){1, 1}),
                     JZ_SEND_DROPPED);
    keeper_publish(&keeper, "end");
    keeper_expect(&client, "end");
    keeper_expect(&other, "end");
    test_client_close(&client);
    test_client_close(&other);
    keeper_close(&keeper);
}

static void ignore(void *context, jz_message_kind kind, const void *bytes, size_t length)
{
    (void)context;
    (void)kind;
    (void)bytes;
    (void)length;
}

static size_t count_text(const keeper *keeper, size_t most, jz_position *position)
{
    return jz_server_recent(keeper->server, KEEPER_TOPIC, most, ignore, NULL, position);
}

static void recent_messages_are_those_that_are_known_here(void **state)
{
    (void)state;
    keeper keeper;
    jz_position position;
    keeper_open(&keeper, NULL, NULL);
    assert_int_equal(count_text(&keeper, 5, &position), 0);
    assert_true(position.epoch != keeper.epoch);
    open_at_three(&keeper, &client);
    assert_int_equal(count_text(&keeper, 5, &position), 3);
    assert_true(is_same(position, keeper_end(&keeper)));
    jz_history_statistics statistics;
    jz_server_history_statistics(keeper.server, &statistics);
    assert_int_equal(statistics.messages, 3);
    test_client_close(&client);
    assert_eventually(keeper.wanted == 0);
    /* What comes while nobody has subscribed is not all that comes. */
    assert_int_equal(keeper_deliver(&keeper, 3), JZ_SEND_SENT);
    assert_int_equal(count_text(&keeper, 5, &position), 0);
    jz_server_history_statistics(keeper.server, &statistics);
    assert_int_equal(statistics.topics, 0);
    assert_int_equal(statistics.bytes, 0);
    keeper_close(&keeper);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_broker_is_asked_once_for_all_who_wait),
        cmocka_unit_test(who_waits_gets_envelopes_if_it_has_asked_for_them),
        cmocka_unit_test(whoever_comes_back_to_what_is_known_asks_nobody),
        cmocka_unit_test(what_is_fetched_comes_before_what_was_delivered_meanwhile),
        cmocka_unit_test(what_the_broker_does_not_keep_any_more_is_not_recovered),
        cmocka_unit_test(who_has_missed_a_message_is_closed_and_comes_back_for_it),
        cmocka_unit_test(what_comes_twice_is_sent_once),
        cmocka_unit_test(a_new_epoch_closes_who_was_in_the_old_one),
        cmocka_unit_test(an_answer_with_another_epoch_than_what_was_delivered_is_asked_again),
        cmocka_unit_test(whoever_is_ahead_of_this_server_waits_for_it),
        cmocka_unit_test(what_the_broker_has_missed_is_fetched_by_who_comes_back),
        cmocka_unit_test(a_gap_while_the_broker_is_asked_makes_the_answer_worthless),
        cmocka_unit_test(a_lost_connection_closes_nobody_before_it_is_back),
        cmocka_unit_test(what_cannot_be_known_is_not_recovered_now_or_later),
        cmocka_unit_test(a_publication_goes_to_the_broker_alone),
        cmocka_unit_test(recent_messages_are_those_that_are_known_here),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("shared history", tests, NULL, NULL));
}
