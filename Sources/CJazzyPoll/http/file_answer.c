#define _POSIX_C_SOURCE 200809L

#include "http/file_answer.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "codec/byte_range.h"
#include "codec/conditions.h"
#include "codec/content_type.h"
#include "codec/date.h"
#include "codec/siphash.h"
#include "http/gzip.h"

enum { TAG_SIZE = 64 };

/* What an answer is made from. */
typedef struct making {
    const jz_files *files;
    const char *path;
    jz_packed *packed;
    jz_request_head head;
    char tag[TAG_SIZE]; /* of the content that is chosen */
    bool is_compressible;
} making;

static void fail(jz_file_answer *answer, int status, jz_file_result result)
{
    answer->reason = errno;
    answer->status = status;
    answer->result = result;
}

static int status_of(jz_file_result result)
{
    switch (result) {
    case JZ_FILE_MISSING:
        return 404;
    case JZ_FILE_FORBIDDEN:
        return 403;
    case JZ_FILE_EXHAUSTED:
    case JZ_FILE_CHANGED:
        return 503;
    default:
        return 500;
    }
}

/*
 * The tag of a version as it is, and of what is compressed. Files that were built to be the same everywhere have all
 * one time, and their next version may have the same size: it differs in when it came here, or in which file it is.
 * These are hashed, because they are nobody's business.
 */
static void write_tag(char tag[TAG_SIZE], const jz_file_stamp *stamp, bool is_packed)
{
    static const jz_siphash_key key = {{0}}; /* not a secret: nobody chooses these */
    const uint64_t further[] = {(uint64_t)stamp->changed_ns, (uint64_t)stamp->number, (uint64_t)stamp->device};
    snprintf(tag, TAG_SIZE, "\"%" PRIx64 "-%" PRIx64 "-%" PRIx64 "%s\"", (uint64_t)stamp->modified_ns, stamp->size,
             jz_siphash(&key, further, sizeof further), is_packed ? "-gzip" : "");
}

static int64_t modified(const jz_file_answer *answer)
{
    return answer->file.stamp.modified_ns / 1000000000;
}

/* The file's name by itself is not known to the cache: another route may have the same under another path. */
static char *name_of(const making *making)
{
    const char *path = making->path != NULL ? making->path : "";
    size_t root_length = strlen(making->files->root);
    char *name = malloc(root_length + 1 + strlen(path) + 1);
    if (name != NULL) {
        memcpy(name, making->files->root, root_length);
        name[root_length] = '/';
        strcpy(name + root_length + 1, path);
    }
    return name;
}

/* Reads and compresses the whole file. NULL: there is no memory, it has changed, or, with `*is_useless`, no use. */
static jz_publication *pack(const jz_opened_file *file, bool *is_useless)
{
    size_t length = (size_t)file->stamp.size;
    jz_buffer content = {0};
    jz_buffer packed = {0};
    jz_publication *publication = NULL;
    *is_useless = false;
    if (jz_buffer_reserve(&content, length, length) && jz_file_read(file, 0, content.bytes, length) == JZ_FILE_OK &&
        jz_gzip(content.bytes, length, &packed, is_useless))
        publication = jz_publication_create(JZ_MESSAGE_BINARY, packed.bytes, packed.length, JZ_COMPRESSION_NEVER);
    jz_buffer_free(&content);
    jz_buffer_free(&packed);
    return publication;
}

static jz_publication *packed_content(const making *making, const jz_opened_file *file, const char *name)
{
    jz_publication *content = NULL;
    bool is_useless;
    if (jz_packed_find(making->packed, name, making->tag, &content) != JZ_PACKED_NOT_YET)
        return content;
    content = pack(file, &is_useless);
    if (content != NULL || is_useless)
        jz_packed_keep(making->packed, name, making->tag, content);
    else
        jz_packed_give_up(making->packed, name, making->tag);
    return content;
}

/* Chooses the compressed content, if there is any for this client. */
static void choose(jz_file_answer *answer, making *making)
{
    uint64_t size = answer->file.stamp.size;
    bool wants_range = jz_request_head_find(&making->head, "Range", NULL) > 0;
    if (making->is_compressible && !wants_range && size >= JZ_LEAST_TO_PACK && size <= JZ_MOST_TO_PACK &&
        jz_accepts_gzip(&making->head)) {
        char *name = name_of(making);
        write_tag(making->tag, &answer->file.stamp, true);
        if (name != NULL)
            answer->packed = packed_content(making, &answer->file, name);
        free(name);
    }
    if (answer->packed == NULL)
        write_tag(making->tag, &answer->file.stamp, false);
}

static bool add(jz_buffer *headers, const char *line)
{
    return jz_buffer_append(headers, line, strlen(line));
}

static bool add_field(jz_buffer *headers, const char *name, const char *value)
{
    return add(headers, name) && add(headers, ": ") && add(headers, value) && add(headers, "\r\n");
}

