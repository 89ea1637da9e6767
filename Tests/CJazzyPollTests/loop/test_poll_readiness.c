#define _GNU_SOURCE

#include "loop/poll.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/poll_pair.h"
#include "support/testing.h"

typedef enum end { NOBODY_ENDS, PEER_ENDS_SENDING, WE_END_SENDING, BOTH_END_SENDING, PEER_CLOSES } end;

static void come_to(poll_pair *f, end end)
{
    if (end == PEER_ENDS_SENDING || end == BOTH_END_SENDING)
        shutdown(f->pair[PEERS], SHUT_WR);
    if (end == WE_END_SENDING || end == BOTH_END_SENDING)
        shutdown(f->pair[OURS], SHUT_WR);
    if (end == PEER_CLOSES) {
        close(f->pair[PEERS]);
        f->pair[PEERS] = -1;
    }
}

enum { BOTH = JZ_READABLE | JZ_WRITABLE };

static const struct {
    const char *name;
    unsigned interest;
    bool has_input;
    bool is_full;
    end end;
    unsigned what; /* 0: not ready */
} readiness[] = {
    {"input, and interest in it", JZ_READABLE, true, false, NOBODY_ENDS, JZ_READABLE},
    {"input, and no interest", 0, true, false, NOBODY_ENDS, 0},
    {"input, and interest in output alone", JZ_WRITABLE, true, true, NOBODY_ENDS, 0},
    {"no input", JZ_READABLE, false, false, NOBODY_ENDS, 0},
    {"room for output, and interest in it", JZ_WRITABLE, false, false, NOBODY_ENDS, JZ_WRITABLE},
    {"room for output, and no interest", JZ_READABLE, false, false, NOBODY_ENDS, 0},
    {"room for output, and no interest at all", 0, false, false, NOBODY_ENDS, 0},
    {"no room for output", JZ_WRITABLE, false, true, NOBODY_ENDS, 0},
    {"input and room for output", BOTH, true, false, NOBODY_ENDS, BOTH},
    {"input alone, and interest in both", BOTH, true, true, NOBODY_ENDS, JZ_READABLE},
    {"the end of input", JZ_READABLE, false, false, PEER_ENDS_SENDING, JZ_READABLE},
    {"input, and its end", JZ_READABLE, true, false, PEER_ENDS_SENDING, JZ_READABLE},
    {"the end of input, and no room for output", BOTH, false, true, PEER_ENDS_SENDING, JZ_READABLE},
    {"the end of input, and no interest", 0, false, false, PEER_ENDS_SENDING, 0},
    {"input, its end, and no interest", 0, true, false, PEER_ENDS_SENDING, 0},
    {"the end of our output, and interest in input", JZ_READABLE, false, false, WE_END_SENDING, 0},
    {"the end of our output, and no interest", 0, false, false, WE_END_SENDING, 0},
    {"the end of our output, and interest in output", JZ_WRITABLE, false, false, WE_END_SENDING, JZ_WRITABLE},
    {"the end of our output, and interest in both", BOTH, false, false, WE_END_SENDING, JZ_WRITABLE},
    {"both ends, and no interest", 0, false, false, BOTH_END_SENDING, BOTH},
    {"a peer that is gone is found by receiving", JZ_READABLE, false, false, PEER_CLOSES, JZ_READABLE},
    {"a peer that is gone is found by sending", JZ_WRITABLE, false, true, PEER_CLOSES, BOTH},
    {"a peer that is gone is found without interest", 0, false, false, PEER_CLOSES, BOTH},
    {"a peer that is gone, and input that is of no interest", 0, true, false, PEER_CLOSES, BOTH},
};

/* Whether what is told is what is expected. Of a peer that is gone more may be told. */
static bool is_as_expected(const poll_pair *f, size_t row)
{
    unsigned told = f->ready[0].what & BOTH;
    unsigned more = readiness[row].end == PEER_CLOSES ? BOTH : 0;
    return (told & readiness[row].what) == readiness[row].what && (told & ~more & ~readiness[row].what) == 0;
}

