/* The server: routes, listening, running, stopping. */
#ifndef JAZZY_SERVER_H
#define JAZZY_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "compiler.h"
#include "error.h"
#include "event.h"
#include "options.h"
#include "statistics.h"
#include "websocket.h"

JZ_BEGIN_DECLARATIONS

/* Servers that can exist at the same time in one process. */
#define JZ_MAX_SERVERS 255
/* Sockets that one server can listen on. */
#define JZ_MAX_LISTENERS 16

typedef struct jz_server jz_server;

/*
 * Called when something happens to a connection of a route, on the thread of the loop that owns the connection or,
 * where the route says so, on a worker. `context` is what the route was registered with. `event` and `message` are
 * never NULL and are borrowed until the handler returns; `message` is empty unless the event is JZ_EVENT_MESSAGE.
 */
typedef void (*jz_handler)(void *context, jz_ws ws, const jz_event *event, const jz_message *message);

/*
 * Every function below that returns a status returns JZ_OK, or another status with `error` filled in. `error` may be
 * NULL. Unless it says otherwise a function is for one thread at a time.
 */

/* Returns a server that the caller gives back with jz_server_destroy, or NULL. `options` NULL takes the defaults. */
JZ_PUBLIC jz_server *jz_server_create(const jz_options *options, jz_error *error);

/*
 * Registers a WebSocket route, before the server runs. `path` begins with '/', and is copied. It is
 * compared with the request's path, without its query, as RFC 3986 §6.2.2 says: "/café", in UTF-8, is found as
 * "/caf%C3%A9", as "/caf%c3%a9" and as "/x/../%63af%C3%A9"; an encoded slash is never a slash. What could never match
 * is refused: ill-formed escapes, white space, '?', '#' and dot segments, and a pattern all of whose paths lead to one
 * that was registered before. In "/room/:id" the segment ":id" is a parameter: it matches any one segment that is not
 * empty. A path without parameters goes before one that matches with them; of those, the one that was registered first.
 * `options` NULL takes the defaults. `context` stays the caller's and must live until the server is destroyed.
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
 * Binds and listens; from here on the kernel keeps connections until the server runs. Any number of times before it
 * runs, up to JZ_MAX_LISTENERS, with this and the functions that follow.
 *
 *   host   an IPv4 or IPv6 address or a name; NULL means every address of this machine, IPv4 and IPv6.
 *   port   0 asks the kernel for a free one: jz_server_port tells which.
 */
JZ_PUBLIC jz_status jz_server_listen(jz_server *server, const char *host, uint16_t port, jz_error *error);

/* What the bytes of connections travel through on their way to and from a socket, such as TLS: see transport.h. */
typedef struct jz_transport jz_transport;

/* How to listen, beside where. All zero: as the functions without these options do. */
typedef struct jz_listen_options {
    const jz_transport *transport; /* borrowed, and outlives the server; NULL: bytes travel as they are */
    void *transport_context;       /* passed to it; likewise */
} jz_listen_options;

/*
 * The same with options, for all of them; NULL is all zero. INVALID_OPTION: a transport without one of its functions.
 * Whom the limits turn away is not answered where a transport would be needed for that: the socket is closed.
 */
JZ_PUBLIC jz_status jz_server_listen_with(jz_server *server, const char *host, uint16_t port,
                                          const jz_listen_options *options, jz_error *error);

/*
 * Listens on a Unix domain socket. `path` has at most 107 bytes. A socket that another program left there without
 * listening is replaced; it is removed when the server listens no more. The first loop accepts, and hands over.
 */
JZ_PUBLIC jz_status jz_server_listen_unix(jz_server *server, const char *path, jz_error *error);

/* Who may connect through the file of a Unix domain socket. All zero leaves both to the process, as above. */
typedef struct jz_unix_options {
    uint32_t mode;     /* permissions of the file: 1 to 0777; who may write may connect. 0: what the umask leaves. */
    const char *owner; /* as for chown: "user", "user:group" or ":group", by name or number. NULL: the process's own. */
    jz_listen_options listening; /* as for jz_server_listen_with */
} jz_unix_options;

