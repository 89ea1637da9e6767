#include "topic.h"

#include <stdio.h>

void *topic_allocate(topic *topic, size_t length)
{
    if (topic->kept_count == topic->kept_capacity) {
        topic->kept_capacity = topic->kept_capacity > 0 ? topic->kept_capacity * 2 : 256;
        topic->kept = realloc(topic->kept, topic->kept_capacity * sizeof *topic->kept);
        assert_non_null(topic->kept);
    }
    void *memory = calloc(1, length > 0 ? length : 1);
    assert_non_null(memory);
    topic->kept[topic->kept_count++] = memory;
    return memory;
}

static void *keep(topic *topic, const void *bytes, size_t length)
{
    void *copy = topic_allocate(topic, length);
    if (length > 0)
        memcpy(copy, bytes, length);
    return copy;
}

test_bytes topic_bytes(topic *topic, const void *bytes, size_t length)
{
    return (test_bytes){keep(topic, bytes, length), length, length};
}

const char *topic_text(topic *topic, const char *format, ...)
{
    char text[256];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    assert_in_range(length, 1, sizeof text - 1);
    return keep(topic, text, (size_t)length + 1);
}

void topic_add(topic *topic, session_row row)
{
    if (topic->row_count == topic->row_capacity) {
        topic->row_capacity = topic->row_capacity > 0 ? topic->row_capacity * 2 : 64;
        topic->rows = realloc(topic->rows, topic->row_capacity * sizeof *topic->rows);
        assert_non_null(topic->rows);
    }
    row.steps.first = keep(topic, row.steps.first, row.steps.count * sizeof *row.steps.first);
    row.events.first = keep(topic, row.events.first, row.events.count * sizeof *row.events.first);
    row.output.first = keep(topic, row.output.first, row.output.count * sizeof *row.output.first);
    row.echoes = row.output.count == 0;
    topic->rows[topic->row_count++] = row;
}

void topic_free(topic *topic)
{
    for (size_t i = 0; i < topic->kept_count; i++)
        free(topic->kept[i]);
    free(topic->kept);
    free(topic->rows);
}
