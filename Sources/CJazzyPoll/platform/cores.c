#define _GNU_SOURCE

#include "platform/cores.h"

#include <sched.h>
#include <unistd.h>

uint32_t jz_core_count(void)
{
#ifdef CPU_COUNT
    /* Linux: only the cores that taskset, or a container's cpuset, allows this process. */
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) > 0)
        return (uint32_t)CPU_COUNT(&set);
#endif
    long count = sysconf(_SC_NPROCESSORS_ONLN);
    return count > 0 ? (uint32_t)count : 1;
}
