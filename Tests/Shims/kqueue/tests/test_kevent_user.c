/* EVFILT_USER: kqueue(2) of FreeBSD, and what its own tests expect. */
#define _GNU_SOURCE

#include "kevents.h"

#include <pthread.h>
#include <signal.h>

static void trigger(const fixture *f, int ident)
{
    assert_int_equal(change_with(f, ident, EVFILT_USER, 0, NOTE_TRIGGER, 0), 0);
}

static void it_can_be_added_and_deleted(void **state)
{
    (void)state;
    fixture f;
    start(&f);
    add(&f, 1, EVFILT_USER, 0);
    expect_none(&f);
    assert_int_equal(change(&f, 1, EVFILT_USER, EV_DELETE), 0);
    expect_none(&f);
    assert_int_equal(change_with(&f, 1, EVFILT_USER, 0, NOTE_TRIGGER, 0), ENOENT);
    finish(&f);
}

static void a_cleared_one_is_told_once_however_often_it_was_triggered(void **state)
{
    (void)state;
    fixture f;
    start(&f);
    add(&f, 1, EVFILT_USER, EV_CLEAR);
    for (int i = 0; i < 3; i++)
        trigger(&f, 1);
    struct kevent event = take(&f);
    assert_int_equal(event.ident, 1);
    assert_int_equal(event.filter, EVFILT_USER);
    assert_int_equal(event.flags, EV_CLEAR);
    assert_int_equal(event.fflags, 0);
    expect_none(&f);
    trigger(&f, 1);
    take(&f);
    expect_none(&f);
    finish(&f);
}

static void without_it_is_told_again_and_again(void **state)
{
    (void)state;
    fixture f;
    start(&f);
    add(&f, 1, EVFILT_USER, 0);
    trigger(&f, 1);
    take(&f);
    take(&f);
    assert_int_equal(change(&f, 1, EVFILT_USER, EV_DELETE), 0);
    expect_none(&f);
    finish(&f);
}

static void a_disabled_one_waits_until_it_is_enabled(void **state)
{
    (void)state;
    fixture f;
    start(&f);
    add(&f, 1, EVFILT_USER, EV_CLEAR);
    assert_int_equal(change(&f, 1, EVFILT_USER, EV_DISABLE), 0);
    trigger(&f, 1);
    expect_none(&f);
    assert_int_equal(change(&f, 1, EVFILT_USER, EV_ENABLE), 0);
    take(&f);
    expect_none(&f);
    finish(&f);
}

static void a_oneshot_is_deleted_when_it_is_taken(void **state)
{
    (void)state;
    fixture f;
    start(&f);
    add(&f, 2, EVFILT_USER, EV_ONESHOT);
    trigger(&f, 2);
    assert_int_equal(take(&f).flags, EV_ONESHOT);
    expect_none(&f);
    assert_int_equal(change(&f, 2, EVFILT_USER, EV_DELETE), ENOENT);
    finish(&f);
}

static const struct {
    const char *name;
    unsigned before;
    unsigned change;
    unsigned after;
} combinations[] = {
    {"ignored", 0x0f, NOTE_FFNOP | 0xf0, 0x0f},
    {"and", 0x3f, NOTE_FFAND | 0xfc, 0x3c},
    {"or", 0x3f, NOTE_FFOR | 0xc0, 0xff},
    {"copied", 0x3f, NOTE_FFCOPY | 0xc0, 0xc0},
    {"24 bits", 0, NOTE_FFCOPY | 0x3fffffff, 0xffffff},
};

static void its_flags_can_be_combined(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(combinations); i++) {
        fixture f;
        start(&f);
        add(&f, 1, EVFILT_USER, EV_CLEAR);
        assert_int_equal(change_with(&f, 1, EVFILT_USER, 0, NOTE_FFCOPY | combinations[i].before, 0), 0);
        expect_none(&f);
        assert_int_equal(change_with(&f, 1, EVFILT_USER, 0, NOTE_TRIGGER | combinations[i].change, 0), 0);
        struct kevent event = take(&f);
        assert_that(event.fflags == combinations[i].after, "%s: %x", combinations[i].name, event.fflags);
        finish(&f);
    }
}

static void *trigger_once(void *context)
{
    trigger(context, 1);
    return NULL;
}

/* Without being woken it would wait for ever. */
static void another_thread_ends_a_wait(void **state)
{
    (void)state;
    fixture f;
    start(&f);
    add(&f, 1, EVFILT_USER, EV_CLEAR);
    for (int i = 0; i < 200; i++) {
        pthread_t thread;
        struct kevent event;
        assert_int_equal(pthread_create(&thread, NULL, trigger_once, &f), 0);
        assert_int_equal(kevent(f.queue, NULL, 0, &event, 1, NULL), 1);
        pthread_join(thread, NULL);
    }
    expect_none(&f);
    finish(&f);
}

static const fixture *fixture_of_signal;

static void trigger_on_signal(int signal_number)
{
    (void)signal_number;
    trigger(fixture_of_signal, 1);
}

static void *send_signals(void *thread)
{
    for (int i = 0; i < 2000; i++)
        pthread_kill(*(pthread_t *)thread, SIGUSR1);
    return NULL;
}

/* Whatever it interrupts. */
static void a_signal_handler_can_trigger_one(void **state)
{
    (void)state;
    fixture f;
    start(&f);
    fixture_of_signal = &f;
    add(&f, 1, EVFILT_USER, EV_CLEAR);
    add(&f, f.ours, EVFILT_WRITE, 0);
    struct sigaction action = {.sa_handler = trigger_on_signal};
    struct sigaction before;
    sigaction(SIGUSR1, &action, &before);
    pthread_t self = pthread_self();
    pthread_t sender;
    assert_int_equal(pthread_create(&sender, NULL, send_signals, &self), 0);
    for (int i = 0; i < 2000; i++) {
        struct kevent events[2];
        int count = kevent(f.queue, NULL, 0, events, 2, &at_once);
        assert_true(count >= 1 || (count == -1 && errno == EINTR));
    }
    pthread_join(sender, NULL);
    raise(SIGUSR1);
    struct kevent events[2];
    assert_int_equal(kevent(f.queue, NULL, 0, events, 2, &at_once), 2);
    sigaction(SIGUSR1, &before, NULL);
    finish(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_can_be_added_and_deleted),
        cmocka_unit_test(a_cleared_one_is_told_once_however_often_it_was_triggered),
        cmocka_unit_test(without_it_is_told_again_and_again),
        cmocka_unit_test(a_disabled_one_waits_until_it_is_enabled),
        cmocka_unit_test(a_oneshot_is_deleted_when_it_is_taken),
        cmocka_unit_test(its_flags_can_be_combined),
        cmocka_unit_test(another_thread_ends_a_wait),
        cmocka_unit_test(a_signal_handler_can_trigger_one),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("kevent: user events", tests, NULL, NULL));
}
