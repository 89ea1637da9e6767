#include "session/deflate_agreement.h"

#include <stdio.h>

#include "support/allocation.h"
#include "support/testing.h"

#define PMD "permessage-deflate"
#define SERVER_NO "; server_no_context_takeover"
#define CLIENT_NO "; client_no_context_takeover"
#define SERVER_BITS "; server_max_window_bits"
#define CLIENT_BITS "; client_max_window_bits"
#define NO_CONTEXT SERVER_NO CLIENT_NO

enum { LINE_SIZE = 256 };

static jz_deflate_options options_of(jz_deflate_mode mode, uint8_t window_bits)
{
    jz_deflate_options options = jz_route_options_default().deflate;
    options.mode = mode;
    options.window_bits = window_bits;
    return options;
}

static const jz_head_limits default_limits = {JZ_DEFAULT_HEAD_LENGTH, JZ_DEFAULT_HEADERS};

/* Judges a request with these lines among its headers. */
static bool negotiate(const char *lines, const jz_deflate_options *options, jz_deflate_agreement *agreement)
{
    char text[2048];
    snprintf(text, sizeof text, "GET / HTTP/1.1\r\nHost: x\r\n%sCookie: permessage-deflate\r\n\r\n", lines);
    jz_request_head head;
    assert_that(jz_request_head_parse(text, strlen(text), &default_limits, &head) == JZ_HEAD_COMPLETE, "%s", lines);
    return jz_deflate_negotiate(&head, options, agreement);
}

/* The answer's value, empty where there is none. */
static void answer_of(const jz_deflate_agreement *agreement, char answer[LINE_SIZE])
{
    static const char name[] = "Sec-WebSocket-Extensions: ";
    jz_buffer output = {0};
    assert_true(jz_deflate_append_answer(agreement, &output));
    answer[0] = '\0';
    if (output.length > 0) {
        size_t around = strlen(name) + 2;
        assert_in_range(output.length, around + 1, around + LINE_SIZE - 1);
        assert_memory_equal(output.bytes, name, strlen(name));
        assert_memory_equal(output.bytes + output.length - 2, "\r\n", 2);
        memcpy(answer, output.bytes + strlen(name), output.length - around);
        answer[output.length - around] = '\0';
    }
    jz_buffer_free(&output);
}

static void expect_answer(const char *lines, jz_deflate_mode mode, uint8_t window_bits, const char *expected)
{
    jz_deflate_options options = options_of(mode, window_bits);
    jz_deflate_agreement agreement;
    char answer[LINE_SIZE];
    assert_that(negotiate(lines, &options, &agreement), "%s: malformed", lines);
    answer_of(&agreement, answer);
    assert_that(strcmp(answer, expected) == 0, "%s, with mode %d and %u bits, was answered '%s'", lines, (int)mode,
                window_bits, answer);
}

