/* Paths of files within a folder, as requests name them. */
#ifndef JAZZY_CODEC_FILE_PATH_H
#define JAZZY_CODEC_FILE_PATH_H

#include <stdbool.h>

#include "codec/text.h"

/*
 * Whether a path, decoded and without a slash at its beginning, names something within a folder that may be served: it
 * has no empty segments, except that a slash may be its end, and no NUL; and no segment begins with a dot, so that
 * neither "." and ".." nor hidden files are named. ".well-known" (RFC 8615) may be the first segment.
 */
bool jz_file_path_may_be_served(jz_text path);

#endif
