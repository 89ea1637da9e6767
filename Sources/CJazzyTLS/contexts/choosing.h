/* The contexts of a generation, and how a handshake chooses one of them. */
#ifndef JAZZY_TLS_CONTEXTS_CHOOSING_H
#define JAZZY_TLS_CONTEXTS_CHOOSING_H

#include "contexts/generation.h"

/* Makes the contexts of a generation whose certificates, names and authorities are complete. */
jz_status jz_tls_make_contexts(jz_tls_generation *generation, const jz_tls_options *options, jz_tls_tickets *tickets,
                               jz_error *error);

#endif
