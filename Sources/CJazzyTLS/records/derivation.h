/* Keys from secrets. */
#ifndef JAZZY_TLS_RECORDS_DERIVATION_H
#define JAZZY_TLS_RECORDS_DERIVATION_H

#include "records/records.h"

/* The suite of a connection; false: it is not spoken here. */
bool jz_tls_suite_of(const SSL *ssl, const jz_tls_library *library, jz_tls_suite *suite);

/* TLS 1.3: key and initial nonce from a secret (RFC 8446 §7.3), and what uses them; or both from the keys' secret. */
bool jz_tls_derive_material(const jz_tls_suite *suite, const uint8_t *secret, jz_tls_secret *material);
bool jz_tls_use_material(const jz_tls_suite *suite, jz_tls_keys *keys, const jz_tls_secret *material, bool encrypts);
bool jz_tls_derive_keys(const jz_tls_suite *suite, jz_tls_keys *keys, bool encrypts);

/* The direction's next secret (§7.2). */
bool jz_tls_derive_next_secret(const jz_tls_suite *suite, jz_tls_keys *keys);

/* TLS 1.2: the block that has the keys and nonces of both directions, from the master secret (RFC 5246 §6.3). */
size_t jz_tls_block_length(const jz_tls_suite *suite);
bool jz_tls_derive_block(const SSL *ssl, const jz_tls_suite *suite, uint8_t block[JZ_TLS_MOST_BLOCK]);
bool jz_tls_use_block(jz_tls_records *records, const uint8_t *block);

#endif