/*
 * The same with a mode and an owner. Nobody can connect before the file has both: there is no moment at which it can be
 * reached with other rights. `options` NULL is all zero. INVALID_ADDRESS: a mode or an owner that there is not;
 * PERMISSION_DENIED: one that this process may not give.
 */
JZ_PUBLIC jz_status jz_server_listen_unix_with(jz_server *server, const char *path, const jz_unix_options *options,
                                               jz_error *error);

/*
 * Takes over a stream socket that listens already, such as one that was inherited. It is closed when the server listens
 * no more, or at once where this fails. The first loop accepts, and hands over.
 */
JZ_PUBLIC jz_status jz_server_listen_descriptor(jz_server *server, int descriptor, jz_error *error);
JZ_PUBLIC jz_status jz_server_listen_descriptor_with(jz_server *server, int descriptor,
                                                     const jz_listen_options *options, jz_error *error);

/*
 * Takes over all sockets that systemd, or who acts like it, hands to this process (LISTEN_PID, LISTEN_FDS: the manual
 * page sd_listen_fds(3)). INVALID_STATE where there is none. Once in a process: the sockets are then the server's.
 */
JZ_PUBLIC jz_status jz_server_listen_activated(jz_server *server, jz_error *error);
JZ_PUBLIC jz_status jz_server_listen_activated_with(jz_server *server, const jz_listen_options *options,
                                                    jz_error *error);

/* The port of the first TCP socket that the server listens on; 0 where there is none. From any thread. */
JZ_PUBLIC uint16_t jz_server_port(const jz_server *server);

/* Whether the calling thread is in one of the server's handlers, where it may be neither waited for nor destroyed. */
JZ_PUBLIC bool jz_server_runs_here(const jz_server *server);

/* Whether the calling thread is in a handler of whichever server: it had better wait for none. From any thread. */
JZ_PUBLIC bool jz_in_handler(void);

/*
 * Sends a text or binary message to all subscribers of a topic, as jz_ws_publish does, from any thread. CLOSED: the
 * server is stopping, and all are told so; or it has drained, and the last client has left.
 */
JZ_PUBLIC jz_send_status jz_server_publish(jz_server *server, const char *topic, size_t topic_length,
                                           jz_message_kind kind, const void *bytes, size_t length);

/*
 * How many connections are subscribed to a topic. A connection that is closing is one until its close event has been
 * handled: in its handler it still counts itself, on the loop and on workers alike. From any thread.
 */
JZ_PUBLIC size_t jz_server_subscriber_count(jz_server *server, const char *topic, size_t topic_length);

/* How many messages were dropped because a backpressure limit or a mailbox limit was reached. From any thread. */
JZ_PUBLIC uint64_t jz_server_dropped_count(const jz_server *server);

/*
 * Runs the server on the calling thread (and on `threads` - 1 more) until it is stopped and all connections ended. A
 * loop that cannot wait for events any more, because something in this process has closed its descriptor, ends with its
 * connections; the log tells so, the server stops, and this returns JZ_STATUS_SYSTEM.
 *
 * The process may fork while the server runs: connections and listeners end as they would without the child, which has
 * copies of their descriptors as long as it lives or until it calls exec. The child itself must not use the server, nor
 * destroy it.
 */
JZ_PUBLIC jz_status jz_server_run(jz_server *server, jz_error *error);

/*
 * The same, and Ctrl-C (SIGINT) or SIGTERM stop it in order; a second signal, the same or the other one, ends the
 * process at once. The signals' former actions are restored before it returns. For one server of a process at a time.
 */
JZ_PUBLIC jz_status jz_server_run_until_signal(jz_server *server, jz_error *error);

/* Runs the server on threads of its own and returns at once. */
JZ_PUBLIC jz_status jz_server_start(jz_server *server, jz_error *error);

/*
 * Stops the server in order: it listens no more, sends every connection close code 1001, flushes what was sent, waits
 * for the answers up to the close time-out, for whoever still takes what was sent (jz_options.min_send_rate) up to
 * jz_options.stop_timeout_ms, and delivers every close event. Returns at once; jz_server_run returns, or
 * jz_server_wait, when it is done. From any thread, from handlers, and from signal handlers.
 */
