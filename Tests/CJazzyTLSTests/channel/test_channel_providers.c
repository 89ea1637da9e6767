/*
 * The application may change which of OpenSSL's providers are used, at any time. This is a program of its own, because
 * that is decided for the whole process.
 */
#include <openssl/evp.h>

#include "support/testing.h"
#include "support/wire.h"

static wire one;
static uint8_t bytes[50 * 1000];

static void expect_data_goes_through(jz_tls *tls)
{
    static const wire_plan plans[] = {
        {.version = TLS1_3_VERSION, .suites_1_3 = "TLS_AES_128_GCM_SHA256"},
        {.version = TLS1_3_VERSION, .suites_1_3 = "TLS_AES_256_GCM_SHA384"},
        {.version = TLS1_2_VERSION},
    };
    for (size_t i = 0; i < COUNT_OF(plans); i++) {
        size_t sent = 0;
        wire_open_and_shake_hands(&one, tls, &plans[i]);
        wire_client_send(&one, bytes, sizeof bytes);
        wire_serve(&one, JZ_READABLE);
        assert_int_equal(one.received, sizeof bytes);
        assert_int_equal(wire_send(&one, bytes, 1000, false, &sent), JZ_IO_OK);
        wire_client_receive(&one);
        assert_int_equal(one.seen, 1000);
        wire_close(&one);
    }
}

static void providers_may_be_chosen_before_and_while_a_server_runs(void **state)
{
    static const char *const properties[] = {"provider=default", "?provider=default", "fips!=yes", ""};
    (void)state;
    jz_tls *first = wire_tls();
    expect_data_goes_through(first);
    for (size_t i = 0; i < COUNT_OF(properties); i++) {
        assert_int_equal(EVP_set_default_properties(NULL, properties[i]), 1);
        expect_data_goes_through(first);
        jz_tls *second = wire_tls();
        expect_data_goes_through(second);
        wire_tls_free(second);
    }
    wire_tls_free(first);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(providers_may_be_chosen_before_and_while_a_server_runs)};
    return EXIT_STATUS_OF(cmocka_run_group_tests(tests, NULL, NULL));
}
