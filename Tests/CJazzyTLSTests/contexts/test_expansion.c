/* HKDF-Expand-Label derives what OpenSSL's own does, or says that it does not. */
#include <openssl/core_names.h>
#include <openssl/kdf.h>

#include "contexts/choice.h"
#include "contexts/expansion.h"
#include "support/openssl_memory.h"
#include "support/random.h"
#include "support/testing.h"

enum { MOST_KEY = 200, MOST_TEXT = 255, MOST_LENGTH = 48, MOST_PARAMETERS = 7, PLAYS = 2000 };

typedef struct derived {
    int mode;
    const char *digest;
    uint8_t key[MOST_KEY];
    uint8_t prefix[MOST_TEXT];
    uint8_t label[MOST_TEXT];
    uint8_t data[MOST_TEXT];
    size_t key_length;
    size_t prefix_length;
    size_t label_length;
    size_t data_length;
    size_t length;
} derived;

static const jz_tls_library *library(void)
{
    jz_tls_library none;
    return jz_tls_choose_library(&none);
}

static void write_parameters(derived *from, OSSL_PARAM parameters[MOST_PARAMETERS])
{
    char *digest = (char *)(uintptr_t)from->digest;
    *parameters++ = OSSL_PARAM_construct_int(OSSL_KDF_PARAM_MODE, &from->mode);
    *parameters++ = OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0);
    *parameters++ = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, from->key, from->key_length);
    *parameters++ = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_PREFIX, from->prefix, from->prefix_length);
    *parameters++ = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_LABEL, from->label, from->label_length);
    if (from->data_length > 0)
        *parameters++ = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_DATA, from->data, from->data_length);
    *parameters = OSSL_PARAM_construct_end();
}

static void fill(test_random *random, uint8_t *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++)
        bytes[i] = (uint8_t)test_random_below(random, 256);
}

/* Prefix and label have room in one byte of length. */
static derived any(test_random *random)
{
    static const struct {
        const char *name;
        size_t size;
    } digests[] = {{"SHA256", 32}, {"SHA2-256", 32}, {"SHA384", 48}, {"SHA2-384", 48}};
    size_t digest = test_random_below(random, COUNT_OF(digests));
    derived from = {.mode = EVP_KDF_HKDF_MODE_EXPAND_ONLY, .digest = digests[digest].name};
    from.key_length = 1 + test_random_below(random, MOST_KEY);
    from.prefix_length = 1 + test_random_below(random, 20);
    from.label_length = 1 + test_random_below(random, 200);
    from.data_length = test_random_below(random, 200);
    from.length = 1 + test_random_below(random, digests[digest].size);
    fill(random, from.key, from.key_length);
    fill(random, from.prefix, from.prefix_length);
    fill(random, from.label, from.label_length);
    fill(random, from.data, from.data_length);
    return from;
}

/* Derives both ways, and compares. */
static void compare(derived *from)
{
    OSSL_PARAM parameters[MOST_PARAMETERS];
    uint8_t bytes[2][MOST_LENGTH + 1];
    EVP_KDF *function = EVP_KDF_fetch(NULL, "TLS13-KDF", NULL);
    EVP_KDF_CTX *context = EVP_KDF_CTX_new(function);
    memset(bytes, '#', sizeof bytes);
    write_parameters(from, parameters);
    assert_int_equal(EVP_KDF_derive(context, bytes[0], from->length, parameters), 1);
    assert_true(jz_tls_expand_label(library(), parameters, bytes[1], from->length));
    assert_memory_equal(bytes[0], bytes[1], sizeof bytes[0]);
    EVP_KDF_CTX_free(context);
    EVP_KDF_free(function);
}

static void it_derives_what_openssl_derives(void **state)
{
    test_random random = {13};
    (void)state;
    for (int play = 0; play < PLAYS; play++) {
        derived from = any(&random);
        compare(&from);
    }
}

static bool derives(derived *from)
{
    OSSL_PARAM parameters[MOST_PARAMETERS];
    uint8_t bytes[4 * MOST_LENGTH];
    write_parameters(from, parameters);
    return jz_tls_expand_label(library(), parameters, bytes, from->length);
}

static void what_no_handshake_has_is_left_to_openssl(void **state)
{
    static const derived rows[] = {
        {EVP_KDF_HKDF_MODE_EXTRACT_ONLY, "SHA256", .key_length = 1, .prefix_length = 1, .label_length = 1, .length = 1},
        {2, "SHA512", .key_length = 1, .prefix_length = 1, .label_length = 1, .length = 1},
        {2, "SHA256", .key_length = 0, .prefix_length = 1, .label_length = 1, .length = 1},
        {2, "SHA256", .key_length = 1, .prefix_length = 0, .label_length = 1, .length = 1},
        {2, "SHA256", .key_length = 1, .prefix_length = 1, .label_length = 0, .length = 1},
        {2, "SHA256", .key_length = 1, .prefix_length = 1, .label_length = 255, .length = 1},
        {2, "SHA256", .key_length = 1, .prefix_length = 1, .label_length = 1, .length = 0},
        {2, "SHA256", .key_length = 1, .prefix_length = 1, .label_length = 1, .length = 33},
        {2, "SHA384", .key_length = 1, .prefix_length = 1, .label_length = 1, .length = 49},
    };
    derived usual = {2, "SHA256", .key_length = 1, .prefix_length = 1, .label_length = 254, .length = 32};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        derived row = rows[i];
        assert_that(!derives(&row), "row %zu", i);
    }
    assert_true(derives(&usual));
    uint8_t bytes[1];
    OSSL_PARAM strange[] = {OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, bytes, 1),
                            OSSL_PARAM_construct_end()};
    assert_false(jz_tls_expand_label(library(), strange, bytes, 1));
    assert_false(jz_tls_expand_label(library(), NULL, bytes, 1));
}

typedef struct attempt {
    const jz_tls_library *own;
    OSSL_PARAM parameters[MOST_PARAMETERS];
    size_t length;
} attempt;

static bool try_to_derive(void *context)
{
    const attempt *attempt = context;
    uint8_t bytes[MOST_LENGTH];
    return jz_tls_expand_label(attempt->own, attempt->parameters, bytes, attempt->length);
}

static void without_memory_it_says_so_and_leaves_nothing(void **state)
{
    test_random random = {14};
    derived from = any(&random);
    attempt attempt = {.own = library(), .length = from.length};
    (void)state;
    write_parameters(&from, attempt.parameters);
    assert_true(try_to_derive(&attempt));
    openssl_memory_expect_failures(try_to_derive, &attempt);
}

int main(void)
{
    openssl_memory_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_derives_what_openssl_derives),
        cmocka_unit_test(what_no_handshake_has_is_left_to_openssl),
        cmocka_unit_test(without_memory_it_says_so_and_leaves_nothing),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests(tests, NULL, NULL));
}
