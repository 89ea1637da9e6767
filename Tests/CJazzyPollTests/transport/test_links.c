/* The table of links: places, ends, what is received and sent, and what a lost channel says. */
#define _GNU_SOURCE

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/allocation.h"
#include "support/scripted_links.h"
#include "support/testing.h"

static void a_descriptor_is_its_own_link(void **state)
{
    (void)state;
    size_t received;
    size_t sent;
    bool has_more;
    assert_false(jz_link_is_channel(scripted.ends[0]));
    assert_int_equal(jz_link_descriptor(&scripted.links, scripted.ends[0]), scripted.ends[0]);
    assert_int_equal(jz_link_send(&scripted.links, scripted.ends[1], (const uint8_t *)"hello", 5, &sent), JZ_SOCKET_OK);
    assert_int_equal(scripted_receive(scripted.ends[0], &received, &has_more), JZ_SOCKET_OK);
    assert_int_equal(received, 5);
    assert_false(has_more);
    scripted_expect_calls("");
}

static void until_it_is_opened_bytes_are_read_as_they_are(void **state)
{
    (void)state;
    size_t received;
    bool has_more;
    int link = scripted_add();
    assert_int_equal(write(scripted.ends[1], "PROXY", 5), 5);
    assert_int_equal(jz_links_ready(&scripted.links, link, JZ_READABLE, JZ_READABLE), JZ_READABLE);
    assert_int_equal(scripted_receive(link, &received, &has_more), JZ_SOCKET_OK);
    assert_int_equal(received, 5);
    scripted_expect_calls("");
    assert_true(jz_links_open(&scripted.links, link, (const uint8_t *)"rest", 4));
    scripted_expect_calls("open(rest) ");
}

static void what_came_before_it_was_opened_is_looked_at_without_the_poll(void **state)
{
    (void)state;
    int link = scripted_add();
    assert_true(jz_links_open(&scripted.links, link, (const uint8_t *)"rest", 4));
    assert_true(scripted_is_pending(link));
    scripted.calls[0] = '\0';
    scripted.next.may = JZ_READABLE;
    assert_int_equal(jz_links_go_on(&scripted.links, link), JZ_READABLE);
    scripted_expect_calls("ready(1) ");
}

static void early_bytes_that_are_not_enough_for_the_handshake_do_not_make_the_loop_spin(void **state)
{
    (void)state;
    int link = scripted_add();
    assert_true(jz_links_open(&scripted.links, link, (const uint8_t *)"half", 4));
    assert_true(scripted_is_pending(link));
    assert_int_equal(jz_links_go_on(&scripted.links, link), 0);
    scripted_expect_calls("open(half) ready(1) ");
    jz_links_follow_received(&scripted.links, link);
    scripted.next.interest = JZ_READABLE;
    assert_true(jz_links_watch(&scripted.links, scripted.poll, link, JZ_READABLE, SCRIPTED_TOKEN));
    assert_false(scripted_is_pending(link));
}

static void before_the_channel_says_so_nothing_is_sent_or_received(void **state)
{
    (void)state;
    size_t count;
    bool has_more;
    int link = scripted_add();
    assert_true(jz_links_open(&scripted.links, link, NULL, 0));
    scripted_expect_calls("open() ");
    assert_int_equal(scripted_receive(link, &count, &has_more), JZ_SOCKET_WOULD_BLOCK);
    scripted_expect_calls("ready(1) ");
    assert_int_equal(jz_link_send(&scripted.links, link, (const uint8_t *)"x", 1, &count), JZ_SOCKET_WOULD_BLOCK);
    assert_int_equal(jz_link_finish_sending(&scripted.links, link), JZ_SOCKET_OK);
    scripted_expect_calls("");
    scripted.next.may = JZ_READABLE | JZ_WRITABLE;
    scripted.next.count = 3;
    assert_int_equal(scripted_receive(link, &count, &has_more), JZ_SOCKET_OK);
    scripted_expect_calls("ready(1) receive ");
}

