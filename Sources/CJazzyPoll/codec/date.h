/* The value of a Date header (RFC 9110 §5.6.7), formatted at most once a second. */
#ifndef JAZZY_CODEC_DATE_H
#define JAZZY_CODEC_DATE_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "codec/text.h"

enum { JZ_DATE_LENGTH = 29 }; /* as in "Sun, 06 Nov 1994 08:49:37 GMT" */

/* All zero: no date was formatted yet. */
typedef struct jz_date {
    time_t second;
    char text[JZ_DATE_LENGTH + 1];
} jz_date;

/* The current date, NUL-terminated; valid until the next call. */
const char *jz_date_now(jz_date *date);

/* Formats a time in seconds since 1970. */
void jz_date_format(int64_t seconds, char text[JZ_DATE_LENGTH + 1]);

/* Reads a date in that format, which is the one that is to be sent. False: it is in another, or none. */
bool jz_date_parse(jz_text text, int64_t *seconds);

#endif
