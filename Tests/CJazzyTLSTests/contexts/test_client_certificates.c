/* Clients may, or must, have a certificate of certain authorities, and its properties are told. */
#include <stdio.h>
#include <time.h>

#include "support/clock.h"
#include "support/setting.h"

enum { DAY = 24 * 3600, VERSIONS = 2 };

static const int versions[VERSIONS] = {TLS1_2_VERSION, TLS1_3_VERSION};
static made own;
static made authority;
static made stranger; /* another authority */

static int begin(void **state)
{
    if (setting_begin(state) != 0)
        return -1;
    own = authority_make(&(plan){.names = "DNS:chat.example"});
    authority = authority_make_with_own_key(&(plan){.is_authority = true, .common_name = "Clients"});
    stranger = authority_make_with_own_key(&(plan){.is_authority = true, .common_name = "Strangers"});
    return 0;
}

static int end(void **state)
{
    test_clocks_run();
    return setting_end(state);
}

static jz_tls *create_for(jz_tls_clients clients, const made *accepted)
{
    jz_tls_certificate given = in_memory(&own);
    jz_tls_options options = options_with(&given, 1);
    options.clients = clients;
    if (clients != JZ_TLS_CLIENTS_ANONYMOUS) {
        options.client_ca = pem_of_certificates(accepted, NULL, NULL);
        options.client_ca_length = strlen(options.client_ca);
    }
    return create_with(&options);
}

static void who_may_connect(void **state)
{
    (void)state;
    made accepted = authority_make_with_own_key(&(plan){.issuer = &authority, .usage = "clientAuth"});
    made strange = authority_make_with_own_key(&(plan){.issuer = &stranger});
    made alone = authority_make_with_own_key(&(plan){0});
    made expired = authority_make_with_own_key(&(plan){.issuer = &authority, .begins = -9 * DAY, .ends = -DAY});
    made early = authority_make_with_own_key(&(plan){.issuer = &authority, .begins = DAY});
    made server = authority_make_with_own_key(&(plan){.issuer = &authority, .usage = "serverAuth"});
    const struct {
        const char *which;
        const made *identity;
        bool is_let_in[3]; /* anonymous, may, must */
    } rows[] = {
        {"none", NULL, {true, true, false}},
        {"of the authority", &accepted, {true, true, true}},
        {"of another one", &strange, {true, false, false}},
        {"of itself", &alone, {true, false, false}},
        {"expired", &expired, {true, false, false}},
        {"not yet valid", &early, {true, false, false}},
        {"of a server", &server, {true, false, false}},
    };
    for (int clients = JZ_TLS_CLIENTS_ANONYMOUS; clients <= JZ_TLS_CLIENTS_MUST_IDENTIFY; clients++) {
        jz_tls *tls = create_for((jz_tls_clients)clients, &authority);
        for (size_t row = 0; row < COUNT_OF(rows); row++) {
            for (size_t i = 0; i < VERSIONS; i++) {
                const client_plan plan = {
                    .lowest = versions[i], .highest = versions[i], .identity = rows[row].identity};
                handshake handshake = handshake_with(tls, &plan);
                assert_that(handshake.has_succeeded == rows[row].is_let_in[clients], "%s, %d", rows[row].which,
                            clients);
                bool is_known = handshake.has_succeeded && handshake_property(&handshake, "tls.client.fingerprint");
                assert_int_equal(is_known, handshake.has_succeeded && clients > 0 && rows[row].identity != NULL);
                handshake_end(&handshake);
            }
        }
        jz_tls_free(tls);
    }
}

/* An authority that is no root counts by itself. */
static void any_certificate_of_the_file_is_an_authority(void **state)
{
    (void)state;
    made between =
        authority_make_with_own_key(&(plan){.issuer = &authority, .is_authority = true, .common_name = "Between"});
    made client = authority_make_with_own_key(&(plan){.issuer = &between});
    jz_tls *tls = create_for(JZ_TLS_CLIENTS_MUST_IDENTIFY, &between);
    handshake handshake = handshake_with(tls, &(client_plan){.identity = &client});
    assert_true(handshake.has_succeeded);
    handshake_end(&handshake);
    jz_tls_free(tls);
}