static void nothing_is_received_behind_the_end(void **state)
{
    (void)state;
    size_t received;
    bool has_more;
    int link = scripted_add_ready();
    scripted.next.io = JZ_IO_ENDED;
    scripted.next.has_more = true;
    assert_int_equal(scripted_receive(link, &received, &has_more), JZ_SOCKET_ENDED);
    assert_false(has_more);
    assert_int_equal(scripted_receive(link, &received, &has_more), JZ_SOCKET_ENDED);
    scripted_expect_calls("receive ");
}

static void sending_counts_what_was_taken(void **state)
{
    static const struct {
        jz_io io;
        size_t taken;
        jz_socket_result result;
    } cases[] = {{JZ_IO_OK, 5, JZ_SOCKET_OK},
                 {JZ_IO_OK, 2, JZ_SOCKET_OK},
                 {JZ_IO_WOULD_BLOCK, 0, JZ_SOCKET_WOULD_BLOCK},
                 {JZ_IO_WOULD_BLOCK, 2, JZ_SOCKET_OK},
                 {JZ_IO_BROKEN, 0, JZ_SOCKET_BROKEN}};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        size_t sent = 77;
        int link = scripted_add_ready();
        scripted.next.io = cases[i].io;
        scripted.next.count = cases[i].taken;
        const jz_piece pieces[] = {{(const uint8_t *)"ab", 2}, {(const uint8_t *)"cde", 3}};
        assert_int_equal(jz_link_send_pieces(&scripted.links, link, pieces, 2, &sent), cases[i].result);
        assert_int_equal(sent, cases[i].taken);
        scripted_expect_calls("send(2) ");
        jz_links_forget(&scripted.links, link);
        scripted.calls[0] = '\0';
        scripted.next.io = JZ_IO_OK;
    }
}

static void the_end_is_told_once_and_tried_until_it_is(void **state)
{
    (void)state;
    size_t sent;
    int link = scripted_add_ready();
    uint8_t byte;
    scripted.next.io = JZ_IO_WOULD_BLOCK;
    scripted.next.count = 4;
    assert_int_equal(jz_link_send_last(&scripted.links, link, (const uint8_t *)"last", 4, &sent), JZ_SOCKET_OK);
    assert_int_equal(sent, 4);
    scripted.next.count = 0;
    assert_int_equal(jz_link_finish_sending(&scripted.links, link), JZ_SOCKET_WOULD_BLOCK);
    assert_int_equal(read(scripted.ends[1], &byte, 1), -1);
    scripted.next.io = JZ_IO_OK;
    assert_int_equal(jz_link_finish_sending(&scripted.links, link), JZ_SOCKET_OK);
    scripted_expect_calls("send(1 last) send(0 last) send(0 last) ");
    assert_int_equal(read(scripted.ends[1], &byte, 1), 0);
    assert_int_equal(jz_link_finish_sending(&scripted.links, link), JZ_SOCKET_OK);
    scripted_expect_calls("");
}

static void the_rest_of_the_last_bytes_is_the_last_as_well(void **state)
{
    (void)state;
    size_t sent;
    int link = scripted_add_ready();
    scripted.next.count = 1;
    assert_int_equal(jz_link_send_last(&scripted.links, link, (const uint8_t *)"last", 4, &sent), JZ_SOCKET_OK);
    assert_int_equal(sent, 1);
    scripted.next.count = 3;
    assert_int_equal(jz_link_send(&scripted.links, link, (const uint8_t *)"ast", 3, &sent), JZ_SOCKET_OK);
    assert_int_equal(jz_link_finish_sending(&scripted.links, link), JZ_SOCKET_OK);
    scripted_expect_calls("send(1 last) send(1 last) ");
}

