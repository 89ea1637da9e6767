/*
 * Fields of a request: what it accepts, cookies, the query, subprotocols, the origin, and route parameters. The head is
 * followed by up to three lines: a name to find, another origin, and a pattern.
 */
#include "codec/accept.h"
#include "codec/authority.h"
#include "codec/cookie.h"
#include "codec/origin.h"
#include "codec/path.h"
#include "codec/query.h"
#include "codec/request_head.h"
#include "config/route_pattern.h"
#include "session/buffer.h"
#include "session/subprotocol.h"
#include "support/fuzz_input.h"
#include "support/plain_text.h"

static const jz_head_limits limits = {JZ_DEFAULT_HEAD_LENGTH, JZ_DEFAULT_HEADERS};

static bool lies_in(jz_text part, jz_text whole)
{
    return part.start >= whole.start && part.start + part.length <= whole.start + whole.length;
}

/* Whether a text is within a header of that name. */
static bool lies_in_header(jz_text part, const jz_request_head *head, const char *name)
{
    for (size_t i = 0; i < head->header_count; i++) {
        if (plain_is_ignoring_case(head->headers[i].name, name) && lies_in(part, head->headers[i].value))
            return true;
    }
    return false;
}

static void append(jz_buffer *buffer, jz_text text)
{
    require(jz_buffer_append(buffer, text.start, text.length), "the fuzzer has memory");
}

static jz_text text_of(const jz_buffer *buffer)
{
    return (jz_text){buffer->length > 0 ? (const char *)buffer->bytes : "", buffer->length};
}

/* The piece of a text from `start` to the next separator. */
static jz_text piece_at(jz_text text, size_t start, char separator)
{
    size_t end = start;
    while (end < text.length && text.start[end] != separator)
        end++;
    return (jz_text){text.start + start, end - start};
}

/* Whether a piece is "name=value", with optional white space; `value` is the text behind the first '='. */
static bool is_pair(jz_text piece, jz_text name, bool trims, jz_text *value)
{
    jz_text before = piece_at(piece, 0, '=');
    size_t value_start = before.length < piece.length ? before.length + 1 : piece.length;
    *value = (jz_text){piece.start + value_start, piece.length - value_start};
    if (trims && before.length == piece.length)
        return false; /* a cookie has its '=' */
    return jz_text_equals(trims ? jz_text_trim(before) : before, name);
}

/* The first pair of that name in a text. */
static bool find_pair_plainly(jz_text text, char separator, jz_text name, bool trims, jz_text *value)
{
    jz_text piece;
    for (size_t start = 0; start < text.length; start += piece.length + 1) {
        piece = piece_at(text, start, separator);
        if (piece.length > 0 && is_pair(piece, name, trims, value))
            return true;
    }
    return false;
}

static void check_cookie(const jz_request_head *head, jz_text name)
{
    jz_text value;
    jz_text expected = {"", 0};
    bool is_there = false;
    for (size_t i = 0; i < head->header_count && !is_there; i++)
        is_there = plain_is_ignoring_case(head->headers[i].name, "Cookie") &&
                   find_pair_plainly(head->headers[i].value, ';', name, true, &expected);
    bool is_found = jz_cookie_find(head, name, &value);
    require(is_found == is_there, "a cookie is found where there is one of that name");
    if (!is_found)
        return;
    require(lies_in_header(value, head, "Cookie"), "a cookie's value lies in a Cookie line");
    require(lies_in(value, expected), "it is the first one of that name");
    size_t without = expected.length - value.length;
    require(jz_text_equals(jz_text_trim(expected), value) || without >= 2, "only white space and quotes are left out");
}

static void check_query(jz_text query, jz_text name)
{
    jz_text value;
    jz_text expected;
    bool is_found = jz_query_find(query, name, &value);
    require(is_found == find_pair_plainly(query, '&', name, false, &expected),
            "a value is found where there is one of that name");
    require(!is_found || (value.start == expected.start && value.length == expected.length),
            "it is the first one of that name, as it was sent");
}

static bool is_percent_encoded_well(jz_text text)
{
    for (size_t i = 0; i < text.length; i++) {
        if (text.start[i] == '%' && (i + 2 >= text.length || !isxdigit((unsigned char)text.start[i + 1]) ||
                                     !isxdigit((unsigned char)text.start[i + 2])))
            return false;
    }
    return true;
}

