/* Those who wait for a broker that keeps the history: until it has answered, or they do not want it any more. */
#define _POSIX_C_SOURCE 200809L

#include "jazzy.h"
#include "jazzy/broker.h"
#include "support/allocation.h"
#include "support/client.h"
#include "support/clock.h"
#include "support/eventually.h"
#include "support/keeper.h"
#include "support/serving.h"
#include "support/testing.h"

static test_client client;
static test_client other;
static test_client third;

static jz_position zero_of(const keeper *keeper)
{
    return (jz_position){keeper->epoch, 0};
}

static void a_late_answer_is_not_awaited(void **state)
{
    (void)state;
    keeper keeper;
    keeper_open(&keeper, NULL, NULL);
    keeper_publish(&keeper, "one");
    keeper_come_back(&keeper, &client, zero_of(&keeper));
    keeper_await_fetch(&keeper, 1);
    uint64_t number = keeper.number;
    test_clock_stop(test_real_clock_ms());
    test_clock_advance(JZ_FETCH_TIMEOUT_MS);
    test_clock_advance(2000);
    assert_int_equal(keeper_expect_begin(&client, "false", 0).epoch, 0);
    test_clocks_run();
    keeper_answer_to(&keeper, number, 1, 1);
    keeper_come_back(&keeper, &other, zero_of(&keeper)); /* the broker is asked again */
    keeper_await_fetch(&keeper, 2);
    keeper_answer(&keeper);
    keeper_expect_begin(&other, "true", 1);
    keeper_expect(&other, "one");
    test_client_close(&client);
    test_client_close(&other);
    keeper_close(&keeper);
}

static void who_leaves_while_it_waits_lets_go_of_the_topic(void **state)
{
    (void)state;
    keeper keeper;
    keeper_open(&keeper, NULL, NULL);
    keeper_publish(&keeper, "one");
    keeper_come_back(&keeper, &client, zero_of(&keeper));
    keeper_await_fetch(&keeper, 1);
    test_client_reset(&client);
    keeper_come_back(&keeper, &other, zero_of(&keeper));
    keeper_answer(&keeper);
    keeper_expect_begin(&other, "true", 1);
    assert_int_equal(keeper.fetches, 1);
    test_client_close(&other);
    assert_eventually(keeper.wanted == 0);
    keeper_close(&keeper);
}

static void who_unsubscribes_while_it_waits_is_not_subscribed(void **state)
{
    (void)state;
    keeper keeper;
    keeper_open(&keeper, NULL, NULL);
    keeper_publish(&keeper, "one");
    keeper_come_back(&keeper, &client, zero_of(&keeper));
    keeper_come_back(&keeper, &other, zero_of(&keeper));
    keeper_await_fetch(&keeper, 1);
    keeper_say(&keeper, &client, "-");
    keeper_answer(&keeper);
    keeper_expect_begin(&other, "true", 1);
    keeper_expect(&other, "one");
    keeper_publish(&keeper, "two");
    keeper_expect(&other, "two");
    assert_true(test_client_hears_nothing(&client));
    keeper_say(&keeper, &client, "?"); /* and may come again */
    assert_int_equal(keeper_expect_begin(&client, "false", 0).offset, 2);
    test_client_close(&client);
    test_client_close(&other);
    keeper_close(&keeper);
}

/* Also from another thread, and where it was the only one: then the answer is of no use to who comes after it. */
static void a_topic_that_nobody_wants_for_a_moment_is_asked_for_again(void **state)
{
    (void)state;
    keeper keeper;
    keeper_open(&keeper, NULL, NULL);
    keeper_publish(&keeper, "one");
    keeper_come_back(&keeper, &client, zero_of(&keeper));
    keeper_await_fetch(&keeper, 1);
    uint64_t number = keeper.number;
    jz_ws_unsubscribe((jz_ws){keeper.speaker}, KEEPER_TOPIC);
    assert_int_equal(keeper.wanted, 0);
    keeper_publish(&keeper, "two");
    keeper_come_back(&keeper, &other, zero_of(&keeper));
    assert_int_equal(keeper.fetches, 1); /* one at a time */
    keeper_answer_to(&keeper, number, 1, 1);
    keeper_await_fetch(&keeper, 2);
    keeper_answer(&keeper);
    keeper_expect_begin(&other, "true", 2);
    keeper_expect(&other, "one");
    keeper_expect(&other, "two");
    assert_true(test_client_hears_nothing(&client));
    test_client_close(&client);
    test_client_close(&other);
    keeper_close(&keeper);
}

