#define _POSIX_C_SOURCE 200809L

#include "link/bell.h"

#include <fcntl.h>
#include <unistd.h>

void jz_redis_prepare_descriptor(int descriptor)
{
    fcntl(descriptor, F_SETFD, FD_CLOEXEC);
    fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK);
}

bool jz_redis_bell_open(jz_redis_bell *bell)
{
    int ends[2];
    *bell = (jz_redis_bell){.heard = -1, .rung = -1};
    if (pipe(ends) != 0)
        return false;
    jz_redis_prepare_descriptor(ends[0]);
    jz_redis_prepare_descriptor(ends[1]);
    *bell = (jz_redis_bell){.heard = ends[0], .rung = ends[1]};
    return true;
}

void jz_redis_bell_ring(const jz_redis_bell *bell)
{
    /* A pipe that is full wakes as well. */
    if (write(bell->rung, "!", 1) < 0)
        return;
}

void jz_redis_bell_clear(const jz_redis_bell *bell)
{
    char bytes[64];
    while (read(bell->heard, bytes, sizeof bytes) == (ssize_t)sizeof bytes)
        continue;
}

void jz_redis_bell_close(jz_redis_bell *bell)
{
    if (bell->heard >= 0)
        close(bell->heard);
    if (bell->rung >= 0)
        close(bell->rung);
    *bell = (jz_redis_bell){.heard = -1, .rung = -1};
}
