/* A file, or a folder of files, that a route serves. */
#ifndef JAZZY_CONFIG_FILES_H
#define JAZZY_CONFIG_FILES_H

#include <stdbool.h>

#include "jazzy/error.h"
#include "jazzy/files.h"

typedef struct jz_files {
    char *root; /* the absolute path of the file or the folder */
    bool is_folder;
    char *content_type; /* NULL: by the name of the file */
    char *cache_control;
    char *index; /* the name of the file for paths of folders; "": none */
} jz_files;

/* Checks that the file or the folder is there and can be read, and the options. NULL with `error` otherwise. */
jz_files *jz_files_create(const char *root, bool is_folder, const jz_file_options *options, jz_error *error);

/* NULL does nothing. */
void jz_files_free(jz_files *files);

#endif
