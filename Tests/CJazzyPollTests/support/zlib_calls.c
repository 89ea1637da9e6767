#include "zlib_calls.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <zlib.h>

#ifdef JZ_DEFLATE_ISAL
#include <isa-l/igzip_lib.h>
#endif

/* The names are the linker's (ld, --wrap). */
int __real_deflateInit2_(z_streamp stream, int level, int method, int window_bits, int memory_level, int strategy,
                         const char *version, int stream_size);
int __wrap_deflateInit2_(z_streamp stream, int level, int method, int window_bits, int memory_level, int strategy,
                         const char *version, int stream_size);
int __real_inflateInit2_(z_streamp stream, int window_bits, const char *version, int stream_size);
int __wrap_inflateInit2_(z_streamp stream, int window_bits, const char *version, int stream_size);
int __real_deflate(z_streamp stream, int flush);
int __wrap_deflate(z_streamp stream, int flush);

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

int __wrap_deflate(z_streamp stream, int flush)
{
    deflations++;
    return __real_deflate(stream, flush);
}

#ifdef JZ_DEFLATE_ISAL
int __real_isal_deflate(struct isal_zstream *stream);
int __wrap_isal_deflate(struct isal_zstream *stream);

int __wrap_isal_deflate(struct isal_zstream *stream)
{
    deflations++;
    return __real_isal_deflate(stream);
}
#endif
