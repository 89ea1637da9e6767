/* What the poll watches the descriptors of channels for, and what it tells of them. */
#define _GNU_SOURCE

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/eventually.h"
#include "support/scripted_links.h"
#include "support/testing.h"

static void the_descriptor_is_watched_as_the_channel_wants_it(void **state)
{
    (void)state;
    int link = scripted_add_ready();
    scripted.next.interest = JZ_WRITABLE;
    assert_true(jz_links_watch(&scripted.links, scripted.poll, link, JZ_READABLE, SCRIPTED_TOKEN));
    scripted_expect_calls("interest(1) ");
    assert_int_equal(scripted_told(), JZ_WRITABLE);
    scripted.next.interest = 0;
    assert_true(jz_links_watch(&scripted.links, scripted.poll, link, JZ_READABLE | JZ_WRITABLE, SCRIPTED_TOKEN));
    assert_int_equal(scripted_told(), 0);
    /* It was taken out meanwhile. */
    jz_poll_remove(scripted.poll, scripted.ends[0]);
    scripted.next.interest = JZ_WRITABLE;
    assert_true(jz_links_watch(&scripted.links, scripted.poll, link, JZ_WRITABLE, SCRIPTED_TOKEN));
    assert_int_equal(scripted_told(), JZ_WRITABLE);
}

/* A channel that reads to the end of what there is, and that the poll watches. */
static int add_told(bool tells_all)
{
    int link =
        jz_links_add(&scripted.links, &scripted_transport, &scripted, scripted.ends[0], tells_all, SCRIPTED_SLOT);
    assert_true(jz_links_open(&scripted.links, link, NULL, 0));
    scripted.next.interest = JZ_READABLE | JZ_ONCE;
    assert_true(jz_links_watch(&scripted.links, scripted.poll, link, JZ_READABLE, SCRIPTED_TOKEN));
    return link;
}

static void send_from_peer(void)
{
    assert_int_equal(write(scripted.ends[1], "x", 1), 1);
}

/* What the poll tells goes to the channel, which leaves it where it is. Returns what it was told. */
static unsigned go_on_by_poll(int link)
{
    unsigned told = scripted_told_of_all();
    if (told != 0)
        jz_links_ready(&scripted.links, link, told, JZ_READABLE);
    assert_true(jz_links_watch(&scripted.links, scripted.poll, link, JZ_READABLE, SCRIPTED_TOKEN));
    return told & (JZ_READABLE | JZ_WRITABLE);
}

/* For polls that tell everything as long as it is there this is as good as level-triggered. */
static const unsigned again = JZ_POLL_TELLS_ONCE ? 0 : JZ_READABLE;

static void what_a_channel_reads_to_its_end_is_told_once(void **state)
{
    (void)state;
    int link = add_told(false);
    scripted.next.may = JZ_READABLE;
    assert_int_equal(go_on_by_poll(link), 0);
    for (int i = 0; i < 3; i++) {
        send_from_peer();
        assert_int_equal(go_on_by_poll(link), JZ_READABLE);
        assert_int_equal(go_on_by_poll(link), again);
    }
}

static void what_a_channel_leaves_is_told_again(void **state)
{
    (void)state;
    int link = add_told(false);
    scripted.next.may = JZ_READABLE;
    send_from_peer();
    assert_int_equal(go_on_by_poll(link), JZ_READABLE);
    scripted.next.interest = JZ_READABLE;
    assert_true(jz_links_watch(&scripted.links, scripted.poll, link, JZ_READABLE, SCRIPTED_TOKEN));
    for (int i = 0; i < 2; i++)
        assert_int_equal(go_on_by_poll(link), JZ_READABLE);
}

static void output_that_waits_is_told_of_as_long_as_there_is_room(void **state)
{
    (void)state;
    int link = add_told(false);
    scripted.next.may = JZ_READABLE;
    scripted.next.interest = JZ_READABLE | JZ_WRITABLE | JZ_ONCE;
    assert_int_equal(go_on_by_poll(link), 0);
    for (int i = 0; i < 2; i++)
        assert_int_equal(go_on_by_poll(link), JZ_WRITABLE);
    send_from_peer();
    for (int i = 0; i < 2; i++)
        assert_int_equal(go_on_by_poll(link), JZ_READABLE | JZ_WRITABLE);
}

/* Its reading may stop short of what there is, or others may read it, too. */
static void of_a_descriptor_that_is_no_stream_of_its_own_all_is_told(void **state)
{
    (void)state;
    int link = add_told(true);
    scripted.next.may = JZ_READABLE;
    assert_int_equal(go_on_by_poll(link), 0);
    send_from_peer();
    for (int i = 0; i < 2; i++)
        assert_int_equal(go_on_by_poll(link), JZ_READABLE);
}

/* Puts a connection over TCP in the place of the pair. */
static void connect_ends(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t length = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    close(scripted.ends[0]);
    close(scripted.ends[1]);
    assert_int_equal(bind(listener, (struct sockaddr *)&address, length), 0);
    assert_int_equal(listen(listener, 1), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &length), 0);
    scripted.ends[1] = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(scripted.ends[1], (struct sockaddr *)&address, length), 0);
    scripted.ends[0] = accept(listener, NULL, NULL);
    assert_true(scripted.ends[0] >= 0);
    close(listener);
}

