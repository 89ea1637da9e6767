/* The query of a request's target, and percent-encoding (RFC 3986 §2.1, §3.4). */
#ifndef JAZZY_CODEC_QUERY_H
#define JAZZY_CODEC_QUERY_H

#include <stdbool.h>
#include <stddef.h>

#include "codec/text.h"

/*
 * Finds the first "name=value" of that name in a query whose parts are separated by '&'. Name and value are as sent,
 * percent-encoding included. A name without '=' has an empty value.
 */
bool jz_query_find(jz_text query, jz_text name, jz_text *value);

/* The same for all of that name, one after the other: takes the query up to the value off its front. */
bool jz_query_take(jz_text *query, jz_text name, jz_text *value);

/*
 * Decodes percent-encoding into `decoded`, which has room for as many bytes as the text has, and may be the text
 * itself. `*length` is how many were written; there can be NULs among them. `plus_is_space` also turns '+' into a
 * space, as in queries of HTML forms. False if a '%' is not followed by two hexadecimal digits.
 */
bool jz_percent_decode_text(jz_text text, bool plus_is_space, char *decoded, size_t *length);

#endif
