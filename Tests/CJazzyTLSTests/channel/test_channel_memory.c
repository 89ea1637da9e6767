/* How much memory channels take, and what happens where there is none. */
#include <pthread.h>

#include "support/allocation.h"
#include "support/openssl_memory.h"
#include "support/testing.h"
#include "support/wire.h"

enum { MESSAGES = 4, IDLE = 15000, MOST_ALLOCATIONS = 3000 };

static jz_tls *tls;
static wire one;
static uint8_t bytes[400 * 1000];

static size_t live(void)
{
    return openssl_memory_live() + test_live_bytes();
}

static void begin(void)
{
    tls = wire_tls();
    /* What OpenSSL, and the loop, allocate once. */
    wire_open_and_shake_hands(&one, tls, NULL);
    wire_close(&one);
}

static void finish(void)
{
    wire_tls_free(tls);
}

static void echo(wire *wire, size_t length)
{
    size_t sent = 0;
    wire_client_send(wire, bytes, length);
    wire_serve(wire, JZ_READABLE);
    assert_int_equal(jz_tls_transport()->send(wire->channel, &(jz_piece){bytes, length}, 1, false, &sent), JZ_IO_OK);
    assert_int_equal(sent, length);
    wire_client_receive(wire);
}

static void a_message_takes_no_memory_of_ours(void **state)
{
    (void)state;
    begin();
    wire_open_and_shake_hands(&one, tls, NULL);
    size_t before = test_allocation_count();
    for (int i = 0; i < 20; i++)
        echo(&one, 16000);
    assert_int_equal(test_allocation_count(), before);
    wire_close(&one);
    finish();
}

/* Bytes that the channel of an open wire takes: what is freed with it. */
static size_t size_of_channel(wire *wire)
{
    size_t before = live();
    jz_tls_transport()->close(wire->channel);
    size_t size = before - live();
    wire->channel = jz_tls_transport()->open(tls, wire->server, NULL, 0); /* which wire_close closes */
    return size;
}

static void an_idle_channel_owns_no_buffers(void **state)
{
    static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
    (void)state;
    begin();
    for (size_t i = 0; i < COUNT_OF(versions); i++) {
        wire_open_and_shake_hands(&one, tls, &(wire_plan){.version = versions[i]});
        for (int k = 0; k < 10; k++)
            echo(&one, 5000);
        size_t size = size_of_channel(&one);
        assert_that(size < IDLE, "%zu bytes", size);
        wire_close(&one);
    }
    finish();
}

static void who_only_connects_takes_almost_nothing(void **state)
{
    (void)state;
    begin();
    wire_open(&one, tls, NULL);
    wire_serve(&one, JZ_READABLE);
    assert_true(size_of_channel(&one) < 512);
    wire_close(&one);
    finish();
}

/* A whole life, up to where it ends for want of memory. */
static void live_through(void)
{
    size_t sent = 0;
    wire_shake_hands(&one);
    for (int i = 0; i < MESSAGES && !one.is_lost; i++) {
        wire_client_send(&one, bytes, 20000);
        wire_serve(&one, JZ_READABLE);
    }
    assert_true(one.is_lost || one.received == MESSAGES * 20000);
    /* More than the kernel takes, and the end. */
    for (size_t done = 0; done < sizeof bytes && !one.is_lost; done += sent) {
        wire_send(&one, bytes + done, sizeof bytes - done, true, &sent);
        wire_client_receive(&one);
    }
}

/* Ours, and OpenSSL's: one, or one and all after it. */
typedef enum failing { FAILS_OURS, FAILS_ONE_OF_OPENSSL, FAILS_ALL_OF_OPENSSL, FAILING_KINDS } failing;

/* Returns whether an allocation failed. */
static bool live_without(failing failing, size_t number)
{
    openssl_memory_fail_at(failing == FAILS_OURS ? SIZE_MAX : number, failing == FAILS_ALL_OF_OPENSSL);
    one.watches_allocations = failing != FAILS_OURS;
    if (failing == FAILS_OURS)
        test_allocation_fails_once_after(number);
    live_through();
    size_t failures = test_allocations_succeed();
    return failing == FAILS_OURS ? failures > 0 : openssl_memory_count() > number;
}

