/*
 * Attacks on a poll: adds, changes and removals in any order, descriptors that are closed and reused at once, and
 * wake-ups from many threads. What it tells is compared with a model of what it has to tell.
 */
#define _GNU_SOURCE

#include "loop/poll.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/testing.h"

enum { PAIRS = 24, TURNS = 5000, MOST_STEPS = 6, MOST_TOKENS = TURNS * MOST_STEPS, BOTH = JZ_READABLE | JZ_WRITABLE };

/* A connected pair of sockets, of which ours may be watched. */
typedef struct model {
    int ours;
    int peers;
    uint64_t token;
    unsigned interest;
    bool is_watched;
    bool has_input;
    bool is_full;
    bool has_ended; /* the peer sends no more */
    bool is_gone;   /* the peer has closed its socket */
} model;

static jz_poll *poll;
static model models[PAIRS];
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

static void open_pair(model *m)
{
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
    *m = (model){.ours = pair[0], .peers = pair[1]};
}

static void close_peer(model *m)
{
    if (!m->is_gone)
        close(m->peers);
    m->is_gone = true;
}

static void watch(model *m)
{
    uint64_t token = next_token++;
    unsigned interest = any_below(4);
    bool is_done =
        m->is_watched ? jz_poll_change(poll, m->ours, interest, token) : jz_poll_add(poll, m->ours, interest, token);
    assert_true(is_done);
    m->is_watched = true;
    m->interest = interest;
    m->token = token;
}

static void unwatch(model *m)
{
    jz_poll_remove(poll, m->ours);
    m->is_watched = false;
    assert_false(jz_poll_change(poll, m->ours, BOTH, 0));
    assert_int_equal(errno, ENOENT);
}

/* Reads all that is there. */
static void drain(int descriptor)
{
    static uint8_t bytes[65536];
    while (recv(descriptor, bytes, sizeof bytes, 0) > 0)
        continue;
}

static void fill(model *m)
{
    static const uint8_t bytes[65536];
    if (m->is_gone)
        return;
    while (send(m->ours, bytes, sizeof bytes, MSG_NOSIGNAL) > 0)
        continue;
    m->is_full = true;
}

static void write_to(model *m)
{
    if (m->is_gone || m->has_ended)
        return;
    assert_int_equal(send(m->peers, "x", 1, 0), 1);
    m->has_input = true;
}

static void end(model *m)
{
    if (!m->is_gone)
        shutdown(m->peers, SHUT_WR);
    m->has_ended = true;
}

/* Its number belongs to another socket at once. Sometimes other code closes it, and the poll is not told. */
static void reopen(model *m)
{
    if (m->is_watched && any_below(2) == 0)
        unwatch(m);
    if (m->is_watched)
        is_lost[m->token] = true;
    close(m->ours);
    close_peer(m);
    open_pair(m);
}

static void step(void)
{
    model *m = &models[any_below(PAIRS)];
    switch (any_below(14)) {
    case 0:
    case 1:
    case 2:
    case 3:
        watch(m);
        break;
    case 4:
        unwatch(m);
        break;
    case 5:
    case 6:
        write_to(m);
        break;
    case 7:
        drain(m->ours);
        m->has_input = false;
        break;
    case 8:
        fill(m);
        break;
    case 9:
        if (!m->is_gone)
            drain(m->peers);
        m->is_full = false;
        break;
    case 10:
        if (any_below(3) == 0)
            end(m);
        break;
    case 11:
        if (any_below(3) == 0)
            close_peer(m);
        break;
    case 12:
        reopen(m);
        break;
    default:
        jz_poll_wake(poll);
    }
}

/* What has to be told, and what may be told besides. */
static unsigned expected_of(const model *m, unsigned *besides)
{
    *besides = m->is_gone ? BOTH : 0;
    if (!m->is_watched)
        return 0;
    if (m->is_gone)
        return (m->interest & JZ_READABLE) != 0 ? JZ_READABLE : BOTH;
    unsigned what = m->has_input || m->has_ended ? JZ_READABLE : 0;
    return (m->is_full ? what : what | JZ_WRITABLE) & m->interest;
}

