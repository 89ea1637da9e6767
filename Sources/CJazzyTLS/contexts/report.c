#include "contexts/report.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

#include "../../CJazzyOpenSSL/CJazzyOpenSSL.h"

static jz_status report(jz_error *error, jz_status status, const char *format, va_list arguments)
{
    if (error != NULL) {
        error->status = status;
        vsnprintf(error->message, sizeof error->message, format, arguments);
    }
    return status;
}

jz_status jz_tls_report(jz_error *error, jz_status status, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    report(error, status, format, arguments);
    va_end(arguments);
    return status;
}

jz_status jz_tls_report_no_memory(jz_error *error)
{
    return jz_tls_report(error, JZ_STATUS_OUT_OF_MEMORY, "out of memory for TLS");
}

jz_status jz_tls_report_openssl(jz_error *error, jz_status status, const char *action, ...)
{
    unsigned long last = ERR_peek_last_error();
    bool has_no_memory = false;
    for (unsigned long entry = ERR_get_error(); entry != 0; entry = ERR_get_error())
        has_no_memory = has_no_memory || ERR_GET_REASON(entry) == ERR_R_MALLOC_FAILURE;
    if (has_no_memory)
        return jz_tls_report_no_memory(error);
    char doing[192];
    va_list arguments;
    va_start(arguments, action);
    vsnprintf(doing, sizeof doing, action, arguments);
    va_end(arguments);
    const char *reason = last != 0 ? ERR_reason_error_string(last) : NULL;
    return jz_tls_report(error, status, "cannot %s: %s", doing, reason != NULL ? reason : "OpenSSL does not say why");
}
