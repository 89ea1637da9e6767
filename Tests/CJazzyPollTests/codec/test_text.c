#include "codec/text.h"

#include "support/testing.h"

static const struct {
    const char *a;
    const char *b;
    bool are_equal;
    bool are_equal_ignoring_case;
} pairs[] = {
    {"", "", true, true},
    {"upgrade", "upgrade", true, true},
    {"Upgrade", "uPGRADE", false, true},
    {"AZ", "az", false, true},
    {"upgrade", "upgrades", false, false},
    {"upgrade", "", false, false},
    {"upgrade", "upgradf", false, false},
    {"a-b", "A-B", false, true},
    {"Sec-WebSocket-Key", "sec-websocket-KEY", false, true},
    {"Sec-WebSocket-Key", "Sec-WebSocket-Kez", false, false},
    {"Sec-WebSocket-Key", "Sed-WebSocket-Key", false, false},
    {"@", "`", false, false},               /* just below the letters, and as far apart as the cases */
    {"[", "{", false, false},               /* just above them */
    {"\xC3\xA9", "\xC3\x89", false, false}, /* é and É: only ASCII has cases here */
    {"\xC1", "\xE1", false, false},         /* the same in Latin 1 */
};

static void compares_with_and_without_regard_to_ascii_case(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(pairs); i++) {
        jz_text a = jz_text_of(pairs[i].a);
        jz_text b = jz_text_of(pairs[i].b);
        assert_that(jz_text_equals(a, b) == pairs[i].are_equal, "'%s' and '%s'", pairs[i].a, pairs[i].b);
        assert_that(jz_text_equals(b, a) == pairs[i].are_equal, "'%s' and '%s'", pairs[i].b, pairs[i].a);
        assert_that(jz_text_equals_ignoring_case(a, b) == pairs[i].are_equal_ignoring_case,
                    "'%s' and '%s' ignoring case", pairs[i].a, pairs[i].b);
        assert_that(jz_text_equals_ignoring_case(b, a) == pairs[i].are_equal_ignoring_case,
                    "'%s' and '%s' ignoring case", pairs[i].b, pairs[i].a);
    }
}

static void every_pair_of_bytes_is_equal_ignoring_case_only_if_it_is_one_ascii_letter(void **state)
{
    (void)state;
    static const char letters[] = "AaBbCcDdEeFfGgHhIiJjKkLlMmNnOoPpQqRrSsTtUuVvWwXxYyZz";
    for (unsigned first = 0; first <= 0xFF; first++) {
        for (unsigned second = 0; second <= 0xFF; second++) {
            char a = (char)first;
            char b = (char)second;
            const char *place_of_a = memchr(letters, a, sizeof letters - 1);
            const char *place_of_b = memchr(letters, b, sizeof letters - 1);
            bool are_one_letter =
                place_of_a != NULL && place_of_b != NULL && (place_of_a - letters) / 2 == (place_of_b - letters) / 2;
            assert_that(jz_text_equals_ignoring_case((jz_text){&a, 1}, (jz_text){&b, 1}) == (a == b || are_one_letter),
                        "%02x and %02x", first, second);
        }
    }
}

static void a_nul_is_a_character_like_any_other(void **state)
{
    (void)state;
    assert_false(jz_text_equals((jz_text){"a\0b", 3}, (jz_text){"a\0c", 3}));
    assert_false(jz_text_equals_ignoring_case((jz_text){"a\0b", 3}, (jz_text){"a\0c", 3}));
    assert_true(jz_text_equals_ignoring_case((jz_text){"a\0b", 3}, (jz_text){"A\0B", 3}));
}

static void an_empty_text_may_have_no_start(void **state)
{
    (void)state;
    jz_text none = {NULL, 0};
    assert_true(jz_text_equals(none, jz_text_of("")));
    assert_true(jz_text_equals_ignoring_case(none, jz_text_of("")));
    assert_int_equal(jz_text_trim(none).length, 0);
}

