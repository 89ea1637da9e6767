/* Compressing by ISA-L: see engine.h. */
#ifndef JAZZY_SESSION_ISAL_DEFLATE_H
#define JAZZY_SESSION_ISAL_DEFLATE_H

#include <stdbool.h>
#include <stddef.h>

typedef struct jz_deflater {
    struct isal_zstream *stream; /* with its level buffer, in one piece of `size` bytes */
    size_t size;
    bool keeps_context;
    bool is_hasty; /* time counts more than size */
} jz_deflater;

#endif
