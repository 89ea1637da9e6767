/* Certificates of clients (mutual TLS): the authorities that count, and who has to have one. */
#ifndef JAZZY_TLS_CONTEXTS_CLIENTS_H
#define JAZZY_TLS_CONTEXTS_CLIENTS_H

#include "../../CJazzyOpenSSL/CJazzyOpenSSL.h"
#include "contexts/pem.h"
#include "contexts/tickets.h"

/* Shared by the contexts of a generation. All zero: clients are anonymous. */
typedef struct jz_tls_authorities {
    X509_STORE *store;
    STACK_OF(X509_NAME) * names; /* which clients are told */
    int64_t expires;             /* the first of them, in seconds since 1970 */
    jz_tls_label label;
} jz_tls_authorities;

/* To be freed if it succeeds. */
jz_status jz_tls_authorities_read(jz_tls_authorities *authorities, const jz_tls_pem *pem, jz_error *error);
void jz_tls_authorities_free(jz_tls_authorities *authorities);

/* False: no memory. */
bool jz_tls_authorities_apply(const jz_tls_authorities *authorities, jz_tls_clients clients, SSL_CTX *context);

/* Who may resume sessions: those that had to identify themselves in the same way. */
bool jz_tls_ticket_identity(const jz_tls_library *library, jz_tls_clients clients, const jz_tls_pem *authorities,
                            uint8_t identity[JZ_TLS_TICKET_IDENTITY]);

#endif
