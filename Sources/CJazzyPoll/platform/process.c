#define _POSIX_C_SOURCE 200809L

#include "platform/process.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static uint64_t ns_of(struct timeval time)
{
    return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_usec * 1000;
}

static uint64_t read_cpu_time(void)
{
    struct rusage usage;
    if (getrusage(RUSAGE_SELF, &usage) != 0)
        return UINT64_MAX;
    return ns_of(usage.ru_utime) + ns_of(usage.ru_stime);
}

static uint64_t read_max_descriptors(void)
{
    struct rlimit limit;
    return getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY ? (uint64_t)limit.rlim_cur
                                                                                    : UINT64_MAX;
}

#ifdef __linux__
/* proc(5): the first two numbers of statm are pages. */
static void read_memory(jz_process *process)
{
    char text[128];
    long page = sysconf(_SC_PAGESIZE);
    int file = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return;
    ssize_t length = read(file, text, sizeof text - 1);
    close(file);
    if (length <= 0 || page <= 0)
        return;
    text[length] = '\0';
    char *end = text;
    uint64_t pages = strtoull(text, &end, 10);
    uint64_t resident = strtoull(end, NULL, 10);
    process->virtual_bytes = pages * (uint64_t)page;
    process->resident_bytes = resident * (uint64_t)page;
}

/* Since Linux 6.2 the size of this folder is the number of its entries; before, it was 0. */
static uint64_t read_descriptors(void)
{
    struct stat folder;
    return stat("/proc/self/fd", &folder) == 0 && folder.st_size > 0 ? (uint64_t)folder.st_size : UINT64_MAX;
}
#else
static void read_memory(jz_process *process)
{
    (void)process;
}

static uint64_t read_descriptors(void)
{
    return UINT64_MAX;
}
#endif

jz_process jz_process_read(void)
{
    jz_process process = {.cpu_ns = read_cpu_time(),
                          .resident_bytes = UINT64_MAX,
                          .virtual_bytes = UINT64_MAX,
                          .descriptors = read_descriptors(),
                          .max_descriptors = read_max_descriptors()};
    read_memory(&process);
    return process;
}
