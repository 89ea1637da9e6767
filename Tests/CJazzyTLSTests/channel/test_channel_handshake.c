/* Handshakes that are slow, cut, refused, or none at all, and what the log is told of them. */
#include <stdio.h>
#include <unistd.h>

#include "support/testing.h"
#include "support/wire.h"

enum { MOST_STEPS = 10, MOST_HANDSHAKE = 4096 };

static jz_tls *tls;
static wire one;

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

static jz_tls_statistics counted(void)
{
    return jz_tls_statistics_of(tls);
}

static void put_bytewise(const uint8_t *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        wire_put(&one, bytes + i, 1);
        wire_serve(&one, JZ_READABLE);
    }
}

static void a_handshake_may_come_a_byte_at_a_time(void **state)
{
    static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(versions); i++) {
        uint64_t before = counted().handshakes;
        wire_open(&one, tls, &(wire_plan){.version = versions[i]});
        for (int step = 0; step < MOST_STEPS && !one.is_ready; step++) {
            wire_client_step(&one);
            put_bytewise(one.taken, wire_take(&one));
        }
        assert_true(one.is_ready);
        assert_int_equal(counted().handshakes, before + 1);
        wire_client_step(&one);
        wire_client_send(&one, "hello", 5);
        wire_serve(&one, JZ_READABLE);
        assert_int_equal(one.received, 5);
        wire_close(&one);
    }
}

/* Each step of a handshake reads its input to the end, so that the poll need not be changed for it, or told twice. */
static void in_a_handshake_only_new_input_is_to_be_told(void **state)
{
    static const struct {
        int version;
        unsigned may; /* in the end: in 1.3 the tickets go with the first answer, or with what is received before */
    } rows[] = {{TLS1_2_VERSION, JZ_WRITABLE}, {TLS1_3_VERSION, JZ_READABLE | JZ_WRITABLE}};
    const jz_transport *transport = jz_tls_transport();
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        wire_open(&one, tls, &(wire_plan){.version = rows[i].version});
        assert_int_equal(transport->interest(one.channel, JZ_READABLE), JZ_READABLE | JZ_ONCE);
        unsigned may = 0;
        for (int step = 0; step < MOST_STEPS && may == 0; step++) {
            wire_client_step(&one);
            size_t length = wire_take(&one);
            assert_int_equal(write(one.peer, one.taken, length), length);
            may = transport->ready(one.channel, JZ_READABLE);
            assert_int_equal(transport->interest(one.channel, JZ_READABLE), JZ_READABLE | JZ_ONCE);
        }
        assert_int_equal(may, rows[i].may);
        wire_close(&one);
    }
}

/* Plays the client's part up to that many bytes of it. False: that was all of it. */
static bool put_up_to(size_t limit)
{
    for (int step = 0; step < MOST_STEPS && !one.is_ready; step++) {
        wire_client_step(&one);
        size_t length = wire_take(&one);
        size_t part = length < limit ? length : limit;
        wire_put(&one, one.taken, part);
        wire_serve(&one, JZ_READABLE);
        limit -= part;
        if (limit == 0 && !one.is_ready)
            return true;
    }
    return false;
}

/* But who only connects and goes, as a check of health does, has not failed at anything. */
static void a_handshake_that_is_cut_anywhere_has_failed(void **state)
{
    static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(versions); i++) {
        for (size_t cut = 0; cut < MOST_HANDSHAKE; cut += cut < 10 ? 1 : 13) {
            uint64_t before = counted().failed;
            wire_open(&one, tls, &(wire_plan){.version = versions[i]});
            bool is_cut = put_up_to(cut);
            wire_stop_sending(&one);
            if (is_cut)
                assert_int_equal(wire_serve(&one, JZ_READABLE), JZ_LOST);
            if (is_cut)
                assert_string_equal(wire_failure(&one), cut > 0 ? "cut in its TLS handshake" : "");
            wire_close(&one);
            assert_int_equal(counted().failed, before + (is_cut && cut > 0 ? 1 : 0));
        }
    }
}

static void what_came_behind_a_proxy_header_comes_first(void **state)
{
    static char early[MOST_HANDSHAKE];
    (void)state;
    wire_open(&one, tls, NULL);
    wire_client_step(&one);
    size_t length = wire_take(&one);
    memcpy(early, one.taken, length);
    wire_close(&one);
    for (size_t cut = 1; cut <= length; cut += 11) {
        static char copy[MOST_HANDSHAKE];
        wire_plan plan = {.early = copy, .early_length = cut};
        memcpy(copy, early, length);
        wire_open(&one, tls, &plan);
        memset(copy, 0, sizeof copy); /* it was borrowed */
        wire_put(&one, early + cut, length - cut);
        wire_serve(&one, JZ_READABLE);
        assert_false(one.is_lost);
        uint8_t answer[5];
        assert_int_equal(wire_peek(&one, answer, sizeof answer), 5);
        assert_int_equal(answer[0], 22); /* a hello, and not an alert */
        wire_close(&one);
    }
}

