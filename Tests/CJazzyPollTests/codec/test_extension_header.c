#include "codec/extension_header.h"

#include <stdio.h>

#include "support/testing.h"

enum { TEXT_SIZE = 512 };

static void describe_offer(char *text, size_t size, const jz_deflate_offer *offer)
{
    char server_bits[40] = "";
    char client_bits[40] = "";
    if (offer->server_max_window_bits != 0)
        snprintf(server_bits, sizeof server_bits, "; server_max_window_bits=%u", offer->server_max_window_bits);
    if (offer->has_client_max_window_bits && offer->client_max_window_bits != 0)
        snprintf(client_bits, sizeof client_bits, "; client_max_window_bits=%u", offer->client_max_window_bits);
    else if (offer->has_client_max_window_bits)
        snprintf(client_bits, sizeof client_bits, "; client_max_window_bits");
    snprintf(text, size, "permessage-deflate%s%s%s%s",
             offer->server_no_context_takeover ? "; server_no_context_takeover" : "",
             offer->client_no_context_takeover ? "; client_no_context_takeover" : "", server_bits, client_bits);
}

/* The parsed header: offers in their simplest form, "declined" or "malformed", separated by " | ". */
static void describe_header(char text[TEXT_SIZE], jz_text header)
{
    jz_deflate_offer offer;
    jz_extension_result result;
    size_t length = 0;
    text[0] = '\0';
    while ((result = jz_extension_header_take(&header, &offer)) != JZ_EXTENSION_END) {
        char element[200] = "declined";
        if (result == JZ_EXTENSION_DEFLATE)
            describe_offer(element, sizeof element, &offer);
        else if (result == JZ_EXTENSION_MALFORMED)
            strcpy(element, "malformed");
        length += (size_t)snprintf(text + length, TEXT_SIZE - length, "%s%s", length > 0 ? " | " : "", element);
        if (result == JZ_EXTENSION_MALFORMED)
            return;
    }
    assert_int_equal(header.length, 0);
}

static void expect_header(const char *header, const char *meaning)
{
    char text[TEXT_SIZE];
    describe_header(text, jz_text_of(header));
    assert_that(strcmp(text, meaning) == 0, "'%s' was understood as '%s'", header, text);
}

typedef struct header_row {
    const char *header;
    const char *meaning;
} header_row;

static void expect_headers(const header_row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++)
        expect_header(rows[i].header, rows[i].meaning);
}

#define PMD "permessage-deflate"
#define SERVER_NO "; server_no_context_takeover"
#define CLIENT_NO "; client_no_context_takeover"
#define SERVER_BITS "; server_max_window_bits"
#define CLIENT_BITS "; client_max_window_bits"

static const header_row offers[] = {
    {"", ""},
    {PMD, PMD},
    {PMD SERVER_NO, PMD SERVER_NO},
    {PMD CLIENT_NO, PMD CLIENT_NO},
    {PMD CLIENT_BITS, PMD CLIENT_BITS},
    {PMD CLIENT_BITS "=10", PMD CLIENT_BITS "=10"},
    {PMD SERVER_BITS "=10", PMD SERVER_BITS "=10"},
    {PMD CLIENT_BITS "=9" SERVER_BITS "=8" CLIENT_NO SERVER_NO,
     PMD SERVER_NO CLIENT_NO SERVER_BITS "=8" CLIENT_BITS "=9"},
    /* White space around separators is optional (RFC 2616 §2.1, implied *LWS). */
    {"permessage-deflate;client_max_window_bits;server_no_context_takeover", PMD SERVER_NO CLIENT_BITS},
    {" \tpermessage-deflate \t; \tserver_max_window_bits \t= \t10 \t", PMD SERVER_BITS "=10"},
    /* Tokens do not depend on case. */
    {"Permessage-DEFLATE; Server_No_Context_Takeover; CLIENT_MAX_WINDOW_BITS=12", PMD SERVER_NO CLIENT_BITS "=12"},
};

static void an_offer_says_what_its_parameters_say(void **state)
{
    (void)state;
    expect_headers(offers, COUNT_OF(offers));
}

