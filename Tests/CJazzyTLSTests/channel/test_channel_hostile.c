/* What no library sends: empty, oversized and ill-formed records, alerts, and floods of what is not data. */
#include "support/forger.h"
#include "support/send_calls.h"
#include "support/testing.h"
#include "support/wire.h"

enum { FLOOD = 5000, MOST_RECORD = 17 * 1024 };

static jz_tls *tls;
static wire one;
static forger forger_of_one;
static uint8_t records[4 << 20];
static uint8_t data[MOST_RECORD];

static int begin(void **state)
{
    (void)state;
    memset(data, 'x', sizeof data);
    tls = wire_tls();
    return 0;
}

static int end(void **state)
{
    (void)state;
    wire_tls_free(tls);
    return 0;
}

static void open_with(const wire_plan *plan)
{
    wire_open_and_shake_hands(&one, tls, plan);
    forger_begin(&forger_of_one, one.secret);
}

static void put(uint8_t type, const void *bytes, size_t length, size_t padding)
{
    size_t record = forger_seal(&forger_of_one, type, bytes, length, padding, records);
    wire_put(&one, records, record);
    wire_serve(&one, JZ_READABLE);
}

static void expect_broken(const char *why)
{
    assert_int_equal(one.last, JZ_IO_BROKEN);
    assert_string_equal(wire_failure(&one), why);
}

static void padding_and_some_empty_records_do_not_matter(void **state)
{
    (void)state;
    open_with(NULL);
    for (size_t i = 0; i < 20; i++)
        put(RECORD_DATA, NULL, 0, i);
    put(RECORD_DATA, "hello", 5, 1000);
    assert_int_equal(one.received, 5);
    for (size_t i = 0; i < 20; i++)
        put(RECORD_DATA, NULL, 0, 16384 - i);
    put(RECORD_DATA, data, 16384, 0);
    assert_int_equal(one.received, 5 + 16384);
    assert_false(one.is_lost);
    wire_close(&one);
}

static void a_flood_of_empty_records_ends(void **state)
{
    (void)state;
    open_with(NULL);
    size_t length = 0;
    for (int i = 0; i < FLOOD; i++)
        length += forger_seal(&forger_of_one, RECORD_DATA, NULL, 0, 0, records + length);
    wire_put(&one, records, length);
    wire_serve(&one, JZ_READABLE);
    expect_broken("too many empty records");
    wire_close(&one);
}

static size_t flood_of_updates(int asks, int data_between)
{
    size_t length = 0;
    for (int i = 0; i < FLOOD; i++) {
        length += forger_update_key(&forger_of_one, asks, records + length);
        if (data_between > 0)
            length += forger_seal(&forger_of_one, RECORD_DATA, data, (size_t)data_between, 0, records + length);
    }
    return length;
}

static void a_flood_of_key_updates_ends_even_with_some_data_between_them(void **state)
{
    (void)state;
    for (int asks = 0; asks < 2; asks++) {
        for (int between = 0; between < 2; between++) {
            open_with(NULL);
            size_t length = flood_of_updates(asks, between);
            wire_put(&one, records, length);
            wire_serve(&one, JZ_READABLE);
            expect_broken("too many TLS messages without data, such as key updates");
            assert_true(one.received < 200);
            wire_close(&one);
        }
    }
}

static void key_updates_among_much_data_do_not_end_anything(void **state)
{
    (void)state;
    open_with(NULL);
    for (int i = 0; i < 300; i++) {
        wire_put(&one, records, forger_update_key(&forger_of_one, 1, records));
        put(RECORD_DATA, data, 10000, 0);
        wire_client_receive(&one);
        assert_int_equal(one.received, 10000);
        one.received = 0;
    }
    assert_false(one.is_lost);
    wire_close(&one);
}

