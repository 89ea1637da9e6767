/* The table of channels, and its calls of a transport, which does as the test says, and records the calls. */
#define _GNU_SOURCE

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "transport/links.h"
#include "support/allocation.h"
#include "support/clock.h"
#include "support/eventually.h"
#include "support/testing.h"

enum { SLOT = 7, TOKEN = 99, CALLS_SIZE = 256 };

/* The behaviour of the next call of each function. */
static struct {
    bool has_no_memory;
    unsigned interest;
    unsigned may;
    jz_io io;
    size_t count; /* bytes received, or taken */
    bool has_more;
    const char *protocol;
    const char *failure;
    uint64_t ready_ns; /* what `ready` takes, by the stopped clock */
    char calls[CALLS_SIZE];
} scripted;

static jz_links links;
static jz_poll *poll;
static int ends[2]; /* of a socket: the channel's descriptor, and the peer's */

static void note(const char *call)
{
    strncat(scripted.calls, call, sizeof scripted.calls - strlen(scripted.calls) - 1);
}

static void *open_channel(void *context, int descriptor, const uint8_t *early, size_t early_length)
{
    char call[48];
    assert_ptr_equal(context, &scripted);
    snprintf(call, sizeof call, "open(%.*s) ", (int)early_length, early != NULL ? (const char *)early : "");
    note(call);
    assert_int_equal(descriptor, ends[0]);
    return scripted.has_no_memory ? NULL : &scripted;
}

static unsigned interest(void *channel, unsigned wanted)
{
    char call[24];
    assert_ptr_equal(channel, &scripted);
    snprintf(call, sizeof call, "interest(%u) ", wanted);
    note(call);
    return scripted.interest;
}

static unsigned ready(void *channel, unsigned what)
{
    char call[24];
    assert_ptr_equal(channel, &scripted);
    snprintf(call, sizeof call, "ready(%u) ", what);
    note(call);
    test_clock_advance_ns(scripted.ready_ns);
    return scripted.may;
}

static jz_io receive(void *channel, uint8_t *bytes, size_t capacity, size_t *received, bool *has_more)
{
    assert_ptr_equal(channel, &scripted);
    assert_false(*has_more);
    note("receive ");
    *received = scripted.count;
    *has_more = scripted.has_more;
    memset(bytes, 'x', capacity < scripted.count ? capacity : scripted.count);
    return scripted.io;
}

static jz_io send_pieces(void *channel, const jz_piece *pieces, size_t count, bool is_last, size_t *sent)
{
    char call[40];
    assert_ptr_equal(channel, &scripted);
    assert_int_equal(*sent, 0);
    snprintf(call, sizeof call, "send(%zu%s) ", count, is_last ? " last" : "");
    note(call);
    (void)pieces;
    *sent = scripted.count;
    return scripted.io;
}

static const char *protocol(void *channel)
{
    assert_ptr_equal(channel, &scripted);
    return scripted.protocol;
}

static const char *failure(void *channel)
{
    assert_ptr_equal(channel, &scripted);
    note("failure ");
    return scripted.failure;
}

static void close_channel(void *channel)
{
    assert_ptr_equal(channel, &scripted);
    note("close ");
}

static const jz_transport transport = {.open = open_channel,
                                       .interest = interest,
                                       .ready = ready,
                                       .receive = receive,
                                       .send = send_pieces,
                                       .protocol = protocol,
                                       .failure = failure,
                                       .close = close_channel};

static void expect_calls(const char *calls)
{
    assert_string_equal(scripted.calls, calls);
    scripted.calls[0] = '\0';
}

static int begin(void **state)
{
    (void)state;
    memset(&scripted, 0, sizeof scripted);
    test_clock_stop(1000);
    links = (jz_links){0};
    poll = jz_poll_create();
    assert_non_null(poll);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
    return 0;
}

static int end(void **state)
{
    (void)state;
    test_clocks_run();
    jz_links_free(&links);
    jz_poll_destroy(poll);
    close(ends[0]);
    close(ends[1]);
    return 0;
}

