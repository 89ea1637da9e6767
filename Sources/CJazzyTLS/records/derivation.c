#include "records/derivation.h"

#include <openssl/core_names.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <pthread.h>
#include <string.h>

enum { MOST_KEY = 32, MOST_INFO = 64, MOST_BLOCK = 2 * (MOST_KEY + JZ_TLS_NONCE), RANDOM = 32, MASTER = 48 };

/* Never freed: loops may run when a program ends. */
static struct {
    pthread_mutex_t lock;
    EVP_CIPHER *aes_128;
    EVP_CIPHER *aes_256;
    EVP_CIPHER *chacha20;     /* NULL where it is not allowed */
    EVP_MAC_CTX *hmac_sha256; /* without a key: copied, which is quicker than to look up a digest each time */
    EVP_MAC_CTX *hmac_sha384;
    EVP_KDF *prf; /* of TLS 1.2; NULL where it is not allowed */
} known = {.lock = PTHREAD_MUTEX_INITIALIZER};

static EVP_MAC_CTX *prepare_hmac(EVP_MAC *hmac, char *digest)
{
    EVP_MAC_CTX *context = hmac != NULL ? EVP_MAC_CTX_new(hmac) : NULL;
    const OSSL_PARAM parameters[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
                                     OSSL_PARAM_construct_end()};
    if (context != NULL && EVP_MAC_CTX_set_params(context, parameters) == 1)
        return context;
    EVP_MAC_CTX_free(context);
    return NULL;
}

static bool prepare_hmacs(void)
{
    char sha256[] = "SHA256";
    char sha384[] = "SHA384";
    EVP_MAC *hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    if (known.hmac_sha256 == NULL)
        known.hmac_sha256 = prepare_hmac(hmac, sha256);
    if (known.hmac_sha384 == NULL)
        known.hmac_sha384 = prepare_hmac(hmac, sha384);
    EVP_MAC_free(hmac);
    return known.hmac_sha256 != NULL && known.hmac_sha384 != NULL;
}

bool jz_tls_derivation_prepare(void)
{
    pthread_mutex_lock(&known.lock);
    if (known.aes_128 == NULL)
        known.aes_128 = EVP_CIPHER_fetch(NULL, "AES-128-GCM", NULL);
    if (known.aes_256 == NULL)
        known.aes_256 = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
    if (known.chacha20 == NULL)
        known.chacha20 = EVP_CIPHER_fetch(NULL, "ChaCha20-Poly1305", NULL);
    bool has_hmacs = prepare_hmacs();
    if (known.prf == NULL)
        known.prf = EVP_KDF_fetch(NULL, "TLS1-PRF", NULL);
    bool is_prepared = known.aes_128 != NULL && known.aes_256 != NULL && has_hmacs;
    pthread_mutex_unlock(&known.lock);
    return is_prepared;
}

bool jz_tls_suite_of(const SSL *ssl, jz_tls_suite *suite)
{
    const SSL_CIPHER *cipher = SSL_get_current_cipher(ssl);
    const EVP_MD *digest = SSL_CIPHER_get_handshake_digest(cipher);
    enum { SALT_OF_GCM = 4 }; /* RFC 5288 §3 */
    suite->salt_length = SALT_OF_GCM;
    switch (SSL_CIPHER_get_cipher_nid(cipher)) {
    case NID_aes_128_gcm:
        suite->cipher = known.aes_128;
        break;
    case NID_aes_256_gcm:
        suite->cipher = known.aes_256;
        break;
    case NID_chacha20_poly1305:
        suite->cipher = known.chacha20;
        suite->salt_length = JZ_TLS_NONCE;
        break;
    default:
        return false;
    }
    if (suite->cipher == NULL || digest == NULL || EVP_MD_get_size(digest) > JZ_TLS_MOST_SECRET)
        return false;
    suite->digest = EVP_MD_get0_name(digest);
    suite->secret_length = (uint8_t)EVP_MD_get_size(digest);
    suite->key_length = (uint8_t)EVP_CIPHER_get_key_length(suite->cipher);
    return true;
}

static bool set_key(const jz_tls_suite *suite, jz_tls_keys *keys, const uint8_t *key, bool encrypts)
{
    if (keys->cipher == NULL)
        keys->cipher = EVP_CIPHER_CTX_new();
    return keys->cipher != NULL && EVP_CipherInit_ex(keys->cipher, suite->cipher, NULL, key, NULL, encrypts) == 1;
}

