/*
 * The traffic secrets of handshakes in TLS 1.3. OpenSSL has no function that tells them, and as a line for a log only
 * (SSL_CTX_set_keylog_callback), whose digits it writes one by one: 14 µs of a handshake of 170. So they are noted
 * where they are derived: OpenSSL looks for the function that derives them, TLS13-KDF, among its providers. Ours
 * passes everything on to the one that would have been found, and is found only by contexts that ask for it. Where that
 * is impossible, for instance because only a validated module may be used, there is still the line for the log.
 */
#ifndef JAZZY_TLS_CONTEXTS_SECRETS_H
#define JAZZY_TLS_CONTEXTS_SECRETS_H

#include "records/records.h"

/* Once, before any context. False: no memory. */
bool jz_tls_secrets_prepare(void);

/* What a context has to ask of providers for, for SSL_CTX_new_ex. */
const char *jz_tls_secrets_query(void);

/* The context's handshakes tell their secrets. */
void jz_tls_secrets_follow(SSL_CTX *context);

/* Where the secrets of the handshake go that this thread works on now; NULL: nowhere. They are all zero at first. */
void jz_tls_secrets_collect(jz_tls_secrets *secrets);

#endif
