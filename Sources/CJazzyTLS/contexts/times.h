/* Times of certificates. */
#ifndef JAZZY_TLS_CONTEXTS_TIMES_H
#define JAZZY_TLS_CONTEXTS_TIMES_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "../../CJazzyOpenSSL/CJazzyOpenSSL.h"

/* In seconds since 1970. False: it cannot be read. */
static inline bool jz_tls_time_of(const ASN1_TIME *time, int64_t *seconds)
{
    int days;
    int rest;
    ASN1_TIME *beginning = ASN1_TIME_set(NULL, 0);
    bool is_read = beginning != NULL && ASN1_TIME_diff(&days, &rest, beginning, time) == 1;
    ASN1_TIME_free(beginning);
    if (is_read)
        *seconds = (int64_t)days * 86400 + rest;
    return is_read;
}

#endif
