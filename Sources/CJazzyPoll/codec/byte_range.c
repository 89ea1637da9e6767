#include "codec/byte_range.h"

#include <stdbool.h>

/* Takes digits off the front. False: there are none. A number beyond all sizes becomes UINT64_MAX. */
static bool take_number(jz_text *rest, uint64_t *number)
{
    size_t digits = 0;
    *number = 0;
    while (digits < rest->length && rest->start[digits] >= '0' && rest->start[digits] <= '9') {
        uint64_t digit = (uint64_t)(rest->start[digits++] - '0');
        *number = *number > (UINT64_MAX - digit) / 10 ? UINT64_MAX : *number * 10 + digit;
    }
    jz_text_skip(rest, digits);
    return digits > 0;
}

static bool take_dash(jz_text *rest)
{
    if (rest->length == 0 || rest->start[0] != '-')
        return false;
    jz_text_skip(rest, 1);
    return true;
}

/* "-5": the last bytes. */
static jz_range_kind parse_suffix(jz_text rest, uint64_t size, uint64_t *first, uint64_t *length)
{
    uint64_t count;
    if (!take_number(&rest, &count) || rest.length > 0)
        return JZ_RANGE_WHOLE;
    if (count == 0)
        return JZ_RANGE_UNSATISFIABLE;
    if (size == 0)
        return JZ_RANGE_WHOLE;
    *length = count < size ? count : size;
    *first = size - *length;
    return JZ_RANGE_PART;
}

jz_range_kind jz_byte_range_parse(jz_text value, uint64_t size, uint64_t *first, uint64_t *length)
{
    jz_text unit;
    uint64_t last = UINT64_MAX;
    if (!jz_text_take_until(&value, '=', &unit) || !jz_text_equals_ignoring_case(unit, jz_text_of("bytes")))
        return JZ_RANGE_WHOLE;
    jz_text rest = jz_text_trim(value);
    if (take_dash(&rest))
        return parse_suffix(rest, size, first, length);
    if (!take_number(&rest, first) || !take_dash(&rest))
        return JZ_RANGE_WHOLE;
    if (rest.length > 0 && !take_number(&rest, &last))
        return JZ_RANGE_WHOLE;
    if (rest.length > 0 || last < *first)
        return JZ_RANGE_WHOLE;
    if (*first >= size)
        return JZ_RANGE_UNSATISFIABLE;
    uint64_t rest_of_content = size - *first;
    *length = last - *first < rest_of_content ? last - *first + 1 : rest_of_content;
    return JZ_RANGE_PART;
}
