#include "session/subprotocol.h"

#include <stdio.h>

#include "support/testing.h"

enum { TEXT_SIZE = 4096 };

#define PROTOCOL "Sec-WebSocket-Protocol: "
#define END "\r\n"

static const jz_head_limits default_limits = {JZ_DEFAULT_HEAD_LENGTH, JZ_DEFAULT_HEADERS};

/* A request with these lines among its headers, which points into `text`. */
static jz_request_head parse(char text[TEXT_SIZE], const char *lines)
{
    int length = snprintf(text, TEXT_SIZE, "GET / HTTP/1.1\r\nHost: x\r\n%sX-Protocol: last\r\n\r\n", lines);
    jz_request_head head;
    assert_in_range(length, 1, TEXT_SIZE - 1);
    assert_that(jz_request_head_parse(text, (size_t)length, &default_limits, &head) == JZ_HEAD_COMPLETE, "%s", lines);
    return head;
}

static const struct {
    const char *lines;
    bool are_valid;
    const char *offered; /* each with a '|' behind it */
} rows[] = {
    {"", true, ""},
    {PROTOCOL "chat" END, true, "chat|"},
    {"sec-websocket-PROTOCOL:chat" END, true, "chat|"},
    {PROTOCOL "chat, superchat" END, true, "chat|superchat|"}, /* RFC 6455 §1.2 */
    {PROTOCOL "v2.bookings.example.net,v1.bookings.example.net" END, true,
     "v2.bookings.example.net|v1.bookings.example.net|"},
    {PROTOCOL "\t a ,\tb\t,c \t" END, true, "a|b|c|"},
    {PROTOCOL "a!#$%&'*+-.^_`|~9Z" END, true, "a!#$%&'*+-.^_`|~9Z|"},
    /* Over several lines (§11.3.4). */
    {PROTOCOL "a" END PROTOCOL "b, c" END "Other: x" END PROTOCOL "d" END, true, "a|b|c|d|"},
    {PROTOCOL "b" END PROTOCOL END PROTOCOL "," END PROTOCOL "a" END, true, "b|a|"},
    {PROTOCOL END PROTOCOL "a" END, true, "a|"},
    /* Empty elements mean nothing (RFC 9110 §5.6.1.2) ... */
    {PROTOCOL ",a" END, true, "a|"},
    {PROTOCOL "a," END, true, "a|"},
    {PROTOCOL " , ,, a , \t,b,," END, true, "a|b|"},
    /* ... and a header with nothing else offers none. */
    {PROTOCOL END, true, ""},
    {PROTOCOL " \t " END, true, ""},
    {PROTOCOL "," END, true, ""},
    {PROTOCOL " , ,\t," END, true, ""},
    {PROTOCOL END PROTOCOL "," END, true, ""},
    /* Each is there once; case makes a difference. */
    {PROTOCOL "a, A" END, true, "a|A|"},
    {PROTOCOL "a, aa" END, true, "a|aa|"},
    {PROTOCOL "a, a" END, false, "a|a|"},
    {PROTOCOL "a, b, a" END, false, "a|b|a|"},
    {PROTOCOL "b, a" END PROTOCOL "c, a" END, false, "b|a|c|a|"},
    /* Each is a token. */
    {PROTOCOL "a b" END, false, "a b|"},
    {PROTOCOL "a;b" END, false, "a;b|"},
    {PROTOCOL "a=b" END, false, "a=b|"},
    {PROTOCOL "a/b" END, false, "a/b|"},
    {PROTOCOL "\"a\"" END, false, "\"a\"|"},
    {PROTOCOL "\"a,b\"" END, false, "\"a|b\"|"},
    {PROTOCOL "(a)" END, false, "(a)|"},
    {PROTOCOL "{a}" END, false, "{a}|"},
    {PROTOCOL "http://a" END, false, "http://a|"},
    {PROTOCOL "a, \xC3\xA4" END, false, "a|\xC3\xA4|"},
    {PROTOCOL "a" END PROTOCOL "b:c" END, false, "a|b:c|"},
};

static void a_request_offers_tokens_that_are_all_different_or_no_header(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char text[TEXT_SIZE];
        jz_request_head head = parse(text, rows[i].lines);
        assert_that(jz_subprotocols_are_valid(&head) == rows[i].are_valid, "'%s' is %s", rows[i].lines,
                    rows[i].are_valid ? "refused" : "accepted");
    }
}

