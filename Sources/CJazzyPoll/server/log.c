#include <stdarg.h>
#include <stdio.h>

#include "server.h"

static const char *name_of(jz_log_level level)
{
    switch (level) {
    case JZ_LOG_INFO:
        return "info";
    case JZ_LOG_WARNING:
        return "warning";
    default:
        return "error";
    }
}

void jz_server_log(const jz_server *server, jz_log_level level, const char *format, ...)
{
    char line[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    if (server->options.log != NULL)
        server->options.log(server->options.log_context, level, line);
    else if (level >= JZ_LOG_WARNING)
        fprintf(stderr, "jazzy: %s: %s\n", name_of(level), line);
}