/* On a server with one loop, whose mailbox is small. */
static void open_alone(keeper *keeper)
{
    jz_options options = serving_options(1);
    options.log_level = JZ_LOG_ERROR;
    options.mailbox_limit = 64 * 1024;
    keeper_open(keeper, &options, NULL);
}

static void come_back_for_envelopes(keeper *keeper, test_client *coming, uint64_t offset)
{
    char text[1 + JZ_POSITION_SIZE] = "e";
    jz_position_format((jz_position){keeper->epoch, offset}, text + 1);
    keeper_come(keeper, coming, text);
}

/* The broker answers to one that has the first of two messages. */
static void expect_the_second_in_an_envelope(keeper *keeper, test_client *waiting)
{
    keeper_await_fetch(keeper, 1);
    keeper_answer(keeper);
    keeper_expect(waiting, "{\"t\":\"room/7\",\"epoch\":\"0000000000001234\",\"offset\":1,\"recovered\":true,"
                           "\"count\":1}");
    keeper_expect(waiting, "{\"t\":\"room/7\",\"o\":2,\"d\":\"two\"}");
}

static void each_gets_what_it_has_asked_for_with_envelopes_or_without(void **state)
{
    (void)state;
    keeper keeper;
    keeper_open(&keeper, NULL, NULL);
    keeper_publish(&keeper, "one");
    keeper_publish(&keeper, "two");
    keeper_come_back(&keeper, &client, (jz_position){keeper.epoch, 1});
    come_back_for_envelopes(&keeper, &other, 1);
    expect_the_second_in_an_envelope(&keeper, &other);
    keeper_expect_begin(&client, "true", 1);
    keeper_expect(&client, "two");
    keeper_publish(&keeper, "three");
    keeper_expect(&client, "three");
    keeper_expect(&other, "{\"t\":\"room/7\",\"o\":3,\"d\":\"three\"}");
    test_client_close(&client);
    test_client_close(&other);
    keeper_close(&keeper);
}

/* While the broker is not connected: the offsets of the others remain what they are. */
static void who_begins_nowhere_leaves_the_offsets_of_others_alone(void **state)
{
    (void)state;
    keeper keeper;
    open_alone(&keeper);
    keeper_publish(&keeper, "one");
    keeper_publish(&keeper, "two");
    come_back_for_envelopes(&keeper, &other, 1);
    expect_the_second_in_an_envelope(&keeper, &other);
    jz_broker_set_joined(keeper.server, false);
    keeper.is_unfetching = true;
    keeper_come(&keeper, &client, "?");
    assert_int_equal(keeper_expect_begin(&client, "false", 0).epoch, 0);
    keeper_publish(&keeper, "three"); /* it was on its way when the connection was lost */
    keeper_expect(&other, "{\"t\":\"room/7\",\"o\":3,\"d\":\"three\"}");
    keeper_expect(&client, "three");
    test_client_close(&client);
    test_client_close(&other);
    keeper_close(&keeper);
}

/* What others, who have left, had does not count for it. */
static void who_begins_nowhere_alone_counts_from_one(void **state)
{
    (void)state;
    keeper keeper;
    open_alone(&keeper);
    keeper_publish(&keeper, "one");
    keeper_publish(&keeper, "two");
    keeper_come(&keeper, &client, "+");
    come_back_for_envelopes(&keeper, &other, 1);
    expect_the_second_in_an_envelope(&keeper, &other);
    keeper_say(&keeper, &other, "-");
    jz_broker_set_joined(keeper.server, false);
    keeper.is_unfetching = true;
    keeper_say(&keeper, &other, "e");
    keeper_expect(&other, "{\"t\":\"room/7\",\"epoch\":\"0000000000000000\",\"offset\":0,\"recovered\":false,"
                          "\"count\":0}");
    keeper_publish(&keeper, "three");
    keeper_expect(&other, "{\"t\":\"room/7\",\"o\":1,\"d\":\"three\"}");
    keeper_expect(&client, "three");
    test_client_close(&client);
    test_client_close(&other);
    keeper_close(&keeper);
}

