/* TLS 1.2: what no library sends after the handshake. Records are made by our own code, with the client's keys. */
#include "channel/channel.h"
#include "support/testing.h"
#include "support/wire.h"

enum { FLOOD = 5000 };

static jz_tls *tls;
static wire one;
static jz_tls_records *forged;
static uint8_t record[JZ_TLS_MOST_RECORD + JZ_TLS_MOST_OVERHEAD];
static uint8_t many_hellos[JZ_TLS_MOST_DATA];

static int begin(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof many_hellos; i += 4)
        many_hellos[i] = 1; /* hellos of no bytes */
    tls = wire_tls();
    return 0;
}

static int end(void **state)
{
    (void)state;
    wire_tls_free(tls);
    return 0;
}

/* A client's keys are a server's the other way round. */
static void open_1_2(void)
{
    wire_open_and_shake_hands(&one, tls, &(wire_plan){.version = TLS1_2_VERSION});
    forged = jz_tls_records_create(one.client, jz_tls_library_of(tls), &(jz_tls_secrets){0}, 0);
    assert_non_null(forged);
    jz_tls_keys keys = forged->reading;
    forged->reading = forged->writing;
    forged->writing = keys;
    assert_int_equal(EVP_EncryptInit_ex(forged->writing.cipher, NULL, NULL, NULL, NULL), 1);
}

static void close_1_2(void)
{
    jz_tls_records_free(forged);
    wire_close(&one);
}

static void put(jz_tls_type type, const void *bytes, size_t length)
{
    size_t size = jz_tls_seal(forged, type, &(jz_piece){bytes, length}, 0, length, record);
    assert_true(size > 0);
    wire_put(&one, record, size);
    wire_serve(&one, JZ_READABLE);
}

static void expect_data_goes_on(void)
{
    size_t before = one.received;
    put(JZ_TLS_DATA, "hello", 5);
    assert_int_equal(one.received, before + 5);
    assert_false(one.is_lost);
}

static void a_hello_is_skipped_however_it_is_cut(void **state)
{
    static uint8_t hello[4 + 300] = {1, 0, 1, 44};
    (void)state;
    for (size_t first = 1; first < sizeof hello; first += first < 10 ? 1 : 50) {
        open_1_2();
        put(JZ_TLS_MESSAGE, hello, first);
        put(JZ_TLS_MESSAGE, hello + first, sizeof hello - first);
        expect_data_goes_on();
        put(JZ_TLS_MESSAGE, many_hellos, 8); /* two in one record */
        expect_data_goes_on();
        close_1_2();
    }
}

static void floods_end(void **state)
{
    static const struct {
        jz_tls_type type;
        const void *bytes;
        size_t length;
        const char *why;
    } cases[] = {
        {JZ_TLS_MESSAGE, many_hellos, 4, "too many TLS messages without data, such as key updates"},
        {JZ_TLS_MESSAGE, many_hellos, sizeof many_hellos, "too many TLS messages without data, such as key updates"},
        {JZ_TLS_ALERT, "\x01\x5A", 2, "too many TLS messages without data, such as key updates"},
        {JZ_TLS_DATA, "", 0, "too many empty records"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        open_1_2();
        for (int k = 0; k < FLOOD && !one.is_lost; k++)
            put(cases[i].type, cases[i].bytes, cases[i].length);
        assert_int_equal(one.last, JZ_IO_BROKEN);
        assert_string_equal(wire_failure(&one), cases[i].why);
        close_1_2();
    }
}

static void warnings_are_passed_over(void **state)
{
    (void)state;
    open_1_2();
    for (int i = 0; i < 20; i++)
        put(JZ_TLS_ALERT, "\x01\x64", 2);
    expect_data_goes_on();
    close_1_2();
}

static void what_may_not_come_ends_it(void **state)
{
    static const struct {
        jz_tls_type type;
        const char *bytes;
        size_t length;
        const char *why;
    } cases[] = {
        {JZ_TLS_CHANGE_CIPHER_SPEC, "\x01", 1, "a record of a type that may not come here"},
        {JZ_TLS_MESSAGE, "", 0, "a record of a type that may not come here"},
        {JZ_TLS_MESSAGE, "\x14\0\0\x0C", 4, "a TLS message that may not come here"},     /* Finished */
        {JZ_TLS_MESSAGE, "\x18\0\0\x01\0", 5, "a TLS message that may not come here"},   /* a key update */
        {JZ_TLS_MESSAGE, "\x01\xFF\xFF\xFF", 4, "a TLS message that may not come here"}, /* 16 MB of a hello */
        {JZ_TLS_ALERT, "\x02", 1, "an alert that is none"},
        {JZ_TLS_ALERT, "\x02\x28", 2, "it ended with an alert: handshake failure"},
        {(jz_tls_type)24, "\x01\0\0", 3, "a record of a type that may not come here"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        open_1_2();
        put(cases[i].type, cases[i].bytes, cases[i].length);
        assert_that(one.last == JZ_IO_BROKEN, "case %zu", i);
        assert_string_equal(wire_failure(&one), cases[i].why);
        close_1_2();
    }
}

static void nothing_may_come_within_a_hello(void **state)
{
    static const uint8_t hello[] = {1, 0, 1, 44, 0};
    (void)state;
    for (size_t length = 1; length <= sizeof hello; length++) {
        open_1_2();
        put(JZ_TLS_MESSAGE, hello, length);
        put(JZ_TLS_DATA, "x", 1);
        assert_int_equal(one.received, 0);
        assert_string_equal(wire_failure(&one), "data came within a TLS message");
        close_1_2();
    }
}

static void a_proper_end_is_one(void **state)
{
    (void)state;
    open_1_2();
    expect_data_goes_on();
    put(JZ_TLS_ALERT, "\x01\0", 2);
    assert_int_equal(one.last, JZ_IO_ENDED);
    close_1_2();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_hello_is_skipped_however_it_is_cut),
        cmocka_unit_test(floods_end),
        cmocka_unit_test(warnings_are_passed_over),
        cmocka_unit_test(what_may_not_come_ends_it),
        cmocka_unit_test(nothing_may_come_within_a_hello),
        cmocka_unit_test(a_proper_end_is_one),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests(tests, begin, end));
}
