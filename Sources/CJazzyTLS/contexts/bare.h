/* Texts that are no path, but what should be in the file: they may be keys, so that no message may have them. */
#ifndef JAZZY_TLS_CONTEXTS_BARE_H
#define JAZZY_TLS_CONTEXTS_BARE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whether it is what stands between the BEGIN and END lines of PEM: a DER structure in base64, or the beginning of one.
 */
bool jz_tls_is_bare(const uint8_t *bytes, size_t length);

/* Whether what was given as a path is PEM itself, or such a text. `path` may be NULL. */
bool jz_tls_is_content(const char *path);

#endif
