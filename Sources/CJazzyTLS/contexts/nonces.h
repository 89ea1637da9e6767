/*
 * The ciphers of records as the default provider has them, but for one function: OpenSSL 3.0 asks for the length of the
 * nonce for each record, and the default provider compares the question with the names of all that it may be asked for.
 * Ours answers at once, which saves one of seven instructions of an echo.
 */
#ifndef JAZZY_TLS_CONTEXTS_NONCES_H
#define JAZZY_TLS_CONTEXTS_NONCES_H

#include "../../CJazzyOpenSSL/CJazzyOpenSSL.h"

/*
 * The same ciphers of a provider's, which has this property, and the default provider's context; a NULL follows. `all`:
 * those of the default provider. What is made otherwise there is left out. One thread at a time, with the same `all`.
 */
const OSSL_ALGORITHM *jz_tls_nonces_take(const OSSL_ALGORITHM *all, const char *property);

#endif
