#include "pubsub/membership.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "support/allocation.h"
#include "support/eventually.h"
#include "support/testing.h"

static const jz_text topic = {"news", 4};

/* A broker that counts, and whose publishing can be held up. */
typedef struct counter {
    jz_status start_status;
    const char *start_message;
    jz_send_status publish_status;
    atomic_bool holds;
    atomic_size_t under_way;
    atomic_size_t starts;
    atomic_size_t stops;
    atomic_size_t topics;
    atomic_size_t publications;
} counter;

static jz_status start(void *context, jz_server *server, jz_error *error)
{
    counter *counter = context;
    (void)server;
    if (counter->start_status != JZ_OK)
        snprintf(error->message, sizeof error->message, "%s", counter->start_message);
    counter->starts += counter->start_status == JZ_OK ? 1 : 0;
    return counter->start_status;
}

static void stop(void *context)
{
    ((counter *)context)->stops++;
}

static void subscribe(void *context, const char *name, size_t length)
{
    (void)name;
    (void)length;
    ((counter *)context)->topics++;
}

static void unsubscribe(void *context, const char *name, size_t length)
{
    (void)name;
    (void)length;
    ((counter *)context)->topics--;
}

static jz_send_status publish(void *context, const char *name, size_t name_length, jz_message_kind kind,
                              const void *bytes, size_t length)
{
    counter *counter = context;
    (void)name;
    (void)name_length;
    (void)kind;
    (void)bytes;
    (void)length;
    counter->publications++;
    counter->under_way++;
    test_hold_while(counter->holds);
    counter->under_way--;
    return counter->publish_status;
}

static jz_membership *create(counter *counter)
{
    const jz_broker broker = {.context = counter,
                              .start = start,
                              .stop = stop,
                              .subscribe = subscribe,
                              .unsubscribe = unsubscribe,
                              .publish = publish};
    jz_membership *membership = jz_membership_create(&broker);
    assert_non_null(membership);
    return membership;
}

static jz_send_status publish_one(jz_membership *membership)
{
    return jz_membership_publish(membership, true, (jz_ws){0}, topic, JZ_MESSAGE_TEXT, "x", 1);
}

static bool come(jz_membership *membership)
{
    return membership->owner.came(membership->owner.context, topic);
}

static void go(jz_membership *membership)
{
    membership->owner.went(membership->owner.context, topic);
}

static void a_broker_is_told_between_its_start_and_its_stop(void **state)
{
    (void)state;
    size_t live = test_live_allocations();
    counter counter = {0};
    jz_membership *membership = create(&counter);
    jz_error error = {0};
    jz_membership_stop(membership); /* it was not started */
    assert_int_equal(publish_one(membership), JZ_SEND_CLOSED);
    assert_int_equal(jz_membership_start(membership, NULL, &error), JZ_OK);
    assert_int_equal(publish_one(membership), JZ_SEND_SENT);
    assert_true(come(membership));
    assert_true(come(membership)); /* another shard */
    assert_int_equal(counter.topics, 1);
    jz_membership_stop(membership);
    jz_membership_stop(membership);
    assert_int_equal(counter.stops, 1);
    assert_int_equal(publish_one(membership), JZ_SEND_CLOSED);
    assert_int_equal(counter.publications, 1);
    size_t told = 0;
    assert_false(jz_membership_set_joined(membership, false, &told));
    go(membership);
    go(membership); /* remaining connections when the shards are destroyed */
    assert_int_equal(counter.topics, 1);
    jz_membership_destroy(membership);
    assert_int_equal(test_live_allocations(), live);
}

static void *publish_in_a_thread(void *membership)
{
    publish_one(membership);
    return NULL;
}

static void *stop_in_a_thread(void *membership)
{
    jz_membership_stop(membership);
    return NULL;
}

static void a_broker_is_not_stopped_while_it_is_given_something(void **state)
{
    (void)state;
    counter counter = {.holds = true};
    jz_membership *membership = create(&counter);
    assert_int_equal(jz_membership_start(membership, NULL, NULL), JZ_OK);
    pthread_t publisher;
    pthread_t stopper;
    assert_int_equal(pthread_create(&publisher, NULL, publish_in_a_thread, membership), 0);
    assert_eventually(counter.under_way == 1);
    assert_int_equal(pthread_create(&stopper, NULL, stop_in_a_thread, membership), 0);
    assert_eventually(membership->state == JZ_MEMBERSHIP_OVER);
    for (int i = 0; i < 20; i++) { /* it has every opportunity */
        assert_int_equal(publish_one(membership), JZ_SEND_CLOSED);
        test_pause_before(test_deadline());
        assert_int_equal(counter.stops, 0);
    }
    counter.holds = false;
    pthread_join(stopper, NULL);
    assert_int_equal(counter.under_way, 0);
    pthread_join(publisher, NULL);
    assert_int_equal(counter.publications, 1);
    assert_int_equal(counter.stops, 1);
    jz_membership_destroy(membership);
}

static void a_start_that_fails_may_be_tried_again(void **state)
{
    (void)state;
    counter counter = {.start_status = JZ_STATUS_SYSTEM, .start_message = "nobody answers"};
    jz_membership *membership = create(&counter);
    jz_error error = {0};
    assert_int_equal(jz_membership_start(membership, NULL, &error), JZ_STATUS_SYSTEM);
    assert_string_equal(error.message, "nobody answers");
    assert_int_equal(error.status, JZ_STATUS_SYSTEM);
    counter.start_message = "";
    assert_int_equal(jz_membership_start(membership, NULL, NULL), JZ_STATUS_SYSTEM);
    assert_int_equal(jz_membership_start(membership, NULL, &error), JZ_STATUS_SYSTEM);
    assert_string_equal(error.message, "the broker could not be started, and does not say why");
    assert_int_equal(jz_membership_statistics(membership).joined, 0);
    counter.start_status = JZ_OK;
    assert_int_equal(jz_membership_start(membership, NULL, &error), JZ_OK);
    assert_int_equal(jz_membership_statistics(membership).joined, 1);
    jz_membership_stop(membership);
    assert_int_equal(counter.starts, 1);
    jz_membership_destroy(membership);
}

/* Without a NUL, as strncpy leaves what does not fit. */
static jz_status fail_at_length(void *context, jz_server *server, jz_error *error)
{
    (void)context;
    (void)server;
    memset(error->message, 'm', sizeof error->message);
    return JZ_STATUS_SYSTEM;
}

static void of_a_sentence_that_does_not_end_as_much_is_told_as_fits(void **state)
{
    (void)state;
    counter counter = {0};
    jz_membership *membership = create(&counter);
    membership->broker.start = fail_at_length;
    jz_error error = {0};
    assert_int_equal(jz_membership_start(membership, NULL, &error), JZ_STATUS_SYSTEM);
    assert_int_equal(strlen(error.message), sizeof error.message - 1);
    jz_membership_destroy(membership);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_broker_is_told_between_its_start_and_its_stop),
        cmocka_unit_test(a_broker_is_not_stopped_while_it_is_given_something),
        cmocka_unit_test(a_start_that_fails_may_be_tried_again),
        cmocka_unit_test(of_a_sentence_that_does_not_end_as_much_is_told_as_fits),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("membership", tests, NULL, NULL));
}
