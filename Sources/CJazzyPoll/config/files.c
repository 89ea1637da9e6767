#define _POSIX_C_SOURCE 200809L

#include "config/files.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "codec/file_path.h"
#include "codec/token.h"
#include "config/strings.h"
#include "loop/report.h"

enum { MOST_ROOT = 4000 };

/* The path from the root of the file system, so that the program may change its folder. NULL when there is no memory.
 */
static char *absolute(const char *path)
{
    char folder[MOST_ROOT];
    if (path[0] == '/' || getcwd(folder, sizeof folder) == NULL)
        return jz_string_copy(jz_text_of(path));
    char *joined = malloc(strlen(folder) + 1 + strlen(path) + 1);
    if (joined != NULL) {
        strcpy(joined, folder);
        strcat(joined, "/");
        strcat(joined, path);
    }
    return joined;
}

static jz_status check_root(const char *root, bool is_folder, jz_error *error)
{
    struct stat status;
    const char *kind = is_folder ? "folder" : "file";
    if (root == NULL || root[0] == '\0' || strlen(root) > MOST_ROOT)
        return jz_report(error, JZ_STATUS_INVALID_OPTION, "a %s to serve is named by its path, which has 1 to %d bytes",
                         kind, MOST_ROOT);
    if (stat(root, &status) != 0)
        return jz_report(error, JZ_STATUS_INVALID_OPTION, "the %s \"%.150s\" cannot be served: %s", kind, root,
                         strerror(errno));
    if (is_folder ? !S_ISDIR(status.st_mode) : !S_ISREG(status.st_mode))
        return jz_report(error, JZ_STATUS_INVALID_OPTION, "\"%.150s\" cannot be served: it is no %s", root, kind);
    if (access(root, is_folder ? R_OK | X_OK : R_OK) != 0)
        return jz_report(error, JZ_STATUS_PERMISSION_DENIED, "the %s \"%.150s\" cannot be served: %s", kind, root,
                         strerror(errno));
    return JZ_OK;
}

static bool is_field_value(const char *text)
{
    return text == NULL || (text[0] != '\0' && jz_is_field_value(jz_text_of(text)));
}

static jz_status check_options(const jz_file_options *options, jz_error *error)
{
    if (!is_field_value(options->content_type) || !is_field_value(options->cache_control))
        return jz_report(error, JZ_STATUS_INVALID_OPTION,
                         "the content_type and the cache_control of files are one line each, and not empty");
    const char *index = options->index;
    if (index != NULL && (strchr(index, '/') != NULL || !jz_file_path_may_be_served(jz_text_of(index))))
        return jz_report(error, JZ_STATUS_INVALID_OPTION,
                         "the index of a folder is the name of a file, such as index.html, or \"\" for none");
    return JZ_OK;
}

jz_files *jz_files_create(const char *root, bool is_folder, const jz_file_options *options, jz_error *error)
{
    const jz_file_options defaults = {0};
    if (options == NULL)
        options = &defaults;
    if (check_root(root, is_folder, error) != JZ_OK || check_options(options, error) != JZ_OK)
        return NULL;
    jz_files *files = calloc(1, sizeof *files);
    if (files == NULL) {
        jz_report_system(error, ENOMEM, "add a route");
        return NULL;
    }
    files->is_folder = is_folder;
    files->root = absolute(root);
    files->cache_control =
        jz_string_copy(jz_text_of(options->cache_control != NULL ? options->cache_control : "no-cache"));
    files->index = jz_string_copy(jz_text_of(options->index != NULL ? options->index : "index.html"));
    if (options->content_type != NULL)
        files->content_type = jz_string_copy(jz_text_of(options->content_type));
    if (files->root == NULL || files->cache_control == NULL || files->index == NULL ||
        (options->content_type != NULL && files->content_type == NULL)) {
        jz_files_free(files);
        jz_report_system(error, ENOMEM, "add a route");
        return NULL;
    }
    return files;
}

void jz_files_free(jz_files *files)
{
    if (files == NULL)
        return;
    free(files->root);
    free(files->content_type);
    free(files->cache_control);
    free(files->index);
    free(files);
}
