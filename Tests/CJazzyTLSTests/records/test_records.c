/*
 * Records against OpenSSL's: what one side encrypts the other decrypts, for every suite and version, for data of all
 * lengths and in all pieces; and what was changed, cut or comes twice is refused.
 */
#include <string.h>
#include <sys/socket.h>

#include "channel/channel.h"
#include "support/testing.h"
#include "support/wire.h"

enum { MOST_SEALED = JZ_TLS_HEADER + JZ_TLS_MOST_DATA + JZ_TLS_MOST_OVERHEAD };

static const wire_plan plans[] = {
    {.version = TLS1_3_VERSION, .suites_1_3 = "TLS_AES_128_GCM_SHA256"},
    {.version = TLS1_3_VERSION, .suites_1_3 = "TLS_AES_256_GCM_SHA384"},
    {.version = TLS1_3_VERSION, .suites_1_3 = "TLS_CHACHA20_POLY1305_SHA256"},
    {.version = TLS1_2_VERSION, .suites = "ECDHE-ECDSA-AES128-GCM-SHA256"},
    {.version = TLS1_2_VERSION, .suites = "ECDHE-ECDSA-AES256-GCM-SHA384"},
    {.version = TLS1_2_VERSION, .suites = "ECDHE-ECDSA-CHACHA20-POLY1305"},
};

static jz_tls *tls;
static wire one;
static uint8_t data[JZ_TLS_MOST_DATA];
static uint8_t record[MOST_SEALED];

static int begin(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i * 29 + i / 241);
    tls = wire_tls();
    return 0;
}

static int end(void **state)
{
    (void)state;
    wire_tls_free(tls);
    return 0;
}

static jz_tls_records *records_of(wire *wire)
{
    jz_tls_channel *channel = wire->channel;
    assert_non_null(channel->records);
    assert_null(channel->ssl);
    return channel->records;
}

/* Sends a sealed record past the channel; the client decrypts it. */
static void expect_client_reads(size_t length, size_t size)
{
    one.seen = 0;
    assert_int_equal(send(one.server, record, size, 0), size);
    wire_client_receive(&one);
    assert_int_equal(one.seen, length);
    assert_memory_equal(one.at_client, data, length);
}

static void openssl_decrypts_what_is_sealed(void **state)
{
    static const size_t lengths[] = {0, 1, 15, 16, 17, 1023, 1024, 1025, 5000, 16383, 16384};
    (void)state;
    for (size_t plan = 0; plan < COUNT_OF(plans); plan++) {
        wire_open_and_shake_hands(&one, tls, &plans[plan]);
        for (size_t i = 0; i < COUNT_OF(lengths); i++) {
            size_t length = lengths[i];
            size_t size = jz_tls_seal(records_of(&one), JZ_TLS_DATA, &(jz_piece){data, length}, 0, length, record);
            assert_int_equal(size, jz_tls_sealed_length(records_of(&one), length));
            assert_true(size <= JZ_TLS_HEADER + length + JZ_TLS_MOST_OVERHEAD);
            expect_client_reads(length, size);
        }
        wire_close(&one);
    }
}

/* Cuts the data into pieces of that size, behind `offset` bytes that are not sealed any more. */
static size_t seal_pieces(size_t piece, size_t offset, size_t length)
{
    static jz_piece pieces[JZ_TLS_MOST_DATA];
    static uint8_t copy[JZ_TLS_MOST_DATA * 2];
    size_t count = 0;
    memcpy(copy + offset, data, length);
    for (size_t at = 0; at < offset + length; at += piece, count++)
        pieces[count] = (jz_piece){copy + at, offset + length - at < piece ? offset + length - at : piece};
    return jz_tls_seal(records_of(&one), JZ_TLS_DATA, pieces, offset, length, record);
}

static void pieces_become_one_record(void **state)
{
    static const struct {
        size_t piece, offset, length;
    } cases[] = {{1, 0, 1000},       {7, 3, 1000},     {16, 0, 5000},      {2, 1, 2000},    {4096, 0, 16384},
                 {4096, 4000, 9000}, {6000, 1, 16384}, {9000, 8999, 9001}, {16, 15, 16384}, {5000, 4999, 1}};
    (void)state;
    for (size_t plan = 0; plan < COUNT_OF(plans); plan++) {
        wire_open_and_shake_hands(&one, tls, &plans[plan]);
        for (size_t i = 0; i < COUNT_OF(cases); i++)
            expect_client_reads(cases[i].length, seal_pieces(cases[i].piece, cases[i].offset, cases[i].length));
        wire_close(&one);
    }
}

/* What the client has encrypted, as one record. */
static size_t clients_record(size_t length)
{
    size_t written;
    assert_int_equal(SSL_write_ex(one.client, data, length, &written), 1);
    return wire_take(&one);
}

static void what_openssl_seals_is_decrypted(void **state)
{
    static const size_t lengths[] = {1, 15, 16, 17, 1024, 16383, 16384};
    static uint8_t content[JZ_TLS_MOST_RECORD];
    (void)state;
    for (size_t plan = 0; plan < COUNT_OF(plans); plan++) {
        wire_open_and_shake_hands(&one, tls, &plans[plan]);
        for (size_t i = 0; i < COUNT_OF(lengths); i++) {
            size_t size = clients_record(lengths[i]);
            size_t length;
            uint8_t type;
            assert_int_equal(jz_tls_look_at_header(records_of(&one), one.taken, &length), JZ_TLS_FINE);
            assert_int_equal(length, size);
            assert_int_equal(jz_tls_open(records_of(&one), one.taken, content, &length, &type), JZ_TLS_FINE);
            assert_int_equal(type, JZ_TLS_DATA);
            assert_int_equal(length, lengths[i]);
            assert_memory_equal(content, data, length);
        }
        wire_close(&one);
    }
}

