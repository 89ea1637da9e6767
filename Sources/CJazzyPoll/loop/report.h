/* Filling in a jz_error. */
#ifndef JAZZY_LOOP_REPORT_H
#define JAZZY_LOOP_REPORT_H

#include "jazzy/error.h"

/* Fills in `error` unless it is NULL, and returns `status`. */
jz_status jz_report(jz_error *error, jz_status status, const char *format, ...) JZ_PRINTF(3, 4);

/*
 * The same for a failed system call: `number` is the errno, `action` what was tried ("listen on port 80"). The status
 * depends on `number`, and the message says what to do.
 */
jz_status jz_report_system(jz_error *error, int number, const char *action);

#endif
