#define _POSIX_C_SOURCE 200809L
#ifdef __APPLE__
#define _DARWIN_C_SOURCE /* st_mtimespec */
#endif

#include "contexts/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../CJazzyOpenSSL/CJazzyOpenSSL.h"
#include "contexts/report.h"

enum { LARGEST_FILE = 4 * 1024 * 1024, STEP_OF_FILE_CLOCKS_S = 2 /* FAT's */ };

#ifdef __APPLE__
#define MODIFIED(status) ((status)->st_mtimespec)
#define CHANGED(status) ((status)->st_ctimespec)
#else
#define MODIFIED(status) ((status)->st_mtim)
#define CHANGED(status) ((status)->st_ctim)
#endif

static jz_status report_unreadable(jz_error *error, const char *label, int number)
{
    char reason[96];
    switch (number) {
    case ENOENT:
    case ENOTDIR:
        return jz_tls_report(error, JZ_STATUS_INVALID_OPTION,
                             "%s does not exist; check the path, which begins where the program was started", label);
    case EACCES:
    case EPERM:
        return jz_tls_report(error, JZ_STATUS_PERMISSION_DENIED,
                             "%s may not be read by this process; let its user read it, and enter its folders", label);
    case EMFILE:
    case ENFILE:
        return jz_tls_report(error, JZ_STATUS_NO_DESCRIPTORS,
                             "cannot open %s: no file descriptors left; raise the limit (`ulimit -n`)", label);
    case ENOMEM:
        return jz_tls_report_no_memory(error);
    default:
        if (strerror_r(number, reason, sizeof reason) != 0)
            snprintf(reason, sizeof reason, "error %d", number);
        return jz_tls_report(error, JZ_STATUS_SYSTEM, "cannot read %s: %s", label, reason);
    }
}

static jz_status check_kind(const struct stat *status, const char *label, jz_error *error)
{
    if (S_ISDIR(status->st_mode))
        return jz_tls_report(error, JZ_STATUS_INVALID_OPTION, "%s is a folder; name a file in it", label);
    if (!S_ISREG(status->st_mode))
        return jz_tls_report(error, JZ_STATUS_INVALID_OPTION,
                             "%s is no regular file, and could be read only once; copy it, or pass it in memory",
                             label);
    if (status->st_size > LARGEST_FILE)
        return jz_tls_report(error, JZ_STATUS_INVALID_OPTION,
                             "%s has over %d MiB, so it cannot be what it should be; check the path", label,
                             LARGEST_FILE / (1024 * 1024));
    if (status->st_size == 0)
        return jz_tls_report(error, JZ_STATUS_INVALID_OPTION, "%s is empty; write it again", label);
    return JZ_OK;
}

/* Until its end, or until `capacity`. Returns the length; -1 with errno. */
static ssize_t read_all(int descriptor, uint8_t *bytes, size_t capacity)
{
    size_t length = 0;
    while (length < capacity) {
        ssize_t count = read(descriptor, bytes + length, capacity - length);
        if (count == 0)
            break;
        if (count < 0 && errno != EINTR)
            return -1;
        length += count > 0 ? (size_t)count : 0;
    }
    return (ssize_t)length;
}

static jz_status read_open(int descriptor, const char *label, jz_tls_content *content, jz_error *error)
{
    struct stat status;
    if (fstat(descriptor, &status) != 0)
        return report_unreadable(error, label, errno);
    jz_status kind = check_kind(&status, label, error);
    if (kind != JZ_OK)
        return kind;
    /* If it grows meanwhile, what is read is half of it, which will be seen. */
    size_t capacity = (size_t)status.st_size;
    uint8_t *bytes = calloc(1, capacity + 1);
    if (bytes == NULL)
        return jz_tls_report_no_memory(error);
    *content = (jz_tls_content){bytes, capacity};
    ssize_t length = read_all(descriptor, bytes, capacity);
    if (length < 0) {
        int number = errno;
        jz_tls_content_erase(content);
        return report_unreadable(error, label, number);
    }
    content->length = (size_t)length;
    bytes[length] = '\0';
    return JZ_OK;
}

jz_status jz_tls_read_file(const char *path, const jz_tls_label *label, jz_tls_content *content, jz_error *error)
{
    *content = (jz_tls_content){0};
    int descriptor;
    do {
        /* Without waiting for the writer of a pipe, which is refused. */
        descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    } while (descriptor < 0 && errno == EINTR);
    if (descriptor < 0)
        return report_unreadable(error, label->text, errno);
    jz_status status = read_open(descriptor, label->text, content, error);
    close(descriptor);
    return status;
}

void jz_tls_content_erase(jz_tls_content *content)
{
    if (content->bytes != NULL)
        OPENSSL_cleanse(content->bytes, content->length);
    free(content->bytes);
    *content = (jz_tls_content){0};
}

/* FNV-1a, 64 bits. */
static void mix(jz_tls_look *look, uint64_t value)
{
    uint64_t hash = look->hash != 0 ? look->hash : UINT64_C(0xcbf29ce484222325);
    for (unsigned shift = 0; shift < 64; shift += 8)
        hash = (hash ^ ((value >> shift) & 0xff)) * UINT64_C(0x100000001b3);
    look->hash = hash;
}

static void mix_time(jz_tls_look *look, struct timespec time)
{
    mix(look, (uint64_t)time.tv_sec);
    mix(look, (uint64_t)time.tv_nsec);
    look->newest = time.tv_sec > look->newest ? time.tv_sec : look->newest;
}

void jz_tls_look_at(jz_tls_look *look, const char *path)
{
    struct stat status;
    if (path == NULL)
        return;
    if (stat(path, &status) != 0) {
        mix(look, 0);
        return;
    }
    mix(look, (uint64_t)status.st_dev);
    mix(look, (uint64_t)status.st_ino);
    mix(look, (uint64_t)status.st_size);
    mix_time(look, MODIFIED(&status));
    mix_time(look, CHANGED(&status));
}

bool jz_tls_look_is_too_fresh(const jz_tls_look *look, int64_t now)
{
    int64_t age = now - look->newest; /* negative where another machine's clock is ahead */
    return age >= -STEP_OF_FILE_CLOCKS_S && age <= STEP_OF_FILE_CLOCKS_S;
}