static void closing_a_topic_closes_who_waits_for_it(void **state)
{
    (void)state;
    keeper keeper;
    test_received frame;
    keeper_open(&keeper, NULL, NULL);
    keeper_come_back(&keeper, &client, zero_of(&keeper));
    keeper_await_fetch(&keeper, 1);
    assert_int_equal(jz_server_close_topic(keeper.server, KEEPER_TOPIC, 4000, "over", 4), JZ_SEND_SENT);
    keeper_expect_begin(&client, "false", 0);
    assert_true(test_client_take_frame(&client, &frame));
    assert_int_equal(frame.opcode, JZ_OPCODE_CLOSE);
    assert_int_equal(frame.payload[0] << 8 | frame.payload[1], 4000);
    test_client_close(&client);
    keeper_answer(&keeper); /* for nobody */
    keeper_close(&keeper);
}

static void a_server_ends_although_somebody_waits(void **state)
{
    (void)state;
    keeper keeper;
    size_t before = test_live_allocations();
    keeper_open(&keeper, NULL, NULL);
    keeper_come_back(&keeper, &client, zero_of(&keeper));
    keeper_come(&keeper, &other, "r5");
    keeper_await_fetch(&keeper, 1);
    jz_server_stop(keeper.server);
    test_client_close(&client);
    test_client_close(&other);
    jz_server_wait(keeper.server);
    assert_int_equal(keeper.wanted, 0);
    keeper_answer(&keeper);
    keeper_close(&keeper);
    assert_int_equal(test_live_allocations(), before);
}

static void more_than_the_mailboxes_may_have_do_not_wait(void **state)
{
    (void)state;
    keeper keeper;
    open_alone(&keeper);
    keeper_connect(&keeper, &client);
    while (keeper.refused == 0)
        keeper_say(&keeper, &client, "?");
    assert_true(keeper.pending > 64 && keeper.pending < 64 * 1024 / 64);
    keeper_answer(&keeper);
    for (size_t i = 0; i < keeper.pending; i++)
        keeper_expect_begin(&client, "false", 0);
    keeper_say(&keeper, &client, "?");
    keeper_expect_begin(&client, "false", 0);
    test_client_close(&client);
    keeper_close(&keeper);
}

static void a_message_that_finds_no_room_is_fetched_by_who_comes_back(void **state)
{
    (void)state;
    static const char large[70000];
    keeper keeper;
    open_alone(&keeper);
    keeper_come(&keeper, &client, "?");
    keeper_await_fetch(&keeper, 1);
    keeper_answer(&keeper);
    keeper_expect_begin(&client, "false", 0);
    keeper_come(&keeper, &other, "+");
    jz_ws ws = {keeper.speaker};
    keeper_tell(&other, "h");
    assert_eventually(keeper.holds);
    assert_int_equal(jz_ws_send(ws, JZ_MESSAGE_BINARY, large, sizeof large), JZ_SEND_QUEUED);
    keeper.is_deaf = true;
    keeper_publish(&keeper, "one");
    assert_int_equal(keeper_deliver(&keeper, 1), JZ_SEND_DROPPED);
    keeper.is_let_go = true;
    keeper_expect_gap(&client);
    keeper_come_back(&keeper, &client, (jz_position){keeper.epoch, 0});
    keeper_await_fetch(&keeper, 2);
    keeper_answer(&keeper);
    keeper_expect_begin(&client, "true", 1);
    keeper_expect(&client, "one");
    test_client_close(&client);
    test_client_close(&other);
    keeper_close(&keeper);
}

static void a_message_for_which_there_is_no_memory_is_fetched_by_who_comes_back(void **state)
{
    (void)state;
    keeper keeper;
    keeper_open(&keeper, NULL, NULL);
    keeper_publish(&keeper, "one");
    keeper_come_back(&keeper, &client, (jz_position){keeper.epoch, 1});
    keeper_await_fetch(&keeper, 1);
    keeper_answer(&keeper);
    keeper_expect_begin(&client, "true", 0);
    keeper.is_deaf = true;
    keeper_publish(&keeper, "two");
    test_allocations_fail_after(0);
    jz_send_status status = keeper_deliver(&keeper, 2);
    test_allocations_succeed();
    assert_int_equal(status, JZ_SEND_DROPPED);
    keeper_expect_gap(&client); /* as soon as there is memory to say so */
    keeper_come_back(&keeper, &client, (jz_position){keeper.epoch, 1});
    keeper_await_fetch(&keeper, 2);
    keeper_answer(&keeper);
    keeper_expect_begin(&client, "true", 1);
    keeper_expect(&client, "two");
    test_client_close(&client);
    keeper_close(&keeper);
}