/* The decoded text, encoded again byte by byte, is decoded to the same text. */
static void require_same_when_encoded_again(const char *decoded, size_t length)
{
    char *encoded = fuzz_allocate(3 * length + 1);
    for (size_t i = 0; i < length; i++)
        snprintf(encoded + 3 * i, 4, "%%%02x", (unsigned char)decoded[i]);
    size_t again = 0;
    require(jz_percent_decode_text((jz_text){encoded, 3 * length}, true, encoded, &again) && again == length &&
                memcmp(encoded, decoded, length) == 0,
            "what was decoded is decoded to the same again");
    free(encoded);
}

static void check_percent_encoding(jz_text text)
{
    for (int plus_is_space = 0; plus_is_space <= 1; plus_is_space++) {
        char *decoded = fuzz_allocate(text.length);
        size_t length = 0;
        bool is_decoded = jz_percent_decode_text(text, plus_is_space, decoded, &length);
        require(is_decoded == is_percent_encoded_well(text), "every '%' has two digits behind it");
        if (is_decoded) {
            require(length <= text.length && (text.length - length) % 2 == 0, "three bytes become one");
            require_same_when_encoded_again(decoded, length);
        }
        free(decoded);
    }
}

/* Requires that a list of subprotocols that is valid is one. */
static void require_valid_subprotocols(const jz_request_head *head)
{
    size_t count = 0;
    size_t position = 0;
    jz_text offered;
    while (jz_subprotocol_next(head, &position, &offered)) {
        size_t later = position;
        jz_text other;
        require(plain_is_token(offered), "a subprotocol is a token");
        while (jz_subprotocol_next(head, &later, &other))
            require(!jz_text_equals(offered, other), "no subprotocol is offered twice");
        count++;
    }
    require(count <= JZ_MAX_SUBPROTOCOLS, "there are no more subprotocols than there may be");
}

/* How many elements that are not empty the lists of subprotocols have. */
static size_t count_elements(const jz_request_head *head)
{
    size_t count = 0;
    for (size_t i = 0; i < head->header_count; i++) {
        jz_text line = head->headers[i].value;
        jz_text piece;
        if (!plain_is_ignoring_case(head->headers[i].name, "Sec-WebSocket-Protocol"))
            continue;
        for (size_t start = 0; start < line.length; start += piece.length + 1) {
            piece = piece_at(line, start, ',');
            count += jz_text_trim(piece).length > 0;
        }
    }
    return count;
}

static void check_subprotocols(const jz_request_head *head, const char *name)
{
    size_t position = 0;
    size_t count = 0;
    bool is_offered = false;
    jz_text offered;
    while (jz_subprotocol_next(head, &position, &offered)) {
        require(offered.length > 0 && plain_is_trimmed(offered), "what is offered is no white space");
        require(lies_in_header(offered, head, "Sec-WebSocket-Protocol"), "what is offered lies in a header");
        require(jz_subprotocol_is_offered(head, offered), "what comes one after another is offered");
        is_offered = is_offered || plain_is(offered, name);
        count++;
    }
    require(count == count_elements(head), "every element comes once");
    require(!jz_subprotocol_next(head, &position, &offered), "after the last one there is no further one");
    require(jz_subprotocol_is_offered(head, jz_text_of(name)) == is_offered, "nothing else is offered");
    const char *preferred[] = {"", name, "chat"};
    size_t chosen = jz_subprotocol_choose(head, preferred, COUNT_OF(preferred));
    require(is_offered ? chosen == 1 : chosen != 1, "the first preference that is offered is chosen");
    if (jz_subprotocols_are_valid(head))
        require_valid_subprotocols(head);
}

/* An origin made of a host belongs to that host; it depends only on the origin's scheme. */
static void check_host(jz_text origin, jz_text host)
{
    static const char *const schemes[] = {"http://", "https://", "ws://", "wss://", "app://"};
    bool may_be_of_host = false;
    for (size_t i = 0; i < COUNT_OF(schemes); i++) {
        jz_buffer page = {0};
        append(&page, jz_text_of(schemes[i]));
        append(&page, host);
        bool has_own_port = i < 4;
        bool is_valid = jz_origin_is_valid(text_of(&page));
        require(!is_valid || jz_origin_is_of_host(text_of(&page), host, false) == has_own_port,
                "a page that came from a host is of that host");
        require(!is_valid || jz_origin_is_of_host(text_of(&page), host, true) == (i == 1 || i == 3),
                "a page that came from a host that was reached securely came securely itself");
        if (!is_valid && host.length > 0 && host.start[host.length - 1] == ':')
            page.length--;
        may_be_of_host = may_be_of_host || (has_own_port && jz_origin_is_same(origin, text_of(&page)));
        jz_buffer_free(&page);
    }
    require(!jz_origin_is_of_host(origin, host, false) || may_be_of_host,
            "an origin of a host is that of a page from there");
    require(!jz_origin_is_of_host(origin, host, true) || jz_origin_is_of_host(origin, host, false),
            "a secure connection lets in nobody more");
}