static int add(void)
{
    int link = jz_links_add(&links, &transport, &scripted, ends[0], false, SLOT);
    assert_true(jz_link_is_channel(link));
    assert_int_equal(jz_link_descriptor(&links, link), ends[0]);
    return link;
}

/* A channel whose handshake is done. */
static int add_ready(void)
{
    int link = add();
    assert_true(jz_links_open(&links, link, NULL, 0));
    scripted.may = JZ_READABLE;
    assert_int_equal(jz_links_ready(&links, link, JZ_READABLE, JZ_READABLE), JZ_READABLE);
    expect_calls("open() ready(1) ");
    return link;
}

static jz_socket_result receive_from(int link, size_t *received, bool *has_more)
{
    uint8_t bytes[64];
    *received = 0;
    return jz_link_receive(&links, link, bytes, sizeof bytes, received, has_more);
}

/* Whether this channel is pending in the next iteration. */
static bool is_pending(int link)
{
    int taken;
    uint32_t slot;
    jz_links_end_turn(&links);
    if (!jz_links_take_pending(&links, &taken, &slot))
        return false;
    assert_int_equal(taken, link);
    assert_int_equal(slot, SLOT);
    return true;
}

/* And of an end, if there is one. */
static unsigned all_told_by_poll(void)
{
    jz_ready told[2];
    int count = jz_poll_wait(poll, told, COUNT_OF(told), 0);
    assert_in_range(count, 0, 1);
    return count > 0 ? told[0].what : 0;
}

static unsigned told_by_poll(void)
{
    return all_told_by_poll() & (JZ_READABLE | JZ_WRITABLE);
}

static void a_descriptor_is_its_own_link(void **state)
{
    (void)state;
    size_t received;
    size_t sent;
    bool has_more;
    assert_false(jz_link_is_channel(ends[0]));
    assert_int_equal(jz_link_descriptor(&links, ends[0]), ends[0]);
    assert_int_equal(jz_link_send(&links, ends[1], (const uint8_t *)"hello", 5, &sent), JZ_SOCKET_OK);
    assert_int_equal(receive_from(ends[0], &received, &has_more), JZ_SOCKET_OK);
    assert_int_equal(received, 5);
    assert_false(has_more);
    expect_calls("");
}

static void until_it_is_opened_bytes_are_read_as_they_are(void **state)
{
    (void)state;
    size_t received;
    bool has_more;
    int link = add();
    assert_int_equal(write(ends[1], "PROXY", 5), 5);
    assert_int_equal(jz_links_ready(&links, link, JZ_READABLE, JZ_READABLE), JZ_READABLE);
    assert_int_equal(receive_from(link, &received, &has_more), JZ_SOCKET_OK);
    assert_int_equal(received, 5);
    expect_calls("");
    assert_true(jz_links_open(&links, link, (const uint8_t *)"rest", 4));
    expect_calls("open(rest) ");
}

static void what_came_before_it_was_opened_is_looked_at_without_the_poll(void **state)
{
    (void)state;
    int link = add();
    assert_true(jz_links_open(&links, link, (const uint8_t *)"rest", 4));
    assert_true(is_pending(link));
    scripted.calls[0] = '\0';
    scripted.may = JZ_READABLE;
    assert_int_equal(jz_links_go_on(&links, link), JZ_READABLE);
    expect_calls("ready(1) ");
}

static void early_bytes_that_are_not_enough_for_the_handshake_do_not_make_the_loop_spin(void **state)
{
    (void)state;
    int link = add();
    assert_true(jz_links_open(&links, link, (const uint8_t *)"half", 4));
    assert_true(is_pending(link));
    assert_int_equal(jz_links_go_on(&links, link), 0);
    expect_calls("open(half) ready(1) ");
    jz_links_follow_received(&links, link);
    scripted.interest = JZ_READABLE;
    assert_true(jz_links_watch(&links, poll, link, JZ_READABLE, TOKEN));
    assert_false(is_pending(link));
}

