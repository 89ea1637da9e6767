/* When a file was changed, to the nanosecond. */
#ifndef JAZZY_PLATFORM_FILE_TIMES_H
#define JAZZY_PLATFORM_FILE_TIMES_H

#include <stdint.h>

struct stat;

/* In nanoseconds since 1970: the last change of the content, and of anything about the file, such as its links. */
int64_t jz_file_modified_ns(const struct stat *status);
int64_t jz_file_changed_ns(const struct stat *status);

#endif
