#include "codec/token.h"

#include "support/testing.h"

enum { LENGTH = 21, BYTES = 256 };

/* One byte among others, at any place: bytes are looked at together. */
static jz_text text_with(char text[LENGTH], unsigned byte, size_t place)
{
    memset(text, 'a', LENGTH);
    text[place] = (char)byte;
    return (jz_text){text, LENGTH};
}

static bool is_of_token(unsigned byte)
{
    static const char characters[] = "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    return byte != 0 && byte < 0x80 && strchr(characters, (char)byte) != NULL;
}

/* RFC 9110 §5.6.2. */
static void a_token_has_77_characters_to_choose_from(void **state)
{
    (void)state;
    char text[LENGTH];
    for (unsigned byte = 0; byte < BYTES; byte++) {
        for (size_t place = 0; place < LENGTH; place++) {
            jz_text whole = text_with(text, byte, place);
            jz_text rest = whole;
            assert_that(jz_is_token(whole) == is_of_token(byte), "%02x at %zu", byte, place);
            assert_int_equal(jz_take_token(&rest).length, is_of_token(byte) ? LENGTH : place);
        }
    }
    assert_false(jz_is_token((jz_text){text, 0}));
}

/* RFC 9110 §5.5. */
static void a_field_value_has_no_control_character_but_tabs(void **state)
{
    (void)state;
    char text[LENGTH];
    for (unsigned byte = 0; byte < BYTES; byte++) {
        bool is_valid = (byte >= 0x20 && byte != 0x7F) || byte == '\t';
        for (size_t place = 0; place < LENGTH; place++)
            assert_that(jz_is_field_value(text_with(text, byte, place)) == is_valid, "%02x at %zu", byte, place);
    }
    assert_true(jz_is_field_value((jz_text){text, 0}));
}

/* Whatever is behind it. */
static void the_first_control_character_is_found(void **state)
{
    (void)state;
    static const char controls[] = {0x00, 0x01, '\t', '\n', '\r', 0x1F, 0x7F};
    static const char others[] = {' ', '!', '~', (char)0x80, (char)0xFF, '\r', 0x7F};
    for (size_t i = 0; i < COUNT_OF(controls); i++) {
        for (size_t j = 0; j < COUNT_OF(others); j++) {
            for (size_t place = 0; place <= 8; place++) {
                char text[9];
                memset(text, 'a', sizeof text);
                memset(text + place, others[j], sizeof text - place);
                text[place] = controls[i];
                assert_that(jz_count_before_control(text) == place, "%02x at %zu before %02x", controls[i], place,
                            (unsigned char)others[j]);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_token_has_77_characters_to_choose_from),
        cmocka_unit_test(a_field_value_has_no_control_character_but_tabs),
        cmocka_unit_test(the_first_control_character_is_found),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("token", tests, NULL, NULL));
}