static void before_the_channel_says_so_nothing_is_sent_or_received(void **state)
{
    (void)state;
    size_t count;
    bool has_more;
    int link = add();
    assert_true(jz_links_open(&links, link, NULL, 0));
    expect_calls("open() ");
    assert_int_equal(receive_from(link, &count, &has_more), JZ_SOCKET_WOULD_BLOCK);
    expect_calls("ready(1) ");
    assert_int_equal(jz_link_send(&links, link, (const uint8_t *)"x", 1, &count), JZ_SOCKET_WOULD_BLOCK);
    assert_int_equal(jz_link_finish_sending(&links, link), JZ_SOCKET_OK);
    expect_calls("");
    scripted.may = JZ_READABLE | JZ_WRITABLE;
    scripted.count = 3;
    assert_int_equal(receive_from(link, &count, &has_more), JZ_SOCKET_OK);
    expect_calls("ready(1) receive ");
}

/* Whether the poll may report it: it is not put off. */
static bool is_reported(int link)
{
    return !links.channels[~link].is_put_off;
}

/* An iteration in which the poll reports all channels that it may. Adds to the steps of each. */
static void go_round(const int *made, size_t *steps, size_t count)
{
    int link;
    uint32_t slot;
    for (size_t i = 0; i < count; i++) {
        scripted.calls[0] = '\0';
        if (is_reported(made[i]))
            assert_int_equal(jz_links_ready(&links, made[i], JZ_READABLE, JZ_READABLE), 0);
        steps[i] += scripted.calls[0] != '\0';
    }
    while (jz_links_take_put_off(&links, &link, &slot)) {
        size_t i = 0;
        while (made[i] != link)
            i++;
        scripted.calls[0] = '\0';
        assert_int_equal(jz_links_take_turn(&links, link, JZ_READABLE), 0);
        expect_calls("ready(1) ");
        steps[i]++;
    }
    jz_links_end_turn(&links);
}

static void begin_handshakes(int *made, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        made[i] = add();
        assert_true(jz_links_open(&links, made[i], NULL, 0));
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
        scripted.ready_ns = rows[row].step_ns;
        for (int round = 0; round < 3; round++) {
            size_t steps[MANY] = {0};
            size_t sum = 0;
            go_round(made, steps, MANY);
            for (size_t i = 0; i < MANY; i++)
                sum += steps[i];
            assert_that(sum == rows[row].steps, "%zu steps of %d ns", sum, (int)rows[row].step_ns);
            assert_true(links.goes_on);
        }
    }
    for (size_t i = 0; i < MANY; i++)
        jz_links_forget(&links, made[i]);
    int link;
    uint32_t slot;
    assert_false(jz_links_take_put_off(&links, &link, &slot));
    assert_false(jz_links_end_turn(&links));
}

static void handshakes_have_their_turns_in_the_order_in_which_they_have_waited(void **state)
{
    enum { MANY = 50, TURNS = 40, PER_TURN = 4 };
    (void)state;
    int made[MANY];
    size_t steps[MANY] = {0};
    scripted.ready_ns = 25 * 1000;
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
    scripted.ready_ns = 900 * 1000;
    for (int round = 0; round < 2; round++) {
        size_t looks = 0;
        for (size_t i = 0; i < MANY; i++) {
            size_t received;
            bool has_more;
            scripted.calls[0] = '\0';
            assert_int_equal(receive_from(made[i], &received, &has_more), JZ_SOCKET_WOULD_BLOCK);
            looks += strcmp(scripted.calls, "ready(1) ") == 0;
        }
        assert_int_equal(looks, 12); /* 10 ms; the last begins just in time */
        jz_links_end_turn(&links);
    }
    for (size_t i = 0; i < MANY; i++)
        jz_links_forget(&links, made[i]);
}

