/*
 * The application may change which of OpenSSL's providers are used, at any time. This is a program of its own, because
 * that is decided for the whole process.
 */
#include <openssl/core_dispatch.h>
#include <openssl/evp.h>
#include <openssl/provider.h>
#include <pthread.h>

#include "contexts/contexts.h"
#include "support/testing.h"
#include "support/wire.h"

static wire one;
static uint8_t bytes[50 * 1000];
static made authority;
static made client;

/* One that is open to all, and one for clients with certificates. */
typedef struct servers {
    jz_tls *open;
    jz_tls *mutual;
} servers;

static servers servers_create(void)
{
    return (servers){.open = wire_tls(), .mutual = wire_tls_for_clients_of(&authority)};
}

static void servers_free(servers *servers)
{
    jz_tls_free(servers->open);
    jz_tls_free(servers->mutual);
}

static void expect_data_goes_both_ways(void)
{
    size_t sent = 0;
    one.received = one.seen = 0;
    wire_client_send(&one, bytes, sizeof bytes);
    wire_serve(&one, JZ_READABLE);
    assert_int_equal(one.received, sizeof bytes);
    assert_int_equal(wire_send(&one, bytes, 1000, false, &sent), JZ_IO_OK);
    wire_client_receive(&one);
    assert_int_equal(one.seen, 1000);
}

