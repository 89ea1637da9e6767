/* A client of OpenSSL's, which shakes hands with a generation in memory, over a pair of BIOs. */
#ifndef JAZZY_TLS_TESTS_HANDSHAKE_H
#define JAZZY_TLS_TESTS_HANDSHAKE_H

#include "contexts/contexts.h"
#include "support/authority.h"

/* What the client does. All zero: any version and suite, no name, no ALPN, and it believes every certificate. */
typedef struct client_plan {
    const char *name; /* SNI */
    int lowest;       /* TLS1_2_VERSION ... */
    int highest;
    const char *suites;     /* of TLS 1.2 */
    const char *suites_1_3; /* of TLS 1.3 */
    const char *signatures; /* "ECDSA+SHA256" */
    const char *groups;     /* "X25519:P-256" */
    const char *protocols;  /* ALPN, each behind its length: "\x08http/1.1" */
    const made *identity;
    const made *trusted;  /* the one authority that it believes */
    SSL_SESSION *session; /* to resume */
    bool asks_for_status; /* OCSP */
} client_plan;

/* Both ends after the handshake, or after it failed. */
typedef struct handshake {
    SSL_CTX *context;
    SSL *client;
    SSL *server;
    jz_tls_facts *facts; /* of the server; NULL: it failed */
    bool has_succeeded;
    int alert; /* that the server sent: SSL_AD_...; -1: none */
} handshake;

/* To be freed by handshake_end. */
handshake handshake_with(jz_tls *tls, const client_plan *plan);
handshake handshake_with_generation(jz_tls_generation *generation, const client_plan *plan);

/* The same in two steps. */
handshake handshake_prepare(jz_tls_generation *generation, const client_plan *plan);
void handshake_run(handshake *handshake);

void handshake_end(handshake *handshake);

/* The session that the server has given to the client; to be freed. NULL: none. */
SSL_SESSION *handshake_session(const handshake *handshake);

/* The certificate that the server has shown; borrowed. */
X509 *handshake_certificate(const handshake *handshake);

/* A property by its name; NULL: there is none. Borrowed as jz_tls_property says. */
const char *handshake_property(const handshake *handshake, const char *name);

#endif