static void who_is_put_off_is_not_watched_and_is_again_after_its_turn(void **state)
{
    (void)state;
    int made[2];
    int link;
    uint32_t slot;
    begin_handshakes(made, 2);
    scripted.interest = JZ_READABLE;
    scripted.ready_ns = 9000000;
    assert_int_equal(write(ends[1], "x", 1), 1);
    assert_int_equal(jz_links_ready(&links, made[0], JZ_READABLE, JZ_READABLE), 0);
    assert_int_equal(jz_links_ready(&links, made[1], JZ_READABLE, JZ_READABLE), 0);
    expect_calls("ready(1) ");
    assert_true(jz_links_watch(&links, poll, made[1], JZ_READABLE, TOKEN));
    assert_int_equal(told_by_poll(), 0);
    assert_false(jz_links_take_put_off(&links, &link, &slot));
    assert_true(jz_links_end_turn(&links));
    assert_true(jz_links_take_put_off(&links, &link, &slot));
    assert_int_equal(link, made[1]);
    assert_int_equal(jz_links_take_turn(&links, link, JZ_READABLE), 0);
    expect_calls("ready(1) ");
    assert_true(jz_links_watch(&links, poll, made[1], JZ_READABLE, TOKEN));
    assert_int_equal(told_by_poll(), JZ_READABLE);
    assert_false(jz_links_end_turn(&links));
    /* One that waits for nothing then is watched, too: for its peer's end. */
    scripted.calls[0] = '\0';
    assert_int_equal(jz_links_ready(&links, made[0], JZ_READABLE, JZ_READABLE), 0);
    assert_int_equal(jz_links_ready(&links, made[1], JZ_READABLE, JZ_READABLE), 0);
    assert_true(jz_links_watch(&links, poll, made[1], JZ_READABLE, TOKEN));
    assert_true(jz_links_end_turn(&links));
    assert_true(jz_links_take_put_off(&links, &link, &slot));
    assert_int_equal(jz_links_take_turn(&links, link, JZ_READABLE), 0);
    scripted.interest = 0;
    assert_true(jz_links_watch(&links, poll, made[1], JZ_READABLE, TOKEN));
    assert_int_equal(told_by_poll(), 0);
    close(ends[1]);
    assert_int_equal(told_by_poll(), JZ_READABLE | JZ_WRITABLE);
    ends[1] = dup(ends[0]);
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
    scripted.ready_ns = 9000000;
    assert_int_equal(jz_links_ready(&links, made[0], JZ_READABLE, JZ_READABLE), 0);
    assert_int_equal(jz_links_ready(&links, made[1], JZ_READABLE, JZ_READABLE), 0);
    scripted.may = JZ_READABLE;
    scripted.io = JZ_IO_OK;
    scripted.count = 3;
    scripted.has_more = true;
    assert_int_equal(receive_from(made[1], &received, &has_more), JZ_SOCKET_OK);
    assert_true(jz_links_end_turn(&links));
    assert_false(jz_links_take_pending(&links, &link, &slot));
    assert_true(jz_links_take_put_off(&links, &link, &slot));
    scripted.calls[0] = '\0';
    assert_int_equal(jz_links_take_turn(&links, link, JZ_READABLE), JZ_READABLE);
    expect_calls("");
}

static void the_descriptor_is_watched_as_the_channel_wants_it(void **state)
{
    (void)state;
    int link = add_ready();
    scripted.interest = JZ_WRITABLE;
    assert_true(jz_links_watch(&links, poll, link, JZ_READABLE, TOKEN));
    expect_calls("interest(1) ");
    assert_int_equal(told_by_poll(), JZ_WRITABLE);
    scripted.interest = 0;
    assert_true(jz_links_watch(&links, poll, link, JZ_READABLE | JZ_WRITABLE, TOKEN));
    assert_int_equal(told_by_poll(), 0);
    /* It was taken out meanwhile. */
    jz_poll_remove(poll, ends[0]);
    scripted.interest = JZ_WRITABLE;
    assert_true(jz_links_watch(&links, poll, link, JZ_WRITABLE, TOKEN));
    assert_int_equal(told_by_poll(), JZ_WRITABLE);
}

/* A channel that reads to the end of what there is, and that the poll watches. */
static int add_told(bool tells_all)
{
    int link = jz_links_add(&links, &transport, &scripted, ends[0], tells_all, SLOT);
    assert_true(jz_links_open(&links, link, NULL, 0));
    scripted.interest = JZ_READABLE | JZ_ONCE;
    assert_true(jz_links_watch(&links, poll, link, JZ_READABLE, TOKEN));
    return link;
}

static void send_from_peer(void)
{
    assert_int_equal(write(ends[1], "x", 1), 1);
}

