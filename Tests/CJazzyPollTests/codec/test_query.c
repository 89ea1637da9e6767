#include "codec/query.h"

#include <stdio.h>

#include "support/testing.h"

static const struct {
    const char *query;
    const char *name;
    const char *value; /* NULL: there is none */
} rows[] = {
    {"name=value", "name", "value"},
    {"a=1&b=2&c=3", "a", "1"},
    {"a=1&b=2&c=3", "b", "2"},
    {"a=1&b=2&c=3", "c", "3"},
    {"a=1&b=2&c=3", "d", NULL},
    {"", "a", NULL},
    {"", "", NULL},
    /* The first of several. */
    {"a=1&a=2", "a", "1"},
    {"a&a=2", "a", ""},
    /* Names are compared whole, and as they are sent. */
    {"ab=1&ba=2", "a", NULL},
    {"A=1", "a", NULL},
    {"%61=1&a=2", "a", "2"},
    {"%61=1&a=2", "%61", "1"},
    {" a=1", "a", NULL},
    {"x=a=1", "a", NULL},
    {"a[]=1", "a[]", "1"},
    /* Values. */
    {"a", "a", ""},
    {"a=", "a", ""},
    {"b&a", "a", ""},
    {"a=b=c", "a", "b=c"},
    {"a==", "a", "="},
    {"a=b?c/d", "a", "b?c/d"},
    {"a=1%26+%3D&b", "a", "1%26+%3D"},
    {"a=1;b=2", "a", "1;b=2"},
    /* Empty parts and names. */
    {"&&a=1&", "a", "1"},
    {"&&", "", NULL},
    {"=1&a=2", "", "1"},
    {"=1&a=2", "a", "2"},
};

static void a_value_is_found_by_its_name(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        size_t length = strlen(rows[i].query);
        char *query = malloc(length > 0 ? length : 1);
        assert_non_null(query);
        memcpy(query, rows[i].query, length);
        jz_text value = jz_text_of("untouched");
        bool is_found = jz_query_find((jz_text){query, length}, jz_text_of(rows[i].name), &value);
        const char *expected = is_found ? rows[i].value : "untouched";
        assert_that(is_found == (rows[i].value != NULL) && jz_text_equals(value, jz_text_of(expected)),
                    "%s in '%s': %s '%.*s'", rows[i].name, rows[i].query, is_found ? "found" : "not found",
                    (int)value.length, value.start);
        free(query);
    }
}

static const struct {
    const char *text;
    bool plus_is_space;
    const char *decoded;
    size_t length;
} decodings[] = {
    {"", false, "", 0},
    {"plain", false, "plain", 5},
    {"a%20b", false, "a b", 3},
    {"%41%5a%5A", false, "AZZ", 3},
    {"%2525", false, "%25", 3},
    {"%25", false, "%", 1},
    {"a+b", false, "a+b", 3},
    {"a+b", true, "a b", 3},
    {"a%2Bb+", true, "a+b ", 4},
    {"%C3%A4", false, "\xC3\xA4", 2},
    {"\xC3\xA4", false, "\xC3\xA4", 2},
    {"%FF%80", false, "\xFF\x80", 2},
    {"a%00b", false, "a\0b", 3},
    {"%0D%0A", false, "\r\n", 2},
};

static void percent_encoding_is_decoded_also_in_place(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(decodings); i++) {
        size_t text_length = strlen(decodings[i].text);
        char *text = malloc(text_length > 0 ? text_length : 1);
        char *decoded = malloc(text_length > 0 ? text_length : 1);
        assert_true(text != NULL && decoded != NULL);
        memcpy(text, decodings[i].text, text_length);
        size_t length = 99;
        assert_true(jz_percent_decode_text((jz_text){text, text_length}, decodings[i].plus_is_space, decoded, &length));
        assert_that(length == decodings[i].length && memcmp(decoded, decodings[i].decoded, length) == 0,
                    "'%s' became '%.*s'", decodings[i].text, (int)length, decoded);
        length = 99;
        assert_true(jz_percent_decode_text((jz_text){text, text_length}, decodings[i].plus_is_space, text, &length));
        assert_that(length == decodings[i].length && memcmp(text, decoded, length) == 0, "'%s' in place",
                    decodings[i].text);
        free(decoded);
        free(text);
    }
}

static const char *const ill_formed[] = {"%",   "%4",    "%4g",    "%g4", "%%41", "%-1", "% 1",
                                         "%+1", "a%2",   "a%2&b",  "%/0", "%:0",  "%@0", "%G0",
                                         "%`0", "%0x41", "%u0041", "%0/", "%0:",  "%0@", "%\xC3\xA4"};

static void a_percent_sign_without_two_digits_is_ill_formed(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(ill_formed); i++) {
        size_t text_length = strlen(ill_formed[i]);
        char *text = malloc(text_length);
        assert_non_null(text);
        memcpy(text, ill_formed[i], text_length);
        char decoded[16];
        size_t length;
        assert_that(!jz_percent_decode_text((jz_text){text, text_length}, false, decoded, &length) &&
                        !jz_percent_decode_text((jz_text){text, text_length}, true, decoded, &length),
                    "'%s' is accepted", ill_formed[i]);
        free(text);
    }
}

static void every_byte_can_be_encoded(void **state)
{
    (void)state;
    for (unsigned byte = 0; byte <= 0xFF; byte++) {
        char text[7];
        char decoded[sizeof text];
        size_t length;
        snprintf(text, sizeof text, "%%%02X%%%02x", byte, byte);
        assert_true(jz_percent_decode_text(jz_text_of(text), false, decoded, &length));
        assert_int_equal(length, 2);
        assert_int_equal((unsigned char)decoded[0], byte);
        assert_int_equal((unsigned char)decoded[1], byte);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_value_is_found_by_its_name),
        cmocka_unit_test(percent_encoding_is_decoded_also_in_place),
        cmocka_unit_test(a_percent_sign_without_two_digits_is_ill_formed),
        cmocka_unit_test(every_byte_can_be_encoded),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("query", tests, NULL, NULL));
}