/* Reading stops there, with less than it was asked for. */
static void what_follows_urgent_data_is_told_again(void **state)
{
    (void)state;
    connect_ends();
    int link = add_told(false);
    char bytes[8];
    send_from_peer();
    assert_int_equal(send(scripted.ends[1], "!", 1, MSG_OOB), 1);
    send_from_peer();
    assert_eventually(recv(scripted.ends[0], bytes, 1, MSG_OOB | MSG_PEEK) == 1);
    scripted.next.may = JZ_READABLE;
    assert_int_equal(go_on_by_poll(link), JZ_READABLE);
    assert_int_equal(read(scripted.ends[0], bytes, sizeof bytes), 1);
    assert_eventually(recv(scripted.ends[0], bytes, sizeof bytes, MSG_PEEK) == 1);
    for (int i = 0; i < 2; i++)
        assert_int_equal(go_on_by_poll(link), JZ_READABLE);
}

/* A read that finds some bytes does not find what is behind them. */
static void an_end_behind_what_is_read_is_told_again(void **state)
{
    (void)state;
    int link = add_told(false);
    char byte;
    send_from_peer();
    shutdown(scripted.ends[1], SHUT_WR);
    assert_int_equal(go_on_by_poll(link), JZ_READABLE);
    assert_int_equal(read(scripted.ends[0], &byte, 1), 1);
    for (int i = 0; i < 2; i++)
        assert_int_equal(go_on_by_poll(link), JZ_READABLE);
}

/* It need not leave the poll, which has told what there is; and what comes meanwhile is told when its turn is over. */
static void a_handshake_that_is_put_off_hears_of_what_came_meanwhile(void **state)
{
    (void)state;
    int link = add_told(false);
    int taken;
    uint32_t slot;
    scripted.links.steps_ns = UINT64_MAX;
    send_from_peer();
    assert_int_equal(go_on_by_poll(link), JZ_READABLE);
    for (int i = 0; i < 2; i++) {
        send_from_peer();
        assert_int_equal(go_on_by_poll(link), JZ_POLL_TELLS_ONCE ? JZ_READABLE : 0);
        assert_int_equal(go_on_by_poll(link), 0);
    }
    assert_true(jz_links_end_turn(&scripted.links));
    assert_true(jz_links_take_put_off(&scripted.links, &taken, &slot));
    assert_int_equal(jz_links_take_turn(&scripted.links, link, JZ_READABLE), 0);
    assert_true(jz_links_watch(&scripted.links, scripted.poll, link, JZ_READABLE, SCRIPTED_TOKEN));
    assert_int_equal(go_on_by_poll(link), JZ_READABLE);
}

/* What somebody else has still is not reported, or only as far as something new comes. */
static void a_channel_leaves_the_poll_when_it_ends(void **state)
{
    (void)state;
    for (int tells_all = 0; tells_all < 2; tells_all++) {
        int link = add_told(tells_all != 0);
        int copy = dup(scripted.ends[0]);
        scripted.next.may = JZ_READABLE;
        send_from_peer();
        assert_int_equal(go_on_by_poll(link), JZ_READABLE);
        jz_links_unwatch(&scripted.links, scripted.poll, link);
        jz_links_forget(&scripted.links, link);
        close(scripted.ends[0]);
        assert_int_equal(scripted_told(), 0);
        send_from_peer();
        scripted_told();
        assert_int_equal(scripted_told(), 0);
        /* Where others may have the same socket, its number can be watched anew. */
        if (tells_all) {
            assert_int_equal(dup(copy), scripted.ends[0]);
            assert_true(jz_poll_add(scripted.poll, scripted.ends[0], JZ_READABLE, SCRIPTED_TOKEN));
            jz_poll_remove(scripted.poll, scripted.ends[0]);
        }
        close(copy);
        close(scripted.ends[1]);
        close(scripted.ends[0]);
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, scripted.ends), 0);
    }
}

static void a_hang_up_that_nobody_watches_for_is_found_out_by_receiving(void **state)
{
    (void)state;
    int link = scripted_add_ready();
    scripted.next.interest = 0;
    assert_true(jz_links_watch(&scripted.links, scripted.poll, link, 0, SCRIPTED_TOKEN));
    scripted.calls[0] = '\0';
    assert_int_equal(jz_links_ready(&scripted.links, link, JZ_READABLE | JZ_WRITABLE, 0), JZ_READABLE);
    scripted_expect_calls("");
}

static void a_hang_up_in_a_handshake_that_waits_for_nothing_is_its_end(void **state)
{
    (void)state;
    int link = scripted_add();
    assert_true(jz_links_open(&scripted.links, link, NULL, 0));
    assert_true(jz_links_watch(&scripted.links, scripted.poll, link, JZ_READABLE, SCRIPTED_TOKEN));
    scripted_expect_calls("open() interest(1) ");
    close(scripted.ends[1]);
    unsigned told = scripted_told();
    assert_int_equal(told, JZ_READABLE | JZ_WRITABLE);
    assert_int_equal(jz_links_ready(&scripted.links, link, told, JZ_READABLE), JZ_LOST);
    scripted_expect_calls("ready(3) ");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, scripted_begin, scripted_end)
    const struct CMUnitTest tests[] = {
        TEST(the_descriptor_is_watched_as_the_channel_wants_it),
        TEST(what_a_channel_reads_to_its_end_is_told_once),
        TEST(what_a_channel_leaves_is_told_again),
        TEST(output_that_waits_is_told_of_as_long_as_there_is_room),
        TEST(of_a_descriptor_that_is_no_stream_of_its_own_all_is_told),
        TEST(what_follows_urgent_data_is_told_again),
        TEST(an_end_behind_what_is_read_is_told_again),
        TEST(a_handshake_that_is_put_off_hears_of_what_came_meanwhile),
        TEST(a_channel_leaves_the_poll_when_it_ends),
        TEST(a_hang_up_that_nobody_watches_for_is_found_out_by_receiving),
        TEST(a_hang_up_in_a_handshake_that_waits_for_nothing_is_its_end),
    };
#undef TEST
    return EXIT_STATUS_OF(cmocka_run_group_tests(tests, NULL, NULL));
}