/* What the poll tells goes to the channel, which leaves it where it is. Returns what it was told. */
static unsigned go_on_by_poll(int link)
{
    unsigned told = all_told_by_poll();
    if (told != 0)
        jz_links_ready(&links, link, told, JZ_READABLE);
    assert_true(jz_links_watch(&links, poll, link, JZ_READABLE, TOKEN));
    return told & (JZ_READABLE | JZ_WRITABLE);
}

/* For polls that tell everything as long as it is there this is as good as level-triggered. */
static const unsigned again = JZ_POLL_TELLS_ONCE ? 0 : JZ_READABLE;

static void what_a_channel_reads_to_its_end_is_told_once(void **state)
{
    (void)state;
    int link = add_told(false);
    scripted.may = JZ_READABLE;
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
    scripted.may = JZ_READABLE;
    send_from_peer();
    assert_int_equal(go_on_by_poll(link), JZ_READABLE);
    scripted.interest = JZ_READABLE;
    assert_true(jz_links_watch(&links, poll, link, JZ_READABLE, TOKEN));
    for (int i = 0; i < 2; i++)
        assert_int_equal(go_on_by_poll(link), JZ_READABLE);
}

static void output_that_waits_is_told_of_as_long_as_there_is_room(void **state)
{
    (void)state;
    int link = add_told(false);
    scripted.may = JZ_READABLE;
    scripted.interest = JZ_READABLE | JZ_WRITABLE | JZ_ONCE;
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
    scripted.may = JZ_READABLE;
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
    close(ends[0]);
    close(ends[1]);
    assert_int_equal(bind(listener, (struct sockaddr *)&address, length), 0);
    assert_int_equal(listen(listener, 1), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &length), 0);
    ends[1] = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(ends[1], (struct sockaddr *)&address, length), 0);
    ends[0] = accept(listener, NULL, NULL);
    assert_true(ends[0] >= 0);
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
    assert_int_equal(send(ends[1], "!", 1, MSG_OOB), 1);
    send_from_peer();
    assert_eventually(recv(ends[0], bytes, 1, MSG_OOB | MSG_PEEK) == 1);
    scripted.may = JZ_READABLE;
    assert_int_equal(go_on_by_poll(link), JZ_READABLE);
    assert_int_equal(read(ends[0], bytes, sizeof bytes), 1);
    assert_eventually(recv(ends[0], bytes, sizeof bytes, MSG_PEEK) == 1);
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
    shutdown(ends[1], SHUT_WR);
    assert_int_equal(go_on_by_poll(link), JZ_READABLE);
    assert_int_equal(read(ends[0], &byte, 1), 1);
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
    links.steps_ns = UINT64_MAX;
    send_from_peer();
    assert_int_equal(go_on_by_poll(link), JZ_READABLE);
    for (int i = 0; i < 2; i++) {
        send_from_peer();
        assert_int_equal(go_on_by_poll(link), JZ_POLL_TELLS_ONCE ? JZ_READABLE : 0);
        assert_int_equal(go_on_by_poll(link), 0);
    }
    assert_true(jz_links_end_turn(&links));
    assert_true(jz_links_take_put_off(&links, &taken, &slot));
    assert_int_equal(jz_links_take_turn(&links, link, JZ_READABLE), 0);
    assert_true(jz_links_watch(&links, poll, link, JZ_READABLE, TOKEN));
    assert_int_equal(go_on_by_poll(link), JZ_READABLE);
}

/* What somebody else has still is not reported, or only as far as something new comes. */
static void a_channel_leaves_the_poll_when_it_ends(void **state)
{
    (void)state;
    for (int tells_all = 0; tells_all < 2; tells_all++) {
        int link = add_told(tells_all != 0);
        int copy = dup(ends[0]);
        scripted.may = JZ_READABLE;
        send_from_peer();
        assert_int_equal(go_on_by_poll(link), JZ_READABLE);
        jz_links_unwatch(&links, poll, link);
        jz_links_forget(&links, link);
        close(ends[0]);
        assert_int_equal(told_by_poll(), 0);
        send_from_peer();
        told_by_poll();
        assert_int_equal(told_by_poll(), 0);
        /* Where others may have the same socket, its number can be watched anew. */
        if (tells_all) {
            assert_int_equal(dup(copy), ends[0]);
            assert_true(jz_poll_add(poll, ends[0], JZ_READABLE, TOKEN));
            jz_poll_remove(poll, ends[0]);
        }
        close(copy);
        close(ends[1]);
        close(ends[0]);
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
    }
}

