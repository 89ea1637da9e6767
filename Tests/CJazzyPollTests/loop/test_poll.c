#define _GNU_SOURCE

#include "loop/poll.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "loop/timer.h"
#include "support/testing.h"

enum { OURS, PEERS };

typedef struct fixture {
    jz_poll *poll;
    int pair[2]; /* a connected pair of sockets; OURS is watched */
    jz_ready ready[8];
} fixture;

static void start(fixture *f)
{
    f->poll = jz_poll_create();
    assert_non_null(f->poll);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, f->pair), 0);
}

static void finish(fixture *f)
{
    jz_poll_destroy(f->poll);
    close(f->pair[OURS]);
    if (f->pair[PEERS] >= 0)
        close(f->pair[PEERS]);
}

static int look(fixture *f)
{
    return jz_poll_wait(f->poll, f->ready, COUNT_OF(f->ready), 0);
}

static void peer_writes(const fixture *f)
{
    assert_int_equal(write(f->pair[PEERS], "x", 1), 1);
}

static void fill_output(const fixture *f)
{
    static const uint8_t much[65536];
    while (write(f->pair[OURS], much, sizeof much) > 0)
        continue;
    assert_int_equal(errno, EAGAIN);
}

static void peer_closes(fixture *f)
{
    close(f->pair[PEERS]);
    f->pair[PEERS] = -1;
}

static const struct {
    const char *name;
    unsigned interest;
    bool has_input;
    bool is_full;
    bool is_closed;
    unsigned what; /* 0: not ready */
} readiness[] = {
    {"input, and interest in it", JZ_READABLE, true, false, false, JZ_READABLE},
    {"input, and no interest", 0, true, false, false, 0},
    {"input, and interest in output alone", JZ_WRITABLE, true, true, false, 0},
    {"no input", JZ_READABLE, false, false, false, 0},
    {"room for output, and interest in it", JZ_WRITABLE, false, false, false, JZ_WRITABLE},
    {"room for output, and no interest", JZ_READABLE, false, false, false, 0},
    {"no room for output", JZ_WRITABLE, false, true, false, 0},
    {"input and room for output", JZ_READABLE | JZ_WRITABLE, true, false, false, JZ_READABLE | JZ_WRITABLE},
    {"input alone, and interest in both", JZ_READABLE | JZ_WRITABLE, true, true, false, JZ_READABLE},
    {"a peer that is gone is found by receiving", JZ_READABLE, false, false, true, JZ_READABLE | JZ_WRITABLE},
    {"a peer that is gone is found by sending", JZ_WRITABLE, false, true, true, JZ_READABLE | JZ_WRITABLE},
};

static void readiness_is_told_as_far_as_there_is_interest(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(readiness); i++) {
        fixture f;
        start(&f);
        assert_true(jz_poll_add(f.poll, f.pair[OURS], readiness[i].interest, UINT64_C(0x123456789ABCDEF0)));
        if (readiness[i].has_input)
            peer_writes(&f);
        if (readiness[i].is_full)
            fill_output(&f);
        if (readiness[i].is_closed)
            peer_closes(&f);
        int count = look(&f);
        assert_that(count == (readiness[i].what != 0 ? 1 : 0), "%s: %d ready", readiness[i].name, count);
        if (count == 1) {
            assert_that(f.ready[0].what == readiness[i].what, "%s: %u", readiness[i].name, f.ready[0].what);
            assert_that(f.ready[0].token == UINT64_C(0x123456789ABCDEF0), "%s: another's token", readiness[i].name);
        }
        finish(&f);
    }
}

static void readiness_is_told_until_it_is_used(void **state)
{
    (void)state;
    fixture f;
    start(&f);
    assert_true(jz_poll_add(f.poll, f.pair[OURS], JZ_READABLE, 1));
    peer_writes(&f);
    assert_int_equal(look(&f), 1);
    assert_int_equal(look(&f), 1);
    char byte;
    assert_int_equal(read(f.pair[OURS], &byte, 1), 1);
    assert_int_equal(look(&f), 0);
    finish(&f);
}