static const struct {
    const char *text;
    const char *trimmed;
} trimmings[] = {
    {"", ""},
    {"value", "value"},
    {" value", "value"},
    {"value ", "value"},
    {" \t value\t \t", "value"},
    {"two words", "two words"},
    {" two\t words ", "two\t words"},
    {" ", ""},
    {"\t \t", ""},
    {"\rvalue\n", "\rvalue\n"}, /* no optional white space in HTTP */
    {"\vvalue\f", "\vvalue\f"},
    {"\xC2\xA0value", "\xC2\xA0value"},
};

static void trims_spaces_and_tabs_and_nothing_else(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(trimmings); i++) {
        jz_text trimmed = jz_text_trim(jz_text_of(trimmings[i].text));
        assert_that(jz_text_equals(trimmed, jz_text_of(trimmings[i].trimmed)), "'%s' became '%.*s'", trimmings[i].text,
                    (int)trimmed.length, trimmed.start);
    }
}

static void trimming_stays_within_the_text(void **state)
{
    (void)state;
    static const char surroundings[] = "    middle    ";
    jz_text trimmed = jz_text_trim((jz_text){surroundings + 2, 2});
    assert_int_equal(trimmed.length, 0);
    trimmed = jz_text_trim((jz_text){surroundings + 2, sizeof surroundings - 1 - 4});
    assert_ptr_equal(trimmed.start, surroundings + 4);
    assert_int_equal(trimmed.length, strlen("middle"));
}

static const struct {
    const char *text;
    const char *pieces; /* each with a '|' behind it */
} divisions[] = {
    {"", ""},      {"a", "a|"},  {"a,b", "a|b|"}, {"a,,b", "a||b|"},       {",", "|"},
    {",a", "|a|"}, {"a,", "a|"}, {",,", "||"},    {" a , b ", " a | b |"}, {"one;two", "one;two|"},
};

static void a_text_is_divided_into_what_is_between_separators(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(divisions); i++) {
        char pieces[32] = "";
        jz_text rest = jz_text_of(divisions[i].text);
        jz_text piece;
        while (jz_text_take_piece(&rest, ',', &piece)) {
            strncat(pieces, piece.start, piece.length);
            strcat(pieces, "|");
        }
        assert_that(strcmp(pieces, divisions[i].pieces) == 0, "'%s' was divided into '%s'", divisions[i].text, pieces);
        assert_ptr_equal(rest.start, divisions[i].text + strlen(divisions[i].text));
    }
    jz_text none = {NULL, 0};
    assert_false(jz_text_take_piece(&none, ',', &none));
}

static void nothing_is_taken_up_to_a_separator_that_is_not_there(void **state)
{
    (void)state;
    jz_text rest = {"name=value=", 6};
    jz_text taken = jz_text_of("untouched");
    assert_true(jz_text_take_until(&rest, '=', &taken));
    assert_true(jz_text_equals(taken, jz_text_of("name")));
    assert_true(jz_text_equals(rest, jz_text_of("v")));
    assert_false(jz_text_take_until(&rest, '=', &taken));
    assert_true(jz_text_equals(taken, jz_text_of("name")));
    assert_true(jz_text_equals(rest, jz_text_of("v")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(compares_with_and_without_regard_to_ascii_case),
        cmocka_unit_test(every_pair_of_bytes_is_equal_ignoring_case_only_if_it_is_one_ascii_letter),
        cmocka_unit_test(a_nul_is_a_character_like_any_other),
        cmocka_unit_test(an_empty_text_may_have_no_start),
        cmocka_unit_test(trims_spaces_and_tabs_and_nothing_else),
        cmocka_unit_test(trimming_stays_within_the_text),
        cmocka_unit_test(a_text_is_divided_into_what_is_between_separators),
        cmocka_unit_test(nothing_is_taken_up_to_a_separator_that_is_not_there),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("text", tests, NULL, NULL));
}
