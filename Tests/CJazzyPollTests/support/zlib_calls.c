#include "zlib_calls.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <zlib.h>

#include "session/engine.h"

/* The names are the linker's (ld, --wrap). */
int __real_deflateInit2_(z_streamp stream, int level, int method, int window_bits, int memory_level, int strategy,
                         const char *version, int stream_size);
int __wrap_deflateInit2_(z_streamp stream, int level, int method, int window_bits, int memory_level, int strategy,
                         const char *version, int stream_size);
int __real_inflateInit2_(z_streamp stream, int window_bits, const char *version, int stream_size);
int __wrap_inflateInit2_(z_streamp stream, int window_bits, const char *version, int stream_size);
bool __real_jz_deflater_take(jz_deflater *deflater, const uint8_t *bytes, size_t length, jz_buffer *output);
bool __wrap_jz_deflater_take(jz_deflater *deflater, const uint8_t *bytes, size_t length, jz_buffer *output);

static atomic_size_t deflations;

size_t test_deflate_count(void)
{
    return deflations;
}

static void *allocate(void *context, uInt count, uInt size)
{
    (void)context;
    return malloc((size_t)count * size);
}

static void give_back(void *context, void *bytes)
{
    (void)context;
    free(bytes);
}

/* Unless the stream has an allocator, which comes here by itself. */
static void come_here(z_streamp stream)
{
    if (stream->zalloc != Z_NULL)
        return;
    stream->zalloc = allocate;
    stream->zfree = give_back;
}

int __wrap_deflateInit2_(z_streamp stream, int level, int method, int window_bits, int memory_level, int strategy,
                         const char *version, int stream_size)
{
    come_here(stream);
    return __real_deflateInit2_(stream, level, method, window_bits, memory_level, strategy, version, stream_size);
}

int __wrap_inflateInit2_(z_streamp stream, int window_bits, const char *version, int stream_size)
{
    come_here(stream);
    return __real_inflateInit2_(stream, window_bits, version, stream_size);
}

bool __wrap_jz_deflater_take(jz_deflater *deflater, const uint8_t *bytes, size_t length, jz_buffer *output)
{
    deflations++;
    return __real_jz_deflater_take(deflater, bytes, length, output);
}
