/* Encryption and decryption of single records (RFC 8446 §5.2, RFC 5246 §6.2.3.3). */
#include <openssl/core_names.h>
#include <openssl/params.h>
#include <string.h>

#include "records/records.h"

enum {
    COPIED = 1024,     /* bytes up to which data is joined first, and encrypted by one call */
    MOST_UNJOINED = 4, /* pieces that are encrypted one by one */
    SEQUENCE = 8,
    ADDITIONAL = 13, /* in TLS 1.2: sequence, type, version, length */
    MAJOR = 3,
    MINOR = 3 /* of TLS 1.2; TLS 1.3 says so, too */
};

static void write_header(uint8_t *header, uint8_t type, size_t length)
{
    header[0] = type;
    header[1] = MAJOR;
    header[2] = MINOR;
    header[3] = (uint8_t)(length >> 8);
    header[4] = (uint8_t)length;
}

/* Without a loop compilers make one instruction of it. */
static void write_sequence(uint8_t bytes[SEQUENCE], uint64_t sequence)
{
    bytes[0] = (uint8_t)(sequence >> 56);
    bytes[1] = (uint8_t)(sequence >> 48);
    bytes[2] = (uint8_t)(sequence >> 40);
    bytes[3] = (uint8_t)(sequence >> 32);
    bytes[4] = (uint8_t)(sequence >> 24);
    bytes[5] = (uint8_t)(sequence >> 16);
    bytes[6] = (uint8_t)(sequence >> 8);
    bytes[7] = (uint8_t)sequence;
}

/* The part of the nonce that is in the record itself: AES-GCM in TLS 1.2 (RFC 5288 §3). */
static size_t explicit_length(const jz_tls_records *records)
{
    return records->is_1_3 ? 0u : (size_t)(JZ_TLS_NONCE - records->suite.salt_length);
}

/*
 * Begins a record: with its nonce, with the tag that decryption is to find, and with what is authenticated besides its
 * content. One call of OpenSSL's sets both, which is quicker than a call for each.
 */
static bool begin(const jz_tls_records *records, const jz_tls_keys *keys, const uint8_t nonce[JZ_TLS_NONCE],
                  uint8_t *expected, const uint8_t *header, size_t length)
{
    uint8_t additional[ADDITIONAL];
    int ignored;
    const OSSL_PARAM tag[] = {OSSL_PARAM_construct_octet_string(OSSL_CIPHER_PARAM_AEAD_TAG, expected, JZ_TLS_TAG),
                              OSSL_PARAM_construct_end()};
    if (EVP_CipherInit_ex2(keys->cipher, NULL, NULL, nonce, -1, expected != NULL ? tag : NULL) != 1)
        return false;
    if (records->is_1_3)
        return EVP_CipherUpdate(keys->cipher, NULL, &ignored, header, JZ_TLS_HEADER) == 1;
    write_sequence(additional, keys->sequence);
    memcpy(additional + SEQUENCE, header, 3);
    additional[ADDITIONAL - 2] = (uint8_t)(length >> 8);
    additional[ADDITIONAL - 1] = (uint8_t)length;
    return EVP_CipherUpdate(keys->cipher, NULL, &ignored, additional, ADDITIONAL) == 1;
}

/* The sequence number goes into the nonce's end. */
static void derive_nonce(const jz_tls_keys *keys, uint8_t nonce[JZ_TLS_NONCE])
{
    uint8_t sequence[SEQUENCE];
    uint64_t number;
    uint64_t end;
    write_sequence(sequence, keys->sequence);
    memcpy(nonce, keys->initial, JZ_TLS_NONCE);
    memcpy(&number, sequence, SEQUENCE);
    memcpy(&end, nonce + JZ_TLS_NONCE - SEQUENCE, SEQUENCE);
    end ^= number;
    memcpy(nonce + JZ_TLS_NONCE - SEQUENCE, &end, SEQUENCE);
}

size_t jz_tls_sealed_length(const jz_tls_records *records, size_t length)
{
    return JZ_TLS_HEADER + explicit_length(records) + length + (records->is_1_3 ? 1 : 0) + JZ_TLS_TAG;
}

static bool are_few(const jz_piece *pieces, size_t offset, size_t length)
{
    size_t covered = 0;
    for (size_t i = 0; i < MOST_UNJOINED && covered < offset + length; i++)
        covered += pieces[i].length;
    return covered >= offset + length;
}

/* Encrypts from where it is. */
static bool encrypt_pieces(EVP_CIPHER_CTX *cipher, const jz_piece *pieces, size_t offset, size_t length, uint8_t *to)
{
    for (; length > 0; pieces++, offset = 0) {
        int written;
        size_t part = pieces->length - offset < length ? pieces->length - offset : length;
        if (EVP_EncryptUpdate(cipher, to, &written, pieces->bytes + offset, (int)part) != 1)
            return false;
        to += part;
        length -= part;
    }
    return true;
}

