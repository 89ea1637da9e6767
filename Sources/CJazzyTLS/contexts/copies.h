/* Copies of texts and memory, which are freed all together, and overwritten before: there may be keys among them. */
#ifndef JAZZY_TLS_CONTEXTS_COPIES_H
#define JAZZY_TLS_CONTEXTS_COPIES_H

#include <stdbool.h>
#include <stddef.h>

/* All zero at first. */
typedef struct jz_tls_copies {
    struct jz_tls_copied *last;
    bool has_failed; /* there was no memory for one */
} jz_tls_copies;

/* NULL where `bytes` is NULL, and where there is no memory. A NUL follows, which does not count. */
void *jz_tls_copy(jz_tls_copies *copies, const void *bytes, size_t length);
char *jz_tls_copy_text(jz_tls_copies *copies, const char *text);

/* All zero bytes; never NULL for no bytes, but where there is no memory. */
void *jz_tls_copies_allocate(jz_tls_copies *copies, size_t count, size_t size);

void jz_tls_copies_free(jz_tls_copies *copies);

#endif
