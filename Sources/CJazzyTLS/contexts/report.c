#include "contexts/report.h"

#include <stdarg.h>
#include <stdio.h>

#include "../../CJazzyOpenSSL/CJazzyOpenSSL.h"

jz_status jz_tls_report(jz_error *error, jz_status status, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    error->status = status;
    vsnprintf(error->message, sizeof error->message, format, arguments);
    va_end(arguments);
    return status;
}

jz_status jz_tls_report_no_memory(jz_error *error)
{
    ERR_clear_error();
    return jz_tls_report(error, JZ_STATUS_OUT_OF_MEMORY, "out of memory for TLS");
}

/* Only the ends of the queue can be read without emptying it: the first cause is at one, the last entry at the other.
 */
bool jz_tls_has_no_memory(void)
{
    return ERR_GET_REASON(ERR_peek_error()) == ERR_R_MALLOC_FAILURE ||
           ERR_GET_REASON(ERR_peek_last_error()) == ERR_R_MALLOC_FAILURE;
}

jz_status jz_tls_report_openssl(jz_error *error, jz_status status, const char *action, ...)
{
    char doing[192];
    unsigned long last = ERR_peek_last_error();
    bool has_no_memory = jz_tls_has_no_memory();
    for (unsigned long entry = ERR_get_error(); entry != 0; entry = ERR_get_error())
        has_no_memory = has_no_memory || ERR_GET_REASON(entry) == ERR_R_MALLOC_FAILURE;
    if (has_no_memory)
        return jz_tls_report_no_memory(error);
    va_list arguments;
    va_start(arguments, action);
    vsnprintf(doing, sizeof doing, action, arguments);
    va_end(arguments);
    const char *reason = last != 0 ? ERR_reason_error_string(last) : NULL;
    return jz_tls_report(error, status, "cannot %s (%s)", doing, reason != NULL ? reason : "OpenSSL does not say why");
}
