#include "support/forger.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "support/testing.h"

enum { MOST_SEALED = 17 * 1024 + 256, TAG = 16 };

/* HKDF-Expand-Label (RFC 8446, 7.1) without a context, up to one block. */
static void expand(const uint8_t secret[32], const char *label, uint8_t *out, size_t length)
{
    uint8_t info[64] = {0, (uint8_t)length, (uint8_t)(6 + strlen(label))};
    uint8_t block[32];
    memcpy(info + 3, "tls13 ", 6);
    memcpy(info + 9, label, strlen(label));
    size_t info_length = 9 + strlen(label) + 1;
    info[info_length++] = 1;
    assert_non_null(HMAC(EVP_sha256(), secret, 32, info, info_length, block, NULL));
    memcpy(out, block, length);
}

static void derive(forger *forger)
{
    expand(forger->secret, "key", forger->key, sizeof forger->key);
    expand(forger->secret, "iv", forger->initial, sizeof forger->initial);
    forger->sequence = 0;
}

void forger_begin(forger *forger, const uint8_t secret[32])
{
    memcpy(forger->secret, secret, 32);
    derive(forger);
}

size_t forger_seal(forger *forger, uint8_t type, const void *data, size_t length, size_t padding, uint8_t *record)
{
    static uint8_t plain[MOST_SEALED];
    uint8_t nonce[12];
    int written;
    size_t inner = length + 1 + padding;
    size_t body = inner + TAG;
    assert_true(inner <= MOST_SEALED);
    memcpy(nonce, forger->initial, sizeof nonce);
    for (int i = 0; i < 8; i++)
        nonce[11 - i] ^= (uint8_t)(forger->sequence >> (8 * i));
    forger->sequence++;
    memset(plain, 0, inner);
    if (length > 0)
        memcpy(plain, data, length);
    plain[length] = type;
    const uint8_t header[5] = {RECORD_DATA, 3, 3, (uint8_t)(body >> 8), (uint8_t)body};
    memcpy(record, header, sizeof header);
    EVP_CIPHER_CTX *cipher = EVP_CIPHER_CTX_new();
    assert_non_null(cipher);
    EVP_EncryptInit_ex(cipher, EVP_aes_128_gcm(), NULL, forger->key, nonce);
    EVP_EncryptUpdate(cipher, NULL, &written, header, sizeof header);
    EVP_EncryptUpdate(cipher, record + 5, &written, plain, (int)inner);
    EVP_EncryptFinal_ex(cipher, record + 5 + inner, &written);
    EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_AEAD_GET_TAG, TAG, record + 5 + inner);
    EVP_CIPHER_CTX_free(cipher);
    return 5 + body;
}

void forger_renew_key(forger *forger)
{
    uint8_t next[32];
    expand(forger->secret, "traffic upd", next, sizeof next);
    forger_begin(forger, next);
}

size_t forger_update_key(forger *forger, int asks, uint8_t *record)
{
    const uint8_t message[] = {24 /* key_update */, 0, 0, 1, asks ? 1 : 0};
    size_t length = forger_seal(forger, RECORD_HANDSHAKE, message, sizeof message, 0, record);
    forger_renew_key(forger);
    return length;
}
