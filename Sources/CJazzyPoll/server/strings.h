/* Lists of strings that were given as options, and are kept. */
#ifndef JAZZY_SERVER_STRINGS_H
#define JAZZY_SERVER_STRINGS_H

#include <stdbool.h>
#include <stddef.h>

/* Replaces a borrowed list by a copy, for jz_strings_free. False when there is no memory: the list is NULL. */
bool jz_strings_copy(const char *const **strings, size_t count);

/* Frees a copy. NULL does nothing. */
void jz_strings_free(const char *const *strings, size_t count);

#endif
