/* A file that is being served: found within its folder, and read in pieces. On threads that may wait for a disk. */
#ifndef JAZZY_HTTP_OPENED_FILE_H
#define JAZZY_HTTP_OPENED_FILE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "config/files.h"

typedef enum jz_file_result {
    JZ_FILE_OK,
    JZ_FILE_MISSING,   /* or something that is never served: a link, a folder, a device */
    JZ_FILE_FORBIDDEN, /* this process may not read it */
    JZ_FILE_EXHAUSTED, /* no descriptors, or no memory, are left */
    JZ_FILE_CHANGED,   /* since it was opened */
    JZ_FILE_FAILED     /* errno says why */
} jz_file_result;

/* What tells one version of a file from another. */
typedef struct jz_file_stamp {
    uint64_t size;
    int64_t modified_ns; /* since 1970 */
    int64_t changed_ns;  /* likewise, of anything about it, such as its links */
    uint64_t links;      /* names that it has */
    ino_t number;
    dev_t device;
} jz_file_stamp;

typedef struct jz_opened_file {
    int descriptor;
    jz_file_stamp stamp;
} jz_opened_file;

/* Opens a regular file: `path` within the folder, which jz_file_path_may_be_served; for a single file NULL. */
jz_file_result jz_file_open(const jz_files *files, const char *path, jz_opened_file *file);

/*
 * The milliseconds after which a change would be seen; 0: it would be seen now. Kernels take the time of a change from
 * a clock with such steps: a file that was changed just now may change again and have the same time.
 */
unsigned jz_file_settles_in_ms(const jz_opened_file *file);

/* Looks at the file again, after that time: what there is now is the version that is read. */
jz_file_result jz_file_look_again(jz_opened_file *file);

/* Reads exactly so many bytes. They are of the version that was opened, or the result says that they are not. */
jz_file_result jz_file_read(const jz_opened_file *file, uint64_t position, void *bytes, size_t length);

#endif
