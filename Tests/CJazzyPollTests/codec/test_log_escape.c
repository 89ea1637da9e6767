/* Untrusted text, as it may be shown in a log line. */
#include <stdio.h>

#include "codec/utf8.h"
#include "jazzy.h"
#include "support/random.h"
#include "support/testing.h"

enum { ROOM = JZ_LOG_LINE_SIZE };

static const struct {
    const char *text;
    const char *shown;
} rows[] = {
    /* Harmless text is unchanged. */
    {"", ""},
    {"plain text, \"quoted\" {} %s 100%", "plain text, \"quoted\" {} %s 100%"},
    {"\xC3\xA9t\xC3\xA9 \xE6\xBC\xA2\xE5\xAD\x97 \xF0\x9F\x99\x82",
     "\xC3\xA9t\xC3\xA9 \xE6\xBC\xA2\xE5\xAD\x97 \xF0\x9F\x99\x82"},
    {"\xD7\xA9\xD7\x9C\xD7\x95\xD7\x9D", "\xD7\xA9\xD7\x9C\xD7\x95\xD7\x9D"},
    {"\xC2\xA0", "\xC2\xA0"},
    {"\xF4\x8F\xBF\xBF", "\xF4\x8F\xBF\xBF"},
    /* The end of a line, and what else is a control character: C0, DEL, C1. */
    {"a\nb", "a\\nb"},
    {"a\r\nb", "a\\r\\nb"},
    {"a\tb", "a\\tb"},
    {"\x01\x07\x08\x0B\x0C\x1B\x1F", "\\u{1}\\u{7}\\u{8}\\u{B}\\u{C}\\u{1B}\\u{1F}"},
    {"\x1B[31mred\x1B]0;title\x07", "\\u{1B}[31mred\\u{1B}]0;title\\u{7}"},
    {"\x7F", "\\u{7F}"},
    {"\xC2\x80\xC2\x85\xC2\x9B\xC2\x9F", "\\u{80}\\u{85}\\u{9B}\\u{9F}"},
    /* Backslashes are escaped, too, so that escaping can be reversed. */
    {"\\n", "\\\\n"},
    {"\\", "\\\\"},
    /* Other ends of lines. */
    {"\xE2\x80\xA8|\xE2\x80\xA9", "\\u{2028}|\\u{2029}"},
    /* Embeddings, overrides, isolates and marks of direction. */
    {"\xE2\x80\xAA\xE2\x80\xAB\xE2\x80\xAC\xE2\x80\xAD\xE2\x80\xAE", "\\u{202A}\\u{202B}\\u{202C}\\u{202D}\\u{202E}"},
    {"\xE2\x81\xA6\xE2\x81\xA7\xE2\x81\xA8\xE2\x81\xA9", "\\u{2066}\\u{2067}\\u{2068}\\u{2069}"},
    {"\xE2\x80\x8E\xE2\x80\x8F\xD8\x9C", "\\u{200E}\\u{200F}\\u{61C}"},
    /* What is not seen. */
    {"\xE2\x80\x8B\xE2\x81\xA0\xC2\xAD\xEF\xBB\xBF", "\\u{200B}\\u{2060}\\u{AD}\\u{FEFF}"},
    {"\xF3\xA0\x81\x81", "\\u{E0041}"},
    /* The neighbours of escaped ranges are not escaped. */
    {" ~\xC2\xA1\xE2\x80\xA7\xE2\x80\xAF\xE2\x81\xB0", " ~\xC2\xA1\xE2\x80\xA7\xE2\x80\xAF\xE2\x81\xB0"},
    /* Bytes that are not UTF-8: alone, cut short, too long, a surrogate, too large, C1 as a byte. */
    {"\xFF\xFE", "\\xFF\\xFE"},
    {"a\x80z", "a\\x80z"},
    {"\xC3", "\\xC3"},
    {"\xC3z", "\\xC3z"},
    {"\xE2\x80", "\\xE2\\x80"},
    {"\xE2\x80\n", "\\xE2\\x80\\n"},
    {"\xF0\x9F\x99", "\\xF0\\x9F\\x99"},
    {"\xC0\x8A", "\\xC0\\x8A"},
    {"\xE0\x80\x8A", "\\xE0\\x80\\x8A"},
    {"\xED\xA0\x80", "\\xED\\xA0\\x80"},
    {"\xF4\x90\x80\x80", "\\xF4\\x90\\x80\\x80"},
    {"\x9B", "\\x9B"},
};

