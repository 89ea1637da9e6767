/* Keys are noted in a library context of ours, which is seen to work, and nowhere else in the process. */
#include <openssl/kdf.h>
#include <openssl/provider.h>
#include <pthread.h>

#include "contexts/choice.h"
#include "contexts/noting.h"
#include "contexts/secrets.h"
#include "contexts/trial.h"
#include "support/openssl_memory.h"
#include "support/setting.h"

enum { THREADS = 4, SERVERS = 20, MOST_GROWTH = 4096 /* bytes */ };

static void expect_provider(OSSL_LIB_CTX *context, const char *function, const char *expected)
{
    EVP_KDF *found = EVP_KDF_fetch(context, function, NULL);
    assert_non_null(found);
    assert_string_equal(OSSL_PROVIDER_get0_name(EVP_KDF_get0_provider(found)), expected);
    EVP_KDF_free(found);
}

static void nobody_else_finds_our_functions(void **state)
{
    static const char *const functions[] = {"TLS13-KDF", "TLS1-PRF"};
    (void)state;
    OSSL_LIB_CTX *other = OSSL_LIB_CTX_new();
    jz_tls_library none;
    const jz_tls_library *library = jz_tls_choose_library(&none);
    assert_true(library->notes_keys);
    assert_ptr_equal(jz_tls_choose_library(&none), library); /* there is one for all */
    for (size_t i = 0; i < COUNT_OF(functions); i++) {
        expect_provider(NULL, functions[i], "default");
        expect_provider(other, functions[i], "default");
        expect_provider(library->context, functions[i], "jazzy-noting");
    }
    assert_int_equal(OSSL_PROVIDER_available(NULL, "jazzy-noting"), 0);
    OSSL_LIB_CTX_free(other);
}

/* As with an OpenSSL that derives keys in another way. */
static void a_trial_fails_where_nothing_is_noted(void **state)
{
    (void)state;
    jz_tls_library library = {.context = OSSL_LIB_CTX_new()};
    assert_true(jz_tls_library_look_up(&library));
    assert_false(jz_tls_trial_succeeds(&library));
    ERR_clear_error();
    jz_tls_library_forget(&library);
    OSSL_LIB_CTX_free(library.context);
}

typedef struct noted {
    jz_tls_library library;
    jz_tls_noting noting;
} noted;

static noted noted_begin(void)
{
    noted made = {.library = {.context = OSSL_LIB_CTX_new()}};
    assert_true(jz_tls_noting_begin(&made.noting, made.library.context));
    assert_true(jz_tls_library_look_up(&made.library));
    return made;
}

static void noted_end(noted *made)
{
    ERR_clear_error();
    jz_tls_library_forget(&made->library);
    jz_tls_noting_end(&made->noting);
    OSSL_LIB_CTX_free(made->library.context);
}

/* As if there had been no memory to look it up: handshakes that choose it would be lost for good. */
static void a_trial_fails_where_something_is_missing(void **state)
{
    (void)state;
    noted made = noted_begin();
    EVP_CIPHER_free(made.library.chacha20);
    made.library.chacha20 = NULL;
    assert_false(jz_tls_trial_succeeds(&made.library));
    assert_true(jz_tls_library_look_up(&made.library));
    assert_true(jz_tls_trial_succeeds(&made.library));
    EVP_KDF_free(made.library.prf);
    made.library.prf = NULL;
    assert_false(jz_tls_trial_succeeds(&made.library));
    noted_end(&made);
}

/* Whatever it lacks memory for, it fails or it succeeds, and leaves nothing. */
static void a_trial_copes_with_allocations_that_fail(void **state)
{
    enum { STEP = 2 }; /* what is put aside for a connection takes two allocations; all of them take long */
    (void)state;
    noted made = noted_begin();
    assert_true(jz_tls_trial_succeeds(&made.library)); /* all that it needs is fetched */
    openssl_memory_fail_at(SIZE_MAX, false);
    openssl_memory_watch(true);
    assert_true(jz_tls_trial_succeeds(&made.library));
    openssl_memory_watch(false);
    size_t half = openssl_memory_count() / 2; /* the first handshake has begun by then, not before the quarter */
    size_t before = openssl_memory_live();
    size_t failed = 0;
    for (size_t number = half / 2; number < half; number += STEP) {
        openssl_memory_fail_at(number, false);
        openssl_memory_watch(true);
        failed += jz_tls_trial_succeeds(&made.library) ? 0 : 1;
        openssl_memory_watch(false);
        ERR_clear_error();
    }
    assert_true(failed > 0);
    assert_that(openssl_memory_live() < before + MOST_GROWTH, "%zu bytes more", openssl_memory_live() - before);
    assert_true(jz_tls_trial_succeeds(&made.library));
    noted_end(&made);
}

