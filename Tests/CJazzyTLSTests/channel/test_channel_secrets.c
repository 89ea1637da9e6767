/*
 * Where only certain providers may be used, as with a validated module, the secrets of handshakes are read from lines
 * for a log. This is a program of its own, because it decides for the whole process.
 */
#include <openssl/evp.h>
#include <openssl/provider.h>

#include "contexts/secrets.h"
#include "support/testing.h"
#include "support/wire.h"

static wire one;
static uint8_t bytes[50 * 1000];

static void data_goes_through(jz_tls *tls)
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

static void without_our_provider_the_log_tells_them(void **state)
{
    (void)state;
    assert_int_equal(EVP_set_default_properties(NULL, "provider=default"), 1);
    jz_tls *tls = wire_tls();
    assert_null(jz_tls_secrets_query());
    data_goes_through(tls);
    wire_tls_free(tls);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(without_our_provider_the_log_tells_them)};
    return EXIT_STATUS_OF(cmocka_run_group_tests(tests, NULL, NULL));
}
