#include "codec/conditions.h"

#include "codec/accept.h"
#include "codec/date.h"

/* The next value of that header from `*position` on, which is moved behind it. */
static bool next_value(const jz_request_head *head, const char *name, size_t *position, jz_text *value)
{
    while (*position < head->header_count) {
        const jz_header *header = &head->headers[(*position)++];
        if (jz_text_equals_ignoring_case(header->name, jz_text_of(name))) {
            *value = header->value;
            return true;
        }
    }
    return false;
}

static void skip_list_space(jz_text *rest)
{
    while (rest->length > 0 && (rest->start[0] == ' ' || rest->start[0] == '\t' || rest->start[0] == ','))
        jz_text_skip(rest, 1);
}

/* Takes an entity tag, with its quotes, off the front of a list. False: there is none, or it is malformed. */
static bool take_tag(jz_text *rest, bool *is_weak, jz_text *tag)
{
    skip_list_space(rest);
    *is_weak = rest->length >= 2 && rest->start[0] == 'W' && rest->start[1] == '/';
    if (*is_weak)
        jz_text_skip(rest, 2);
    if (rest->length < 2 || rest->start[0] != '"')
        return false;
    const char *end = memchr(rest->start + 1, '"', rest->length - 1);
    if (end == NULL)
        return false;
    *tag = (jz_text){rest->start, (size_t)(end + 1 - rest->start)};
    jz_text_skip(rest, tag->length);
    return true;
}

/* Whether a header lists the tag, or is "*". Weak tags count unless `is_strong` (§8.8.3.2). */
static bool lists_tag(const jz_request_head *head, const char *name, jz_text wanted, bool is_strong)
{
    size_t position = 0;
    jz_text rest;
    while (next_value(head, name, &position, &rest)) {
        bool is_weak;
        jz_text tag;
        if (jz_text_equals(rest, jz_text_of("*")))
            return true;
        while (take_tag(&rest, &is_weak, &tag)) {
            if (jz_text_equals(tag, wanted) && !(is_strong && is_weak))
                return true;
        }
    }
    return false;
}

static bool has(const jz_request_head *head, const char *name)
{
    return jz_request_head_find(head, name, NULL) > 0;
}

/* The date of a header. False if there is none, or not one only, or it is malformed: then it is to be ignored. */
static bool find_date(const jz_request_head *head, const char *name, int64_t *seconds)
{
    jz_text value;
    return jz_request_head_find(head, name, &value) == 1 && jz_date_parse(value, seconds);
}

jz_condition jz_conditions_judge(const jz_request_head *head, const jz_version *version)
{
    int64_t date;
    if (has(head, "If-Match")) {
        if (!lists_tag(head, "If-Match", version->tag, true))
            return JZ_CONDITION_FAILED;
    } else if (find_date(head, "If-Unmodified-Since", &date) && version->modified > date) {
        return JZ_CONDITION_FAILED;
    }
    if (has(head, "If-None-Match"))
        return lists_tag(head, "If-None-Match", version->tag, false) ? JZ_CONDITION_NOT_MODIFIED : JZ_CONDITION_MET;
    if (find_date(head, "If-Modified-Since", &date) && version->modified <= date)
        return JZ_CONDITION_NOT_MODIFIED;
    return JZ_CONDITION_MET;
}

bool jz_range_is_for(const jz_request_head *head, const jz_version *version)
{
    jz_text value;
    bool is_weak;
    jz_text tag;
    size_t count = jz_request_head_find(head, "If-Range", &value);
    if (count == 0)
        return true;
    jz_text rest = value;
    if (count == 1 && take_tag(&rest, &is_weak, &tag))
        return !is_weak && rest.length == 0 && jz_text_equals(tag, version->tag);
    /* Dates are exact to the second only, and content may change twice in one. The tag, which every answer has, is
       exact, so that a date costs its client the whole content at most. */
    return false;
}

/* Takes a coding and its weight (RFC 9110 §12.5.3) off the front of a list. False: there is no more. */
static bool take_coding(jz_text *rest, jz_text *coding, bool *is_refused)
{
    jz_text item;
    jz_text parameter;
    if (!jz_text_take_piece(rest, ',', &item))
        return false;
    *coding = jz_text_take_piece(&item, ';', &parameter) ? jz_text_trim(parameter) : item;
    *is_refused = false;
    while (jz_text_take_piece(&item, ';', &parameter)) {
        jz_text name;
        if (jz_text_take_until(&parameter, '=', &name) &&
            jz_text_equals_ignoring_case(jz_text_trim(name), jz_text_of("q")) &&
            jz_quality_of(jz_text_trim(parameter)) == 0)
            *is_refused = true;
    }
    return true;
}

bool jz_accepts_gzip(const jz_request_head *head)
{
    size_t position = 0;
    jz_text rest;
    bool takes_any = false;
    while (next_value(head, "Accept-Encoding", &position, &rest)) {
        jz_text coding;
        bool is_refused;
        while (take_coding(&rest, &coding, &is_refused)) {
            if (jz_text_equals_ignoring_case(coding, jz_text_of("gzip")) ||
                jz_text_equals_ignoring_case(coding, jz_text_of("x-gzip")))
                return !is_refused;
            if (jz_text_equals(coding, jz_text_of("*")))
                takes_any = !is_refused;
        }
    }
    return takes_any;
}
