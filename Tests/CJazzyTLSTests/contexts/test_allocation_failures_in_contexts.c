/* Whichever allocation fails, ours or one of OpenSSL's: there is an error, or all works, and nothing leaks or breaks.
 */
#include "support/allocation.h"
#include "support/ocsp.h"
#include "support/openssl_memory.h"
#include "support/setting.h"

/* All that there is: several certificates and kinds, a chain, authorities, a staple, a passphrase, tickets. */
static made root;
static made own;
static made rsa;
static made client;
static jz_tls_certificate given[2];
static jz_tls_options options;
static uint8_t response[OCSP_SIZE];
static const char *const names[] = {"chat.example", "*.chat.example"};
static const char secret[] = "32 bytes that several processes know";

static size_t passphrase(void *context, char *bytes, size_t capacity)
{
    (void)context;
    (void)capacity;
    memcpy(bytes, "secret", 6);
    return 6;
}

static int begin(void **state)
{
    if (setting_begin(state) != 0)
        return -1;
    root = authority_make_with_own_key(&(plan){.is_authority = true, .common_name = "root"});
    own = authority_make_with_own_key(&(plan){.issuer = &root, .names = "DNS:chat.example,DNS:own.example"});
    rsa = authority_make(&(plan){.key = KEY_RSA_2048, .common_name = "chat.example"});
    client = authority_make_with_own_key(&(plan){.issuer = &root, .names = "DNS:client.example,IP:192.0.2.1"});
    given[0] = chain_in_memory(&own, &root);
    given[0].ocsp_file =
        write_bytes("ocsp", response, ocsp_make(&(ocsp_plan){.about = &own, .issuer = &root}, response));
    given[1] = in_files("rsa", &rsa);
    given[1].names = names;
    given[1].name_count = COUNT_OF(names);
    write_file("rsa.key", pem_of_key(&rsa, "secret"));
    given[1].passphrase = passphrase;
    options = options_with(given, COUNT_OF(given));
    options.clients = JZ_TLS_CLIENTS_MAY_IDENTIFY;
    options.client_ca_file = write_file("ca.pem", pem_of_certificates(&root, NULL, NULL));
    options.ticket_secret = secret;
    options.ticket_secret_length = sizeof secret;
    return 0;
}

static void expect_all_works(jz_tls *tls)
{
    handshake handshake =
        handshake_with(tls, &(client_plan){.name = "chat.example", .identity = &client, .asks_for_status = true});
    assert_true(handshake.has_succeeded);
    assert_string_equal(handshake_property(&handshake, "tls.client.san"), "DNS:client.example");
    handshake_end(&handshake);
}

typedef struct failing {
    bool of_openssl;
    size_t step;   /* each so manieth fails: not the same in each round of what allocates */
    size_t fewest; /* that there have to be */
} failing;

static const failing ours = {false, 1, 20};
static const failing of_openssl_in_steps = {true, 431, 10000};

/* One allocation fails, or from one on all. */
static void begin_failing(const failing *failing, size_t first, bool once)
{
    if (failing->of_openssl) {
        openssl_memory_fail_at(first, !once);
        openssl_memory_watch(true);
    } else if (once) {
        test_allocation_fails_once_after(first);
    } else {
        test_allocations_fail_after(first);
    }
}

/* Whether any has failed. */
static bool end_failing(const failing *failing, size_t first)
{
    openssl_memory_watch(false);
    size_t failures = test_allocations_succeed();
    return failing->of_openssl ? openssl_memory_count() > first : failures > 0;
}

/* Returns whether none was to fail any more. */
static bool create_failing(const failing *failing, size_t first, bool once)
{
    jz_error error = {.status = JZ_OK};
    begin_failing(failing, first, once);
    jz_tls *tls = jz_tls_create(&options, &error);
    bool has_failed = end_failing(failing, first);
    assert_that(ERR_peek_error() == 0, "an entry in the error queue, allocation %zu", first);
    assert_that(tls != NULL || (error.status != JZ_OK && error.message[0] != '\0'), "no error, allocation %zu", first);
    assert_that(tls != NULL || has_failed, "an error without reason: %s", error.message);
    assert_that(tls != NULL || failing->of_openssl || error.status == JZ_STATUS_OUT_OF_MEMORY, "%s", error.message);
    jz_tls_free(tls);
    return !has_failed;
}