/* In TLS 1.3 the type follows the content, encrypted. */
static bool encrypt(const jz_tls_records *records, uint8_t type, const jz_piece *pieces, size_t offset, size_t length,
                    uint8_t *to)
{
    EVP_CIPHER_CTX *cipher = records->writing.cipher;
    size_t with_type = length + (records->is_1_3 ? 1 : 0);
    int written;
    if (length <= COPIED || !are_few(pieces, offset, length)) {
        if (length > 0 && pieces->length - offset >= length)
            memcpy(to, pieces->bytes + offset, length);
        else if (length > 0)
            jz_pieces_join(pieces, SIZE_MAX, offset, to, length);
        to[length] = type;
        return with_type == 0 || EVP_EncryptUpdate(cipher, to, &written, to, (int)with_type) == 1;
    }
    return encrypt_pieces(cipher, pieces, offset, length, to) &&
           (!records->is_1_3 || EVP_EncryptUpdate(cipher, to + length, &written, &type, 1) == 1);
}

size_t jz_tls_seal(jz_tls_records *records, jz_tls_type type, const jz_piece *pieces, size_t offset, size_t length,
                   uint8_t *record)
{
    jz_tls_keys *keys = &records->writing;
    size_t given = explicit_length(records);
    size_t size = jz_tls_sealed_length(records, length);
    uint8_t *content = record + JZ_TLS_HEADER + given;
    uint8_t nonce[JZ_TLS_NONCE];
    int ignored;
    write_header(record, records->is_1_3 ? JZ_TLS_DATA : (uint8_t)type, size - JZ_TLS_HEADER);
    if (given > 0) {
        memcpy(nonce, keys->initial, JZ_TLS_NONCE - given);
        write_sequence(record + JZ_TLS_HEADER, keys->sequence);
        memcpy(nonce + JZ_TLS_NONCE - given, record + JZ_TLS_HEADER, given);
    } else {
        derive_nonce(keys, nonce);
    }
    OSSL_PARAM tag[] = {
        OSSL_PARAM_construct_octet_string(OSSL_CIPHER_PARAM_AEAD_TAG, record + size - JZ_TLS_TAG, JZ_TLS_TAG),
        OSSL_PARAM_construct_end()};
    if (!begin(records, keys, nonce, NULL, record, length) ||
        !encrypt(records, (uint8_t)type, pieces, offset, length, content) ||
        EVP_EncryptFinal_ex(keys->cipher, record + size - JZ_TLS_TAG, &ignored) != 1 ||
        EVP_CIPHER_CTX_get_params(keys->cipher, tag) != 1)
        return 0;
    keys->sequence++;
    return size;
}

jz_tls_fault jz_tls_look_at_header(const jz_tls_records *records, const uint8_t *header, size_t *length)
{
    size_t content = (size_t)header[3] << 8 | header[4];
    *length = JZ_TLS_HEADER + content;
    /* All is encrypted as data in TLS 1.3, after the handshake. */
    if (records->is_1_3 ? header[0] != JZ_TLS_DATA : header[0] < JZ_TLS_ALERT || header[0] > JZ_TLS_DATA)
        return JZ_TLS_WRONG_TYPE;
    if (content > JZ_TLS_MOST_OPENED)
        return JZ_TLS_TOO_LONG;
    return content < explicit_length(records) + JZ_TLS_TAG ? JZ_TLS_UNDECIPHERABLE : JZ_TLS_FINE;
}

static bool decrypt(const jz_tls_records *records, const uint8_t *record, const uint8_t *sealed, size_t length,
                    uint8_t *content)
{
    const jz_tls_keys *keys = &records->reading;
    size_t given = explicit_length(records);
    uint8_t nonce[JZ_TLS_NONCE];
    uint8_t tag[JZ_TLS_TAG];
    int written;
    if (given > 0) {
        memcpy(nonce, keys->initial, JZ_TLS_NONCE - given);
        memcpy(nonce + JZ_TLS_NONCE - given, record + JZ_TLS_HEADER, given);
    } else {
        derive_nonce(keys, nonce);
    }
    memcpy(tag, sealed + length, JZ_TLS_TAG);
    return begin(records, keys, nonce, tag, record, length) &&
           (length == 0 || EVP_DecryptUpdate(keys->cipher, content, &written, sealed, (int)length) == 1) &&
           EVP_DecryptFinal_ex(keys->cipher, content + length, &written) == 1;
}

/* The type is the last byte that is not zero; what follows it is padding (RFC 8446 §5.4). */
static jz_tls_fault find_type(const uint8_t *content, size_t *length, uint8_t *type)
{
    while (*length > 0 && content[*length - 1] == 0)
        --*length;
    if (*length == 0)
        return JZ_TLS_WRONG_TYPE;
    *type = content[--*length];
    return JZ_TLS_FINE;
}

jz_tls_fault jz_tls_open(jz_tls_records *records, const uint8_t *record, uint8_t *content, size_t *length,
                         uint8_t *type)
{
    size_t given = explicit_length(records);
    size_t whole = (size_t)record[3] << 8 | record[4];
    *length = whole - given - JZ_TLS_TAG;
    *type = record[0];
    if (!decrypt(records, record, record + JZ_TLS_HEADER + given, *length, content))
        return JZ_TLS_UNDECIPHERABLE;
    records->reading.sequence++;
    if (*length > JZ_TLS_MOST_DATA + (records->is_1_3 ? 1u : 0u))
        return JZ_TLS_TOO_LONG;
    jz_tls_fault fault = records->is_1_3 ? find_type(content, length, type) : JZ_TLS_FINE;
    return fault == JZ_TLS_FINE && *length > records->longest ? JZ_TLS_TOO_LONG : fault;
}
