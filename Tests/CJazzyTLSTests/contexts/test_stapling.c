/* A response of OCSP in a file is sent to clients that ask for it, if it is one that helps them. */
#include <time.h>

#include "support/clock.h"
#include "support/ocsp.h"
#include "support/setting.h"

enum { DAY = 24 * 3600 };

static made root;
static made own;
static uint8_t response[OCSP_SIZE];

static int begin(void **state)
{
    if (setting_begin(state) != 0)
        return -1;
    root = authority_make_with_own_key(&(plan){.is_authority = true, .common_name = "root"});
    own = authority_make(&(plan){.issuer = &root, .names = "DNS:chat.example"});
    return 0;
}

static int end(void **state)
{
    test_clocks_run();
    return setting_end(state);
}

static jz_tls *create_stapling(const char *file)
{
    jz_tls_certificate given = chain_in_memory(&own, &root);
    given.ocsp_file = file;
    return create_of(&given);
}

/* Whether these bytes, or none, are sent to a client that asks; to one that does not none are. */
static void expect_sent(jz_tls *tls, const uint8_t *bytes, size_t length)
{
    const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
    for (size_t i = 0; i < COUNT_OF(versions); i++) {
        const unsigned char *sent;
        client_plan plan = {.lowest = versions[i], .highest = versions[i], .asks_for_status = true};
        handshake handshake = handshake_with(tls, &plan);
        assert_true(handshake.has_succeeded);
        assert_int_equal(SSL_get_tlsext_status_ocsp_resp(handshake.client, &sent), bytes != NULL ? (long)length : -1);
        if (bytes != NULL)
            assert_memory_equal(sent, bytes, length);
        handshake_end(&handshake);
        plan.asks_for_status = false;
        handshake = handshake_with(tls, &plan);
        assert_true(handshake.has_succeeded);
        assert_int_equal(SSL_get_tlsext_status_ocsp_resp(handshake.client, &sent), -1);
        handshake_end(&handshake);
    }
}

static void a_good_response_is_sent(void **state)
{
    (void)state;
    made responder = authority_make_with_own_key(&(plan){.issuer = &root, .usage = "OCSPSigning"});
    const ocsp_plan plans[] = {
        {.about = &own, .issuer = &root},
        {.about = &own, .issuer = &root, .is_endless = true},
        {.about = &own, .issuer = &root, .signer = &responder, .has_certificate = true},
    };
    for (size_t i = 0; i < COUNT_OF(plans); i++) {
        size_t length = ocsp_make(&plans[i], response);
        jz_tls *tls = create_stapling(write_bytes("ocsp", response, length));
        expect_sent(tls, response, length);
        assert_false(was_logged(""));
        jz_tls_free(tls);
    }
}

