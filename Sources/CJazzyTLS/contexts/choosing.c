#include "contexts/choosing.h"

#include <stdlib.h>
#include <string.h>

#include "contexts/policy.h"
#include "contexts/report.h"

/* A handshake has its generation, which the channel borrows, until it has ended: then neither of these is called. */
static int choose_context(SSL *ssl, int *alert, void *context)
{
    const jz_tls_generation *generation = context;
    const char *asked = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    jz_tls_name name;
    if (asked == NULL)
        return SSL_TLSEXT_ERR_NOACK;
    bool is_name = jz_tls_name_of(asked, strlen(asked), &name);
    const jz_tls_named *found = is_name ? jz_tls_names_find(&generation->names, &name) : NULL;
    if (found == NULL && generation->refuses_unknown_names) {
        *alert = SSL_AD_UNRECOGNIZED_NAME;
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    }
    if (found == NULL)
        return SSL_TLSEXT_ERR_OK; /* of TLS 1.2 the session keeps the name then, too */
    SSL_CTX *chosen = generation->contexts[found->context].ssl;
    if (SSL_get_SSL_CTX(ssl) != chosen && SSL_set_SSL_CTX(ssl, chosen) == NULL) {
        *alert = SSL_AD_INTERNAL_ERROR;
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    }
    return SSL_TLSEXT_ERR_OK;
}

/* Called when it is known which certificate the client gets. */
static int send_staple(SSL *ssl, void *context)
{
    const jz_tls_generation *generation = context;
    const X509 *shown = SSL_get_certificate(ssl);
    for (size_t i = 0; i < generation->identity_count; i++) {
        if (generation->identities[i].own == shown)
            return jz_tls_staple_send(&generation->identities[i].staple, ssl);
    }
    return SSL_TLSEXT_ERR_NOACK;
}

static jz_status use_identity(SSL_CTX *context, jz_tls_identity *identity, jz_error *error)
{
    jz_tls_chain *chain = sk_X509_num(identity->chain) > 0 ? identity->chain : NULL;
    if (SSL_CTX_use_cert_and_key(context, identity->own, identity->key, chain, 1) != 1)
        return jz_tls_report_openssl(error, JZ_STATUS_INVALID_OPTION, "use %s: it is too weak, or not for this",
                                     identity->label.text);
    identity->is_used = true;
    return JZ_OK;
}

static jz_status fill(jz_tls_context *made, jz_tls_generation *generation, const jz_tls_options *options,
                      jz_tls_tickets *tickets, jz_error *error)
{
    if (!jz_tls_authorities_apply(&generation->authorities, options->clients, made->ssl) ||
        !jz_tls_tickets_apply(tickets, made->ssl, generation->ticket_identity))
        return jz_tls_report_openssl(error, JZ_STATUS_SYSTEM, "prepare a context");
    SSL_CTX_set_tlsext_servername_callback(made->ssl, choose_context);
    SSL_CTX_set_tlsext_servername_arg(made->ssl, generation);
    SSL_CTX_set_tlsext_status_cb(made->ssl, send_staple);
    SSL_CTX_set_tlsext_status_arg(made->ssl, generation);
    for (size_t kind = 0; kind < JZ_TLS_KINDS; kind++) {
        size_t member = made->members.of_kind[kind];
        jz_status status =
            member != JZ_TLS_NO_CERTIFICATE ? use_identity(made->ssl, &generation->identities[member], error) : JZ_OK;
        if (status != JZ_OK)
            return status;
    }
    return JZ_OK;
}

static bool has_room(jz_tls_generation *generation)
{
    if (generation->context_count < generation->context_capacity)
        return true;
    size_t capacity = generation->context_capacity > 0 ? generation->context_capacity * 2 : 4;
    jz_tls_context *grown =
        capacity <= SIZE_MAX / sizeof *grown ? realloc(generation->contexts, capacity * sizeof *grown) : NULL;
    if (grown == NULL)
        return false;
    generation->contexts = grown;
    generation->context_capacity = capacity;
    return true;
}

static jz_status add_context(jz_tls_generation *generation, const jz_tls_members *members,
                             const jz_tls_options *options, jz_tls_tickets *tickets, jz_error *error)
{
    if (!has_room(generation))
        return jz_tls_report_no_memory(error);
    jz_tls_context *made = &generation->contexts[generation->context_count];
    *made =
        (jz_tls_context){.ssl = jz_tls_new_context(generation->library, options->policy, error), .members = *members};
    if (made->ssl == NULL)
        return error->status;
    generation->context_count++;
    return fill(made, generation, options, tickets, error);
}

/* Of each kind the first of these names, which are sorted by certificate. */
static jz_tls_members members_of(const jz_tls_generation *generation, const jz_tls_named *names, size_t count)
{
    jz_tls_members members;
    for (size_t kind = 0; kind < JZ_TLS_KINDS; kind++)
        members.of_kind[kind] = JZ_TLS_NO_CERTIFICATE;
    for (size_t i = 0; i < count; i++) {
        size_t *member = &members.of_kind[generation->identities[names[i].certificate].kind];
        if (*member == JZ_TLS_NO_CERTIFICATE)
            *member = names[i].certificate;
    }
    return members;
}

/* How many names from there on are the same. */
static size_t count_same(const jz_tls_names *names, size_t first)
{
    size_t count = 1;
    while (first + count < names->count && strcmp(names->all[first].name, names->all[first + count].name) == 0)
        count++;
    return count;
}

static size_t count_members(const jz_tls_members *members)
{
    size_t count = 0;
    for (size_t kind = 0; kind < JZ_TLS_KINDS; kind++)
        count += members->of_kind[kind] != JZ_TLS_NO_CERTIFICATE ? 1 : 0;
    return count;
}

/* The first certificate, with those of other kinds that stand beside it for one of its names, most of them. */
static jz_tls_members default_members(const jz_tls_generation *generation)
{
    const jz_tls_names *names = &generation->names;
    jz_tls_named nobody = {.certificate = 0};
    jz_tls_members best = members_of(generation, &nobody, 1);
    for (size_t first = 0; first < names->count; first += count_same(names, first)) {
        if (names->all[first].certificate != 0)
            continue;
        jz_tls_members members = members_of(generation, &names->all[first], count_same(names, first));
        if (count_members(&members) > count_members(&best))
            best = members;
    }
    return best;
}

/* The context of these members, which is added unless it is there. */
static jz_status find_or_add(jz_tls_generation *generation, const jz_tls_members *members, size_t *found,
                             const jz_tls_options *options, jz_tls_tickets *tickets, jz_error *error)
{
    for (*found = 0; *found < generation->context_count; ++*found) {
        if (memcmp(&generation->contexts[*found].members, members, sizeof *members) == 0)
            return JZ_OK;
    }
    return add_context(generation, members, options, tickets, error);
}

jz_status jz_tls_make_contexts(jz_tls_generation *generation, const jz_tls_options *options, jz_tls_tickets *tickets,
                               jz_error *error)
{
    jz_tls_names *names = &generation->names;
    jz_tls_names_sort(names);
    jz_tls_members members = default_members(generation);
    jz_status status = add_context(generation, &members, options, tickets, error);
    for (size_t first = 0, count; status == JZ_OK && first < names->count; first += count) {
        count = count_same(names, first);
        members = members_of(generation, &names->all[first], count);
        status = find_or_add(generation, &members, &names->all[first].context, options, tickets, error);
    }
    return status;
}