/*
 * Takes frames until the connection is closed, because of a gap behind the third message: what follows what is
 * announced is contiguous.
 */
static void expect_no_silent_gap(const keeper *keeper, test_client *taking, jz_position since)
{
    test_received frame;
    char text[160] = "";
    if (test_client_take_frame(taking, &frame) && frame.opcode == JZ_OPCODE_TEXT && frame.length < sizeof text)
        memcpy(text, frame.payload, frame.length);
    if (strstr(text, "\"recovered\":true") == NULL)
        return;
    while (test_client_take_frame(taking, &frame) && frame.opcode != JZ_OPCODE_CLOSE) {
        const char *expected = keeper->texts[++since.offset];
        assert_true(since.offset <= 3);
        assert_int_equal(frame.length, strlen(expected));
        assert_memory_equal(frame.payload, expected, frame.length);
    }
}

/* Each allocation of what happens here fails once: nobody misses anything without being told, and nothing leaks. */
static void without_memory_nobody_misses_anything_silently(void **state)
{
    (void)state;
    size_t before = test_live_allocations();
    size_t failed = 1;
    for (size_t step = 0; failed > 0; step++) {
        keeper keeper;
        keeper_open(&keeper, NULL, NULL);
        keeper_publish(&keeper, "one");
        keeper_publish(&keeper, "two");
        keeper_come_back(&keeper, &client, (jz_position){keeper.epoch, 1});
        keeper_await_fetch(&keeper, 1);
        keeper_connect(&keeper, &third);
        keeper_say(&keeper, &third, "-");
        jz_ws ws = {keeper.speaker};
        test_allocation_fails_once_after(step);
        jz_subscribe_options from_one = {.has_since = true, .since = {keeper.epoch, 1}, .announces = true};
        jz_send_status status = jz_ws_subscribe_from(ws, KEEPER_TOPIC, &from_one, NULL);
        keeper_answer(&keeper);
        keeper_publish(&keeper, "three");
        keeper.is_deaf = true;
        keeper_publish(&keeper, "four");
        keeper.is_deaf = false;
        keeper_publish(&keeper, "five"); /* behind a gap */
        jz_broker_missed(keeper.server, KEEPER_TOPIC);
        failed = test_allocations_succeed();
        expect_no_silent_gap(&keeper, &client, from_one.since);
        if (status == JZ_SEND_QUEUED)
            expect_no_silent_gap(&keeper, &third, from_one.since);
        test_client_close(&client);
        test_client_close(&third);
        keeper_close(&keeper);
        assert_int_equal(test_live_allocations(), before);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_late_answer_is_not_awaited),
        cmocka_unit_test(who_leaves_while_it_waits_lets_go_of_the_topic),
        cmocka_unit_test(who_unsubscribes_while_it_waits_is_not_subscribed),
        cmocka_unit_test(a_topic_that_nobody_wants_for_a_moment_is_asked_for_again),
        cmocka_unit_test(each_gets_what_it_has_asked_for_with_envelopes_or_without),
        cmocka_unit_test(who_begins_nowhere_leaves_the_offsets_of_others_alone),
        cmocka_unit_test(who_begins_nowhere_alone_counts_from_one),
        cmocka_unit_test(closing_a_topic_closes_who_waits_for_it),
        cmocka_unit_test(a_server_ends_although_somebody_waits),
        cmocka_unit_test(more_than_the_mailboxes_may_have_do_not_wait),
        cmocka_unit_test(a_message_that_finds_no_room_is_fetched_by_who_comes_back),
        cmocka_unit_test(a_message_for_which_there_is_no_memory_is_fetched_by_who_comes_back),
        cmocka_unit_test(without_memory_nobody_misses_anything_silently),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("shared history waiting", tests, NULL, NULL));
}
