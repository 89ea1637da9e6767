/*
 * The records of TLS 1.3 after a client's handshake. OpenSSL's own copy each byte twice more, and a load that takes
 * more time for a message than the server does measures how the server waits for the next. The server's code (records/
 * of CJazzyTLS) is not used here: errors that both had would not be seen.
 */
#ifndef JAZZY_BENCH_TLS_RECORDS_H
#define JAZZY_BENCH_TLS_RECORDS_H

#include <openssl/ssl.h>
#include <stddef.h>
#include <stdint.h>

typedef struct tls_records tls_records;

enum { TLS_RECORD_OVERHEAD = 5 + 1 + 16 /* bytes: header, type, tag */ };

/* Of all connections with this context, whose suite is TLS_AES_128_GCM_SHA256, secrets are noted from now on. */
void tls_records_prepare(SSL_CTX *context);

/* Those of the connection whose handshake has just ended, and of which OpenSSL has read or written no data. */
tls_records *tls_records_create(void);
void tls_records_free(tls_records *records);

/* Encrypts at most TLS_MOST_PLAINTEXT bytes, and returns the record's length: TLS_RECORD_OVERHEAD more. */
size_t tls_records_seal(tls_records *records, const uint8_t *bytes, size_t length, uint8_t *record);

/*
 * Decrypts the whole records among the bytes, and stores how many bytes they have. Returns the length of their content,
 * which may have as many. Ends the program at anything but data and tickets, such as an alert.
 */
size_t tls_records_open(tls_records *records, const uint8_t *bytes, size_t length, uint8_t *content, size_t *taken);

#endif
