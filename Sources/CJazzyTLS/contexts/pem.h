/* What is in PEM (RFC 7468), and what is wrong where it is not what it should be. */
#ifndef JAZZY_TLS_CONTEXTS_PEM_H
#define JAZZY_TLS_CONTEXTS_PEM_H

#include "../../CJazzyOpenSSL/CJazzyOpenSSL.h"
#include "contexts/label.h"
#include "jazzy/tls.h"
#include "records/library.h"

typedef STACK_OF(X509) jz_tls_chain;

/* Bytes that should be PEM; borrowed. */
typedef struct jz_tls_pem {
    jz_tls_label label;
    const uint8_t *bytes;
    size_t length;
    const jz_tls_library *library; /* in which it is read */
} jz_tls_pem;

/* Whether there is a block of this name, or of a longer one: "PRIVATE KEY" also finds "EC PRIVATE KEY". */
bool jz_tls_pem_has(const jz_tls_pem *pem, const char *name);

/* All certificates, at least one, to be freed by sk_X509_pop_free. */
jz_status jz_tls_pem_certificates(const jz_tls_pem *pem, jz_tls_chain **certificates, jz_error *error);

/* The first private key, to be freed by EVP_PKEY_free. */
jz_status jz_tls_pem_key(const jz_tls_pem *pem, jz_tls_passphrase passphrase, void *passphrase_context, EVP_PKEY **key,
                         jz_error *error);

#endif
