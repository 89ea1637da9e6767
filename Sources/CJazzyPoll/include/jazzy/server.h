/* The server: options, routes, listening, running, stopping. */
#ifndef JAZZY_SERVER_H
#define JAZZY_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "compiler.h"
#include "error.h"
#include "event.h"
#include "websocket.h"

JZ_BEGIN_DECLARATIONS

/* Servers that can exist at the same time in one process. */
#define JZ_MAX_SERVERS 255
/* Loops, and so threads, of one server. */
#define JZ_MAX_THREADS 255

typedef struct jz_server jz_server;

/*
 * Called when something happens to a connection of a route, on the thread of the loop that owns the connection.
 * `context` is what the route was registered with. `event` and `message` are never NULL and are borrowed until the
 * handler returns; `message` is empty unless the event is JZ_EVENT_MESSAGE.
 */
typedef void (*jz_handler)(void *context, jz_ws ws, const jz_event *event, const jz_message *message);

typedef enum jz_log_level { JZ_LOG_INFO, JZ_LOG_WARNING, JZ_LOG_ERROR } jz_log_level;

/* Called from any thread, possibly from several at a time, with one line without its end. Borrowed until it returns. */
typedef void (*jz_log_function)(void *context, jz_log_level level, const char *line);

/* How connections come to the loops of a server that has several. */
typedef enum jz_accepting {
    /* Every loop listens on the port, and the kernel chooses by a hash of the addresses. It costs nothing; few
       connections, or many through few proxies, can be spread unevenly. */
    JZ_ACCEPTING_SHARED_PORT,
    /* The first loop accepts, and hands each loop every nth connection. Even, at the price of a wake-up for each. */
    JZ_ACCEPTING_HAND_OVER
} jz_accepting;

/* Options of a server. Start from jz_options_default(); jz_server_create refuses what is out of range. */
typedef struct jz_options {
    uint32_t threads;           /* loops, each with a thread: 1 to JZ_MAX_THREADS; default: the number of cores that
                                   this process may use */
    jz_accepting accepting;     /* default JZ_ACCEPTING_SHARED_PORT */
    uint32_t worker_threads;    /* for routes that run on workers: 1 to 1,024; default 8 */
    uint32_t backlog;           /* connections that the kernel keeps for us to accept: 1 to 65,535; default 4,096 */
    size_t receive_buffer_size; /* one per loop, bytes: 4 KiB to 16 MiB; default 512 KiB */
    size_t max_message_size;    /* default of the routes, bytes: 1 to 1 GiB; default 1 MiB */
    size_t backpressure_limit;  /* unsent bytes of one connection beyond which sends are dropped: 4 KiB to 4 GiB;
                                   default 1 MiB. Half of it pauses reading from that connection. */
    size_t mailbox_limit;       /* bytes that other threads may have sent or published through one loop's mailbox before
                                   it takes them; beyond it they are dropped: 64 KiB to 4 GiB; default 64 MiB */
    uint32_t handshake_timeout_ms; /* from accepting to the whole request head: 100 to 3,600,000; default 10,000 */
    uint32_t close_timeout_ms;     /* from our close frame to the end: 100 to 3,600,000; default 5,000 */
    jz_log_function log;           /* default NULL: warnings and errors go to standard error */
    void *log_context;             /* passed to `log` */
} jz_options;

JZ_PUBLIC jz_options jz_options_default(void);

/*
 * Compression of messages, permessage-deflate (RFC 7692), for clients that offer it. What a connection costs besides,
 * with w window bits and memory level m, is zlib's, and allocated with the first message that needs it:
 *
 *     JZ_DEFLATE_SHARED     nothing: each loop has one compressor for each window size agreed on, and one decompressor
 *     JZ_DEFLATE_DEDICATED  2^(w+2) + 2^(m+9) bytes + 6 KiB to compress, 262 KiB by default; 2^w bytes + 7 KiB to
 *                           decompress, 39 KiB by default (with the window that the client agreed to); nothing for a
 *                           direction without context takeover, which either side can ask for
 */
typedef enum jz_deflate_mode {
    JZ_DEFLATE_OFF,
    JZ_DEFLATE_SHARED,   /* each message for itself: no context takeover, in either direction */
    JZ_DEFLATE_DEDICATED /* messages refer to earlier ones where the client agrees: small messages get much smaller */
} jz_deflate_mode;

typedef struct jz_deflate_options {
    jz_deflate_mode mode;    /* default JZ_DEFLATE_OFF */
    uint8_t window_bits;     /* the largest window, as a power of two of bytes: 9 to 15; default 15 */
    uint8_t memory_level;    /* zlib's: 1 to 9; default 8 */
    uint8_t level;           /* zlib's, 1 (fastest) to 9 (smallest); default 6 */
    size_t min_message_size; /* bytes; a smaller message is sent uncompressed; default 64 */
} jz_deflate_options;

/* What happens to a message for a connection whose unsent output has reached the backpressure limit. */
typedef enum jz_backpressure_policy {
    JZ_BACKPRESSURE_DROP, /* it is dropped and counted */
    JZ_BACKPRESSURE_CLOSE /* likewise, and the connection is closed with code 1013, Try Again Later */
} jz_backpressure_policy;

/* Where a route's handler runs. Either way the events of one connection keep their order and never overlap. */
typedef enum jz_execution {
    JZ_EXECUTION_LOOP,   /* on the thread of the connection's loop: the handler has to return soon */
    JZ_EXECUTION_WORKERS /* on one of the server's workers: it may block, as on a database; events are copied for it */
} jz_execution;