static void readiness_is_told_as_far_as_there_is_interest(void **state)
{
    (void)state;
    for (size_t row = 0; row < COUNT_OF(readiness); row++) {
        poll_pair f;
        poll_pair_start(&f);
        assert_true(jz_poll_add(f.poll, f.pair[OURS], readiness[row].interest, UINT64_C(0x123456789ABCDEF0)));
        if (readiness[row].has_input)
            poll_pair_write(&f);
        if (readiness[row].is_full)
            poll_pair_fill(&f);
        come_to(&f, readiness[row].end);
        for (int again = 0; again < 2; again++) {
            int count = poll_pair_look(&f);
            assert_that(count == (readiness[row].what != 0 ? 1 : 0), "%s: %d ready", readiness[row].name, count);
            if (count == 0)
                continue;
            assert_that(is_as_expected(&f, row), "%s: %u", readiness[row].name, f.ready[0].what);
            assert_that(f.ready[0].token == UINT64_C(0x123456789ABCDEF0), "%s: another's token", readiness[row].name);
        }
        poll_pair_finish(&f);
    }
}

/* It makes no difference whether it was of interest from the beginning, or what was of interest before. */
static void readiness_follows_changes_of_interest(void **state)
{
    (void)state;
    static const unsigned before[] = {0, JZ_READABLE, JZ_WRITABLE, BOTH};
    for (size_t row = 0; row < COUNT_OF(readiness); row++) {
        poll_pair f;
        poll_pair_start(&f);
        assert_true(jz_poll_add(f.poll, f.pair[OURS], 0, 1));
        if (readiness[row].has_input)
            poll_pair_write(&f);
        if (readiness[row].is_full)
            poll_pair_fill(&f);
        come_to(&f, readiness[row].end);
        for (size_t i = 0; i < COUNT_OF(before); i++) {
            assert_true(jz_poll_change(f.poll, f.pair[OURS], before[i], 2));
            poll_pair_look(&f);
            assert_true(jz_poll_change(f.poll, f.pair[OURS], readiness[row].interest, 3));
            int count = poll_pair_look(&f);
            assert_that(count == (readiness[row].what != 0 ? 1 : 0), "%s, after %u: %d ready", readiness[row].name,
                        before[i], count);
            assert_that(count == 0 || is_as_expected(&f, row), "%s, after %u: %u", readiness[row].name, before[i],
                        f.ready[0].what);
            assert_true(count == 0 || f.ready[0].token == 3);
        }
        poll_pair_finish(&f);
    }
}

static void readiness_is_told_until_it_is_used(void **state)
{
    (void)state;
    poll_pair f;
    poll_pair_start(&f);
    assert_true(jz_poll_add(f.poll, f.pair[OURS], JZ_READABLE, 1));
    poll_pair_write(&f);
    assert_int_equal(poll_pair_look(&f), 1);
    assert_int_equal(poll_pair_look(&f), 1);
    char byte;
    assert_int_equal(read(f.pair[OURS], &byte, 1), 1);
    assert_int_equal(poll_pair_look(&f), 0);
    poll_pair_finish(&f);
}

/* Connects `pair` by TCP. */
static void connect_by_tcp(int *pair)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&address, length), 0);
    assert_int_equal(listen(listener, 1), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &length), 0);
    pair[PEERS] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(pair[PEERS], (struct sockaddr *)&address, length), 0);
    pair[OURS] = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    assert_int_not_equal(pair[OURS], -1);
    close(listener);
}

/* Whatever is of interest, and with input that nobody reads; and the reason is left for who receives. */
static void a_reset_is_told_as_it_comes(void **state)
{
    (void)state;
    static const unsigned interests[] = {0, JZ_READABLE, JZ_WRITABLE, BOTH};
    for (size_t i = 0; i < COUNT_OF(interests); i++) {
        poll_pair f;
        poll_pair_start(&f);
        poll_pair_finish(&f);
        f.poll = jz_poll_create();
        connect_by_tcp(f.pair);
        poll_pair_write(&f);
        assert_true(jz_poll_add(f.poll, f.pair[OURS], 0, 1));
        assert_int_equal(poll_pair_look(&f), 0);
        assert_true(jz_poll_change(f.poll, f.pair[OURS], interests[i], 1));
        const struct linger at_once = {.l_onoff = 1};
        assert_int_equal(setsockopt(f.pair[PEERS], SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once), 0);
        come_to(&f, PEER_CLOSES);
        /* Output may be told of before. */
        unsigned expected = (interests[i] & JZ_READABLE) != 0 ? JZ_READABLE : BOTH;
        do {
            assert_int_equal(jz_poll_wait(f.poll, f.ready, COUNT_OF(f.ready), 5000), 1);
        } while ((f.ready[0].what & expected) != expected);
        /* Where the input is enough to be told, the reset may still be on its way. */
        assert_int_equal(poll(&(struct pollfd){.fd = f.pair[OURS]}, 1, 5000), 1);
        char bytes[8];
        while (recv(f.pair[OURS], bytes, sizeof bytes, 0) > 0)
            continue;
        assert_int_equal(errno, ECONNRESET);
        poll_pair_finish(&f);
    }
}

