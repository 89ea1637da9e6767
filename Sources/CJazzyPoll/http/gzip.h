/* Content compressed as a whole, in the format of gzip (RFC 1952). */
#ifndef JAZZY_HTTP_GZIP_H
#define JAZZY_HTTP_GZIP_H

#include <stdbool.h>

#include "session/buffer.h"

/*
 * Fills `packed`, which is empty, with the compressed bytes. False: there is no memory, and `packed` is empty; or, with
 * `*is_useless`, they would not become smaller by a tenth.
 */
bool jz_gzip(const void *bytes, size_t length, jz_buffer *packed, bool *is_useless);

#endif
