#include "contexts/names.h"

#include <stdlib.h>
#include <string.h>

enum { LONGEST_LABEL = 63 };

/* Also '_', which no host has, but some certificates. Does not depend on the locale. */
static bool is_of_a_label(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

static bool has_labels(const char *text)
{
    for (;;) {
        size_t length = 0;
        while (is_of_a_label(text[length]))
            length++;
        if (length == 0 || length > LONGEST_LABEL || (text[length] != '.' && text[length] != '\0'))
            return false;
        if (text[length] == '\0')
            return true;
        text += length + 1;
    }
}

bool jz_tls_name_of(const char *text, size_t length, jz_tls_name *name)
{
    if (length > 0 && text[length - 1] == '.')
        length--;
    if (length > JZ_TLS_LONGEST_NAME)
        return false;
    for (size_t i = 0; i < length; i++)
        name->text[i] = text[i] >= 'A' && text[i] <= 'Z' ? (char)(text[i] - 'A' + 'a') : text[i];
    name->text[length] = '\0';
    bool is_wildcard = strncmp(name->text, "*.", 2) == 0;
    const char *labels = is_wildcard ? name->text + 2 : name->text;
    return strlen(name->text) == length && has_labels(labels) && (!is_wildcard || strchr(labels, '.') != NULL);
}

bool jz_tls_names_add(jz_tls_names *names, const jz_tls_name *name, size_t certificate)
{
    if (names->count == names->capacity) {
        size_t capacity = names->capacity > 0 ? names->capacity * 2 : 8;
        jz_tls_named *grown =
            capacity <= SIZE_MAX / sizeof *grown ? realloc(names->all, capacity * sizeof *grown) : NULL;
        if (grown == NULL)
            return false;
        names->all = grown;
        names->capacity = capacity;
    }
    size_t size = strlen(name->text) + 1;
    char *copy = malloc(size);
    if (copy == NULL)
        return false;
    memcpy(copy, name->text, size);
    names->all[names->count++] = (jz_tls_named){.name = copy, .certificate = certificate};
    return true;
}

static int compare(const void *a, const void *b)
{
    const jz_tls_named *left = a;
    const jz_tls_named *right = b;
    int order = strcmp(left->name, right->name);
    return order != 0 ? order : (left->certificate > right->certificate) - (left->certificate < right->certificate);
}

void jz_tls_names_sort(jz_tls_names *names)
{
    if (names->count > 0)
        qsort(names->all, names->count, sizeof *names->all, compare);
}

static const jz_tls_named *find(const jz_tls_names *names, const char *name)
{
    size_t low = 0;
    size_t high = names->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(names->all[middle].name, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low < names->count && strcmp(names->all[low].name, name) == 0 ? &names->all[low] : NULL;
}

const jz_tls_named *jz_tls_names_find(const jz_tls_names *names, const jz_tls_name *name)
{
    const jz_tls_named *exact = find(names, name->text);
    const char *domain = strchr(name->text, '.');
    if (exact != NULL || domain == NULL || domain == name->text)
        return exact;
    char wildcard[JZ_TLS_LONGEST_NAME + 2] = "*";
    strcpy(wildcard + 1, domain); /* shorter than the name */
    return find(names, wildcard);
}

void jz_tls_names_free(jz_tls_names *names)
{
    for (size_t i = 0; i < names->count; i++)
        free(names->all[i].name);
    free(names->all);
    *names = (jz_tls_names){0};
}