static void every_hostile_text_is_shown_in_one_line(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char line[ROOM];
        size_t length = jz_log_escape(rows[i].text, strlen(rows[i].text), line, sizeof line);
        assert_that(strcmp(line, rows[i].shown) == 0, "row %zu is \"%s\", not \"%s\"", i, line, rows[i].shown);
        assert_int_equal(length, strlen(rows[i].shown));
    }
}

static void a_nul_ends_nothing(void **state)
{
    (void)state;
    char line[ROOM];
    jz_log_escape("a\0b", 3, line, sizeof line);
    assert_string_equal(line, "a\\u{0}b");
}

static const struct {
    const char *text;
    size_t size;
    const char *shown;
} cuts[] = {
    {"12345678", 9, "12345678"},
    {"123456789", 9, "12345\xE2\x80\xA6"},
    {"1234\xC3\xA9xyz", 9, "1234\xE2\x80\xA6"},
    {"\n\n\n\n\n", 9, "\\n\\n\xE2\x80\xA6"},
    {"\x1B\x1B", 9, "\xE2\x80\xA6"},
    {"\x1B", 7, "\\u{1B}"},
    {"\x1B", 6, "\xE2\x80\xA6"},
    {"abcd", 4, "\xE2\x80\xA6"},
    {"abc", 4, "abc"},
    {"abcd", 3, ""},
    {"ab", 3, "ab"},
    {"a", 1, ""},
    {"", 1, ""},
};

static void what_is_too_long_is_cut_between_characters_and_ends_in_an_ellipsis(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cuts); i++) {
        char line[ROOM];
        memset(line, '#', sizeof line);
        size_t length = jz_log_escape(cuts[i].text, strlen(cuts[i].text), line, cuts[i].size);
        assert_that(strcmp(line, cuts[i].shown) == 0, "row %zu is \"%s\", not \"%s\"", i, line, cuts[i].shown);
        assert_int_equal(length, strlen(cuts[i].shown));
        assert_int_equal(line[cuts[i].size], '#');
    }
    char untouched = '#';
    assert_int_equal(jz_log_escape("a", 1, &untouched, 0), 0);
    assert_int_equal(untouched, '#');
}

/* For any input the result is UTF-8, within its size, and without control characters. */
static void no_bytes_at_all_make_a_line_that_is_none(void **state)
{
    (void)state;
    test_random random = {7};
    for (int round = 0; round < 20000; round++) {
        char text[64];
        char line[ROOM];
        size_t length = test_random_below(&random, sizeof text);
        size_t size = 1 + test_random_below(&random, round % 2 == 0 ? 40 : sizeof line - 1);
        for (size_t i = 0; i < length; i++) {
            /* Bytes of separators, overrides and C1 more often than others. */
            static const uint8_t likely[] = {0xE2, 0x80, 0xA8, 0xAE, 0x81, 0xA6, 0xC2, 0x85, 0x0A, 0x1B};
            uint64_t choice = test_random_next(&random);
            text[i] = (char)(choice % 2 == 0 ? likely[choice / 2 % sizeof likely] : choice / 2 % 256);
        }
        size_t written = jz_log_escape(text, length, line, size);
        assert_true(written < size);
        assert_int_equal(strlen(line), written);
        assert_true(jz_utf8_is_valid((const uint8_t *)line, written));
        for (size_t i = 0; i < written; i++) {
            uint8_t byte = (uint8_t)line[i];
            uint8_t next = (uint8_t)line[i + 1];
            assert_true(byte >= 0x20 && byte != 0x7F);
            assert_false(byte == 0xC2 && next < 0xA0);
            assert_false(byte == 0xE2 && next == 0x80 && (uint8_t)line[i + 2] >= 0xA8 && (uint8_t)line[i + 2] <= 0xAE);
            assert_false(byte == 0xE2 && next == 0x81 && (uint8_t)line[i + 2] >= 0xA0 && (uint8_t)line[i + 2] <= 0xAF);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_hostile_text_is_shown_in_one_line),
        cmocka_unit_test(a_nul_ends_nothing),
        cmocka_unit_test(what_is_too_long_is_cut_between_characters_and_ends_in_an_ellipsis),
        cmocka_unit_test(no_bytes_at_all_make_a_line_that_is_none),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("lines of the log", tests, NULL, NULL));
}
