#include "records/derivation.h"

#include <openssl/core_names.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <string.h>

enum { MOST_INFO = 64, RANDOM = 32, MASTER = 48 };

bool jz_tls_suite_of(const SSL *ssl, const jz_tls_library *library, jz_tls_suite *suite)
{
    const SSL_CIPHER *cipher = SSL_get_current_cipher(ssl);
    enum { SALT_OF_GCM = 4 /* RFC 5288 §3 */, SHA256_SIZE = 32, SHA384_SIZE = 48 };
    suite->salt_length = SALT_OF_GCM;
    suite->secret_length = SHA256_SIZE; /* OpenSSL would look its name up */
    switch (SSL_CIPHER_get_cipher_nid(cipher)) {
    case NID_aes_128_gcm:
        suite->cipher = library->aes_128;
        break;
    case NID_aes_256_gcm:
        suite->cipher = library->aes_256;
        suite->secret_length = SHA384_SIZE;
        break;
    case NID_chacha20_poly1305:
        suite->cipher = library->chacha20;
        suite->salt_length = JZ_TLS_NONCE;
        break;
    default:
        return false;
    }
    if (suite->cipher == NULL)
        return false;
    suite->library = library;
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
    const jz_tls_library *library = suite->library;
    EVP_MAC_CTX *hmac =
        EVP_MAC_CTX_dup(suite->secret_length == SHA256_SIZE ? library->hmac_sha256 : library->hmac_sha384);
    if (hmac != NULL && EVP_MAC_init(hmac, secret, suite->secret_length, NULL) == 1)
        return hmac;
    EVP_MAC_CTX_free(hmac);
    return NULL;
}

bool jz_tls_derive_material(const jz_tls_suite *suite, const uint8_t *secret, jz_tls_secret *material)
{
    EVP_MAC_CTX *hmac = begin(suite, secret);
    bool is_done = hmac != NULL && expand(hmac, "key", material->key, suite->key_length) &&
                   expand(hmac, "iv", material->initial, sizeof material->initial);
    EVP_MAC_CTX_free(hmac);
    return is_done;
}

bool jz_tls_use_material(const jz_tls_suite *suite, jz_tls_keys *keys, const jz_tls_secret *material, bool encrypts)
{
    memcpy(keys->initial, material->initial, sizeof keys->initial);
    keys->sequence = 0;
    return set_key(suite, keys, material->key, encrypts);
}

bool jz_tls_derive_keys(const jz_tls_suite *suite, jz_tls_keys *keys, bool encrypts)
{
    jz_tls_secret material;
    bool is_done =
        jz_tls_derive_material(suite, keys->secret, &material) && jz_tls_use_material(suite, keys, &material, encrypts);
    OPENSSL_cleanse(&material, sizeof material);
    return is_done;
}

bool jz_tls_derive_next_secret(const jz_tls_suite *suite, jz_tls_keys *keys)
{
    EVP_MAC_CTX *hmac = begin(suite, keys->secret);
    bool is_done = hmac != NULL && expand(hmac, "traffic upd", keys->secret, suite->secret_length);
    EVP_MAC_CTX_free(hmac);
    return is_done;
}

size_t jz_tls_block_length(const jz_tls_suite *suite)
{
    return 2 * ((size_t)suite->key_length + suite->salt_length);
}

/* PRF(master secret, "key expansion", server's random + client's random). */
bool jz_tls_derive_block(const SSL *ssl, const jz_tls_suite *suite, uint8_t block[JZ_TLS_MOST_BLOCK])
{
    static const char label[] = "key expansion";
    uint8_t seed[sizeof label - 1 + 2 * RANDOM];
    uint8_t master[MASTER];
    char digest[16] = "";
    const char *name = EVP_MD_get0_name(SSL_CIPHER_get_handshake_digest(SSL_get_current_cipher(ssl)));
    EVP_KDF_CTX *prf = suite->library->prf != NULL ? EVP_KDF_CTX_new(suite->library->prf) : NULL;
    memcpy(seed, label, sizeof label - 1);
    size_t master_length = SSL_SESSION_get_master_key(SSL_get_session(ssl), master, sizeof master);
    bool is_done = prf != NULL && strlen(name) < sizeof digest &&
                   SSL_get_server_random(ssl, seed + sizeof label - 1, RANDOM) == RANDOM &&
                   SSL_get_client_random(ssl, seed + sizeof label - 1 + RANDOM, RANDOM) == RANDOM;
    if (is_done) {
        memcpy(digest, name, strlen(name));
        const OSSL_PARAM parameters[] = {
            OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
            OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SECRET, master, master_length),
            OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SEED, seed, sizeof seed), OSSL_PARAM_construct_end()};
        is_done = EVP_KDF_derive(prf, block, jz_tls_block_length(suite), parameters) == 1;
    }
    EVP_KDF_CTX_free(prf);
    OPENSSL_cleanse(master, sizeof master);
    return is_done;
}

bool jz_tls_use_block(jz_tls_records *records, const uint8_t *block)
{
    const jz_tls_suite *suite = &records->suite;
    size_t key = suite->key_length;
    size_t salt = suite->salt_length;
    memcpy(records->reading.initial, block + 2 * key, salt);
    memcpy(records->writing.initial, block + 2 * key + salt, salt);
    return set_key(suite, &records->reading, block, false) && set_key(suite, &records->writing, block + key, true);
}