static void what_is_offered_comes_one_after_another(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char text[TEXT_SIZE];
        char all[200] = "";
        jz_request_head head = parse(text, rows[i].lines);
        size_t position = 0;
        jz_text offered;
        while (jz_subprotocol_next(&head, &position, &offered)) {
            assert_in_range((uintptr_t)offered.start, (uintptr_t)text, (uintptr_t)text + strlen(text));
            assert_true(jz_subprotocol_is_offered(&head, offered));
            strncat(all, offered.start, offered.length);
            strcat(all, "|");
        }
        assert_that(strcmp(all, rows[i].offered) == 0, "'%s' offers '%s'", rows[i].lines, all);
        assert_false(jz_subprotocol_next(&head, &position, &offered));
    }
}

static const struct {
    const char *lines;
    const char *subprotocol;
    bool is_offered;
} lookups[] = {
    {PROTOCOL "a, b" END PROTOCOL "c" END, "a", true},
    {PROTOCOL "a, b" END PROTOCOL "c" END, "b", true},
    {PROTOCOL "a, b" END PROTOCOL "c" END, "c", true},
    {PROTOCOL "a, b" END PROTOCOL "c" END, "d", false},
    {PROTOCOL "a, b" END PROTOCOL "c" END, "last", false},
    {PROTOCOL "a, b" END, "A", false},
    {PROTOCOL "a, b" END, "a, b", false},
    {PROTOCOL "a, b" END, "a,", false},
    {PROTOCOL "ab" END, "a", false},
    {PROTOCOL "ab" END, "abc", false},
    {PROTOCOL "a,,b" END, "", false},
    {PROTOCOL END, "", false},
    {"", "a", false},
    {"", "", false},
};

static void a_subprotocol_is_offered_where_a_whole_element_is_the_same(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(lookups); i++) {
        char text[TEXT_SIZE];
        jz_request_head head = parse(text, lookups[i].lines);
        assert_that(jz_subprotocol_is_offered(&head, jz_text_of(lookups[i].subprotocol)) == lookups[i].is_offered,
                    "'%s' in '%s'", lookups[i].subprotocol, lookups[i].lines);
    }
}

static const char *const preferred[] = {"v3.chat", "v2.chat", "v1.chat"};

static const struct {
    const char *lines;
    size_t chosen;
} choices[] = {
    {PROTOCOL "v1.chat, v2.chat, v3.chat" END, 0}, /* the server's order counts */
    {PROTOCOL "v1.chat, v2.chat" END, 1},
    {PROTOCOL "v1.chat" END PROTOCOL "v2.chat" END, 1},
    {PROTOCOL "v1.chat" END, 2},
    {PROTOCOL "V3.chat, v1.chat" END, 2},
    {PROTOCOL "v4.chat" END, 3},
    {"", 3},
};

static void the_first_preference_that_is_offered_is_chosen(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(choices); i++) {
        char text[TEXT_SIZE];
        jz_request_head head = parse(text, choices[i].lines);
        size_t chosen = jz_subprotocol_choose(&head, preferred, COUNT_OF(preferred));
        assert_that(chosen == choices[i].chosen, "'%s': %zu", choices[i].lines, chosen);
        assert_int_equal(jz_subprotocol_choose(&head, NULL, 0), 0);
    }
}

static void sixty_four_may_be_offered_and_no_more(void **state)
{
    (void)state;
    char lines[TEXT_SIZE / 2] = PROTOCOL;
    for (unsigned i = 0; i < JZ_MAX_SUBPROTOCOLS + 1; i++) {
        char text[TEXT_SIZE];
        size_t length = strlen(lines);
        snprintf(lines + length, sizeof lines - length, "%sp%u" END, i % 10 == 0 && i > 0 ? PROTOCOL : "", i);
        jz_request_head head = parse(text, lines);
        assert_int_equal(jz_subprotocols_are_valid(&head), i < JZ_MAX_SUBPROTOCOLS);
        if (i % 10 != 9)
            strcpy(lines + strlen(lines) - strlen(END), ",");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_offers_tokens_that_are_all_different_or_no_header),
        cmocka_unit_test(what_is_offered_comes_one_after_another),
        cmocka_unit_test(a_subprotocol_is_offered_where_a_whole_element_is_the_same),
        cmocka_unit_test(the_first_preference_that_is_offered_is_chosen),
        cmocka_unit_test(sixty_four_may_be_offered_and_no_more),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("subprotocol", tests, NULL, NULL));
}
