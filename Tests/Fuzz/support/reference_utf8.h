/* UTF-8 by arithmetic on code points, where the library has a table of bytes: slow, plain, and written apart from it.
 */
#ifndef JAZZY_FUZZ_REFERENCE_UTF8_H
#define JAZZY_FUZZ_REFERENCE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum reference_utf8_result {
    REFERENCE_UTF8_VALID,
    REFERENCE_UTF8_UNFINISHED, /* it ends within a character that some further bytes would complete */
    REFERENCE_UTF8_IMPOSSIBLE  /* no further bytes would make it UTF-8 */
} reference_utf8_result;

reference_utf8_result reference_utf8(const uint8_t *bytes, size_t length);

#endif
