/* The log of a server, and how handlers write to it. */
#ifndef JAZZY_LOG_H
#define JAZZY_LOG_H

#include <stddef.h>

#include "compiler.h"
#include "websocket.h"

JZ_BEGIN_DECLARATIONS

/* The importance of a line, in ascending order. */
typedef enum jz_log_level {
    JZ_LOG_DEBUG,   /* for finding a fault; may contain parts of what peers sent; off by default */
    JZ_LOG_INFO,    /* what the server does, and errors of peers */
    JZ_LOG_WARNING, /* the server works, but an operator may want to change something */
    JZ_LOG_ERROR    /* something failed */
} jz_log_level;

/* The size of the longest line, with its NUL. */
#define JZ_LOG_LINE_SIZE 512

/*
 * Called with one line, without line end, from any thread, possibly from several at a time. `line` is borrowed until
 * the function returns. Every line was escaped and cut by jz_log_escape: it is UTF-8, has at most JZ_LOG_LINE_SIZE - 1
 * bytes, and peers cannot forge other lines with it. Lines about peers (a refused handshake, a broken rule, a handler's
 * error) are limited to 10 per second for each loop and level; one more line says how many were omitted. Only lines at
 * JZ_LOG_DEBUG may contain parts of a payload.
 */
typedef void (*jz_log_function)(void *context, jz_log_level level, const char *line);

/*
 * Logs something about a connection, as "ADDRESS: TEXT", within the limit for lines about peers. `text` need not be
 * UTF-8 or a single line. It is copied before this returns. From any thread and in handlers; does nothing if the server
 * is gone.
 */
JZ_PUBLIC void jz_ws_log(jz_ws ws, jz_log_level level, const char *text, size_t length);

/*
 * Makes text from a peer safe to show in one line. Characters that would end the line, move the cursor, change colours
 * or the text direction, or be invisible are written as "\n", "\r", "\t" or "\u{1B}", a byte that is not UTF-8 as
 * "\xFF", and a backslash as "\\". These characters are: control characters (C0, DEL, C1), line and paragraph
 * separators, direction marks and overrides, and invisible format characters.
 *
 * Writes at most `size` bytes, the final NUL included (nothing if `size` is 0), and never a part of a character: a
 * longer text is cut, and ends in "…". Returns the length without the NUL. From any thread.
 */
JZ_PUBLIC size_t jz_log_escape(const char *text, size_t length, char *line, size_t size);

JZ_END_DECLARATIONS

#endif
