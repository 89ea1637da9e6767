#include "codec/request_head.h"

#include <stdint.h>
#include <string.h>

#include "codec/authority.h"
#include "codec/token.h"

/* Where the next control character is, or a place before it; in any case before `limit`. */
static size_t skip_printable(const char *bytes, size_t i, size_t limit)
{
    size_t count = sizeof(uint64_t);
    while (count == sizeof(uint64_t) && limit - i > count) {
        count = jz_count_before_control(bytes + i);
        i += count;
    }
    return i;
}

jz_head_result jz_request_head_find_end(const char *bytes, size_t length, const jz_head_limits *limits, size_t *scanned,
                                        size_t *head_length)
{
    size_t limit = length < limits->max_length ? length : limits->max_length;
    for (size_t i = *scanned; i < limit; i++) {
        bool follows_cr = i > 0 && bytes[i - 1] == '\r';
        if (!follows_cr)
            i = skip_printable(bytes, i, limit);
        if (bytes[i] == '\0' || (bytes[i] == '\n') != follows_cr)
            return JZ_HEAD_MALFORMED;
        if (bytes[i] == '\n' && i >= 3 && bytes[i - 2] == '\n') {
            *head_length = i + 1;
            return JZ_HEAD_COMPLETE;
        }
    }
    *scanned = limit;
    return length >= limits->max_length ? JZ_HEAD_TOO_LARGE : JZ_HEAD_INCOMPLETE;
}

const char *jz_request_head_fault(const char *bytes, size_t length)
{
    /* A TLS record of a handshake, of any version (RFC 8446 §5.1). */
    if (length >= 2 && bytes[0] == 0x16 && bytes[1] == 0x03)
        return "a client spoke TLS to a port that speaks plain HTTP: it has to use http:// or ws://, or TLS has to end "
               "before the port";
    for (size_t i = 0; i < length; i++) {
        bool follows_cr = i > 0 && bytes[i - 1] == '\r';
        if (bytes[i] == '\0')
            return "there is a NUL in the request head (RFC 9110, 5.5)";
        if (bytes[i] == '\n' && !follows_cr)
            return "there is an LF without a CR before it: lines end with CR LF (RFC 9112, 2.2)";
        if (bytes[i] != '\n' && follows_cr)
            return "there is a CR without an LF behind it: lines end with CR LF (RFC 9112, 2.2)";
    }
    return "this is no HTTP request";
}

/* Takes a line off the front of `rest`; its CR LF has been checked by jz_request_head_find_end. */
static bool take_line(jz_text *rest, jz_text *line)
{
    if (!jz_text_take_until(rest, '\n', line) || line->length == 0)
        return false;
    line->length--;
    return true;
}

/* Stores what is wrong. */
static jz_head_result refuse(jz_request_head *head, jz_head_result result, const char *fault)
{
    head->fault = fault;
    return result;
}

/* Takes scheme and authority off the front of a target in absolute form (RFC 9112 §3.2.2), if it is in that form. */
static bool take_authority(jz_text *target, jz_request_head *head)
{
    static const char *const schemes[] = {"http://", "https://", "ws://", "wss://"};
    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
        jz_text scheme = jz_text_of(schemes[i]);
        if (target->length <= scheme.length ||
            !jz_text_equals_ignoring_case((jz_text){target->start, scheme.length}, scheme))
            continue;
        jz_text_skip(target, scheme.length);
        jz_text authority = {target->start, 0};
        while (authority.length < target->length && target->start[authority.length] != '/' &&
               target->start[authority.length] != '?')
            authority.length++;
        jz_text_skip(target, authority.length);
        head->authority = authority;
        return jz_authority_is_valid(authority);
    }
    return true;
}

/* Splits origin-form and absolute-form (RFC 9112 §3.2) into path and query. Returns what is wrong, or NULL. */
static const char *parse_target(jz_text target, jz_request_head *head)
{
    for (size_t i = 0; i < target.length; i++) {
        unsigned char byte = (unsigned char)target.start[i];
        if (byte <= 0x20 || byte >= 0x7F || byte == '#')
            return "the target of the request line has white space, a '#', or a byte beyond ASCII: encode it as %20 "
                   "and so on (RFC 3986, 2.1)";
    }
    head->authority = (jz_text){target.start, 0};
    if (!take_authority(&target, head))
        return "the target of the request line has an authority that is no host and port, as in "
               "http://example.com:8080/path (RFC 3986, 3.2)";

    head->path = target;
    head->query = (jz_text){target.start + target.length, 0};
    jz_text before_query;
    jz_text rest = target;
    if (jz_text_take_until(&rest, '?', &before_query)) {
        head->path = before_query;
        head->query = rest;
    }
    /* An empty path means "/" (RFC 9110 §4.2.3), but with OPTIONS the server as a whole (RFC 9112 §3.2.4). */
    bool is_option = jz_text_equals(head->method, jz_text_of("OPTIONS"));
    if (head->authority.length > 0 && head->path.length == 0)
        head->path = jz_text_of(is_option && target.length == 0 ? "*" : "/");
    if (jz_text_equals(target, jz_text_of("*")))
        return is_option ? NULL : "the target \"*\" is for OPTIONS alone (RFC 9112, 3.2.4)";
    if (head->path.length == 0 || (head->path.start[0] != '/' && !(is_option && target.length == 0)))
        return "the target of the request line begins with no '/', and with none of http://, https://, ws:// and "
               "wss:// (RFC 9112, 3.2)";
    return NULL;
}