static void without_memory_a_channel_is_lost_and_nothing_leaks(void **state)
{
    (void)state;
    begin();
    for (failing failing = 0; failing < FAILING_KINDS; failing++) {
        size_t lost = 0;
        bool has_failed = true;
        for (size_t number = 0; has_failed; number++) {
            assert_true(number < MOST_ALLOCATIONS);
            size_t before = test_live_allocations();
            wire_open(&one, tls, &(wire_plan){.send_buffer = 4096});
            has_failed = live_without(failing, number);
            lost += one.is_lost;
            wire_close(&one);
            assert_int_equal(test_live_allocations(), before);
        }
        assert_true(lost > 0);
    }
    finish();
}

static void without_memory_no_channel_is_opened(void **state)
{
    (void)state;
    begin();
    wire_open(&one, tls, NULL);
    for (size_t i = 0; i < 2; i++) {
        test_allocations_fail_after(i);
        void *channel = jz_tls_transport()->open(tls, one.server, (const uint8_t *)"early", 5);
        test_allocations_succeed();
        assert_null(channel);
    }
    wire_close(&one);
    finish();
}

/* On a thread that has had no channel yet. `opaque`: which allocation fails; what is left of it when none has. */
static void *open_on_a_new_loop(void *opaque)
{
    size_t *number = opaque;
    openssl_memory_fail_at(*number, false);
    openssl_memory_watch(true);
    void *channel = jz_tls_transport()->open(tls, one.server, NULL, 0);
    openssl_memory_watch(false);
    size_t failures = test_allocations_succeed() + (openssl_memory_count() > *number ? 1 : 0);
    if (channel != NULL)
        jz_tls_transport()->close(channel);
    *number = failures;
    return channel;
}

static void without_memory_no_loop_begins(void **state)
{
    (void)state;
    begin();
    wire_open(&one, tls, NULL);
    for (int is_ours = 0; is_ours < 2; is_ours++) {
        size_t failures = 1;
        for (size_t number = 0; failures > 0; number++) {
            assert_true(number < MOST_ALLOCATIONS);
            size_t before = test_live_allocations();
            pthread_t thread;
            void *channel;
            failures = is_ours ? SIZE_MAX : number;
            test_allocation_fails_once_after(is_ours ? number : SIZE_MAX);
            assert_int_equal(pthread_create(&thread, NULL, open_on_a_new_loop, &failures), 0);
            assert_int_equal(pthread_join(thread, &channel), 0);
            assert_true(channel != NULL || failures > 0); /* OpenSSL can do without some of its own */
            assert_int_equal(test_live_allocations(), before);
        }
    }
    wire_close(&one);
    finish();
}

static void *use_a_loop(void *unused)
{
    wire_open_and_shake_hands(&one, tls, NULL);
    echo(&one, 1000);
    wire_close(&one);
    return unused;
}

static void what_a_loop_has_ends_with_its_thread(void **state)
{
    (void)state;
    begin();
    pthread_t thread;
    size_t before = test_live_allocations();
    for (int i = 0; i < 3; i++) {
        assert_int_equal(pthread_create(&thread, NULL, use_a_loop, NULL), 0);
        assert_int_equal(pthread_join(thread, NULL), 0);
        assert_int_equal(test_live_allocations(), before);
    }
    finish();
}

int main(void)
{
    openssl_memory_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_takes_no_memory_of_ours),
        cmocka_unit_test(an_idle_channel_owns_no_buffers),
        cmocka_unit_test(who_only_connects_takes_almost_nothing),
        cmocka_unit_test(without_memory_a_channel_is_lost_and_nothing_leaks),
        cmocka_unit_test(without_memory_no_channel_is_opened),
        cmocka_unit_test(without_memory_no_loop_begins),
        cmocka_unit_test(what_a_loop_has_ends_with_its_thread),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests(tests, NULL, NULL));
}
