/* Our provider is there for contexts that ask for it, and for nobody else in the process. */
#include <openssl/kdf.h>
#include <openssl/provider.h>
#include <stdio.h>

#include "contexts/secrets.h"
#include "support/setting.h"

static const char *provider_of(const char *query)
{
    static char name[64];
    EVP_KDF *found = EVP_KDF_fetch(NULL, "TLS13-KDF", query);
    assert_non_null(found);
    snprintf(name, sizeof name, "%s", OSSL_PROVIDER_get0_name(EVP_KDF_get0_provider(found)));
    EVP_KDF_free(found);
    return name;
}

static void nobody_else_finds_our_function(void **state)
{
    (void)state;
    assert_string_equal(provider_of(NULL), "default");
    assert_true(jz_tls_secrets_prepare());
    assert_true(jz_tls_secrets_prepare()); /* again is no harm */
    assert_string_equal(provider_of(NULL), "default");
    assert_string_equal(provider_of(""), "default");
    assert_string_equal(provider_of(jz_tls_secrets_query()), "jazzy-records");
}

/* Handshakes of this thread that nobody collects from leave nothing. */
static void secrets_go_where_they_are_collected(void **state)
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(nobody_else_finds_our_function, setting_begin, setting_end),
        cmocka_unit_test_setup_teardown(secrets_go_where_they_are_collected, setting_begin, setting_end),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests(tests, NULL, NULL));
}