static const header_row quoted[] = {
    {PMD CLIENT_BITS "=\"10\"", PMD CLIENT_BITS "=10"},
    {PMD SERVER_BITS "=\"8\"", PMD SERVER_BITS "=8"},
    {PMD SERVER_BITS "= \"15\" ", PMD SERVER_BITS "=15"},
    {PMD CLIENT_BITS "=\"1\\0\"", PMD CLIENT_BITS "=10"},
    {PMD CLIENT_BITS "=\"\\1\\0\"", PMD CLIENT_BITS "=10"},
    /* The value without quotes and backslashes must be a token, too (RFC 6455 §9.1). */
    {PMD CLIENT_BITS "=\"\"", "declined"},
    {PMD CLIENT_BITS "=\" 10\"", "declined"},
    {PMD CLIENT_BITS "=\"10 \"", "declined"},
    {PMD CLIENT_BITS "=\"1\\\\0\"", "declined"},
    {PMD CLIENT_BITS "=\"10\"0", "declined"},
    {PMD CLIENT_BITS "=\"1\"\"0\"", "declined"},
    {PMD CLIENT_BITS "=1\"0\"", "declined"},
    {"x; y=\"a b\", " PMD, "declined | " PMD},
    /* Commas, semicolons and escaped quotes within quotes divide nothing. */
    {"x; y=\"a,b\", " PMD, "declined | " PMD},
    {"x; y=\"a;b\", " PMD, "declined | " PMD},
    {"x; y=\"a\\\",\\\"b\", " PMD, "declined | " PMD},
};

static void values_may_be_quoted(void **state)
{
    (void)state;
    expect_headers(quoted, COUNT_OF(quoted));
}

static const char *const numbers[] = {"8", "9", "10", "11", "12", "13", "14", "15"};

static void window_bits_are_8_to_15(void **state)
{
    (void)state;
    static const char *const parameters[] = {SERVER_BITS, CLIENT_BITS};
    for (size_t i = 0; i < COUNT_OF(parameters); i++) {
        for (size_t j = 0; j < COUNT_OF(numbers); j++) {
            char header[100];
            snprintf(header, sizeof header, PMD "%s=%s", parameters[i], numbers[j]);
            expect_header(header, header);
        }
    }
}

static const char *const no_window_bits[] = {
    "=",
    "=0",
    "=1",
    "=7",
    "=16",
    "=17",
    "=99",
    "=80",
    "=150",
    "=100",
    "=08",
    "=09",
    "=010",
    "=015",
    "=+8",
    "=-8",
    "=8.0",
    "=0x8",
    "=8;8",
    "=1 0",
    "=a",
    "=1a",
    "=a1",
    "=:",
    "=;",
    "=1:",
    "=1/",
    "=true",
    "==8",
    "=8=",
    "=8x",
    "=00000000000000000010",
    "=10000000000000000000000000000000000000000",
    "=18446744073709551624",
    "=\"00000000000000000010\"",
    "=\"\\8\\8\"",
    "=\xC2\xB9\x30",
};

static void anything_else_is_no_window_and_declines_the_offer(void **state)
{
    (void)state;
    static const char *const parameters[] = {SERVER_BITS, CLIENT_BITS};
    for (size_t i = 0; i < COUNT_OF(parameters); i++) {
        for (size_t j = 0; j < COUNT_OF(no_window_bits); j++) {
            char header[200];
            snprintf(header, sizeof header, PMD "%s%s", parameters[i], no_window_bits[j]);
            expect_header(header, "declined");
        }
    }
    expect_header(PMD SERVER_BITS, "declined"); /* only the client's may come without a value (§7.1.2.1) */
}

static const header_row declined[] = {
    /* Parameters that permessage-deflate does not have (§7.1). */
    {PMD "; x", "declined"},
    {PMD "; x=1", "declined"},
    {PMD "; max_window_bits=10", "declined"},
    {PMD "; server_no_context_takeovers", "declined"},
    {PMD "; server-no-context-takeover", "declined"},
    {PMD CLIENT_BITS "; x", "declined"},
    {PMD "; x" CLIENT_BITS, "declined"},
    /* Values where there is none to be (§7.1.1.1, §7.1.1.2). */
    {PMD SERVER_NO "=1", "declined"},
    {PMD SERVER_NO "=", "declined"},
    {PMD SERVER_NO "=\"\"", "declined"},
    {PMD SERVER_NO "=true", "declined"},
    {PMD CLIENT_NO "=1", "declined"},
    {PMD CLIENT_NO "=\"x\"", "declined"},
    /* The same parameter twice. */
    {PMD SERVER_NO SERVER_NO, "declined"},
    {PMD CLIENT_NO CLIENT_NO, "declined"},
    {PMD SERVER_BITS "=10" SERVER_BITS "=10", "declined"},
    {PMD CLIENT_BITS "=10" CLIENT_BITS "=10", "declined"},
    {PMD CLIENT_BITS CLIENT_BITS, "declined"},
    {PMD CLIENT_BITS CLIENT_BITS "=10", "declined"},
    {PMD CLIENT_BITS "=10" CLIENT_BITS, "declined"},
    {PMD SERVER_NO CLIENT_NO SERVER_NO, "declined"},
    /* No parameter at all after a semicolon, or none that is well-formed. */
    {PMD ";", "declined"},
    {PMD "; ", "declined"},
    {PMD ";;" CLIENT_BITS, "declined"},
    {PMD CLIENT_BITS ";", "declined"},
    {PMD "; =10", "declined"},
    {PMD "; \"x\"", "declined"},
    {PMD "; client_max_window_bits 10", "declined"},
    {PMD "; client max_window_bits", "declined"},
    {PMD "; \xC3\xA4", "declined"},
    {PMD "; (x)", "declined"},
    /* Other extensions. */
    {"x-webkit-deflate-frame", "declined"},
    {"permessage-deflates", "declined"},
    {"permessage-deflat", "declined"},
    {"permessage-bzip2; client_max_window_bits", "declined"},
};

