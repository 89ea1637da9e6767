#include "config/log.h"

#include <stdarg.h>
#include <stdio.h>

static const char *name_of(jz_log_level level)
{
    switch (level) {
    case JZ_LOG_DEBUG:
        return "debug";
    case JZ_LOG_INFO:
        return "info";
    case JZ_LOG_WARNING:
        return "warning";
    default:
        return "error";
    }
}

void jz_log_text(const jz_options *options, jz_log_level level, const char *text, size_t length)
{
    char line[JZ_LOG_LINE_SIZE];
    if (level < options->log_level)
        return;
    jz_log_escape(text, length, line, sizeof line);
    if (options->log != NULL)
        options->log(options->log_context, level, line);
    else if (level >= JZ_LOG_WARNING || options->log_level == JZ_LOG_DEBUG)
        fprintf(stderr, "jazzy: %s: %s\n", name_of(level), line);
}

void jz_log(const jz_options *options, jz_log_level level, const char *format, ...)
{
    char text[JZ_LOG_LINE_SIZE + 1]; /* a longer text does not fit into the line either, where it is visibly cut */
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (length > 0)
        jz_log_text(options, level, text, (size_t)length < sizeof text ? (size_t)length : sizeof text - 1);
}