/* Whether it is told, now and a second time. */
static void expect_news(poll_pair *f, unsigned what, const char *when)
{
    int count = poll_pair_look(f);
    unsigned told = count > 0 ? f->ready[0].what & BOTH : 0;
    assert_that(told == what, "%s: %u", when, told);
    if (JZ_POLL_TELLS_ONCE)
        assert_that(poll_pair_look(f) == 0, "%s: told twice", when);
}

static void what_is_to_be_told_once_is_told_again_when_something_new_comes(void **state)
{
    (void)state;
    const unsigned once = JZ_READABLE | JZ_ONCE;
    poll_pair f;
    poll_pair_start(&f);
    assert_true(jz_poll_add(f.poll, f.pair[OURS], once, 1));
    expect_news(&f, 0, "nothing has come");
    poll_pair_write(&f);
    expect_news(&f, JZ_READABLE, "something has come");
    poll_pair_write(&f);
    expect_news(&f, JZ_READABLE, "more has come");
    assert_true(jz_poll_change(f.poll, f.pair[OURS], once, 2));
    expect_news(&f, JZ_READABLE, "it is watched anew");
    assert_int_equal(f.ready[0].token, 2);
    assert_true(jz_poll_change(f.poll, f.pair[OURS], 0, 2));
    assert_int_equal(poll_pair_look(&f), 0);
    poll_pair_write(&f);
    assert_true(jz_poll_change(f.poll, f.pair[OURS], once, 2));
    expect_news(&f, JZ_READABLE, "it came while nothing was of interest");
    come_to(&f, PEER_ENDS_SENDING);
    expect_news(&f, JZ_READABLE, "the peer sends no more");
    assert_true(!JZ_POLL_TELLS_ONCE || (f.ready[0].what & (JZ_ENDING | JZ_OVER)) == JZ_ENDING);
    assert_true(jz_poll_change(f.poll, f.pair[OURS], JZ_READABLE, 2));
    for (int again = 0; again < 2; again++)
        assert_int_equal(poll_pair_look(&f), 1);
    assert_true(jz_poll_change(f.poll, f.pair[OURS], once, 2));
    come_to(&f, PEER_CLOSES);
    assert_int_equal(poll_pair_look(&f), 1);
    assert_true(!JZ_POLL_TELLS_ONCE || (f.ready[0].what & (BOTH | JZ_ENDING | JZ_OVER)) == f.ready[0].what);
    assert_true(!JZ_POLL_TELLS_ONCE || (f.ready[0].what & JZ_OVER) != 0);
    poll_pair_finish(&f);
}

static void no_more_is_told_than_there_is_room_for(void **state)
{
    (void)state;
    poll_pair f;
    poll_pair_start(&f);
    assert_true(jz_poll_add(f.poll, f.pair[OURS], JZ_WRITABLE, 1));
    assert_true(jz_poll_add(f.poll, f.pair[PEERS], JZ_WRITABLE, 2));
    jz_ready ready[2] = {{0}, {.token = 77}};
    assert_int_equal(jz_poll_wait(f.poll, ready, 1, 0), 1);
    assert_int_equal(ready[1].token, 77);
    assert_int_equal(poll_pair_look(&f), 2);
    poll_pair_finish(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(readiness_is_told_as_far_as_there_is_interest),
        cmocka_unit_test(readiness_follows_changes_of_interest),
        cmocka_unit_test(readiness_is_told_until_it_is_used),
        cmocka_unit_test(a_reset_is_told_as_it_comes),
        cmocka_unit_test(what_is_to_be_told_once_is_told_again_when_something_new_comes),
        cmocka_unit_test(no_more_is_told_than_there_is_room_for),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("readiness of a poll", tests, NULL, NULL));
}
