#define _POSIX_C_SOURCE 200809L

#include "loop/mailbox.h"

#include <pthread.h>
#include <sched.h>

#include "support/testing.h"

enum { PRODUCERS = 4, LETTERS_OF_EACH = 20000 };

typedef struct numbered_letter {
    jz_letter letter; /* first, so that a pointer to the letter points to this */
    size_t producer;
    size_t number;
} numbered_letter;

static size_t number_of(const jz_letter *letter)
{
    return ((const numbered_letter *)letter)->number;
}

static void an_empty_mailbox_gives_nothing(void **state)
{
    (void)state;
    jz_mailbox mailbox = {NULL};
    assert_null(jz_mailbox_take_all(&mailbox).oldest);
    assert_null(jz_mailbox_take_all(&mailbox).oldest);
}

static void letters_are_taken_at_once_and_oldest_first(void **state)
{
    (void)state;
    jz_mailbox mailbox = {NULL};
    numbered_letter letters[5];
    for (size_t i = 0; i < COUNT_OF(letters); i++) {
        letters[i].number = i;
        jz_mailbox_post(&mailbox, &letters[i].letter);
    }
    size_t taken = 0;
    for (const jz_letter *letter = jz_mailbox_take_all(&mailbox).oldest; letter != NULL; letter = letter->next)
        assert_int_equal(number_of(letter), taken++);
    assert_int_equal(taken, COUNT_OF(letters));
    assert_null(jz_mailbox_take_all(&mailbox).oldest);
}

static void only_the_first_letter_in_an_empty_mailbox_wakes(void **state)
{
    (void)state;
    jz_mailbox mailbox = {NULL};
    numbered_letter letters[3];
    for (int round = 0; round < 3; round++) {
        assert_true(jz_mailbox_post(&mailbox, &letters[0].letter));
        assert_false(jz_mailbox_post(&mailbox, &letters[1].letter));
        assert_false(jz_mailbox_post(&mailbox, &letters[2].letter));
        assert_non_null(jz_mailbox_take_all(&mailbox).oldest);
    }
}

static void a_chain_is_posted_as_a_whole_behind_what_is_there_and_wakes_like_one_letter(void **state)
{
    (void)state;
    jz_mailbox mailbox = {NULL};
    numbered_letter letters[6];
    for (size_t i = 0; i < COUNT_OF(letters); i++) {
        letters[i] = (numbered_letter){.number = i};
        if (i % 3 > 0)
            letters[i].letter.next = &letters[i - 1].letter;
    }
    assert_int_equal(jz_mailbox_post_chain(&mailbox, &letters[2].letter, &letters[0].letter), JZ_POSTED_FIRST);
    assert_int_equal(jz_mailbox_post_chain(&mailbox, &letters[5].letter, &letters[3].letter), JZ_POSTED_BEHIND_OTHERS);
    size_t taken = 0;
    for (const jz_letter *letter = jz_mailbox_take_all(&mailbox).oldest; letter != NULL; letter = letter->next)
        assert_int_equal(number_of(letter), taken++);
    assert_int_equal(taken, COUNT_OF(letters));
    jz_mailbox_close(&mailbox);
    assert_int_equal(jz_mailbox_post_chain(&mailbox, &letters[0].letter, &letters[0].letter), JZ_POSTED_NOT);
}

static atomic_size_t finished_producers;

typedef struct producer {
    jz_mailbox *mailbox;
    size_t number;
    size_t wakes;
    numbered_letter letters[LETTERS_OF_EACH];
} producer;

static void *post_letters(void *context)
{
    producer *self = context;
    for (size_t i = 0; i < LETTERS_OF_EACH; i++) {
        self->letters[i] = (numbered_letter){.producer = self->number, .number = i};
        if (jz_mailbox_post(self->mailbox, &self->letters[i].letter))
            self->wakes++;
    }
    finished_producers++;
    return NULL;
}

