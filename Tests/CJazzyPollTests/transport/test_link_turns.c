/* Channels whose turn it is: handshakes within the time of an iteration, and what is left to be received. */
#define _GNU_SOURCE

#include <unistd.h>

#include "support/scripted_links.h"
#include "support/testing.h"

/* Whether the poll may report it: it is not put off. */
static bool is_reported(int link)
{
    return !scripted.links.channels[~link].is_put_off;
}

/* An iteration in which the poll reports all channels that it may. Adds to the steps of each. */
static void go_round(const int *made, size_t *steps, size_t count)
{
    int link;
    uint32_t slot;
    for (size_t i = 0; i < count; i++) {
        scripted.calls[0] = '\0';
        if (is_reported(made[i]))
            assert_int_equal(jz_links_ready(&scripted.links, made[i], JZ_READABLE, JZ_READABLE), 0);
        steps[i] += scripted.calls[0] != '\0';
    }
    while (jz_links_take_put_off(&scripted.links, &link, &slot)) {
        size_t i = 0;
        while (made[i] != link)
            i++;
        scripted.calls[0] = '\0';
        assert_int_equal(jz_links_take_turn(&scripted.links, link, JZ_READABLE), 0);
        scripted_expect_calls("ready(1) ");
        steps[i]++;
    }
    jz_links_end_turn(&scripted.links);
}

static void begin_handshakes(int *made, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        made[i] = scripted_add();
        assert_true(jz_links_open(&scripted.links, made[i], NULL, 0));
    }
    scripted.calls[0] = '\0';
}

/* The server's goal is that nobody waits long for others' handshakes, however many and however expensive they are. */
static void an_iteration_begins_no_step_of_a_handshake_once_they_have_taken_their_time(void **state)
{
    enum { MANY = 500 };
    static const struct {
        uint64_t step_ns;
        size_t steps; /* of an iteration; the last may begin just in time */
    } rows[] = {{1000, 100}, {30 * 1000, 4}, {75 * 1000, 2}, {99 * 1000, 2}, {100 * 1000, 1}, {9000000, 1}};
    static int made[MANY];
    (void)state;
    begin_handshakes(made, MANY);
    for (size_t row = 0; row < COUNT_OF(rows); row++) {
        scripted.next.ready_ns = rows[row].step_ns;
        for (int round = 0; round < 3; round++) {
            size_t steps[MANY] = {0};
            size_t sum = 0;
            go_round(made, steps, MANY);
            for (size_t i = 0; i < MANY; i++)
                sum += steps[i];
            assert_that(sum == rows[row].steps, "%zu steps of %d ns", sum, (int)rows[row].step_ns);
            assert_true(scripted.links.goes_on);
        }
    }
    for (size_t i = 0; i < MANY; i++)
        jz_links_forget(&scripted.links, made[i]);
    int link;
    uint32_t slot;
    assert_false(jz_links_take_put_off(&scripted.links, &link, &slot));
    assert_false(jz_links_end_turn(&scripted.links));
}

static void handshakes_have_their_turns_in_the_order_in_which_they_have_waited(void **state)
{
    enum { MANY = 50, TURNS = 40, PER_TURN = 4 };
    (void)state;
    int made[MANY];
    size_t steps[MANY] = {0};
    scripted.next.ready_ns = 25 * 1000;
    begin_handshakes(made, MANY);
    for (size_t turn = 0; turn < TURNS; turn++)
        go_round(made, steps, MANY);
    for (size_t i = 0; i < MANY; i++)
        assert_in_range(steps[i], TURNS * PER_TURN / MANY - 1, TURNS * PER_TURN / MANY + 2);
}

