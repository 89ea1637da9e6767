/* Keys from secrets. */
#ifndef JAZZY_TLS_RECORDS_DERIVATION_H
#define JAZZY_TLS_RECORDS_DERIVATION_H

#include "records/records.h"

/* What OpenSSL looks up by names, once: whoever looks it up for each connection pays more than for the derivation. */
bool jz_tls_derivation_prepare(void);

/* The suite of a connection; false: it is not spoken here. */
bool jz_tls_suite_of(const SSL *ssl, jz_tls_suite *suite);

/* Key, and initial nonce, from the direction's secret (RFC 8446 §7.3); or its next secret (§7.2). */
bool jz_tls_derive_keys(const jz_tls_suite *suite, jz_tls_keys *keys, bool encrypts);
bool jz_tls_derive_next_secret(const jz_tls_suite *suite, jz_tls_keys *keys);

/* Both directions of TLS 1.2, from its master secret (RFC 5246 §6.3). */
bool jz_tls_derive_both(const SSL *ssl, jz_tls_records *records);

#endif
