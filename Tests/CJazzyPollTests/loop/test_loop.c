/* Letters to a loop, and its timers: taken in portions where there are so many that others would wait. */
#include "loop/loop.h"

#include "support/clock.h"
#include "support/testing.h"

enum { LETTERS = 100000, MOST_IN_A_TURN = 4096 };

typedef struct numbered {
    jz_letter letter; /* first, so that a letter is its number */
    size_t number;
} numbered;

typedef struct watched {
    jz_loop loop;
    size_t taken;
    size_t taken_in_turn;
    size_t turns;
} watched;

static void ready(void *context, uint64_t token, unsigned what)
{
    (void)context;
    (void)token;
    (void)what;
}

static void take(void *context, jz_letter *letter)
{
    watched *watched = context;
    assert_int_equal(((numbered *)letter)->number, watched->taken);
    watched->taken++;
    watched->taken_in_turn++;
}

static void expired(void *context, jz_timer *timer)
{
    (void)context;
    (void)timer;
}

/* As a handler's call does before it changes something: an iteration takes one share of letters and no more. */
static bool end_turn(void *context)
{
    watched *watched = context;
    jz_loop_take_letters(&watched->loop);
    assert_that(watched->taken_in_turn <= MOST_IN_A_TURN, "%zu letters in a turn", watched->taken_in_turn);
    watched->taken_in_turn = 0;
    watched->turns++;
    return watched->taken < LETTERS;
}

static void start(watched *watched)
{
    const jz_loop_owner owner = {watched, ready, take, expired, end_turn};
    assert_int_equal(jz_loop_init(&watched->loop, owner, 4096, NULL), JZ_OK);
}

static numbered *post_all(watched *watched)
{
    numbered *letters = calloc(LETTERS, sizeof *letters);
    assert_non_null(letters);
    for (size_t i = 0; i < LETTERS; i++) {
        letters[i].number = i;
        jz_loop_post(&watched->loop, &letters[i].letter);
    }
    return letters;
}

static void many_letters_are_taken_in_portions_and_in_their_order(void **state)
{
    (void)state;
    watched watched = {0};
    start(&watched);
    numbered *letters = post_all(&watched);
    jz_loop_run(&watched.loop);
    assert_int_equal(watched.taken, LETTERS);
    assert_true(watched.turns >= LETTERS / MOST_IN_A_TURN);
    jz_loop_destroy(&watched.loop);
    free(letters);
}

enum { EACH_TURN = 3 * MOST_IN_A_TURN };

/* Another thread posts more than iterations take. */
typedef struct pressed {
    watched watched;
    numbered *letters;
    size_t posted;
} pressed;

static void post_more(pressed *pressed)
{
    for (size_t i = 0; i < EACH_TURN && pressed->posted < LETTERS; i++) {
        pressed->letters[pressed->posted].number = pressed->posted;
        jz_loop_post(&pressed->watched.loop, &pressed->letters[pressed->posted++].letter);
    }
}

static bool end_pressed_turn(void *context)
{
    pressed *pressed = context;
    assert_true(jz_mailbox_is_empty(&pressed->watched.loop.mailbox));
    post_more(pressed);
    return end_turn(&pressed->watched);
}

/* So that it never has to be done for all that a mailbox may have at once. */
static void what_was_posted_is_put_in_order_in_the_next_turn_however_much_waits_before_it(void **state)
{
    (void)state;
    pressed pressed = {.letters = calloc(LETTERS, sizeof *pressed.letters)};
    assert_non_null(pressed.letters);
    start(&pressed.watched);
    pressed.watched.loop.owner.end_of_turn = end_pressed_turn;
    post_more(&pressed);
    jz_loop_run(&pressed.watched.loop);
    assert_int_equal(pressed.watched.taken, LETTERS);
    jz_loop_destroy(&pressed.watched.loop);
    free(pressed.letters);
}

enum { TIMERS = 1000, MOST_TIMERS_IN_A_TURN = 256 };

static void note_timer(void *context, jz_timer *timer)
{
    watched *watched = context;
    (void)timer;
    watched->taken++;
    watched->taken_in_turn++;
}

static bool end_turn_of_timers(void *context)
{
    watched *watched = context;
    assert_that(watched->taken_in_turn <= MOST_TIMERS_IN_A_TURN, "%zu timers in a turn", watched->taken_in_turn);
    watched->taken_in_turn = 0;
    return watched->taken < TIMERS;
}

/* And the loop does not sleep while some are left. */
static void many_timers_fire_in_portions(void **state)
{
    (void)state;
    static jz_timer timers[TIMERS];
    watched watched = {0};
    start(&watched);
    watched.loop.owner.expired = note_timer;
    watched.loop.owner.end_of_turn = end_turn_of_timers;
    for (size_t i = 0; i < TIMERS; i++)
        jz_timer_set(&watched.loop.timers, &timers[i], 1);
    test_clock_stop(test_real_clock_ms() + 1000);
    jz_loop_run(&watched.loop);
    test_clocks_run();
    assert_int_equal(watched.taken, TIMERS);
    jz_loop_destroy(&watched.loop);
}

static void one_letter_is_taken_when_a_turn_may_take_no_more(void **state)
{
    (void)state;
    watched watched = {0};
    start(&watched);
    numbered *letters = post_all(&watched);
    jz_loop_take_letters(&watched.loop);
    size_t taken = watched.taken;
    assert_false(jz_loop_take_letters(&watched.loop));
    assert_int_equal(watched.taken, taken);
    assert_true(jz_loop_take_letter(&watched.loop));
    assert_int_equal(watched.taken, taken + 1);
    jz_loop_take_every_letter(&watched.loop);
    assert_int_equal(watched.taken, LETTERS);
    assert_false(jz_loop_take_letter(&watched.loop));
    jz_loop_destroy(&watched.loop);
    free(letters);
}

static void all_letters_are_taken_before_what_is_to_come_after_them(void **state)
{
    (void)state;
    watched watched = {0};
    start(&watched);
    numbered *letters = post_all(&watched);
    jz_loop_take_letters(&watched.loop);
    assert_true(watched.taken < LETTERS);
    jz_loop_take_every_letter(&watched.loop);
    assert_int_equal(watched.taken, LETTERS);
    jz_loop_destroy(&watched.loop);
    free(letters);
}

static void a_loop_that_has_ended_gives_back_letters_and_takes_none(void **state)
{
    (void)state;
    watched watched = {0};
    start(&watched);
    numbered *letters = post_all(&watched);
    jz_loop_take_letters(&watched.loop);
    size_t number = watched.taken;
    for (const jz_letter *letter = jz_loop_close_mailbox(&watched.loop); letter != NULL; letter = letter->next)
        assert_int_equal(((const numbered *)letter)->number, number++);
    assert_int_equal(number, LETTERS);
    assert_false(jz_loop_has_letters(&watched.loop));
    assert_false(jz_loop_post(&watched.loop, &letters[0].letter));
    assert_null(jz_loop_close_mailbox(&watched.loop));
    jz_loop_destroy(&watched.loop);
    free(letters);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_letters_are_taken_in_portions_and_in_their_order),
        cmocka_unit_test(what_was_posted_is_put_in_order_in_the_next_turn_however_much_waits_before_it),
        cmocka_unit_test(many_timers_fire_in_portions),
        cmocka_unit_test(one_letter_is_taken_when_a_turn_may_take_no_more),
        cmocka_unit_test(all_letters_are_taken_before_what_is_to_come_after_them),
        cmocka_unit_test(a_loop_that_has_ended_gives_back_letters_and_takes_none),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("loop", tests, NULL, NULL));
}
