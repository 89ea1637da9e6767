/* The lists of changes and events, errors, and waiting: kqueue(2). */
#define _GNU_SOURCE

#include "kevents.h"

#include <pthread.h>
#include <signal.h>
#include <sys/time.h>
#include <sys/wait.h>

#include "loop/timer.h"

/* "All changes contained in the changelist are applied before any pending events are read from the queue." */
static void changes_come_before_events(void **state)
{
    (void)state;
    fixture f;
    start(&f);
    fill(&f, 1);
    struct kevent list[2];
    EV_SET(&list[0], f.ours, EVFILT_READ, EV_ADD, 0, 0, NULL);
    EV_SET(&list[1], f.ours, EVFILT_WRITE, EV_ADD, 0, 0, NULL);
    /* "The same array may be used for the changelist and eventlist." */
    assert_int_equal(kevent(f.queue, list, 2, list, 2, &at_once), 2);
    EV_SET(&list[0], f.ours, EVFILT_READ, EV_DELETE, 0, 0, NULL);
    EV_SET(&list[1], f.ours, EVFILT_WRITE, EV_DISABLE, 0, 0, NULL);
    assert_int_equal(kevent(f.queue, list, 2, list, 2, &at_once), 0);
    finish(&f);
}

/* "When nevents is zero, kevent will return immediately even if there is a timeout specified." */
static void without_room_for_events_nothing_is_waited_for(void **state)
{
    (void)state;
    fixture f;
    start(&f);
    add(&f, f.ours, EVFILT_READ, 0);
    assert_int_equal(kevent(f.queue, NULL, 0, NULL, 0, NULL), 0);
    fill(&f, 1);
    assert_int_equal(kevent(f.queue, NULL, 0, NULL, 0, NULL), 0);
    take(&f);
    finish(&f);
}

static void no_more_events_are_told_than_there_is_room_for(void **state)
{
    (void)state;
    fixture f;
    start(&f);
    add(&f, f.ours, EVFILT_WRITE, 0);
    add(&f, f.peers, EVFILT_WRITE, 0);
    struct kevent events[3] = {[1] = {.ident = 77}};
    uintptr_t last = 0;
    /* Those that were told stand behind the others. */
    for (int i = 0; i < 4; i++) {
        assert_int_equal(kevent(f.queue, NULL, 0, events, 1, &at_once), 1);
        assert_int_not_equal(events[0].ident, last);
        assert_int_equal(events[1].ident, 77);
        last = events[0].ident;
    }
    assert_int_equal(kevent(f.queue, NULL, 0, events, 3, &at_once), 2);
    finish(&f);
}

/* "The event will be placed in the eventlist with EV_ERROR set in flags and the system error in data." */
static void errors_are_put_into_the_list_of_events_in_place_of_events(void **state)
{
    (void)state;
    fixture f;
    start(&f);
    fill(&f, 1);
    struct kevent list[4];
    EV_SET(&list[0], f.ours, EVFILT_READ, EV_ADD, 0, 0, NULL);
    EV_SET(&list[1], f.ours, EVFILT_WRITE, EV_DELETE, 0, 0, NULL);
    EV_SET(&list[2], 9999, EVFILT_READ, EV_ADD, 0, 0, &f);
    EV_SET(&list[3], f.ours, EVFILT_WRITE, EV_ADD, 0, 0, NULL);
    assert_int_equal(kevent(f.queue, list, 4, list, 4, NULL), 2);
    assert_int_equal(list[0].flags, EV_DELETE | EV_ERROR);
    assert_int_equal(list[0].data, ENOENT);
    assert_int_equal(list[0].ident, f.ours);
    assert_int_equal(list[0].filter, EVFILT_WRITE);
    assert_int_equal(list[1].flags, EV_ADD | EV_ERROR);
    assert_int_equal(list[1].data, EBADF);
    assert_ptr_equal(list[1].udata, &f);
    assert_int_equal(kevent(f.queue, NULL, 0, list, 4, &at_once), 2);
    finish(&f);
}

/* "Otherwise, -1 will be returned": and the changes behind it are not applied. */
static void an_error_without_room_for_it_ends_the_call(void **state)
{
    (void)state;
    fixture f;
    start(&f);
    struct kevent list[3];
    EV_SET(&list[0], f.ours, EVFILT_READ, EV_ADD, 0, 0, NULL);
    EV_SET(&list[1], f.ours, EVFILT_WRITE, EV_DELETE, 0, 0, NULL);
    EV_SET(&list[2], f.ours, EVFILT_WRITE, EV_ADD, 0, 0, NULL);
    assert_int_equal(kevent(f.queue, list, 3, NULL, 0, NULL), -1);
    assert_int_equal(errno, ENOENT);
    expect_none(&f);
    fill(&f, 1);
    assert_int_equal(take(&f).filter, EVFILT_READ);
    finish(&f);
}

