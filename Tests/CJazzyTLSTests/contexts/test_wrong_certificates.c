/* Each way in which certificates, keys and options can be wrong has an error that names the file and the way out. */
#define _DEFAULT_SOURCE

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/setting.h"

enum { NOBODY = 65534 };

static made sound;
static const char *sound_pem;
static const char *sound_key;

static int begin(void **state)
{
    if (setting_begin(state) != 0)
        return -1;
    sound = authority_make(&(plan){.names = "DNS:chat.example"});
    sound_pem = pem_of_certificates(&sound, NULL, NULL);
    sound_key = pem_of_key(&sound, NULL);
    return 0;
}

static jz_tls_certificate files(const char *certificate, const char *key)
{
    return (jz_tls_certificate){.certificate_file = write_file("c.pem", certificate),
                                .key_file = write_file("k.pem", key)};
}

/* Each `says` has to be in the message. */
static void expect_error(const char *which, const jz_tls_options *options, jz_status status, const char *says,
                         const char *also)
{
    jz_error error = {.status = JZ_OK};
    jz_tls *tls = jz_tls_create(options, &error);
    assert_that(tls == NULL, "%s: there was no error", which);
    assert_that(error.status == status, "%s: status %d: %s", which, (int)error.status, error.message);
    assert_that(strstr(error.message, says) != NULL, "%s: %s", which, error.message);
    assert_that(strstr(error.message, also) != NULL, "%s: %s", which, error.message);
    assert_that(strlen(error.message) < sizeof error.message - 1, "%s: too long: %s", which, error.message);
    assert_that(ERR_peek_error() == 0, "%s: an entry in the error queue", which);
    assert_null(jz_tls_create(options, NULL));
    assert_int_equal(logged_count(JZ_LOG_WARNING) + logged_count(JZ_LOG_ERROR), 0);
}

static void expect_wrong(const char *which, const jz_tls_certificate *certificate, const char *says, const char *also)
{
    jz_tls_options options = options_with(certificate, 1);
    expect_error(which, &options, JZ_STATUS_INVALID_OPTION, says, also);
}

static void a_file_that_cannot_be_read_is_named(void **state)
{
    (void)state;
    jz_tls_certificate certificate = files(sound_pem, sound_key);
    certificate.certificate_file = path_of("gone.pem");
    expect_wrong("no certificate file", &certificate, "/gone.pem\" does not exist", "certificate file");
    certificate = files(sound_pem, sound_key);
    certificate.key_file = path_of("gone.key");
    expect_wrong("no key file", &certificate, "/gone.key\" does not exist", "key file");
    certificate.key_file = path_of("k.pem/gone.key");
    expect_wrong("a file for a folder", &certificate, "k.pem/gone.key\" does not exist", "key file");
    certificate.key_file = folder;
    expect_wrong("a folder", &certificate, folder, "is a folder");
    certificate.key_file = write_file("empty", "");
    expect_wrong("an empty file", &certificate, "/empty\" is empty", "key file");
    certificate.key_file = "/dev/null";
    expect_wrong("a device", &certificate, "/dev/null\" is no regular file", "pass it in memory");
    certificate.key_file = path_of("pipe");
    assert_int_equal(mkfifo(certificate.key_file, 0600), 0);
    expect_wrong("a pipe, without waiting for a writer", &certificate, "/pipe\" is no regular file", "");
}

static void a_file_without_permission_is_named(void **state)
{
    (void)state;
    jz_tls_certificate certificate = files(sound_pem, sound_key);
    assert_int_equal(chmod(certificate.key_file, 0), 0);
    jz_tls_options options = options_with(&certificate, 1);
    uid_t self = geteuid();
    if (self == 0) { /* who may read everything */
        assert_int_equal(chmod(folder, 0755), 0);
        assert_int_equal(seteuid(NOBODY), 0);
    }
    expect_error("no permission", &options, JZ_STATUS_PERMISSION_DENIED, "k.pem\" may not be read", "let its user");
    assert_int_equal(seteuid(self), 0);
}

