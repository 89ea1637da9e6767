/* What comes after a fatal alert, of either side: nothing (RFC 8446 §6.2, RFC 5246 §7.2.2). */
#include "support/testing.h"
#include "support/wire.h"

static jz_tls *tls;
static wire one;
static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

static int begin(void **state)
{
    (void)state;
    tls = wire_tls();
    return 0;
}

static int end(void **state)
{
    (void)state;
    wire_tls_free(tls);
    return 0;
}

static jz_io receive(size_t *received)
{
    static uint8_t bytes[4096];
    bool has_more = false;
    *received = 0;
    return jz_tls_transport()->receive(one.channel, bytes, sizeof bytes, received, &has_more);
}

/* A record with data, and behind it one that cannot be decrypted, by one segment. */
static void put_data_and_a_bad_record(void)
{
    size_t written;
    SSL_write_ex(one.client, "hello", 5, &written);
    SSL_write_ex(one.client, "world", 5, &written);
    size_t length = wire_take(&one);
    one.taken[length - 1] ^= 1;
    wire_put(&one, one.taken, length);
}

static void the_answer_to_what_came_before_a_bad_record_is_not_sent_behind_the_alert(void **state)
{
    static uint8_t on_wire[4096];
    (void)state;
    for (size_t i = 0; i < COUNT_OF(versions); i++) {
        for (int is_last = 0; is_last < 2; is_last++) {
            size_t received;
            size_t sent;
            wire_open_and_shake_hands(&one, tls, &(wire_plan){.version = versions[i]});
            put_data_and_a_bad_record();
            assert_int_equal(receive(&received), JZ_IO_OK);
            assert_int_equal(received, 5);
            size_t told = wire_peek(&one, on_wire, sizeof on_wire);
            assert_true(told > 0);
            assert_int_equal(wire_send(&one, "hello", 5, is_last, &sent), JZ_IO_BROKEN);
            assert_int_equal(wire_peek(&one, on_wire, sizeof on_wire), told);
            assert_int_equal(receive(&received), JZ_IO_BROKEN);
            assert_string_equal(wire_failure(&one), "a record could not be decrypted");
            wire_client_receive(&one);
            assert_int_equal(one.alert, SSL_AD_BAD_RECORD_MAC);
            wire_close(&one);
        }
    }
}

static void what_came_before_a_bad_header_is_received_whatever_room_there_is(void **state)
{
    static const uint8_t bad[] = {99, 3, 3, 0, 40};
    static const size_t capacities[] = {4096, 16384, 16645, 65536};
    static uint8_t data[16384];
    (void)state;
    for (size_t i = 0; i < COUNT_OF(versions) * COUNT_OF(capacities); i++) {
        size_t written;
        wire_open_and_shake_hands(
            &one, tls, &(wire_plan){.version = versions[i % COUNT_OF(versions)], .capacity = capacities[i / 2]});
        SSL_write_ex(one.client, data, sizeof data, &written);
        size_t length = wire_take(&one);
        memcpy(one.taken + length, bad, sizeof bad);
        wire_put(&one, one.taken, length + sizeof bad);
        wire_serve(&one, JZ_READABLE);
        assert_that(one.received == sizeof data, "%zu bytes with room for %zu", one.received, one.plan.capacity);
        assert_int_equal(one.last, JZ_IO_BROKEN);
        assert_string_equal(wire_failure(&one), "a record of a type that may not come here");
        wire_close(&one);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_came_before_a_bad_header_is_received_whatever_room_there_is, begin, end),
        cmocka_unit_test_setup_teardown(the_answer_to_what_came_before_a_bad_record_is_not_sent_behind_the_alert, begin,
                                        end),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests(tests, NULL, NULL));
}
