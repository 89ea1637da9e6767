/* What is spoken: versions, suites, groups, and what all contexts have in common. */
#ifndef JAZZY_TLS_CONTEXTS_POLICY_H
#define JAZZY_TLS_CONTEXTS_POLICY_H

#include "../../CJazzyOpenSSL/CJazzyOpenSSL.h"
#include "jazzy/tls.h"
#include "records/library.h"

/* A context without a certificate; NULL with an error filled in. */
SSL_CTX *jz_tls_new_context(const jz_tls_library *library, jz_tls_policy policy, jz_error *error);

#endif