/* "Useful for making bulk changes to a kqueue without draining any pending events." */
static void a_receipt_is_given_for_each_change_in_place_of_events(void **state)
{
    (void)state;
    fixture f;
    start(&f);
    fill(&f, 1);
    add(&f, 1, EVFILT_USER, EV_CLEAR);
    assert_int_equal(change_with(&f, 1, EVFILT_USER, 0, NOTE_TRIGGER, 0), 0);
    struct kevent list[4];
    EV_SET(&list[0], f.ours, EVFILT_READ, EV_ADD | EV_RECEIPT, 0, 0, NULL);
    EV_SET(&list[1], f.ours, EVFILT_WRITE, EV_ENABLE | EV_RECEIPT, 0, 7, NULL);
    EV_SET(&list[2], f.ours, EVFILT_WRITE, EV_ADD | EV_RECEIPT, 0, 7, NULL);
    assert_int_equal(kevent(f.queue, list, 3, list, 4, NULL), 3);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(list[i].flags & (EV_ERROR | EV_RECEIPT), EV_ERROR | EV_RECEIPT);
        assert_int_equal(list[i].data, i == 1 ? ENOENT : 0);
    }
    assert_int_equal(kevent(f.queue, NULL, 0, list, 4, &at_once), 3);
    /* "If there is no remaining space, then subsequent changes will not get processed." */
    EV_SET(&list[0], f.ours, EVFILT_READ, EV_DELETE | EV_RECEIPT, 0, 0, NULL);
    EV_SET(&list[1], f.ours, EVFILT_WRITE, EV_DELETE | EV_RECEIPT, 0, 0, NULL);
    EV_SET(&list[2], f.peers, EVFILT_WRITE, EV_ADD, 0, 0, NULL);
    assert_int_equal(kevent(f.queue, list, 3, list, 1, NULL), 1);
    assert_int_equal(change(&f, f.peers, EVFILT_WRITE, EV_DELETE), ENOENT);
    finish(&f);
}

static const struct {
    const char *name;
    int ident; /* -1: ours */
    short filter;
    int flags;
    int error;
} refusals[] = {
    {"deleting what is not there", -1, EVFILT_READ, EV_DELETE, ENOENT},
    {"enabling what is not there", -1, EVFILT_READ, EV_ENABLE, ENOENT},
    {"disabling what is not there", -1, EVFILT_WRITE, EV_DISABLE, ENOENT},
    {"changing what is not there", -1, EVFILT_USER, 0, ENOENT},
    {"a descriptor that is not open", 9999, EVFILT_READ, EV_ADD, EBADF},
    {"deleting of a descriptor that is not open", 9999, EVFILT_READ, EV_DELETE, EBADF},
    {"no descriptor", -2, EVFILT_READ, EV_ADD, EBADF},
    {"a filter that is not there", -1, -99, EV_ADD, EINVAL},
};

static void refusals_have_their_reasons(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(refusals); i++) {
        fixture f;
        start(&f);
        int ident = refusals[i].ident == -1 ? f.ours : refusals[i].ident;
        int error = change(&f, ident, refusals[i].filter, refusals[i].flags);
        assert_that(error == refusals[i].error, "%s: %d", refusals[i].name, error);
        finish(&f);
    }
}

static void wrong_arguments_are_refused(void **state)
{
    (void)state;
    fixture f;
    start(&f);
    static const struct timespec wrong[] = {{.tv_nsec = 1000000000}, {.tv_nsec = -1}, {.tv_sec = -1}};
    struct kevent event;
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        assert_int_equal(kevent(f.queue, NULL, 0, &event, 1, &wrong[i]), -1);
        assert_int_equal(errno, EINVAL);
    }
    assert_int_equal(kevent(f.queue, NULL, -1, &event, 1, &at_once), -1);
    assert_int_equal(errno, EINVAL);
    assert_int_equal(kevent(f.queue, NULL, 0, &event, -1, &at_once), -1);
    assert_int_equal(errno, EINVAL);
    assert_int_equal(kevent(f.ours, NULL, 0, &event, 1, &at_once), -1);
    assert_int_equal(errno, EBADF);
    assert_int_equal(kevent(-1, NULL, 0, &event, 1, &at_once), -1);
    assert_int_equal(errno, EBADF);
    finish(&f);
}

static void a_wait_lasts_as_long_as_it_was_told(void **state)
{
    (void)state;
    fixture f;
    start(&f);
    const struct timespec time = {.tv_nsec = 30000000};
    struct kevent event;
    uint64_t before = jz_clock_ms();
    assert_int_equal(kevent(f.queue, NULL, 0, &event, 1, &time), 0);
    assert_in_range(jz_clock_ms() - before, 29, UINT64_MAX);
    finish(&f);
}

static const fixture *others;

static void *write_once(void *context)
{
    (void)context;
    fill(others, 1);
    return NULL;
}

static void *add_once(void *context)
{
    (void)context;
    add(others, others->ours, EVFILT_WRITE, EV_ONESHOT);
    return NULL;
}