/* The answer to one offer for a route with this mode and these window bits; an empty answer declines it. */
static const struct {
    const char *offer;
    jz_deflate_mode mode;
    uint8_t window_bits;
    const char *answer;
} agreements[] = {
    {PMD, JZ_DEFLATE_OFF, 15, ""},
    {PMD SERVER_NO CLIENT_BITS, JZ_DEFLATE_OFF, 15, ""},

    /* Contexts are taken over unless one side asks for the contrary (§7.1.1). */
    {PMD, JZ_DEFLATE_DEDICATED, 15, PMD},
    {PMD SERVER_NO, JZ_DEFLATE_DEDICATED, 15, PMD SERVER_NO},
    {PMD CLIENT_NO, JZ_DEFLATE_DEDICATED, 15, PMD CLIENT_NO},
    {PMD CLIENT_NO SERVER_NO, JZ_DEFLATE_DEDICATED, 15, PMD NO_CONTEXT},
    {PMD, JZ_DEFLATE_SHARED, 15, PMD NO_CONTEXT},
    {PMD SERVER_NO, JZ_DEFLATE_SHARED, 15, PMD NO_CONTEXT},
    {PMD CLIENT_NO, JZ_DEFLATE_SHARED, 15, PMD NO_CONTEXT},
    {PMD NO_CONTEXT, JZ_DEFLATE_SHARED, 15, PMD NO_CONTEXT},

    /* The client may limit our window, and we may limit it further (§7.1.2.1). */
    {PMD SERVER_BITS "=15", JZ_DEFLATE_DEDICATED, 15, PMD SERVER_BITS "=15"},
    {PMD SERVER_BITS "=14", JZ_DEFLATE_DEDICATED, 15, PMD SERVER_BITS "=14"},
    {PMD SERVER_BITS "=9", JZ_DEFLATE_DEDICATED, 15, PMD SERVER_BITS "=9"},
    {PMD SERVER_BITS "=15", JZ_DEFLATE_DEDICATED, 12, PMD SERVER_BITS "=12"},
    {PMD SERVER_BITS "=12", JZ_DEFLATE_DEDICATED, 12, PMD SERVER_BITS "=12"},
    {PMD SERVER_BITS "=10", JZ_DEFLATE_DEDICATED, 12, PMD SERVER_BITS "=10"},
    {PMD, JZ_DEFLATE_DEDICATED, 14, PMD SERVER_BITS "=14"},
    {PMD, JZ_DEFLATE_SHARED, 9, PMD NO_CONTEXT SERVER_BITS "=9"},
    {PMD SERVER_BITS "=10", JZ_DEFLATE_SHARED, 15, PMD NO_CONTEXT SERVER_BITS "=10"},

    /* zlib's raw deflate has no window of 256 bytes. */
    {PMD SERVER_BITS "=8", JZ_DEFLATE_DEDICATED, 15, ""},
    {PMD SERVER_BITS "=8", JZ_DEFLATE_DEDICATED, 9, ""},
    {PMD SERVER_BITS "=8", JZ_DEFLATE_SHARED, 15, ""},

    /* We may limit the client's window only where it offered that (§7.1.2.2). */
    {PMD CLIENT_BITS, JZ_DEFLATE_DEDICATED, 15, PMD},
    {PMD CLIENT_BITS "=15", JZ_DEFLATE_DEDICATED, 15, PMD},
    {PMD CLIENT_BITS "=14", JZ_DEFLATE_DEDICATED, 15, PMD CLIENT_BITS "=14"},
    {PMD CLIENT_BITS "=8", JZ_DEFLATE_DEDICATED, 15, PMD CLIENT_BITS "=8"},
    {PMD CLIENT_BITS "=8", JZ_DEFLATE_SHARED, 15, PMD NO_CONTEXT CLIENT_BITS "=8"},
    {PMD CLIENT_BITS, JZ_DEFLATE_DEDICATED, 10, PMD SERVER_BITS "=10" CLIENT_BITS "=10"},
    {PMD CLIENT_BITS "=12", JZ_DEFLATE_DEDICATED, 10, PMD SERVER_BITS "=10" CLIENT_BITS "=10"},
    {PMD CLIENT_BITS "=9", JZ_DEFLATE_DEDICATED, 10, PMD SERVER_BITS "=10" CLIENT_BITS "=9"},
    {PMD CLIENT_BITS, JZ_DEFLATE_SHARED, 15, PMD NO_CONTEXT},
    {PMD CLIENT_BITS, JZ_DEFLATE_SHARED, 11, PMD NO_CONTEXT SERVER_BITS "=11" CLIENT_BITS "=11"},

    /* All at once. */
    {PMD CLIENT_BITS "=11" SERVER_BITS "=12" CLIENT_NO SERVER_NO, JZ_DEFLATE_DEDICATED, 15,
     PMD NO_CONTEXT SERVER_BITS "=12" CLIENT_BITS "=11"},
};

static void an_offer_is_answered_with_what_is_then_done(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(agreements); i++) {
        char line[LINE_SIZE];
        snprintf(line, sizeof line, "Sec-WebSocket-Extensions: %s\r\n", agreements[i].offer);
        expect_answer(line, agreements[i].mode, agreements[i].window_bits, agreements[i].answer);
    }
}

#define LINE "Sec-WebSocket-Extensions: "
#define END "\r\n"

/* Several offers, in order of preference, to a dedicated window of 15 bits. */
static const struct {
    const char *lines;
    const char *answer;
} preferences[] = {
    {"", ""},
    {LINE END, ""},
    {LINE "foo, bar; baz" END, ""},
    {LINE PMD SERVER_NO ", " PMD END, PMD SERVER_NO},
    {LINE PMD ", " PMD SERVER_NO END, PMD},
    {LINE PMD SERVER_BITS "=8, " PMD SERVER_BITS "=10, " PMD END, PMD SERVER_BITS "=10"},
    {LINE PMD "; x, " PMD CLIENT_NO CLIENT_NO ", " PMD SERVER_BITS ", " PMD CLIENT_BITS "=9" END, PMD CLIENT_BITS "=9"},
    {LINE "foo, " PMD CLIENT_NO END, PMD CLIENT_NO},
    {LINE PMD SERVER_BITS "=8" END, ""},
    {LINE PMD SERVER_BITS "=8, foo" END, ""},
    /* The same in several header lines (RFC 6455 §9.1), with names in any case. */
    {LINE "foo" END LINE PMD SERVER_NO END, PMD SERVER_NO},
    {LINE PMD SERVER_NO END "Origin: x" END "SEC-WEBSOCKET-EXTENSIONS: " PMD END, PMD SERVER_NO},
    {LINE PMD SERVER_BITS "=8" END LINE PMD END, PMD},
    {LINE END LINE PMD END, PMD},
};

static void the_first_offer_that_can_be_kept_is_accepted(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(preferences); i++)
        expect_answer(preferences[i].lines, JZ_DEFLATE_DEDICATED, 15, preferences[i].answer);
}

static const char *const malformed[] = {
    LINE ";" END,
    LINE PMD " x" END,
    LINE PMD "; x=\"" END,
    LINE PMD "; x=\"a, " PMD END,
    LINE "foo, =" END,
    LINE PMD ", ;" END,
    LINE PMD END LINE ";" END,
    LINE ";" END LINE PMD END,
    LINE PMD SERVER_BITS "=8, \"foo\"" END,
};

