/* The positions that a client has brought along in the query of its request. */
#include "jazzy/history.h"

#include "codec/path.h"
#include "codec/query.h"
#include "http/request.h"

/* Takes the next character off the front of a percent-encoded text. False: it has ended, or is malformed. */
static bool take_character(jz_text *encoded, char *character)
{
    if (encoded->length == 0)
        return false;
    *character = encoded->start[0];
    if (*character == '+')
        *character = ' ';
    if (*character == '%' && !jz_is_escape_at(*encoded, 0))
        return false;
    if (*character == '%') {
        *character = (char)(unsigned char)(jz_hexadecimal_value(encoded->start[1]) * 16 +
                                           jz_hexadecimal_value(encoded->start[2]));
        jz_text_skip(encoded, 2);
    }
    jz_text_skip(encoded, 1);
    return true;
}

/* Takes "<epoch>:<offset>:" off the front. */
static bool take_position(jz_text *encoded, jz_position *position)
{
    char text[JZ_POSITION_SIZE];
    size_t length = 0;
    size_t colons = 0;
    char character;
    while (length < sizeof text && take_character(encoded, &character)) {
        colons += character == ':' ? 1 : 0;
        if (colons == 2)
            return jz_position_parse(text, length, position);
        text[length++] = character;
    }
    return false;
}

static bool is_text(jz_text encoded, jz_text text)
{
    char character;
    size_t length = 0;
    while (take_character(&encoded, &character)) {
        if (length == text.length || text.start[length++] != character)
            return false;
    }
    return encoded.length == 0 && length == text.length;
}

bool jz_request_position(const jz_request *request, const char *topic, size_t length, jz_position *position)
{
    jz_text query = request->head->query;
    jz_text value;
    while (jz_query_take(&query, jz_text_of("since"), &value)) {
        jz_position found;
        if (!take_position(&value, &found) || !is_text(value, (jz_text){topic, length}))
            continue;
        *position = found;
        return true;
    }
    return false;
}
