/*
 * Paths (RFC 3986 §3.3), and which of them are equivalent (§6.2.2): "/caf%c3%A9", "/%63afé" and "/x/../caf%C3%A9" are
 * the same path. An encoded slash is never a slash.
 */
#ifndef JAZZY_CODEC_PATH_H
#define JAZZY_CODEC_PATH_H

#include <stdbool.h>
#include <stddef.h>

#include "codec/text.h"

/* The classes of RFC 3986 §2.2 and §2.3. */
bool jz_is_unreserved(char character);
bool jz_is_sub_delimiter(char character);

/* The value of a hexadecimal digit, or -1. */
int jz_hexadecimal_value(char character);

/* Whether there are '%' and two hexadecimal digits at that position (§2.1). */
bool jz_is_escape_at(jz_text text, size_t position);

/* Whether two hexadecimal digits follow every '%'. */
bool jz_path_is_well_encoded(jz_text path);

/* Whether a segment of the path is "." or "..", however it is encoded (§3.3, §6.2.2.3). */
bool jz_path_has_dot_segments(jz_text path);

/* Whether it is as jz_path_normalise would write it. */
bool jz_path_is_normal(jz_text path);

/*
 * Writes a path that begins with '/' in its normal form, which all equivalent paths share (§6.2.2): unreserved
 * characters as they are, characters that a path may not have as escapes, escapes in capitals, and no dot segments.
 * Other escapes stay, for instance "%2F"; a '%' that begins no escape is a character that a path may not have. `normal`
 * has room for JZ_NORMAL_PATH_SIZE(path.length) bytes. Returns how many were written.
 */
#define JZ_NORMAL_PATH_SIZE(length) (3 * (size_t)(length))
size_t jz_path_normalise(jz_text path, char *normal);

#endif