static void only_what_is_wanted_is_done_and_what_may_be_received_is_kept_in_mind(void **state)
{
    (void)state;
    int link = add_ready();
    scripted.may = JZ_READABLE | JZ_WRITABLE;
    assert_int_equal(jz_links_ready(&links, link, JZ_READABLE, 0), 0);
    assert_false(is_pending(link));
    assert_true(jz_links_watch(&links, poll, link, JZ_READABLE, TOKEN));
    assert_true(is_pending(link));
}

static void who_has_more_goes_on_in_the_next_turn(void **state)
{
    (void)state;
    size_t received;
    bool has_more;
    int link = add_ready();
    scripted.count = 3;
    scripted.has_more = true;
    assert_int_equal(receive_from(link, &received, &has_more), JZ_SOCKET_OK);
    assert_true(has_more);
    assert_true(is_pending(link));
    assert_false(is_pending(link));
    jz_links_follow_received(&links, link); /* it was not received from: there was a reason */
    assert_true(is_pending(link));
    scripted.has_more = false;
    assert_int_equal(receive_from(link, &received, &has_more), JZ_SOCKET_OK);
    assert_false(has_more);
    jz_links_follow_received(&links, link);
    assert_false(is_pending(link));
}

static void who_has_more_in_a_turn_is_not_served_again_in_it(void **state)
{
    (void)state;
    int taken;
    uint32_t slot;
    size_t received;
    bool has_more;
    int link = add_ready();
    jz_links_end_turn(&links);
    scripted.count = 3;
    scripted.has_more = true;
    assert_int_equal(receive_from(link, &received, &has_more), JZ_SOCKET_OK);
    assert_false(jz_links_take_pending(&links, &taken, &slot));
    assert_true(jz_links_end_turn(&links));
    assert_true(jz_links_take_pending(&links, &taken, &slot));
}

static void nothing_is_received_behind_the_end(void **state)
{
    (void)state;
    size_t received;
    bool has_more;
    int link = add_ready();
    scripted.io = JZ_IO_ENDED;
    scripted.has_more = true;
    assert_int_equal(receive_from(link, &received, &has_more), JZ_SOCKET_ENDED);
    assert_false(has_more);
    assert_int_equal(receive_from(link, &received, &has_more), JZ_SOCKET_ENDED);
    expect_calls("receive ");
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
        int link = add_ready();
        scripted.io = cases[i].io;
        scripted.count = cases[i].taken;
        const jz_piece pieces[] = {{(const uint8_t *)"ab", 2}, {(const uint8_t *)"cde", 3}};
        assert_int_equal(jz_link_send_pieces(&links, link, pieces, 2, &sent), cases[i].result);
        assert_int_equal(sent, cases[i].taken);
        expect_calls("send(2) ");
        jz_links_forget(&links, link);
        scripted.calls[0] = '\0';
        scripted.io = JZ_IO_OK;
    }
}

static void the_end_is_told_once_and_tried_until_it_is(void **state)
{
    (void)state;
    size_t sent;
    int link = add_ready();
    uint8_t byte;
    scripted.io = JZ_IO_WOULD_BLOCK;
    scripted.count = 4;
    assert_int_equal(jz_link_send_last(&links, link, (const uint8_t *)"last", 4, &sent), JZ_SOCKET_OK);
    assert_int_equal(sent, 4);
    scripted.count = 0;
    assert_int_equal(jz_link_finish_sending(&links, link), JZ_SOCKET_WOULD_BLOCK);
    assert_int_equal(read(ends[1], &byte, 1), -1);
    scripted.io = JZ_IO_OK;
    assert_int_equal(jz_link_finish_sending(&links, link), JZ_SOCKET_OK);
    expect_calls("send(1 last) send(0 last) send(0 last) ");
    assert_int_equal(read(ends[1], &byte, 1), 0);
    assert_int_equal(jz_link_finish_sending(&links, link), JZ_SOCKET_OK);
    expect_calls("");
}