static void a_response_that_does_not_help_is_logged_instead(void **state)
{
    (void)state;
    made other = authority_make(&(plan){.issuer = &root});
    made stranger = authority_make_with_own_key(&(plan){.is_authority = true, .common_name = "stranger"});
    const struct {
        ocsp_plan plan;
        const char *line;
    } rows[] = {
        {{.about = &other, .issuer = &root}, "is about another certificate"},
        {{.about = &own, .issuer = &stranger}, "is about another certificate"},
        {{.about = &own, .issuer = &root, .is_revoked = true}, "says that the certificate is revoked"},
        {{.about = &own, .issuer = &root, .is_failure = true}, "says that the responder has failed"},
        {{.about = &own, .issuer = &root, .begins = -3 * DAY, .ends = -DAY}, "is out of date"},
        {{.about = &own, .issuer = &root, .begins = DAY}, "is out of date, or not valid yet"},
        {{.about = &own, .issuer = &root, .signer = &stranger, .has_certificate = true}, "is not signed by the issuer"},
        {{.about = &own, .issuer = &root, .signer = &other, .has_certificate = true}, "is not signed by the issuer"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        log_forget();
        jz_tls *tls = create_stapling(write_bytes("ocsp", response, ocsp_make(&rows[i].plan, response)));
        expect_sent(tls, NULL, 0);
        assert_that(was_logged(rows[i].line), "row %zu", i);
        assert_true(was_logged("/ocsp\" is not sent to clients: it "));
        assert_int_equal(logged_count(JZ_LOG_WARNING), 1);
        jz_tls_free(tls);
    }
}

static void a_file_that_is_no_response_is_logged_instead(void **state)
{
    (void)state;
    size_t length = ocsp_make(&(ocsp_plan){.about = &own, .issuer = &root}, response);
    const struct {
        const char *file;
        const char *line;
    } rows[] = {
        {path_of("gone"), "/gone\" is not sent to clients: it is not there, or is empty"},
        {write_file("empty", ""), "/empty\" is not sent to clients: it is not there, or is empty"},
        {write_file("text", "hello"), "/text\" is not sent to clients: it is no OCSP response in DER"},
        {write_bytes("half", response, length / 2), "/half\" is not sent to clients: it is no OCSP response in DER"},
        {write_bytes("longer", response, length + 1),
         "/longer\" is not sent to clients: it is no OCSP response in DER"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        jz_tls *tls = create_stapling(rows[i].file);
        expect_sent(tls, NULL, 0);
        assert_that(was_logged(rows[i].line), "row %zu", i);
        jz_tls_free(tls);
    }
}

static void a_response_is_sent_until_it_is_out_of_date(void **state)
{
    (void)state;
    size_t length = ocsp_make(&(ocsp_plan){.about = &own, .issuer = &root, .ends = DAY}, response);
    jz_tls *tls = create_stapling(write_bytes("ocsp", response, length));
    int64_t now = (int64_t)time(NULL);
    test_date_stop(now + DAY - 60);
    expect_sent(tls, response, length);
    test_date_stop(now + DAY + 60);
    expect_sent(tls, NULL, 0);
    jz_tls_free(tls);
}

static void each_certificate_has_its_own(void **state)
{
    (void)state;
    static uint8_t second[OCSP_SIZE];
    made rsa = authority_make(&(plan){.issuer = &root, .key = KEY_RSA_2048, .names = "DNS:chat.example"});
    made silent = authority_make(&(plan){.issuer = &root, .names = "DNS:other.example"});
    size_t length = ocsp_make(&(ocsp_plan){.about = &own, .issuer = &root}, response);
    size_t second_length = ocsp_make(&(ocsp_plan){.about = &rsa, .issuer = &root, .has_certificate = true}, second);
    jz_tls_certificate given[] = {chain_in_memory(&own, &root), chain_in_memory(&rsa, &root), in_memory(&silent)};
    given[0].ocsp_file = write_bytes("ecdsa", response, length);
    given[1].ocsp_file = write_bytes("rsa", second, second_length);
    jz_tls_options options = options_with(given, COUNT_OF(given));
    jz_tls *tls = create_with(&options);
    const struct {
        const char *name;
        const char *signatures;
        long length;
    } rows[] = {
        {"chat.example", "ECDSA+SHA256", (long)length},
        {"chat.example", "RSA-PSS+SHA256", (long)second_length},
        {"other.example", "ECDSA+SHA256", -1},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const unsigned char *sent;
        handshake handshake = handshake_with(
            tls, &(client_plan){.name = rows[i].name, .signatures = rows[i].signatures, .asks_for_status = true});
        assert_true(handshake.has_succeeded);
        assert_int_equal(SSL_get_tlsext_status_ocsp_resp(handshake.client, &sent), rows[i].length);
        handshake_end(&handshake);
    }
    assert_true(length != second_length);
    jz_tls_free(tls);
}

int main(void)
{
#define staple_test(function) cmocka_unit_test_setup_teardown(function, begin, end)
    const struct CMUnitTest tests[] = {
        staple_test(a_good_response_is_sent),
        staple_test(a_response_that_does_not_help_is_logged_instead),
        staple_test(a_file_that_is_no_response_is_logged_instead),
        staple_test(a_response_is_sent_until_it_is_out_of_date),
        staple_test(each_certificate_has_its_own),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests(tests, NULL, NULL));
}
