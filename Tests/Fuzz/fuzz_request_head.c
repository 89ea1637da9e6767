/* Request heads: where one ends, however it is split; the parsed head; and the handshake's result. */
#include "codec/request_head.h"
#include "session/upgrade.h"

#include "support/fuzz_input.h"
#include "support/plain_text.h"

enum { MAX_PARTS = 8 };

static const jz_head_limits default_limits = {JZ_DEFAULT_HEAD_LENGTH, JZ_DEFAULT_HEADERS};
static const jz_head_limits narrow_limits = {200, 3};

/* What comes first in the bytes: the end of a head, or something that no head may have (RFC 9112 §2.2). */
static jz_head_result find_end_plainly(const char *bytes, size_t length, const jz_head_limits *limits,
                                       size_t *head_length)
{
    for (size_t i = 0; i < length && i < limits->max_length; i++) {
        bool is_after_cr = i > 0 && bytes[i - 1] == '\r';
        if (bytes[i] == '\0' || (bytes[i] == '\n' && !is_after_cr) || (bytes[i] != '\n' && is_after_cr))
            return JZ_HEAD_MALFORMED;
        if (i >= 3 && memcmp(bytes + i - 3, "\r\n\r\n", 4) == 0) {
            *head_length = i + 1;
            return JZ_HEAD_COMPLETE;
        }
    }
    return length < limits->max_length ? JZ_HEAD_INCOMPLETE : JZ_HEAD_TOO_LARGE;
}

/* Looks for the end after each part; the lengths of the parts are used in rotation. */
static void find_end_in_parts(fuzz_input input, const jz_head_limits *limits, const size_t *lengths, size_t count)
{
    size_t scanned = 0;
    size_t received = 0;
    for (size_t i = 0; received < input.length; i++) {
        size_t rest = input.length - received;
        received += lengths[i % count] < rest ? lengths[i % count] : rest;
        size_t head_length = 0;
        size_t expected_length = 0;
        char *copy = fuzz_copy(input.bytes, received);
        jz_head_result result = jz_request_head_find_end(copy, received, limits, &scanned, &head_length);
        jz_head_result expected = find_end_plainly(copy, received, limits, &expected_length);
        free(copy);
        require(result == expected, "the end is found, or ruled out, as soon as it can be");
        require(head_length == expected_length, "the head ends with its first empty line");
        if (result != JZ_HEAD_INCOMPLETE)
            return;
    }
}

static void require_well_formed(const jz_request_head *head)
{
    require(plain_is_token(head->method), "the method is a token");
    require(head->path.length > 0 && (head->path.start[0] == '/' || plain_is(head->path, "*")),
            "the path begins with a slash, or is a star");
    require(!plain_has_byte(head->path, '?') && !plain_has_byte(head->path, ' ') && !plain_has_byte(head->path, '#'),
            "the path ends before the query");
    require(!plain_has_byte(head->query, ' ') && !plain_has_byte(head->query, '#'),
            "the query ends before the version");
    require(head->minor_version == 0 || head->minor_version == 1, "the version is HTTP/1.0 or 1.1");
    require(head->header_count <= default_limits.max_headers, "there are no more headers than there may be");
    for (size_t i = 0; i < head->header_count; i++) {
        jz_header header = head->headers[i];
        require(plain_is_token(header.name), "a header's name is a token");
        require(plain_is_trimmed(header.value), "a header's value has no white space at its ends");
        for (const char *control = "\r\n\x01\x1F\x7F"; *control != '\0'; control++)
            require(!plain_has_byte(header.value, *control), "a header's value has no control characters");
    }
}

static void append_text(jz_buffer *buffer, jz_text text)
{
    require(jz_buffer_append(buffer, text.start, text.length), "the fuzzer has memory");
}

static void append_literal(jz_buffer *buffer, const char *literal)
{
    append_text(buffer, jz_text_of(literal));
}

static void write_head(const jz_request_head *head, jz_buffer *written)
{
    append_text(written, head->method);
    append_literal(written, " ");
    append_text(written, head->path);
    append_literal(written, head->query.length > 0 ? "?" : "");
    append_text(written, head->query);
    append_literal(written, head->minor_version == 1 ? " HTTP/1.1\r\n" : " HTTP/1.0\r\n");
    for (size_t i = 0; i < head->header_count; i++) {
        append_text(written, head->headers[i].name);
        append_literal(written, ":");
        append_text(written, head->headers[i].value);
        append_literal(written, "\r\n");
    }
    append_literal(written, "\r\n");
}

/* Nothing was lost or added: the parsed head, written again, is parsed to the same. */
static void require_same_when_written_again(const jz_request_head *head)
{
    jz_buffer written = {0};
    write_head(head, &written);
    jz_request_head again;
    require(jz_request_head_parse((const char *)written.bytes, written.length, &default_limits, &again) ==
                JZ_HEAD_COMPLETE,
            "what was parsed is well-formed");
    bool is_same = jz_text_equals(again.method, head->method) && jz_text_equals(again.path, head->path) &&
                   jz_text_equals(again.query, head->query) && again.minor_version == head->minor_version &&
                   again.header_count == head->header_count;
    for (size_t i = 0; is_same && i < head->header_count; i++)
        is_same = jz_text_equals(again.headers[i].name, head->headers[i].name) &&
                  jz_text_equals(again.headers[i].value, head->headers[i].value);
    require(is_same, "it is parsed to the same again");
    jz_buffer_free(&written);
}

