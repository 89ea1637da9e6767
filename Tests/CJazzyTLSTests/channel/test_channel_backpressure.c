/* Bytes count as accepted when the kernel has all of their record, whatever it takes at a time; nothing gets lost. */
#include "support/random.h"
#include "support/testing.h"
#include "support/wire.h"

enum { LENGTH = 600 * 1000, SMALL_BUFFER = 4096, MOST_PIECES = 5, MOST_AHEAD = 400 * 1000 };

static jz_tls *tls;
static wire one;
static uint8_t bytes[LENGTH];
static uint8_t elsewhere[2][LENGTH];
static test_random numbers;

static int begin(void **state)
{
    (void)state;
    for (size_t i = 0; i < LENGTH; i++)
        bytes[i] = (uint8_t)(i * 37 + i / 253);
    tls = wire_tls();
    return 0;
}

static int end(void **state)
{
    (void)state;
    wire_tls_free(tls);
    return 0;
}

/* The rest, from another address, cut into other pieces. Returns their number. */
static size_t pieces_of(size_t done, size_t offered, int turn, jz_piece *pieces)
{
    size_t count = 0;
    uint8_t *place = elsewhere[turn % 2];
    memset(elsewhere[(turn + 1) % 2], 0xEE, LENGTH);
    memcpy(place, bytes + done, offered);
    for (size_t at = 0; at < offered; count++) {
        size_t length = count + 1 < MOST_PIECES ? 1 + test_random_below(&numbers, offered - at) : offered - at;
        pieces[count] = (jz_piece){place + at, length};
        at += length;
    }
    return count;
}

/* One call, and what became of it. Adds to `done`. */
static jz_io send_some(size_t *done, size_t offered, int turn, bool is_last)
{
    jz_piece pieces[MOST_PIECES];
    size_t sent = 0;
    size_t count = pieces_of(*done, offered, turn, pieces);
    jz_io result = jz_tls_transport()->send(one.channel, pieces, count, is_last, &sent);
    assert_true(result == JZ_IO_OK || result == JZ_IO_WOULD_BLOCK);
    assert_true(sent <= offered && (result != JZ_IO_OK || sent == offered));
    *done += sent;
    return result;
}

static void expect_seen_up_to(size_t length)
{
    assert_true(one.seen <= length);
    assert_memory_equal(one.at_client, bytes, one.seen);
}

static void a_slow_reader_receives_everything_in_order(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 40; seed++) {
        numbers.state = seed;
        wire_open_and_shake_hands(&one, tls, &(wire_plan){.send_buffer = SMALL_BUFFER});
        size_t done = 0;
        size_t offered = 0;
        for (int turn = 0; done < LENGTH; turn++) {
            /* No fewer than before. */
            size_t more = test_random_below(&numbers, LENGTH - done - offered + 1);
            offered += more < 100000 ? more : 100000;
            size_t before = done;
            if (offered > 0)
                send_some(&done, offered, turn, false);
            offered -= done - before;
            if (test_random_below(&numbers, 2) == 0)
                wire_client_receive(&one);
            wire_serve(&one, JZ_READABLE);
            expect_seen_up_to(LENGTH);
        }
        wire_client_receive(&one);
        expect_seen_up_to(LENGTH);
        assert_int_equal(one.seen, LENGTH);
        wire_close(&one);
    }
}

/* Each alone in a call, as a server sends answers. */
static void small_messages_to_a_slow_reader_arrive_in_order(void **state)
{
    (void)state;
    for (size_t length = 1; length <= 2000; length += 333) {
        wire_open_and_shake_hands(&one, tls, &(wire_plan){.send_buffer = SMALL_BUFFER});
        size_t blocked = 0;
        for (size_t done = 0; done < 200 * length;) {
            size_t sent;
            memcpy(elsewhere[blocked % 2], bytes + done, length);
            jz_io result = wire_send(&one, elsewhere[blocked % 2], length, false, &sent);
            done += sent;
            if (result == JZ_IO_OK)
                continue;
            assert_int_equal(result, JZ_IO_WOULD_BLOCK);
            assert_int_equal(sent, 0);
            memset(elsewhere[blocked++ % 2], 0xEE, length);
            wire_client_receive(&one);
        }
        wire_client_receive(&one);
        assert_true(blocked > 0);
        assert_int_equal(one.seen, 200 * length);
        expect_seen_up_to(200 * length);
        wire_close(&one);
    }
}

static void what_is_accepted_has_left(void **state)
{
    (void)state;
    wire_open_and_shake_hands(&one, tls, &(wire_plan){.send_buffer = SMALL_BUFFER});
    size_t done = 0;
    while (send_some(&done, LENGTH - done, 0, false) == JZ_IO_OK)
        continue;
    assert_true(done < MOST_AHEAD);
    wire_client_receive(&one);
    assert_true(one.seen >= done);
    wire_close(&one);
}

