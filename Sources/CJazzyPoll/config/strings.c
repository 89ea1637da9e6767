#include "config/strings.h"

#include <stdlib.h>
#include <string.h>

char *jz_string_copy(jz_text text)
{
    char *copy = malloc(text.length + 1);
    if (copy != NULL) {
        memcpy(copy, text.start, text.length);
        copy[text.length] = '\0';
    }
    return copy;
}

bool jz_strings_copy(const char *const **strings, size_t count)
{
    const char *const *borrowed = *strings;
    *strings = NULL;
    if (count == 0)
        return true;
    const char **copies = calloc(count, sizeof(char *));
    if (copies == NULL)
        return false;
    for (size_t i = 0; i < count; i++) {
        copies[i] = jz_string_copy(jz_text_of(borrowed[i]));
        if (copies[i] == NULL) {
            jz_strings_free(copies, i);
            return false;
        }
    }
    *strings = copies;
    return true;
}

void jz_strings_free(const char *const *strings, size_t count)
{
    if (strings == NULL)
        return;
    for (size_t i = 0; i < count; i++)
        free((void *)strings[i]);
    free((void *)strings);
}
