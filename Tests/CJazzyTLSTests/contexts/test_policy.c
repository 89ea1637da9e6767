/* Which versions, suites, groups and protocols are spoken. */
#define _DEFAULT_SOURCE

#include <sys/wait.h>
#include <unistd.h>

#include "support/setting.h"

static jz_tls *create_for(jz_tls_policy policy, key_kind key)
{
    made own = authority_make(&(plan){.key = key, .names = "DNS:chat.example"});
    jz_tls_certificate given = in_memory(&own);
    jz_tls_options options = options_with(&given, 1);
    options.policy = policy;
    return create_with(&options);
}

static bool succeeds(jz_tls *tls, const client_plan *plan)
{
    handshake handshake = handshake_with(tls, plan);
    bool has_succeeded = handshake.has_succeeded;
    handshake_end(&handshake);
    return has_succeeded;
}

static void versions_are_those_of_the_policy(void **state)
{
    (void)state;
    const struct {
        int version;
        bool is_compatible;
        bool is_modern;
    } rows[] = {
        {TLS1_VERSION, false, false},
        {TLS1_1_VERSION, false, false},
        {TLS1_2_VERSION, true, false},
        {TLS1_3_VERSION, true, true},
    };
    jz_tls *compatible = create_for(JZ_TLS_COMPATIBLE, KEY_P256);
    jz_tls *modern = create_for(JZ_TLS_MODERN, KEY_P256);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const client_plan plan = {.lowest = rows[i].version, .highest = rows[i].version, .suites = "ALL:@SECLEVEL=0"};
        assert_that(succeeds(compatible, &plan) == rows[i].is_compatible, "version %x", (unsigned)rows[i].version);
        assert_that(succeeds(modern, &plan) == rows[i].is_modern, "version %x", (unsigned)rows[i].version);
    }
    jz_tls_free(modern);
    jz_tls_free(compatible);
}

/* All suites that OpenSSL has for TLS 1.2 are tried: no other is spoken. */
static void suites_of_tls_1_2_are_the_secure_ones(void **state)
{
    (void)state;
    static const struct {
        key_kind key;
        const char *spoken;
    } rows[] = {
        {KEY_P256, " ECDHE-ECDSA-AES128-GCM-SHA256 ECDHE-ECDSA-AES256-GCM-SHA384 ECDHE-ECDSA-CHACHA20-POLY1305 "},
        {KEY_RSA_2048, " ECDHE-RSA-AES128-GCM-SHA256 ECDHE-RSA-AES256-GCM-SHA384 ECDHE-RSA-CHACHA20-POLY1305 "},
    };
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    assert_int_equal(SSL_CTX_set_cipher_list(context, "ALL:COMPLEMENTOFALL:@SECLEVEL=0"), 1);
    STACK_OF(SSL_CIPHER) *all = SSL_CTX_get_ciphers(context);
    assert_true(sk_SSL_CIPHER_num(all) > 50);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        jz_tls *tls = create_for(JZ_TLS_COMPATIBLE, rows[i].key);
        for (int suite = 0; suite < sk_SSL_CIPHER_num(all); suite++) {
            const char *name = SSL_CIPHER_get_name(sk_SSL_CIPHER_value(all, suite));
            if (strncmp(name, "TLS_", 4) == 0)
                continue; /* of TLS 1.3 */
            bool is_spoken = strstr(rows[i].spoken, joined(" ", joined(name, " "))) != NULL;
            const client_plan plan = {.highest = TLS1_2_VERSION, .suites = joined(name, ":@SECLEVEL=0")};
            assert_that(succeeds(tls, &plan) == is_spoken, "%s", name);
        }
        jz_tls_free(tls);
    }
    SSL_CTX_free(context);
}

static void expect_suite(jz_tls *tls, const client_plan *plan, const char *suite)
{
    handshake handshake = handshake_with(tls, plan);
    assert_true(handshake.has_succeeded);
    assert_string_equal(handshake_property(&handshake, "tls.cipher"), suite);
    handshake_end(&handshake);
}

static void aes_is_preferred_unless_a_client_prefers_chacha20(void **state)
{
    (void)state;
    jz_tls *tls = create_for(JZ_TLS_COMPATIBLE, KEY_P256);
    client_plan plan = {.suites_1_3 = "TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256"};
    expect_suite(tls, &plan, "TLS_AES_128_GCM_SHA256");
    plan.suites_1_3 = "TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384";
    expect_suite(tls, &plan, "TLS_CHACHA20_POLY1305_SHA256");
    plan = (client_plan){.highest = TLS1_2_VERSION,
                         .suites = "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-GCM-SHA256"};
    expect_suite(tls, &plan, "ECDHE-ECDSA-AES128-GCM-SHA256");
    plan.suites = "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES128-GCM-SHA256";
    expect_suite(tls, &plan, "ECDHE-ECDSA-CHACHA20-POLY1305");
    jz_tls_free(tls);
}

/* In a process of its own: OpenSSL is told by a variable, before it begins, that the processor is an older one. */
static const char without_aes[] = "--without-aes";

static void prefer_chacha20(void **state)
{
    (void)state;
    jz_tls *tls = create_for(JZ_TLS_COMPATIBLE, KEY_P256);
    expect_suite(tls, &(client_plan){0}, "TLS_CHACHA20_POLY1305_SHA256");
    expect_suite(tls, &(client_plan){.highest = TLS1_2_VERSION}, "ECDHE-ECDSA-CHACHA20-POLY1305");
    jz_tls_free(tls);
}

