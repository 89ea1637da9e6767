/* Data goes through a channel unchanged, in both directions, whatever its size and however it is cut. */
#include "support/send_calls.h"
#include "support/testing.h"
#include "support/wire.h"

enum { LARGE = 1000 * 1000 };

static jz_tls *tls;
static wire one;
static uint8_t bytes[LARGE];
static size_t sent;

static const wire_plan plans[] = {
    {.version = TLS1_3_VERSION},
    {.version = TLS1_2_VERSION},
    {.version = TLS1_3_VERSION, .suites_1_3 = "TLS_CHACHA20_POLY1305_SHA256"},
    {.version = TLS1_2_VERSION, .suites = "ECDHE-ECDSA-CHACHA20-POLY1305"},
    {.version = TLS1_3_VERSION, .capacity = 4096},
    {.version = TLS1_3_VERSION, .capacity = 34816},
    {.version = TLS1_2_VERSION, .capacity = 512 * 1024},
    {.version = TLS1_2_VERSION, .capacity = 4096},
    {.version = TLS1_2_VERSION, .longest_fragment = TLSEXT_max_fragment_length_512},
};

static int begin(void **state)
{
    (void)state;
    for (size_t i = 0; i < LARGE; i++)
        bytes[i] = (uint8_t)(i * 31 + i / 251);
    tls = wire_tls();
    return 0;
}

static int end(void **state)
{
    (void)state;
    wire_tls_free(tls);
    return 0;
}

static jz_io send_pieces(const jz_piece *pieces, size_t count)
{
    sent = 0;
    return jz_tls_transport()->send(one.channel, pieces, count, false, &sent);
}

static void what_a_client_sends_is_received(void **state)
{
    static const size_t lengths[] = {1, 20, 4095, 4096, 16383, 16384, 16385, 70000, LARGE};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(plans); i++) {
        wire_open_and_shake_hands(&one, tls, &plans[i]);
        for (size_t k = 0; k < COUNT_OF(lengths); k++) {
            one.received = 0;
            wire_client_send(&one, bytes, lengths[k]);
            wire_serve(&one, JZ_READABLE);
            assert_int_equal(one.received, lengths[k]);
            assert_memory_equal(one.at_server, bytes, lengths[k]);
        }
        wire_close(&one);
    }
}

/* Sends as a server does: what was not accepted comes again, from elsewhere. */
static void send_all(size_t length)
{
    static uint8_t elsewhere[2][LARGE];
    size_t done = 0;
    for (int turn = 0; done < length; turn++) {
        uint8_t *place = elsewhere[turn % 2];
        memcpy(place, bytes + done, length - done);
        jz_io result = send_pieces(&(jz_piece){place, length - done}, 1);
        assert_true(result == JZ_IO_OK || result == JZ_IO_WOULD_BLOCK);
        memset(place, 0xEE, length - done);
        done += sent;
        wire_client_receive(&one);
    }
}

static void what_is_sent_arrives_at_the_client(void **state)
{
    static const size_t lengths[] = {1, 22, 16384, 16385, 16384 * 8, 16384 * 8 + 1, LARGE};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(plans); i++) {
        wire_open_and_shake_hands(&one, tls, &plans[i]);
        for (size_t k = 0; k < COUNT_OF(lengths); k++) {
            one.seen = 0;
            send_all(lengths[k]);
            wire_serve(&one, JZ_READABLE);
            wire_client_receive(&one);
            assert_int_equal(one.seen, lengths[k]);
            assert_memory_equal(one.at_client, bytes, lengths[k]);
        }
        wire_close(&one);
    }
}

