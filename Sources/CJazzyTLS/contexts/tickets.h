/*
 * The keys of session tickets (RFC 5077, RFC 8446 §4.6.1): shared by all contexts and loops, and not replaced by
 * reloads. There is one for each period as long as a ticket's lifetime, by the clock of the day. It makes the tickets
 * of its period and opens them until the next period ends.
 */
#ifndef JAZZY_TLS_CONTEXTS_TICKETS_H
#define JAZZY_TLS_CONTEXTS_TICKETS_H

#include "../../CJazzyOpenSSL/CJazzyOpenSSL.h"
#include "jazzy/tls.h"
#include "records/library.h"

typedef struct jz_tls_tickets jz_tls_tickets;

/* NULL with an error filled in. The secret is copied. */
jz_tls_tickets *jz_tls_tickets_create(const jz_tls_library *library, const jz_tls_options *options, jz_error *error);
void jz_tls_tickets_free(jz_tls_tickets *tickets);

/*
 * Lets a context use them, or, if `tickets` is NULL, resume nothing. `identity`, of JZ_TLS_TICKET_IDENTITY bytes, has
 * to be the same where a session is resumed: it stands for who its client had to be. They outlive every SSL of the
 * context.
 */
enum { JZ_TLS_TICKET_IDENTITY = 32 };
bool jz_tls_tickets_apply(jz_tls_tickets *tickets, SSL_CTX *context, const uint8_t *identity);

#endif
