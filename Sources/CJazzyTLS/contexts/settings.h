/* Options and certificates as they were given: checked, and copied. */
#ifndef JAZZY_TLS_CONTEXTS_SETTINGS_H
#define JAZZY_TLS_CONTEXTS_SETTINGS_H

#include "contexts/copies.h"
#include "contexts/files.h"
#include "jazzy/tls.h"

/* Certificates that were given together. */
typedef struct jz_tls_certificates {
    jz_tls_certificate *all;
    size_t count;
    jz_tls_copies copies; /* of them, and of all that they point to */
} jz_tls_certificates;

/* To be freed if it succeeds. What is wrong with names, numbers and pointers is found here. */
jz_status jz_tls_certificates_copy(jz_tls_certificates *certificates, const jz_tls_certificate *given, size_t count,
                                   jz_error *error);
void jz_tls_certificates_free(jz_tls_certificates *certificates);

/* The options, except for the certificates, whose fields are NULL and 0. */
typedef struct jz_tls_settings {
    jz_tls_options options;
    jz_tls_copies copies;
} jz_tls_settings;

jz_status jz_tls_settings_copy(jz_tls_settings *settings, const jz_tls_options *given, jz_error *error);
void jz_tls_settings_free(jz_tls_settings *settings);

/* Looks at all files that these name. */
jz_tls_look jz_tls_look_at_all(const jz_tls_settings *settings, const jz_tls_certificates *certificates);

#endif