static void clients_are_told_the_authorities(void **state)
{
    (void)state;
    made client = authority_make_with_own_key(&(plan){.issuer = &authority});
    jz_tls_certificate given = in_memory(&own);
    jz_tls_options options = options_with(&given, 1);
    options.clients = JZ_TLS_CLIENTS_MAY_IDENTIFY;
    options.client_ca_file = write_file("ca.pem", pem_of_certificates(&authority, &stranger, NULL));
    jz_tls *tls = create_with(&options);
    handshake handshake = handshake_with(tls, &(client_plan){.identity = &client});
    const STACK_OF(X509_NAME) *names = SSL_get0_peer_CA_list(handshake.client);
    assert_int_equal(sk_X509_NAME_num(names), 2);
    assert_int_equal(X509_NAME_cmp(sk_X509_NAME_value(names, 0), X509_get_subject_name(authority.certificate)), 0);
    handshake_end(&handshake);
    jz_tls_free(tls);
}

/* Property `nth` of this name; NULL: there are fewer. */
static const char *nth_property(const handshake *handshake, const char *name, size_t nth)
{
    const char *found;
    const char *value;
    size_t length;
    for (size_t i = 0; jz_tls_property(handshake->facts, i, &found, &value, &length); i++) {
        assert_int_equal(strlen(value), length);
        if (strcmp(found, name) == 0 && nth-- == 0)
            return value;
    }
    return NULL;
}

static void the_certificate_is_told(void **state)
{
    (void)state;
    static const char *const names[] = {"DNS:client.example", "email:zoe@client.example", "URI:spiffe://example/zoe",
                                        "IP:192.0.2.7",       "IP:2001:db8::7",           "DNS:*.client.example"};
    made client = authority_make_with_own_key(
        &(plan){.issuer = &authority,
                .common_name = "Zo\xc3\xab, \"the\" + first",
                .names = "DNS:client.example,email:zoe@client.example,URI:spiffe://example/zoe,IP:192.0.2.7,"
                         "IP:2001:db8::7,RID:1.2.3.4,DNS:*.client.example,DNS:not a name"});
    jz_tls *tls = create_for(JZ_TLS_CLIENTS_MUST_IDENTIFY, &authority);
    handshake handshake = handshake_with(tls, &(client_plan){.identity = &client});
    assert_true(handshake.has_succeeded);
    assert_string_equal(nth_property(&handshake, "tls.client.subject", 0), "CN=Zo\xc3\xab\\, \\\"the\\\" \\+ first");
    assert_string_equal(nth_property(&handshake, "tls.client.issuer", 0), "CN=Clients");
    char serial[32];
    snprintf(serial, sizeof serial, "%02lx",
             (unsigned long)ASN1_INTEGER_get(X509_get0_serialNumber(client.certificate)));
    assert_string_equal(nth_property(&handshake, "tls.client.serial", 0), serial);
    unsigned char digest[32];
    char fingerprint[65];
    assert_int_equal(X509_digest(client.certificate, EVP_sha256(), digest, NULL), 1);
    for (size_t i = 0; i < sizeof digest; i++)
        snprintf(fingerprint + 2 * i, 3, "%02x", digest[i]);
    assert_string_equal(nth_property(&handshake, "tls.client.fingerprint", 0), fingerprint);
    for (size_t i = 0; i < COUNT_OF(names); i++)
        assert_string_equal(nth_property(&handshake, "tls.client.san", i), names[i]);
    assert_null(nth_property(&handshake, "tls.client.san", COUNT_OF(names)));
    assert_null(nth_property(&handshake, "tls.client.subject", 1));
    assert_int_equal(ERR_peek_error(), 0);
    handshake_end(&handshake);
    jz_tls_free(tls);
}

/* A certificate whose one name has a NUL, which the text of a plan cannot say. */
static made make_with_name(const char *name, int length)
{
    made client = authority_make_with_own_key(&(plan){.issuer = &authority});
    GENERAL_NAMES *names = sk_GENERAL_NAME_new_null();
    GENERAL_NAME *only = GENERAL_NAME_new();
    ASN1_IA5STRING *text = ASN1_IA5STRING_new();
    assert_int_equal(ASN1_STRING_set(text, name, length), 1);
    GENERAL_NAME_set0_value(only, GEN_DNS, text);
    sk_GENERAL_NAME_push(names, only);
    assert_int_equal(X509_add1_ext_i2d(client.certificate, NID_subject_alt_name, names, 0, 0), 1);
    assert_true(X509_sign(client.certificate, authority.key, EVP_sha256()) > 0);
    GENERAL_NAMES_free(names);
    return client;
}

