/* Compressing by zlib: see engine.h. */
#ifndef JAZZY_SESSION_ZLIB_DEFLATE_H
#define JAZZY_SESSION_ZLIB_DEFLATE_H

#include <stdint.h>

#include "../../CJazzyZlib/CJazzyZlib.h"
#include "session/zlib_memory.h"

typedef struct jz_deflater {
    z_stream stream;
    jz_zlib_memory memory;
    uint8_t level;
} jz_deflater;

#endif
