/* A certificate with its chain and its key, read and checked. */
#ifndef JAZZY_TLS_CONTEXTS_IDENTITY_H
#define JAZZY_TLS_CONTEXTS_IDENTITY_H

#include "contexts/names.h"
#include "contexts/source.h"
#include "contexts/stapling.h"

/* Of which a context has one certificate each; a client says what it can verify. */
typedef enum jz_tls_kind {
    JZ_TLS_KIND_ECDSA,
    JZ_TLS_KIND_RSA,
    JZ_TLS_KIND_RSA_PSS,
    JZ_TLS_KIND_ED25519,
    JZ_TLS_KIND_ED448,
    JZ_TLS_KINDS
} jz_tls_kind;

typedef struct jz_tls_identity {
    X509 *own;
    jz_tls_chain *chain; /* the others, in order */
    EVP_PKEY *key;
    jz_tls_kind kind;
    int64_t begins; /* seconds since 1970 */
    int64_t expires;
    jz_tls_staple staple;
    const char *staple_fault; /* a clause; NULL: it is good, or there is to be none */
    jz_tls_label staple_label;
    jz_tls_label label;
    bool has_strange_names; /* which no client can ask for */
    bool is_used;           /* by any context */
} jz_tls_identity;

/* `number` counts from 1. To be freed even if it fails; all zero before. */
jz_status jz_tls_identity_read(jz_tls_identity *identity, jz_tls_reading *reading, const jz_tls_certificate *given,
                               size_t number, jz_error *error);
void jz_tls_identity_free(jz_tls_identity *identity);

/* Adds the names that it is for: those given, or else its own. False: no memory. */
bool jz_tls_identity_add_names(jz_tls_identity *identity, const jz_tls_certificate *given, size_t certificate,
                               jz_tls_names *names);

#endif
