#define _POSIX_C_SOURCE 200809L
#define _DARWIN_C_SOURCE /* O_NOFOLLOW */

#include "http/opened_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "codec/text.h"
#include "platform/file_times.h"

enum { OPEN_FLAGS = O_RDONLY | O_CLOEXEC | O_NONBLOCK, MOST_NAME = 256 };

enum { NS_PER_MS = 1000 * 1000, STEP_MS = 20 };

static int64_t nanoseconds(struct timespec time)
{
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static jz_file_result result_of(int reason)
{
    switch (reason) {
    case ENOENT:
    case ENOTDIR:
    case ELOOP: /* a symbolic link, by O_NOFOLLOW */
    case EMLINK:
    case ENAMETOOLONG:
    case ENXIO: /* a socket, or a device without a driver */
        return JZ_FILE_MISSING;
    case EACCES:
    case EPERM:
        return JZ_FILE_FORBIDDEN;
    case EMFILE:
    case ENFILE:
    case ENOMEM:
        return JZ_FILE_EXHAUSTED;
    default:
        return JZ_FILE_FAILED;
    }
}

static void close_keeping_errno(int descriptor)
{
    int reason = errno;
    close(descriptor);
    errno = reason;
}

/* Opens what a path leads to, without following any link in it. -1 with errno. Takes over the folder's descriptor. */
static int walk(int folder, jz_text path)
{
    char name[MOST_NAME];
    jz_text segment;
    while (folder >= 0 && jz_text_take_piece(&path, '/', &segment)) {
        if (segment.length == 0 || segment.length >= sizeof name) {
            errno = ENOENT;
            close_keeping_errno(folder);
            return -1;
        }
        memcpy(name, segment.start, segment.length);
        name[segment.length] = '\0';
        int flags = OPEN_FLAGS | O_NOFOLLOW | (path.length > 0 ? O_DIRECTORY : 0);
        int next = openat(folder, name, flags);
        close_keeping_errno(folder);
        folder = next;
    }
    return folder;
}

static bool take_stamp(int descriptor, jz_file_stamp *stamp)
{
    struct stat status;
    if (fstat(descriptor, &status) != 0)
        return false;
    if (!S_ISREG(status.st_mode)) {
        errno = ENOENT;
        return false;
    }
    *stamp = (jz_file_stamp){.size = (uint64_t)status.st_size,
                             .modified_ns = jz_file_modified_ns(&status),
                             .changed_ns = jz_file_changed_ns(&status),
                             .links = (uint64_t)status.st_nlink,
                             .number = status.st_ino,
                             .device = status.st_dev};
    return true;
}

unsigned jz_file_settles_in_ms(const jz_opened_file *file)
{
    struct timespec now;
    const jz_file_stamp *stamp = &file->stamp;
    int64_t last = stamp->modified_ns > stamp->changed_ns ? stamp->modified_ns : stamp->changed_ns;
    if (clock_gettime(CLOCK_REALTIME, &now) != 0)
        return 0;
    int64_t age_ms = (nanoseconds(now) - last) / NS_PER_MS;
    if (age_ms >= STEP_MS || age_ms <= -STEP_MS)
        return 0;
    return age_ms > 0 ? STEP_MS - (unsigned)age_ms : STEP_MS;
}

jz_file_result jz_file_open(const jz_files *files, const char *path, jz_opened_file *file)
{
    file->descriptor = open(files->root, files->is_folder ? OPEN_FLAGS | O_DIRECTORY : OPEN_FLAGS);
    if (files->is_folder && file->descriptor >= 0)
        file->descriptor = walk(file->descriptor, jz_text_of(path));
    if (file->descriptor < 0)
        return result_of(errno);
    return jz_file_look_again(file);
}

jz_file_result jz_file_look_again(jz_opened_file *file)
{
    if (take_stamp(file->descriptor, &file->stamp))
        return JZ_FILE_OK;
    close_keeping_errno(file->descriptor);
    file->descriptor = -1;
    return result_of(errno);
}

/*
 * Whether the content is still the same. A file that was replaced or removed has lost a name, and is read on as it was;
 * any other change is one of the content, whose time somebody may have set back.
 */
static bool is_same(const jz_file_stamp *now, const jz_file_stamp *before)
{
    return now->size == before->size && now->modified_ns == before->modified_ns && now->number == before->number &&
           (now->changed_ns == before->changed_ns || now->links != before->links);
}

jz_file_result jz_file_read(const jz_opened_file *file, uint64_t position, void *bytes, size_t length)
{
    for (size_t done = 0; done < length;) {
        ssize_t count = pread(file->descriptor, (char *)bytes + done, length - done, (off_t)(position + done));
        if (count < 0 && errno != EINTR)
            return JZ_FILE_FAILED;
        if (count == 0)
            return JZ_FILE_CHANGED;
        done += count > 0 ? (size_t)count : 0;
    }
    jz_file_stamp stamp;
    if (!take_stamp(file->descriptor, &stamp))
        return JZ_FILE_FAILED;
    return is_same(&stamp, &file->stamp) ? JZ_FILE_OK : JZ_FILE_CHANGED;
}
