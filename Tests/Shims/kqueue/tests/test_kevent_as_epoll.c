/*
 * Whatever happens to sockets and pipes, kqueue.c tells of them what epoll.c does. Both watch the same descriptors, and
 * the same script, of steps in any order, is played for both.
 */
#define _GNU_SOURCE

#include "loop/poll.h"

/* The library's poll is kqueue.c here. This is the other one, by other names. */
#undef JZ_POLL_BY_KQUEUE
#define JZ_POLL_BY_KQUEUE 0
#define jz_poll_create epoll_create_poll
#define jz_poll_destroy epoll_destroy_poll
#define jz_poll_begin epoll_begin
#define jz_poll_add epoll_add
#define jz_poll_change epoll_change
#define jz_poll_remove epoll_remove
#define jz_poll_can_watch epoll_can_watch
#define jz_poll_wait epoll_wait_for
#define jz_poll_wake epoll_wake_up
jz_poll *jz_poll_create(void);
void jz_poll_destroy(jz_poll *poll);
#include "loop/epoll.c"
#undef jz_poll_create
#undef jz_poll_destroy
#undef jz_poll_begin
#undef jz_poll_add
#undef jz_poll_change
#undef jz_poll_remove
#undef jz_poll_can_watch
#undef jz_poll_wait
#undef jz_poll_wake

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/testing.h"

enum {
    WATCHED = 20,
    TURNS = 3000,
    MOST_STEPS = 5,
    MOST_TOKENS = TURNS * MOST_STEPS + WATCHED,
    BOTH = JZ_READABLE | JZ_WRITABLE
};

typedef enum kind { LOCAL, TCP, LISTENER, INPUT_OF_PIPE, OUTPUT_OF_PIPE, KINDS } kind;

/* What is watched. */
typedef struct watched {
    kind kind;
    int ours;
    int peers; /* -1: closed, or a listener */
    uint64_t token;
    unsigned interest;
    bool is_watched;
    bool has_ended; /* we send no more */
} watched;

static jz_poll *by_kqueue;
static jz_poll *by_epoll;
static watched all[WATCHED];
static uint64_t next_token;
static bool is_lost[MOST_TOKENS]; /* of a descriptor that other code closed: what was asked before may be refused */
static uint32_t seed;

/* The same numbers for each run (xorshift). */
static uint32_t any_below(uint32_t count)
{
    seed ^= seed << 13;
    seed ^= seed >> 17;
    seed ^= seed << 5;
    return seed % count;
}

static int listen_somewhere(struct sockaddr_in *address)
{
    socklen_t length = sizeof *address;
    *address = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)address, length), 0);
    assert_int_equal(listen(listener, 4), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)address, &length), 0);
    return listener;
}

static int connect_to(const struct sockaddr_in *address)
{
    int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    /* It may come a little later; where too many wait already, it is let in later, or not at all. */
    int result = connect(descriptor, (const struct sockaddr *)address, sizeof *address);
    assert_true(result == 0 || errno == EINPROGRESS);
    return descriptor;
}

static void wait_for_input(int descriptor)
{
    struct pollfd input = {.fd = descriptor, .events = POLLIN};
    assert_int_equal(poll(&input, 1, 5000), 1);
}

