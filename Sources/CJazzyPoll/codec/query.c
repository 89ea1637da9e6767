#include "query.h"

bool jz_query_find(jz_text query, jz_text name, jz_text *value)
{
    jz_text pair;
    while (jz_text_take_piece(&query, '&', &pair)) {
        jz_text found;
        if (pair.length == 0)
            continue;
        if (!jz_text_take_until(&pair, '=', &found)) {
            found = pair;
            pair = (jz_text){pair.start + pair.length, 0};
        }
        if (jz_text_equals(found, name)) {
            *value = pair;
            return true;
        }
    }
    return false;
}

/* The value of a hexadecimal digit, or -1. */
static int digit_value(char character)
{
    if (character >= '0' && character <= '9')
        return character - '0';
    if (character >= 'a' && character <= 'f')
        return character - 'a' + 10;
    if (character >= 'A' && character <= 'F')
        return character - 'A' + 10;
    return -1;
}

bool jz_percent_decode_text(jz_text text, bool plus_is_space, char *decoded, size_t *length)
{
    size_t written = 0;
    for (size_t i = 0; i < text.length; i++) {
        char character = text.start[i];
        if (character == '+' && plus_is_space)
            character = ' ';
        if (character == '%') {
            if (text.length - i < 3)
                return false;
            int high = digit_value(text.start[i + 1]);
            int low = digit_value(text.start[i + 2]);
            if (high < 0 || low < 0)
                return false;
            character = (char)(unsigned char)(high * 16 + low);
            i += 2;
        }
        decoded[written++] = character;
    }
    *length = written;
    return true;
}
