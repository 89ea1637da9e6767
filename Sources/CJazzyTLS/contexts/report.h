/* Filling in a jz_error, also from OpenSSL's error queue. `error` is never NULL here. */
#ifndef JAZZY_TLS_CONTEXTS_REPORT_H
#define JAZZY_TLS_CONTEXTS_REPORT_H

#include <stdbool.h>

#include "jazzy/compiler.h"
#include "jazzy/error.h"

/* Returns the status. */
jz_status jz_tls_report(jz_error *error, jz_status status, const char *format, ...) JZ_PRINTF(3, 4);

jz_status jz_tls_report_no_memory(jz_error *error);

/* Whether OpenSSL's error queue has an entry of missing memory. */
bool jz_tls_has_no_memory(void);

/*
 * Reports that OpenSSL could not do something, with the reason of its last error: "cannot ACTION: REASON". Out of
 * memory if that is in its queue, otherwise `status`. Empties the queue.
 */
jz_status jz_tls_report_openssl(jz_error *error, jz_status status, const char *action, ...) JZ_PRINTF(3, 4);

#endif