static void what_is_no_pem_is_named(void **state)
{
    (void)state;
    unsigned char der[4096];
    unsigned char *end = der;
    size_t length = (size_t)i2d_X509(sound.certificate, &end);
    assert_true(length < sizeof der);
    jz_tls_certificate certificate = files("hello", sound_key);
    expect_wrong("text", &certificate, "c.pem\" is not PEM", "-----BEGIN");
    certificate = files(sound_pem, "hello");
    expect_wrong("text for a key", &certificate, "k.pem\" is not PEM", "key file");
    certificate = files(sound_pem, sound_key);
    certificate.certificate_file = write_bytes("c.der", der, length);
    expect_wrong("DER", &certificate, "c.der\" is not PEM, but may be DER", "openssl x509");
    certificate.certificate_file = write_bytes("c.p12", "\x30\x82\x01\x02\x02\x01\x03\x30", 8);
    expect_wrong("PKCS #12", &certificate, "c.p12\" is not PEM, but PKCS #12", "openssl pkcs12");
    certificate.certificate_file = write_bytes("c.txt", "\xff\xfe-\0-\0", 6);
    expect_wrong("UTF-16", &certificate, "c.txt\" is not PEM, but UTF-16", "plain text");
}

static void pem_of_something_else_is_named(void **state)
{
    (void)state;
    const char *request = "-----BEGIN CERTIFICATE REQUEST-----\nMAA=\n-----END CERTIFICATE REQUEST-----\n";
    const char *public_key = "-----BEGIN PUBLIC KEY-----\nMAA=\n-----END PUBLIC KEY-----\n";
    const struct {
        const char *which;
        const char *certificate;
        const char *key;
        const char *says;
        const char *also;
    } rows[] = {
        {"exchanged", sound_key, sound_pem, "c.pem\" has no certificate", "exchanged"},
        {"a request", request, sound_key, "c.pem\" has no certificate, but a request", "answer of the authority"},
        {"a public key", sound_pem, public_key, "k.pem\" has no private key, but a public key", "not enough"},
        {"two certificates", sound_pem, sound_pem, "k.pem\" has no private key, but a certificate", "name the file"},
        {"no content", "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n", sound_key,
         "certificate 1 in certificate file", "complete?"},
        {"no base64", "-----BEGIN CERTIFICATE-----\n####\n-----END CERTIFICATE-----\n", sound_key,
         "certificate 1 in certificate file", "complete?"},
        {"no certificate", "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n", sound_key,
         "certificate 1 in certificate file", "complete?"},
        {"no key", sound_pem, "-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n", "the key in key file",
         "complete?"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        jz_tls_certificate certificate = files(rows[i].certificate, rows[i].key);
        expect_wrong(rows[i].which, &certificate, rows[i].says, rows[i].also);
    }
}

/* Where it is cut at a line's end it may still be a whole certificate; anywhere else it is damaged. */
static void a_file_that_is_cut_anywhere_is_wrong(void **state)
{
    (void)state;
    char cut[4096];
    size_t length = strlen(sound_pem);
    assert_true(length < sizeof cut);
    for (size_t kept = 1; kept + 2 < length; kept += 7) {
        jz_error error;
        snprintf(cut, sizeof cut, "%.*s", (int)kept, sound_pem);
        jz_tls_certificate certificate = files(cut, sound_key);
        jz_tls_options options = options_with(&certificate, 1);
        assert_that(jz_tls_create(&options, &error) == NULL, "%zu bytes are enough", kept);
        assert_that(strstr(error.message, "c.pem") != NULL, "%s", error.message);
        assert_int_equal(ERR_peek_error(), 0);
    }
}

static void a_key_that_does_not_belong_to_the_certificate_is_named(void **state)
{
    (void)state;
    made other = authority_make_with_own_key(&(plan){0});
    made rsa = authority_make(&(plan){.key = KEY_RSA_2048});
    made issuer = authority_make_with_own_key(&(plan){.is_authority = true, .common_name = "root"});
    jz_tls_certificate certificate = files(sound_pem, pem_of_key(&other, NULL));
    expect_wrong("another", &certificate, "k.pem\" does not belong to certificate file", "c.pem");
    certificate = files(sound_pem, pem_of_key(&rsa, NULL));
    expect_wrong("another kind", &certificate, "k.pem\" does not belong to certificate file", "c.pem");
    certificate = files(pem_of_certificates(&issuer, &other, &sound), sound_key);
    expect_wrong("another order", &certificate, "c.pem\" begins with another", "number 3");
}

static void what_is_too_weak_is_named(void **state)
{
    (void)state;
    made small = authority_make(&(plan){.key = KEY_RSA_1024});
    made curve = authority_make(&(plan){.key = KEY_SECP256K1});
    made root = authority_make_with_own_key(&(plan){.is_authority = true, .common_name = "root"});
    made unfit = authority_make(&(plan){.key = KEY_X25519, .issuer = &root});
    made digest = authority_make(&(plan){.issuer = &root, .has_weak_digest = true});
    made weak_root = authority_make(&(plan){.key = KEY_RSA_1024, .is_authority = true, .common_name = "weak"});
    made of_weak_root = authority_make(&(plan){.issuer = &weak_root});
    jz_tls_certificate certificate = files(pem_of_certificates(&small, NULL, NULL), pem_of_key(&small, NULL));
    expect_wrong("RSA with 1,024 bits", &certificate, "k.pem\" is too small, RSA with 1024 bits", "at least 2048");
    certificate = files(pem_of_certificates(&curve, NULL, NULL), pem_of_key(&curve, NULL));
    expect_wrong("a strange curve", &certificate, "k.pem\" is on the curve secp256k1", "P-256");
    certificate = files(pem_of_certificates(&unfit, NULL, NULL), pem_of_key(&unfit, NULL));
    expect_wrong("X25519", &certificate, "k.pem\" is of a kind that TLS cannot use (X25519)", "P-256");
    certificate = files(pem_of_certificates(&digest, &root, NULL), pem_of_key(&digest, NULL));
    expect_wrong("SHA-1", &certificate, "c.pem\"", "too weak");
    certificate = files(pem_of_certificates(&of_weak_root, &weak_root, NULL), pem_of_key(&of_weak_root, NULL));
    expect_wrong("a weak authority", &certificate, "c.pem\"", "too weak");
}

static size_t passphrase(void *context, char *bytes, size_t capacity)
{
    const char *answer = context;
    size_t length = strlen(answer);
    assert_true(capacity >= 1024);
    memcpy(bytes, answer, length);
    return length;
}

static size_t endless_passphrase(void *context, char *bytes, size_t capacity)
{
    (void)context;
    (void)bytes;
    return capacity + 1;
}

static void an_encrypted_key_needs_its_passphrase(void **state)
{
    (void)state;
    jz_tls_certificate certificate = files(sound_pem, pem_of_key(&sound, "secret"));
    expect_wrong("none", &certificate, "k.pem\" is encrypted; give its passphrase", "openssl pkey");
    certificate.passphrase = passphrase;
    certificate.passphrase_context = "";
    expect_wrong("an empty one", &certificate, "k.pem\" is encrypted, and the callback", "returned none");
    certificate.passphrase = endless_passphrase;
    expect_wrong("one that is too long", &certificate, "k.pem\" is encrypted, and its passphrase is too long", "1024");
    certificate.passphrase = passphrase;
    certificate.passphrase_context = "wrong";
    expect_wrong("a wrong one", &certificate, "k.pem\" cannot be decrypted", "passphrase");
    certificate.passphrase_context = "secret";
    jz_tls *tls = create_of(&certificate);
    assert_true(is_shown(tls, &(client_plan){0}, &sound));
    jz_tls_free(tls);
}

/* A key from a variable, or from a form: with its line breaks lost, without its first and last line, or for a path. */
static void a_key_that_is_not_whole_text_is_told_and_never_shown(void **state)
{
    (void)state;
    char line[4096];
    char bare[4096];
    char cut[128];
    size_t length = 0;
    for (const char *at = sound_key; *at != '\0'; at++) {
        if (*at != '\n')
            line[length++] = *at;
    }
    line[length] = '\0';
    const char *first = strstr(sound_key, "KEY-----") + 8;
    length = 0;
    for (const char *at = first; *at != '-'; at++) {
        if (*at != '\n')
            bare[length++] = *at;
    }
    bare[length] = '\0';
    snprintf(cut, sizeof cut, "%.100s", bare);
    jz_tls_certificate certificate = {.certificate = sound_pem, .certificate_length = strlen(sound_pem)};
    const struct {
        const char *which;
        const char *key;
        bool is_path;
        const char *says;
        const char *also;
    } rows[] = {
        {"one line", line, false, "key 1 in memory; it is all on one line", "line breaks"},
        {"no first line", bare, false, "key 1 in memory is not PEM, but its base64 alone", "-----BEGIN"},
        {"cut", cut, false, "key 1 in memory is not PEM, but its base64 alone", "-----END"},
        {"PEM for a path", sound_key, true, "key_file is no path", "in memory (key, key_length)"},
        {"one line for a path", line, true, "key_file is no path", ""},
        {"base64 for a path", bare, true, "key_file is no path", ""},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        jz_error error;
        certificate.key_file = rows[i].is_path ? rows[i].key : NULL;
        certificate.key = rows[i].is_path ? NULL : rows[i].key;
        certificate.key_length = rows[i].is_path ? 0 : strlen(rows[i].key);
        expect_wrong(rows[i].which, &certificate, rows[i].says, rows[i].also);
        jz_tls_options options = options_with(&certificate, 1);
        assert_null(jz_tls_create(&options, &error));
        assert_that(strstr(error.message, "MIG") == NULL, "%s: %s", rows[i].which, error.message);
    }
    certificate = files(sound_pem, sound_key);
    certificate.certificate_file = sound_pem;
    expect_wrong("a certificate for a path", &certificate, "certificate_file is no path", "certificate_length");
    certificate = files(sound_pem, sound_key);
    jz_tls_options options = options_with(&certificate, 1);
    options.clients = JZ_TLS_CLIENTS_MUST_IDENTIFY;
    options.client_ca_file = sound_pem;
    expect_error("authorities for a path", &options, JZ_STATUS_INVALID_OPTION, "client_ca_file is no path",
                 "client_ca");
}

/* Paths that begin like keys, or have no other characters than base64. */
static void a_path_is_taken_for_one(void **state)
{
    static const char *const paths[] = {"MIG", "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC.pem",
                                        "MAINTENANCE/CERTIFICATES/OF/THE/SERVER/CHAIN",
                                        "Maintenance/certificates/of/the/server/chain/of/keys",
                                        "/etc/letsencrypt/live/chatexamplecom/fullchain/and/more/of/it"};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(paths); i++) {
        jz_tls_certificate certificate = {.certificate_file = paths[i]};
        expect_wrong(paths[i], &certificate, "does not exist", paths[i]);
    }
}

