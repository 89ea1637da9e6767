/* A certificate, from a file or from memory, is what clients see. */
#define _DEFAULT_SOURCE

#include <stdio.h>
#include <unistd.h>

#include "support/authority.h"
#include "support/folder.h"
#include "support/handshake.h"
#include "support/testing.h"

static int end(void **state)
{
    authority_forget();
    return remove_folder(state);
}

static void write_file(const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static jz_tls *create(const jz_tls_certificate *certificate)
{
    jz_error error;
    jz_tls_options options = jz_tls_options_default();
    options.certificates = certificate;
    options.certificate_count = 1;
    jz_tls *tls = jz_tls_create(&options, &error);
    assert_that(tls != NULL, "%s", error.message);
    return tls;
}

static void expect_shown(jz_tls *tls, const made *certificate)
{
    handshake handshake = handshake_with(tls, &(client_plan){.protocols = "\x02h2\x08http/1.1"});
    const unsigned char *protocol;
    unsigned length;
    assert_true(handshake.has_succeeded);
    assert_int_equal(X509_cmp(handshake_certificate(&handshake), certificate->certificate), 0);
    SSL_get0_alpn_selected(handshake.client, &protocol, &length);
    assert_int_equal(length, 8);
    assert_memory_equal(protocol, "http/1.1", 8);
    assert_string_equal(handshake_property(&handshake, "tls.version"), "TLSv1.3");
    handshake_end(&handshake);
}

static void a_certificate_in_a_file_is_shown(void **state)
{
    (void)state;
    made certificate = authority_make(&(plan){.names = "DNS:chat.example"});
    write_file(joined(pem_of_certificates(&certificate, NULL, NULL), pem_of_key(&certificate, NULL)));
    jz_tls *tls = create(&(jz_tls_certificate){.certificate_file = path});
    expect_shown(tls, &certificate);
    jz_tls_free(tls);
    unlink(path);
}

static void a_certificate_in_memory_is_shown(void **state)
{
    (void)state;
    made certificate = authority_make(&(plan){.names = "DNS:chat.example"});
    const char *chain = pem_of_certificates(&certificate, NULL, NULL);
    const char *key = pem_of_key(&certificate, NULL);
    jz_tls *tls = create(&(jz_tls_certificate){
        .certificate = chain, .certificate_length = strlen(chain), .key = key, .key_length = strlen(key)});
    expect_shown(tls, &certificate);
    jz_tls_free(tls);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_certificate_in_a_file_is_shown, make_folder, end),
        cmocka_unit_test_setup_teardown(a_certificate_in_memory_is_shown, make_folder, end),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests(tests, NULL, NULL));
}
