#include "config/route_pattern.h"

#include "codec/path.h"

_Static_assert(JZ_MAX_PARAMETERS == 16, "fault_of says how many there may be");

static bool is_name_character(char character)
{
    return (character >= 'a' && character <= 'z') || (character >= 'A' && character <= 'Z') ||
           (character >= '0' && character <= '9') || character == '_';
}

/* In a valid pattern every colon begins a parameter. */
static bool is_parameter(const char *position)
{
    return *position == ':';
}

/* Whether an asterisk at `position` begins a catch-all: elsewhere in a segment it is a character like others. */
static bool is_catch_all(const char *pattern, const char *position)
{
    return *position == '*' && position > pattern && position[-1] == '/';
}

/* The name of the parameter or catch-all that begins at `position`: up to the next slash or the end. */
static jz_text name_at(const char *position)
{
    return (jz_text){position + 1, strcspn(position + 1, "/")};
}

static bool is_name(jz_text name)
{
    for (size_t i = 0; i < name.length; i++) {
        if (!is_name_character(name.start[i]))
            return false;
    }
    return name.length > 0;
}

/* What is wrong with the parameter or catch-all at `position`, given the names before it; NULL if nothing. */
static const char *fault_of(const char *path, const char *position, const jz_text *names, size_t count)
{
    jz_text name = name_at(position);
    if (is_parameter(position) && (position == path || position[-1] != '/'))
        return "a ':' begins a parameter, which is a whole segment, as in \"/room/:id\"";
    if (is_parameter(position) && !is_name(name))
        return "the name of a parameter has letters, digits and '_', and at least one, as in \"/room/:id\"";
    if (!is_parameter(position) && position[1 + name.length] != '\0')
        return "a '*' begins a catch-all, which is the last segment, as in \"/files/*rest\"; write %2A for an "
               "asterisk";
    if (!is_name(name))
        return "the name of a catch-all has letters, digits and '_', and at least one, as in \"/files/*rest\"; write "
               "%2A for an asterisk";
    if (count == JZ_MAX_PARAMETERS)
        return "a path has at most 16 parameters";
    for (size_t i = 0; i < count; i++) {
        if (jz_text_equals(names[i], name))
            return "every parameter of a path has a name of its own, as in \"/room/:room/user/:user\"";
    }
    return NULL;
}

/*
 * Something in the path that no request's path can have, so that the route would never match; NULL if there is nothing.
 */
static const char *impossible_in(const char *path)
{
    for (const char *position = path; *position != '\0'; position++) {
        unsigned char byte = (unsigned char)*position;
        if (byte <= ' ' || byte == 0x7F || byte == '?' || byte == '#')
            return "a path has no '?', '#', white space or control characters; write a space as %20";
        if (byte == '%' && position[1] == '0' && position[2] == '0')
            return "no path has a NUL, as %00";
    }
    if (!jz_path_is_well_encoded(jz_text_of(path)))
        return "a '%' has two hexadecimal digits behind it; write a percent sign as %25";
    if (path[0] == '/' && jz_path_has_dot_segments(jz_text_of(path)))
        return "the segments \".\" and \"..\" are taken out of the paths of requests, so that it would never match "
               "(RFC "
               "3986, 6.2.2.3)";
    return NULL;
}

bool jz_route_pattern_is_valid(const char *path, const char **why)
{
    const char *impossible = impossible_in(path);
    if (impossible != NULL) {
        *why = impossible;
        return false;
    }
    jz_text names[JZ_MAX_PARAMETERS];
    size_t count = 0;
    for (const char *position = path; *position != '\0'; position++) {
        if (!is_parameter(position) && !is_catch_all(path, position))
            continue;
        const char *fault = fault_of(path, position, names, count);
        if (fault != NULL) {
            *why = fault;
            return false;
        }
        names[count] = name_at(position);
        position += names[count++].length;
    }
    return true;
}

bool jz_route_pattern_has_parameters(const char *path)
{
    return strchr(path, ':') != NULL || jz_route_pattern_has_catch_all(path);
}

