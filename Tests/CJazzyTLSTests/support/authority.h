/*
 * Certificates and keys, made when a test runs: none that is kept in a file would stay valid. Everything lives until
 * authority_forget, which a test calls in its tear-down.
 */
#ifndef JAZZY_TLS_TESTS_AUTHORITY_H
#define JAZZY_TLS_TESTS_AUTHORITY_H

#include <openssl/evp.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum key_kind {
    KEY_P256,
    KEY_P384,
    KEY_RSA_2048,
    KEY_RSA_1024,
    KEY_ED25519,
    KEY_SECP256K1, /* which browsers do not know */
    KEY_X25519,    /* which cannot sign: give it an issuer */
    KEY_KINDS
} key_kind;

/* A certificate and its key. */
typedef struct made {
    X509 *certificate;
    EVP_PKEY *key;
} made;

/* What to make. All zero: a P-256 key, valid from an hour ago for 90 days, signed by itself, without names. */
typedef struct plan {
    const made *issuer;
    const char *common_name;
    const char *names; /* subjectAltName as in openssl.cnf: "DNS:a.example,DNS:*.b.example,IP:::1" */
    const char *usage; /* extendedKeyUsage: "serverAuth"; NULL: none */
    bool must_staple;  /* it says that an OCSP response comes with it */
    key_kind key;
    bool is_authority;
    bool has_weak_digest; /* signed with SHA-1 */
    int64_t begins;       /* seconds from now; 0: an hour ago */
    int64_t ends;         /* 0: in 90 days */
} plan;

/* Each kind of key is made once, and shared, unless `has_own_key`. */
made authority_make(const plan *plan);
made authority_make_with_own_key(const plan *plan);

/* As PEM, which ends with NUL. Several certificates, up to one that has none; or the key, encrypted where there is a
   passphrase. */
const char *pem_of_certificates(const made *first, const made *second, const made *third);
const char *pem_of_key(const made *of, const char *passphrase);
/* Texts joined. */
const char *joined(const char *first, const char *second);

void authority_forget(void);

#endif