JZ_PUBLIC void jz_server_stop(jz_server *server);

/*
 * The same, waiting for answers and output up to `grace_ms`, 0 to 3,600,000 (more counts as that), of everybody alike;
 * then what is left is ended, whether it takes what was sent or not. Of several calls the one whose grace is over first
 * counts.
 */
JZ_PUBLIC void jz_server_stop_within(jz_server *server, uint32_t grace_ms);

/* A grace as that of jz_server_stop: so long as a client answers or takes what was sent, within the options' limits. */
#define JZ_GRACE_AS_NEEDED UINT32_MAX

/* How a server stops. */
typedef struct jz_stop_options {
    uint32_t grace_ms;   /* as jz_server_stop_within takes it, or JZ_GRACE_AS_NEEDED; from the last close frame on */
    uint16_t close_code; /* as jz_ws_close takes it, for instance JZ_CLOSE_SERVICE_RESTART */
    const char *reason;  /* UTF-8, `reason_length` bytes, copied and cut as jz_ws_close does it; may be NULL where 0 */
    size_t reason_length;

    /*
     * 0 to 3,600,000 (more counts as that). The close frames are spread evenly over so long, so that the clients do not
     * all come back at once. Who has not been sent one is served until then; nobody new is let in.
     */
    uint32_t spread_ms;
} jz_stop_options;

/* As jz_server_stop does it: JZ_GRACE_AS_NEEDED, 1001, "the server stops", all at once. */
JZ_PUBLIC jz_stop_options jz_stop_options_default(void);

/* INVALID_OPTION where jz_server_stop_with would refuse them. From any thread. */
JZ_PUBLIC jz_status jz_stop_options_check(const jz_stop_options *options, jz_error *error);

/*
 * The same as jz_server_stop, with a choice. Of several calls, in whichever way, the first decides the code and the
 * reason; the earliest time by which all are to be told counts, and the grace that is over first. INVALID_OPTION: the
 * code may not be sent, or the reason is not UTF-8; nothing has happened. From any thread, from handlers, and with
 * `error` NULL from signal handlers.
 */
JZ_PUBLIC jz_status jz_server_stop_with(jz_server *server, const jz_stop_options *options, jz_error *error);

/*
 * For a restart: the server accepts whom the kernel keeps, listens no more, so that its successor can (without a gap
 * where both have an inherited socket), and goes on serving until the
 * last client has left, or for `deadline_ms` at most, when it stops as with jz_server_stop. JZ_NEVER has no deadline.
 * From any thread, from handlers, and from signal handlers.
 */
JZ_PUBLIC void jz_server_drain(jz_server *server, uint32_t deadline_ms);

/* How the connections ended that there were when the server stopped. */
typedef struct jz_ending {
    uint64_t clean;   /* WebSockets: close frames went both ways, and all output was sent */
    uint64_t unclean; /* WebSockets: lost, or left by the peer without a close frame */
    uint64_t cut_off; /* WebSockets: what was left when the grace was over */
    uint64_t others;  /* that were no WebSockets */
} jz_ending;

/* Complete when the server has stopped. From any thread. */
JZ_PUBLIC jz_ending jz_server_ending(const jz_server *server);

/* Everything in jz_statistics, without stopping the loops. From any thread. */
JZ_PUBLIC void jz_server_statistics(const jz_server *server, jz_statistics *statistics);

/* Waits until a server that was started has stopped. Returns at once if it is not running. Not from a handler. */
JZ_PUBLIC void jz_server_wait(jz_server *server);

/*
 * Stops the server, waits for it and frees it. NULL does nothing. In a handler, of this server or another, it returns
 * at once, for no loop may wait for another, and two could wait for each other: a thread does it, and until the close
 * events were delivered handlers may still be called. A server that jz_server_run runs cannot be destroyed before that
 * returns.
 */
JZ_PUBLIC void jz_server_destroy(jz_server *server);

JZ_END_DECLARATIONS

#endif