/* A full handshake, and the session resumed; in TLS 1.3 both sides exchange their keys, too. */
static void expect_plan_works(jz_tls *tls, const wire_plan *plan)
{
    SSL_SESSION *session = NULL;
    for (int is_resumed = 0; is_resumed <= 1; is_resumed++) {
        wire_open(&one, tls, plan);
        if (session != NULL)
            SSL_set_session(one.client, session);
        wire_shake_hands(&one);
        assert_that(one.is_ready, "the handshake was lost: %s", wire_failure(&one));
        assert_int_equal(SSL_session_reused(one.client), is_resumed);
        expect_data_goes_both_ways();
        if (plan->version == TLS1_3_VERSION) {
            assert_int_equal(SSL_key_update(one.client, SSL_KEY_UPDATE_REQUESTED), 1);
            expect_data_goes_both_ways();
        }
        SSL_SESSION_free(session);
        session = SSL_get1_session(one.client);
        SSL_set_shutdown(one.client, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
        wire_close(&one);
    }
    SSL_SESSION_free(session);
}

/* `of_client`: where the client's OpenSSL finds what it needs. */
static void expect_work(const servers *servers, OSSL_LIB_CTX *of_client)
{
    const struct {
        jz_tls *tls;
        wire_plan plan;
    } rows[] = {
        {servers->open, {.version = TLS1_3_VERSION, .suites_1_3 = "TLS_AES_128_GCM_SHA256"}},
        {servers->open, {.version = TLS1_3_VERSION, .suites_1_3 = "TLS_AES_256_GCM_SHA384"}},
        {servers->open, {.version = TLS1_3_VERSION, .suites_1_3 = "TLS_CHACHA20_POLY1305_SHA256"}},
        {servers->open, {.version = TLS1_2_VERSION, .suites = "ECDHE-ECDSA-AES128-GCM-SHA256"}},
        {servers->open, {.version = TLS1_2_VERSION, .suites = "ECDHE-ECDSA-AES256-GCM-SHA384"}},
        {servers->open, {.version = TLS1_2_VERSION, .suites = "ECDHE-ECDSA-CHACHA20-POLY1305"}},
        {servers->mutual, {.version = TLS1_3_VERSION, .identity = &client}},
        {servers->mutual, {.version = TLS1_2_VERSION, .identity = &client}},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        wire_plan plan = rows[i].plan;
        plan.library = of_client;
        expect_plan_works(rows[i].tls, &plan);
    }
}

static void expect_notes(const servers *servers, bool notes)
{
    assert_int_equal(jz_tls_library_of(servers->open)->notes_keys, notes);
    assert_int_equal(jz_tls_library_of(servers->mutual)->notes_keys, notes);
}

static void reload(const servers *servers)
{
    jz_error error;
    assert_that(jz_tls_reload(servers->open, &error) == JZ_OK, "%s", error.message);
    assert_that(jz_tls_reload(servers->mutual, &error) == JZ_OK, "%s", error.message);
}

/* Those in use before, the same when they are loaded again, and those made anew: then keys are noted, or told. */
static void expect_all_work(const servers *before, bool are_noted)
{
    expect_work(before, NULL);
    reload(before);
    expect_work(before, NULL);
    servers made = servers_create();
    expect_notes(&made, are_noted);
    expect_work(&made, NULL);
    servers_free(&made);
}

static void properties_may_be_chosen_before_and_while_a_server_runs(void **state)
{
    static const char *const properties[] = {"provider=default", "?provider=default", "fips!=yes",
                                             "?fips=yes",        "?other.kind=yes",   ""};
    (void)state;
    servers first = servers_create();
    expect_notes(&first, true);
    for (size_t i = 0; i < COUNT_OF(properties); i++) {
        assert_int_equal(EVP_set_default_properties(NULL, properties[i]), 1);
        expect_all_work(&first, true);
    }
    servers_free(&first);
}

static void the_default_provider_may_be_unloaded_and_loaded_again(void **state)
{
    (void)state;
    OSSL_PROVIDER *provider = OSSL_PROVIDER_load(NULL, "default");
    servers first = servers_create();
    for (int i = 0; i < 2; i++) {
        assert_int_equal(OSSL_PROVIDER_unload(provider), 1);
        provider = OSSL_PROVIDER_load(NULL, "default");
        assert_non_null(provider);
        expect_all_work(&first, true);
    }
    OSSL_PROVIDER *legacy = OSSL_PROVIDER_load(NULL, "legacy"); /* where it is installed */
    expect_all_work(&first, true);
    if (legacy != NULL)
        OSSL_PROVIDER_unload(legacy);
    expect_all_work(&first, true);
    servers_free(&first);
    OSSL_PROVIDER_unload(provider);
}

static void a_server_needs_no_provider_of_the_application(void **state)
{
    (void)state;
    OSSL_PROVIDER *provider = OSSL_PROVIDER_load(NULL, "default");
    OSSL_LIB_CTX *of_client = OSSL_LIB_CTX_new();
    servers first = servers_create();
    expect_work(&first, of_client);
    OSSL_PROVIDER *base = OSSL_PROVIDER_load(NULL, "base"); /* so that OpenSSL does not fall back */
    assert_int_equal(OSSL_PROVIDER_unload(provider), 1);
    expect_work(&first, of_client);
    reload(&first);
    expect_work(&first, of_client);
    provider = OSSL_PROVIDER_load(NULL, "default");
    OSSL_PROVIDER_unload(base);
    expect_all_work(&first, true);
    servers_free(&first);
    OSSL_LIB_CTX_free(of_client);
    OSSL_PROVIDER_unload(provider);
}

static int begin_stranger(const OSSL_CORE_HANDLE *handle, const OSSL_DISPATCH *in, const OSSL_DISPATCH **out,
                          void **context)
{
    static const OSSL_DISPATCH functions[] = {{0, NULL}};
    static char own;
    (void)handle;
    (void)in;
    *out = functions;
    *context = &own;
    return 1;
}

static OSSL_PROVIDER *load_stranger(OSSL_LIB_CTX *context)
{
    OSSL_PROVIDER_add_builtin(context, "stranger", begin_stranger);
    OSSL_PROVIDER *stranger = OSSL_PROVIDER_load(context, "stranger");
    assert_non_null(stranger);
    return stranger;
}

static void *work_in_a_context_of_its_own(void *first)
{
    OSSL_LIB_CTX *context = OSSL_LIB_CTX_new();
    OSSL_PROVIDER *provider = OSSL_PROVIDER_load(context, "default");
    OSSL_LIB_CTX_set0_default(context);
    expect_all_work(first, true);
    OSSL_PROVIDER *stranger = load_stranger(context);
    expect_all_work(first, false);
    OSSL_PROVIDER_unload(stranger);
    OSSL_LIB_CTX_set0_default(OSSL_LIB_CTX_get0_global_default());
    OSSL_PROVIDER_unload(provider);
    OSSL_LIB_CTX_free(context);
    return NULL;
}

static void a_thread_may_have_a_context_of_its_own(void **state)
{
    (void)state;
    pthread_t thread;
    servers first = servers_create();
    assert_int_equal(pthread_create(&thread, NULL, work_in_a_context_of_its_own, &first), 0);
    pthread_join(thread, NULL);
    expect_all_work(&first, true);
    servers_free(&first);
}

/* It may be there for keys or curves that the default one does not have. */
static void a_provider_of_the_applications_is_respected(void **state)
{
    (void)state;
    servers first = servers_create();
    OSSL_PROVIDER *provider = OSSL_PROVIDER_load(NULL, "default");
    OSSL_PROVIDER *stranger = load_stranger(NULL);
    expect_all_work(&first, false);
    OSSL_PROVIDER_unload(stranger);
    expect_all_work(&first, true);
    servers_free(&first);
    OSSL_PROVIDER_unload(provider);
}

static void *create_without_ciphers(void *message)
{
    OSSL_LIB_CTX *context = OSSL_LIB_CTX_new();
    OSSL_PROVIDER *base = OSSL_PROVIDER_load(context, "base"); /* so that OpenSSL does not fall back */
    OSSL_LIB_CTX_set0_default(context);
    const jz_tls_certificate certificate = {.certificate_file = "nowhere.pem", .key_file = "nowhere.pem"};
    jz_tls_options options = jz_tls_options_default();
    options.certificates = &certificate;
    options.certificate_count = 1;
    jz_error error = {0};
    assert_null(jz_tls_create(&options, &error));
    assert_int_equal(error.status, JZ_STATUS_SYSTEM);
    snprintf(message, sizeof error.message, "%s", error.message);
    OSSL_LIB_CTX_set0_default(OSSL_LIB_CTX_get0_global_default());
    OSSL_PROVIDER_unload(base);
    OSSL_LIB_CTX_free(context);
    return NULL;
}

/* In a thread, whose default context is its own. */
static void without_ciphers_a_server_is_refused_with_a_way_out(void **state)
{
    (void)state;
    pthread_t thread;
    jz_error seen = {0};
    assert_int_equal(pthread_create(&thread, NULL, create_without_ciphers, seen.message), 0);
    pthread_join(thread, NULL);
    assert_string_equal(seen.message,
                        "cannot find SHA256 in any active provider of OpenSSL (unsupported); activate one that has it, "
                        "such as \"default\", in openssl.cnf or the file that OPENSSL_CONF names, and ask for no "
                        "properties that it lacks");
}

static int begin(void **state)
{
    (void)state;
    authority = authority_make(&(plan){.is_authority = true, .common_name = "root"});
    client = authority_make_with_own_key(&(plan){.issuer = &authority, .common_name = "client"});
    return 0;
}

static int end(void **state)
{
    (void)state;
    authority_forget();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(properties_may_be_chosen_before_and_while_a_server_runs),
        cmocka_unit_test(the_default_provider_may_be_unloaded_and_loaded_again),
        cmocka_unit_test(a_server_needs_no_provider_of_the_application),
        cmocka_unit_test(a_thread_may_have_a_context_of_its_own),
        cmocka_unit_test(a_provider_of_the_applications_is_respected),
        cmocka_unit_test(without_ciphers_a_server_is_refused_with_a_way_out),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests(tests, begin, end));
}