/* Those that a 304 has, too, and those that tell how the content is to be understood. */
static bool add_headers(jz_file_answer *answer, const making *making)
{
    jz_buffer *headers = &answer->headers;
    char date[JZ_DATE_LENGTH + 1];
    jz_date_format(modified(answer), date);
    return add_field(headers, "ETag", making->tag) && add_field(headers, "Last-Modified", date) &&
           add_field(headers, "Cache-Control", making->files->cache_control) &&
           add(headers, "Accept-Ranges: bytes\r\nX-Content-Type-Options: nosniff\r\n") &&
           (!making->is_compressible || add(headers, "Vary: Accept-Encoding\r\n"));
}

/* A part of the file, if that is asked for. */
static bool follow_range(jz_file_answer *answer, const making *making, const jz_version *version)
{
    jz_text range;
    char line[128];
    uint64_t size = answer->file.stamp.size;
    if (answer->packed != NULL || jz_request_head_find(&making->head, "Range", &range) != 1 ||
        !jz_text_equals(making->head.method, jz_text_of("GET")) || !jz_range_is_for(&making->head, version))
        return true;
    uint64_t first;
    uint64_t length;
    switch (jz_byte_range_parse(range, size, &first, &length)) {
    case JZ_RANGE_PART:
        answer->status = 206;
        answer->position = first;
        answer->length = answer->left = length;
        snprintf(line, sizeof line, "Content-Range: bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64 "\r\n", first,
                 first + length - 1, size);
        return add(&answer->headers, line);
    case JZ_RANGE_UNSATISFIABLE:
        answer->status = 416;
        snprintf(line, sizeof line, "Content-Range: bytes */%" PRIu64 "\r\n", size);
        return add(&answer->headers, line);
    default:
        return true;
    }
}

static const char *type_of(const making *making)
{
    if (making->files->content_type != NULL)
        return making->files->content_type;
    return jz_content_type_of(jz_text_of(making->path != NULL ? making->path : making->files->root));
}

/* False when there is no memory. */
static bool describe(jz_file_answer *answer, making *making)
{
    const jz_version version = {.tag = jz_text_of(making->tag), .modified = modified(answer)};
    if (!add_headers(answer, making))
        return false;
    switch (jz_conditions_judge(&making->head, &version)) {
    case JZ_CONDITION_NOT_MODIFIED:
        answer->status = 304;
        return true;
    case JZ_CONDITION_FAILED:
        answer->status = 412;
        return true;
    default:
        break;
    }
    answer->status = 200;
    answer->length = answer->packed != NULL ? jz_publication_length(answer->packed) : answer->file.stamp.size;
    answer->left = answer->length;
    if (answer->packed != NULL && !add(&answer->headers, "Content-Encoding: gzip\r\n"))
        return false;
    return follow_range(answer, making, &version);
}

bool jz_file_answer_open(jz_file_answer *answer, const jz_files *files, const char *path)
{
    *answer = (jz_file_answer){.file.descriptor = -1};
    jz_file_result result = jz_file_open(files, path, &answer->file);
    if (result != JZ_FILE_OK)
        fail(answer, status_of(result), result);
    return result == JZ_FILE_OK;
}

void jz_file_answer_make(jz_file_answer *answer, const jz_files *files, const char *path, jz_text head,
                         jz_packed *packed)
{
    /* The server's own limits were checked when the head came. */
    static const jz_head_limits limits = {.max_length = JZ_MAX_HEAD_LENGTH, .max_headers = JZ_MAX_HEADERS};
    making making = {.files = files, .path = path, .packed = packed};
    (void)jz_request_head_parse(head.start, head.length, &limits, &making.head);
    jz_file_result result = jz_file_look_again(&answer->file);
    if (result != JZ_FILE_OK) {
        fail(answer, status_of(result), result);
        return;
    }
    const char *type = type_of(&making);
    making.is_compressible = jz_content_is_compressible(type);
    choose(answer, &making);
    if (!describe(answer, &making)) {
        errno = ENOMEM;
        fail(answer, 503, JZ_FILE_EXHAUSTED);
    }
    bool has_content = answer->status == 200 || answer->status == 206;
    answer->content_type = has_content ? type : NULL;
    if (!has_content || answer->packed != NULL || answer->length == 0 ||
        jz_text_equals(making.head.method, jz_text_of("HEAD"))) {
        close(answer->file.descriptor);
        answer->file.descriptor = -1;
    }
    if (!has_content && answer->packed != NULL) {
        jz_publication_release(answer->packed);
        answer->packed = NULL;
    }
}

void jz_file_answer_free(jz_file_answer *answer)
{
    if (answer->file.descriptor >= 0)
        close(answer->file.descriptor);
    if (answer->packed != NULL)
        jz_publication_release(answer->packed);
    jz_buffer_free(&answer->headers);
    *answer = (jz_file_answer){.file.descriptor = -1};
}
