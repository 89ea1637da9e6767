#include "codec/accept_key.h"

#include "support/testing.h"

/* The first row is the example of RFC 6455 §1.3, the others were computed with Python's hashlib and base64. */
static const struct {
    const char *key;
    const char *accept;
} answers[] = {
    {"dGhlIHNhbXBsZSBub25jZQ==", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="},
    {"x3JJHMbDL1EzLkh9GBhXDw==", "HSmrc0sMlYUkAGmm5OPpG2HaGWk="},
    {"AAAAAAAAAAAAAAAAAAAAAA==", "ICX+Yqv66kxgM0FcWaLWlFLwTAI="},
    {"/////////////////////w==", "XXpj4jYzLM2yUE0C7TIgMwTQh2g="},
    {"8PHy8/T19vf4+fr7/P3+/w==", "o1HBjBrgy9KLkiDEDur3dyqqLEs="},
    {"AAECAwQFBgcICQoLDA0ODw==", "Bz3qJYTGdOe8gUSpLosEdiLKDrk="},
};

static void answers_keys_as_the_rfc_computes_it(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(answers); i++) {
        assert_that(jz_client_key_is_valid(answers[i].key, strlen(answers[i].key)), "%s: refused", answers[i].key);
        char accept[JZ_ACCEPT_KEY_LENGTH];
        jz_accept_key(answers[i].key, accept);
        assert_that(memcmp(accept, answers[i].accept, sizeof accept) == 0, "%s: %.28s instead of %s", answers[i].key,
                    accept, answers[i].accept);
    }
}

static const struct {
    const char *name;
    const char *key;
} invalid_keys[] = {
    {"nothing", ""},
    {"padding alone", "=="},
    {"15 bytes", "AAAAAAAAAAAAAAAAAAAA"},
    {"17 bytes", "AAAAAAAAAAAAAAAAAAAAAAA="},
    {"18 bytes", "AAAAAAAAAAAAAAAAAAAAAAAA"},
    {"19 bytes", "AAAAAAAAAAAAAAAAAAAAAAAAAA=="},
    {"16 bytes without padding", "dGhlIHNhbXBsZSBub25jZQ"},
    {"half of the padding", "dGhlIHNhbXBsZSBub25jZQ="},
    {"too much padding", "dGhlIHNhbXBsZSBub25jZQ==="},
    {"a digit behind half of the padding", "dGhlIHNhbXBsZSBub25jZQ=A"},
    {"padding within", "dGhlIHNhbXBsZSBub25j=Q=="},
    {"padding in front", "==dGhlIHNhbXBsZSBub25jZQ"},
    {"a space in front", " dGhlIHNhbXBsZSBub25jZ=="},
    {"a space within", "dGhlIHNhbXBs SBub25jZQ=="},
    {"the URL alphabet's minus", "dGhlIHNhbXBs-SBub25jZQ=="},
    {"the URL alphabet's underscore", "dGhlIHNhbXBs_SBub25jZQ=="},
    {"a byte beyond ASCII", "dGhlIHNhbXBs\xC3SBub25jZQ=="},
    {"a stray bit behind the sixteenth byte", "dGhlIHNhbXBsZSBub25jZR=="},
    {"all stray bits behind the sixteenth byte", "dGhlIHNhbXBsZSBub25jZf=="},
};

static void keys_that_are_not_base64_of_16_bytes_are_invalid(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(invalid_keys); i++)
        assert_that(!jz_client_key_is_valid(invalid_keys[i].key, strlen(invalid_keys[i].key)), "%s: accepted",
                    invalid_keys[i].name);
}

static void a_nul_within_a_key_is_invalid(void **state)
{
    (void)state;
    static const char key[] = "dGhlIHNhbXBs\0SBub25jZQ==";
    assert_int_equal(sizeof key - 1, JZ_CLIENT_KEY_LENGTH);
    assert_false(jz_client_key_is_valid(key, JZ_CLIENT_KEY_LENGTH));
}

/* RFC 4648 §3.5: only four of the 64 digits leave no stray bits there. */
static void the_last_digit_has_four_valid_values(void **state)
{
    (void)state;
    for (unsigned byte = 0; byte <= 0xFF; byte++) {
        char key[] = "AAAAAAAAAAAAAAAAAAAAA?==";
        key[21] = (char)byte;
        bool is_valid = byte == 'A' || byte == 'Q' || byte == 'g' || byte == 'w';
        assert_that(jz_client_key_is_valid(key, JZ_CLIENT_KEY_LENGTH) == is_valid, "last digit %02x", byte);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_keys_as_the_rfc_computes_it),
        cmocka_unit_test(keys_that_are_not_base64_of_16_bytes_are_invalid),
        cmocka_unit_test(a_nul_within_a_key_is_invalid),
        cmocka_unit_test(the_last_digit_has_four_valid_values),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("accept_key", tests, NULL, NULL));
}