static void plain_http_is_told_what_is_wrong(void **state)
{
    static const char *const requests[] = {
        "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "POST /upload HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc",
        "G",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    };
    char answer[512];
    (void)state;
    for (size_t i = 0; i < COUNT_OF(requests); i++) {
        for (int is_early = 0; is_early < 2; is_early++) {
            uint64_t before = counted().failed;
            wire_plan plan = {.early = requests[i], .early_length = is_early ? strlen(requests[i]) : 0};
            wire_open(&one, tls, &plan);
            if (!is_early)
                wire_put(&one, requests[i], strlen(requests[i]));
            /* It waits until the client has read the answer. */
            wire_serve(&one, JZ_READABLE);
            assert_false(one.is_lost);
            assert_false(one.is_ready);
            size_t length = wire_read(&one, answer, sizeof answer - 1);
            answer[length] = '\0';
            assert_int_equal(strncmp(answer, "HTTP/1.1 400 ", 13), 0);
            const char *text = strstr(answer, "\r\n\r\n");
            assert_non_null(text);
            assert_non_null(strstr(text, "this port speaks TLS"));
            unsigned content_length = 0;
            assert_int_equal(sscanf(strstr(answer, "Content-Length"), "Content-Length: %u", &content_length), 1);
            assert_int_equal(content_length, strlen(text + 4));
            assert_int_equal(wire_read(&one, answer, sizeof answer), 0);
            assert_true(one.socket_has_ended);
            wire_hang_up(&one);
            wire_serve(&one, JZ_READABLE);
            assert_true(one.is_lost);
            assert_string_equal(wire_failure(&one), "it speaks plain HTTP, and this port TLS");
            wire_close(&one);
            assert_int_equal(counted().failed, before + 1);
        }
    }
}

static void an_endless_request_in_plain_text_is_cut(void **state)
{
    static uint8_t much[64 * 1024];
    (void)state;
    memset(much, 'A', sizeof much);
    wire_open(&one, tls, NULL);
    size_t sent = 0;
    while (sent < 10 * 1000 * 1000 && wire_put(&one, much, sizeof much)) {
        sent += sizeof much;
        wire_serve(&one, JZ_READABLE);
    }
    assert_true(sent < 1000 * 1000);
    wire_close(&one);
}

static void what_is_neither_is_lost(void **state)
{
    (void)state;
    for (int first = 0; first < 256; first++) {
        const uint8_t bytes[] = {(uint8_t)first, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};
        if (first == 0x16 || (first >= 'A' && first <= 'Z'))
            continue;
        wire_open(&one, tls, NULL);
        wire_put(&one, bytes, sizeof bytes);
        wire_serve(&one, JZ_READABLE);
        assert_true(one.is_lost);
        assert_string_equal(wire_failure(&one), "its first bytes are not those of TLS");
        wire_close(&one);
    }
}

/* An alert answers what looks like TLS. */
static void a_refusal_says_why_to_the_log_and_to_the_client(void **state)
{
    static const struct {
        wire_plan plan;
        const char *why;
        int alert;
    } cases[] = {
        {{.version = TLS1_2_VERSION, .suites = "ECDHE-ECDSA-AES128-SHA256"},
         "no shared cipher: it offers no suite that is spoken here",
         SSL_AD_HANDSHAKE_FAILURE},
        {{.version = TLS1_1_VERSION, .suites = "ALL:@SECLEVEL=0"},
         "unsupported protocol: it speaks no version of TLS that is spoken here",
         SSL_AD_PROTOCOL_VERSION},
        {{.protocols = "\x02h2"},
         "no application protocol: its ALPN offers no HTTP/1.1",
         SSL_AD_NO_APPLICATION_PROTOCOL},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        uint64_t before = counted().failed;
        wire_open(&one, tls, &cases[i].plan);
        wire_shake_hands(&one);
        assert_that(one.is_lost, "case %zu", i);
        assert_string_equal(wire_failure(&one), cases[i].why);
        assert_int_equal(one.alert, cases[i].alert);
        wire_close(&one);
        assert_int_equal(counted().failed, before + 1);
    }
}

