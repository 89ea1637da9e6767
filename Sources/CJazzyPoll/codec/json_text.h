/* Text within a string of JSON (RFC 8259 §7). Bytes of UTF-8 beyond ASCII stay as they are. */
#ifndef JAZZY_CODEC_JSON_TEXT_H
#define JAZZY_CODEC_JSON_TEXT_H

#include <stddef.h>

#include "codec/text.h"

enum { JZ_MOST_JSON_BYTES = 6 }; /* that one byte of a text can become */

/* How long the text is when it is escaped; it has at most SIZE_MAX / JZ_MOST_JSON_BYTES bytes. */
size_t jz_json_text_length(jz_text text);

/* Writes it, without quotes around it and without a NUL. Returns the place behind it. */
char *jz_json_text_write(jz_text text, char *place);

#endif
