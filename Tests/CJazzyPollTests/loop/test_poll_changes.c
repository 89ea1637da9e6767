#define _GNU_SOURCE

#include "loop/poll.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "loop/timer.h"
#include "support/poll_pair.h"
#include "support/testing.h"

static void interest_and_token_can_be_changed(void **state)
{
    (void)state;
    poll_pair f;
    poll_pair_start(&f);
    assert_true(jz_poll_add(f.poll, f.pair[OURS], JZ_READABLE, 1));
    assert_int_equal(poll_pair_look(&f), 0);
    assert_true(jz_poll_change(f.poll, f.pair[OURS], JZ_READABLE | JZ_WRITABLE, 2));
    assert_int_equal(poll_pair_look(&f), 1);
    assert_int_equal(f.ready[0].token, 2);
    assert_int_equal(f.ready[0].what, JZ_WRITABLE);
    assert_true(jz_poll_change(f.poll, f.pair[OURS], 0, 3));
    poll_pair_write(&f);
    assert_int_equal(poll_pair_look(&f), 0);
    poll_pair_finish(&f);
}

static void what_was_removed_is_not_watched(void **state)
{
    (void)state;
    poll_pair f;
    poll_pair_start(&f);
    assert_true(jz_poll_add(f.poll, f.pair[OURS], JZ_READABLE, 1));
    poll_pair_write(&f);
    jz_poll_remove(f.poll, f.pair[OURS]);
    assert_int_equal(poll_pair_look(&f), 0);
    assert_true(jz_poll_add(f.poll, f.pair[OURS], JZ_READABLE, 2));
    assert_int_equal(poll_pair_look(&f), 1);
    assert_int_equal(f.ready[0].token, 2);
    poll_pair_finish(&f);
}

static void a_change_that_is_taken_back_changes_nothing(void **state)
{
    (void)state;
    poll_pair f;
    poll_pair_start(&f);
    assert_true(jz_poll_add(f.poll, f.pair[OURS], JZ_READABLE, 1));
    assert_true(jz_poll_change(f.poll, f.pair[OURS], JZ_WRITABLE, 1));
    assert_true(jz_poll_change(f.poll, f.pair[OURS], 0, 1));
    assert_true(jz_poll_change(f.poll, f.pair[OURS], JZ_READABLE, 1));
    assert_int_equal(poll_pair_look(&f), 0);
    assert_true(jz_poll_change(f.poll, f.pair[OURS], JZ_WRITABLE, 1));
    jz_poll_remove(f.poll, f.pair[OURS]);
    assert_int_equal(poll_pair_look(&f), 0);
    assert_false(jz_poll_change(f.poll, f.pair[OURS], JZ_WRITABLE, 1));
    assert_int_equal(errno, ENOENT);
    poll_pair_finish(&f);
}

/* As when a connection ends, and another is accepted at once: with the same number, if it was the lowest. */
static void a_number_that_is_reused_at_once_is_another_descriptor(void **state)
{
    (void)state;
    for (int is_removed = 0; is_removed < 2; is_removed++) {
        poll_pair f;
        poll_pair_start(&f);
        int first = fcntl(f.pair[OURS], F_DUPFD_CLOEXEC, 0);
        assert_true(jz_poll_add(f.poll, first, JZ_READABLE, 1));
        assert_true(jz_poll_change(f.poll, first, JZ_READABLE | JZ_WRITABLE, 1));
        /* Otherwise other code has closed it, and none but the kernel knows. */
        if (is_removed)
            jz_poll_remove(f.poll, first);
        int other[2];
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, other), 0);
        assert_int_equal(dup2(other[0], f.pair[OURS]), f.pair[OURS]); /* its last other number */
        close(first);
        assert_int_equal(fcntl(other[0], F_DUPFD_CLOEXEC, first), first);
        assert_true(jz_poll_add(f.poll, first, JZ_READABLE, 2));
        assert_int_equal(poll_pair_look(&f), 0);
        assert_int_equal(write(other[1], "x", 1), 1);
        assert_int_equal(poll_pair_look(&f), 1);
        assert_int_equal(f.ready[0].token, 2);
        assert_int_equal(f.ready[0].what, JZ_READABLE);
        jz_poll_remove(f.poll, first);
        close(first);
        close(other[0]);
        close(other[1]);
        poll_pair_finish(&f);
    }
}

