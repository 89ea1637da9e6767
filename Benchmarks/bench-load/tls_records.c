#include "tls_records.h"

#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "../common-tls/tls_pipe.h"
#include "fail.h"

enum {
    SECRET = 32, /* bytes: that of SHA-256 */
    KEY = 16,
    NONCE = 12,
    TAG = 16,
    HEADER = 5,
    MOST_SEALED = TLS_MOST_PLAINTEXT + 256, /* RFC 8446 5.2 */
    /* Types of records, and of a message: RFC 8446 B.1, B.3. */
    MESSAGE = 22,
    DATA = 23,
    NEW_SESSION_TICKET = 4
};

typedef struct direction {
    EVP_CIPHER_CTX *cipher;
    uint64_t sequence;
    uint8_t initial[NONCE];
} direction;

struct tls_records {
    direction reading;
    direction writing;
};

/* A secret as it was noted last, and is not taken yet: both are in the step in which a handshake ends. */
typedef struct noted {
    bool is_there;
    uint8_t secret[SECRET];
} noted;

static noted of_client;
static noted of_server;

static void note(noted *noted, const char *digits)
{
    for (size_t i = 0; i < SECRET; i++) {
        const char pair[] = {digits[2 * i], digits[2 * i + 1], '\0'};
        noted->secret[i] = (uint8_t)strtoul(pair, NULL, 16);
    }
    noted->is_there = true;
}

/* Of a key log: label, the client's random, and the secret, with a space between them. */
static void take_line(const SSL *ssl, const char *line)
{
    static const char client[] = "CLIENT_TRAFFIC_SECRET_0 ";
    static const char server[] = "SERVER_TRAFFIC_SECRET_0 ";
    (void)ssl;
    const char *digits = strrchr(line, ' ') + 1;
    if (strlen(digits) != (size_t)2 * SECRET)
        return;
    if (strncmp(line, client, sizeof client - 1) == 0)
        note(&of_client, digits);
    else if (strncmp(line, server, sizeof server - 1) == 0)
        note(&of_server, digits);
}

void tls_records_prepare(SSL_CTX *context)
{
    SSL_CTX_set_keylog_callback(context, take_line);
}

/* HKDF-Expand-Label of RFC 8446 7.1, without a context. */
static void expand(const uint8_t secret[SECRET], const char *label, uint8_t *bytes, size_t length)
{
    uint8_t info[32] = {0, (uint8_t)length, (uint8_t)(6 + strlen(label)), 't', 'l', 's', '1', '3', ' '};
    size_t info_length = 9 + strlen(label) + 1;
    memcpy(info + 9, label, strlen(label));
    EVP_PKEY_CTX *hkdf = EVP_PKEY_CTX_new_id(EVP_PKEY_HKDF, NULL);
    if (hkdf == NULL || EVP_PKEY_derive_init(hkdf) != 1 ||
        EVP_PKEY_CTX_set_hkdf_mode(hkdf, EVP_PKEY_HKDEF_MODE_EXPAND_ONLY) != 1 ||
        EVP_PKEY_CTX_set_hkdf_md(hkdf, EVP_sha256()) != 1 || EVP_PKEY_CTX_set1_hkdf_key(hkdf, secret, SECRET) != 1 ||
        EVP_PKEY_CTX_add1_hkdf_info(hkdf, info, (int)info_length) != 1 || EVP_PKEY_derive(hkdf, bytes, &length) != 1)
        fail("OpenSSL derives no key");
    EVP_PKEY_CTX_free(hkdf);
}

/* Takes the secret. */
static direction begin(noted *noted, bool encrypts)
{
    direction direction = {.cipher = EVP_CIPHER_CTX_new()};
    uint8_t key[KEY];
    if (!noted->is_there)
        fail("OpenSSL has not told the secrets of a handshake");
    expand(noted->secret, "key", key, sizeof key);
    expand(noted->secret, "iv", direction.initial, sizeof direction.initial);
    noted->is_there = false;
    if (direction.cipher == NULL ||
        EVP_CipherInit_ex(direction.cipher, EVP_aes_128_gcm(), NULL, key, NULL, encrypts) != 1)
        fail("no memory for TLS");
    return direction;
}

