#include "codec/query.h"

#include "codec/path.h"

bool jz_query_take(jz_text *query, jz_text name, jz_text *value)
{
    jz_text pair;
    while (jz_text_take_piece(query, '&', &pair)) {
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

bool jz_query_find(jz_text query, jz_text name, jz_text *value)
{
    return jz_query_take(&query, name, value);
}

bool jz_percent_decode_text(jz_text text, bool plus_is_space, char *decoded, size_t *length)
{
    size_t written = 0;
    for (size_t i = 0; i < text.length; i++) {
        char character = text.start[i];
        if (character == '+' && plus_is_space)
            character = ' ';
        if (character == '%') {
            if (!jz_is_escape_at(text, i))
                return false;
            character = (char)(unsigned char)(jz_hexadecimal_value(text.start[i + 1]) * 16 +
                                              jz_hexadecimal_value(text.start[i + 2]));
            i += 2;
        }
        decoded[written++] = character;
    }
    *length = written;
    return true;
}