/* Other code has closed a descriptor, and the poll, which was not told, has meanwhile carried out changes of interest.
 */
static void a_number_that_is_reused_later_is_watched_as_any_other(void **state)
{
    (void)state;
    static const unsigned interests[] = {0, JZ_READABLE, JZ_WRITABLE, JZ_READABLE | JZ_WRITABLE};
    for (size_t before = 0; before < COUNT_OF(interests); before++) {
        for (size_t after = 0; after < COUNT_OF(interests); after++) {
            poll_pair f;
            poll_pair_start(&f);
            int lost[2];
            assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, lost), 0);
            assert_true(jz_poll_add(f.poll, lost[0], JZ_READABLE, 1));
            assert_int_equal(poll_pair_look(&f), 0);
            jz_poll_change(f.poll, lost[0], interests[before], 1);
            close(lost[0]);
            assert_int_equal(fcntl(f.pair[OURS], F_DUPFD_CLOEXEC, lost[0]), lost[0]);
            poll_pair_look(&f);
            assert_true(jz_poll_add(f.poll, lost[0], interests[after], 2));
            unsigned told = interests[after] & JZ_WRITABLE;
            for (int again = 0; again < 3; again++) {
                assert_int_equal(poll_pair_look(&f), told != 0);
                assert_true(told == 0 || (f.ready[0].token == 2 && f.ready[0].what == told));
            }
            /* Nor does anything that is of no interest end a wait. */
            uint64_t began = jz_clock_ms();
            if (told == 0)
                assert_int_equal(jz_poll_wait(f.poll, f.ready, COUNT_OF(f.ready), 10), 0);
            assert_true(told != 0 || jz_clock_ms() - began >= 9);
            close(lost[0]);
            close(lost[1]);
            poll_pair_finish(&f);
        }
    }
}

static void a_descriptor_can_go_from_one_poll_to_another(void **state)
{
    (void)state;
    poll_pair f;
    poll_pair_start(&f);
    jz_poll *other = jz_poll_create();
    assert_non_null(other);
    jz_poll *polls[] = {f.poll, other};
    poll_pair_write(&f);
    for (size_t i = 0; i < 6; i++) {
        jz_poll *from = polls[i % 2];
        jz_poll *to = polls[(i + 1) % 2];
        jz_ready ready[2];
        assert_true(jz_poll_add(from, f.pair[OURS], JZ_READABLE, i));
        assert_int_equal(jz_poll_wait(from, ready, COUNT_OF(ready), 0), 1);
        assert_true(jz_poll_change(from, f.pair[OURS], JZ_READABLE | JZ_WRITABLE, i));
        jz_poll_remove(from, f.pair[OURS]);
        assert_true(jz_poll_add(to, f.pair[OURS], JZ_READABLE, 100 + i));
        assert_int_equal(jz_poll_wait(from, ready, COUNT_OF(ready), 0), 0);
        assert_int_equal(jz_poll_wait(to, ready, COUNT_OF(ready), 0), 1);
        assert_int_equal(ready[0].token, 100 + i);
        assert_int_equal(ready[0].what, JZ_READABLE);
        jz_poll_remove(to, f.pair[OURS]);
    }
    jz_poll_destroy(other);
    poll_pair_finish(&f);
}

