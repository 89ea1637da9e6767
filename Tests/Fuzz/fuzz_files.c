/*
 * What a request for a file says: its path, its range, its conditions. A line with the size of the file and one with
 * the path, decoded, are followed by the head.
 */
#include "codec/byte_range.h"
#include "codec/conditions.h"
#include "codec/content_type.h"
#include "codec/date.h"
#include "codec/file_path.h"
#include "codec/request_head.h"
#include "support/fuzz_input.h"
#include "support/plain_text.h"

static const jz_head_limits limits = {JZ_DEFAULT_HEAD_LENGTH, JZ_DEFAULT_HEADERS};
static const jz_version version = {{"\"5f-a\"", 6}, 784111777};

/* Takes a line off the front, without its end. */
static jz_text take_line(jz_text *rest)
{
    jz_text line;
    if (!jz_text_take_until(rest, '\n', &line)) {
        line = *rest;
        jz_text_skip(rest, rest->length);
    }
    return line;
}

/* A path that may be served does not lead out of a folder, nor to what is hidden. */
static void check_path(jz_text path)
{
    char *copy = fuzz_copy(path.start, path.length);
    jz_text text = {copy, path.length};
    require(jz_content_type_of(text) != NULL, "every file has a type");
    if (jz_file_path_may_be_served(text) && text.length > 0) {
        require(!plain_has_byte(text, '\0'), "a path has no NUL");
        require(copy[0] != '/', "a path is relative");
        for (size_t i = 0; i < text.length; i++) {
            bool begins = i == 0 || copy[i - 1] == '/';
            bool is_well_known = i == 0 && text.length >= 11 && memcmp(copy, ".well-known", 11) == 0 &&
                                 (text.length == 11 || copy[11] == '/');
            require(!begins || copy[i] != '/', "no segment is empty");
            require(!begins || copy[i] != '.' || is_well_known, "no segment begins with a dot");
        }
    }
    free(copy);
}

/* Checks a range by what it may say of any content, and by decimal digits, as a person would. */
static void check_range(const jz_request_head *head, uint64_t size)
{
    jz_text value;
    uint64_t first = 0;
    uint64_t length = 0;
    if (jz_request_head_find(head, "Range", &value) == 0)
        return;
    jz_range_kind kind = jz_byte_range_parse(value, size, &first, &length);
    if (kind != JZ_RANGE_PART)
        return;
    require(length > 0 && first < size && length <= size - first, "a range is within the content");
    require(!plain_has_byte(value, ','), "several ranges are none");
    char text[64];
    int written = snprintf(text, sizeof text, "bytes=%llu-%llu", (unsigned long long)first,
                           (unsigned long long)(first + length - 1));
    uint64_t again_first = 0;
    uint64_t again_length = 0;
    require(jz_byte_range_parse((jz_text){text, (size_t)written}, size, &again_first, &again_length) == JZ_RANGE_PART &&
                again_first == first && again_length == length,
            "a range is read as it is written");
}

static bool has(const jz_request_head *head, const char *name)
{
    return jz_request_head_find(head, name, NULL) > 0;
}

static void check_conditions(const jz_request_head *head)
{
    jz_condition condition = jz_conditions_judge(head, &version);
    bool may_fail = has(head, "If-Match") || has(head, "If-Unmodified-Since");
    bool may_be_unmodified = has(head, "If-None-Match") || has(head, "If-Modified-Since");
    require(condition != JZ_CONDITION_FAILED || may_fail, "without a condition none fails");
    require(condition != JZ_CONDITION_NOT_MODIFIED || may_be_unmodified, "who asks for all gets all");
    require(jz_range_is_for(head, &version) || has(head, "If-Range"), "a range without If-Range is meant");
    require(!jz_accepts_gzip(head) || has(head, "Accept-Encoding"), "who says nothing takes no gzip");
}

static void check_dates(const jz_request_head *head)
{
    for (size_t i = 0; i < head->header_count; i++) {
        char text[JZ_DATE_LENGTH + 1];
        int64_t seconds;
        int64_t again;
        if (!jz_date_parse(head->headers[i].value, &seconds))
            continue;
        jz_date_format(seconds, text);
        require(jz_date_parse(jz_text_of(text), &again) && again == seconds, "a date is read as it is written");
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    size_t scanned = 0;
    size_t head_length = 0;
    jz_text rest = {(const char *)bytes, length};
    jz_text number = take_line(&rest);
    uint64_t size = 0;
    for (size_t i = 0; i < number.length; i++)
        size = size * 10 + (unsigned char)number.start[i] % 10;
    check_path(take_line(&rest));
    if (jz_request_head_find_end(rest.start, rest.length, &limits, &scanned, &head_length) != JZ_HEAD_COMPLETE)
        return 0;
    char *copy = fuzz_copy(rest.start, head_length);
    jz_request_head head;
    if (jz_request_head_parse(copy, head_length, &limits, &head) == JZ_HEAD_COMPLETE) {
        check_range(&head, size);
        check_conditions(&head);
        check_dates(&head);
    }
    free(copy);
    return 0;
}