static void check_origins(jz_text origin, jz_text other, jz_text host)
{
    bool is_valid = jz_origin_is_valid(origin);
    require(jz_origin_is_same(origin, origin) == is_valid, "an origin is the same as itself, and nothing else is");
    require(jz_origin_is_same(origin, other) == jz_origin_is_same(other, origin), "both are the same, or neither is");
    require(!jz_origin_is_same(origin, other) || (is_valid && jz_origin_is_valid(other)), "only origins are the same");
    if (is_valid) {
        char *capitals = fuzz_copy(origin.start, origin.length);
        for (size_t i = 0; i < origin.length; i++)
            capitals[i] = (char)toupper((unsigned char)origin.start[i]);
        require(jz_origin_is_same(origin, (jz_text){capitals, origin.length}), "case makes no difference");
        free(capitals);
        require(!plain_has_byte(origin, ' ') && !plain_has_byte(origin, '@') && !plain_has_byte(origin, '*'),
                "an origin is a scheme, a host and a port");
    }
    check_host(origin, host);
}

/* Writes down the path that a pattern matches with these values; where there are none, with "x" for each. */
static void instantiate(const char *pattern, const jz_route_parameters *parameters, jz_buffer *path)
{
    size_t count = 0;
    char before = '\0';
    while (*pattern != '\0') {
        if (*pattern != ':' && !(*pattern == '*' && before == '/')) {
            before = *pattern;
            append(path, (jz_text){pattern++, 1});
            continue;
        }
        jz_text name = piece_at(jz_text_of(pattern), 1, '/');
        if (parameters != NULL)
            require(jz_text_equals(parameters->all[count].name, name), "parameters are called as in the pattern");
        append(path, parameters != NULL ? parameters->all[count].value : jz_text_of("x"));
        count++;
        pattern += 1 + name.length;
    }
    require(parameters == NULL || parameters->count == count, "every parameter of the pattern has a value");
}

static bool is_of_catch_all(const char *pattern, const jz_route_parameters *parameters, size_t index)
{
    return index + 1 == parameters->count && jz_route_pattern_has_catch_all(pattern);
}

static void check_pattern(const char *pattern, jz_text path)
{
    const char *why = NULL;
    bool is_valid = jz_route_pattern_is_valid(pattern, &why);
    require(is_valid == (why == NULL), "it is said what is wrong with a pattern");
    require(jz_route_pattern_is_same(pattern, pattern), "a pattern is the same as itself");
    jz_route_parameters parameters = {0};
    bool matches = jz_route_pattern_match(pattern, path, &parameters);
    if (!is_valid)
        return;
    jz_buffer instance = {0};
    if (matches) {
        for (size_t i = 0; i < parameters.count; i++)
            require(lies_in(parameters.all[i].value, path) && parameters.all[i].value.length > 0 &&
                        (is_of_catch_all(pattern, &parameters, i) ? parameters.all[i].value.start[0] != '/'
                                                                  : !plain_has_byte(parameters.all[i].value, '/')),
                    "a parameter has one segment that is not empty, and a catch-all begins with one");
        instantiate(pattern, &parameters, &instance);
        require(jz_text_equals(text_of(&instance), path), "the pattern with these values is the path");
        instance.length = 0;
    }
    instantiate(pattern, NULL, &instance);
    require(jz_route_pattern_match(pattern, text_of(&instance), &parameters),
            "a pattern matches an instance of itself");
    require((parameters.count > 0) == jz_route_pattern_has_parameters(pattern),
            "a colon begins a parameter, and an asterisk at the beginning of a segment a catch-all");
    jz_buffer_free(&instance);
}

/* The bytes that a path stands for, its segments divided by slashes that were not encoded: there 0x01 takes their
 * place. */
static jz_text decoded_segments(jz_text path, char *decoded)
{
    size_t length = 0;
    for (size_t i = 0; i < path.length; i++) {
        char byte = path.start[i] == '/' ? '\x01' : path.start[i];
        size_t one;
        if (jz_is_escape_at(path, i)) {
            require(jz_percent_decode_text((jz_text){path.start + i, 3}, false, &byte, &one), "an escape is decoded");
            i += 2;
        }
        decoded[length++] = byte;
    }
    return (jz_text){decoded, length};
}