static void a_changed_record_is_refused_and_so_is_one_that_comes_again(void **state)
{
    static uint8_t content[JZ_TLS_MOST_RECORD];
    size_t length;
    uint8_t type;
    (void)state;
    for (size_t plan = 0; plan < COUNT_OF(plans); plan++) {
        wire_open_and_shake_hands(&one, tls, &plans[plan]);
        jz_tls_records *records = records_of(&one);
        size_t size = clients_record(20);
        /* All but the length, which says how much there is. */
        for (size_t at = 0; at < size; at += at == 2 ? 3 : 1) {
            one.taken[at] ^= 0x40;
            assert_that(jz_tls_look_at_header(records, one.taken, &length) != JZ_TLS_FINE ||
                            jz_tls_open(records, one.taken, content, &length, &type) == JZ_TLS_UNDECIPHERABLE,
                        "plan %zu, byte %zu", plan, at);
            one.taken[at] ^= 0x40;
        }
        assert_int_equal(jz_tls_open(records, one.taken, content, &length, &type), JZ_TLS_FINE);
        assert_int_equal(jz_tls_open(records, one.taken, content, &length, &type), JZ_TLS_UNDECIPHERABLE);
        ERR_clear_error();
        wire_close(&one);
    }
}

static void headers_are_judged_at_once(void **state)
{
    static const struct {
        uint8_t header[JZ_TLS_HEADER];
        jz_tls_fault in_1_3, in_1_2;
    } cases[] = {
        {{23, 3, 3, 0, 40}, JZ_TLS_FINE, JZ_TLS_FINE},
        {{22, 3, 3, 0, 40}, JZ_TLS_WRONG_TYPE, JZ_TLS_FINE},
        {{21, 3, 3, 0, 40}, JZ_TLS_WRONG_TYPE, JZ_TLS_FINE},
        {{20, 3, 3, 0, 1}, JZ_TLS_WRONG_TYPE, JZ_TLS_WRONG_TYPE},
        {{24, 3, 3, 0, 40}, JZ_TLS_WRONG_TYPE, JZ_TLS_WRONG_TYPE},
        {{0, 0, 0, 0, 0}, JZ_TLS_WRONG_TYPE, JZ_TLS_WRONG_TYPE},
        {{23, 3, 3, 0, 0}, JZ_TLS_UNDECIPHERABLE, JZ_TLS_UNDECIPHERABLE},
        {{23, 3, 3, 0, 15}, JZ_TLS_UNDECIPHERABLE, JZ_TLS_UNDECIPHERABLE},
        {{23, 3, 3, 0, 16}, JZ_TLS_FINE, JZ_TLS_UNDECIPHERABLE},
        {{23, 3, 3, 0, 23}, JZ_TLS_FINE, JZ_TLS_UNDECIPHERABLE},
        {{23, 3, 3, 0, 24}, JZ_TLS_FINE, JZ_TLS_FINE},
        {{23, 3, 3, 0x41, 0}, JZ_TLS_FINE, JZ_TLS_FINE},
        {{23, 3, 3, 0x41, 1}, JZ_TLS_TOO_LONG, JZ_TLS_TOO_LONG},
        {{23, 3, 3, 0xFF, 0xFF}, JZ_TLS_TOO_LONG, JZ_TLS_TOO_LONG},
    };
    (void)state;
    for (int is_1_3 = 0; is_1_3 < 2; is_1_3++) {
        wire_open_and_shake_hands(&one, tls, &plans[is_1_3 ? 0 : 3]);
        for (size_t i = 0; i < COUNT_OF(cases); i++) {
            size_t length;
            jz_tls_fault fault = jz_tls_look_at_header(records_of(&one), cases[i].header, &length);
            assert_that(fault == (is_1_3 ? cases[i].in_1_3 : cases[i].in_1_2), "case %zu", i);
        }
        wire_close(&one);
    }
}

/* RFC 8446 §5.5: our own key is exchanged, too, and the client follows. TLS 1.2 cannot. */
static void a_worn_key_is_exchanged(void **state)
{
    (void)state;
    for (size_t plan = 0; plan < COUNT_OF(plans); plan++) {
        wire_open_and_shake_hands(&one, tls, &plans[plan]);
        jz_tls_records *records = records_of(&one);
        records->most_written = 5;
        uint64_t highest = 0;
        one.seen = 0;
        for (size_t i = 0; i < 50; i++) {
            size_t sent;
            /* Also within several records of one call. */
            assert_int_equal(wire_send(&one, data, i % 3 == 0 ? sizeof data : 100, false, &sent), JZ_IO_OK);
            assert_int_equal(sent, i % 3 == 0 ? sizeof data : 100);
            highest = records->writing.sequence > highest ? records->writing.sequence : highest;
            wire_client_receive(&one);
        }
        assert_int_equal(one.seen, 17 * sizeof data + 33 * 100);
        if (records->is_1_3)
            assert_true(highest <= records->most_written + 1);
        else
            assert_true(highest > 50);
        wire_client_send(&one, data, 100);
        wire_serve(&one, JZ_READABLE);
        assert_int_equal(one.received, 100);
        wire_close(&one);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(openssl_decrypts_what_is_sealed),
        cmocka_unit_test(pieces_become_one_record),
        cmocka_unit_test(what_openssl_seals_is_decrypted),
        cmocka_unit_test(a_changed_record_is_refused_and_so_is_one_that_comes_again),
        cmocka_unit_test(headers_are_judged_at_once),
        cmocka_unit_test(a_worn_key_is_exchanged),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests(tests, begin, end));
}