static void who_is_lost_is_only_asked_why(void **state)
{
    static const struct {
        const char *failure;
        const char *text;
    } cases[] = {{"certificate expired", "certificate expired"}, {NULL, NULL}};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char text[100] = "";
        size_t count;
        bool has_more;
        int link = scripted_add_ready();
        scripted.next.may = JZ_LOST;
        scripted.next.failure = cases[i].failure;
        assert_false(jz_links_explain(&scripted.links, link, text, sizeof text));
        assert_int_equal(jz_links_ready(&scripted.links, link, JZ_READABLE, JZ_READABLE), JZ_LOST);
        scripted_expect_calls("ready(1) ");
        assert_int_equal(jz_links_ready(&scripted.links, link, JZ_READABLE, JZ_READABLE), JZ_LOST);
        assert_int_equal(scripted_receive(link, &count, &has_more), JZ_SOCKET_BROKEN);
        assert_int_equal(jz_link_send(&scripted.links, link, (const uint8_t *)"x", 1, &count), JZ_SOCKET_BROKEN);
        assert_true(jz_links_watch(&scripted.links, scripted.poll, link, JZ_READABLE, SCRIPTED_TOKEN));
        scripted_expect_calls("");
        assert_int_equal(jz_links_explain(&scripted.links, link, text, sizeof text), cases[i].text != NULL);
        assert_string_equal(text, cases[i].text != NULL ? cases[i].text : "");
        jz_links_unwatch(&scripted.links, scripted.poll, link);
        jz_links_forget(&scripted.links, link);
        scripted_expect_calls("failure close ");
    }
}

static void a_peer_that_wants_to_speak_something_else_is_lost(void **state)
{
    static const struct {
        const char *protocol;
        bool is_lost;
    } cases[] = {{NULL, false}, {"http/1.1", false}, {"http/1.0", false}, {"h2", true}, {"", true}};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char text[100] = "";
        int link = scripted_add();
        assert_true(jz_links_open(&scripted.links, link, NULL, 0));
        scripted.next.may = JZ_READABLE;
        scripted.next.protocol = cases[i].protocol;
        assert_int_equal(jz_links_ready(&scripted.links, link, JZ_READABLE, JZ_READABLE),
                         cases[i].is_lost ? JZ_LOST : JZ_READABLE);
        assert_int_equal(jz_links_explain(&scripted.links, link, text, sizeof text), cases[i].is_lost);
        assert_int_equal(strstr(text, "http/1.1") != NULL, cases[i].is_lost);
        jz_links_forget(&scripted.links, link);
    }
}

static void places_are_used_again_but_not_while_they_are_pending(void **state)
{
    (void)state;
    int first = scripted_add();
    assert_true(jz_links_open(&scripted.links, first, (const uint8_t *)"early", 5));
    jz_links_forget(&scripted.links, first);
    int second = scripted_add();
    assert_int_not_equal(first, second);
    assert_false(scripted_is_pending(first));
    assert_int_equal(scripted_add(), first);
    jz_links_forget(&scripted.links, second);
    assert_int_equal(scripted_add(), second);
}

static void without_memory_there_is_no_link(void **state)
{
    (void)state;
    test_allocations_fail_after(0);
    int link = jz_links_add(&scripted.links, &scripted_transport, &scripted, scripted.ends[0], false, SCRIPTED_SLOT);
    test_allocations_succeed();
    assert_int_equal(link, 0);
    scripted.next.has_no_memory = true;
    link = scripted_add();
    assert_false(jz_links_open(&scripted.links, link, NULL, 0));
    jz_links_forget(&scripted.links, link);
    scripted_expect_calls("open() ");
}

static void ending_closes_the_channel_and_the_descriptor(void **state)
{
    (void)state;
    uint8_t byte;
    int link = scripted_add_ready();
    jz_link_end(&scripted.links, link);
    scripted_expect_calls("close ");
    assert_int_equal(fcntl(scripted.ends[0], F_GETFD), -1);
    assert_int_equal(read(scripted.ends[1], &byte, 1), 0);
}