static void compare(int turn)
{
    jz_ready ready[PAIRS * 2];
    int count = jz_poll_wait(poll, ready, COUNT_OF(ready), 0);
    assert_in_range(count, 0, 2 * PAIRS);
    int expected_count = 0;
    for (int entry = 0; entry < count; entry++)
        expected_count += is_lost[ready[entry].token];
    for (size_t i = 0; i < PAIRS; i++) {
        unsigned besides;
        unsigned expected = expected_of(&models[i], &besides);
        unsigned told = 0;
        expected_count += expected != 0;
        for (int entry = 0; entry < count && models[i].is_watched; entry++)
            told |= ready[entry].token == models[i].token ? ready[entry].what & BOTH : 0;
        assert_that((told & expected) == expected && (told & ~expected & ~besides) == 0,
                    "turn %d, interest %u: %u instead of %u", turn, models[i].interest, told, expected);
    }
    assert_that(count == expected_count, "turn %d: %d instead of %d are ready", turn, count, expected_count);
}

static void whatever_happens_all_is_told_and_nothing_else(void **state)
{
    (void)state;
    for (seed = 1; seed < 5; seed++) {
        uint32_t begun_with = seed;
        poll = jz_poll_create();
        assert_non_null(poll);
        next_token = 0;
        memset(is_lost, 0, sizeof is_lost);
        for (size_t i = 0; i < PAIRS; i++)
            open_pair(&models[i]);
        for (int turn = 0; turn < TURNS; turn++) {
            for (uint32_t steps = 1 + any_below(MOST_STEPS); steps > 0; steps--)
                step();
            compare(turn);
        }
        for (size_t i = 0; i < PAIRS; i++) {
            jz_poll_remove(poll, models[i].ours);
            close(models[i].ours);
            close_peer(&models[i]);
        }
        jz_poll_destroy(poll);
        seed = begun_with;
    }
}

enum { WAKERS = 4, WAKES = 3000 };

static _Atomic uint32_t asked[WAKERS];
static _Atomic uint32_t seen[WAKERS];

/* Asks for one thing after the other: were a wake-up lost, both sides would wait for ever. */
static void *ask(void *context)
{
    size_t number = (size_t)(uintptr_t)context;
    for (uint32_t i = 1; i <= WAKES; i++) {
        asked[number] = i;
        jz_poll_wake(poll);
        while (seen[number] < i)
            sched_yield();
    }
    return NULL;
}

static void no_wake_up_is_lost(void **state)
{
    (void)state;
    poll = jz_poll_create();
    model busy;
    open_pair(&busy);
    assert_true(jz_poll_add(poll, busy.ours, JZ_READABLE, 1));
    pthread_t threads[WAKERS];
    for (size_t i = 0; i < WAKERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, ask, (void *)(uintptr_t)i), 0);
    for (uint32_t answered = 0; answered < WAKERS * WAKES;) {
        jz_ready ready[4];
        assert_true(jz_poll_change(poll, busy.ours, answered % 2 == 0 ? 0 : JZ_READABLE, 1));
        assert_int_equal(jz_poll_wait(poll, ready, COUNT_OF(ready), -1), 0);
        for (size_t i = 0; i < WAKERS; i++) {
            uint32_t now = asked[i];
            answered += now - seen[i];
            seen[i] = now;
        }
    }
    for (size_t i = 0; i < WAKERS; i++)
        pthread_join(threads[i], NULL);
    jz_poll_destroy(poll);
    close(busy.ours);
    close_peer(&busy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whatever_happens_all_is_told_and_nothing_else),
        cmocka_unit_test(no_wake_up_is_lost),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("storms on a poll", tests, NULL, NULL));
}
