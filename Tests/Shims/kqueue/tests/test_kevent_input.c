/* EVFILT_READ: kqueue(2) of FreeBSD, and what its own tests expect. */
#define _GNU_SOURCE

#include "kevents.h"

#include <netinet/in.h>
#include <sys/eventfd.h>

static void an_event_says_what_it_is_about(void **state)
{
    (void)state;
    fixture f;
    start(&f);
    add(&f, f.ours, EVFILT_READ, 0);
    expect_none(&f);
    fill(&f, 3);
    struct kevent event = take(&f);
    assert_int_equal(event.ident, f.ours);
    assert_int_equal(event.filter, EVFILT_READ);
    assert_int_equal(event.flags, 0);
    assert_int_equal(event.fflags, 0);
    assert_int_equal(event.data, 3);
    assert_ptr_equal(event.udata, (void *)(uintptr_t)(100 + f.ours));
    drain(&f, 3);
    expect_none(&f);
    finish(&f);
}

/* "The filter is executed upon the initial registration." */
static void a_condition_that_holds_already_is_told(void **state)
{
    (void)state;
    fixture f;
    start(&f);
    fill(&f, 1);
    add(&f, f.ours, EVFILT_READ, 0);
    assert_int_equal(take(&f).data, 1);
    finish(&f);
}

static void an_event_is_told_while_its_condition_holds(void **state)
{
    (void)state;
    fixture f;
    start(&f);
    add(&f, f.ours, EVFILT_READ, 0);
    fill(&f, 2);
    assert_int_equal(take(&f).data, 2);
    drain(&f, 1);
    assert_int_equal(take(&f).data, 1);
    assert_int_equal(take(&f).data, 1);
    drain(&f, 1);
    expect_none(&f);
    fill(&f, 1);
    assert_int_equal(take(&f).data, 1);
    finish(&f);
}

/* "If the condition that triggered the event no longer holds, the kevent is removed and is not returned." */
static void a_condition_that_holds_no_more_is_not_told(void **state)
{
    (void)state;
    fixture f;
    start(&f);
    add(&f, f.ours, EVFILT_READ, EV_CLEAR);
    fill(&f, 1);
    drain(&f, 1);
    expect_none(&f);
    finish(&f);
}

static void a_cleared_event_is_told_once_for_all_that_has_come(void **state)
{
    (void)state;
    fixture f;
    start(&f);
    add(&f, f.ours, EVFILT_READ, EV_CLEAR);
    fill(&f, 2);
    struct kevent event = take(&f);
    assert_int_equal(event.data, 2);
    assert_int_equal(event.flags & EV_CLEAR, EV_CLEAR);
    drain(&f, 1);
    expect_none(&f);
    fill(&f, 1);
    assert_int_equal(take(&f).data, 2);
    expect_none(&f);
    /* Adding it again runs the filter again. */
    add(&f, f.ours, EVFILT_READ, EV_CLEAR);
    assert_int_equal(take(&f).data, 2);
    expect_none(&f);
    finish(&f);
}

static void a_oneshot_is_deleted_when_it_is_taken(void **state)
{
    (void)state;
    fixture f;
    start(&f);
    add(&f, f.ours, EVFILT_READ, EV_ONESHOT);
    expect_none(&f);
    fill(&f, 1);
    assert_int_equal(take(&f).data, 1);
    expect_none(&f);
    assert_int_equal(change(&f, f.ours, EVFILT_READ, EV_DELETE), ENOENT);
    finish(&f);
}

static void a_dispatched_event_is_disabled_when_it_is_taken(void **state)
{
    (void)state;
    fixture f;
    start(&f);
    add(&f, f.ours, EVFILT_READ, EV_DISPATCH);
    fill(&f, 1);
    assert_int_equal(take(&f).data, 1);
    expect_none(&f);
    assert_int_equal(change(&f, f.ours, EVFILT_READ, EV_ENABLE), 0);
    assert_int_equal(take(&f).data, 1);
    expect_none(&f);
    assert_int_equal(change(&f, f.ours, EVFILT_READ, EV_DELETE), 0);
    finish(&f);
}

static void a_disabled_event_is_told_when_it_is_enabled(void **state)
{
    (void)state;
    for (int is_added_disabled = 0; is_added_disabled < 2; is_added_disabled++) {
        fixture f;
        start(&f);
        add(&f, f.ours, EVFILT_READ, is_added_disabled ? EV_DISABLE : 0);
        if (!is_added_disabled)
            assert_int_equal(change(&f, f.ours, EVFILT_READ, EV_DISABLE), 0);
        fill(&f, 1);
        expect_none(&f);
        assert_int_equal(change(&f, f.ours, EVFILT_READ, EV_ENABLE), 0);
        assert_int_equal(take(&f).data, 1);
        assert_int_equal(change(&f, f.ours, EVFILT_READ, EV_DISABLE), 0);
        expect_none(&f);
        /* "Adding an event automatically enables it." */
        add(&f, f.ours, EVFILT_READ, 0);
        assert_int_equal(take(&f).data, 1);
        finish(&f);
    }
}

/* "Re-adding an existing event will modify the parameters of the original event, and not result in a duplicate." */
static void an_event_is_added_once(void **state)
{
    (void)state;
    fixture f;
    start(&f);
    add(&f, f.ours, EVFILT_READ, 0);
    struct kevent again;
    EV_SET(&again, f.ours, EVFILT_READ, EV_ADD, 0, 0, &f);
    assert_int_equal(kevent(f.queue, &again, 1, NULL, 0, NULL), 0);
    fill(&f, 1);
    assert_ptr_equal(take(&f).udata, &f);
    assert_int_equal(change(&f, f.ours, EVFILT_READ, EV_DELETE), 0);
    expect_none(&f);
    finish(&f);
}

