#include "output/unsent.h"

#include "support/allocation.h"
#include "support/random.h"
#include "support/testing.h"

enum {
    OPERATIONS = 6000,
    PUBLICATIONS = 6,
    LONGEST_OWN = 3000,
    LARGEST_SHARED = 20000,
    MOST_WAITING = 300000,
    MODEL_SIZE = MOST_WAITING + LARGEST_SHARED + LONGEST_OWN
};

/* The frame of a publication for a session without compression. */
typedef struct shared_frame {
    jz_publication *publication;
    const uint8_t *bytes;
    size_t length;
} shared_frame;

static shared_frame publish(test_random *random, size_t length)
{
    static uint8_t message[LARGEST_SHARED];
    for (size_t i = 0; i < length; i++)
        message[i] = (uint8_t)test_random_next(random);
    jz_session session = {0};
    shared_frame frame;
    frame.publication = jz_publication_create(JZ_MESSAGE_BINARY, message, length, JZ_COMPRESSION_NEVER);
    assert_non_null(frame.publication);
    frame.bytes = jz_publication_frame_for(frame.publication, &session, &frame.length);
    return frame;
}

/* Output that waits, and beside it the same bytes as one plain string. */
typedef struct fixture {
    jz_unsent unsent;
    uint8_t model[MODEL_SIZE];
    size_t length;
    shared_frame frames[PUBLICATIONS];
    test_random random;
} fixture;

static void append_own(fixture *fixture)
{
    uint8_t bytes[LONGEST_OWN];
    size_t length = test_random_below(&fixture->random, LONGEST_OWN) + 1;
    for (size_t i = 0; i < length; i++)
        bytes[i] = (uint8_t)test_random_next(&fixture->random);
    jz_unsent_compact(&fixture->unsent);
    assert_true(jz_buffer_append(&fixture->unsent.own, bytes, length));
    memcpy(fixture->model + fixture->length, bytes, length);
    fixture->length += length;
}

static void append_shared(fixture *fixture)
{
    const shared_frame *frame = &fixture->frames[test_random_below(&fixture->random, PUBLICATIONS)];
    jz_unsent_compact(&fixture->unsent);
    assert_true(jz_unsent_share(&fixture->unsent, frame->publication, frame->bytes, frame->length));
    memcpy(fixture->model + fixture->length, frame->bytes, frame->length);
    fixture->length += frame->length;
}

/* The pieces begin the string, one after the other; returns their length. */
static size_t check_pieces(const fixture *fixture)
{
    jz_piece pieces[JZ_MOST_PIECES];
    size_t count = jz_unsent_pieces(&fixture->unsent, pieces);
    assert_true(count <= JZ_MOST_PIECES);
    size_t position = 0;
    for (size_t i = 0; i < count; i++) {
        assert_true(pieces[i].length > 0 && pieces[i].length <= fixture->length - position);
        assert_memory_equal(pieces[i].bytes, fixture->model + position, pieces[i].length);
        position += pieces[i].length;
    }
    assert_true(count == JZ_MOST_PIECES || position == fixture->length);
    return position;
}

/* As a socket does: all of it, most often, or only a part. */
static void take(fixture *fixture, size_t offered)
{
    size_t count = test_random_below(&fixture->random, 4) == 0 ? offered : test_random_below(&fixture->random, offered);
    jz_unsent_take(&fixture->unsent, count);
    fixture->length -= count;
    memmove(fixture->model, fixture->model + count, fixture->length);
}

static void what_waits_is_what_a_plain_string_holds(void **state)
{
    (void)state;
    static fixture fixture;
    size_t live = test_live_allocations();
    fixture.random.state = 7;
    static const uint8_t lasting[] = "no publication's: these bytes are there for ever";
    fixture.frames[0] = (shared_frame){NULL, lasting, sizeof lasting};
    for (size_t i = 1; i < PUBLICATIONS; i++)
        fixture.frames[i] = publish(&fixture.random, test_random_below(&fixture.random, LARGEST_SHARED));
    for (size_t i = 0; i < OPERATIONS; i++) {
        size_t choice = test_random_below(&fixture.random, 100);
        if (choice < 40 && fixture.length < MOST_WAITING)
            append_own(&fixture);
        else if (choice < 65 && fixture.length < MOST_WAITING)
            append_shared(&fixture);
        size_t offered = check_pieces(&fixture);
        assert_int_equal(jz_unsent_amount(&fixture.unsent), fixture.length);
        if (choice % 3 == 0 && offered > 0)
            take(&fixture, offered);
        /* Sent bytes do not accumulate. */
        assert_true(fixture.unsent.own.capacity <= 2 * (MOST_WAITING + 2 * 64 * 1024));
    }
    jz_unsent_clear(&fixture.unsent);
    for (size_t i = 1; i < PUBLICATIONS; i++)
        jz_publication_release(fixture.frames[i].publication);
    assert_int_equal(test_live_allocations(), live);
}

