/* Writes to a server's log, as its options say. From any thread. */
#ifndef JAZZY_CONFIG_LOG_H
#define JAZZY_CONFIG_LOG_H

#include <stdbool.h>

#include "codec/text.h"
#include "jazzy/compiler.h"
#include "jazzy/log.h"
#include "jazzy/server.h"

/* What a line is about: see jz_log_record. What is unknown is NULL or empty. */
typedef struct jz_log_about {
    const char *address;
    const char *nobody; /* what the line begins with if there is no address; NULL: nothing */
    const char *route;
    jz_text origin;
    const char *cause;
    bool is_peers_fault;
} jz_log_about;

/*
 * Log a line: "TEXT", or "ADDRESS: TEXT" if it is about somebody. All lines go through jz_log_text, which escapes and
 * cuts them: see jz_log_escape.
 */
void jz_log(const jz_options *options, jz_log_level level, const char *format, ...) JZ_PRINTF(3, 4);
void jz_log_of(const jz_options *options, jz_log_level level, const jz_log_about *about, const char *format, ...)
    JZ_PRINTF(4, 5);
void jz_log_text(const jz_options *options, jz_log_level level, const jz_log_about *about, const char *text,
                 size_t length);

#endif