/* The answers are kept for it, up to a limit: then it is not read from before it takes them. */
static void a_peer_that_takes_no_answers_is_not_read_from(void **state)
{
    static uint8_t output[300 * 1000];
    (void)state;
    open_with(&(wire_plan){.send_buffer = 4096});
    size_t sent = 0;
    assert_int_equal(jz_tls_transport()->send(one.channel, &(jz_piece){output, sizeof output}, 1, false, &sent),
                     JZ_IO_WOULD_BLOCK);
    int updates = 0;
    while (updates < 1000 && (jz_tls_transport()->interest(one.channel, JZ_READABLE) & JZ_READABLE) != 0) {
        wire_put(&one, records, forger_update_key(&forger_of_one, 1, records));
        put(RECORD_DATA, data, 16384, 0);
        one.received = 0;
        updates++;
    }
    assert_in_range(updates, 10, 200);
    assert_false(one.is_lost);
    /* It takes them. */
    put(RECORD_DATA, "at last", 7, 0);
    for (int i = 0; i < 1000 && one.received == 0; i++) {
        wire_client_receive(&one);
        wire_serve(&one, JZ_READABLE);
    }
    assert_int_equal(one.received, 7);
    wire_close(&one);
}

/* It is read from again, too, where the server's next output took the answers along. */
static void who_takes_answers_among_output_is_read_from_again(void **state)
{
    static uint8_t output[300 * 1000];
    const jz_transport *transport = jz_tls_transport();
    (void)state;
    open_with(&(wire_plan){.send_buffer = 4096});
    size_t done = 0;
    assert_int_equal(transport->send(one.channel, &(jz_piece){output, sizeof output}, 1, false, &done),
                     JZ_IO_WOULD_BLOCK);
    while ((transport->interest(one.channel, JZ_READABLE) & JZ_READABLE) != 0) {
        wire_put(&one, records, forger_update_key(&forger_of_one, 1, records));
        put(RECORD_DATA, data, 16384, 0);
        one.received = 0;
    }
    wire_put(&one, records, forger_seal(&forger_of_one, RECORD_DATA, "at last", 7, 0, records));
    while (done < sizeof output) {
        size_t sent = 0;
        wire_client_receive(&one);
        transport->send(one.channel, &(jz_piece){output + done, sizeof output - done}, 1, false, &sent);
        done += sent;
    }
    wire_client_receive(&one);
    wire_serve(&one, JZ_READABLE);
    assert_int_equal(one.received, 7);
    wire_close(&one);
}

/* The key is exchanged with the last of its bytes, and nothing else may come between them (RFC 8446 §5.1). */
static void a_key_update_may_come_in_pieces(void **state)
{
    static const uint8_t update[] = {24, 0, 0, 1, 1};
    (void)state;
    for (size_t first = 1; first < sizeof update; first++) {
        size_t sent;
        open_with(NULL);
        put(RECORD_DATA, "hello", 5, 0);
        put(RECORD_HANDSHAKE, update, first, 0);
        assert_int_equal(wire_send(&one, "hello", 5, false, &sent), JZ_IO_OK);
        put(RECORD_HANDSHAKE, update + first, sizeof update - first, 0);
        forger_renew_key(&forger_of_one);
        put(RECORD_DATA, "there", 5, 0);
        assert_int_equal(one.received, 10);
        assert_int_equal(wire_send(&one, "there", 5, false, &sent), JZ_IO_OK);
        wire_client_receive(&one);
        assert_int_equal(one.seen, 10);
        wire_close(&one);
    }
}