/* A receiver that is always a little behind never has nothing that waits, so that nothing is freed on that occasion. */
static void a_receiver_that_is_always_behind_needs_no_more_memory_in_time(void **state)
{
    (void)state;
    size_t live = test_live_allocations();
    test_random random = {3};
    jz_unsent unsent = {0};
    shared_frame frame = publish(&random, 3000);
    static const uint8_t own[1000];
    for (size_t i = 0; i < 20000; i++) {
        jz_unsent_compact(&unsent);
        assert_true(jz_buffer_append(&unsent.own, own, sizeof own));
        assert_true(jz_unsent_share(&unsent, frame.publication, frame.bytes, frame.length));
        if (i >= 3)
            jz_unsent_take(&unsent, sizeof own + frame.length);
        assert_true(unsent.own.capacity <= 256 * 1024);
        assert_true(unsent.shared_capacity <= 32);
    }
    assert_int_equal(jz_unsent_amount(&unsent), 3 * (sizeof own + frame.length));
    jz_unsent_clear(&unsent);
    jz_publication_release(frame.publication);
    assert_int_equal(test_live_allocations(), live);
}

static void a_frame_is_given_back_when_it_is_sent_or_cleared(void **state)
{
    (void)state;
    test_random random = {4};
    jz_unsent unsent = {0};
    size_t live = test_live_allocations();
    shared_frame sent = publish(&random, 100);
    shared_frame cleared = publish(&random, 100);
    assert_true(jz_unsent_share(&unsent, sent.publication, sent.bytes, sent.length));
    assert_true(jz_unsent_share(&unsent, cleared.publication, cleared.bytes, cleared.length));
    jz_publication_release(sent.publication);
    jz_publication_release(cleared.publication);
    assert_int_equal(test_live_allocations(), live + 3); /* two frames, and the list of them */
    jz_unsent_take(&unsent, sent.length - 1);
    assert_int_equal(test_live_allocations(), live + 3);
    jz_unsent_take(&unsent, 1);
    assert_int_equal(test_live_allocations(), live + 2);
    jz_unsent_clear(&unsent);
    assert_int_equal(test_live_allocations(), live);
    assert_int_equal(jz_unsent_amount(&unsent), 0);
}

/* What a handler has begun to send of a received message is its session's while it runs, and then the output's own. */
static void a_received_message_is_given_back_when_it_is_sent_or_cleared(void **state)
{
    (void)state;
    enum { LENGTH = 100, SENT = 30 };
    size_t live = test_live_allocations();
    for (int is_cleared = 0; is_cleared < 2; is_cleared++) {
        jz_unsent unsent = {0};
        jz_buffer message = {0};
        uint8_t bytes[LENGTH];
        memset(bytes, 'x', sizeof bytes);
        assert_true(jz_buffer_append(&message, bytes, LENGTH));
        assert_true(jz_unsent_lend(&unsent, &message, message.bytes + SENT, LENGTH - SENT));
        assert_true(jz_unsent_borrows(&unsent));
        jz_unsent_own_message(&unsent);
        assert_false(jz_unsent_borrows(&unsent));
        assert_true(jz_buffer_append(&unsent.own, "behind", 6));
        assert_int_equal(jz_unsent_amount(&unsent), LENGTH - SENT + 6);
        assert_int_equal(test_live_allocations(), live + 3); /* the list, the message, and what is behind it */
        jz_unsent_take(&unsent, LENGTH - SENT - 1);
        assert_int_equal(test_live_allocations(), live + 3);
        if (!is_cleared) {
            jz_unsent_take(&unsent, 1);
            assert_int_equal(test_live_allocations(), live + 2);
        }
        jz_unsent_clear(&unsent);
        assert_int_equal(test_live_allocations(), live);
    }
}

static void a_borrowed_message_remains_its_sessions(void **state)
{
    (void)state;
    for (int is_cleared = 0; is_cleared < 2; is_cleared++) {
        jz_unsent unsent = {0};
        jz_buffer message = {0};
        assert_true(jz_buffer_append(&message, "message", 7));
        assert_true(jz_unsent_lend(&unsent, &message, message.bytes, 7));
        if (!is_cleared)
            jz_unsent_take(&unsent, 7);
        jz_unsent_clear(&unsent);
        assert_false(jz_unsent_borrows(&unsent));
        assert_memory_equal(message.bytes, "message", 7);
        jz_buffer_free(&message);
    }
}

static void without_memory_nothing_is_shared_and_nothing_lost(void **state)
{
    (void)state;
    test_random random = {5};
    jz_unsent unsent = {0};
    shared_frame frame = publish(&random, 100);
    size_t shared = 0;
    for (size_t i = 0; i < 100; i++) {
        test_allocations_fail_after(0);
        bool is_shared = jz_unsent_share(&unsent, frame.publication, frame.bytes, frame.length);
        bool has_failed = test_allocations_succeed() > 0;
        assert_int_equal(is_shared, !has_failed);
        if (!is_shared)
            assert_true(jz_unsent_share(&unsent, frame.publication, frame.bytes, frame.length));
        shared++;
        assert_int_equal(jz_unsent_amount(&unsent), shared * frame.length);
    }
    jz_unsent_clear(&unsent);
    jz_publication_release(frame.publication);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_waits_is_what_a_plain_string_holds),
        cmocka_unit_test(a_receiver_that_is_always_behind_needs_no_more_memory_in_time),
        cmocka_unit_test(a_frame_is_given_back_when_it_is_sent_or_cleared),
        cmocka_unit_test(a_received_message_is_given_back_when_it_is_sent_or_cleared),
        cmocka_unit_test(a_borrowed_message_remains_its_sessions),
        cmocka_unit_test(without_memory_nothing_is_shared_and_nothing_lost),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("unsent", tests, NULL, NULL));
}
