/* Which of several media types a client prefers, according to Accept (RFC 9110 §12.5.1). */
#ifndef JAZZY_CODEC_ACCEPT_H
#define JAZZY_CODEC_ACCEPT_H

#include "codec/text.h"

enum { JZ_MOST_QUALITY = 1000 };

/* A weight (RFC 9110 §12.4.2): at most three digits behind the point. What is no number counts as 0. */
unsigned jz_quality_of(jz_text value);

/*
 * How much a client wants a media type, from 0, not at all, to 1000, according to one field of Accept. Of the ranges
 * that match the type, the most specific one counts. `version`: a range that names another version does not match; a
 * range without one does. An empty field wants everything.
 */
unsigned jz_accept_quality(jz_text accept, jz_text type, jz_text subtype, jz_text version);

#endif
