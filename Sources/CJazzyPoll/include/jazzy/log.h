/* The log: where a server's lines go, and how a handler adds to them. */
#ifndef JAZZY_LOG_H
#define JAZZY_LOG_H

#include <stddef.h>

#include "compiler.h"
#include "websocket.h"

JZ_BEGIN_DECLARATIONS

/* How much a line matters, the least first. */
typedef enum jz_log_level {
    JZ_LOG_DEBUG,   /* what may have parts of what peers sent, to find a fault: nothing of it is told by default */
    JZ_LOG_INFO,    /* what the server does, and what peers do wrong */
    JZ_LOG_WARNING, /* what the server copes with, but an operator may want to change */
    JZ_LOG_ERROR    /* something failed */
} jz_log_level;

/* Room for any line, its NUL included. */
#define JZ_LOG_LINE_SIZE 512

/*
 * Called from any thread, possibly from several at a time, with one line without its end. Borrowed until it returns.
 * Every line was escaped and cut by jz_log_escape: it is UTF-8 of at most JZ_LOG_LINE_SIZE - 1 bytes, and nobody can
 * forge another with it. What is told of peers (a refused handshake, a broken rule, a handler's error) is one line
 * each and, at each level, at most 10 lines a second of a loop; one more line counts the rest. No line has any part of
 * a payload, unless it is at JZ_LOG_DEBUG.
 */
typedef void (*jz_log_function)(void *context, jz_log_level level, const char *line);

/*
 * Tells the log of the server something about a connection, as "ADDRESS: TEXT", in a line that counts as those about
 * peers. `text` need not be UTF-8, nor one line. It is copied before this returns. From any thread and in handlers;
 * where the server is gone it does nothing.
 */
JZ_PUBLIC void jz_ws_log(jz_ws ws, jz_log_level level, const char *text, size_t length);

/*
 * Makes a line that may be shown, of whatever a peer may have sent: what would end it, move the cursor, colour it, turn
 * its direction or not be seen is written as "\n", "\r", "\t" or "\u{1B}", a byte that is no UTF-8 as "\xFF", and a
 * backslash as "\\". Control characters (C0, DEL, C1), line and paragraph separators, marks and overrides of direction
 * and invisible format characters are all there is of that.
 *
 * Writes at most `size` bytes with the NUL at their end (none where `size` is 0), and never a part of a character: what
 * is too long is cut, and ends in "…". Returns the length without the NUL. From any thread.
 */
JZ_PUBLIC size_t jz_log_escape(const char *text, size_t length, char *line, size_t size);

JZ_END_DECLARATIONS

#endif