static void nothing_may_come_within_a_message(void **state)
{
    static const struct {
        uint8_t type;
        const char *bytes;
        const char *why;
    } cases[] = {
        {RECORD_DATA, "x", "data came within a TLS message"},
        {RECORD_ALERT, "\1\0", "something else came within a TLS message"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        open_with(NULL);
        put(RECORD_HANDSHAKE, "\x18", 1, 0);
        put(cases[i].type, cases[i].bytes, i + 1, 0);
        expect_broken(cases[i].why);
        wire_close(&one);
    }
}

/* RFC 8446 §6.1; the socket's sending side is shut down by then. */
static void after_our_end_nothing_is_answered(void **state)
{
    static const struct {
        uint8_t type;
        const char *bytes;
        size_t length;
        jz_io last;
    } cases[] = {
        {RECORD_HANDSHAKE, "\x18\0\0\1\1", 5, JZ_IO_WOULD_BLOCK}, /* asks for a key update */
        {RECORD_HANDSHAKE, "\xFF\0\0\0", 4, JZ_IO_BROKEN},
        {99, "x", 1, JZ_IO_BROKEN},
        {RECORD_ALERT, "\1\0", 2, JZ_IO_ENDED},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        size_t sent = 0;
        open_with(NULL);
        assert_int_equal(wire_send(&one, "bye", 3, true, &sent), JZ_IO_OK);
        size_t calls = test_send_count();
        put(cases[i].type, cases[i].bytes, cases[i].length, 0);
        assert_int_equal(one.last, cases[i].last);
        assert_int_equal(test_send_count(), calls + 1); /* the client's */
        wire_close(&one);
    }
}

static void an_oversized_record_ends_it(void **state)
{
    (void)state;
    open_with(NULL);
    put(RECORD_DATA, data, 16385, 0);
    expect_broken("a record is longer than TLS allows");
    wire_close(&one);
    open_with(NULL);
    const uint8_t header[] = {RECORD_DATA, 3, 3, 0xFF, 0xFF};
    wire_put(&one, header, sizeof header);
    wire_serve(&one, JZ_READABLE);
    expect_broken("a record is longer than TLS allows");
    wire_close(&one);
}

static void each_alert_ends_it_and_is_named(void **state)
{
    static const struct {
        uint8_t level, description;
        const char *why; /* NULL: it is a proper end */
    } alerts[] = {
        {1, 0, NULL},
        {2, 0, NULL}, /* the level does not count in TLS 1.3 */
        {2, 10, "it ended with an alert: unexpected_message"},
        {2, 20, "it ended with an alert: bad record mac"},
        {2, 40, "it ended with an alert: handshake failure"},
        {2, 42, "it ended with an alert: bad certificate"},
        {2, 45, "it ended with an alert: certificate expired"},
        {2, 48, "it ended with an alert: unknown CA"},
        {1, 48, "it ended with an alert: unknown CA"},
        {2, 80, "it ended with an alert: internal error"},
        {2, 255, "it ended with an alert: unknown"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(alerts); i++) {
        open_with(NULL);
        put(RECORD_DATA, "hello", 5, 0);
        put(RECORD_ALERT, (const uint8_t[]){alerts[i].level, alerts[i].description}, 2, 0);
        assert_int_equal(one.received, 5);
        assert_int_equal(one.last, alerts[i].why != NULL ? JZ_IO_BROKEN : JZ_IO_ENDED);
        assert_string_equal(wire_failure(&one), alerts[i].why != NULL ? alerts[i].why : "");
        wire_close(&one);
    }
}

static void ill_formed_records_end_it_and_the_peer_is_told(void **state)
{
    static const struct {
        uint8_t type;
        const char *bytes;
        size_t length;
    } cases[] = {
        {RECORD_ALERT, "\x01", 1},                         /* half an alert */
        {RECORD_HANDSHAKE, "", 0},                         /* an empty message */
        {RECORD_HANDSHAKE, "\x01\x00\x00\x01\x00", 5},     /* a hello */
        {RECORD_HANDSHAKE, "\x18\x00\x00\x01\x02", 5},     /* a key update that asks for something else */
        {RECORD_HANDSHAKE, "\x18\x00\x00\x01\x00\x00", 6}, /* with something behind it */
        {RECORD_HANDSHAKE, "\x14\x00\x00\x20", 4},         /* Finished */
        {RECORD_HANDSHAKE, "\xFF\x00\x00\x00", 4},
        {20, "\x01", 1},         /* change_cipher_spec, encrypted */
        {24, "\x01\x00\x10", 3}, /* heartbeat */
        {0, "x", 1},
        {99, "x", 1},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        open_with(NULL);
        put(cases[i].type, cases[i].bytes, cases[i].length, 0);
        assert_that(one.last == JZ_IO_BROKEN, "case %zu", i);
        assert_that(strlen(wire_failure(&one)) > 0, "case %zu", i);
        wire_client_receive(&one);
        assert_that((SSL_get_shutdown(one.client) & SSL_RECEIVED_SHUTDOWN) != 0, "case %zu: no alert", i);
        wire_close(&one);
    }
}

/* Every byte counts. */
static void a_changed_byte_anywhere_in_a_record_ends_it(void **state)
{
    (void)state;
    for (size_t i = 0; i < 27; i++) {
        open_with(NULL);
        size_t length = forger_seal(&forger_of_one, RECORD_DATA, "hello", 5, 0, records);
        assert_int_equal(length, 27);
        records[i] ^= 1;
        wire_put(&one, records, length);
        wire_stop_sending(&one);
        wire_serve(&one, JZ_READABLE);
        assert_int_equal(one.received, 0);
        assert_int_equal(one.last, JZ_IO_BROKEN);
        wire_close(&one);
    }
}

static void a_record_that_was_received_before_is_not_accepted(void **state)
{
    (void)state;
    open_with(NULL);
    size_t length = forger_seal(&forger_of_one, RECORD_DATA, "hello", 5, 0, records);
    wire_put(&one, records, length);
    wire_put(&one, records, length);
    wire_serve(&one, JZ_READABLE);
    assert_int_equal(one.received, 5);
    expect_broken("a record could not be decrypted");
    wire_close(&one);
}

static void a_stream_that_is_cut_within_a_record_is_no_end(void **state)
{
    (void)state;
    for (size_t cut = 0; cut < 27; cut++) {
        open_with(NULL);
        size_t first = forger_seal(&forger_of_one, RECORD_DATA, "hello", 5, 0, records);
        forger_seal(&forger_of_one, RECORD_DATA, "there", 5, 0, records + first);
        wire_put(&one, records, first + cut);
        wire_stop_sending(&one);
        wire_serve(&one, JZ_READABLE);
        assert_int_equal(one.received, 5);
        expect_broken("cut without close_notify");
        wire_close(&one);
    }
}

/* TLS 1.2: refused, and the connection goes on; a flood of them does not. */
static void renegotiation_is_refused(void **state)
{
    (void)state;
    for (int times = 1; times <= 200; times += 199) {
        wire_open_and_shake_hands(&one, tls, &(wire_plan){.version = TLS1_2_VERSION});
        for (int i = 0; i < times && !one.is_lost; i++) {
            SSL_renegotiate(one.client);
            SSL_do_handshake(one.client);
            wire_pass_on(&one);
            wire_serve(&one, JZ_READABLE);
            wire_client_receive(&one);
        }
        assert_int_equal(one.received, 0);
        wire_close(&one);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(padding_and_some_empty_records_do_not_matter),
        cmocka_unit_test(a_flood_of_empty_records_ends),
        cmocka_unit_test(a_flood_of_key_updates_ends_even_with_some_data_between_them),
        cmocka_unit_test(key_updates_among_much_data_do_not_end_anything),
        cmocka_unit_test(a_peer_that_takes_no_answers_is_not_read_from),
        cmocka_unit_test(who_takes_answers_among_output_is_read_from_again),
        cmocka_unit_test(a_key_update_may_come_in_pieces),
        cmocka_unit_test(nothing_may_come_within_a_message),
        cmocka_unit_test(after_our_end_nothing_is_answered),
        cmocka_unit_test(an_oversized_record_ends_it),
        cmocka_unit_test(each_alert_ends_it_and_is_named),
        cmocka_unit_test(ill_formed_records_end_it_and_the_peer_is_told),
        cmocka_unit_test(a_changed_byte_anywhere_in_a_record_ends_it),
        cmocka_unit_test(a_record_that_was_received_before_is_not_accepted),
        cmocka_unit_test(a_stream_that_is_cut_within_a_record_is_no_end),
        cmocka_unit_test(renegotiation_is_refused),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests(tests, begin, end));
}
