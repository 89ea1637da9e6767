/*
 * Keys that handshakes derive, noted where OpenSSL derives them. It looks for the functions that do it, TLS13-KDF and
 * TLS1-PRF, among the providers of its library context. Ours has those of the default provider, all but one function of
 * each, which notes what was derived: by ourselves, which is quicker (prf.h, expansion.h), or else by the default
 * provider's. It also has the ciphers of records (nonces.h).
 */
#ifndef JAZZY_TLS_CONTEXTS_NOTING_H
#define JAZZY_TLS_CONTEXTS_NOTING_H

#include <stdbool.h>

#include "../../CJazzyOpenSSL/CJazzyOpenSSL.h"

typedef struct jz_tls_noting {
    OSSL_PROVIDER *original;
    OSSL_PROVIDER *own;
} jz_tls_noting;

/*
 * Adds both providers to a library context that has none, and is nobody else's: from then on ours is what all find
 * there that ask for nothing else. One thread at a time. False: this OpenSSL is made otherwise, or there is no memory;
 * the error queue may have entries then. To be ended in any case, before the context is freed.
 */
bool jz_tls_noting_begin(jz_tls_noting *noting, OSSL_LIB_CTX *context);
void jz_tls_noting_end(const jz_tls_noting *noting);

#endif