static void interest_and_token_can_be_changed(void **state)
{
    (void)state;
    fixture f;
    start(&f);
    assert_true(jz_poll_add(f.poll, f.pair[OURS], JZ_READABLE, 1));
    assert_int_equal(look(&f), 0);
    assert_true(jz_poll_change(f.poll, f.pair[OURS], JZ_READABLE | JZ_WRITABLE, 2));
    assert_int_equal(look(&f), 1);
    assert_int_equal(f.ready[0].token, 2);
    assert_int_equal(f.ready[0].what, JZ_WRITABLE);
    assert_true(jz_poll_change(f.poll, f.pair[OURS], 0, 3));
    peer_writes(&f);
    assert_int_equal(look(&f), 0);
    finish(&f);
}

static void what_was_removed_is_not_watched(void **state)
{
    (void)state;
    fixture f;
    start(&f);
    assert_true(jz_poll_add(f.poll, f.pair[OURS], JZ_READABLE, 1));
    peer_writes(&f);
    jz_poll_remove(f.poll, f.pair[OURS]);
    assert_int_equal(look(&f), 0);
    assert_true(jz_poll_add(f.poll, f.pair[OURS], JZ_READABLE, 2));
    assert_int_equal(look(&f), 1);
    assert_int_equal(f.ready[0].token, 2);
    finish(&f);
}

static void no_more_is_told_than_there_is_room_for(void **state)
{
    (void)state;
    fixture f;
    start(&f);
    assert_true(jz_poll_add(f.poll, f.pair[OURS], JZ_WRITABLE, 1));
    assert_true(jz_poll_add(f.poll, f.pair[PEERS], JZ_WRITABLE, 2));
    jz_ready ready[2] = {{0}, {.token = 77}};
    assert_int_equal(jz_poll_wait(f.poll, ready, 1, 0), 1);
    assert_int_equal(ready[1].token, 77);
    assert_int_equal(look(&f), 2);
    finish(&f);
}

static void what_the_kernel_refuses_is_told_with_its_reason(void **state)
{
    (void)state;
    fixture f;
    start(&f);
    errno = 0;
    assert_false(jz_poll_add(f.poll, -1, JZ_READABLE, 1));
    assert_int_equal(errno, EBADF);
    assert_false(jz_poll_change(f.poll, f.pair[OURS], JZ_READABLE, 1));
    assert_int_equal(errno, ENOENT);
    assert_true(jz_poll_add(f.poll, f.pair[OURS], JZ_READABLE, 1));
    assert_false(jz_poll_add(f.poll, f.pair[OURS], JZ_READABLE, 1));
    assert_int_equal(errno, EEXIST);
    finish(&f);
}

static void a_wait_lasts_as_long_as_it_was_told(void **state)
{
    (void)state;
    fixture f;
    start(&f);
    uint64_t before = jz_clock_ms();
    assert_int_equal(jz_poll_wait(f.poll, f.ready, COUNT_OF(f.ready), 30), 0);
    assert_in_range(jz_clock_ms() - before, 29, UINT64_MAX);
    finish(&f);
}

/* Nothing else ends a wait without end: without a wake these tests would not come to their end. */
static void wait_without_end(fixture *f)
{
    assert_int_equal(jz_poll_wait(f->poll, f->ready, COUNT_OF(f->ready), -1), 0);
}

static void being_woken_before_waiting_ends_one_wait(void **state)
{
    (void)state;
    fixture f;
    start(&f);
    for (int i = 0; i < 3; i++)
        jz_poll_wake(f.poll);
    wait_without_end(&f);
    uint64_t before = jz_clock_ms();
    assert_int_equal(jz_poll_wait(f.poll, f.ready, COUNT_OF(f.ready), 30), 0);
    assert_in_range(jz_clock_ms() - before, 29, UINT64_MAX); /* three wakes were used up by one wait */
    finish(&f);
}

static void *wake(void *poll)
{
    jz_poll_wake(poll);
    return NULL;
}

static void another_thread_ends_a_wait(void **state)
{
    (void)state;
    fixture f;
    start(&f);
    for (int i = 0; i < 100; i++) {
        pthread_t thread;
        assert_int_equal(pthread_create(&thread, NULL, wake, f.poll), 0);
        wait_without_end(&f);
        pthread_join(thread, NULL);
    }
    finish(&f);
}

static jz_poll *poll_of_signal;

static void wake_on_signal(int signal_number)
{
    (void)signal_number;
    jz_poll_wake(poll_of_signal);
}

