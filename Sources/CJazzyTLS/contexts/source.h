/* Where PEM comes from: a file that is read, or memory that was given. */
#ifndef JAZZY_TLS_CONTEXTS_SOURCE_H
#define JAZZY_TLS_CONTEXTS_SOURCE_H

#include "../../CJazzyOpenSSL/CJazzyOpenSSL.h"
#include "contexts/files.h"
#include "contexts/pem.h"

typedef struct jz_tls_source {
    jz_tls_pem pem;
    jz_tls_content content; /* of the file, if it is one */
} jz_tls_source;

/* What is read for one generation: what it consists of is added to the digest. */
typedef struct jz_tls_reading {
    EVP_MD_CTX *digest;
    const jz_tls_library *library;
} jz_tls_reading;

void jz_tls_reading_note(jz_tls_reading *reading, const uint8_t *bytes, size_t length);

/* `what` and `number` are for errors. To be closed if it succeeds. */
jz_status jz_tls_source_open(jz_tls_source *source, jz_tls_reading *reading, const char *what, size_t number,
                             const char *file, const void *memory, size_t length, jz_error *error);
void jz_tls_source_close(jz_tls_source *source);

#endif