static void sources_are_given_once(void **state)
{
    (void)state;
    jz_tls_certificate certificate = {0};
    expect_wrong("nothing", &certificate, "certificate 1 has neither a file nor memory", "certificate_file");
    certificate = files(sound_pem, sound_key);
    certificate.certificate = sound_pem;
    expect_wrong("two certificates", &certificate, "certificate 1 has both a file and memory", "");
    certificate = files(sound_pem, sound_key);
    certificate.key = sound_key;
    expect_wrong("two keys", &certificate, "certificate 1 has both a key_file and a key", "");
    certificate = (jz_tls_certificate){.certificate = sound_pem};
    expect_wrong("no length", &certificate, "certificate 1 in memory has a length of 0", "");
    certificate = (jz_tls_certificate){.certificate = sound_pem, .certificate_length = strlen(sound_pem)};
    expect_wrong("no key", &certificate, "certificate 1 in memory has no private key", "");
}

static void names_are_checked(void **state)
{
    (void)state;
    const char *const wrong[] = {"",
                                 ".",
                                 "*",
                                 "*.",
                                 "*.example",
                                 "a.*.example",
                                 "a*.example.com",
                                 "chat example",
                                 "caf\xc3\xa9.example",
                                 "chat..example",
                                 "https://chat.example",
                                 "[::1]"};
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        jz_tls_certificate certificate = files(sound_pem, sound_key);
        certificate.names = &wrong[i];
        certificate.name_count = 1;
        expect_wrong(wrong[i], &certificate, "certificate 1 has the name", "xn--");
    }
    jz_tls_certificate certificate = files(sound_pem, sound_key);
    certificate.name_count = 1;
    expect_wrong("no names", &certificate, "certificate 1 has a name_count, but no names", "");
}

