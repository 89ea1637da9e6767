/* The log of a server, and how handlers write to it. */
#ifndef JAZZY_LOG_H
#define JAZZY_LOG_H

#include <stdbool.h>
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
 * A line, and what it is about, for logs that keep such things apart. Every text is borrowed until the function
 * returns, and escaped and cut like a line. NULL: there is none, or it is not known.
 */
typedef struct jz_log_record {
    jz_log_level level;
    bool is_peers_fault; /* a client was refused, broke a rule, or was lost; at JZ_LOG_INFO */
    const char *line;    /* as a jz_log_function gets it */
    const char *message; /* the line without the address with which it begins */
    const char *address; /* of the client, as by jz_ws_remote_address */
    const char *route;   /* the path of its route */
    const char *origin;  /* of the page that the client comes from, if the line is about that */
    const char *cause;   /* a word: that of jz_refusal_name, jz_failure_name or jz_close_cause_name, "client_address" (a
                            proxy does not name its client), "wrong_subprotocol" (an upgrade hook chose one that was not
                            offered), or what jz_ws_log_about was given */
} jz_log_record;

/* Called with one record, as a jz_log_function is with its line, and with the same limits. */
typedef void (*jz_log_record_function)(void *context, const jz_log_record *record);

/*
 * Logs something about a connection, as "ADDRESS: TEXT", within the limit for lines about peers. `text` need not be
 * UTF-8 or a single line. It is copied before this returns. From any thread and in handlers; does nothing if the server
 * is gone.
 */
JZ_PUBLIC void jz_ws_log(jz_ws ws, jz_log_level level, const char *text, size_t length);

/*
 * The same with the path of the connection's route, and a word for why: both are only in records, end with NUL, are
 * copied, and may be NULL. (jz_ws_log finds the route itself in handlers that run on the connection's loop.)
 */
JZ_PUBLIC void jz_ws_log_about(jz_ws ws, jz_log_level level, const char *text, size_t length, const char *route,
                               const char *cause);

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
