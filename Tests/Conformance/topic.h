/* A topic of the conformance suite: rows that are written down, and rows that are made from tables. */
#ifndef JAZZY_CONFORMANCE_TOPIC_H
#define JAZZY_CONFORMANCE_TOPIC_H

#include <stddef.h>

#include "../CJazzyPollTests/support/session_row.h"
#include "../CJazzyPollTests/support/testing.h"

typedef struct topic {
    const char *file; /* where its rows are written */
    session_row *rows;
    size_t row_count;
    size_t row_capacity;
    void **kept; /* what the rows point to */
    size_t kept_count;
    size_t kept_capacity;
} topic;

/* The last step breaks this rule. */
#define FAILS_WITH(failure_) .failure = (failure_), .failure_code = failure_code_of(failure_)

/* The code that RFC 6455 §7.4.1 has for breaking this rule: not read from the code under test. */
static inline uint16_t failure_code_of(jz_failure failure)
{
    if (failure == JZ_FAILURE_INVALID_UTF8 || failure == JZ_FAILURE_INVALID_COMPRESSION)
        return 1007;
    return failure == JZ_FAILURE_MESSAGE_TOO_BIG ? 1009 : 1002;
}

/*
 * Adds a row. Its steps and events are copied, so they may be compound literals; what they point to is not copied. A
 * row without expected output is for an echo server.
 */
void topic_add(topic *topic, session_row row);

/* Memory that lives as long as the topic. */
void *topic_allocate(topic *topic, size_t length);

/* A copy of bytes, as a payload. */
test_bytes topic_bytes(topic *topic, const void *bytes, size_t length);

/* A name, or other text, as printf makes it. */
__attribute__((format(printf, 2, 3))) const char *topic_text(topic *topic, const char *format, ...);

void topic_free(topic *topic);

#endif
