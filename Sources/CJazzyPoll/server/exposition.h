/*
 * Writes metrics as text: in the format of Prometheus, version 0.0.4, or in that of OpenMetrics, version 1.0. What is
 * written depends on nothing but the arguments.
 */
#ifndef JAZZY_SERVER_EXPOSITION_H
#define JAZZY_SERVER_EXPOSITION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "codec/text.h"
#include "loop/histogram.h"
#include "session/buffer.h"

typedef enum jz_exposition_format { JZ_FORMAT_PROMETHEUS, JZ_FORMAT_OPENMETRICS, JZ_FORMAT_COUNT } jz_exposition_format;

typedef enum jz_metric_type { JZ_METRIC_COUNTER, JZ_METRIC_GAUGE, JZ_METRIC_HISTOGRAM, JZ_METRIC_INFO } jz_metric_type;

typedef struct jz_label {
    const char *name;
    jz_text value; /* any bytes: what no label may have is escaped or replaced */
} jz_label;

typedef struct jz_exposition {
    jz_buffer *output; /* is appended to */
    jz_exposition_format format;
    bool is_out_of_memory;
    const char *family; /* that is being written: */
    jz_metric_type type;
    bool is_in_seconds;
} jz_exposition;

/* The value of Content-Type. */
const char *jz_exposition_content_type(jz_exposition_format format);

/*
 * Begins a family of metrics. The name has no suffix: "_total" for a counter and "_info" for an info are added where
 * the format has them. It ends with the unit, if there is one: "_seconds", whose values are given in nanoseconds, or
 * "_bytes". A "_timestamp_seconds" is given in seconds since 1970. Name and help are static.
 */
void jz_exposition_begin(jz_exposition *exposition, const char *name, jz_metric_type type, const char *help);

/* A sample of the family, with any number of labels. An info has the value 1. */
void jz_exposition_add(jz_exposition *exposition, const jz_label *labels, size_t label_count, uint64_t value);

/* The samples of a histogram. */
void jz_exposition_add_histogram(jz_exposition *exposition, const jz_label *labels, size_t label_count,
                                 const jz_bounds *bounds, const jz_distribution *distribution);

/* Ends the text. False when there was no memory: then the text is incomplete. */
bool jz_exposition_end(jz_exposition *exposition);

#endif
