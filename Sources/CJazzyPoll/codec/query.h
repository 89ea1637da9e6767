/* The query of a request's target, and percent-encoding (RFC 3986 §2.1, §3.4). */
#ifndef JAZZY_CODEC_QUERY_H
#define JAZZY_CODEC_QUERY_H

#include <stdbool.h>
#include <stddef.h>

#include "codec/text.h"

/*
 * Finds the first "name=value" of that name in a query whose parts have '&' between them. Names are compared as they
 * are sent, and the value is as it was sent: percent-encoding included. A name without '=' has an empty value.
 */
bool jz_query_find(jz_text query, jz_text name, jz_text *value);

/*
 * Decodes percent-encoding into `decoded`, which has room for as many bytes as the text has and may be the text itself;
 * `*length` is how many it took, a NUL that was encoded among them. `plus_is_space` also turns '+' into a space, as
 * queries that forms make have it. False where a '%' has no two hexadecimal digits behind it.
 */
bool jz_percent_decode_text(jz_text text, bool plus_is_space, char *decoded, size_t *length);

#endif
