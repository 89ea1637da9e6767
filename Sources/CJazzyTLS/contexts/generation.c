#include "contexts/generation.h"

#include <stdlib.h>
#include <string.h>

#include "contexts/choosing.h"
#include "contexts/report.h"

static jz_status read_identities(jz_tls_generation *generation, const jz_tls_certificates *certificates,
                                 jz_tls_reading *reading, jz_error *error)
{
    generation->identities = calloc(certificates->count, sizeof *generation->identities);
    if (generation->identities == NULL)
        return jz_tls_report_no_memory(error);
    generation->identity_count = certificates->count;
    for (size_t i = 0; i < certificates->count; i++) {
        jz_tls_identity *identity = &generation->identities[i];
        const jz_tls_certificate *given = &certificates->all[i];
        jz_status status = jz_tls_identity_read(identity, reading, given, i + 1, error);
        if (status == JZ_OK && !jz_tls_identity_add_names(identity, given, i, &generation->names))
            status = jz_tls_report_no_memory(error);
        if (status != JZ_OK)
            return status;
    }
    return JZ_OK;
}

static jz_status read_authorities(jz_tls_generation *generation, const jz_tls_options *options, jz_tls_reading *reading,
                                  jz_error *error)
{
    jz_tls_source source = {0};
    bool are_used = options->clients != JZ_TLS_CLIENTS_ANONYMOUS;
    jz_status status = JZ_OK;
    if (are_used)
        status = jz_tls_source_open(&source, reading, "client_ca", 1, options->client_ca_file, options->client_ca,
                                    options->client_ca_length, error);
    if (status == JZ_OK && are_used)
        status = jz_tls_authorities_read(&generation->authorities, &source.pem, error);
    if (status == JZ_OK && !jz_tls_ticket_identity(generation->library, options->clients, are_used ? &source.pem : NULL,
                                                   generation->ticket_identity))
        status = jz_tls_report_no_memory(error);
    jz_tls_source_close(&source);
    return status;
}

static jz_status read_all(jz_tls_generation *generation, const jz_tls_settings *settings,
                          const jz_tls_certificates *certificates, jz_error *error)
{
    jz_tls_reading reading = {EVP_MD_CTX_new(), generation->library};
    jz_status status = JZ_OK;
    if (reading.digest == NULL || EVP_DigestInit_ex(reading.digest, generation->library->sha256, NULL) != 1)
        status = jz_tls_report_no_memory(error);
    if (status == JZ_OK)
        status = read_identities(generation, certificates, &reading, error);
    if (status == JZ_OK)
        status = read_authorities(generation, &settings->options, &reading, error);
    if (status == JZ_OK && EVP_DigestFinal_ex(reading.digest, generation->digest, NULL) != 1)
        status = jz_tls_report_no_memory(error);
    EVP_MD_CTX_free(reading.digest);
    return status;
}

jz_tls_generation *jz_tls_make_generation(const jz_tls_library *library, const jz_tls_settings *settings,
                                          const jz_tls_certificates *certificates, jz_tls_tickets *tickets,
                                          jz_error *error)
{
    jz_tls_generation *generation = calloc(1, sizeof *generation);
    if (generation == NULL) {
        jz_tls_report_no_memory(error);
        return NULL;
    }
    generation->references = 1;
    generation->library = library;
    generation->refuses_unknown_names = settings->options.refuses_unknown_names;
    jz_status status = read_all(generation, settings, certificates, error);
    if (status == JZ_OK)
        status = jz_tls_make_contexts(generation, &settings->options, tickets, error);
    if (status == JZ_OK)
        return generation;
    jz_tls_release_generation(generation);
    return NULL;
}

static void free_generation(jz_tls_generation *generation)
{
    for (size_t i = 0; i < generation->context_count; i++)
        SSL_CTX_free(generation->contexts[i].ssl);
    for (size_t i = 0; i < generation->identity_count; i++)
        jz_tls_identity_free(&generation->identities[i]);
    jz_tls_authorities_free(&generation->authorities);
    jz_tls_names_free(&generation->names);
    free(generation->contexts);
    free(generation->identities);
    free(generation);
}

void jz_tls_retain_generation(jz_tls_generation *generation)
{
    atomic_fetch_add_explicit(&generation->references, 1, memory_order_relaxed);
}

void jz_tls_release_generation(jz_tls_generation *generation)
{
    if (atomic_fetch_sub_explicit(&generation->references, 1, memory_order_acq_rel) == 1)
        free_generation(generation);
}

SSL *jz_tls_generation_new_ssl(jz_tls_generation *generation)
{
    SSL *ssl = SSL_new(generation->contexts[0].ssl);
    if (ssl != NULL)
        SSL_set_accept_state(ssl);
    return ssl;
}

bool jz_tls_generations_are_equal(const jz_tls_generation *a, const jz_tls_generation *b)
{
    return memcmp(a->digest, b->digest, sizeof a->digest) == 0;
}

int64_t jz_tls_generation_expires(const jz_tls_generation *generation)
{
    int64_t first = INT64_MAX;
    for (size_t i = 0; i < generation->identity_count; i++) {
        if (generation->identities[i].expires < first)
            first = generation->identities[i].expires;
    }
    return first;
}
