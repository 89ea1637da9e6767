/* Reading files of certificates, and seeing that they have changed. */
#ifndef JAZZY_TLS_CONTEXTS_FILES_H
#define JAZZY_TLS_CONTEXTS_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "contexts/label.h"
#include "jazzy/error.h"

/* The content of a file, followed by a NUL that does not count. */
typedef struct jz_tls_content {
    uint8_t *bytes;
    size_t length;
} jz_tls_content;

/* Nothing is to be freed if it fails. */
jz_status jz_tls_read_file(const char *path, const jz_tls_label *label, jz_tls_content *content, jz_error *error);

/* Overwrites and frees it: it may be a key. */
void jz_tls_content_erase(jz_tls_content *content);

/*
 * What a number of files looked like: which ones they are, behind all symbolic links, their sizes and times. Two looks
 * at the same files are equal if none of them has changed. Begin with all zero.
 */
typedef struct jz_tls_look {
    uint64_t hash;
    int64_t newest; /* the latest of their times, in seconds since 1970 */
} jz_tls_look;

/* `path` NULL: no file. */
void jz_tls_look_at(jz_tls_look *look, const char *path);

/* Whether a file that changed in the moment of this look, or soon after, could look the same: its clock has steps. */
bool jz_tls_look_is_too_fresh(const jz_tls_look *look, int64_t now);

#endif