static void the_rest_of_the_last_bytes_is_the_last_as_well(void **state)
{
    (void)state;
    size_t sent;
    int link = add_ready();
    scripted.count = 1;
    assert_int_equal(jz_link_send_last(&links, link, (const uint8_t *)"last", 4, &sent), JZ_SOCKET_OK);
    assert_int_equal(sent, 1);
    scripted.count = 3;
    assert_int_equal(jz_link_send(&links, link, (const uint8_t *)"ast", 3, &sent), JZ_SOCKET_OK);
    assert_int_equal(jz_link_finish_sending(&links, link), JZ_SOCKET_OK);
    expect_calls("send(1 last) send(1 last) ");
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
        int link = add_ready();
        scripted.may = JZ_LOST;
        scripted.failure = cases[i].failure;
        assert_false(jz_links_explain(&links, link, text, sizeof text));
        assert_int_equal(jz_links_ready(&links, link, JZ_READABLE, JZ_READABLE), JZ_LOST);
        expect_calls("ready(1) ");
        assert_int_equal(jz_links_ready(&links, link, JZ_READABLE, JZ_READABLE), JZ_LOST);
        assert_int_equal(receive_from(link, &count, &has_more), JZ_SOCKET_BROKEN);
        assert_int_equal(jz_link_send(&links, link, (const uint8_t *)"x", 1, &count), JZ_SOCKET_BROKEN);
        assert_true(jz_links_watch(&links, poll, link, JZ_READABLE, TOKEN));
        expect_calls("");
        assert_int_equal(jz_links_explain(&links, link, text, sizeof text), cases[i].text != NULL);
        assert_string_equal(text, cases[i].text != NULL ? cases[i].text : "");
        jz_links_unwatch(&links, poll, link);
        jz_links_forget(&links, link);
        expect_calls("failure close ");
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
        int link = add();
        assert_true(jz_links_open(&links, link, NULL, 0));
        scripted.may = JZ_READABLE;
        scripted.protocol = cases[i].protocol;
        assert_int_equal(jz_links_ready(&links, link, JZ_READABLE, JZ_READABLE),
                         cases[i].is_lost ? JZ_LOST : JZ_READABLE);
        assert_int_equal(jz_links_explain(&links, link, text, sizeof text), cases[i].is_lost);
        assert_int_equal(strstr(text, "http/1.1") != NULL, cases[i].is_lost);
        jz_links_forget(&links, link);
    }
}

static void a_hang_up_that_nobody_watches_for_is_found_out_by_receiving(void **state)
{
    (void)state;
    int link = add_ready();
    scripted.interest = 0;
    assert_true(jz_links_watch(&links, poll, link, 0, TOKEN));
    scripted.calls[0] = '\0';
    assert_int_equal(jz_links_ready(&links, link, JZ_READABLE | JZ_WRITABLE, 0), JZ_READABLE);
    expect_calls("");
}

static void a_hang_up_in_a_handshake_that_waits_for_nothing_is_its_end(void **state)
{
    (void)state;
    int link = add();
    assert_true(jz_links_open(&links, link, NULL, 0));
    assert_true(jz_links_watch(&links, poll, link, JZ_READABLE, TOKEN));
    expect_calls("open() interest(1) ");
    close(ends[1]);
    unsigned told = told_by_poll();
    assert_int_equal(told, JZ_READABLE | JZ_WRITABLE);
    assert_int_equal(jz_links_ready(&links, link, told, JZ_READABLE), JZ_LOST);
    expect_calls("ready(3) ");
}

static void places_are_used_again_but_not_while_they_are_pending(void **state)
{
    (void)state;
    int first = add();
    assert_true(jz_links_open(&links, first, (const uint8_t *)"early", 5));
    jz_links_forget(&links, first);
    int second = add();
    assert_int_not_equal(first, second);
    assert_false(is_pending(first));
    assert_int_equal(add(), first);
    jz_links_forget(&links, second);
    assert_int_equal(add(), second);
}