static void while_output_waits_its_socket_is_watched(void **state)
{
    (void)state;
    wire_open_and_shake_hands(&one, tls, &(wire_plan){.send_buffer = SMALL_BUFFER});
    const jz_transport *transport = jz_tls_transport();
    assert_int_equal(transport->interest(one.channel, JZ_READABLE), JZ_READABLE | JZ_ONCE);
    assert_int_equal(transport->interest(one.channel, 0), 0);
    size_t done = 0;
    assert_int_equal(send_some(&done, LENGTH, 0, false), JZ_IO_WOULD_BLOCK);
    assert_int_equal(transport->interest(one.channel, 0), JZ_WRITABLE);
    assert_int_equal(transport->ready(one.channel, JZ_WRITABLE), 0);
    while (wire_client_receive(&one), transport->ready(one.channel, JZ_WRITABLE) == 0)
        continue;
    size_t before = done;
    send_some(&done, LENGTH - done, 1, false);
    assert_true(done > before);
    wire_close(&one);
}

/* What a client sends is read though it reads nothing itself: it may be about to. */
static void reading_goes_on_while_output_waits(void **state)
{
    (void)state;
    wire_open_and_shake_hands(&one, tls, &(wire_plan){.send_buffer = SMALL_BUFFER});
    size_t done = 0;
    assert_int_equal(send_some(&done, LENGTH, 0, false), JZ_IO_WOULD_BLOCK);
    wire_client_send(&one, bytes, LENGTH);
    wire_serve(&one, JZ_READABLE);
    assert_int_equal(one.received, LENGTH);
    wire_close(&one);
}

static void the_end_comes_behind_all_output(void **state)
{
    static const size_t lengths[] = {0, 1, 5000, 20000, LENGTH};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(lengths); i++) {
        wire_open_and_shake_hands(&one, tls, &(wire_plan){.send_buffer = SMALL_BUFFER});
        size_t done = 0;
        for (int turn = 0; send_some(&done, lengths[i] - done, turn, true) != JZ_IO_OK; turn++) {
            wire_client_receive(&one);
            assert_true(!one.client_is_told || done == lengths[i]);
        }
        wire_client_receive(&one);
        assert_int_equal(one.seen, lengths[i]);
        assert_memory_equal(one.at_client, bytes, one.seen);
        assert_true(one.client_is_told);
        wire_close(&one);
    }
}

/* SIGPIPE would end this test. */
static void a_peer_that_has_gone_breaks_the_channel(void **state)
{
    (void)state;
    wire_open_and_shake_hands(&one, tls, NULL);
    wire_hang_up(&one);
    size_t sent = 0;
    jz_io result = JZ_IO_OK;
    for (int i = 0; i < 3 && result == JZ_IO_OK; i++)
        result = jz_tls_transport()->send(one.channel, &(jz_piece){bytes, 100}, 1, false, &sent);
    assert_int_equal(result, JZ_IO_BROKEN);
    assert_string_equal(wire_failure(&one), "");
    wire_close(&one);
}

/* The client closes its socket without having read: its kernel resets the connection. */
static void a_reset_has_no_cause_for_the_log(void **state)
{
    size_t sent;
    (void)state;
    wire_open_and_shake_hands(&one, tls, NULL);
    wire_send(&one, bytes, 100, false, &sent);
    wire_hang_up(&one);
    wire_serve(&one, JZ_READABLE);
    assert_int_equal(one.last, JZ_IO_BROKEN);
    assert_string_equal(wire_failure(&one), "");
    wire_close(&one);
}

static void output_that_waits_for_a_peer_that_has_gone_is_lost(void **state)
{
    size_t sent;
    (void)state;
    wire_open_and_shake_hands(&one, tls, &(wire_plan){.send_buffer = SMALL_BUFFER});
    assert_int_equal(wire_send(&one, bytes, LENGTH, false, &sent), JZ_IO_WOULD_BLOCK);
    wire_hang_up(&one);
    assert_int_equal(jz_tls_transport()->ready(one.channel, JZ_WRITABLE), JZ_LOST);
    assert_string_equal(wire_failure(&one), "");
    wire_close(&one);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_slow_reader_receives_everything_in_order),
        cmocka_unit_test(small_messages_to_a_slow_reader_arrive_in_order),
        cmocka_unit_test(what_is_accepted_has_left),
        cmocka_unit_test(while_output_waits_its_socket_is_watched),
        cmocka_unit_test(reading_goes_on_while_output_waits),
        cmocka_unit_test(the_end_comes_behind_all_output),
        cmocka_unit_test(a_peer_that_has_gone_breaks_the_channel),
        cmocka_unit_test(a_reset_has_no_cause_for_the_log),
        cmocka_unit_test(output_that_waits_for_a_peer_that_has_gone_is_lost),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests(tests, begin, end));
}