static void creating_fails_cleanly(void **state)
{
    (void)state;
    const failing *const rows[] = {&ours, &of_openssl_in_steps};
    jz_tls_free(create_with(&options)); /* what OpenSSL keeps once and for all */
    for (size_t row = 0; row < COUNT_OF(rows); row++) {
        for (int once = 0; once <= 1; once++) {
            size_t first = 0;
            while (!create_failing(rows[row], first, once == 1))
                first += rows[row]->step;
            assert_true(first > rows[row]->fewest);
        }
    }
    jz_tls *tls = create_with(&options);
    expect_all_works(tls);
    jz_tls_free(tls);
}

static void a_reload_that_fails_keeps_all_as_it_is(void **state)
{
    (void)state;
    jz_tls *tls = create_with(&options);
    uint64_t failed = 0;
    bool has_failed = true;
    for (size_t first = 0; has_failed; first++) {
        jz_error error = {.status = JZ_OK};
        begin_failing(&ours, first, false);
        jz_status status = first % 2 == 0 ? jz_tls_reload(tls, &error) : jz_tls_replace(tls, given, 2, &error);
        has_failed = end_failing(&ours, first);
        assert_true(status == JZ_OK || (status == JZ_STATUS_OUT_OF_MEMORY && error.status == status && has_failed));
        failed += status != JZ_OK ? 1 : 0;
        assert_int_equal(jz_tls_statistics_of(tls).failed_reloads, failed);
        assert_int_equal(ERR_peek_error(), 0);
    }
    assert_true(failed > 10);
    expect_all_works(tls);
    jz_tls_free(tls);
}

static void a_handshake_fails_alone(void **state)
{
    (void)state;
    jz_tls *tls = create_with(&options);
    const client_plan plan = {.name = "chat.example", .identity = &client, .asks_for_status = true};
    bool has_failed = true;
    size_t failed = 0;
    for (size_t first = 0; has_failed; first += 7) {
        jz_tls_generation *generation = jz_tls_borrow_generation(tls);
        handshake handshake = handshake_prepare(generation, &plan);
        begin_failing(&of_openssl_in_steps, first, true);
        handshake_run(&handshake);
        has_failed = end_failing(&of_openssl_in_steps, first);
        failed += handshake.has_succeeded ? 0 : 1;
        assert_true(handshake.has_succeeded || has_failed);
        handshake_end(&handshake);
        jz_tls_release_generation(generation);
    }
    assert_true(failed > 50);
    expect_all_works(tls);
    jz_tls_free(tls);
}

/* The other properties are still there, and those of the certificate the next time. */
static void properties_of_a_certificate_are_missing_as_a_whole(void **state)
{
    (void)state;
    const failing rows[] = {{true, 1, 0}, {false, 1, 0}};
    jz_tls *tls = create_with(&options);
    handshake handshake = handshake_with(tls, &(client_plan){.name = "chat.example", .identity = &client});
    for (size_t row = 0; row < COUNT_OF(rows); row++) {
        size_t missing = 0;
        bool has_failed = true;
        for (size_t first = 0; has_failed; first++) {
            begin_failing(&rows[row], first, false);
            const char *last = handshake_property(&handshake, "tls.client.san");
            has_failed = end_failing(&rows[row], first);
            assert_true(last == NULL || strcmp(last, "DNS:client.example") == 0);
            missing += last == NULL ? 1 : 0;
            assert_int_equal(ERR_peek_error(), 0);
            assert_string_equal(handshake_property(&handshake, "tls.version"), "TLSv1.3");
            assert_null(handshake_property(&handshake, "none")); /* forgets what is known */
        }
        assert_true(missing > 5);
    }
    assert_non_null(handshake_property(&handshake, "tls.client.fingerprint"));
    handshake_end(&handshake);
    jz_tls_free(tls);
}

int main(void)
{
    openssl_memory_begin();
#define failing_test(function) cmocka_unit_test_setup_teardown(function, begin, setting_end)
    const struct CMUnitTest tests[] = {
        failing_test(creating_fails_cleanly),
        failing_test(a_reload_that_fails_keeps_all_as_it_is),
        failing_test(a_handshake_fails_alone),
        failing_test(properties_of_a_certificate_are_missing_as_a_whole),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests(tests, NULL, NULL));
}
