/* What is known of a client's certificate, as properties. */
#ifndef JAZZY_TLS_CONTEXTS_PEER_H
#define JAZZY_TLS_CONTEXTS_PEER_H

#include <stddef.h>

#include "../../CJazzyOpenSSL/CJazzyOpenSSL.h"

typedef struct jz_tls_peer_property {
    const char *name; /* static */
    char *value;      /* ends with NUL, and has no other */
} jz_tls_peer_property;

typedef struct jz_tls_peer {
    jz_tls_peer_property *properties;
    size_t count;
    size_t capacity;
} jz_tls_peer;

/* NULL: no memory. It may have a part of the properties only where one cannot be said in text. */
jz_tls_peer *jz_tls_peer_create(X509 *certificate);
void jz_tls_peer_free(jz_tls_peer *peer);

#endif
