#include "http/gzip.h"

#include <limits.h>

#include "../../CJazzyZlib/CJazzyZlib.h"

enum { LEVEL = 6, GZIP_FORMAT = 16 + MAX_WBITS, MEMORY_LEVEL = 8 };

bool jz_gzip(const void *bytes, size_t length, jz_buffer *packed, bool *is_useless)
{
    size_t most = length - length / 10;
    z_stream stream = {0};
    *is_useless = false;
    if (length > UINT_MAX || !jz_buffer_reserve(packed, most, most))
        return false;
    if (deflateInit2(&stream, LEVEL, Z_DEFLATED, GZIP_FORMAT, MEMORY_LEVEL, Z_DEFAULT_STRATEGY) != Z_OK) {
        jz_buffer_free(packed);
        return false;
    }
    stream.next_in = (Bytef *)(uintptr_t)bytes;
    stream.avail_in = (uInt)length;
    stream.next_out = packed->bytes;
    stream.avail_out = (uInt)most;
    *is_useless = deflate(&stream, Z_FINISH) != Z_STREAM_END;
    packed->length = most - stream.avail_out;
    deflateEnd(&stream);
    if (*is_useless)
        jz_buffer_free(packed);
    return !*is_useless;
}