/* HKDF-Expand-Label of RFC 8446 §7.1, without a context, and for no more than one block. */
static size_t write_info(uint8_t info[MOST_INFO], const char *label, size_t length)
{
    size_t label_length = strlen(label);
    uint8_t *at = info;
    *at++ = 0;
    *at++ = (uint8_t)length;
    *at++ = (uint8_t)(6 + label_length);
    memcpy(at, "tls13 ", 6);
    memcpy(at + 6, label, label_length);
    at += 6 + label_length;
    *at++ = 0; /* no context */
    *at++ = 1; /* the first block (RFC 5869 §2.3) */
    return (size_t)(at - info);
}

static bool expand(EVP_MAC_CTX *hmac, const char *label, uint8_t *bytes, size_t length)
{
    uint8_t info[MOST_INFO];
    uint8_t block[JZ_TLS_MOST_SECRET];
    size_t info_length = write_info(info, label, length);
    size_t block_length = 0;
    bool is_done = EVP_MAC_init(hmac, NULL, 0, NULL) == 1 && EVP_MAC_update(hmac, info, info_length) == 1 &&
                   EVP_MAC_final(hmac, block, &block_length, sizeof block) == 1 && length <= block_length;
    if (is_done)
        memcpy(bytes, block, length);
    OPENSSL_cleanse(block, sizeof block);
    return is_done;
}

static EVP_MAC_CTX *begin(const jz_tls_suite *suite, const uint8_t *secret)
{
    enum { SHA256_SIZE = 32 };
    EVP_MAC_CTX *hmac = EVP_MAC_CTX_dup(suite->secret_length == SHA256_SIZE ? known.hmac_sha256 : known.hmac_sha384);
    if (hmac != NULL && EVP_MAC_init(hmac, secret, suite->secret_length, NULL) == 1)
        return hmac;
    EVP_MAC_CTX_free(hmac);
    return NULL;
}

bool jz_tls_derive_keys(const jz_tls_suite *suite, jz_tls_keys *keys, bool encrypts)
{
    uint8_t key[MOST_KEY];
    EVP_MAC_CTX *hmac = begin(suite, keys->secret);
    bool is_done = hmac != NULL && expand(hmac, "key", key, suite->key_length) &&
                   expand(hmac, "iv", keys->initial, sizeof keys->initial) && set_key(suite, keys, key, encrypts);
    EVP_MAC_CTX_free(hmac);
    OPENSSL_cleanse(key, sizeof key);
    keys->sequence = 0;
    return is_done;
}

bool jz_tls_derive_next_secret(const jz_tls_suite *suite, jz_tls_keys *keys)
{
    EVP_MAC_CTX *hmac = begin(suite, keys->secret);
    bool is_done = hmac != NULL && expand(hmac, "traffic upd", keys->secret, suite->secret_length);
    EVP_MAC_CTX_free(hmac);
    return is_done;
}

/* PRF(master secret, "key expansion", server's random + client's random). */
static bool expand_master_secret(const SSL *ssl, const jz_tls_suite *suite, uint8_t *block, size_t length)
{
    static const char label[] = "key expansion";
    uint8_t seed[sizeof label - 1 + 2 * RANDOM];
    uint8_t master[MASTER];
    char digest[16] = "";
    EVP_KDF_CTX *prf = known.prf != NULL ? EVP_KDF_CTX_new(known.prf) : NULL;
    memcpy(seed, label, sizeof label - 1);
    size_t master_length = SSL_SESSION_get_master_key(SSL_get_session(ssl), master, sizeof master);
    bool is_done = prf != NULL && strlen(suite->digest) < sizeof digest &&
                   SSL_get_server_random(ssl, seed + sizeof label - 1, RANDOM) == RANDOM &&
                   SSL_get_client_random(ssl, seed + sizeof label - 1 + RANDOM, RANDOM) == RANDOM;
    if (is_done) {
        memcpy(digest, suite->digest, strlen(suite->digest));
        const OSSL_PARAM parameters[] = {
            OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
            OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SECRET, master, master_length),
            OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SEED, seed, sizeof seed), OSSL_PARAM_construct_end()};
        is_done = EVP_KDF_derive(prf, block, length, parameters) == 1;
    }
    EVP_KDF_CTX_free(prf);
    OPENSSL_cleanse(master, sizeof master);
    return is_done;
}

bool jz_tls_derive_both(const SSL *ssl, jz_tls_records *records)
{
    const jz_tls_suite *suite = &records->suite;
    uint8_t block[MOST_BLOCK];
    size_t key = suite->key_length;
    size_t salt = suite->salt_length;
    bool is_done = expand_master_secret(ssl, suite, block, 2 * (key + salt)) &&
                   set_key(suite, &records->reading, block, false) &&
                   set_key(suite, &records->writing, block + key, true);
    memcpy(records->reading.initial, block + 2 * key, salt);
    memcpy(records->writing.initial, block + 2 * key + salt, salt);
    OPENSSL_cleanse(block, sizeof block);
    return is_done;
}
