/*
 * A library context of OpenSSL's, and what is looked up in it by names, once: whoever looks it up for each connection
 * pays more than for what it does.
 */
#ifndef JAZZY_TLS_RECORDS_LIBRARY_H
#define JAZZY_TLS_RECORDS_LIBRARY_H

#include <stdbool.h>

#include "../../CJazzyOpenSSL/CJazzyOpenSSL.h"

typedef struct jz_tls_library {
    OSSL_LIB_CTX *context;
    bool notes_keys; /* what its handshakes derive is noted there: contexts/noting.h */
    EVP_CIPHER *aes_128;
    EVP_CIPHER *aes_256;
    EVP_CIPHER *chacha20;     /* NULL where it is not allowed */
    EVP_MAC_CTX *hmac_sha256; /* without a key: to be copied */
    EVP_MAC_CTX *hmac_sha384;
    EVP_KDF *prf; /* of TLS 1.2; NULL where it is not allowed */
    EVP_MD *sha256;
    EVP_CIPHER *of_tickets;
} jz_tls_library;

/*
 * Looks up what is not there yet, in the library's context. One thread at a time. False: something is missing, or there
 * is no memory; the error queue has entries then.
 */
bool jz_tls_library_look_up(jz_tls_library *library);

/* The name of the first thing that is missing, without which nothing goes; NULL: there is all that is needed. */
const char *jz_tls_library_lacks(const jz_tls_library *library);

/* Forgets all that was looked up. */
void jz_tls_library_forget(jz_tls_library *library);

#endif
