/*
 * records/: the records of TLS 1.3 and 1.2 after the handshake: keys, encryption, decryption. Not here: handshakes,
 * which are OpenSSL's, sockets, and what messages in records mean.
 *
 * OpenSSL makes the handshake, and is freed then: what it has left are two keys, and all that happens from then on is
 * to encrypt and to decrypt with them, as kernels do that take over TLS. The cryptography is OpenSSL's throughout.
 * Measured with OpenSSL 3.0: a record of 20 bytes costs 0.5 µs by SSL_read and 0.6 by SSL_write, of which 0.2 each are
 * encryption; and an SSL with its session takes 12 KB, of which two keys are 2.
 */
#ifndef JAZZY_TLS_RECORDS_RECORDS_H
#define JAZZY_TLS_RECORDS_RECORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../../CJazzyOpenSSL/CJazzyOpenSSL.h"
#include "jazzy/transport.h"
#include "records/library.h"

enum {
    JZ_TLS_HEADER = 5,                                       /* bytes: type, version, length */
    JZ_TLS_MOST_DATA = 16 * 1024,                            /* in one record (RFC 8446 §5.1) */
    JZ_TLS_MOST_OVERHEAD = 32,                               /* that encryption adds to what is sent */
    JZ_TLS_MOST_OPENED = JZ_TLS_MOST_DATA + 256,             /* with type, padding and tag (§5.2) */
    JZ_TLS_MOST_RECORD = JZ_TLS_HEADER + JZ_TLS_MOST_OPENED, /* that is received */
    JZ_TLS_MOST_SECRET = 48,
    JZ_TLS_MOST_KEY = 32,
    JZ_TLS_TAG = 16,
    JZ_TLS_NONCE = 12,
    JZ_TLS_MOST_BLOCK = 2 * (JZ_TLS_MOST_KEY + JZ_TLS_NONCE) /* of keys and nonces, in TLS 1.2 */
};

/* The types of records (RFC 8446 §B.1). */
typedef enum jz_tls_type {
    JZ_TLS_CHANGE_CIPHER_SPEC = 20,
    JZ_TLS_ALERT = 21,
    JZ_TLS_MESSAGE = 22, /* of the handshake protocol */
    JZ_TLS_DATA = 23
} jz_tls_type;

typedef enum jz_tls_alert {
    JZ_TLS_CLOSE_NOTIFY = 0,
    JZ_TLS_UNEXPECTED_MESSAGE = 10,
    JZ_TLS_BAD_RECORD_MAC = 20,
    JZ_TLS_RECORD_OVERFLOW = 22,
    JZ_TLS_ILLEGAL_PARAMETER = 47,
    JZ_TLS_DECODE_ERROR = 50,
    JZ_TLS_INTERNAL_ERROR = 80,
    JZ_TLS_USER_CANCELED = 90,
    JZ_TLS_NO_RENEGOTIATION = 100
} jz_tls_alert;

/* One direction. */
typedef struct jz_tls_keys {
    EVP_CIPHER_CTX *cipher;
    uint64_t sequence; /* of the next record */
    uint8_t initial[JZ_TLS_NONCE];
    uint8_t secret[JZ_TLS_MOST_SECRET]; /* from which TLS 1.3 derives the next key */
} jz_tls_keys;

typedef struct jz_tls_suite {
    const jz_tls_library *library;
    const EVP_CIPHER *cipher;
    uint8_t secret_length;
    uint8_t key_length;
    uint8_t salt_length; /* of a nonce, in TLS 1.2: the rest is explicit, in the record; 12: nothing is */
} jz_tls_suite;

typedef struct jz_tls_records {
    jz_tls_suite suite;
    jz_tls_keys reading;
    jz_tls_keys writing;
    uint64_t most_written; /* records with one key: then TLS 1.3 exchanges it */
    uint16_t longest;      /* bytes of data in one record: less where the peer has asked for it (RFC 6066 §4) */
    bool is_1_3;
} jz_tls_records;

/* What TLS 1.3 derives for one direction of application traffic. */
typedef struct jz_tls_secret {
    uint8_t secret[JZ_TLS_MOST_SECRET];
    uint8_t key[JZ_TLS_MOST_KEY];
    uint8_t initial[JZ_TLS_NONCE];
    uint8_t length;     /* of the secret: that of its suite's digest; 0: it is not known */
    uint8_t key_length; /* 0: to be derived from the secret */
    bool has_initial;
} jz_tls_secret;

/* What a handshake has derived, as far as it is known. */
typedef struct jz_tls_secrets {
    const jz_tls_library *library; /* that derives where it is collected; NULL: OpenSSL does by itself */
    jz_tls_secret of_client;
    jz_tls_secret of_server;
    uint8_t block[JZ_TLS_MOST_BLOCK]; /* of keys and nonces, in TLS 1.2 */
    uint8_t block_length;             /* 0: to be derived from the master secret */
} jz_tls_secrets;

/*
 * The keys of a server's SSL whose handshake is done, which is not used any more. The library, which outlives them, is
 * that of the SSL. Both secrets are needed for TLS 1.3. `written` records were encrypted with its last key already,
 * none was decrypted; in TLS 1.2 that is Finished, each way, which is known here. NULL: no memory, or a suite that is
 * not spoken here; the error queue may have entries then.
 */
jz_tls_records *jz_tls_records_create(const SSL *ssl, const jz_tls_library *library, const jz_tls_secrets *secrets,
                                      uint64_t written);
void jz_tls_records_free(jz_tls_records *records);

/* The bytes of a record of so much data. */
size_t jz_tls_sealed_length(const jz_tls_records *records, size_t length);

/*
 * Encrypts `length` bytes, at most JZ_TLS_MOST_DATA, from the pieces' byte `offset` on, to `record`, which has room for
 * JZ_TLS_HEADER + JZ_TLS_MOST_OVERHEAD bytes more. Returns the record's length; 0: OpenSSL could not.
 */
size_t jz_tls_seal(jz_tls_records *records, jz_tls_type type, const jz_piece *pieces, size_t offset, size_t length,
                   uint8_t *record);

typedef enum jz_tls_fault { JZ_TLS_FINE, JZ_TLS_UNDECIPHERABLE, JZ_TLS_TOO_LONG, JZ_TLS_WRONG_TYPE } jz_tls_fault;

/* A record's length, by its header, in which something may be wrong. */
jz_tls_fault jz_tls_look_at_header(const jz_tls_records *records, const uint8_t *header, size_t *length);

/*
 * Decrypts a whole record, to a place of its own with room for its length. `length` becomes that of its content.
 * What is written there where something is wrong means nothing.
 */
jz_tls_fault jz_tls_open(jz_tls_records *records, const uint8_t *record, uint8_t *content, size_t *length,
                         uint8_t *type);

/* The next key (RFC 8446 §7.2). False: no memory. */
bool jz_tls_update_keys(const jz_tls_records *records, jz_tls_keys *keys);

/* Whether the key should not encrypt many more (§5.5). */
bool jz_tls_keys_are_worn(const jz_tls_records *records);

#endif