static void a_signal_handler_ends_a_wait(void **state)
{
    (void)state;
    fixture f;
    start(&f);
    poll_of_signal = f.poll;
    struct sigaction action = {.sa_handler = wake_on_signal};
    struct sigaction before;
    sigaction(SIGUSR1, &action, &before);
    raise(SIGUSR1);
    wait_without_end(&f);
    sigaction(SIGUSR1, &before, NULL);
    finish(&f);
}

static const fixture *fixture_of_signal;

static void write_on_signal(int signal_number)
{
    (void)signal_number;
    peer_writes(fixture_of_signal);
}

/* As after SIGSTOP and SIGCONT: input came while the process was not waiting, and its wait ends without it. */
static void a_wait_that_is_interrupted_tells_what_is_ready(void **state)
{
    (void)state;
    fixture f;
    start(&f);
    fixture_of_signal = &f;
    assert_true(jz_poll_add(f.poll, f.pair[OURS], JZ_READABLE, 1));
    struct sigaction action = {.sa_handler = write_on_signal};
    struct sigaction before;
    sigaction(SIGALRM, &action, &before);
    const struct itimerval soon = {.it_value = {.tv_usec = 20000}};
    assert_int_equal(setitimer(ITIMER_REAL, &soon, NULL), 0);
    assert_int_equal(jz_poll_wait(f.poll, f.ready, COUNT_OF(f.ready), 5000), 1);
    assert_int_equal(f.ready[0].what, JZ_READABLE);
    sigaction(SIGALRM, &before, NULL);
    finish(&f);
}

static void being_woken_hides_nothing_that_is_ready(void **state)
{
    (void)state;
    fixture f;
    start(&f);
    assert_true(jz_poll_add(f.poll, f.pair[OURS], JZ_WRITABLE, 1));
    jz_poll_wake(f.poll);
    assert_int_equal(look(&f), 1);
    assert_int_equal(f.ready[0].token, 1);
    finish(&f);
}

/* Other code in this process has closed our descriptor. Its number may belong to another file by now. */
static void a_poll_whose_descriptor_was_closed_fails_for_good(void **state)
{
    (void)state;
    int next = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);
    assert_int_not_equal(next, -1);
    close(next);
    fixture f;
    start(&f); /* the poll has the lowest number that is free */
    close(next);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(jz_poll_wait(f.poll, f.ready, COUNT_OF(f.ready), -1), -1);
        assert_int_equal(errno, EBADF);
    }
    int another = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, next);
    assert_int_equal(another, next);
    finish(&f);
    assert_int_not_equal(fcntl(another, F_GETFD), -1);
    close(another);
}

static void without_descriptors_there_is_no_poll(void **state)
{
    (void)state;
    struct rlimit before;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    int lowest_free = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);
    assert_int_not_equal(lowest_free, -1);
    close(lowest_free);
    /* It takes two: none may be left over where only the first was to be had. */
    for (int left = 0; left < 2; left++) {
        struct rlimit limit = {.rlim_cur = (rlim_t)(lowest_free + left), .rlim_max = before.rlim_max};
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
        jz_poll *poll = jz_poll_create();
        int reason = errno;
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
        assert_null(poll);
        assert_int_equal(reason, EMFILE);
        assert_int_equal(fcntl(lowest_free, F_GETFD), -1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(readiness_is_told_as_far_as_there_is_interest),
        cmocka_unit_test(readiness_is_told_until_it_is_used),
        cmocka_unit_test(interest_and_token_can_be_changed),
        cmocka_unit_test(what_was_removed_is_not_watched),
        cmocka_unit_test(no_more_is_told_than_there_is_room_for),
        cmocka_unit_test(what_the_kernel_refuses_is_told_with_its_reason),
        cmocka_unit_test(a_wait_lasts_as_long_as_it_was_told),
        cmocka_unit_test(being_woken_before_waiting_ends_one_wait),
        cmocka_unit_test(another_thread_ends_a_wait),
        cmocka_unit_test(a_signal_handler_ends_a_wait),
        cmocka_unit_test(a_wait_that_is_interrupted_tells_what_is_ready),
        cmocka_unit_test(being_woken_hides_nothing_that_is_ready),
        cmocka_unit_test(a_poll_whose_descriptor_was_closed_fails_for_good),
        cmocka_unit_test(without_descriptors_there_is_no_poll),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("poll", tests, NULL, NULL));
}