/* More at once than the kernel is told with one call. */
static void as_many_changes_as_there_are_descriptors_can_be_made(void **state)
{
    (void)state;
    enum { COUNT = 900 };
    static jz_ready ready[COUNT];
    static int copies[COUNT];
    poll_pair f;
    struct rlimit limit;
    poll_pair_start(&f);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = limit.rlim_cur < 2 * COUNT && limit.rlim_max >= 2 * COUNT ? 2 * COUNT : limit.rlim_cur;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    for (size_t i = 0; i < COUNT; i++) {
        copies[i] = fcntl(f.pair[OURS], F_DUPFD_CLOEXEC, 0);
        assert_true(jz_poll_add(f.poll, copies[i], i % 2 == 0 ? JZ_READABLE : 0, i));
    }
    assert_int_equal(poll_pair_look(&f), 0);
    for (size_t i = 0; i < COUNT; i++)
        assert_true(jz_poll_change(f.poll, copies[i], JZ_WRITABLE, i));
    int told = 0;
    for (int turn = 0; turn < COUNT && told < COUNT; turn++)
        told = jz_poll_wait(f.poll, ready, COUNT, 0);
    assert_int_equal(told, COUNT);
    for (size_t i = 0; i < COUNT; i++) {
        jz_poll_remove(f.poll, copies[i]);
        close(copies[i]);
    }
    assert_int_equal(poll_pair_look(&f), 0);
    poll_pair_finish(&f);
}

static void what_the_kernel_refuses_is_told_with_its_reason(void **state)
{
    (void)state;
    poll_pair f;
    poll_pair_start(&f);
    errno = 0;
    assert_false(jz_poll_add(f.poll, -1, JZ_READABLE, 1));
    assert_int_equal(errno, EBADF);
    assert_false(jz_poll_change(f.poll, f.pair[OURS], JZ_READABLE, 1));
    assert_int_equal(errno, ENOENT);
    assert_true(jz_poll_add(f.poll, f.pair[OURS], JZ_READABLE, 1));
    assert_false(jz_poll_add(f.poll, f.pair[OURS], JZ_READABLE, 1));
    assert_int_equal(errno, EEXIST);
    poll_pair_finish(&f);
}

/* A poll knows nothing of a file that would not be known at once. */
static void files_cannot_be_watched(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    assert_true(jz_poll_can_watch(ends[0]));
    assert_true(jz_poll_can_watch(ends[1]));
    close(ends[0]);
    close(ends[1]);
    assert_false(jz_poll_can_watch(-1));
    assert_int_equal(errno, EBADF);
    int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    assert_false(jz_poll_can_watch(file));
    assert_int_equal(errno, EPERM);
    close(file);
}

/* As a program does that goes into the background when all is set up. */
static void a_child_waits_for_what_was_watched_before_the_fork(void **state)
{
    (void)state;
    poll_pair f;
    poll_pair_start(&f);
    assert_true(jz_poll_add(f.poll, f.pair[OURS], JZ_READABLE, 1));
    pid_t child = fork();
    if (child == 0) {
        /* It may have the number that the first one had. */
        jz_poll *other = jz_poll_create();
        jz_ready ready[2];
        bool is_right = jz_poll_begin(f.poll) && jz_poll_begin(other);
        poll_pair_write(&f);
        is_right = is_right && jz_poll_wait(f.poll, ready, COUNT_OF(ready), 5000) == 1 && ready[0].token == 1;
        is_right = is_right && jz_poll_add(f.poll, f.pair[PEERS], JZ_WRITABLE, 2);
        is_right = is_right && jz_poll_wait(f.poll, ready, COUNT_OF(ready), 0) == 2;
        jz_poll_destroy(f.poll);
        _exit(is_right && jz_poll_wait(other, ready, COUNT_OF(ready), 0) == 0 ? 0 : 1);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    poll_pair_finish(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(interest_and_token_can_be_changed),
        cmocka_unit_test(what_was_removed_is_not_watched),
        cmocka_unit_test(a_change_that_is_taken_back_changes_nothing),
        cmocka_unit_test(a_number_that_is_reused_at_once_is_another_descriptor),
        cmocka_unit_test(a_descriptor_can_go_from_one_poll_to_another),
        cmocka_unit_test(as_many_changes_as_there_are_descriptors_can_be_made),
        cmocka_unit_test(what_the_kernel_refuses_is_told_with_its_reason),
        cmocka_unit_test(files_cannot_be_watched),
        cmocka_unit_test(a_number_that_is_reused_later_is_watched_as_any_other),
        cmocka_unit_test(a_child_waits_for_what_was_watched_before_the_fork),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("changes of a poll", tests, NULL, NULL));
}
