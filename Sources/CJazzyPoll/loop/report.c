#define _POSIX_C_SOURCE 200809L

#include "loop/report.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

jz_status jz_report(jz_error *error, jz_status status, const char *format, ...)
{
    if (error != NULL) {
        error->status = status;
        va_list arguments;
        va_start(arguments, format);
        vsnprintf(error->message, sizeof error->message, format, arguments);
        va_end(arguments);
    }
    return status;
}

jz_status jz_report_system(jz_error *error, int number, const char *action)
{
    switch (number) {
    case EADDRINUSE:
        return jz_report(error, JZ_STATUS_ADDRESS_IN_USE,
                         "cannot %s: the port is in use; choose another, or stop the program that has it", action);
    case EADDRNOTAVAIL:
        return jz_report(
            error, JZ_STATUS_ADDRESS_UNAVAILABLE,
            "cannot %s: no interface of this machine has that address; use one that it has, or none for all", action);
    case EACCES:
    case EPERM:
        return jz_report(error, JZ_STATUS_PERMISSION_DENIED,
                         "cannot %s: permission denied; ports below 1024 need a privilege, higher ones do not", action);
    case EMFILE:
    case ENFILE:
        return jz_report(error, JZ_STATUS_NO_DESCRIPTORS,
                         "cannot %s: no file descriptors left; raise the limit (`ulimit -n`) or close some", action);
    case ENOMEM:
    case ENOBUFS:
        return jz_report(error, JZ_STATUS_OUT_OF_MEMORY, "cannot %s: out of memory", action);
    default: {
        char reason[128];
        if (strerror_r(number, reason, sizeof reason) != 0)
            snprintf(reason, sizeof reason, "error %d", number);
        return jz_report(error, JZ_STATUS_SYSTEM, "cannot %s: %s", action, reason);
    }
    }
}