/* A socket is shut down where somebody else may have it, too, so that the peer hears of the end; but not in vain. */
static void only_a_socket_that_is_not_over_is_shut_down(void **state)
{
    static const struct {
        unsigned told;
        bool is_shut_down;
    } cases[] = {{JZ_READABLE, true},
                 {JZ_READABLE | JZ_ENDING, true},
                 {JZ_READABLE | JZ_WRITABLE | JZ_ENDING, true},
                 {JZ_READABLE | JZ_WRITABLE | JZ_ENDING | JZ_OVER, false}};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        int link = scripted_add_ready();
        int copy = dup(scripted.ends[0]); /* keeps it open: the peer sees an end only if it was shut down */
        uint8_t byte;
        jz_links_ready(&scripted.links, link, cases[i].told, JZ_READABLE);
        jz_link_end(&scripted.links, link);
        assert_int_equal(read(scripted.ends[1], &byte, 1), cases[i].is_shut_down ? 0 : -1);
        assert_int_equal(fcntl(scripted.ends[0], F_GETFD), -1);
        scripted.calls[0] = '\0';
        close(copy);
        close(scripted.ends[1]);
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, scripted.ends), 0);
    }
}

static void many_links_are_told_apart(void **state)
{
    enum { MANY = 1000 };
    (void)state;
    int made[MANY];
    for (int i = 0; i < MANY; i++) {
        made[i] = jz_links_add(&scripted.links, &scripted_transport, &scripted, i + 1000, false, (uint32_t)i);
        assert_int_not_equal(made[i], 0);
    }
    for (int i = 0; i < MANY; i++)
        assert_int_equal(jz_link_descriptor(&scripted.links, made[i]), i + 1000);
}

static void pieces_are_joined_as_far_as_there_is_room(void **state)
{
    static const jz_piece pieces[] = {
        {(const uint8_t *)"ab", 2}, {(const uint8_t *)"cde", 3}, {(const uint8_t *)"f", 1}};
    static const struct {
        size_t skipped;
        size_t capacity;
        const char *joined;
    } cases[] = {{0, 16, "abcdef"}, {0, 3, "abc"}, {0, 0, ""}, {1, 3, "bcd"},
                 {2, 16, "cdef"},   {5, 1, "f"},   {6, 4, ""}, {9, 4, ""}};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        uint8_t joined[17] = {0};
        assert_int_equal(jz_pieces_join(pieces, 3, cases[i].skipped, joined, cases[i].capacity),
                         strlen(cases[i].joined));
        assert_string_equal((const char *)joined, cases[i].joined);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, scripted_begin, scripted_end)
    const struct CMUnitTest tests[] = {
        TEST(a_descriptor_is_its_own_link),
        TEST(until_it_is_opened_bytes_are_read_as_they_are),
        TEST(what_came_before_it_was_opened_is_looked_at_without_the_poll),
        TEST(early_bytes_that_are_not_enough_for_the_handshake_do_not_make_the_loop_spin),
        TEST(before_the_channel_says_so_nothing_is_sent_or_received),
        TEST(nothing_is_received_behind_the_end),
        TEST(sending_counts_what_was_taken),
        TEST(the_end_is_told_once_and_tried_until_it_is),
        TEST(the_rest_of_the_last_bytes_is_the_last_as_well),
        TEST(who_is_lost_is_only_asked_why),
        TEST(a_peer_that_wants_to_speak_something_else_is_lost),
        TEST(places_are_used_again_but_not_while_they_are_pending),
        TEST(without_memory_there_is_no_link),
        TEST(ending_closes_the_channel_and_the_descriptor),
        TEST(only_a_socket_that_is_not_over_is_shut_down),
        TEST(many_links_are_told_apart),
        TEST(pieces_are_joined_as_far_as_there_is_room),
    };
#undef TEST
    return EXIT_STATUS_OF(cmocka_run_group_tests(tests, NULL, NULL));
}
