#include "process.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "fail.h"

uint64_t process_cpu_ns(pid_t process)
{
    char path[320];
    snprintf(path, sizeof path, "/proc/%d/task", (int)process);
    DIR *tasks = opendir(path);
    if (tasks == NULL)
        fail("process %d, the server to be measured, is not there", (int)process);
    uint64_t total = 0;
    const struct dirent *task;
    while ((task = readdir(tasks)) != NULL) {
        if (task->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "/proc/%d/task/%s/schedstat", (int)process, task->d_name);
        FILE *file = fopen(path, "r");
        unsigned long long ran = 0;
        if (file != NULL && fscanf(file, "%llu", &ran) == 1)
            total += ran;
        if (file != NULL)
            fclose(file);
    }
    closedir(tasks);
    if (total == 0)
        fail("the kernel does not tell how long process %d ran: /proc/%d/task/*/schedstat", (int)process, (int)process);
    return total;
}

uint64_t process_private_dirty(pid_t process)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/smaps_rollup", (int)process);
    FILE *file = fopen(path, "r");
    if (file == NULL)
        fail("cannot read %s, which tells the server's memory", path);
    char line[256];
    unsigned long long kibibytes = 0;
    while (fgets(line, sizeof line, file) != NULL) {
        if (sscanf(line, "Private_Dirty: %llu kB", &kibibytes) == 1)
            break;
    }
    fclose(file);
    return kibibytes * 1024;
}

static uint64_t read_clock(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

uint64_t own_cpu_ns(void)
{
    return read_clock(CLOCK_PROCESS_CPUTIME_ID);
}

uint64_t clock_ns(void)
{
    return read_clock(CLOCK_MONOTONIC);
}