/* Handshakes of this thread that nobody collects from leave nothing. */
static void keys_go_where_they_are_collected(void **state)
{
    (void)state;
    const made own = authority_make(&(plan){.names = "DNS:chat.example"});
    const jz_tls_certificate certificate = in_memory(&own);
    jz_tls *tls = create_of(&certificate);
    jz_tls_secrets secrets = {0};
    jz_tls_secrets_collect(&secrets);
    handshake first = handshake_with(tls, &(client_plan){.name = "chat.example", .lowest = TLS1_3_VERSION});
    jz_tls_secrets_collect(NULL);
    assert_true(first.has_succeeded);
    assert_true(secrets.of_client.length > 0 && secrets.of_client.length == secrets.of_server.length);
    assert_true(secrets.of_client.key_length > 0 && secrets.of_client.has_initial);
    assert_true(secrets.of_server.key_length > 0 && secrets.of_server.has_initial);
    assert_memory_not_equal(secrets.of_client.secret, secrets.of_server.secret, secrets.of_client.length);
    assert_memory_not_equal(secrets.of_client.key, secrets.of_server.key, secrets.of_client.key_length);
    const jz_tls_secrets before = secrets;
    handshake second = handshake_with(tls, &(client_plan){.name = "chat.example", .lowest = TLS1_3_VERSION});
    assert_true(second.has_succeeded);
    assert_memory_equal(&secrets, &before, sizeof secrets);
    handshake_end(&first);
    handshake_end(&second);
    jz_tls_free(tls);
}

static void *choose(void *none)
{
    jz_tls_library of_application;
    (void)none;
    return (void *)(uintptr_t)jz_tls_choose_library(&of_application);
}

static void many_threads_get_the_same(void **state)
{
    (void)state;
    pthread_t threads[THREADS];
    jz_tls_library none;
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, choose, NULL), 0);
    for (size_t i = 0; i < THREADS; i++) {
        void *chosen;
        pthread_join(threads[i], &chosen);
        assert_ptr_equal(chosen, jz_tls_choose_library(&none));
    }
}

static void servers_that_come_and_go_take_no_more_memory(void **state)
{
    (void)state;
    const made own = authority_make(&(plan){.names = "DNS:chat.example"});
    const jz_tls_certificate certificate = in_memory(&own);
    jz_tls_free(create_of(&certificate));
    size_t before = openssl_memory_live();
    for (int i = 0; i < SERVERS; i++)
        jz_tls_free(create_of(&certificate));
    assert_that(openssl_memory_live() < before + MOST_GROWTH, "%zu bytes more", openssl_memory_live() - before);
}

int main(void)
{
    openssl_memory_begin();
    const struct CMUnitTest tests[] = {
        /* The first of them makes it. */
        cmocka_unit_test_setup_teardown(many_threads_get_the_same, setting_begin, setting_end),
        cmocka_unit_test_setup_teardown(nobody_else_finds_our_functions, setting_begin, setting_end),
        cmocka_unit_test_setup_teardown(a_trial_fails_where_nothing_is_noted, setting_begin, setting_end),
        cmocka_unit_test_setup_teardown(a_trial_fails_where_something_is_missing, setting_begin, setting_end),
        cmocka_unit_test_setup_teardown(a_trial_copes_with_allocations_that_fail, setting_begin, setting_end),
        cmocka_unit_test_setup_teardown(keys_go_where_they_are_collected, setting_begin, setting_end),
        cmocka_unit_test_setup_teardown(servers_that_come_and_go_take_no_more_memory, setting_begin, setting_end),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests(tests, NULL, NULL));
}
