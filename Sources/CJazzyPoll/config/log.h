/* Writes to a server's log, as its options say. From any thread. */
#ifndef JAZZY_CONFIG_LOG_H
#define JAZZY_CONFIG_LOG_H

#include "jazzy/compiler.h"
#include "jazzy/log.h"
#include "jazzy/server.h"

/* Log a line. All lines go through jz_log_text, which escapes and cuts them: see jz_log_escape. */
void jz_log(const jz_options *options, jz_log_level level, const char *format, ...) JZ_PRINTF(3, 4);
void jz_log_text(const jz_options *options, jz_log_level level, const char *text, size_t length);

#endif
