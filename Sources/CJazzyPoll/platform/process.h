/* What the system says about this process. */
#ifndef JAZZY_PLATFORM_PROCESS_H
#define JAZZY_PLATFORM_PROCESS_H

#include <stdbool.h>
#include <stdint.h>

/* Each number is UINT64_MAX where the system does not tell it, or not without counting. */
typedef struct jz_process {
    uint64_t cpu_ns; /* user and system time */
    uint64_t resident_bytes;
    uint64_t virtual_bytes;
    uint64_t descriptors;     /* open ones: on Linux from 6.2 on */
    uint64_t max_descriptors; /* the soft limit */
} jz_process;

/* Takes some microseconds, however much the process has. From any thread. */
jz_process jz_process_read(void);

#endif
