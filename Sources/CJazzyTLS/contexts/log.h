/* Writes to the log of a jz_tls. */
#ifndef JAZZY_TLS_CONTEXTS_LOG_H
#define JAZZY_TLS_CONTEXTS_LOG_H

#include "jazzy/tls.h"

/* A line, escaped and cut as those of a server are. */
void jz_tls_log(const jz_tls_options *options, jz_log_level level, const char *format, ...) JZ_PRINTF(3, 4);

#endif