static void check_path(jz_text path)
{
    if (path.start[0] != '/')
        return;
    size_t room = JZ_NORMAL_PATH_SIZE(path.length);
    char *normal = fuzz_allocate(room);
    jz_text once = {normal, jz_path_normalise(path, normal)};
    require(once.length > 0 && once.length <= room && once.start[0] == '/', "a path stays one, and has room");
    require(jz_path_is_normal(once) && jz_path_is_well_encoded(once) && !jz_path_has_dot_segments(once),
            "it is normal then, and has neither dot segments nor ill-formed escapes");
    require(jz_path_is_normal(path) == jz_text_equals(path, once), "what is normal stays as it is, and nothing else");
    char *again = fuzz_allocate(JZ_NORMAL_PATH_SIZE(once.length));
    require(jz_text_equals((jz_text){again, jz_path_normalise(once, again)}, once), "it is normal once and for all");
    if (!jz_path_has_dot_segments(path)) {
        char *before = fuzz_allocate(path.length);
        char *after = fuzz_allocate(once.length);
        require(jz_text_equals(decoded_segments(path, before), decoded_segments(once, after)),
                "it stands for the same bytes, divided in the same places");
        free(after);
        free(before);
    }
    free(again);
    free(normal);
}

/* A host of a head that is taken has none of the characters that could make it mean something else. */
static void check_authority(const jz_request_head *head)
{
    jz_text host;
    const char *fault = jz_request_head_host(head, &host);
    if (fault != NULL || host.length == 0)
        return;
    require(jz_authority_is_valid(host), "a host is one, wherever it comes from");
    for (const char *other = "@/?# \"<>\\^`{|}\x7F"; *other != '\0'; other++)
        require(!plain_has_byte(host, *other), "a host has no delimiters of other parts");
    require(host.start[0] != ':', "a host is not empty");
}

/* Takes a line off the front of the text behind the head, as a string. */
static char *take_line(jz_text *rest)
{
    jz_text line = {"", 0};
    if (!jz_text_take_piece(rest, '\n', &line))
        line.length = 0;
    char *copy = fuzz_allocate(line.length + 1);
    memcpy(copy, line.start, line.length);
    copy[line.length] = '\0';
    return copy;
}

static void check_accept(jz_text accept)
{
    jz_text range = piece_at(accept, 0, ',');
    jz_text type = piece_at(range, 0, '/');
    jz_text subtype = jz_text_trim((jz_text){range.start + type.length, range.length - type.length});
    unsigned quality = jz_accept_quality(accept, jz_text_trim(type), subtype, jz_text_of("1"));
    require(quality <= JZ_MOST_QUALITY, "no type is wanted more than fully");
    require(accept.length > 0 || quality == JZ_MOST_QUALITY, "who does not say what it wants takes all");
}

static void check_fields(const jz_request_head *head, jz_text rest)
{
    char *name = take_line(&rest);
    char *other_origin = take_line(&rest);
    char *pattern = take_line(&rest);
    jz_text origin = {"", 0};
    jz_text host = {"", 0};
    jz_request_head_find(head, "Origin", &origin);
    jz_request_head_find(head, "Host", &host);
    jz_text accept = {"", 0};
    jz_request_head_find(head, "Accept", &accept);
    check_accept(accept);
    check_cookie(head, jz_text_of(name));
    check_query(head->query, jz_text_of(name));
    check_percent_encoding(head->query);
    check_percent_encoding(head->path);
    check_path(head->path);
    check_authority(head);
    check_subprotocols(head, name);
    check_origins(origin, jz_text_of(other_origin), host);
    check_pattern(pattern, head->path);
    require(jz_route_pattern_is_same(pattern, other_origin) == jz_route_pattern_is_same(other_origin, pattern),
            "both are the same, or neither is");
    free(pattern);
    free(other_origin);
    free(name);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    size_t scanned = 0;
    size_t head_length = 0;
    if (jz_request_head_find_end((const char *)bytes, length, &limits, &scanned, &head_length) != JZ_HEAD_COMPLETE)
        return 0;
    char *copy = fuzz_copy(bytes, head_length);
    jz_request_head head;
    if (jz_request_head_parse(copy, head_length, &limits, &head) == JZ_HEAD_COMPLETE)
        check_fields(&head, (jz_text){(const char *)bytes + head_length, length - head_length});
    free(copy);
    return 0;
}
