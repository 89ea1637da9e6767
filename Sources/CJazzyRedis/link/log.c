#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "link/link.h"

void jz_redis_log(const jz_redis *redis, jz_log_level level, const char *format, ...)
{
    char text[JZ_LOG_LINE_SIZE + 1]; /* a longer one is visibly cut in the line */
    char line[JZ_LOG_LINE_SIZE];
    const jz_redis_options *options = &redis->settings.options;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    jz_log_escape(text, strlen(text), line, sizeof line);
    if (options->log != NULL)
        options->log(options->log_context, level, line);
    else if (level >= JZ_LOG_WARNING)
        fprintf(stderr, "jazzy: %s: %s\n", level == JZ_LOG_WARNING ? "warning" : "error", line);
}
