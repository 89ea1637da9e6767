/* EVFILT_WRITE, as kqueue(2) describes it, and a descriptor with both filters. */
#define _GNU_SOURCE

#include "kevents.h"

#include <limits.h>

static void room_for_output_is_told_while_there_is_some(void **state)
{
    (void)state;
    fixture f;
    start(&f);
    add(&f, f.ours, EVFILT_WRITE, 0);
    struct kevent event = take(&f);
    assert_int_equal(event.filter, EVFILT_WRITE);
    assert_in_range(event.data, 1, INT_MAX);
    assert_int_equal(event.flags, 0);
    take(&f);
    fill_output(&f);
    expect_none(&f);
    drain_output(&f);
    take(&f);
    finish(&f);
}

static void a_cleared_event_is_told_again_when_there_is_room_again(void **state)
{
    (void)state;
    fixture f;
    start(&f);
    add(&f, f.ours, EVFILT_WRITE, EV_CLEAR);
    take(&f);
    expect_none(&f);
    fill_output(&f);
    expect_none(&f);
    drain_output(&f);
    take(&f);
    expect_none(&f);
    finish(&f);
}

/* "The filter will set EV_EOF when the reader disconnects." */
static void a_reader_that_disconnects_is_told(void **state)
{
    (void)state;
    for (int mark = 0; mark < 2; mark++) {
        fixture f;
        start(&f);
        fill_output(&f);
        assert_int_equal(change_with(&f, f.ours, EVFILT_WRITE, EV_ADD, mark ? NOTE_LOWAT : 0, mark ? INT_MAX : 0), 0);
        expect_none(&f);
        shutdown(f.peers, SHUT_WR);
        expect_none(&f);
        peer_closes(&f);
        assert_int_equal(take(&f).flags & EV_EOF, EV_EOF);
        assert_int_equal(take(&f).flags & EV_EOF, EV_EOF);
        finish(&f);
    }
}

/* A socket that can send no more, whoever has ended it. */
static void the_end_of_our_own_output_is_an_end(void **state)
{
    (void)state;
    fixture f;
    start(&f);
    fill_output(&f);
    add(&f, f.ours, EVFILT_WRITE, 0);
    add(&f, f.ours, EVFILT_READ, 0);
    expect_none(&f);
    shutdown(f.ours, SHUT_WR);
    struct kevent event = take(&f);
    assert_int_equal(event.filter, EVFILT_WRITE);
    assert_int_equal(event.flags, EV_EOF);
    finish(&f);
}

/* On macOS, where more than the buffer's size is taken for it. FreeBSD would not tell it at all. */
static void a_low_water_mark_above_all_is_reached_when_the_buffer_is_empty(void **state)
{
    (void)state;
    fixture f;
    start(&f);
    assert_int_equal(change_with(&f, f.ours, EVFILT_WRITE, EV_ADD | EV_CLEAR, NOTE_LOWAT, INT_MAX), 0);
    assert_int_equal(take(&f).flags & EV_EOF, 0);
    expect_none(&f);
    assert_int_equal(write(f.ours, "x", 1), 1);
    expect_none(&f);
    finish(&f);
}

static void both_filters_are_events_of_their_own(void **state)
{
    (void)state;
    fixture f;
    start(&f);
    add(&f, f.ours, EVFILT_READ, 0);
    add(&f, f.ours, EVFILT_WRITE, EV_ONESHOT);
    fill(&f, 1);
    struct kevent events[4];
    assert_int_equal(kevent(f.queue, NULL, 0, events, 4, &at_once), 2);
    assert_int_not_equal(events[0].filter, events[1].filter);
    assert_int_equal(take(&f).filter, EVFILT_READ);
    assert_int_equal(change(&f, f.ours, EVFILT_WRITE, EV_DELETE), ENOENT);
    add(&f, f.ours, EVFILT_WRITE, 0);
    assert_int_equal(change(&f, f.ours, EVFILT_READ, EV_DELETE), 0);
    assert_int_equal(take(&f).filter, EVFILT_WRITE);
    finish(&f);
}

static void a_pipe_whose_other_end_is_gone_has_ended(void **state)
{
    (void)state;
    for (int end = 0; end < 2; end++) {
        fixture f;
        start(&f);
        int ends[2];
        assert_int_equal(pipe(ends), 0);
        add(&f, ends[end], end == 0 ? EVFILT_READ : EVFILT_WRITE, EV_CLEAR);
        struct kevent event;
        kevent(f.queue, NULL, 0, &event, 1, &at_once);
        close(ends[1 - end]);
        assert_int_equal(take(&f).flags & EV_EOF, EV_EOF);
        close(ends[end]);
        finish(&f);
    }
}

static void a_pipe_whose_other_end_is_gone_already_is_refused(void **state)
{
    (void)state;
    for (int end = 0; end < 2; end++) {
        fixture f;
        start(&f);
        int ends[2];
        assert_int_equal(pipe(ends), 0);
        close(ends[1 - end]);
        assert_int_equal(change(&f, ends[end], EVFILT_WRITE, EV_ADD), EPIPE);
        add(&f, ends[end], EVFILT_READ, 0);
        close(ends[end]);
        finish(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(room_for_output_is_told_while_there_is_some),
        cmocka_unit_test(a_cleared_event_is_told_again_when_there_is_room_again),
        cmocka_unit_test(a_reader_that_disconnects_is_told),
        cmocka_unit_test(the_end_of_our_own_output_is_an_end),
        cmocka_unit_test(a_low_water_mark_above_all_is_reached_when_the_buffer_is_empty),
        cmocka_unit_test(both_filters_are_events_of_their_own),
        cmocka_unit_test(a_pipe_whose_other_end_is_gone_has_ended),
        cmocka_unit_test(a_pipe_whose_other_end_is_gone_already_is_refused),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("kevent: output", tests, NULL, NULL));
}
