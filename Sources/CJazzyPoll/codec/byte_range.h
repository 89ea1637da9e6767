/* The Range of a request (RFC 9110 §14.2). */
#ifndef JAZZY_CODEC_BYTE_RANGE_H
#define JAZZY_CODEC_BYTE_RANGE_H

#include <stdint.h>

#include "codec/text.h"

typedef enum jz_range_kind {
    JZ_RANGE_WHOLE,        /* the field is to be ignored: it is malformed, of another unit, or has several ranges */
    JZ_RANGE_PART,         /* one range, within the content */
    JZ_RANGE_UNSATISFIABLE /* it begins behind the content's end: answer 416 */
} jz_range_kind;

/*
 * What a Range asks for of content with `size` bytes. PART: `*first` is the first byte, and `*length`, at least 1, how
 * many, none beyond the end. Several ranges are not served, as a server may decide: those that overlap would cost much.
 */
jz_range_kind jz_byte_range_parse(jz_text value, uint64_t size, uint64_t *first, uint64_t *length);

#endif