/* Options of one WebSocket route. Start from jz_route_options_default(). */
typedef struct jz_route_options {
    size_t max_message_size; /* bytes, decompressed: 1 to 1 GiB; 0 (the default) takes the server's */
    jz_deflate_options deflate;
    jz_backpressure_policy backpressure_policy; /* default JZ_BACKPRESSURE_DROP */
    jz_execution execution;                     /* default JZ_EXECUTION_LOOP */
    uint32_t max_waiting_events;                /* of one connection for a worker, before reading from it pauses until
                                                   half of them have been run: 1 to 65,536; default 256. It pauses
                                                   likewise while messages of more bytes than backpressure_limit
                                                   wait. What one read brings is taken whole, so some more can. */
    void (*release_state)(void *state);         /* given what jz_ws_set_state was, once, after the close event, where
                                                   the handler runs; the connection has no state any more;
                                                   default NULL */
} jz_route_options;

JZ_PUBLIC jz_route_options jz_route_options_default(void);

/*
 * Every function below that returns a status returns JZ_OK, or another status with `error` filled in. `error` may be
 * NULL. Unless it says otherwise a function is for one thread at a time.
 */

/* Returns a server that the caller gives back with jz_server_destroy, or NULL. `options` NULL takes the defaults. */
JZ_PUBLIC jz_server *jz_server_create(const jz_options *options, jz_error *error);

/*
 * Registers a WebSocket route, before the server runs. `path` begins with '/', is compared byte by byte with the
 * request's path (without its query), and is copied. In "/room/:id" the segment ":id" is a parameter: it matches any
 * one segment that is not empty. A path without parameters goes before one that matches with them; of those, the one
 * that was registered first. `options` NULL takes the defaults. `context` stays the caller's and must live until the
 * server is destroyed.
 */
JZ_PUBLIC jz_status jz_server_route_ws(jz_server *server, const char *path, const jz_route_options *options,
                                       jz_handler handler, void *context, jz_error *error);

/*
 * Registers a page: GET and HEAD of `path` are answered with these bytes, from memory. Everything is copied. `path` may
 * have parameters, as for jz_server_route_ws. The same path, with the same names of parameters, may also be a WebSocket
 * route. `content_type` is for instance "text/html; charset=utf-8".
 */
JZ_PUBLIC jz_status jz_server_route_get(jz_server *server, const char *path, const char *content_type, const void *body,
                                        size_t length, jz_error *error);

/*
 * Binds and listens; from here on the kernel keeps connections until the server runs. Once per server.
 *
 *   host   an IPv4 or IPv6 address or a name; NULL means every address of this machine, IPv4 and IPv6.
 *   port   0 asks the kernel for a free one: jz_server_port tells which.
 */
JZ_PUBLIC jz_status jz_server_listen(jz_server *server, const char *host, uint16_t port, jz_error *error);

/* The port that the server listens on; 0 before it listens. From any thread. */
JZ_PUBLIC uint16_t jz_server_port(const jz_server *server);

/* Whether the calling thread is in one of the server's handlers, where it may be neither waited for nor destroyed. */
JZ_PUBLIC bool jz_server_runs_here(const jz_server *server);

/*
 * Sends a text or binary message to all subscribers of a topic, as jz_ws_publish does, from any thread. CLOSED: the
 * server is stopping.
 */
JZ_PUBLIC jz_send_status jz_server_publish(jz_server *server, const char *topic, size_t topic_length,
                                           jz_message_kind kind, const void *bytes, size_t length);

/*
 * How many connections are subscribed to a topic. A connection that is closing is one until its close event. From any
 * thread.
 */
JZ_PUBLIC size_t jz_server_subscriber_count(jz_server *server, const char *topic, size_t topic_length);

/* How many messages were dropped because a backpressure limit or a mailbox limit was reached. From any thread. */
JZ_PUBLIC uint64_t jz_server_dropped_count(const jz_server *server);

/* Runs the server on the calling thread (and on `threads` - 1 more) until it is stopped and all connections ended. */
JZ_PUBLIC jz_status jz_server_run(jz_server *server, jz_error *error);

/*
 * The same, and Ctrl-C (SIGINT) or SIGTERM stop it in order; a second signal ends the process at once. The signals'
 * former actions are restored before it returns. For one server of a process at a time.
 */
JZ_PUBLIC jz_status jz_server_run_until_signal(jz_server *server, jz_error *error);

/* Runs the server on threads of its own and returns at once. */
JZ_PUBLIC jz_status jz_server_start(jz_server *server, jz_error *error);

/*
 * Stops the server in order: it listens no more, sends every connection close code 1001, flushes what was sent, waits
 * for the answers up to the close time-out, and delivers every close event. Returns at once; jz_server_run returns, or
 * jz_server_wait, when it is done. From any thread, from handlers, and from signal handlers.
 */
JZ_PUBLIC void jz_server_stop(jz_server *server);

/* Waits until a server that was started has stopped. Returns at once if it is not running. Not from a handler. */
JZ_PUBLIC void jz_server_wait(jz_server *server);

/* Stops the server, waits for it and frees it. Not from a handler. NULL does nothing. */
JZ_PUBLIC void jz_server_destroy(jz_server *server);

JZ_END_DECLARATIONS

#endif
