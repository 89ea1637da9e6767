#define _GNU_SOURCE

#include "loop/poll.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <unistd.h>

#include "loop/timer.h"
#include "support/poll_pair.h"
#include "support/testing.h"

static void a_wait_lasts_as_long_as_it_was_told(void **state)
{
    (void)state;
    poll_pair f;
    poll_pair_start(&f);
    uint64_t before = jz_clock_ms();
    assert_int_equal(jz_poll_wait(f.poll, f.ready, COUNT_OF(f.ready), 30), 0);
    assert_in_range(jz_clock_ms() - before, 29, UINT64_MAX);
    poll_pair_finish(&f);
}

/* Nothing else ends a wait without end: without a wake these tests would not come to their end. */
static void wait_without_end(poll_pair *f)
{
    assert_int_equal(jz_poll_wait(f->poll, f->ready, COUNT_OF(f->ready), -1), 0);
}

static void being_woken_before_waiting_ends_one_wait(void **state)
{
    (void)state;
    poll_pair f;
    poll_pair_start(&f);
    for (int i = 0; i < 3; i++)
        jz_poll_wake(f.poll);
    wait_without_end(&f);
    uint64_t before = jz_clock_ms();
    assert_int_equal(jz_poll_wait(f.poll, f.ready, COUNT_OF(f.ready), 30), 0);
    assert_in_range(jz_clock_ms() - before, 29, UINT64_MAX); /* three wakes were used up by one wait */
    poll_pair_finish(&f);
}

static void *wake(void *poll)
{
    jz_poll_wake(poll);
    return NULL;
}

static void another_thread_ends_a_wait(void **state)
{
    (void)state;
    poll_pair f;
    poll_pair_start(&f);
    for (int i = 0; i < 100; i++) {
        pthread_t thread;
        assert_int_equal(pthread_create(&thread, NULL, wake, f.poll), 0);
        wait_without_end(&f);
        pthread_join(thread, NULL);
    }
    poll_pair_finish(&f);
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
    poll_pair f;
    poll_pair_start(&f);
    poll_of_signal = f.poll;
    struct sigaction action = {.sa_handler = wake_on_signal};
    struct sigaction before;
    sigaction(SIGUSR1, &action, &before);
    raise(SIGUSR1);
    wait_without_end(&f);
    sigaction(SIGUSR1, &before, NULL);
    poll_pair_finish(&f);
}

static const poll_pair *fixture_of_signal;

static void write_on_signal(int signal_number)
{
    (void)signal_number;
    poll_pair_write(fixture_of_signal);
}

/* As after SIGSTOP and SIGCONT: input came while the process was not waiting, and its wait ends without it. */
static void a_wait_that_is_interrupted_tells_what_is_ready(void **state)
{
    (void)state;
    poll_pair f;
    poll_pair_start(&f);
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
    poll_pair_finish(&f);
}

static void being_woken_hides_nothing_that_is_ready(void **state)
{
    (void)state;
    poll_pair f;
    poll_pair_start(&f);
    assert_true(jz_poll_add(f.poll, f.pair[OURS], JZ_WRITABLE, 1));
    jz_poll_wake(f.poll);
    assert_int_equal(poll_pair_look(&f), 1);
    assert_int_equal(f.ready[0].token, 1);
    poll_pair_finish(&f);
}

/* Other code in this process has closed our descriptor. Its number may belong to another file by now. */
static void a_poll_whose_descriptor_was_closed_fails_for_good(void **state)
{
    (void)state;
    int next = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);
    assert_int_not_equal(next, -1);
    close(next);
    poll_pair f;
    poll_pair_start(&f); /* the poll has the lowest number that is free */
    close(next);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(jz_poll_wait(f.poll, f.ready, COUNT_OF(f.ready), -1), -1);
        assert_int_equal(errno, EBADF);
    }
    int another = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, next);
    assert_int_equal(another, next);
    poll_pair_finish(&f);
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
    /* It takes a few: where not all of them are to be had, none may be left over. */
    jz_poll *poll = NULL;
    for (int left = 0; poll == NULL; left++) {
        struct rlimit limit = {.rlim_cur = (rlim_t)(lowest_free + left), .rlim_max = before.rlim_max};
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
        poll = jz_poll_create();
        int reason = errno;
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
        assert_true(left > 0 || poll == NULL);
        if (poll == NULL) {
            assert_int_equal(reason, EMFILE);
            assert_int_equal(fcntl(lowest_free, F_GETFD), -1);
        }
    }
    jz_poll_destroy(poll);
    assert_int_equal(fcntl(lowest_free, F_GETFD), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
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