static void a_low_water_mark_is_waited_for(void **state)
{
    (void)state;
    fixture f;
    start(&f);
    assert_int_equal(change_with(&f, f.ours, EVFILT_READ, EV_ADD, NOTE_LOWAT, 3), 0);
    fill(&f, 2);
    expect_none(&f);
    fill(&f, 1);
    assert_int_equal(take(&f).data, 3);
    peer_closes(&f);
    drain(&f, 2);
    assert_int_equal(take(&f).flags, EV_EOF);
    finish(&f);
}

/* "It is possible for EOF to be returned while there is still data pending in the socket buffer." */
static void the_end_is_told_with_the_data_before_it(void **state)
{
    (void)state;
    for (int closes = 0; closes < 2; closes++) {
        fixture f;
        start(&f);
        add(&f, f.ours, EVFILT_READ, 0);
        fill(&f, 2);
        if (closes)
            peer_closes(&f);
        else
            shutdown(f.peers, SHUT_WR);
        struct kevent event = take(&f);
        assert_int_equal(event.flags, EV_EOF);
        assert_int_equal(event.fflags, 0);
        assert_int_equal(event.data, 2);
        drain(&f, 2);
        event = take(&f);
        assert_int_equal(event.flags, EV_EOF);
        assert_int_equal(event.data, 0);
        finish(&f);
    }
}

/* So many connections. The last step of one may still be on its way when connect has returned. */
static void expect_to_be_accepted(const fixture *f, int listener, int count)
{
    struct kevent event = {.data = 0};
    for (int look = 0; event.data < count && look < 5000; look++) {
        const struct timespec moment = {.tv_nsec = 1000000};
        kevent(f->queue, NULL, 0, &event, 1, &moment);
    }
    assert_int_equal(event.ident, listener);
    assert_int_equal(event.data, count);
}

/* "... and returns the socket error (if any) in fflags." It is left for who reads. */
static void a_reset_is_told_with_its_error(void **state)
{
    (void)state;
    fixture f;
    start(&f);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&address, length), 0);
    assert_int_equal(listen(listener, 8), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &length), 0);
    add(&f, listener, EVFILT_READ, 0);
    add(&f, listener, EVFILT_WRITE, 0);
    expect_none(&f);
    int client = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(client, (struct sockaddr *)&address, length), 0);
    expect_to_be_accepted(&f, listener, 1);
    int another = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(another, (struct sockaddr *)&address, length), 0);
    expect_to_be_accepted(&f, listener, 2);
    int accepted = accept(listener, NULL, NULL);
    close(accept(listener, NULL, NULL));
    close(another);
    expect_none(&f);
    add(&f, accepted, EVFILT_READ, 0);
    const struct linger reset = {.l_onoff = 1};
    setsockopt(client, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    close(client);
    struct kevent events[2];
    const struct timespec soon = {.tv_sec = 5};
    assert_int_equal(kevent(f.queue, NULL, 0, events, 2, &soon), 1);
    assert_int_equal(events[0].flags, EV_EOF);
    assert_int_equal(events[0].fflags, ECONNRESET);
    char byte;
    assert_int_equal(read(accepted, &byte, 1), -1);
    assert_int_equal(errno, ECONNRESET);
    close(accepted);
    close(listener);
    finish(&f);
}

static void pipes_and_eventfds_are_descriptors_too(void **state)
{
    (void)state;
    fixture f;
    start(&f);
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    int bell = eventfd(0, EFD_NONBLOCK);
    add(&f, ends[0], EVFILT_READ, 0);
    add(&f, bell, EVFILT_READ, 0);
    expect_none(&f);
    const uint64_t one = 1;
    assert_int_equal(write(bell, &one, sizeof one), sizeof one);
    assert_int_equal(take(&f).ident, bell);
    close(bell);
    assert_int_equal(write(ends[1], "abc", 3), 3);
    struct kevent event = take(&f);
    assert_int_equal(event.ident, ends[0]);
    assert_int_equal(event.data, 3);
    assert_int_equal(event.flags, 0);
    close(ends[1]);
    assert_int_equal(take(&f).flags, EV_EOF);
    close(ends[0]);
    finish(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_event_says_what_it_is_about),
        cmocka_unit_test(a_condition_that_holds_already_is_told),
        cmocka_unit_test(an_event_is_told_while_its_condition_holds),
        cmocka_unit_test(a_condition_that_holds_no_more_is_not_told),
        cmocka_unit_test(a_cleared_event_is_told_once_for_all_that_has_come),
        cmocka_unit_test(a_oneshot_is_deleted_when_it_is_taken),
        cmocka_unit_test(a_dispatched_event_is_disabled_when_it_is_taken),
        cmocka_unit_test(a_disabled_event_is_told_when_it_is_enabled),
        cmocka_unit_test(an_event_is_added_once),
        cmocka_unit_test(a_low_water_mark_is_waited_for),
        cmocka_unit_test(the_end_is_told_with_the_data_before_it),
        cmocka_unit_test(a_reset_is_told_with_its_error),
        cmocka_unit_test(pipes_and_eventfds_are_descriptors_too),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("kevent: input", tests, NULL, NULL));
}
