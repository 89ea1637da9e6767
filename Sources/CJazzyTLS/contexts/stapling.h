/* Responses of OCSP (RFC 6960) that are stapled: sent by the server to clients that ask whether its certificate is
 * valid. */
#ifndef JAZZY_TLS_CONTEXTS_STAPLING_H
#define JAZZY_TLS_CONTEXTS_STAPLING_H

#include <stddef.h>
#include <stdint.h>

#include "../../CJazzyOpenSSL/CJazzyOpenSSL.h"
#include "contexts/pem.h"

/* A response in DER, and until when it may be sent. */
typedef struct jz_tls_staple {
    uint8_t *response; /* NULL: there is none */
    size_t length;
    int64_t expires; /* seconds since 1970 */
} jz_tls_staple;

/*
 * Checks that it is about `certificate`, by its issuer, which is in `chain` or the certificate itself, that it says
 * "good", and that it is neither too old nor too new. Returns NULL with the staple filled in, to be freed; otherwise a
 * clause that says what is wrong with it, and no staple.
 */
const char *jz_tls_staple_read(jz_tls_staple *staple, const uint8_t *bytes, size_t length, X509 *certificate,
                               jz_tls_chain *chain);
void jz_tls_staple_free(jz_tls_staple *staple);

/* For the callback of SSL_CTX_set_tlsext_status_cb: returns its result. */
int jz_tls_staple_send(const jz_tls_staple *staple, SSL *ssl);

#endif
