/* Filling in a jz_error. `error` is never NULL here. */
#ifndef JAZZY_REDIS_SETTINGS_REPORT_H
#define JAZZY_REDIS_SETTINGS_REPORT_H

#include "jazzy/compiler.h"
#include "jazzy/error.h"

/* Returns the status. */
jz_status jz_redis_report(jz_error *error, jz_status status, const char *format, ...) JZ_PRINTF(3, 4);

jz_status jz_redis_report_no_memory(jz_error *error);

#endif
