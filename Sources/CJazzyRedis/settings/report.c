#include "settings/report.h"

#include <stdarg.h>
#include <stdio.h>

jz_status jz_redis_report(jz_error *error, jz_status status, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    error->status = status;
    vsnprintf(error->message, sizeof error->message, format, arguments);
    va_end(arguments);
    return status;
}

jz_status jz_redis_report_no_memory(jz_error *error)
{
    return jz_redis_report(error, JZ_STATUS_OUT_OF_MEMORY, "out of memory for the broker over Redis");
}