bool jz_route_pattern_has_catch_all(const char *path)
{
    return strstr(path, "/*") != NULL;
}

/* Takes a segment, which may be empty, off the front of the path. */
static jz_text take_segment(jz_text *path)
{
    jz_text segment = {path->start, 0};
    while (segment.length < path->length && path->start[segment.length] != '/')
        segment.length++;
    path->start += segment.length;
    path->length -= segment.length;
    return segment;
}

/* In a normal path an encoded slash is written in capitals. */
static bool has_encoded_slash(jz_text path)
{
    jz_text before;
    while (jz_text_take_until(&path, '%', &before)) {
        if (path.length >= 2 && path.start[0] == '2' && path.start[1] == 'F')
            return true;
    }
    return false;
}

/* Takes all that is left of the path. Nothing where that may not be the value of a catch-all. */
static jz_text take_rest(jz_text *path)
{
    jz_text rest = *path;
    if (rest.length > 0 && (rest.start[0] == '/' || has_encoded_slash(rest)))
        rest.length = 0;
    path->start += rest.length;
    path->length -= rest.length;
    return rest;
}

bool jz_route_pattern_match(const char *pattern, jz_text path, jz_route_parameters *parameters)
{
    size_t count = 0;
    const char *position = pattern;
    while (*position != '\0') {
        if (is_parameter(position) || is_catch_all(pattern, position)) {
            jz_text name = name_at(position);
            jz_text value = is_parameter(position) ? take_segment(&path) : take_rest(&path);
            if (value.length == 0 || count == JZ_MAX_PARAMETERS)
                return false;
            parameters->all[count].name = name;
            parameters->all[count++].value = value;
            position += 1 + name.length;
        } else {
            if (path.length == 0 || path.start[0] != *position)
                return false;
            path.start++;
            path.length--;
            position++;
        }
    }
    parameters->count = count;
    return path.length == 0;
}

bool jz_route_pattern_is_same(const char *a, const char *b)
{
    const char *pattern = a;
    while (*a != '\0' && *a == *b) {
        if (is_parameter(a) || is_catch_all(pattern, a)) {
            a += name_at(a).length;
            b += name_at(b).length;
        }
        a++;
        b++;
    }
    return *a == *b;
}

size_t jz_route_pattern_shortest_path(const char *pattern)
{
    size_t length = 0;
    for (const char *position = pattern; *position != '\0'; position++) {
        if (is_parameter(position) || is_catch_all(pattern, position))
            position += name_at(position).length;
        length++;
    }
    return length;
}

bool jz_route_pattern_covers(const char *general, const char *special)
{
    while (*general != '\0' && *special != '\0') {
        if (is_parameter(general)) {
            size_t segment = strcspn(special, "/");
            if (segment == 0)
                return false;
            general += 1 + name_at(general).length;
            special += segment;
        } else if (*general++ != *special++) {
            return false;
        }
    }
    return *general == *special;
}

/* Where segments differ: texts go before parameters, and those before the catch-all. */
static int rank_of(const char *pattern, const char *position)
{
    if (is_parameter(position))
        return 1;
    return is_catch_all(pattern, position) ? 2 : 0;
}

static int compare_texts(const char *a, const char *b)
{
    size_t a_length = strcspn(a, "/");
    size_t b_length = strcspn(b, "/");
    return a_length != b_length ? (a_length > b_length) - (a_length < b_length) : memcmp(a, b, a_length);
}

bool jz_route_pattern_goes_before(const char *a, const char *b)
{
    const char *in_a = a + 1;
    const char *in_b = b + 1;
    while (rank_of(a, in_a) == rank_of(b, in_b)) {
        int order = rank_of(a, in_a) == 0 ? compare_texts(in_a, in_b) : 0;
        if (order != 0 || is_catch_all(a, in_a))
            return order < 0;
        /* There is another segment: the catch-all is the last. */
        in_a += strcspn(in_a, "/") + 1;
        in_b += strcspn(in_b, "/") + 1;
    }
    return rank_of(a, in_a) < rank_of(b, in_b);
}
