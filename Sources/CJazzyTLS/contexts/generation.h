/* A generation: contexts for names, made of certificates and options, and never changed afterwards. */
#ifndef JAZZY_TLS_CONTEXTS_GENERATION_H
#define JAZZY_TLS_CONTEXTS_GENERATION_H

#include "contexts/clients.h"
#include "contexts/contexts.h"
#include "contexts/identity.h"
#include "contexts/names.h"
#include "contexts/settings.h"
#include "contexts/tickets.h"

/* Which certificates stand side by side in a context: of each kind one, or JZ_TLS_NO_CERTIFICATE. */
typedef struct jz_tls_members {
    size_t of_kind[JZ_TLS_KINDS];
} jz_tls_members;

#define JZ_TLS_NO_CERTIFICATE SIZE_MAX

typedef struct jz_tls_context {
    SSL_CTX *ssl;
    jz_tls_members members;
} jz_tls_context;

enum { JZ_TLS_DIGEST_SIZE = 32 };

struct jz_tls_generation {
    atomic_size_t references;
    const jz_tls_library *library;
    jz_tls_generation *retired_before; /* see loading.c */
    jz_tls_identity *identities;       /* as many as certificates were given */
    size_t identity_count;
    jz_tls_context *contexts; /* the first is the default */
    size_t context_count;
    size_t context_capacity;
    jz_tls_names names;
    jz_tls_authorities authorities;
    uint8_t ticket_identity[JZ_TLS_TICKET_IDENTITY];
    uint8_t digest[JZ_TLS_DIGEST_SIZE]; /* of all that was read */
    bool refuses_unknown_names;
};

/* With one reference; NULL with an error filled in. Reads files. `tickets` NULL: nothing is resumed. */
jz_tls_generation *jz_tls_make_generation(const jz_tls_library *library, const jz_tls_settings *settings,
                                          const jz_tls_certificates *certificates, jz_tls_tickets *tickets,
                                          jz_error *error);

/* One more reference. */
void jz_tls_retain_generation(jz_tls_generation *generation);

/* Whether both were made of the same bytes. */
bool jz_tls_generations_are_equal(const jz_tls_generation *a, const jz_tls_generation *b);

/* When the first of its certificates expires, in seconds since 1970. */
int64_t jz_tls_generation_expires(const jz_tls_generation *generation);

/* Logs certificates that have expired, soon will, or are not valid yet. */
void jz_tls_generation_warn_of_times(const jz_tls_generation *generation, const jz_tls_options *options);

/* The same, and all else that is wrong, but does not prevent anything. */
void jz_tls_generation_warn(const jz_tls_generation *generation, const jz_tls_options *options);

#endif
