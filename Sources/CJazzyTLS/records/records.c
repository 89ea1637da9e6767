#include "records/records.h"

#include <stdlib.h>
#include <string.h>

#include "records/derivation.h"

/* With AES-GCM a key may encrypt 2^24.5 records (RFC 8446 §5.5). TLS 1.2 cannot exchange it. */
static const uint64_t most_written = UINT64_C(1) << 24;

static bool take_secret(const jz_tls_suite *suite, jz_tls_keys *keys, const jz_tls_secret *derived, bool encrypts)
{
    if (derived->length != suite->secret_length)
        return false;
    memcpy(keys->secret, derived->secret, derived->length);
    return derived->key_length == suite->key_length && derived->has_initial
               ? jz_tls_use_material(suite, keys, derived, encrypts)
               : jz_tls_derive_keys(suite, keys, encrypts);
}

static bool take_block(const SSL *ssl, jz_tls_records *records, const jz_tls_secrets *secrets)
{
    uint8_t block[JZ_TLS_MOST_BLOCK];
    if (secrets->block_length >= jz_tls_block_length(&records->suite))
        return jz_tls_use_block(records, secrets->block);
    bool is_done = jz_tls_derive_block(ssl, &records->suite, block) && jz_tls_use_block(records, block);
    OPENSSL_cleanse(block, sizeof block);
    return is_done;
}

static uint16_t longest_of(const SSL *ssl)
{
    uint8_t code = SSL_SESSION_get_max_fragment_length(SSL_get_session(ssl));
    enum { SHORTEST = 256 };
    return code == TLSEXT_max_fragment_length_DISABLED ? (uint16_t)JZ_TLS_MOST_DATA : (uint16_t)(SHORTEST << code);
}

jz_tls_records *jz_tls_records_create(const SSL *ssl, const jz_tls_library *library, const jz_tls_secrets *secrets,
                                      uint64_t written)
{
    jz_tls_records *records = calloc(1, sizeof *records);
    if (records == NULL)
        return NULL;
    records->is_1_3 = SSL_version(ssl) == TLS1_3_VERSION;
    records->longest = longest_of(ssl);
    records->most_written = most_written;
    bool is_done = jz_tls_suite_of(ssl, library, &records->suite);
    if (is_done && records->is_1_3) {
        is_done = take_secret(&records->suite, &records->reading, &secrets->of_client, false) &&
                  take_secret(&records->suite, &records->writing, &secrets->of_server, true);
        records->writing.sequence = written;
    } else if (is_done) {
        /* Explicit nonces are sequence numbers (RFC 5288 §3); that of OpenSSL's Finished was random, of 64 bits. */
        is_done = take_block(ssl, records, secrets);
        records->reading.sequence = records->writing.sequence = 1;
    }
    if (is_done)
        return records;
    jz_tls_records_free(records);
    return NULL;
}

void jz_tls_records_free(jz_tls_records *records)
{
    if (records == NULL)
        return;
    EVP_CIPHER_CTX_free(records->reading.cipher);
    EVP_CIPHER_CTX_free(records->writing.cipher);
    OPENSSL_cleanse(records, sizeof *records);
    free(records);
}

bool jz_tls_update_keys(const jz_tls_records *records, jz_tls_keys *keys)
{
    return jz_tls_derive_next_secret(&records->suite, keys) &&
           jz_tls_derive_keys(&records->suite, keys, keys == &records->writing);
}

bool jz_tls_keys_are_worn(const jz_tls_records *records)
{
    return records->is_1_3 && records->writing.sequence >= records->most_written;
}
