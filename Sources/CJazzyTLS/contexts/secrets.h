/*
 * What handshakes derive, as far as records need it: noted where OpenSSL derives it (noting.h), or else as it tells the
 * secrets of TLS 1.3 in lines for a log (SSL_CTX_set_keylog_callback), whose digits it writes one by one: 14 µs of a
 * handshake of 170. They are erased when the handshake has ended, and logged nowhere.
 */
#ifndef JAZZY_TLS_CONTEXTS_SECRETS_H
#define JAZZY_TLS_CONTEXTS_SECRETS_H

#include "records/records.h"

/* Where that of the handshake goes that this thread works on now; NULL: nowhere. It is all zero at first. */
void jz_tls_secrets_collect(jz_tls_secrets *secrets);
jz_tls_secrets *jz_tls_secrets_collected(void);

/* The context's handshakes tell their secrets in lines, which are collected. */
void jz_tls_secrets_follow_lines(SSL_CTX *context);

/* What one line says, if it is about these. */
void jz_tls_secrets_read_line(jz_tls_secrets *secrets, const char *line);

void jz_tls_secrets_note(jz_tls_secret *noted, const uint8_t *secret, size_t length);

#endif