/* What another thread does ends a wait: to what is watched, and to the queue itself. */
static void a_wait_ends_with_an_event(void **state)
{
    (void)state;
    for (int i = 0; i < 100; i++) {
        fixture f;
        start(&f);
        others = &f;
        add(&f, f.ours, EVFILT_READ, 0);
        pthread_t thread;
        assert_int_equal(pthread_create(&thread, NULL, i % 2 == 0 ? write_once : add_once, NULL), 0);
        struct kevent event;
        assert_int_equal(kevent(f.queue, NULL, 0, &event, 1, NULL), 1);
        assert_int_equal(event.filter, i % 2 == 0 ? EVFILT_READ : EVFILT_WRITE);
        pthread_join(thread, NULL);
        finish(&f);
    }
}

static void ignore(int signal_number)
{
    (void)signal_number;
}

/* "When kevent call fails with EINTR error, all changes in the changelist have been applied." */
static void a_signal_ends_a_wait_whose_changes_are_made(void **state)
{
    (void)state;
    fixture f;
    start(&f);
    struct sigaction action = {.sa_handler = ignore};
    struct sigaction before;
    sigaction(SIGALRM, &action, &before);
    /* Again and again: the first signals may come before it waits. */
    const struct itimerval soon = {.it_interval = {.tv_usec = 20000}, .it_value = {.tv_usec = 20000}};
    static const struct itimerval never;
    assert_int_equal(setitimer(ITIMER_REAL, &soon, NULL), 0);
    struct kevent list[1];
    EV_SET(&list[0], f.ours, EVFILT_READ, EV_ADD, 0, 0, NULL);
    assert_int_equal(kevent(f.queue, list, 1, list, 1, NULL), -1);
    assert_int_equal(errno, EINTR);
    assert_int_equal(setitimer(ITIMER_REAL, &never, NULL), 0);
    sigaction(SIGALRM, &before, NULL);
    fill(&f, 1);
    take(&f);
    finish(&f);
}

/* "Calling close on a file descriptor will remove any kevents that reference the descriptor", also if it is not the
   last one of its file. */
static void closing_a_descriptor_removes_its_events(void **state)
{
    (void)state;
    fixture f;
    start(&f);
    int copy = dup(f.ours);
    add(&f, copy, EVFILT_READ, 0);
    add(&f, copy, EVFILT_WRITE, 0);
    fill(&f, 1);
    close(copy);
    expect_none(&f);
    assert_int_equal(dup(f.ours), copy);
    assert_int_equal(change(&f, copy, EVFILT_READ, EV_DELETE), ENOENT);
    assert_int_equal(change(&f, copy, EVFILT_WRITE, EV_ENABLE), ENOENT);
    add(&f, copy, EVFILT_READ, 0);
    assert_int_equal(take(&f).filter, EVFILT_READ);
    close(copy);
    finish(&f);
}

/* "The queue is not inherited by a child created with fork." Its events are not, either. */
static void a_child_has_no_queue(void **state)
{
    (void)state;
    fixture f;
    start(&f);
    add(&f, f.ours, EVFILT_READ, 0);
    pid_t child = fork();
    assert_int_not_equal(child, -1);
    if (child == 0)
        _exit(fcntl(f.queue, F_GETFD) == -1 ? 0 : 1);
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    fill(&f, 1);
    take(&f);
    finish(&f);
}

static void queues_know_nothing_of_each_other(void **state)
{
    (void)state;
    fixture f;
    fixture g;
    start(&f);
    start(&g);
    add(&f, f.ours, EVFILT_READ, 0);
    assert_int_equal(change(&g, f.ours, EVFILT_READ, EV_DELETE), ENOENT);
    add(&g, f.ours, EVFILT_READ, EV_ONESHOT);
    fill(&f, 1);
    take(&g);
    expect_none(&g);
    take(&f);
    close(g.queue);
    g.queue = kqueue();
    expect_none(&g);
    finish(&f);
    finish(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(changes_come_before_events),
        cmocka_unit_test(without_room_for_events_nothing_is_waited_for),
        cmocka_unit_test(no_more_events_are_told_than_there_is_room_for),
        cmocka_unit_test(errors_are_put_into_the_list_of_events_in_place_of_events),
        cmocka_unit_test(an_error_without_room_for_it_ends_the_call),
        cmocka_unit_test(a_receipt_is_given_for_each_change_in_place_of_events),
        cmocka_unit_test(refusals_have_their_reasons),
        cmocka_unit_test(wrong_arguments_are_refused),
        cmocka_unit_test(a_wait_lasts_as_long_as_it_was_told),
        cmocka_unit_test(a_wait_ends_with_an_event),
        cmocka_unit_test(a_signal_ends_a_wait_whose_changes_are_made),
        cmocka_unit_test(closing_a_descriptor_removes_its_events),
        cmocka_unit_test(a_child_has_no_queue),
        cmocka_unit_test(queues_know_nothing_of_each_other),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("kevent: lists", tests, NULL, NULL));
}
