/*
 * The pseudorandom function of TLS 1.2 (RFC 5246 §5), by OpenSSL's HMAC. OpenSSL's own looks HMAC and the digest up and
 * prepares them for each call, three or four times a handshake, which costs more than what they compute.
 */
#ifndef JAZZY_TLS_CONTEXTS_PRF_H
#define JAZZY_TLS_CONTEXTS_PRF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../../CJazzyOpenSSL/CJazzyOpenSSL.h"
#include "records/library.h"

/* OpenSSL's HMAC, without a key, of a digest with the name in this parameter; NULL: it is not a handshake's. */
const EVP_MAC_CTX *jz_tls_hmac_named(const jz_tls_library *library, const OSSL_PARAM *name, size_t *size);

/*
 * Derives `length` bytes as the function TLS1-PRF does with these parameters: digest, secret and seeds. False: there is
 * no memory, or they are others than a handshake has; what is in `bytes` means nothing then, and the error queue may
 * have entries.
 */
bool jz_tls_prf(const jz_tls_library *library, const OSSL_PARAM parameters[], uint8_t *bytes, size_t length);

#endif
