#include "request_head.h"

#include <stdint.h>
#include <string.h>

#include "token.h"

/* Whether none of eight bytes is a control character; one may be taken for that after a byte that is one. */
static bool are_printable(const char *bytes)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    uint64_t word;
    memcpy(&word, bytes, sizeof word);
    return ((word - ones * 0x20) & ~word & (ones * 0x80)) == 0;
}

jz_head_result jz_request_head_find_end(const char *bytes, size_t length, const jz_head_limits *limits, size_t *scanned,
                                        size_t *head_length)
{
    size_t limit = length < limits->max_length ? length : limits->max_length;
    for (size_t i = *scanned; i < limit; i++) {
        bool follows_cr = i > 0 && bytes[i - 1] == '\r';
        while (!follows_cr && limit - i > sizeof(uint64_t) && are_printable(bytes + i))
            i += sizeof(uint64_t);
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

/* Takes a line off the front of `rest`; its CR LF has been checked by jz_request_head_find_end. */
static bool take_line(jz_text *rest, jz_text *line)
{
    if (!jz_text_take_until(rest, '\n', line) || line->length == 0)
        return false;
    line->length--;
    return true;
}

/* Splits origin-form and absolute-form (RFC 9112 §3.2) into path and query. */
static bool parse_target(jz_text target, jz_request_head *head)
{
    for (size_t i = 0; i < target.length; i++) {
        unsigned char byte = (unsigned char)target.start[i];
        if (byte <= 0x20 || byte >= 0x7F || byte == '#')
            return false;
    }
    bool is_empty_path = false;
    static const char *const schemes[] = {"http://", "https://", "ws://", "wss://"};
    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
        jz_text scheme = jz_text_of(schemes[i]);
        if (target.length <= scheme.length ||
            !jz_text_equals_ignoring_case((jz_text){target.start, scheme.length}, scheme))
            continue;
        target.start += scheme.length;
        target.length -= scheme.length;
        size_t authority = 0;
        while (authority < target.length && target.start[authority] != '/' && target.start[authority] != '?')
            authority++;
        if (authority == 0)
            return false;
        target.start += authority;
        target.length -= authority;
        if (target.length == 0 || target.start[0] == '?') /* an empty path means "/" (RFC 9110 §4.2.3) */
            is_empty_path = true;
        break;
    }

    if (jz_text_equals(target, jz_text_of("*"))) {
        head->path = target;
        head->query = (jz_text){target.start + 1, 0};
        return true;
    }
    head->path = target;
    head->query = (jz_text){target.start + target.length, 0};
    jz_text before_query;
    jz_text rest = target;
    if (jz_text_take_until(&rest, '?', &before_query)) {
        head->path = before_query;
        head->query = rest;
    }
    if (is_empty_path)
        head->path = jz_text_of("/");
    return head->path.length > 0 && head->path.start[0] == '/';
}

static jz_head_result parse_request_line(jz_text line, jz_request_head *head)
{
    jz_text target;
    if (!jz_text_take_until(&line, ' ', &head->method) || !jz_is_token(head->method) ||
        !jz_text_take_until(&line, ' ', &target) || !parse_target(target, head))
        return JZ_HEAD_MALFORMED;

    /* HTTP-version, RFC 9112 §2.3; case matters. */
    const char *version = line.start;
    if (line.length != 8 || memcmp(version, "HTTP/", 5) != 0 || version[5] < '0' || version[5] > '9' ||
        version[6] != '.' || version[7] < '0' || version[7] > '9')
        return JZ_HEAD_MALFORMED;
    if (version[5] != '1')
        return JZ_HEAD_UNSUPPORTED_VERSION;
    /* A minor version beyond ours is read as the highest that is known (RFC 9110 §2.5). */
    head->minor_version = version[7] == '0' ? 0 : 1;
    return JZ_HEAD_COMPLETE;
}

static jz_head_result parse_header_line(jz_text line, size_t max_headers, jz_request_head *head)
{
    if (head->header_count >= max_headers || head->header_count == JZ_MAX_HEADERS)
        return JZ_HEAD_TOO_LARGE;
    jz_header *header = &head->headers[head->header_count];
    /* A space before the colon, and a folded line, have no token before the colon: refused (RFC 9112 §5.1, §5.2). */
    if (!jz_text_take_until(&line, ':', &header->name) || !jz_is_token(header->name) || !jz_is_field_value(line))
        return JZ_HEAD_MALFORMED;
    header->value = jz_text_trim(line);
    head->header_count++;
    return JZ_HEAD_COMPLETE;
}

jz_head_result jz_request_head_parse(const char *bytes, size_t head_length, const jz_head_limits *limits,
                                     jz_request_head *head)
{
    head->header_count = 0;
    jz_text rest = {bytes, head_length};
    jz_text line;
    if (!take_line(&rest, &line))
        return JZ_HEAD_MALFORMED;
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