tls_records *tls_records_create(void)
{
    tls_records *records = malloc(sizeof *records);
    if (records == NULL)
        fail("no memory for TLS");
    *records = (tls_records){.reading = begin(&of_server, false), .writing = begin(&of_client, true)};
    return records;
}

void tls_records_free(tls_records *records)
{
    if (records == NULL)
        return;
    EVP_CIPHER_CTX_free(records->reading.cipher);
    EVP_CIPHER_CTX_free(records->writing.cipher);
    free(records);
}

/* The nonce of the next record, and its header, which is authenticated. */
static bool begin_record(direction *direction, const uint8_t *header)
{
    uint8_t nonce[NONCE];
    int ignored;
    memcpy(nonce, direction->initial, NONCE);
    for (size_t i = 0; i < sizeof direction->sequence; i++)
        nonce[NONCE - 1 - i] ^= (uint8_t)(direction->sequence >> 8 * i);
    direction->sequence++;
    return EVP_CipherInit_ex(direction->cipher, NULL, NULL, NULL, nonce, -1) == 1 &&
           EVP_CipherUpdate(direction->cipher, NULL, &ignored, header, HEADER) == 1;
}

size_t tls_records_seal(tls_records *records, const uint8_t *bytes, size_t length, uint8_t *record)
{
    static const uint8_t type = DATA;
    EVP_CIPHER_CTX *cipher = records->writing.cipher;
    size_t sealed = length + 1 + TAG;
    const uint8_t header[HEADER] = {DATA, 3, 3, (uint8_t)(sealed >> 8), (uint8_t)sealed};
    uint8_t *to = record + HEADER;
    int ignored;
    memcpy(record, header, HEADER);
    if (!begin_record(&records->writing, header) || EVP_EncryptUpdate(cipher, to, &ignored, bytes, (int)length) != 1 ||
        EVP_EncryptUpdate(cipher, to + length, &ignored, &type, 1) != 1 ||
        EVP_EncryptFinal_ex(cipher, to + length + 1, &ignored) != 1 ||
        EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_GCM_GET_TAG, TAG, to + length + 1) != 1)
        fail("OpenSSL does not encrypt");
    return HEADER + sealed;
}

/* Returns how much data is in it. */
static size_t open_record(tls_records *records, const uint8_t *record, size_t length, uint8_t *content)
{
    EVP_CIPHER_CTX *cipher = records->reading.cipher;
    uint8_t tag[TAG];
    int ignored;
    memcpy(tag, record + HEADER + length, TAG);
    if (!begin_record(&records->reading, record) || EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_GCM_SET_TAG, TAG, tag) != 1 ||
        EVP_DecryptUpdate(cipher, content, &ignored, record + HEADER, (int)length) != 1 ||
        EVP_DecryptFinal_ex(cipher, content + length, &ignored) != 1)
        fail("the server sent a record that cannot be decrypted");
    while (length > 0 && content[length - 1] == 0)
        length--;
    if (length == 0)
        fail("the server sent a record without a type");
    uint8_t type = content[--length];
    if (type == DATA)
        return length;
    if (type != MESSAGE || length == 0 || content[0] != NEW_SESSION_TICKET)
        fail("the server sent an alert, or a message of TLS that is no ticket");
    return 0;
}

size_t tls_records_open(tls_records *records, const uint8_t *bytes, size_t length, uint8_t *content, size_t *taken)
{
    size_t total = 0;
    *taken = 0;
    while (length - *taken >= HEADER) {
        const uint8_t *record = bytes + *taken;
        size_t sealed = (size_t)record[3] << 8 | record[4];
        if (record[0] != DATA || sealed <= TAG || sealed > MOST_SEALED)
            fail("the server sent something that is no record of TLS 1.3");
        if (HEADER + sealed > length - *taken)
            break;
        total += open_record(records, record, sealed - TAG, content + total);
        *taken += HEADER + sealed;
    }
    return total;
}
