#include "settings/text.h"

#include <stdlib.h>

bool jz_redis_text_skip(jz_redis_text *text, const char *beginning)
{
    size_t length = strlen(beginning);
    if (text->length < length || memcmp(text->start, beginning, length) != 0)
        return false;
    (void)jz_redis_text_take(text, length, false);
    return true;
}

size_t jz_redis_text_first(jz_redis_text text, const char *characters)
{
    size_t i = 0;
    while (i < text.length && (text.start[i] == '\0' || strchr(characters, text.start[i]) == NULL))
        i++;
    return i;
}

size_t jz_redis_text_last(jz_redis_text text, char character)
{
    for (size_t i = text.length; i > 0; i--) {
        if (text.start[i - 1] == character)
            return i - 1;
    }
    return text.length;
}

jz_redis_text jz_redis_text_take(jz_redis_text *text, size_t length, bool separated)
{
    jz_redis_text taken = {text->start, length};
    size_t all = length + (separated ? 1 : 0);
    text->start += all;
    text->length -= all;
    return taken;
}

bool jz_redis_text_number(jz_redis_text text, unsigned long most, unsigned long *number)
{
    unsigned long value = 0;
    for (size_t i = 0; i < text.length; i++) {
        if (text.start[i] < '0' || text.start[i] > '9')
            return false;
        unsigned long digit = (unsigned long)(text.start[i] - '0');
        if (digit > most || value > (most - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    *number = value;
    return text.length > 0;
}

char *jz_redis_text_copy(jz_redis_text text)
{
    char *copy = malloc(text.length + 1);
    if (copy == NULL)
        return NULL;
    if (text.length > 0)
        memcpy(copy, text.start, text.length);
    copy[text.length] = '\0';
    return copy;
}

/* -1: no hexadecimal digit. */
static int digit_of(char character)
{
    if (character >= '0' && character <= '9')
        return character - '0';
    char small = (char)(character | 0x20);
    return small >= 'a' && small <= 'f' ? small - 'a' + 10 : -1;
}

bool jz_redis_text_decode(jz_redis_text text, char **copy)
{
    *copy = jz_redis_text_copy(text);
    if (*copy == NULL)
        return true;
    char *to = *copy;
    bool is_sound = true;
    for (size_t i = 0; is_sound && i < text.length; i++) {
        char character = text.start[i];
        if (character == '%') {
            int high = text.length - i > 2 ? digit_of(text.start[i + 1]) : -1;
            int low = text.length - i > 2 ? digit_of(text.start[i + 2]) : -1;
            is_sound = high >= 0 && low >= 0;
            character = is_sound ? (char)(high * 16 + low) : '\0';
            i += 2;
        }
        is_sound = is_sound && character != '\0';
        *to++ = character;
    }
    if (is_sound) {
        *to = '\0';
        return true;
    }
    jz_redis_text_free(*copy);
    *copy = NULL;
    return false;
}

void jz_redis_text_free(const char *copy)
{
    if (copy == NULL)
        return;
    /* Through a volatile pointer, or the compiler would leave it out. */
    volatile char *bytes = (volatile char *)copy;
    for (size_t i = strlen(copy); i > 0; i--)
        bytes[i - 1] = 0;
    free((void *)copy);
}