/* RFC 6455 §9.1: regardless of other offers, and of whether extensions are used. */
static void a_malformed_header_is_refused(void **state)
{
    (void)state;
    static const jz_deflate_mode modes[] = {JZ_DEFLATE_OFF, JZ_DEFLATE_SHARED, JZ_DEFLATE_DEDICATED};
    for (size_t i = 0; i < COUNT_OF(malformed); i++) {
        for (size_t j = 0; j < COUNT_OF(modes); j++) {
            jz_deflate_options options = options_of(modes[j], 15);
            jz_deflate_agreement agreement;
            assert_that(!negotiate(malformed[i], &options, &agreement), "%s: accepted", malformed[i]);
        }
    }
}

/* The client's side: what it may conclude from an answer to its offer (§7.1). */
static void expect_binding(const jz_deflate_offer *offer, const jz_deflate_options *options,
                           const jz_deflate_agreement *agreement)
{
    char answer[LINE_SIZE];
    answer_of(agreement, answer);
    jz_text rest = jz_text_of(answer);
    jz_deflate_offer said;
    assert_int_equal(jz_extension_header_take(&rest, &said), JZ_EXTENSION_DEFLATE);
    assert_int_equal(rest.length, 0);
    assert_int_equal(said.server_no_context_takeover, agreement->server_no_context_takeover);
    assert_int_equal(said.client_no_context_takeover, agreement->client_no_context_takeover);
    assert_true(said.server_no_context_takeover || !offer->server_no_context_takeover);

    uint8_t server_bits = said.server_max_window_bits != 0 ? said.server_max_window_bits : 15;
    assert_int_equal(server_bits, agreement->server_max_window_bits);
    assert_in_range(server_bits, 9, options->window_bits);
    assert_true(offer->server_max_window_bits == 0 ||
                (said.server_max_window_bits != 0 && server_bits <= offer->server_max_window_bits));

    uint8_t client_bits = said.client_max_window_bits != 0 ? said.client_max_window_bits : 15;
    uint8_t offered = offer->client_max_window_bits != 0 ? offer->client_max_window_bits : 15;
    assert_int_equal(client_bits, agreement->client_max_window_bits);
    assert_true(offer->has_client_max_window_bits || !said.has_client_max_window_bits);
    assert_true(said.client_max_window_bits != 0 || !said.has_client_max_window_bits);
    assert_true(client_bits <= offered);
    assert_true(!offer->has_client_max_window_bits || client_bits <= options->window_bits);
}

static void every_answer_binds_both_sides_to_what_was_offered(void **state)
{
    (void)state;
    static const uint8_t bits[] = {0, 8, 9, 10, 11, 12, 13, 14, 15};
    size_t agreed = 0;
    for (unsigned flags = 0; flags < 16; flags++) {
        for (size_t i = 0; i < COUNT_OF(bits) * COUNT_OF(bits); i++) {
            jz_deflate_offer offer = {.server_no_context_takeover = (flags & 1) != 0,
                                      .client_no_context_takeover = (flags & 2) != 0,
                                      .has_client_max_window_bits = (flags & 4) != 0,
                                      .server_max_window_bits = bits[i / COUNT_OF(bits)]};
            if (offer.has_client_max_window_bits)
                offer.client_max_window_bits = bits[i % COUNT_OF(bits)];
            for (uint8_t window_bits = 9; window_bits <= 15; window_bits++) {
                jz_deflate_options options =
                    options_of((flags & 8) != 0 ? JZ_DEFLATE_SHARED : JZ_DEFLATE_DEDICATED, window_bits);
                jz_deflate_agreement agreement;
                bool is_agreed = jz_deflate_agree(&offer, &options, &agreement);
                assert_int_equal(is_agreed, offer.server_max_window_bits != 8);
                if (is_agreed)
                    expect_binding(&offer, &options, &agreement);
                agreed += is_agreed ? 1 : 0;
            }
        }
    }
    assert_int_equal(agreed, 16 * 8 * 9 * 7);
}

static void without_memory_there_is_no_answer(void **state)
{
    (void)state;
    jz_deflate_options options = options_of(JZ_DEFLATE_SHARED, 15);
    jz_deflate_agreement agreement;
    assert_true(negotiate(LINE PMD END, &options, &agreement));
    jz_buffer output = {0};
    test_allocations_fail_after(0);
    bool is_appended = jz_deflate_append_answer(&agreement, &output);
    test_allocations_succeed();
    assert_false(is_appended);
    assert_int_equal(output.length, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_offer_is_answered_with_what_is_then_done),
        cmocka_unit_test(the_first_offer_that_can_be_kept_is_accepted),
        cmocka_unit_test(a_malformed_header_is_refused),
        cmocka_unit_test(every_answer_binds_both_sides_to_what_was_offered),
        cmocka_unit_test(without_memory_there_is_no_answer),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("deflate agreement", tests, NULL, NULL));
}
