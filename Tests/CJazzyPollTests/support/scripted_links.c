#define _GNU_SOURCE

#include "scripted_links.h"

#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/clock.h"
#include "support/testing.h"

scripted_links scripted;

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
    assert_int_equal(descriptor, scripted.ends[0]);
    return scripted.next.has_no_memory ? NULL : &scripted;
}

static unsigned interest(void *channel, unsigned wanted)
{
    char call[24];
    assert_ptr_equal(channel, &scripted);
    snprintf(call, sizeof call, "interest(%u) ", wanted);
    note(call);
    return scripted.next.interest;
}

static unsigned ready(void *channel, unsigned what)
{
    char call[24];
    assert_ptr_equal(channel, &scripted);
    snprintf(call, sizeof call, "ready(%u) ", what);
    note(call);
    test_clock_advance_ns(scripted.next.ready_ns);
    return scripted.next.may;
}

static jz_io receive(void *channel, uint8_t *bytes, size_t capacity, size_t *received, bool *has_more)
{
    assert_ptr_equal(channel, &scripted);
    assert_false(*has_more);
    note("receive ");
    *received = scripted.next.count;
    *has_more = scripted.next.has_more;
    memset(bytes, 'x', capacity < scripted.next.count ? capacity : scripted.next.count);
    return scripted.next.io;
}

static jz_io send_pieces(void *channel, const jz_piece *pieces, size_t count, bool is_last, size_t *sent)
{
    char call[40];
    assert_ptr_equal(channel, &scripted);
    assert_int_equal(*sent, 0);
    snprintf(call, sizeof call, "send(%zu%s) ", count, is_last ? " last" : "");
    note(call);
    (void)pieces;
    *sent = scripted.next.count;
    return scripted.next.io;
}

static const char *protocol(void *channel)
{
    assert_ptr_equal(channel, &scripted);
    return scripted.next.protocol;
}

static const char *failure(void *channel)
{
    assert_ptr_equal(channel, &scripted);
    note("failure ");
    return scripted.next.failure;
}

static void close_channel(void *channel)
{
    assert_ptr_equal(channel, &scripted);
    note("close ");
}

const jz_transport scripted_transport = {.open = open_channel,
                                         .interest = interest,
                                         .ready = ready,
                                         .receive = receive,
                                         .send = send_pieces,
                                         .protocol = protocol,
                                         .failure = failure,
                                         .close = close_channel};

void scripted_expect_calls(const char *calls)
{
    assert_string_equal(scripted.calls, calls);
    scripted.calls[0] = '\0';
}

int scripted_begin(void **state)
{
    (void)state;
    scripted = (scripted_links){.poll = jz_poll_create()};
    test_clock_stop(1000);
    assert_non_null(scripted.poll);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, scripted.ends), 0);
    return 0;
}

int scripted_end(void **state)
{
    (void)state;
    test_clocks_run();
    jz_links_free(&scripted.links);
    jz_poll_destroy(scripted.poll);
    close(scripted.ends[0]);
    close(scripted.ends[1]);
    return 0;
}

int scripted_add(void)
{
    int link = jz_links_add(&scripted.links, &scripted_transport, &scripted, scripted.ends[0], false, SCRIPTED_SLOT);
    assert_true(jz_link_is_channel(link));
    assert_int_equal(jz_link_descriptor(&scripted.links, link), scripted.ends[0]);
    return link;
}

int scripted_add_ready(void)
{
    int link = scripted_add();
    assert_true(jz_links_open(&scripted.links, link, NULL, 0));
    scripted.next.may = JZ_READABLE;
    assert_int_equal(jz_links_ready(&scripted.links, link, JZ_READABLE, JZ_READABLE), JZ_READABLE);
    scripted_expect_calls("open() ready(1) ");
    return link;
}

jz_socket_result scripted_receive(int link, size_t *received, bool *has_more)
{
    uint8_t bytes[64];
    *received = 0;
    return jz_link_receive(&scripted.links, link, bytes, sizeof bytes, received, has_more);
}

bool scripted_is_pending(int link)
{
    int taken;
    uint32_t slot;
    jz_links_end_turn(&scripted.links);
    if (!jz_links_take_pending(&scripted.links, &taken, &slot))
        return false;
    assert_int_equal(taken, link);
    assert_int_equal(slot, SCRIPTED_SLOT);
    return true;
}

unsigned scripted_told_of_all(void)
{
    jz_ready told[2];
    int count = jz_poll_wait(scripted.poll, told, COUNT_OF(told), 0);
    assert_in_range(count, 0, 1);
    return count > 0 ? told[0].what : 0;
}

unsigned scripted_told(void)
{
    return scripted_told_of_all() & (JZ_READABLE | JZ_WRITABLE);
}