/* In TLS 1.3 a client learns that only after its own handshake is done. */
static void a_client_without_a_valid_certificate_is_refused_and_the_log_says_why(void **state)
{
    static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
    const made ours = authority_make(&(plan){.common_name = "ours", .is_authority = true});
    const made others = authority_make_with_own_key(&(plan){.common_name = "others", .is_authority = true});
    const made valid = authority_make(&(plan){.common_name = "valid", .issuer = &ours});
    const made expired = authority_make(&(plan){.common_name = "old", .issuer = &ours, .begins = -20, .ends = -10});
    const made unknown = authority_make(&(plan){.common_name = "unknown", .issuer = &others});
    const struct {
        const made *identity;
        const char *why; /* NULL: it is let in */
    } cases[] = {
        {&valid, NULL},
        {NULL, "certificate required, and it has none"},
        {&expired, "its certificate is not accepted: certificate has expired"},
        {&unknown, "its certificate is not accepted: unable to get local issuer certificate"},
    };
    jz_tls *strict = wire_tls_for_clients_of(&ours);
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        for (size_t k = 0; k < COUNT_OF(versions); k++) {
            wire_open(&one, strict, &(wire_plan){.version = versions[k], .identity = cases[i].identity});
            wire_shake_hands(&one);
            assert_that(one.is_lost == (cases[i].why != NULL), "case %zu", i);
            if (one.is_lost) {
                assert_string_equal(wire_failure(&one), cases[i].why);
                assert_that(one.alert != 0, "case %zu: no alert", i);
            }
            wire_close(&one);
        }
    }
    jz_tls_free(strict);
}

static void a_client_that_refuses_is_quoted(void **state)
{
    (void)state;
    wire_open(&one, tls, NULL);
    SSL_set_verify(one.client, SSL_VERIFY_PEER, NULL);
    wire_shake_hands(&one);
    wire_client_step(&one);
    wire_pass_on(&one);
    wire_serve(&one, JZ_READABLE);
    assert_true(one.is_lost);
    assert_string_equal(wire_failure(&one), "it ended with an alert: unknown CA");
    wire_close(&one);
}

static void garbage_that_begins_like_tls_is_refused(void **state)
{
    static const struct {
        const char *bytes;
        size_t length;
    } cases[] = {
        {"\x16\x03\x01\x00\x05hello", 10},           {"\x16\x03\x01\xFF\xFFhello", 10},
        {"\x16\x07\x07\x00\x05hello", 10},           {"\x16\x03\x01\x00\x00", 5},
        {"\x16\x03\x01\x00\x04\x01\x00\x00\x00", 9}, {"\x16\x03\x01\x00\x04\x01\xFF\xFF\xFF", 9},
        {"\x16GET / HTTP/1.1\r\n\r\n", 19},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        wire_open(&one, tls, NULL);
        put_bytewise((const uint8_t *)cases[i].bytes, cases[i].length);
        wire_stop_sending(&one);
        wire_serve(&one, JZ_READABLE);
        assert_that(one.is_lost, "case %zu", i);
        assert_that(strlen(wire_failure(&one)) > 0, "case %zu", i);
        wire_close(&one);
    }
}

static void the_negotiated_protocol_is_told(void **state)
{
    static const struct {
        const char *offered;
        const char *chosen;
    } cases[] = {
        {NULL, NULL},
        {"\x08http/1.1", "http/1.1"},
        {"\x02h2\x08http/1.1", "http/1.1"},
        {"\x08http/1.0", "http/1.0"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        wire_open_and_shake_hands(&one, tls, &(wire_plan){.protocols = cases[i].offered});
        const char *chosen = jz_tls_transport()->protocol(one.channel);
        if (cases[i].chosen == NULL)
            assert_null(chosen);
        else
            assert_string_equal(chosen, cases[i].chosen);
        wire_close(&one);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_handshake_may_come_a_byte_at_a_time),
        cmocka_unit_test(in_a_handshake_only_new_input_is_to_be_told),
        cmocka_unit_test(a_handshake_that_is_cut_anywhere_has_failed),
        cmocka_unit_test(what_came_behind_a_proxy_header_comes_first),
        cmocka_unit_test(plain_http_is_told_what_is_wrong),
        cmocka_unit_test(an_endless_request_in_plain_text_is_cut),
        cmocka_unit_test(what_is_neither_is_lost),
        cmocka_unit_test(a_refusal_says_why_to_the_log_and_to_the_client),
        cmocka_unit_test(a_client_without_a_valid_certificate_is_refused_and_the_log_says_why),
        cmocka_unit_test(a_client_that_refuses_is_quoted),
        cmocka_unit_test(garbage_that_begins_like_tls_is_refused),
        cmocka_unit_test(the_negotiated_protocol_is_told),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests(tests, begin, end));
}
