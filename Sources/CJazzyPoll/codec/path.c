#include "codec/path.h"

static const char capitals[] = "0123456789ABCDEF";

bool jz_is_unreserved(char character)
{
    return (character >= 'a' && character <= 'z') || (character >= 'A' && character <= 'Z') ||
           (character >= '0' && character <= '9') || character == '-' || character == '.' || character == '_' ||
           character == '~';
}

bool jz_is_sub_delimiter(char character)
{
    return character != '\0' && strchr("!$&'()*+,;=", character) != NULL;
}

int jz_hexadecimal_value(char character)
{
    if (character >= '0' && character <= '9')
        return character - '0';
    if (character >= 'a' && character <= 'f')
        return character - 'a' + 10;
    if (character >= 'A' && character <= 'F')
        return character - 'A' + 10;
    return -1;
}

bool jz_is_escape_at(jz_text text, size_t position)
{
    return text.length - position >= 3 && text.start[position] == '%' &&
           jz_hexadecimal_value(text.start[position + 1]) >= 0 && jz_hexadecimal_value(text.start[position + 2]) >= 0;
}

bool jz_path_is_well_encoded(jz_text path)
{
    for (size_t i = 0; i < path.length; i++) {
        if (path.start[i] == '%' && !jz_is_escape_at(path, i))
            return false;
    }
    return true;
}

/* A character that a path may have unescaped: pchar, or a slash. */
static bool is_path_character(char character)
{
    return jz_is_unreserved(character) || jz_is_sub_delimiter(character) || character == ':' || character == '@' ||
           character == '/';
}

/* Takes one character, or one escape, off the front, and returns the character that it means. */
static char take_character(jz_text *rest, bool *was_escaped)
{
    char character = rest->start[0];
    *was_escaped = jz_is_escape_at(*rest, 0);
    if (*was_escaped)
        character =
            (char)(unsigned char)(jz_hexadecimal_value(rest->start[1]) * 16 + jz_hexadecimal_value(rest->start[2]));
    jz_text_skip(rest, *was_escaped ? 3 : 1);
    return character;
}

/* 1 for ".", 2 for "..", 0 for any other; `segment` has no slash. */
static int dots_of(jz_text segment)
{
    int dots = 0;
    while (segment.length > 0) {
        bool was_escaped;
        if (take_character(&segment, &was_escaped) != '.' || ++dots > 2)
            return 0;
    }
    return dots;
}

/* Takes a slash and the segment behind it, which may be empty, off the front of a path. */
static jz_text take_segment(jz_text *path)
{
    jz_text_skip(path, 1);
    jz_text segment = {path->start, 0};
    while (segment.length < path->length && path->start[segment.length] != '/')
        segment.length++;
    jz_text_skip(path, segment.length);
    return segment;
}

bool jz_path_has_dot_segments(jz_text path)
{
    while (path.length > 0) {
        if (dots_of(take_segment(&path)) > 0)
            return true;
    }
    return false;
}

static bool is_capital_digit(char character)
{
    return jz_hexadecimal_value(character) >= 0 && (character < 'a' || character > 'f');
}

static bool is_normal_escape_at(jz_text path, size_t position)
{
    if (!jz_is_escape_at(path, position) || !is_capital_digit(path.start[position + 1]) ||
        !is_capital_digit(path.start[position + 2]))
        return false;
    jz_text rest = {path.start + position, 3};
    bool was_escaped;
    return !jz_is_unreserved(take_character(&rest, &was_escaped));
}

/* Whether a dot segment begins there. Escaped dots are not looked for: they are not normal anyway. */
static bool is_dot_segment_at(jz_text path, size_t position)
{
    size_t dots = 0;
    while (position < path.length && path.start[position] == '.') {
        dots++;
        position++;
    }
    return (dots == 1 || dots == 2) && (position == path.length || path.start[position] == '/');
}

bool jz_path_is_normal(jz_text path)
{
    for (size_t i = 0; i < path.length; i++) {
        char character = path.start[i];
        if (character == '/' ? is_dot_segment_at(path, i + 1)
                             : !is_path_character(character) && !is_normal_escape_at(path, i))
            return false;
    }
    return true;
}

static size_t write_escape(char character, char *normal)
{
    unsigned char byte = (unsigned char)character;
    normal[0] = '%';
    normal[1] = capitals[byte >> 4];
    normal[2] = capitals[byte & 15];
    return 3;
}

static size_t write_segment(jz_text segment, char *normal)
{
    size_t length = 0;
    while (segment.length > 0) {
        bool was_escaped;
        char character = take_character(&segment, &was_escaped);
        if (was_escaped ? jz_is_unreserved(character) : is_path_character(character))
            normal[length++] = character;
        else
            length += write_escape(character, normal + length);
    }
    return length;
}

/* The length without the last segment that was written, if there is one (§5.2.4, 2C). */
static size_t without_last_segment(const char *normal, size_t length)
{
    while (length > 0 && normal[--length] != '/')
        continue;
    return length;
}

size_t jz_path_normalise(jz_text path, char *normal)
{
    size_t length = 0;
    while (path.length > 0) {
        jz_text segment = take_segment(&path);
        int dots = dots_of(segment);
        if (dots == 2)
            length = without_last_segment(normal, length);
        if (dots > 0 && path.length > 0) /* what follows brings its slash */
            continue;
        normal[length++] = '/';
        if (dots == 0)
            length += write_segment(segment, normal + length);
    }
    return length;
}