/* How many elements of all headers of that name are the token. */
static size_t count_in_lists(const jz_request_head *head, const char *name, const char *token)
{
    size_t count = 0;
    for (size_t i = 0; i < head->header_count; i++) {
        jz_text value = head->headers[i].value;
        if (!plain_is_ignoring_case(head->headers[i].name, name))
            continue;
        for (size_t start = 0, end = 0; end <= value.length; end++) {
            if (end < value.length && value.start[end] != ',')
                continue;
            jz_text element = jz_text_trim((jz_text){value.start + start, end - start});
            count += plain_is_ignoring_case(element, token);
            start = end + 1;
        }
    }
    return count;
}

/* How many headers have that name, and the value of the first. */
static size_t count_of_name(const jz_request_head *head, const char *name, jz_text *value)
{
    size_t count = 0;
    for (size_t i = head->header_count; i > 0; i--) {
        if (!plain_is_ignoring_case(head->headers[i - 1].name, name))
            continue;
        *value = head->headers[i - 1].value;
        count++;
    }
    return count;
}

static void require_right_answers(const jz_request_head *head)
{
    static const char *const names[] = {"Host", "Sec-WebSocket-Key", "Connection", "Upgrade"};
    static const char *const tokens[] = {"upgrade", "websocket", "close"};
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        jz_text found = {0};
        jz_text expected = {0};
        size_t count = jz_request_head_find(head, names[i], &found);
        require(count == count_of_name(head, names[i], &expected),
                "headers of a name are counted, whatever their case");
        require(count == 0 || found.start == expected.start, "the first header of a name is found");
        for (size_t j = 0; j < COUNT_OF(tokens); j++)
            require(jz_request_head_lists(head, names[i], tokens[j]) == (count_in_lists(head, names[i], tokens[j]) > 0),
                    "a token is found in the lists of that name, and nowhere else");
    }
}

/* The requirements of an upgrade request (RFC 6455 §4.2.1). */
static void require_upgradable(const jz_request_head *head)
{
    jz_text value = {0};
    require(plain_is(head->method, "GET") && head->minor_version == 1, "only a GET of HTTP/1.1 is upgraded");
    require(count_in_lists(head, "Upgrade", "websocket") > 0, "Upgrade names websocket");
    require(count_in_lists(head, "Connection", "upgrade") > 0, "Connection names Upgrade");
    require(count_of_name(head, "Sec-WebSocket-Version", &value) == 1 && plain_is(value, "13"), "the version is 13");
    require(count_of_name(head, "Sec-WebSocket-Key", &value) == 1 && value.length == 24, "there is one key");
}

static void upgrade(const jz_request_head *head, jz_deflate_mode mode)
{
    jz_deflate_options options = {.mode = mode, .window_bits = 15, .memory_level = 8, .level = 6};
    jz_upgrade upgrade = jz_upgrade_judge(head, &options);
    if (upgrade.status != 101) {
        require(upgrade.status == 400 || upgrade.status == 405 || upgrade.status == 426,
                "a refusal says what is wrong");
        return;
    }
    require_upgradable(head);
    jz_buffer response = {0};
    require(jz_upgrade_append_response(&upgrade, &response), "the fuzzer has memory");
    size_t scanned = 0;
    size_t response_length = 0;
    require(jz_request_head_find_end((const char *)response.bytes, response.length, &default_limits, &scanned,
                                     &response_length) == JZ_HEAD_COMPLETE &&
                response_length == response.length,
            "the response is one head and nothing else");
    jz_buffer_free(&response);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    /* The parts are taken off the end, so that an input looks like the request that it is. */
    size_t lengths[MAX_PARTS];
    for (size_t i = 0; i < MAX_PARTS; i++)
        lengths[i] = 1 + (i < length ? bytes[length - 1 - i] % 64 : 0u);
    fuzz_input input = {bytes, length};
    find_end_in_parts(input, &default_limits, (const size_t[]){SIZE_MAX}, 1);
    find_end_in_parts(input, &default_limits, lengths, MAX_PARTS);
    find_end_in_parts(input, &narrow_limits, lengths, MAX_PARTS);

    size_t head_length = 0;
    if (find_end_plainly((const char *)bytes, length, &default_limits, &head_length) != JZ_HEAD_COMPLETE)
        return 0;
    char *copy = fuzz_copy(bytes, head_length);
    jz_request_head head;
    jz_head_result result = jz_request_head_parse(copy, head_length, &default_limits, &head);
    require(result != JZ_HEAD_INCOMPLETE, "a complete head is not incomplete");
    if (result == JZ_HEAD_COMPLETE) {
        require_well_formed(&head);
        require_same_when_written_again(&head);
        require_right_answers(&head);
        jz_request_head narrow;
        require((jz_request_head_parse(copy, head_length, &narrow_limits, &narrow) == JZ_HEAD_COMPLETE) ==
                    (head.header_count <= narrow_limits.max_headers),
                "with more headers than it may have, and only then, a well-formed head is refused");
        if (jz_upgrade_is_requested(&head)) {
            for (jz_deflate_mode mode = JZ_DEFLATE_OFF; mode <= JZ_DEFLATE_DEDICATED; mode++)
                upgrade(&head, mode);
        }
    }
    free(copy);
    return 0;
}
