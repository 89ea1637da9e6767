#include "contexts/trial.h"

#include <openssl/x509.h>
#include <string.h>

#include "contexts/secrets.h"
#include "records/derivation.h"

enum { MOST_STEPS = 10, DAY = 24 * 3600 };

typedef struct trial {
    const jz_tls_library *library;
    EVP_PKEY *key;
    X509 *certificate;
    SSL_CTX *contexts[2]; /* of the server and the client, as are the SSLs */
    SSL *ssls[2];
    jz_tls_secrets noted;
    jz_tls_secrets told; /* in lines */
} trial;

static X509 *certify(const jz_tls_library *library, EVP_PKEY *key)
{
    X509 *certificate = X509_new_ex(library->context, NULL);
    if (certificate != NULL && X509_set_pubkey(certificate, key) == 1 &&
        X509_gmtime_adj(X509_getm_notBefore(certificate), 0) != NULL &&
        X509_gmtime_adj(X509_getm_notAfter(certificate), DAY) != NULL &&
        X509_sign(certificate, key, library->sha256) > 0)
        return certificate;
    X509_free(certificate);
    return NULL;
}

static void note_line(const SSL *ssl, const char *line)
{
    trial *trial = SSL_get_app_data(ssl);
    jz_tls_secrets_read_line(&trial->told, line);
}

static bool prepare(trial *trial)
{
    OSSL_LIB_CTX *context = trial->library->context;
    trial->key = EVP_PKEY_Q_keygen(context, NULL, "EC", "P-256");
    trial->certificate = trial->key != NULL ? certify(trial->library, trial->key) : NULL;
    trial->contexts[0] = SSL_CTX_new_ex(context, NULL, TLS_server_method());
    trial->contexts[1] = SSL_CTX_new_ex(context, NULL, TLS_client_method());
    if (trial->certificate == NULL || trial->contexts[0] == NULL || trial->contexts[1] == NULL)
        return false;
    SSL_CTX_set_keylog_callback(trial->contexts[0], note_line);
    /* The system's settings are not ours. */
    SSL_CTX_set_verify(trial->contexts[1], SSL_VERIFY_NONE, NULL);
    return SSL_CTX_use_certificate(trial->contexts[0], trial->certificate) == 1 &&
           SSL_CTX_use_PrivateKey(trial->contexts[0], trial->key) == 1;
}

static bool begin(trial *trial, int version)
{
    BIO *ends[2] = {NULL, NULL};
    memset(&trial->noted, 0, sizeof trial->noted);
    memset(&trial->told, 0, sizeof trial->told);
    /* The client's are derived by OpenSSL itself: without the same keys they do not understand each other. */
    trial->noted.library = trial->library;
    for (int i = 0; i < 2; i++)
        trial->ssls[i] = SSL_new(trial->contexts[i]);
    if (trial->ssls[0] == NULL || trial->ssls[1] == NULL || BIO_new_bio_pair(&ends[0], 0, &ends[1], 0) != 1)
        return false;
    bool is_ready = SSL_set_app_data(trial->ssls[0], trial) == 1;
    for (int i = 0; i < 2; i++) {
        SSL_set_bio(trial->ssls[i], ends[i], ends[i]);
        SSL_clear_options(trial->ssls[i], SSL_OP_NO_TLSv1_3 | SSL_OP_NO_TLSv1_2);
        is_ready = is_ready && SSL_set_min_proto_version(trial->ssls[i], version) == 1 &&
                   SSL_set_max_proto_version(trial->ssls[i], version) == 1 &&
                   SSL_set_ciphersuites(trial->ssls[i], "TLS_AES_128_GCM_SHA256") == 1 &&
                   SSL_set_cipher_list(trial->ssls[i], "ECDHE-ECDSA-AES128-GCM-SHA256") == 1;
    }
    SSL_set_accept_state(trial->ssls[0]);
    SSL_set_connect_state(trial->ssls[1]);
    return is_ready;
}

static bool shake_hands(trial *trial)
{
    bool is_done = false;
    for (int step = 0; step < MOST_STEPS && !is_done; step++) {
        bool is_client_done = SSL_do_handshake(trial->ssls[1]) == 1;
        jz_tls_secrets_collect(&trial->noted);
        is_done = SSL_do_handshake(trial->ssls[0]) == 1 && is_client_done;
        jz_tls_secrets_collect(NULL);
    }
    return is_done;
}

static bool agree(const jz_tls_suite *suite, const jz_tls_secret *noted, jz_tls_secret *told)
{
    return noted->length == suite->secret_length && told->length == noted->length &&
           memcmp(noted->secret, told->secret, told->length) == 0 &&
           jz_tls_derive_material(suite, told->secret, told) && noted->key_length == suite->key_length &&
           memcmp(noted->key, told->key, noted->key_length) == 0 && noted->has_initial &&
           memcmp(noted->initial, told->initial, sizeof told->initial) == 0;
}

/* What was noted is what was told, and what we ourselves derive from it. */
static bool is_noted(trial *trial, int version)
{
    const SSL *server = trial->ssls[0];
    jz_tls_suite suite;
    if (!jz_tls_suite_of(server, trial->library, &suite))
        return false;
    if (version == TLS1_3_VERSION)
        return agree(&suite, &trial->noted.of_client, &trial->told.of_client) &&
               agree(&suite, &trial->noted.of_server, &trial->told.of_server);
    size_t length = jz_tls_block_length(&suite);
    return trial->noted.block_length >= length && jz_tls_derive_block(server, &suite, trial->told.block) &&
           memcmp(trial->noted.block, trial->told.block, length) == 0;
}

/*
 * The library is kept for good, what is missing is not looked up again, and handshakes that choose it are lost: it may
 * just have been memory that was missing. So an OpenSSL that has no ChaCha20 at all tells its secrets in lines.
 */
static bool has_all(const jz_tls_library *library)
{
    return library->chacha20 != NULL && library->prf != NULL;
}

bool jz_tls_trial_succeeds(const jz_tls_library *library)
{
    static const int versions[] = {TLS1_3_VERSION, TLS1_2_VERSION};
    trial trial = {.library = library};
    bool has_succeeded = has_all(library) && prepare(&trial);
    for (size_t i = 0; i < sizeof versions / sizeof versions[0] && has_succeeded; i++) {
        has_succeeded = begin(&trial, versions[i]) && shake_hands(&trial) && is_noted(&trial, versions[i]);
        SSL_free(trial.ssls[0]);
        SSL_free(trial.ssls[1]);
    }
    SSL_CTX_free(trial.contexts[0]);
    SSL_CTX_free(trial.contexts[1]);
    X509_free(trial.certificate);
    EVP_PKEY_free(trial.key);
    OPENSSL_cleanse(&trial, sizeof trial);
    return has_succeeded;
}
