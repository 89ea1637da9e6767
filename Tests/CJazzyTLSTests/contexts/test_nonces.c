/* The ciphers of our library context do what the default provider's do, and know the length of their nonces. */
#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/provider.h>

#include "contexts/choice.h"
#include "contexts/nonces.h"
#include "records/records.h"
#include "support/testing.h"

enum { LENGTH = 1000, TAG = 16 };

static const char *const names[] = {"AES-128-GCM", "AES-256-GCM", "ChaCha20-Poly1305"};
static const uint8_t key[32] = "the key of a test";
static const uint8_t header[5] = "head";

static const jz_tls_library *own(void)
{
    jz_tls_library none;
    return jz_tls_choose_library(&none);
}

static EVP_CIPHER *fetch(OSSL_LIB_CTX *context, const char *name, const char *provider)
{
    EVP_CIPHER *cipher = EVP_CIPHER_fetch(context, name, NULL);
    assert_non_null(cipher);
    assert_string_equal(OSSL_PROVIDER_get0_name(EVP_CIPHER_get0_provider(cipher)), provider);
    return cipher;
}

/* Encrypts a text with a header and a nonce that ends with `last`, and its tag behind it. */
static void encrypt(EVP_CIPHER_CTX *context, uint8_t last, uint8_t sealed[LENGTH + TAG])
{
    static const uint8_t text[LENGTH] = "a text";
    const uint8_t nonce[JZ_TLS_NONCE] = {[JZ_TLS_NONCE - 1] = last};
    int length;
    assert_int_equal(EVP_CipherInit_ex2(context, NULL, NULL, nonce, -1, NULL), 1);
    assert_int_equal(EVP_EncryptUpdate(context, NULL, &length, header, sizeof header), 1);
    assert_int_equal(EVP_EncryptUpdate(context, sealed, &length, text, LENGTH), 1);
    assert_int_equal(EVP_EncryptFinal_ex(context, sealed + LENGTH, &length), 1);
    assert_int_equal(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, TAG, sealed + LENGTH), 1);
}

static bool decrypts(EVP_CIPHER_CTX *context, uint8_t last, uint8_t sealed[LENGTH + TAG])
{
    const uint8_t nonce[JZ_TLS_NONCE] = {[JZ_TLS_NONCE - 1] = last};
    uint8_t text[LENGTH];
    int length;
    assert_int_equal(EVP_DecryptInit_ex2(context, NULL, key, nonce, NULL), 1);
    assert_int_equal(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, TAG, sealed + LENGTH), 1);
    assert_int_equal(EVP_DecryptUpdate(context, NULL, &length, header, sizeof header), 1);
    assert_int_equal(EVP_DecryptUpdate(context, text, &length, sealed, LENGTH), 1);
    return EVP_DecryptFinal_ex(context, text, &length) == 1 && memcmp(text, "a text", 7) == 0;
}

static void what_they_encrypt_is_what_the_default_provider_encrypts(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        EVP_CIPHER *ciphers[] = {fetch(own()->context, names[i], "jazzy-noting"), fetch(NULL, names[i], "default")};
        EVP_CIPHER_CTX *contexts[] = {EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_new()};
        uint8_t sealed[2][LENGTH + TAG];
        for (size_t j = 0; j < 2; j++)
            assert_int_equal(EVP_EncryptInit_ex2(contexts[j], ciphers[j], key, NULL, NULL), 1);
        for (uint8_t last = 0; last < 5; last++) {
            for (size_t j = 0; j < 2; j++)
                encrypt(contexts[j], last, sealed[j]);
            assert_memory_equal(sealed[0], sealed[1], sizeof sealed[0]);
        }
        for (size_t j = 0; j < 2; j++) {
            assert_true(decrypts(contexts[j], 4, sealed[j]));
            assert_false(decrypts(contexts[j], 3, sealed[j]));
            sealed[j][LENGTH] ^= 1;
            assert_false(decrypts(contexts[j], 4, sealed[j]));
            EVP_CIPHER_CTX_free(contexts[j]);
            EVP_CIPHER_free(ciphers[j]);
        }
    }
}

static void they_answer_all_that_the_default_provider_answers(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        EVP_CIPHER *ciphers[] = {fetch(own()->context, names[i], "jazzy-noting"), fetch(NULL, names[i], "default")};
        size_t answers[2][4] = {{0}};
        for (size_t j = 0; j < 2; j++) {
            EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
            assert_int_equal(EVP_EncryptInit_ex2(context, ciphers[j], key, NULL, NULL), 1);
            OSSL_PARAM several[] = {OSSL_PARAM_construct_size_t(OSSL_CIPHER_PARAM_IVLEN, &answers[j][0]),
                                    OSSL_PARAM_construct_size_t(OSSL_CIPHER_PARAM_KEYLEN, &answers[j][1]),
                                    OSSL_PARAM_construct_end()};
            OSSL_PARAM other[] = {OSSL_PARAM_construct_size_t(OSSL_CIPHER_PARAM_AEAD_TAGLEN, &answers[j][2]),
                                  OSSL_PARAM_construct_end()};
            assert_int_equal(EVP_CIPHER_CTX_get_params(context, several), 1);
            assert_int_equal(EVP_CIPHER_CTX_get_params(context, other), 1);
            answers[j][3] = (size_t)EVP_CIPHER_CTX_get_iv_length(context);
            assert_int_equal(answers[j][3], JZ_TLS_NONCE);
            EVP_CIPHER_CTX_free(context);
            EVP_CIPHER_free(ciphers[j]);
        }
        assert_memory_equal(answers[0], answers[1], sizeof answers[0]);
    }
}

static int answer_nothing(void *context, OSSL_PARAM parameters[])
{
    (void)context;
    (void)parameters;
    return 0;
}

/* As with an OpenSSL that has others, or has them made otherwise. */
static void ciphers_that_are_made_otherwise_are_left_out(void **state)
{
    static const OSSL_DISPATCH none[] = {{0, NULL}};
    static const OSSL_DISPATCH some[] = {{OSSL_FUNC_CIPHER_GET_CTX_PARAMS, (void (*)(void))answer_nothing}, {0, NULL}};
    static const OSSL_ALGORITHM all[] = {{"AES-128-GCM-SIV", "", some, NULL},
                                         {"AES-128-GCM", "", none, NULL},
                                         {"AES-256-GCM:2.16.840.1.101.3.4.1.46", "", some, NULL},
                                         {NULL, NULL, NULL, NULL}};
    (void)state;
    const OSSL_ALGORITHM *taken = jz_tls_nonces_take(all, "a.property=yes");
    assert_string_equal(taken[0].algorithm_names, "AES-256-GCM");
    assert_string_equal(taken[0].property_definition, "a.property=yes");
    assert_null(taken[1].algorithm_names);
    assert_null(jz_tls_nonces_take(NULL, "a.property=yes")[0].algorithm_names);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_they_encrypt_is_what_the_default_provider_encrypts),
        cmocka_unit_test(they_answer_all_that_the_default_provider_answers),
        cmocka_unit_test(ciphers_that_are_made_otherwise_are_left_out),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests(tests, NULL, NULL));
}
