#define _POSIX_C_SOURCE 200809L
#define _DARWIN_C_SOURCE

#include "platform/file_times.h"

#include <sys/stat.h>
#include <time.h>

/* Of POSIX, and as macOS calls them. */
#ifdef __APPLE__
#define MODIFIED st_mtimespec
#define CHANGED st_ctimespec
#else
#define MODIFIED st_mtim
#define CHANGED st_ctim
#endif

static int64_t nanoseconds(struct timespec time)
{
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

int64_t jz_file_modified_ns(const struct stat *status)
{
    return nanoseconds(status->MODIFIED);
}

int64_t jz_file_changed_ns(const struct stat *status)
{
    return nanoseconds(status->CHANGED);
}
