#include "server/exposition.h"

#include <string.h>

#include "codec/utf8.h"

enum { NS_DIGITS = 9, MOST_DIGITS = 20 };

const char *jz_exposition_content_type(jz_exposition_format format)
{
    return format == JZ_FORMAT_OPENMETRICS ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
                                           : "text/plain; version=0.0.4; charset=utf-8";
}

static void append(jz_exposition *exposition, const char *bytes, size_t length)
{
    if (!jz_buffer_append(exposition->output, bytes, length))
        exposition->is_out_of_memory = true;
}

static void append_text(jz_exposition *exposition, const char *text)
{
    append(exposition, text, strlen(text));
}

/* Writes at least `least` digits, to the end of `digits`, and returns the first. */
static const char *write_digits(char digits[MOST_DIGITS], uint64_t value, size_t least)
{
    char *first = digits + MOST_DIGITS;
    while (value > 0 || (size_t)(digits + MOST_DIGITS - first) < least) {
        *--first = (char)('0' + value % 10);
        value /= 10;
    }
    return first;
}

static void append_integer(jz_exposition *exposition, uint64_t value)
{
    char digits[MOST_DIGITS];
    const char *first = write_digits(digits, value, 1);
    append(exposition, first, (size_t)(digits + MOST_DIGITS - first));
}

/* Exactly, with a decimal point, as OpenMetrics requires of a bound. */
static void append_seconds(jz_exposition *exposition, uint64_t ns)
{
    char digits[MOST_DIGITS];
    const char *first = write_digits(digits, ns, NS_DIGITS + 1);
    const char *point = digits + MOST_DIGITS - NS_DIGITS;
    const char *end = digits + MOST_DIGITS;
    while (end > point + 1 && end[-1] == '0')
        end--;
    append(exposition, first, (size_t)(point - first));
    append(exposition, ".", 1);
    append(exposition, point, (size_t)(end - point));
}

static bool ends_with(const char *name, const char *ending)
{
    size_t length = strlen(name);
    size_t end = strlen(ending);
    return length >= end && memcmp(name + length - end, ending, end) == 0;
}

static const char *suffix_of(jz_metric_type type)
{
    switch (type) {
    case JZ_METRIC_COUNTER:
        return "_total";
    case JZ_METRIC_INFO:
        return "_info";
    default:
        return "";
    }
}

/* The line that says what kind of thing a family is. In OpenMetrics a family's name lacks its samples' suffix. */
static void append_comment(jz_exposition *exposition, const char *keyword, const char *text)
{
    append_text(exposition, keyword);
    append_text(exposition, exposition->family);
    if (exposition->format == JZ_FORMAT_PROMETHEUS)
        append_text(exposition, suffix_of(exposition->type));
    append(exposition, " ", 1);
    append_text(exposition, text);
    append(exposition, "\n", 1);
}

static const char *name_of(const jz_exposition *exposition)
{
    switch (exposition->type) {
    case JZ_METRIC_COUNTER:
        return "counter";
    case JZ_METRIC_HISTOGRAM:
        return "histogram";
    case JZ_METRIC_INFO:
        return exposition->format == JZ_FORMAT_OPENMETRICS ? "info" : "gauge";
    default:
        return "gauge";
    }
}

void jz_exposition_begin(jz_exposition *exposition, const char *name, jz_metric_type type, const char *help)
{
    exposition->family = name;
    exposition->type = type;
    bool has_seconds = ends_with(name, "_seconds");
    exposition->is_in_seconds = has_seconds && !ends_with(name, "_timestamp_seconds");
    append_comment(exposition, "# HELP ", help);
    append_comment(exposition, "# TYPE ", name_of(exposition));
    if (exposition->format == JZ_FORMAT_OPENMETRICS && has_seconds)
        append_comment(exposition, "# UNIT ", "seconds");
    else if (exposition->format == JZ_FORMAT_OPENMETRICS && ends_with(name, "_bytes"))
        append_comment(exposition, "# UNIT ", "bytes");
}

