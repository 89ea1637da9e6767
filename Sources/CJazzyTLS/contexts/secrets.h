/*
 * The traffic secrets of handshakes in TLS 1.3, as OpenSSL tells them (SSL_CTX_set_keylog_callback): there is no other
 * way to them. They are kept with the SSL, erased with it, and logged nowhere.
 */
#ifndef JAZZY_TLS_CONTEXTS_SECRETS_H
#define JAZZY_TLS_CONTEXTS_SECRETS_H

#include "records/records.h"

/* Once, before any context. False: no memory. */
bool jz_tls_secrets_prepare(void);

/* Lets the SSLs of a context tell them. */
void jz_tls_secrets_follow(SSL_CTX *context);

/* Those of an SSL, as far as its handshake has got; NULL: none yet. Borrowed until it is freed. */
const jz_tls_secrets *jz_tls_secrets_of(const SSL *ssl);

#endif
