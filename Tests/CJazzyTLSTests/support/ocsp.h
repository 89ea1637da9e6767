/* Responses of an OCSP responder, made when a test runs. */
#ifndef JAZZY_TLS_TESTS_OCSP_H
#define JAZZY_TLS_TESTS_OCSP_H

#include <stddef.h>
#include <stdint.h>

#include "support/authority.h"

/* All zero but for the first two: good, from an hour ago for seven days, signed by the issuer. */
typedef struct ocsp_plan {
    const made *about;
    const made *issuer;
    const made *signer;   /* NULL: the issuer */
    bool has_certificate; /* the signer's is in it */
    bool is_revoked;
    bool is_failure; /* the responder has failed: it says nothing of any certificate */
    bool is_endless; /* without a time of the next update */
    int64_t begins;  /* seconds from now */
    int64_t ends;
} ocsp_plan;

enum { OCSP_SIZE = 8192 };

/* In DER. Returns the length. */
size_t ocsp_make(const ocsp_plan *plan, uint8_t bytes[OCSP_SIZE]);

#endif
