/* The pseudorandom function of TLS 1.2 derives what OpenSSL's own does, or says that it does not. */
#include <openssl/core_names.h>
#include <openssl/kdf.h>

#include "contexts/choice.h"
#include "contexts/prf.h"
#include "support/openssl_memory.h"
#include "support/random.h"
#include "support/testing.h"

enum { MOST = 200, SEEDS = 3, PLAYS = 2000 };

typedef struct derived {
    const char *digest;
    uint8_t secret[MOST];
    size_t secret_length;
    uint8_t seeds[SEEDS][MOST];
    size_t seed_lengths[SEEDS];
    size_t length;
} derived;

static const jz_tls_library *library(void)
{
    jz_tls_library none;
    return jz_tls_choose_library(&none);
}

static void write_parameters(derived *from, OSSL_PARAM parameters[SEEDS + 3])
{
    char *digest = (char *)(uintptr_t)from->digest;
    *parameters++ = OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0);
    *parameters++ = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SECRET, from->secret, from->secret_length);
    for (size_t i = 0; i < SEEDS; i++)
        *parameters++ = OSSL_PARAM_construct_octet_string(
            OSSL_KDF_PARAM_SEED, from->seed_lengths[i] > 0 ? from->seeds[i] : NULL, from->seed_lengths[i]);
    *parameters = OSSL_PARAM_construct_end();
}

/* Derives both ways, and compares. */
static void compare(derived *from)
{
    OSSL_PARAM parameters[SEEDS + 3];
    uint8_t bytes[2][MOST + 1];
    EVP_KDF *function = EVP_KDF_fetch(NULL, "TLS1-PRF", NULL);
    EVP_KDF_CTX *context = EVP_KDF_CTX_new(function);
    memset(bytes, '#', sizeof bytes);
    write_parameters(from, parameters);
    assert_int_equal(EVP_KDF_derive(context, bytes[0], from->length, parameters), 1);
    assert_true(jz_tls_prf(library(), parameters, bytes[1], from->length));
    assert_memory_equal(bytes[0], bytes[1], sizeof bytes[0]);
    EVP_KDF_CTX_free(context);
    EVP_KDF_free(function);
}

static derived any(test_random *random)
{
    static const char *const digests[] = {"SHA256", "SHA384", "SHA2-256", "SHA2-384"};
    derived from = {.digest = digests[test_random_below(random, COUNT_OF(digests))]};
    from.secret_length = 1 + test_random_below(random, MOST);
    from.length = 1 + test_random_below(random, MOST);
    for (size_t i = 0; i < from.secret_length; i++)
        from.secret[i] = (uint8_t)test_random_below(random, 256);
    for (size_t i = 0; i < SEEDS; i++) {
        from.seed_lengths[i] = i == 0 ? 1 + test_random_below(random, MOST) : test_random_below(random, MOST + 1);
        for (size_t j = 0; j < from.seed_lengths[i]; j++)
            from.seeds[i][j] = (uint8_t)test_random_below(random, 256);
    }
    return from;
}

static void it_derives_what_openssl_derives(void **state)
{
    test_random random = {12};
    (void)state;
    for (int play = 0; play < PLAYS; play++) {
        derived from = any(&random);
        compare(&from);
    }
}

/* The ends of blocks, and the key that is longer than a block of its digest. */
static void so_it_does_at_each_length(void **state)
{
    test_random random = {13};
    (void)state;
    for (size_t length = 1; length <= MOST; length++) {
        derived from = any(&random);
        from.length = length;
        from.secret_length = length;
        compare(&from);
    }
}

static void what_no_handshake_has_is_left_to_openssl(void **state)
{
    char sha256[] = "SHA256";
    char sha512[] = "SHA512";
    char properties[] = "provider=default";
    uint8_t some[8] = "secret";
    const OSSL_PARAM digest = OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, sha256, 0);
    const OSSL_PARAM secret = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SECRET, some, sizeof some);
    const OSSL_PARAM seed = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SEED, some, sizeof some);
    const OSSL_PARAM end = OSSL_PARAM_construct_end();
    const OSSL_PARAM rows[][5] = {
        {end},
        {secret, seed, end},
        {digest, seed, end},
        {digest, OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SECRET, NULL, 0), seed, end},
        {digest, OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SECRET, some, 0), seed, end},
        {OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, sha512, 0), secret, seed, end},
        {digest, OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, sha512, 0), secret, seed, end},
        {digest, OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_PROPERTIES, properties, 0), secret, seed, end},
    };
    const OSSL_PARAM usual[] = {digest, secret, seed, end};
    uint8_t bytes[16];
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        assert_that(!jz_tls_prf(library(), rows[i], bytes, sizeof bytes), "row %zu", i);
    assert_false(jz_tls_prf(library(), NULL, bytes, sizeof bytes));
    assert_true(jz_tls_prf(library(), usual, bytes, sizeof bytes));
}

typedef struct attempt {
    const jz_tls_library *own;
    OSSL_PARAM parameters[SEEDS + 3];
    size_t length;
} attempt;

static bool try_to_derive(void *context)
{
    const attempt *attempt = context;
    uint8_t bytes[MOST];
    return jz_tls_prf(attempt->own, attempt->parameters, bytes, attempt->length);
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
        cmocka_unit_test(so_it_does_at_each_length),
        cmocka_unit_test(what_no_handshake_has_is_left_to_openssl),
        cmocka_unit_test(without_memory_it_says_so_and_leaves_nothing),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests(tests, NULL, NULL));
}
