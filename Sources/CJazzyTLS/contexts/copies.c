#include "contexts/copies.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../../CJazzyOpenSSL/CJazzyOpenSSL.h"

typedef struct jz_tls_copied {
    struct jz_tls_copied *before;
    size_t length;
    max_align_t bytes[];
} jz_tls_copied;

void *jz_tls_copies_allocate(jz_tls_copies *copies, size_t count, size_t size)
{
    bool fits = size == 0 || count <= (SIZE_MAX - sizeof(jz_tls_copied) - 1) / size;
    jz_tls_copied *copy = fits ? calloc(1, sizeof *copy + count * size + 1) : NULL;
    if (copy == NULL) {
        copies->has_failed = true;
        return NULL;
    }
    *copy = (jz_tls_copied){.before = copies->last, .length = count * size};
    copies->last = copy;
    return copy->bytes;
}

void *jz_tls_copy(jz_tls_copies *copies, const void *bytes, size_t length)
{
    void *copy = bytes != NULL ? jz_tls_copies_allocate(copies, length, 1) : NULL;
    if (copy != NULL && length > 0)
        memcpy(copy, bytes, length);
    return copy;
}

char *jz_tls_copy_text(jz_tls_copies *copies, const char *text)
{
    return jz_tls_copy(copies, text, text != NULL ? strlen(text) : 0);
}

void jz_tls_copies_free(jz_tls_copies *copies)
{
    while (copies->last != NULL) {
        jz_tls_copied *copy = copies->last;
        copies->last = copy->before;
        OPENSSL_cleanse(copy->bytes, copy->length);
        free(copy);
    }
    *copies = (jz_tls_copies){0};
}
