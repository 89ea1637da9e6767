/* Copies of strings, and of lists of strings. */
#ifndef JAZZY_CONFIG_STRINGS_H
#define JAZZY_CONFIG_STRINGS_H

#include <stdbool.h>
#include <stddef.h>

#include "codec/text.h"

/* A NUL-terminated copy, to be freed. NULL when there is no memory. */
char *jz_string_copy(jz_text text);

/*
 * Replaces a borrowed list by a copy, to be freed with jz_strings_free. False when there is no memory: the list is then
 * NULL.
 */
bool jz_strings_copy(const char *const **strings, size_t count);

/* Frees a copy. NULL does nothing. */
void jz_strings_free(const char *const *strings, size_t count);

#endif