/* How many records arrive by one call, and how many system calls it makes. */
static void small_pieces_become_one_record_and_one_system_call(void **state)
{
    static const struct {
        jz_piece pieces[4];
        size_t count;
        size_t records;
    } cases[] = {
        {{{bytes, 2}, {bytes + 2, 20}}, 2, 1},
        {{{bytes, 4}, {bytes + 4, 16380}}, 2, 1},
        {{{bytes, 4}, {bytes + 4, 16381}}, 2, 2},
        {{{bytes, 1}, {bytes + 1, 1}, {bytes + 2, 1}, {bytes + 3, 100000}}, 4, 7},
        {{{bytes, 16384}, {bytes + 16384, 16384}}, 2, 2},
        {{{bytes, 16384 * 8}}, 1, 8},
    };
    (void)state;
    wire_open_and_shake_hands(&one, tls, NULL);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        size_t length = 0;
        for (size_t k = 0; k < cases[i].count; k++)
            length += cases[i].pieces[k].length;
        size_t calls = test_send_count();
        one.seen = 0;
        assert_int_equal(send_pieces(cases[i].pieces, cases[i].count), JZ_IO_OK);
        assert_int_equal(test_send_count() - calls, 1);
        assert_int_equal(sent, length);
        size_t before = BIO_number_read(SSL_get_rbio(one.client));
        wire_client_receive(&one);
        assert_int_equal(one.seen, length);
        assert_memory_equal(one.at_client, bytes, length);
        assert_int_equal(BIO_number_read(SSL_get_rbio(one.client)) - before, length + cases[i].records * 22);
    }
    wire_close(&one);
}

static void many_records_are_received_by_one_call(void **state)
{
    (void)state;
    wire_open_and_shake_hands(&one, tls, NULL);
    for (int i = 0; i < 1000; i++) {
        size_t written;
        assert_int_equal(SSL_write_ex(one.client, bytes + i * 20, 20, &written), 1);
    }
    wire_pass_on(&one);
    wire_serve(&one, JZ_READABLE);
    assert_int_equal(one.received, 20000);
    assert_memory_equal(one.at_server, bytes, 20000);
    assert_int_equal(one.receipts, 1);
    wire_close(&one);
}

/* As after a pause: the server does not want to read, and OpenSSL has what follows. */
static void what_is_inside_is_received_when_reading_resumes(void **state)
{
    (void)state;
    wire_open_and_shake_hands(&one, tls, &(wire_plan){.capacity = 4096});
    wire_client_send(&one, bytes, 16384);
    size_t received = 0;
    bool has_more = false;
    jz_tls_transport()->ready(one.channel, JZ_READABLE);
    assert_int_equal(jz_tls_transport()->receive(one.channel, one.at_server, 4096, &received, &has_more), JZ_IO_OK);
    assert_int_equal(received, 4096);
    assert_true(has_more);
    assert_int_equal(jz_tls_transport()->interest(one.channel, 0), 0);
    one.received = received;
    one.has_more = true;
    wire_serve(&one, 0);
    assert_int_equal(one.received, 4096);
    wire_serve(&one, JZ_READABLE);
    assert_int_equal(one.received, 16384);
    assert_memory_equal(one.at_server, bytes, 16384);
    wire_close(&one);
}

/* The poll has told of what comes next while there was still something inside, for which the socket is not read. */
static void what_comes_behind_something_inside_is_not_forgotten(void **state)
{
    const jz_transport *transport = jz_tls_transport();
    size_t received = 0;
    bool has_more = false;
    (void)state;
    wire_open_and_shake_hands(&one, tls, &(wire_plan){.capacity = 4096});
    wire_client_send(&one, bytes, 16384);
    transport->ready(one.channel, JZ_READABLE);
    assert_int_equal(transport->receive(one.channel, one.at_server, 4096, &received, &has_more), JZ_IO_OK);
    assert_int_equal(transport->interest(one.channel, JZ_READABLE), JZ_READABLE | JZ_ONCE);
    wire_client_send(&one, "behind", 6);
    transport->ready(one.channel, JZ_READABLE);
    assert_int_equal(transport->interest(one.channel, JZ_READABLE), JZ_READABLE);
    one.received = received;
    has_more = false;
    assert_int_equal(transport->receive(one.channel, one.at_server + 4096, 4096, &received, &has_more), JZ_IO_OK);
    assert_int_equal(transport->interest(one.channel, JZ_READABLE), JZ_READABLE);
    one.received += received;
    one.has_more = has_more;
    wire_serve(&one, JZ_READABLE);
    assert_int_equal(one.received, 16384 + 6);
    assert_memory_equal(one.at_server, bytes, 16384);
    assert_memory_equal(one.at_server + 16384, "behind", 6);
    assert_int_equal(transport->interest(one.channel, JZ_READABLE), JZ_READABLE | JZ_ONCE);
    wire_close(&one);
}