/* Thousands may time out at once that were put off until then: whoever is served already does not wait for all. */
static void whose_time_is_over_is_looked_at_until_looks_have_taken_their_time(void **state)
{
    enum { MANY = 50 };
    static int made[MANY];
    (void)state;
    begin_handshakes(made, MANY);
    scripted.next.ready_ns = 900 * 1000;
    for (int round = 0; round < 2; round++) {
        size_t looks = 0;
        for (size_t i = 0; i < MANY; i++) {
            size_t received;
            bool has_more;
            scripted.calls[0] = '\0';
            assert_int_equal(scripted_receive(made[i], &received, &has_more), JZ_SOCKET_WOULD_BLOCK);
            looks += strcmp(scripted.calls, "ready(1) ") == 0;
        }
        assert_int_equal(looks, 12); /* 10 ms; the last begins just in time */
        jz_links_end_turn(&scripted.links);
    }
    for (size_t i = 0; i < MANY; i++)
        jz_links_forget(&scripted.links, made[i]);
}

static void who_is_put_off_is_not_watched_and_is_again_after_its_turn(void **state)
{
    (void)state;
    int made[2];
    int link;
    uint32_t slot;
    begin_handshakes(made, 2);
    scripted.next.interest = JZ_READABLE;
    scripted.next.ready_ns = 9000000;
    assert_int_equal(write(scripted.ends[1], "x", 1), 1);
    assert_int_equal(jz_links_ready(&scripted.links, made[0], JZ_READABLE, JZ_READABLE), 0);
    assert_int_equal(jz_links_ready(&scripted.links, made[1], JZ_READABLE, JZ_READABLE), 0);
    scripted_expect_calls("ready(1) ");
    assert_true(jz_links_watch(&scripted.links, scripted.poll, made[1], JZ_READABLE, SCRIPTED_TOKEN));
    assert_int_equal(scripted_told(), 0);
    assert_false(jz_links_take_put_off(&scripted.links, &link, &slot));
    assert_true(jz_links_end_turn(&scripted.links));
    assert_true(jz_links_take_put_off(&scripted.links, &link, &slot));
    assert_int_equal(link, made[1]);
    assert_int_equal(jz_links_take_turn(&scripted.links, link, JZ_READABLE), 0);
    scripted_expect_calls("ready(1) ");
    assert_true(jz_links_watch(&scripted.links, scripted.poll, made[1], JZ_READABLE, SCRIPTED_TOKEN));
    assert_int_equal(scripted_told(), JZ_READABLE);
    assert_false(jz_links_end_turn(&scripted.links));
    /* One that waits for nothing then is watched, too: for its peer's end. */
    scripted.calls[0] = '\0';
    assert_int_equal(jz_links_ready(&scripted.links, made[0], JZ_READABLE, JZ_READABLE), 0);
    assert_int_equal(jz_links_ready(&scripted.links, made[1], JZ_READABLE, JZ_READABLE), 0);
    assert_true(jz_links_watch(&scripted.links, scripted.poll, made[1], JZ_READABLE, SCRIPTED_TOKEN));
    assert_true(jz_links_end_turn(&scripted.links));
    assert_true(jz_links_take_put_off(&scripted.links, &link, &slot));
    assert_int_equal(jz_links_take_turn(&scripted.links, link, JZ_READABLE), 0);
    scripted.next.interest = 0;
    assert_true(jz_links_watch(&scripted.links, scripted.poll, made[1], JZ_READABLE, SCRIPTED_TOKEN));
    assert_int_equal(scripted_told(), 0);
    close(scripted.ends[1]);
    assert_int_equal(scripted_told(), JZ_READABLE | JZ_WRITABLE);
    scripted.ends[1] = dup(scripted.ends[0]);
}