static void without_memory_there_is_no_link(void **state)
{
    (void)state;
    test_allocations_fail_after(0);
    int link = jz_links_add(&links, &transport, &scripted, ends[0], false, SLOT);
    test_allocations_succeed();
    assert_int_equal(link, 0);
    scripted.has_no_memory = true;
    link = add();
    assert_false(jz_links_open(&links, link, NULL, 0));
    jz_links_forget(&links, link);
    expect_calls("open() ");
}

static void ending_closes_the_channel_and_the_descriptor(void **state)
{
    (void)state;
    uint8_t byte;
    int link = add_ready();
    jz_link_end(&links, link);
    expect_calls("close ");
    assert_int_equal(fcntl(ends[0], F_GETFD), -1);
    assert_int_equal(read(ends[1], &byte, 1), 0);
}

static void many_links_are_told_apart(void **state)
{
    enum { MANY = 1000 };
    (void)state;
    int made[MANY];
    for (int i = 0; i < MANY; i++) {
        made[i] = jz_links_add(&links, &transport, &scripted, i + 1000, false, (uint32_t)i);
        assert_int_not_equal(made[i], 0);
    }
    for (int i = 0; i < MANY; i++)
        assert_int_equal(jz_link_descriptor(&links, made[i]), i + 1000);
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
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(a_descriptor_is_its_own_link),
        TEST(until_it_is_opened_bytes_are_read_as_they_are),
        TEST(what_came_before_it_was_opened_is_looked_at_without_the_poll),
        TEST(early_bytes_that_are_not_enough_for_the_handshake_do_not_make_the_loop_spin),
        TEST(before_the_channel_says_so_nothing_is_sent_or_received),
        TEST(an_iteration_begins_no_step_of_a_handshake_once_they_have_taken_their_time),
        TEST(handshakes_have_their_turns_in_the_order_in_which_they_have_waited),
        TEST(whose_time_is_over_is_looked_at_until_looks_have_taken_their_time),
        TEST(who_is_put_off_is_not_watched_and_is_again_after_its_turn),
        TEST(a_handshake_that_a_last_look_has_ended_meanwhile_needs_no_turn),
        TEST(the_descriptor_is_watched_as_the_channel_wants_it),
        TEST(what_a_channel_reads_to_its_end_is_told_once),
        TEST(what_a_channel_leaves_is_told_again),
        TEST(output_that_waits_is_told_of_as_long_as_there_is_room),
        TEST(of_a_descriptor_that_is_no_stream_of_its_own_all_is_told),
        TEST(what_follows_urgent_data_is_told_again),
        TEST(an_end_behind_what_is_read_is_told_again),
        TEST(a_handshake_that_is_put_off_hears_of_what_came_meanwhile),
        TEST(a_channel_leaves_the_poll_when_it_ends),
        TEST(only_what_is_wanted_is_done_and_what_may_be_received_is_kept_in_mind),
        TEST(who_has_more_goes_on_in_the_next_turn),
        TEST(who_has_more_in_a_turn_is_not_served_again_in_it),
        TEST(nothing_is_received_behind_the_end),
        TEST(sending_counts_what_was_taken),
        TEST(the_end_is_told_once_and_tried_until_it_is),
        TEST(the_rest_of_the_last_bytes_is_the_last_as_well),
        TEST(who_is_lost_is_only_asked_why),
        TEST(a_peer_that_wants_to_speak_something_else_is_lost),
        TEST(a_hang_up_that_nobody_watches_for_is_found_out_by_receiving),
        TEST(a_hang_up_in_a_handshake_that_waits_for_nothing_is_its_end),
        TEST(places_are_used_again_but_not_while_they_are_pending),
        TEST(without_memory_there_is_no_link),
        TEST(ending_closes_the_channel_and_the_descriptor),
        TEST(many_links_are_told_apart),
        TEST(pieces_are_joined_as_far_as_there_is_room),
    };
#undef TEST
    return EXIT_STATUS_OF(cmocka_run_group_tests(tests, NULL, NULL));
}
