/*
 * HKDF-Expand-Label of TLS 1.3 (RFC 8446 §7.1), by OpenSSL's HMAC: as prf.h, some twenty times a handshake.
 */
#ifndef JAZZY_TLS_CONTEXTS_EXPANSION_H
#define JAZZY_TLS_CONTEXTS_EXPANSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../../CJazzyOpenSSL/CJazzyOpenSSL.h"
#include "records/library.h"

/*
 * Derives `length` bytes as the function TLS13-KDF does with these parameters, where they are for an expansion: digest,
 * key, prefix and label, and perhaps data. False: there is no memory, or they are others than a handshake has; what is
 * in `bytes` means nothing then, and the error queue may have entries.
 */
bool jz_tls_expand_label(const jz_tls_library *library, const OSSL_PARAM parameters[], uint8_t *bytes, size_t length);

#endif