static void a_handshake_that_a_last_look_has_ended_meanwhile_needs_no_turn(void **state)
{
    (void)state;
    int made[2];
    int link;
    uint32_t slot;
    size_t received;
    bool has_more;
    begin_handshakes(made, 2);
    scripted.next.ready_ns = 9000000;
    assert_int_equal(jz_links_ready(&scripted.links, made[0], JZ_READABLE, JZ_READABLE), 0);
    assert_int_equal(jz_links_ready(&scripted.links, made[1], JZ_READABLE, JZ_READABLE), 0);
    scripted.next.may = JZ_READABLE;
    scripted.next.io = JZ_IO_OK;
    scripted.next.count = 3;
    scripted.next.has_more = true;
    assert_int_equal(scripted_receive(made[1], &received, &has_more), JZ_SOCKET_OK);
    assert_true(jz_links_end_turn(&scripted.links));
    assert_false(jz_links_take_pending(&scripted.links, &link, &slot));
    assert_true(jz_links_take_put_off(&scripted.links, &link, &slot));
    scripted.calls[0] = '\0';
    assert_int_equal(jz_links_take_turn(&scripted.links, link, JZ_READABLE), JZ_READABLE);
    scripted_expect_calls("");
}

static void only_what_is_wanted_is_done_and_what_may_be_received_is_kept_in_mind(void **state)
{
    (void)state;
    int link = scripted_add_ready();
    scripted.next.may = JZ_READABLE | JZ_WRITABLE;
    assert_int_equal(jz_links_ready(&scripted.links, link, JZ_READABLE, 0), 0);
    assert_false(scripted_is_pending(link));
    assert_true(jz_links_watch(&scripted.links, scripted.poll, link, JZ_READABLE, SCRIPTED_TOKEN));
    assert_true(scripted_is_pending(link));
}

static void who_has_more_goes_on_in_the_next_turn(void **state)
{
    (void)state;
    size_t received;
    bool has_more;
    int link = scripted_add_ready();
    scripted.next.count = 3;
    scripted.next.has_more = true;
    assert_int_equal(scripted_receive(link, &received, &has_more), JZ_SOCKET_OK);
    assert_true(has_more);
    assert_true(scripted_is_pending(link));
    assert_false(scripted_is_pending(link));
    jz_links_follow_received(&scripted.links, link); /* it was not received from: there was a reason */
    assert_true(scripted_is_pending(link));
    scripted.next.has_more = false;
    assert_int_equal(scripted_receive(link, &received, &has_more), JZ_SOCKET_OK);
    assert_false(has_more);
    jz_links_follow_received(&scripted.links, link);
    assert_false(scripted_is_pending(link));
}

static void who_has_more_in_a_turn_is_not_served_again_in_it(void **state)
{
    (void)state;
    int taken;
    uint32_t slot;
    size_t received;
    bool has_more;
    int link = scripted_add_ready();
    jz_links_end_turn(&scripted.links);
    scripted.next.count = 3;
    scripted.next.has_more = true;
    assert_int_equal(scripted_receive(link, &received, &has_more), JZ_SOCKET_OK);
    assert_false(jz_links_take_pending(&scripted.links, &taken, &slot));
    assert_true(jz_links_end_turn(&scripted.links));
    assert_true(jz_links_take_pending(&scripted.links, &taken, &slot));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, scripted_begin, scripted_end)
    const struct CMUnitTest tests[] = {
        TEST(an_iteration_begins_no_step_of_a_handshake_once_they_have_taken_their_time),
        TEST(handshakes_have_their_turns_in_the_order_in_which_they_have_waited),
        TEST(whose_time_is_over_is_looked_at_until_looks_have_taken_their_time),
        TEST(who_is_put_off_is_not_watched_and_is_again_after_its_turn),
        TEST(a_handshake_that_a_last_look_has_ended_meanwhile_needs_no_turn),
        TEST(only_what_is_wanted_is_done_and_what_may_be_received_is_kept_in_mind),
        TEST(who_has_more_goes_on_in_the_next_turn),
        TEST(who_has_more_in_a_turn_is_not_served_again_in_it),
    };
#undef TEST
    return EXIT_STATUS_OF(cmocka_run_group_tests(tests, NULL, NULL));
}
