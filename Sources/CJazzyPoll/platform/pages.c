#define _GNU_SOURCE /* mremap */
#define _DARWIN_C_SOURCE

#include "platform/pages.h"

#include <sys/mman.h>

#ifdef JZ_PAGES_CAN_MOVE
void *jz_pages_move(void *bytes, size_t size, size_t larger)
{
    void *moved = mremap(bytes, size, larger, MREMAP_MAYMOVE);
    return moved != MAP_FAILED ? moved : NULL;
}
#endif

/* Linux does it at once by MADV_DONTNEED, the others by MADV_FREE when they need memory: there MADV_DONTNEED keeps it.
 */
void jz_pages_discard(void *bytes, size_t size)
{
#ifdef __linux__
    const int advice = MADV_DONTNEED;
#else
    const int advice = MADV_FREE;
#endif
    (void)madvise(bytes, size, advice);
}