/* Each producer's letters come in its order, none is lost, and every filling of the mailbox woke exactly once. */
static void letters_of_many_threads_keep_the_order_of_each(void **state)
{
    (void)state;
    static producer producers[PRODUCERS];
    static jz_mailbox mailbox;
    pthread_t threads[PRODUCERS];
    for (size_t i = 0; i < PRODUCERS; i++) {
        producers[i].mailbox = &mailbox;
        producers[i].number = i;
        assert_int_equal(pthread_create(&threads[i], NULL, post_letters, &producers[i]), 0);
    }

    size_t next[PRODUCERS] = {0};
    size_t fillings = 0;
    bool is_all_posted;
    do {
        is_all_posted = finished_producers == PRODUCERS;
        const jz_letter *letter = jz_mailbox_take_all(&mailbox).oldest;
        fillings += letter != NULL ? 1 : 0;
        for (; letter != NULL; letter = letter->next) {
            size_t from = ((const numbered_letter *)letter)->producer;
            assert_int_equal(number_of(letter), next[from]);
            next[from]++;
        }
        sched_yield();
    } while (!is_all_posted);

    size_t wakes = 0;
    for (size_t i = 0; i < PRODUCERS; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(next[i], LETTERS_OF_EACH);
        wakes += producers[i].wakes;
    }
    assert_int_equal(wakes, fillings);
}

static void a_closed_mailbox_takes_no_more(void **state)
{
    (void)state;
    jz_mailbox mailbox = {NULL};
    numbered_letter letters[3];
    for (size_t i = 0; i < 2; i++) {
        letters[i].number = i;
        assert_int_not_equal(jz_mailbox_post(&mailbox, &letters[i].letter), JZ_POSTED_NOT);
    }
    assert_false(jz_mailbox_is_closed(&mailbox));
    size_t taken = 0;
    for (const jz_letter *letter = jz_mailbox_close(&mailbox).oldest; letter != NULL; letter = letter->next)
        assert_int_equal(number_of(letter), taken++);
    assert_int_equal(taken, 2);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(jz_mailbox_post(&mailbox, &letters[2].letter), JZ_POSTED_NOT);
        assert_true(jz_mailbox_is_closed(&mailbox));
        assert_true(jz_mailbox_is_empty(&mailbox));
        assert_null(jz_mailbox_take_all(&mailbox).oldest);
        assert_null(jz_mailbox_close(&mailbox).oldest);
    }
}

enum { RACES = 3000, RACING_LETTERS = 50, RACERS = 2 };

static jz_mailbox raced[RACES];

typedef struct racer {
    size_t refused;
    size_t astray; /* refused, and yet linked to a letter of others */
    numbered_letter letters[RACES][RACING_LETTERS];
} racer;

/* Posts to one mailbox after the other, which are closed meanwhile. */
static void *race(void *context)
{
    racer *self = context;
    for (size_t i = 0; i < RACES; i++) {
        for (size_t k = 0; k < RACING_LETTERS; k++) {
            jz_letter *letter = &self->letters[i][k].letter;
            if (jz_mailbox_post(&raced[i], letter) != JZ_POSTED_NOT)
                continue;
            self->refused++;
            self->astray += letter->next != NULL ? 1 : 0;
        }
    }
    return NULL;
}

/*
 * The closing thread gets every accepted letter; the posting threads keep all others, and nothing else: who frees what
 * was refused follows it to its end.
 */
static void no_letter_is_left_behind_in_a_mailbox_that_is_closed(void **state)
{
    (void)state;
    static racer racers[RACERS];
    pthread_t threads[RACERS];
    size_t taken = 0;
    for (size_t k = 0; k < RACERS; k++)
        assert_int_equal(pthread_create(&threads[k], NULL, race, &racers[k]), 0);
    for (size_t i = 0; i < RACES; i++) {
        while (jz_mailbox_is_empty(&raced[i]))
            sched_yield();
        for (const jz_letter *letter = jz_mailbox_close(&raced[i]).oldest; letter != NULL; letter = letter->next)
            taken++;
    }
    for (size_t k = 0; k < RACERS; k++) {
        pthread_join(threads[k], NULL);
        taken += racers[k].refused;
        assert_int_equal(racers[k].astray, 0);
    }
    assert_int_equal(taken, RACERS * RACES * RACING_LETTERS);
    for (size_t i = 0; i < RACES; i++)
        assert_null(jz_mailbox_close(&raced[i]).oldest);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_mailbox_gives_nothing),
        cmocka_unit_test(letters_are_taken_at_once_and_oldest_first),
        cmocka_unit_test(only_the_first_letter_in_an_empty_mailbox_wakes),
        cmocka_unit_test(a_chain_is_posted_as_a_whole_behind_what_is_there_and_wakes_like_one_letter),
        cmocka_unit_test(letters_of_many_threads_keep_the_order_of_each),
        cmocka_unit_test(a_closed_mailbox_takes_no_more),
        cmocka_unit_test(no_letter_is_left_behind_in_a_mailbox_that_is_closed),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("mailbox", tests, NULL, NULL));
}