static void a_name_that_could_be_taken_for_another_is_left_out(void **state)
{
    (void)state;
    const struct {
        const char *name;
        int length;
    } rows[] = {{"admin.example\0.client.example", 28}, {"admin.example\n", 14}, {"admin\x80", 6}, {"", 0}};
    jz_tls *tls = create_for(JZ_TLS_CLIENTS_MUST_IDENTIFY, &authority);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        made client = make_with_name(rows[i].name, rows[i].length);
        handshake handshake = handshake_with(tls, &(client_plan){.identity = &client});
        assert_true(handshake.has_succeeded);
        assert_non_null(nth_property(&handshake, "tls.client.fingerprint", 0));
        assert_null(nth_property(&handshake, "tls.client.san", 0));
        handshake_end(&handshake);
    }
    jz_tls_free(tls);
}

static SSL_SESSION *begin_session(jz_tls *tls, int version, const made *identity)
{
    handshake handshake =
        handshake_with(tls, &(client_plan){.lowest = version, .highest = version, .identity = identity});
    assert_true(handshake.has_succeeded);
    SSL_SESSION *session = handshake_session(&handshake);
    assert_non_null(session);
    handshake_end(&handshake);
    return session;
}

static bool resumes(jz_tls *tls, SSL_SESSION *session, const made *identity, bool *is_known)
{
    int version = SSL_SESSION_get_protocol_version(session);
    handshake handshake = handshake_with(
        tls, &(client_plan){.lowest = version, .highest = version, .session = session, .identity = identity});
    bool is_resumed = handshake.has_succeeded && handshake_property(&handshake, "tls.resumed") != NULL;
    *is_known = handshake.has_succeeded && handshake_property(&handshake, "tls.client.subject") != NULL;
    handshake_end(&handshake);
    return is_resumed;
}

static void a_resumed_session_has_the_certificate_too(void **state)
{
    (void)state;
    made client = authority_make_with_own_key(&(plan){.issuer = &authority, .common_name = "client"});
    jz_tls *tls = create_for(JZ_TLS_CLIENTS_MUST_IDENTIFY, &authority);
    for (size_t i = 0; i < VERSIONS; i++) {
        bool is_known;
        SSL_SESSION *session = begin_session(tls, versions[i], &client);
        assert_true(resumes(tls, session, &client, &is_known));
        assert_true(is_known);
        SSL_SESSION_free(session);
    }
    jz_tls_free(tls);
}

static void a_session_ends_with_the_clients_certificate(void **state)
{
    (void)state;
    int64_t now = (int64_t)time(NULL);
    made client = authority_make_with_own_key(&(plan){.issuer = &authority, .common_name = "client", .ends = 1800});
    for (size_t i = 0; i < VERSIONS; i++) {
        bool is_known;
        test_date_stop(now);
        jz_tls *tls = create_for(JZ_TLS_CLIENTS_MUST_IDENTIFY, &authority);
        SSL_SESSION *session = begin_session(tls, versions[i], &client);
        test_date_stop(now + 1700);
        assert_true(resumes(tls, session, &client, &is_known));
        test_date_stop(now + 1900);
        assert_false(resumes(tls, session, &client, &is_known));
        SSL_SESSION_free(session);
        jz_tls_free(tls);
    }
}

/* A session that began under other rules is not resumed: its client might have been let in by these. */
static void other_authorities_end_all_sessions(void **state)
{
    static const char secret[] = "32 bytes that several processes know";
    (void)state;
    made client = authority_make_with_own_key(&(plan){.issuer = &authority, .common_name = "client"});
    jz_tls_certificate given = in_memory(&own);
    jz_tls_options options = options_with(&given, 1);
    options.ticket_secret = secret;
    options.ticket_secret_length = sizeof secret;
    options.clients = JZ_TLS_CLIENTS_MUST_IDENTIFY;
    options.client_ca_file = write_file("ca.pem", pem_of_certificates(&authority, NULL, NULL));
    jz_tls *tls = create_with(&options);
    options.clients = JZ_TLS_CLIENTS_MAY_IDENTIFY;
    jz_tls *lenient = create_with(&options);
    for (size_t i = 0; i < VERSIONS; i++) {
        bool is_known;
        SSL_SESSION *anonymous = begin_session(lenient, versions[i], NULL);
        assert_false(resumes(tls, anonymous, NULL, &is_known));
        SSL_SESSION *session = begin_session(tls, versions[i], &client);
        write_file("ca.pem", pem_of_certificates(&stranger, NULL, NULL));
        assert_int_equal(jz_tls_reload(tls, NULL), JZ_OK);
        assert_false(resumes(tls, session, &client, &is_known));
        assert_false(is_known);
        write_file("ca.pem", pem_of_certificates(&authority, NULL, NULL));
        assert_int_equal(jz_tls_reload(tls, NULL), JZ_OK);
        assert_true(resumes(tls, session, &client, &is_known));
        SSL_SESSION_free(session);
        SSL_SESSION_free(anonymous);
    }
    jz_tls_free(lenient);
    jz_tls_free(tls);
}

