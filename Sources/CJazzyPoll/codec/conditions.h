/* What a request wants of content that has an entity tag and a date: conditions (RFC 9110 §13), ranges, encodings. */
#ifndef JAZZY_CODEC_CONDITIONS_H
#define JAZZY_CODEC_CONDITIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "codec/request_head.h"

/* A version of some content. */
typedef struct jz_version {
    jz_text tag;      /* its strong entity tag, with the quotes */
    int64_t modified; /* seconds since 1970 */
} jz_version;

typedef enum jz_condition {
    JZ_CONDITION_MET,
    JZ_CONDITION_NOT_MODIFIED, /* the client has this version: answer 304 */
    JZ_CONDITION_FAILED        /* the client wants another version only: answer 412 */
} jz_condition;

/* Judges If-Match, If-Unmodified-Since, If-None-Match and If-Modified-Since of a GET or HEAD (§13.2.2). */
jz_condition jz_conditions_judge(const jz_request_head *head, const jz_version *version);

/* Whether the Range of a request is meant for this version: it has no If-Range, or that names it (§13.1.5). */
bool jz_range_is_for(const jz_request_head *head, const jz_version *version);

/* Whether the client takes content that is encoded with gzip (§12.5.3). */
bool jz_accepts_gzip(const jz_request_head *head);

#endif