static void records_may_arrive_in_any_portions(void **state)
{
    static const size_t portions[] = {1, 4, 5, 6, 100, 5000};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(portions); i++) {
        wire_open_and_shake_hands(&one, tls, NULL);
        size_t written;
        SSL_write_ex(one.client, bytes, 100, &written);
        SSL_write_ex(one.client, bytes + 100, 1, &written);
        SSL_write_ex(one.client, bytes + 101, 16384, &written);
        size_t length = wire_take(&one);
        for (size_t at = 0; at < length; at += portions[i]) {
            wire_put(&one, one.taken + at, length - at < portions[i] ? length - at : portions[i]);
            wire_serve(&one, JZ_READABLE);
        }
        assert_int_equal(one.received, 16485);
        assert_memory_equal(one.at_server, bytes, 16485);
        wire_close(&one);
    }
}

static void data_behind_the_handshake_is_received_at_once(void **state)
{
    (void)state;
    for (size_t length = 1; length <= 50000; length += 4999) {
        wire_open(&one, tls, &(wire_plan){.version = TLS1_3_VERSION});
        while (wire_client_step(&one), !SSL_is_init_finished(one.client)) {
            wire_pass_on(&one);
            wire_serve(&one, JZ_READABLE);
        }
        size_t written;
        assert_int_equal(SSL_write_ex(one.client, bytes, length, &written), 1);
        wire_pass_on(&one); /* with the client's last message of the handshake */
        wire_serve(&one, JZ_READABLE);
        assert_int_equal(one.received, length);
        assert_memory_equal(one.at_server, bytes, length);
        wire_close(&one);
    }
}

static void the_ends_are_told_both_ways(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(plans); i++) {
        wire_open_and_shake_hands(&one, tls, &plans[i]);
        wire_client_send(&one, bytes, 100);
        SSL_shutdown(one.client);
        wire_pass_on(&one);
        wire_serve(&one, JZ_READABLE);
        assert_int_equal(one.received, 100);
        assert_int_equal(one.last, JZ_IO_ENDED);
        sent = 0;
        assert_int_equal(jz_tls_transport()->send(one.channel, &(jz_piece){bytes, 50}, 1, true, &sent), JZ_IO_OK);
        assert_int_equal(sent, 50);
        wire_client_receive(&one);
        assert_int_equal(one.seen, 50);
        assert_true(one.client_is_told);
        wire_close(&one);
    }
}

static void a_cut_without_an_end_is_no_end(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(plans); i++) {
        wire_open_and_shake_hands(&one, tls, &plans[i]);
        wire_client_send(&one, bytes, 100);
        wire_stop_sending(&one);
        wire_serve(&one, JZ_READABLE);
        assert_int_equal(one.received, 100);
        assert_int_equal(one.last, JZ_IO_BROKEN);
        assert_string_equal(wire_failure(&one), "cut without close_notify");
        wire_close(&one);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_client_sends_is_received),
        cmocka_unit_test(what_is_sent_arrives_at_the_client),
        cmocka_unit_test(small_pieces_become_one_record_and_one_system_call),
        cmocka_unit_test(many_records_are_received_by_one_call),
        cmocka_unit_test(what_is_inside_is_received_when_reading_resumes),
        cmocka_unit_test(what_comes_behind_something_inside_is_not_forgotten),
        cmocka_unit_test(records_may_arrive_in_any_portions),
        cmocka_unit_test(data_behind_the_handshake_is_received_at_once),
        cmocka_unit_test(the_ends_are_told_both_ways),
        cmocka_unit_test(a_cut_without_an_end_is_no_end),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests(tests, begin, end));
}