static void options_are_checked(void **state)
{
    (void)state;
    jz_tls_certificate certificate = files(sound_pem, sound_key);
    const char *authorities = write_file("ca.pem", "hello");
    uint8_t secret[2048] = {0};
#define WITH(...)                                                                                                      \
    {                                                                                                                  \
        .certificates = &certificate, .certificate_count = 1, __VA_ARGS__                                              \
    }
    const struct {
        jz_tls_options options;
        const char *says;
        const char *also;
    } rows[] = {
        {{.certificates = &certificate}, "there is no certificate", "certificate_count"},
        {{.certificate_count = 1}, "there is no certificate", "certificate_count"},
        {{.certificates = &certificate, .certificate_count = 10001}, "certificate_count is 10001", "1 to 10000"},
        {WITH(.policy = (jz_tls_policy)2), "policy is 2", "0 to 1"},
        {WITH(.clients = (jz_tls_clients)3), "clients is 3", "0 to 2"},
        {WITH(.watch_interval_ms = 99), "watch_interval_ms is 99", "100 to 86400000, or 0"},
        {WITH(.watch_interval_ms = 86400001), "watch_interval_ms is 86400001", ""},
        {WITH(.ticket_lifetime_s = 59), "ticket_lifetime_s is 59", "60 to 604800, or 0"},
        {WITH(.ticket_lifetime_s = 604801), "ticket_lifetime_s is 604801", ""},
        {WITH(.ticket_secret = secret, .ticket_secret_length = 31), "ticket_secret_length is 31", "32 to 1024"},
        {WITH(.ticket_secret = secret, .ticket_secret_length = 1025), "ticket_secret_length is 1025", ""},
        {WITH(.client_ca_file = authorities), "there is a client_ca, but clients are anonymous", "option clients"},
        {WITH(.clients = JZ_TLS_CLIENTS_MUST_IDENTIFY), "clients identify themselves, but there is no client_ca", ""},
        {WITH(.clients = JZ_TLS_CLIENTS_MAY_IDENTIFY, .client_ca_file = authorities), "client_ca file", "is not PEM"},
        {WITH(.clients = JZ_TLS_CLIENTS_MAY_IDENTIFY, .client_ca_file = path_of("gone")), "gone\" does not exist",
         "client_ca file"},
        {WITH(.clients = JZ_TLS_CLIENTS_MAY_IDENTIFY, .client_ca = sound_key, .client_ca_length = strlen(sound_key)),
         "client_ca 1 in memory has no certificate", ""},
        {WITH(.clients = JZ_TLS_CLIENTS_MAY_IDENTIFY, .client_ca = "", .client_ca_file = authorities),
         "both a client_ca_file and a client_ca", ""},
    };
#undef WITH
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        expect_error(rows[i].says, &rows[i].options, JZ_STATUS_INVALID_OPTION, rows[i].says, rows[i].also);
    jz_error error;
    assert_null(jz_tls_create(NULL, &error));
    assert_int_equal(error.status, JZ_STATUS_INVALID_OPTION);
}