/* A label's value is UTF-8, in which three characters are escaped. */
static void append_value_of_label(jz_exposition *exposition, jz_text value)
{
    bool is_utf8 = jz_utf8_is_valid((const uint8_t *)value.start, value.length);
    size_t written = 0;
    for (size_t i = 0; i < value.length; i++) {
        char character = value.start[i];
        bool is_escaped = character == '\n' || character == '"' || character == '\\';
        bool is_replaced = !is_utf8 && (unsigned char)character >= 0x80;
        if (!is_escaped && !is_replaced)
            continue;
        append(exposition, value.start + written, i - written);
        if (is_replaced)
            append(exposition, "?", 1);
        else
            append(exposition, (const char[]){'\\', character == '\n' ? 'n' : character}, 2);
        written = i + 1;
    }
    append(exposition, value.start + written, value.length - written);
}

static void append_label(jz_exposition *exposition, const char *before, const char *name, jz_text value)
{
    append_text(exposition, before);
    append_text(exposition, name);
    append(exposition, "=\"", 2);
    append_value_of_label(exposition, value);
    append(exposition, "\"", 1);
}

static void append_labels(jz_exposition *exposition, const jz_label *labels, size_t count)
{
    for (size_t i = 0; i < count; i++)
        append_label(exposition, i == 0 ? "{" : ",", labels[i].name, labels[i].value);
}

/* The name of a sample, its labels, and the space before its value. */
static void append_sample(jz_exposition *exposition, const char *suffix, const jz_label *labels, size_t label_count)
{
    append_text(exposition, exposition->family);
    append_text(exposition, suffix);
    append_labels(exposition, labels, label_count);
    append_text(exposition, label_count > 0 ? "} " : " ");
}

static void append_value(jz_exposition *exposition, uint64_t value)
{
    if (exposition->is_in_seconds)
        append_seconds(exposition, value);
    else
        append_integer(exposition, value);
    append(exposition, "\n", 1);
}

void jz_exposition_add(jz_exposition *exposition, const jz_label *labels, size_t label_count, uint64_t value)
{
    append_sample(exposition, suffix_of(exposition->type), labels, label_count);
    append_value(exposition, value);
}

/* What the samples of all buckets of a histogram begin with: up to the value of their last label. */
static void append_bucket(jz_exposition *exposition, const jz_label *labels, size_t label_count)
{
    append_text(exposition, exposition->family);
    append_text(exposition, "_bucket");
    append_labels(exposition, labels, label_count);
    append_text(exposition, label_count > 0 ? ",le=\"" : "{le=\"");
}

/* Appends once more what was appended from `start` on. */
static void append_again(jz_exposition *exposition, size_t start, size_t length)
{
    jz_buffer *output = exposition->output;
    if (start + length > output->length || !jz_buffer_reserve(output, length, SIZE_MAX)) {
        exposition->is_out_of_memory = true;
        return;
    }
    memcpy(output->bytes + output->length, output->bytes + start, length);
    output->length += length;
}

/* A bucket's sample counts all that is not above its bound. */
static void finish_bucket(jz_exposition *exposition, const uint64_t *bound, uint64_t count)
{
    if (bound != NULL)
        append_seconds(exposition, *bound);
    else
        append_text(exposition, "+Inf");
    append_text(exposition, "\"} ");
    append_integer(exposition, count);
    append(exposition, "\n", 1);
}

void jz_exposition_add_histogram(jz_exposition *exposition, const jz_label *labels, size_t label_count,
                                 const jz_bounds *bounds, const jz_distribution *distribution)
{
    uint64_t count = 0;
    size_t start = exposition->output->length;
    append_bucket(exposition, labels, label_count);
    size_t length = exposition->output->length - start;
    for (size_t i = 0; i <= bounds->count; i++) {
        count += distribution->counts[i];
        if (i > 0)
            append_again(exposition, start, length);
        finish_bucket(exposition, i < bounds->count ? &bounds->bounds[i] : NULL, count);
    }
    append_sample(exposition, "_sum", labels, label_count);
    append_seconds(exposition, distribution->sum);
    append(exposition, "\n", 1);
    append_sample(exposition, "_count", labels, label_count);
    append_integer(exposition, count);
    append(exposition, "\n", 1);
}

bool jz_exposition_end(jz_exposition *exposition)
{
    if (exposition->format == JZ_FORMAT_OPENMETRICS)
        append_text(exposition, "# EOF\n");
    return !exposition->is_out_of_memory;
}
