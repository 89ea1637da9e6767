#include "shutdown_calls.h"

#include <stdatomic.h>

/* The names are the linker's (ld, --wrap). */
int __real_shutdown(int descriptor, int how);
int __wrap_shutdown(int descriptor, int how);

static atomic_size_t calls;

size_t test_shutdown_calls(void)
{
    return calls;
}

int __wrap_shutdown(int descriptor, int how)
{
    calls++;
    return __real_shutdown(descriptor, how);
}