static void chacha20_is_preferred_on_a_processor_without_aes(void **state)
{
    (void)state;
#ifndef __x86_64__
    skip(); /* the variable is another one there */
#endif
    int status = -1;
    pid_t child = fork();
    if (child == 0) {
        setenv("OPENSSL_ia32cap", "~0x200000200000000", 1);
        execl("/proc/self/exe", "test_policy", without_aes, (char *)NULL);
        _exit(EXIT_FAILURE);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static void groups_are_the_fast_ones(void **state)
{
    (void)state;
    const struct {
        const char *group;
        bool is_spoken;
    } rows[] = {{"X25519", true}, {"P-256", true}, {"P-384", true}, {"P-521", false}, {"ffdhe2048", false}};
    jz_tls *tls = create_for(JZ_TLS_COMPATIBLE, KEY_P256);
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        assert_that(succeeds(tls, &(client_plan){.groups = rows[i].group}) == rows[i].is_spoken, "%s", rows[i].group);
    jz_tls_free(tls);
}

static void http_1_1_is_chosen_by_alpn(void **state)
{
    (void)state;
    const struct {
        const char *offered;
        const char *chosen; /* NULL: the client is refused */
    } rows[] = {
        {NULL, ""},
        {"\x08http/1.1", "http/1.1"},
        {"\x08http/1.0", "http/1.0"},
        {"\x02h2\x08http/1.1", "http/1.1"},
        {"\x08http/1.0\x08http/1.1", "http/1.1"},
        {"\x02h2", NULL},
        {"\x02h2\x08spdy/3.1", NULL},
        {"\x09http/1.1x\x07http/1.", NULL},
    };
    jz_tls *tls = create_for(JZ_TLS_COMPATIBLE, KEY_P256);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const unsigned char *chosen;
        unsigned length;
        handshake handshake = handshake_with(tls, &(client_plan){.protocols = rows[i].offered});
        assert_that(handshake.has_succeeded == (rows[i].chosen != NULL), "row %zu", i);
        SSL_get0_alpn_selected(handshake.client, &chosen, &length);
        if (rows[i].chosen == NULL)
            assert_int_equal(handshake.alert, SSL_AD_NO_APPLICATION_PROTOCOL);
        else
            assert_that(length == strlen(rows[i].chosen), "row %zu", i);
        if (length > 0)
            assert_memory_equal(chosen, rows[i].chosen, length);
        handshake_end(&handshake);
    }
    jz_tls_free(tls);
}

/* The contexts of other names are no others. */
static void the_policy_holds_for_every_name(void **state)
{
    (void)state;
    made first = authority_make(&(plan){.names = "DNS:first.example"});
    made other = authority_make(&(plan){.names = "DNS:other.example"});
    const jz_tls_certificate given[] = {in_memory(&first), in_memory(&other)};
    jz_tls_options options = options_with(given, 2);
    options.policy = JZ_TLS_MODERN;
    jz_tls *tls = create_with(&options);
    assert_false(succeeds(tls, &(client_plan){.name = "other.example", .highest = TLS1_2_VERSION}));
    assert_false(succeeds(tls, &(client_plan){.name = "other.example", .protocols = "\x02h2"}));
    assert_true(succeeds(tls, &(client_plan){.name = "other.example", .protocols = "\x08http/1.1"}));
    jz_tls_free(tls);
}

static void properties_tell_of_the_channel(void **state)
{
    (void)state;
    jz_tls *tls = create_for(JZ_TLS_COMPATIBLE, KEY_P256);
    handshake handshake = handshake_with(tls, &(client_plan){.name = "Chat.example", .highest = TLS1_2_VERSION});
    assert_string_equal(handshake_property(&handshake, "tls.version"), "TLSv1.2");
    assert_string_equal(handshake_property(&handshake, "tls.cipher"), "ECDHE-ECDSA-AES128-GCM-SHA256");
    assert_string_equal(handshake_property(&handshake, "tls.server_name"), "Chat.example");
    assert_null(handshake_property(&handshake, "tls.resumed"));
    assert_null(handshake_property(&handshake, "tls.client.subject"));
    handshake_end(&handshake);
    handshake = handshake_with(tls, &(client_plan){0});
    assert_string_equal(handshake_property(&handshake, "tls.version"), "TLSv1.3");
    assert_null(handshake_property(&handshake, "tls.server_name"));
    handshake_end(&handshake);
    jz_tls_free(tls);
}

int main(int count, char **arguments)
{
    const struct CMUnitTest alone[] = {setting_test(prefer_chacha20)};
    if (count == 2 && strcmp(arguments[1], without_aes) == 0)
        return EXIT_STATUS_OF(cmocka_run_group_tests(alone, NULL, NULL));
    const struct CMUnitTest tests[] = {
        setting_test(versions_are_those_of_the_policy),
        setting_test(suites_of_tls_1_2_are_the_secure_ones),
        setting_test(aes_is_preferred_unless_a_client_prefers_chacha20),
        setting_test(chacha20_is_preferred_on_a_processor_without_aes),
        setting_test(groups_are_the_fast_ones),
        setting_test(http_1_1_is_chosen_by_alpn),
        setting_test(the_policy_holds_for_every_name),
        setting_test(properties_tell_of_the_channel),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests(tests, NULL, NULL));
}