/* A certificate with so many names that it has about `size` bytes. */
static made large_client(size_t size)
{
    enum { NAME = 64 };
    static char names[128 * 1024];
    size_t length = 0;
    for (size_t i = 0; (i + 1) * (NAME - 2) < size; i++)
        length += (size_t)snprintf(names + length, sizeof names - length, "%sDNS:%052zu.example", i > 0 ? "," : "", i);
    return authority_make_with_own_key(&(plan){.issuer = &authority, .common_name = "large", .names = names});
}

/* A ticket has it in it, and no more than 64 KiB. What is larger is refused as long as it is clear who refuses it. */
static void a_large_certificate_is_taken_with_its_session_or_refused(void **state)
{
    (void)state;
    static const struct {
        size_t size;
        bool is_taken;
    } rows[] = {{1000, true},       {30 * 1000, true},  {58 * 1000, true},  {63 * 1000, false},
                {66 * 1000, false}, {90 * 1000, false}, {120 * 1000, false}};
    jz_tls *tls = create_for(JZ_TLS_CLIENTS_MUST_IDENTIFY, &authority);
    for (size_t k = 0; k < COUNT_OF(rows); k++) {
        made client = large_client(rows[k].size);
        for (size_t i = 0; i < VERSIONS; i++) {
            client_plan plan = {.lowest = versions[i], .highest = versions[i], .identity = &client};
            handshake handshake = handshake_with(tls, &plan);
            bool is_known = false;
            assert_that(handshake.has_succeeded == rows[k].is_taken, "%zu bytes", rows[k].size);
            assert_int_equal(handshake.alert, rows[k].is_taken ? -1 : SSL_AD_ILLEGAL_PARAMETER);
            handshake_end(&handshake);
            if (!rows[k].is_taken)
                continue;
            SSL_SESSION *session = begin_session(tls, versions[i], &client);
            assert_true(resumes(tls, session, &client, &is_known));
            assert_true(is_known);
            SSL_SESSION_free(session);
        }
    }
    jz_tls_free(tls);
}

static void an_authority_that_expires_is_logged(void **state)
{
    enum { HOUR = 3600 };
    (void)state;
    const struct {
        int64_t ends;
        const char *line;
    } rows[] = {
        {-2 * DAY - HOUR, "client_ca 1 in memory has an authority that expired 2 days ago: its clients are refused"},
        {13 * DAY + HOUR, "client_ca 1 in memory has an authority that expires in 13 days: its clients are refused"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        made old =
            authority_make_with_own_key(&(plan){.is_authority = true, .begins = -99 * DAY, .ends = rows[i].ends});
        log_forget();
        jz_tls_free(create_for(JZ_TLS_CLIENTS_MAY_IDENTIFY, &old));
        assert_that(was_logged(rows[i].line), "row %zu", i);
        assert_int_equal(logged_count(JZ_LOG_WARNING), 1);
    }
}

static void a_list_of_revoked_certificates_is_refused(void **state)
{
    (void)state;
    jz_error error;
    jz_tls_certificate given = in_memory(&own);
    jz_tls_options options = options_with(&given, 1);
    options.clients = JZ_TLS_CLIENTS_MUST_IDENTIFY;
    options.client_ca_file = write_file("ca.pem", joined(pem_of_certificates(&authority, NULL, NULL),
                                                         "-----BEGIN X509 CRL-----\nMAA=\n-----END X509 CRL-----\n"));
    assert_null(jz_tls_create(&options, &error));
    assert_non_null(strstr(error.message, "ca.pem\" has a list of revoked certificates"));
}

int main(void)
{
#define client_test(function) cmocka_unit_test_setup_teardown(function, begin, end)
    const struct CMUnitTest tests[] = {
        client_test(who_may_connect),
        client_test(any_certificate_of_the_file_is_an_authority),
        client_test(clients_are_told_the_authorities),
        client_test(the_certificate_is_told),
        client_test(a_name_that_could_be_taken_for_another_is_left_out),
        client_test(a_resumed_session_has_the_certificate_too),
        client_test(a_session_ends_with_the_clients_certificate),
        client_test(other_authorities_end_all_sessions),
        client_test(a_large_certificate_is_taken_with_its_session_or_refused),
        client_test(an_authority_that_expires_is_logged),
        client_test(a_list_of_revoked_certificates_is_refused),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests(tests, NULL, NULL));
}
