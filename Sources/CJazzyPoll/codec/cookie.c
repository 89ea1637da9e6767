#include "codec/cookie.h"

static jz_text without_quotes(jz_text value)
{
    if (value.length >= 2 && value.start[0] == '"' && value.start[value.length - 1] == '"')
        return (jz_text){value.start + 1, value.length - 2};
    return value;
}

/* A cookie's value has no semicolon, not even in quotes (§4.1.1). */
static bool find_in_line(jz_text line, jz_text name, jz_text *value)
{
    jz_text pair;
    while (jz_text_take_piece(&line, ';', &pair)) {
        jz_text found;
        if (!jz_text_take_until(&pair, '=', &found) || !jz_text_equals(jz_text_trim(found), name))
            continue;
        *value = without_quotes(jz_text_trim(pair));
        return true;
    }
    return false;
}

bool jz_cookie_find(const jz_request_head *head, jz_text name, jz_text *value)
{
    jz_text header = jz_text_of("Cookie");
    for (size_t i = 0; i < head->header_count; i++) {
        if (jz_text_equals_ignoring_case(head->headers[i].name, header) &&
            find_in_line(head->headers[i].value, name, value))
            return true;
    }
    return false;
}
