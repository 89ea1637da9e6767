/* A generation: contexts for names, made of certificates and options, never changed afterwards. */
#ifndef JAZZY_TLS_CONTEXTS_GENERATION_H
#define JAZZY_TLS_CONTEXTS_GENERATION_H

#include "contexts/contexts.h"

/* With one reference; NULL with an error filled in. Reads files. */
jz_tls_generation *jz_tls_make_generation(const jz_tls_options *options, jz_error *error);

/* One more reference. */
void jz_tls_retain_generation(jz_tls_generation *generation);

#endif