static void open_watched(watched *w)
{
    int pair[2];
    struct sockaddr_in address;
    *w = (watched){.kind = (kind)any_below(KINDS), .peers = -1};
    switch (w->kind) {
    case LOCAL:
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
        break;
    case TCP:
        pair[0] = listen_somewhere(&address);
        pair[1] = connect_to(&address);
        wait_for_input(pair[0]);
        w->ours = accept4(pair[0], NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        assert_int_not_equal(w->ours, -1);
        close(pair[0]);
        pair[0] = w->ours;
        break;
    case LISTENER:
        w->ours = listen_somewhere(&address);
        return;
    default:
        assert_int_equal(pipe2(pair, O_NONBLOCK | O_CLOEXEC), 0);
        if (w->kind == OUTPUT_OF_PIPE) {
            int input = pair[0];
            pair[0] = pair[1];
            pair[1] = input;
        }
    }
    w->ours = pair[0];
    w->peers = pair[1];
}

static void close_peer(watched *w)
{
    if (w->peers >= 0)
        close(w->peers);
    w->peers = -1;
}

static void watch(watched *w)
{
    uint64_t token = next_token++;
    unsigned interest = any_below(4);
    if (w->is_watched) {
        assert_true(jz_poll_change(by_kqueue, w->ours, interest, token));
        assert_true(epoll_change(by_epoll, w->ours, interest, token));
    } else {
        assert_true(jz_poll_add(by_kqueue, w->ours, interest, token));
        assert_true(epoll_add(by_epoll, w->ours, interest, token));
    }
    w->is_watched = true;
    w->interest = interest;
    w->token = token;
}

static void unwatch(watched *w)
{
    jz_poll_remove(by_kqueue, w->ours);
    epoll_remove(by_epoll, w->ours);
    w->is_watched = false;
}

static void read_all(int descriptor)
{
    static uint8_t bytes[65536];
    while (descriptor >= 0 && read(descriptor, bytes, sizeof bytes) > 0)
        continue;
}

static void write_all(int descriptor)
{
    static const uint8_t bytes[65536];
    while (write(descriptor, bytes, sizeof bytes) > 0)
        continue;
}

static void reset(watched *w)
{
    const struct linger at_once = {.l_onoff = 1};
    if (w->kind == TCP && w->peers >= 0)
        assert_int_equal(setsockopt(w->peers, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once), 0);
    close_peer(w);
}

/* A connection comes to a listener, or those that wait are accepted. */
static void connect_or_accept(watched *w)
{
    struct sockaddr_in address;
    socklen_t length = sizeof address;
    if (w->kind != LISTENER)
        return;
    assert_int_equal(getsockname(w->ours, (struct sockaddr *)&address, &length), 0);
    if (any_below(2) == 0)
        close(connect_to(&address));
    for (int accepted; any_below(2) == 0 && (accepted = accept(w->ours, NULL, NULL)) >= 0;)
        close(accepted);
}

/* Its number belongs to another file at once. Sometimes other code closes it, and the polls are not told. */
static void reopen(watched *w)
{
    if (w->is_watched && any_below(2) == 0)
        unwatch(w);
    if (w->is_watched)
        is_lost[w->token] = true;
    close(w->ours);
    close_peer(w);
    open_watched(w);
}

static void step(void)
{
    watched *w = &all[any_below(WATCHED)];
    bool is_connection = w->kind == LOCAL || w->kind == TCP;
    switch (any_below(18)) {
    case 0:
    case 1:
    case 2:
    case 3:
    case 4:
        watch(w);
        break;
    case 5:
        unwatch(w);
        break;
    case 6:
    case 7:
        if (w->peers >= 0 && w->kind != OUTPUT_OF_PIPE)
            assert_true(write(w->peers, "x", 1) == 1 || errno == EAGAIN || errno == EPIPE || errno == ECONNRESET);
        break;
    case 8:
        read_all(w->ours);
        break;
    case 9:
        write_all(w->ours);
        break;
    case 10:
        read_all(w->peers);
        break;
    case 11:
        if (is_connection && w->peers >= 0 && any_below(3) == 0)
            shutdown(w->peers, SHUT_WR);
        break;
    case 12:
        if (is_connection && any_below(3) == 0) {
            shutdown(w->ours, SHUT_WR);
            w->has_ended = true;
        }
        break;
    case 13:
        if (any_below(3) == 0)
            close_peer(w);
        break;
    case 14:
        if (any_below(3) == 0)
            reset(w);
        break;
    case 15:
        connect_or_accept(w);
        break;
    case 16:
        if (any_below(2) == 0)
            reopen(w);
        break;
    default:
        jz_poll_wake(by_kqueue);
        epoll_wake_up(by_epoll);
    }
}

/* What each of `count` entries tells, by the place of what it is about. */
static void sort(const jz_ready *ready, int count, unsigned *told)
{
    memset(told, 0, WATCHED * sizeof *told);
    for (int i = 0; i < count; i++) {
        size_t place = 0;
        while (place < WATCHED && (!all[place].is_watched || all[place].token != ready[i].token))
            place++;
        assert_that(place < WATCHED || is_lost[ready[i].token], "what nobody watches is told");
        if (place < WATCHED)
            told[place] |= ready[i].what & BOTH;
    }
}

/*
 * Of a hang-up epoll tells besides what is of interest, and kqueue, where input is of interest, perhaps only that.
 * Where we have ended our output, sending says so at once, though Linux waits for room.
 */
static bool are_alike(const watched *w, unsigned told_by_kqueue, unsigned told_by_epoll)
{
    unsigned least = told_by_epoll & w->interest;
    bool is_hang_up = (told_by_epoll & ~w->interest) != 0;
    if (is_hang_up)
        least = (w->interest & JZ_READABLE) != 0 ? JZ_READABLE : BOTH;
    unsigned most = told_by_epoll | (w->has_ended ? w->interest & JZ_WRITABLE : 0);
    return (told_by_kqueue & least) == least && (told_by_kqueue & ~most) == 0;
}

/* The place of the first that is told of differently; WATCHED: none is. */
static size_t find_difference(unsigned *told_by_kqueue, unsigned *told_by_epoll)
{
    jz_ready ready[4 * WATCHED];
    sort(ready, jz_poll_wait(by_kqueue, ready, COUNT_OF(ready), 0), told_by_kqueue);
    sort(ready, epoll_wait_for(by_epoll, ready, COUNT_OF(ready), 0), told_by_epoll);
    for (size_t i = 0; i < WATCHED; i++)
        if (!are_alike(&all[i], told_by_kqueue[i], told_by_epoll[i]))
            return i;
    return WATCHED;
}

/* What was sent may still be on its way when only one of them is asked. */
static void compare(int turn)
{
    enum { LOOKS = 1000 };
    unsigned told[2][WATCHED];
    size_t other = WATCHED;
    for (int look = 0; look < LOOKS; look++) {
        other = find_difference(told[0], told[1]);
        if (other == WATCHED)
            return;
        poll(NULL, 0, look < 10 ? 0 : 1);
    }
    const watched *w = &all[other];
    fail_msg("turn %d, kind %d, interest %u: %u by kqueue, %u by epoll", turn, w->kind, w->interest, told[0][other],
             told[1][other]);
}

static void both_tell_the_same(void **state)
{
    (void)state;
    for (uint32_t begun_with = 1; begun_with < 5; begun_with++) {
        seed = begun_with;
        by_kqueue = jz_poll_create();
        by_epoll = epoll_create_poll();
        assert_true(by_kqueue != NULL && by_epoll != NULL);
        next_token = 0;
        memset(is_lost, 0, sizeof is_lost);
        for (size_t i = 0; i < WATCHED; i++)
            open_watched(&all[i]);
        for (int turn = 0; turn < TURNS; turn++) {
            for (uint32_t steps = 1 + any_below(MOST_STEPS); steps > 0; steps--)
                step();
            compare(turn);
        }
        for (size_t i = 0; i < WATCHED; i++) {
            unwatch(&all[i]);
            close(all[i].ours);
            close_peer(&all[i]);
        }
        jz_poll_destroy(by_kqueue);
        epoll_destroy_poll(by_epoll);
    }
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_tell_the_same),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("kqueue.c and epoll.c", tests, NULL, NULL));
}