/* HTTP-version, RFC 9112 §2.3; case matters. */
static bool is_version(jz_text version)
{
    const char *text = version.start;
    return version.length == 8 && memcmp(text, "HTTP/", 5) == 0 && text[5] >= '0' && text[5] <= '9' && text[6] == '.' &&
           text[7] >= '0' && text[7] <= '9';
}

static jz_head_result parse_request_line(jz_text line, jz_request_head *head)
{
    jz_text target;
    if (!jz_text_take_until(&line, ' ', &head->method) || !jz_text_take_until(&line, ' ', &target))
        return refuse(head, JZ_HEAD_MALFORMED, "the request line is not \"METHOD TARGET HTTP/1.1\" (RFC 9112, 3)");
    if (!jz_is_token(head->method))
        return refuse(head, JZ_HEAD_MALFORMED, "the method of the request line is no token (RFC 9110, 9.1)");
    if (!is_version(line))
        return refuse(head, JZ_HEAD_MALFORMED,
                      "the request line does not end with \" HTTP/1.1\", of which a space is the only white space "
                      "(RFC 9112, 3)");
    if (line.start[5] != '1')
        return refuse(head, JZ_HEAD_UNSUPPORTED_VERSION, "the request is of another version than HTTP/1.1 or HTTP/1.0");
    /* A higher minor version counts as the highest that we know (RFC 9110 §2.5). */
    head->minor_version = line.start[7] == '0' ? 0 : 1;
    const char *fault = parse_target(target, head);
    return fault == NULL ? JZ_HEAD_COMPLETE : refuse(head, JZ_HEAD_MALFORMED, fault);
}

static jz_head_result parse_header_line(jz_text line, size_t max_headers, jz_request_head *head)
{
    if (head->header_count >= max_headers || head->header_count == JZ_MAX_HEADERS)
        return refuse(head, JZ_HEAD_TOO_LARGE, "the request has more headers than it may have (max_header_count)");
    jz_header *header = &head->headers[head->header_count];
    /* This also refuses a space before the colon, and a folded line (RFC 9112 §5.1, §5.2). */
    if (!jz_text_take_until(&line, ':', &header->name) || !jz_is_token(header->name))
        return refuse(head, JZ_HEAD_MALFORMED,
                      "a header does not begin with a name and a colon: white space before the colon and folded lines "
                      "are not allowed (RFC 9112, 5)");
    if (!jz_is_field_value(line))
        return refuse(head, JZ_HEAD_MALFORMED, "a header has a control character in its value (RFC 9110, 5.5)");
    header->value = jz_text_trim(line);
    head->header_count++;
    return JZ_HEAD_COMPLETE;
}

jz_head_result jz_request_head_parse(const char *bytes, size_t head_length, const jz_head_limits *limits,
                                     jz_request_head *head)
{
    head->fault = NULL;
    head->header_count = 0;
    jz_text rest = {bytes, head_length};
    jz_text line;
    if (!take_line(&rest, &line))
        return refuse(head, JZ_HEAD_MALFORMED, "the request line is missing (RFC 9112, 3)");
    jz_head_result result = parse_request_line(line, head);
    if (result != JZ_HEAD_COMPLETE)
        return result;
    while (take_line(&rest, &line) && line.length > 0) {
        result = parse_header_line(line, limits->max_headers, head);
        if (result != JZ_HEAD_COMPLETE)
            return result;
    }
    return JZ_HEAD_COMPLETE;
}

size_t jz_request_head_find(const jz_request_head *head, const char *name, jz_text *value)
{
    size_t count = 0;
    jz_text wanted = jz_text_of(name);
    for (size_t i = 0; i < head->header_count; i++) {
        if (!jz_text_equals_ignoring_case(head->headers[i].name, wanted))
            continue;
        if (count == 0 && value != NULL)
            *value = head->headers[i].value;
        count++;
    }
    return count;
}

const char *jz_request_head_host(const jz_request_head *head, jz_text *host)
{
    *host = (jz_text){"", 0};
    size_t count = jz_request_head_find(head, "Host", host);
    if (count > 1)
        return "there are several Host headers: there has to be one (RFC 9112, 3.2)";
    if (count == 0 && head->minor_version > 0)
        return "Host is missing: it has to be there once (RFC 9112, 3.2)";
    bool has_authority = head->authority.length > 0;
    if (count == 1 && host->length == 0 && has_authority)
        return "Host is empty, and the target has a host: Host has to name it (RFC 9112, 3.2)";
    if (host->length > 0 && !jz_authority_is_valid(*host))
        return "Host is no host, or host and port, as in example.com:8080 or [2001:db8::7] (RFC 9112, 3.2; RFC 3986, "
               "3.2.2)";
    if (has_authority)
        *host = head->authority;
    return NULL;
}

static bool list_contains(jz_text list, jz_text token)
{
    jz_text element;
    while (jz_text_take_piece(&list, ',', &element)) {
        if (jz_text_equals_ignoring_case(jz_text_trim(element), token))
            return true;
    }
    return false;
}

bool jz_request_head_lists(const jz_request_head *head, const char *name, const char *token)
{
    jz_text wanted_name = jz_text_of(name);
    jz_text wanted_token = jz_text_of(token);
    for (size_t i = 0; i < head->header_count; i++) {
        if (jz_text_equals_ignoring_case(head->headers[i].name, wanted_name) &&
            list_contains(head->headers[i].value, wanted_token))
            return true;
    }
    return false;
}