static void unknown_repeated_and_ill_formed_parameters_decline_the_offer(void **state)
{
    (void)state;
    expect_headers(declined, COUNT_OF(declined));
}

static void an_offer_is_declined_for_itself_alone(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(declined); i++) {
        char header[TEXT_SIZE];
        snprintf(header, sizeof header, "%s, " PMD SERVER_BITS "=9, %s", declined[i].header, declined[i].header);
        expect_header(header, "declined | " PMD SERVER_BITS "=9 | declined");
    }
}

static const header_row lists[] = {
    {PMD "," PMD CLIENT_BITS, PMD " | " PMD CLIENT_BITS},
    {PMD " , " PMD "; x , foo , " PMD SERVER_NO, PMD " | declined | declined | " PMD SERVER_NO},
    {PMD CLIENT_BITS "=10, " PMD, PMD CLIENT_BITS "=10 | " PMD},
    /* A recipient takes empty elements (RFC 9110 §5.6.1.2). */
    {",", ""},
    {" , ,, ", ""},
    {", " PMD, PMD},
    {PMD ",", PMD},
    {PMD ",, ," PMD, PMD " | " PMD},
};

static void offers_are_taken_in_their_order(void **state)
{
    (void)state;
    expect_headers(lists, COUNT_OF(lists));
}

static const header_row malformed[] = {
    {";", "malformed"},
    {"; x", "malformed"},
    {"=", "malformed"},
    {"\"" PMD "\"", "malformed"},
    {PMD " x", "malformed"},
    {PMD "=1", "malformed"},
    {PMD "/1", "malformed"},
    {"\xC3\xA4", "malformed"},
    {PMD ", ;", PMD " | malformed"},
    {PMD ", =", PMD " | malformed"},
    {PMD ", \"", PMD " | malformed"},
    {"x; y=\"", "malformed"},
    {"x; y=\"a", "malformed"},
    {"x; y=\"a, " PMD, "malformed"},
    {"x; y=\"a\\", "malformed"},
    {"x; y=\"a\\\"", "malformed"},
    {PMD CLIENT_BITS "=\"10", "malformed"},
};

static void what_is_no_list_of_extensions_is_malformed(void **state)
{
    (void)state;
    expect_headers(malformed, COUNT_OF(malformed));
}

/* For any input the header is consumed, and nothing behind its end is read (ASan would find that). */
static void every_beginning_of_a_header_comes_to_an_end(void **state)
{
    (void)state;
    static const char header[] =
        PMD SERVER_NO "; client_max_window_bits=\"1\\0\" , x; y=\"a\\\"b\"; z=1, " PMD SERVER_BITS "=9";
    for (size_t length = 0; length < sizeof header; length++) {
        char *exact = malloc(length > 0 ? length : 1);
        assert_non_null(exact);
        memcpy(exact, header, length);
        char text[TEXT_SIZE];
        describe_header(text, (jz_text){exact, length});
        free(exact);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_offer_says_what_its_parameters_say),
        cmocka_unit_test(values_may_be_quoted),
        cmocka_unit_test(window_bits_are_8_to_15),
        cmocka_unit_test(anything_else_is_no_window_and_declines_the_offer),
        cmocka_unit_test(unknown_repeated_and_ill_formed_parameters_decline_the_offer),
        cmocka_unit_test(an_offer_is_declined_for_itself_alone),
        cmocka_unit_test(offers_are_taken_in_their_order),
        cmocka_unit_test(what_is_no_list_of_extensions_is_malformed),
        cmocka_unit_test(every_beginning_of_a_header_comes_to_an_end),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("extension header", tests, NULL, NULL));
}