/* The error has no room for all of it: the end is what counts. */
static void a_long_path_is_cut_at_its_beginning(void **state)
{
    (void)state;
    char long_path[400];
    for (size_t i = 0; i < sizeof long_path; i++)
        long_path[i] = i % 8 == 0 ? '/' : 'x';
    memcpy(long_path + sizeof long_path - 13, "xxx/last.pem", 13);
    jz_tls_certificate certificate = {.certificate_file = long_path};
    expect_wrong("long", &certificate, "file \"...", "xxx/last.pem\"");
    jz_tls_certificate strange = {.certificate_file = "a\nb\xff.pem"};
    expect_wrong("strange", &strange, "file \"a\\nb\\xFF.pem\"", "does not exist");
}

int main(void)
{
#define wrong_test(function) cmocka_unit_test_setup_teardown(function, begin, setting_end)
    const struct CMUnitTest tests[] = {
        wrong_test(a_file_that_cannot_be_read_is_named),
        wrong_test(a_file_without_permission_is_named),
        wrong_test(what_is_no_pem_is_named),
        wrong_test(pem_of_something_else_is_named),
        wrong_test(a_file_that_is_cut_anywhere_is_wrong),
        wrong_test(a_key_that_does_not_belong_to_the_certificate_is_named),
        wrong_test(what_is_too_weak_is_named),
        wrong_test(an_encrypted_key_needs_its_passphrase),
        wrong_test(a_key_that_is_not_whole_text_is_told_and_never_shown),
        wrong_test(a_path_is_taken_for_one),
        wrong_test(sources_are_given_once),
        wrong_test(names_are_checked),
        wrong_test(options_are_checked),
        wrong_test(a_long_path_is_cut_at_its_beginning),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests(tests, NULL, NULL));
}
