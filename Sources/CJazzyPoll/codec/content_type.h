/* The content type of a file, by its name. */
#ifndef JAZZY_CODEC_CONTENT_TYPE_H
#define JAZZY_CODEC_CONTENT_TYPE_H

#include <stdbool.h>

#include "codec/text.h"

/* By what follows the last dot, ignoring case; "application/octet-stream" for names that are not known. Static. */
const char *jz_content_type_of(jz_text name);

/* Whether content of that type becomes smaller if it is compressed. */
bool jz_content_is_compressible(const char *content_type);

#endif
