/* What errors and the log call a certificate, a key or another file. */
#ifndef JAZZY_TLS_CONTEXTS_LABEL_H
#define JAZZY_TLS_CONTEXTS_LABEL_H

#include <stddef.h>

/* An error has room for it and a sentence. */
enum { JZ_TLS_LABEL_SIZE = 128 };

typedef struct jz_tls_label {
    char text[JZ_TLS_LABEL_SIZE];
} jz_tls_label;

/* 'key file "PATH"', where a long path lacks its beginning; or, without a path, "key 2 in memory". */
jz_tls_label jz_tls_label_of(const char *what, const char *file, size_t number);

#endif
