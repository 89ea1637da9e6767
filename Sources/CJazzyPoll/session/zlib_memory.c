#include "session/zlib_memory.h"

#include <stdlib.h>

#include "session/memory.h"

enum { ALIGNMENT = 64 };

static voidpf allocate(voidpf opaque, uInt count, uInt size)
{
    jz_zlib_memory *memory = opaque;
    if (size != 0 && count > (SIZE_MAX - ALIGNMENT) / size)
        return Z_NULL;
    size_t length = (size_t)count * size;
    size_t rounded = (length + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
    if (rounded > memory->size - memory->used)
        return malloc(length);
    uint8_t *bytes = memory->bytes + memory->used;
    memory->used += rounded;
    return bytes;
}

/* Bytes inside the piece are freed together with it. */
static void release(voidpf opaque, voidpf address)
{
    const jz_zlib_memory *memory = opaque;
    uintptr_t place = (uintptr_t)address;
    uintptr_t start = (uintptr_t)memory->bytes;
    if (memory->bytes == NULL || place < start || place >= start + memory->size)
        free(address);
}

void jz_zlib_memory_begin(jz_zlib_memory *memory, size_t size, z_stream *stream)
{
    memory->bytes = jz_memory_map(size);
    memory->size = memory->bytes != NULL ? size : 0;
    memory->used = 0;
    stream->zalloc = allocate;
    stream->zfree = release;
    stream->opaque = memory;
}

void jz_zlib_memory_end(jz_zlib_memory *memory)
{
    if (memory->bytes != NULL)
        jz_memory_unmap(memory->bytes, memory->size);
    *memory = (jz_zlib_memory){0};
}
