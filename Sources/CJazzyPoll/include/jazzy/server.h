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
 * Called when something happens to a connection of a route, on the thread of the loop that owns the connection or, if
 * the route says so, on a worker. `context` is what the route was registered with. `event` and `message` are never
 * NULL, and are borrowed until the handler returns; `message` is empty unless the event is JZ_EVENT_MESSAGE.
 */
typedef void (*jz_handler)(void *context, jz_ws ws, const jz_event *event, const jz_message *message);

/*
 * Every function below that returns a status returns JZ_OK, or another status with `error` filled in. `error` may be
 * NULL. Unless stated otherwise, only one thread may call functions of a server at a time.
 */

/* Returns a server, to be freed with jz_server_destroy, or NULL. `options` NULL means the defaults. */
JZ_PUBLIC jz_server *jz_server_create(const jz_options *options, jz_error *error);

/*
 * Registers a WebSocket route, before the server runs. `path` begins with '/', and is copied. It is compared with the
 * request's path, without the query, according to RFC 3986 §6.2.2: "/caf%C3%A9", "/caf%c3%a9" and "/x/../%63af%C3%A9"
 * find "/café", in UTF-8; an encoded slash is never a slash. Paths that could never match are refused: with malformed
 * escapes, white space, '?', '#' or dot segments, or a pattern all of whose paths match one that was registered before.
 * In "/room/:id" the segment ":id" is a parameter: it matches any one non-empty segment. A last segment such as "*rest"
 * is a catch-all: behind "/files/" it matches one or more segments, "a" and "a/b/", but not "" or "/a", and none with
 * an encoded slash; write %2A for an asterisk that begins a segment, however clients send it. Paths without parameters
 * are tried first, then patterns in the order of registration, then those with a catch-all, longest prefix first: at
 * the first segment where they differ a text goes before a parameter, and either before the catch-all. `options` NULL
 * means the defaults. The caller owns `context`, which must live until the server is destroyed. One server has at most
 * 65,535 WebSocket routes and subprotocols of them, in all.
 */
JZ_PUBLIC jz_status jz_server_route_ws(jz_server *server, const char *path, const jz_route_options *options,
                                       jz_handler handler, void *context, jz_error *error);

/*
 * Registers a page: GET and HEAD requests for `path` are answered with these bytes, from memory. Everything is copied.
 * `path` may have parameters and a catch-all, as for jz_server_route_ws. The same path, with the same parameter names,
 * may also be a WebSocket route. `content_type` is for instance "text/html; charset=utf-8".
 */
JZ_PUBLIC jz_status jz_server_route_get(jz_server *server, const char *path, const char *content_type, const void *body,
                                        size_t length, jz_error *error);

/*
 * Registers the page for what is not found: a request whose path leads to no route is answered with status 404 and
 * these bytes, instead of a short text. Such requests are counted and logged as without it (JZ_REFUSAL_NOT_FOUND).
 * Requests for a WebSocket get the text: no browser shows them anything. INVALID_ROUTE: there is such a page already.
 */
JZ_PUBLIC jz_status jz_server_route_not_found(jz_server *server, const char *content_type, const void *body,
                                              size_t length, jz_error *error);

/*
 * Binds and listens; from then on the kernel queues connections until the server runs. This and the following functions
 * may be called up to JZ_MAX_LISTENERS times in all, before the server runs.
 *
 *   host   an IPv4 or IPv6 address or a name; NULL means every address of this machine, IPv4 and IPv6.
 *   port   0: the kernel chooses a free one, which jz_server_port returns.
 */
JZ_PUBLIC jz_status jz_server_listen(jz_server *server, const char *host, uint16_t port, jz_error *error);

/* A layer between connections and their sockets, such as TLS: see transport.h. */
typedef struct jz_transport jz_transport;

/* Options of a listener. All zero: as without options. */
typedef struct jz_listen_options {
    const jz_transport *transport; /* borrowed, must outlive the server; NULL: plain bytes */
    void *transport_context;       /* passed to the transport; must outlive the server, too */
} jz_listen_options;

/*
 * The same with options; NULL means all zero. INVALID_OPTION: the transport lacks a function. If a listener has a
 * transport, clients that exceed the limits get no answer: the socket is closed.
 */
JZ_PUBLIC jz_status jz_server_listen_with(jz_server *server, const char *host, uint16_t port,
                                          const jz_listen_options *options, jz_error *error);

/*
 * Listens on a Unix domain socket. `path` has at most 107 bytes. A socket file on which nobody listens any more is
 * replaced; the file is removed when the server stops listening. The first loop accepts, and hands connections over to
 * all loops.
 */
JZ_PUBLIC jz_status jz_server_listen_unix(jz_server *server, const char *path, jz_error *error);

/* Who may connect through the file of a Unix domain socket. All zero: as without options. */
typedef struct jz_unix_options {
    uint32_t mode;     /* permissions of the file: 1 to 0777; users who may write may connect. 0: as the umask says. */
    const char *owner; /* as for chown: "user", "user:group" or ":group", by name or number. NULL: the process's own. */
    jz_listen_options listening; /* as for jz_server_listen_with */
} jz_unix_options;

/*
 * The same with a mode and an owner. Nobody can connect before the file has both. `options` NULL means all zero.
 * INVALID_ADDRESS: the mode is invalid, or the owner does not exist; PERMISSION_DENIED: this process may not set them.
 */
JZ_PUBLIC jz_status jz_server_listen_unix_with(jz_server *server, const char *path, const jz_unix_options *options,
                                               jz_error *error);

/*
 * Takes ownership of a stream socket that listens already, for instance an inherited one. It is closed when the server
 * stops listening, or at once if this fails. The first loop accepts, and hands connections over to all loops.
 */
JZ_PUBLIC jz_status jz_server_listen_descriptor(jz_server *server, int descriptor, jz_error *error);
JZ_PUBLIC jz_status jz_server_listen_descriptor_with(jz_server *server, int descriptor,
                                                     const jz_listen_options *options, jz_error *error);

/*
 * Takes ownership of all sockets that systemd, or a compatible program, passes to this process (LISTEN_PID, LISTEN_FDS:
 * see the manual page sd_listen_fds(3)). INVALID_STATE if there are none. Only once in a process.
 */
JZ_PUBLIC jz_status jz_server_listen_activated(jz_server *server, jz_error *error);
JZ_PUBLIC jz_status jz_server_listen_activated_with(jz_server *server, const jz_listen_options *options,
                                                    jz_error *error);

/* Options of jz_server_adopt. All zero: as without options. */
typedef struct jz_adopt_options {
    const jz_transport *transport; /* borrowed, must outlive the server; NULL: plain bytes */
    void *transport_context;       /* passed to the transport; must outlive the server, too */
    const char *remote_address;    /* the peer's, as "192.0.2.7:4711" or without the port; NULL: as the socket says */
} jz_adopt_options;

/*
 * Gives the server a connection that it has not accepted, such as a socket that another process passes on (SCM_RIGHTS),
 * or the standard input of a program that inetd starts. With a transport it may be any descriptor that can be watched,
 * such as a pipe or an eventfd: then the bytes come from wherever the transport takes them, and neither a socket nor a
 * port is needed. `options` NULL means all zero.
 *
 * From then on it is a connection like others: counted, limited and timed, by the address in the options or, if there
 * is none, the socket's; a peer without an address is "unix", like those of Unix domain sockets. A PROXY header is
 * expected of a socket whose address is a trusted proxy's. All loops get such connections in turn.
 *
 * The server may run already, and with this call it may run without listening (see also jz_server_expect_adoption).
 * From any thread, and in handlers; it waits for nothing.
 *
 * OK: the descriptor is the server's. The server makes it non-blocking and close-on-exec, and ends the connection, also
 * for others who have the descriptor. If the server stops before a loop has taken it, or has no memory then, the
 * descriptor is closed, and the transport does not hear of it. Otherwise it is still the caller's, though it may be
 * non-blocking now:
 *
 *   LIMIT_REACHED     max_connections, max_handshakes, max_connections_per_address or mailbox_limit: try again later
 *   INVALID_STATE     the server drains, stops, or has stopped
 *   INVALID_ADDRESS   without a transport: no stream socket that is connected; with one: nothing that can be watched,
 *                     such as a file; or remote_address is no IPv4 or IPv6 address
 *   INVALID_OPTION    the transport lacks a function
 *   OUT_OF_MEMORY, NO_DESCRIPTORS, SYSTEM
 */
JZ_PUBLIC jz_status jz_server_adopt(jz_server *server, int descriptor, const jz_adopt_options *options,
                                    jz_error *error);

/* Lets the server run without listening, because it will adopt its connections. Call it before the server runs. */
JZ_PUBLIC jz_status jz_server_expect_adoption(jz_server *server, jz_error *error);

/* The port of the first TCP socket that the server listens on; 0 if there is none. From any thread. */
JZ_PUBLIC uint16_t jz_server_port(const jz_server *server);

/*
 * Whether the calling thread is in one of the server's handlers, which may neither wait for the server nor destroy it.
 */
JZ_PUBLIC bool jz_server_runs_here(const jz_server *server);

/* Whether the calling thread is in a handler of any server, and should not wait for any server. From any thread. */
JZ_PUBLIC bool jz_in_handler(void);

/*
 * Sends a text or binary message to all subscribers of a topic, as jz_ws_publish does, from any thread. CLOSED: the
 * server is stopping, and all clients have been told so; or it has drained, and the last client has left.
 */
JZ_PUBLIC jz_send_status jz_server_publish(jz_server *server, const char *topic, size_t topic_length,
                                           jz_message_kind kind, const void *bytes, size_t length);

/* The same with options; NULL means all zero. including_self has no effect, because no connection is the sender. */
JZ_PUBLIC jz_send_status jz_server_publish_with(jz_server *server, const char *topic, size_t topic_length,
                                                jz_message_kind kind, const void *bytes, size_t length,
                                                const jz_publish_options *options);

/*
 * How many connections are subscribed to a topic. A closing connection counts until its close event has been handled:
 * in that handler it still counts itself, on the loop and on workers alike. From any thread.
 */
JZ_PUBLIC size_t jz_server_subscriber_count(jz_server *server, const char *topic, size_t topic_length);

/*
 * Whether what is published to a topic on the other servers that a broker (jazzy/broker.h) joins reaches the
 * subscribers here now. So that an application need not guess when a subscription has reached them, or whether the
 * connection to them is lost. True for a server without a broker, false unless it runs; of a topic without subscribers
 * here a broker may say either. From any thread, and in handlers: it never blocks.
 */
JZ_PUBLIC bool jz_server_is_live(jz_server *server, const char *topic, size_t topic_length);

/*
 * Which connections are subscribed to a topic: writes the handles of those that jz_server_subscriber_count counts to
 * `connections`, in no order, and returns how many there are. If that is more than `capacity`, only so many were
 * written: call it again with more room. `connections` may be NULL if `capacity` is 0.
 *
 * It waits for no loop, needs no memory, and may be called in handlers. The connections of one loop are those of one
 * moment: while they are copied, that loop cannot change its subscriptions, but does everything else. For 100,000
 * subscribers this takes 0.2 to 0.8 ms, depending on the processor's cache. From any thread.
 */
JZ_PUBLIC size_t jz_server_subscribers(jz_server *server, const char *topic, size_t topic_length, jz_ws *connections,
                                       size_t capacity);

/*
 * Starts the close handshake with all subscribers of a topic, as jz_ws_close does with one, and with the same code and
 * reason for all. What the calling thread sent or published to them before goes out first. The cause of their close
 * events is JZ_CAUSE_APPLICATION.
 *
 * Each loop closes up to 256 of its connections at once (that of the calling thread before this returns, unless it has
 * too many other calls waiting, as for jz_ws_send) and, so that its other connections do not wait, up to 256 more in
 * each further iteration: that takes about 2 ms, with the system calls that send the close frames. All that had
 * subscribed before are closed. A connection that subscribes before the last one is closed may or may not be; messages
 * that are published meanwhile reach those that are still open. If the server is stopped meanwhile, they still get this
 * code. A handler that closes its own connection so gets no more messages, as after jz_ws_close: it is the first to be
 * closed. On workers, what waits for one waits until the loop has seen whether it is.
 *
 * SENT: begun on this loop, and on its way to the others; also if there are no subscribers. DROPPED: the code may not
 * be sent, or the reason is not UTF-8, or the mailbox of a loop is full, or there is no memory: nobody is closed.
 * CLOSED: the server is stopping, and all clients have been told so, or it has ended. From any thread.
 */
JZ_PUBLIC jz_send_status jz_server_close_topic(jz_server *server, const char *topic, size_t topic_length, uint16_t code,
                                               const char *reason, size_t reason_length);

/*
 * How many messages were dropped because a backpressure limit or a mailbox limit was reached, or because there was no
 * memory. From any thread.
 */
JZ_PUBLIC uint64_t jz_server_dropped_count(const jz_server *server);

/*
 * Runs the server on the calling thread (and on `threads` - 1 more) until it is stopped and all connections have ended.
 * If a loop can no longer wait for events, because other code in this process has closed its descriptor, it ends with
 * its connections; this is logged, the server stops, and this returns JZ_STATUS_SYSTEM.
 *
 * The process may fork while the server runs: connections and listeners end properly, although the child has copies of
 * their descriptors until it exits or calls exec. The child itself must not use the server or destroy it. Before the
 * server runs, the process may fork, as daemon does, and the child run the server: then the parent must not use it, and
 * destroys it, if at all, when the child has ended, because that ends listening for both.
 */
JZ_PUBLIC jz_status jz_server_run(jz_server *server, jz_error *error);

/*
 * The same, but Ctrl-C (SIGINT) or SIGTERM stops the server as jz_server_stop does; a second signal, of either kind,
 * ends the process at once. The signals' former actions are restored before it returns. Only for one server of a
 * process at a time.
 */
JZ_PUBLIC jz_status jz_server_run_until_signal(jz_server *server, jz_error *error);

/* Runs the server on its own threads, and returns at once. */
JZ_PUBLIC jz_status jz_server_start(jz_server *server, jz_error *error);

/*
 * Stops the server gracefully: it stops listening, sends every connection close code 1001, flushes the output, waits
 * for the peers' close frames up to the close time-out, or up to jz_options.stop_timeout_ms for peers that still take
 * output (jz_options.min_send_rate), and delivers every close event. Returns at once; jz_server_run or jz_server_wait
 * returns when it is done. From any thread, from handlers, and from signal handlers.
 */
JZ_PUBLIC void jz_server_stop(jz_server *server);

/*
 * The same, but waits up to `grace_ms`, 0 to 3,600,000 (larger values count as that), for the close frames and the
 * output of all connections alike; then the rest is ended, even if it still takes output. Of several calls, the one
 * whose grace ends first counts.
 */
JZ_PUBLIC void jz_server_stop_within(jz_server *server, uint32_t grace_ms);

/*
 * The grace of jz_server_stop: as long as a client needs to answer or to take its output, within the options' limits.
 */
#define JZ_GRACE_AS_NEEDED UINT32_MAX

/* How a server stops. */
typedef struct jz_stop_options {
    uint32_t grace_ms;   /* as for jz_server_stop_within, or JZ_GRACE_AS_NEEDED; begins with the last close frame */
    uint16_t close_code; /* as for jz_ws_close, for instance JZ_CLOSE_SERVICE_RESTART */
    const char *reason;  /* UTF-8, `reason_length` bytes, copied and cut as by jz_ws_close; may be NULL if that is 0 */
    size_t reason_length;

    /*
     * 0 to 3,600,000 (larger values count as that). The close frames are spread evenly over this time, so that clients
     * do not all reconnect at once. Until its close frame a connection is served; no new ones are let in.
     */
    uint32_t spread_ms;
} jz_stop_options;

/* The options of jz_server_stop: JZ_GRACE_AS_NEEDED, 1001, "the server stops", all at once. */
JZ_PUBLIC jz_stop_options jz_stop_options_default(void);

/* INVALID_OPTION if jz_server_stop_with would refuse the options. From any thread. */
JZ_PUBLIC jz_status jz_stop_options_check(const jz_stop_options *options, jz_error *error);

/*
 * jz_server_stop with options. Of several calls of any of these functions, the first decides the code and the reason;
 * the earliest end of the spread counts, and the earliest end of the grace. INVALID_OPTION: the code may not be sent,
 * or the reason is not UTF-8; nothing was done. From any thread, from handlers, and with `error` NULL from signal
 * handlers.
 */
JZ_PUBLIC jz_status jz_server_stop_with(jz_server *server, const jz_stop_options *options, jz_error *error);

/*
 * For a restart: the server accepts the connections that the kernel has queued, and stops listening, so that its
 * successor can listen (without a gap if both have an inherited socket). It continues to serve until the last client
 * has left, or for at most `deadline_ms`, after which it stops as by jz_server_stop. JZ_NEVER: no deadline. From any
 * thread, from handlers, and from signal handlers.
 */
JZ_PUBLIC void jz_server_drain(jz_server *server, uint32_t deadline_ms);

/* How the connections ended that existed when the server was stopped. */
typedef struct jz_ending {
    uint64_t clean;   /* WebSockets: both sides sent a close frame, and all output was sent */
    uint64_t unclean; /* WebSockets: lost, or ended by the peer without a close frame */
    uint64_t cut_off; /* WebSockets: still there when the grace was over */
    uint64_t others;  /* connections that were not WebSockets */
} jz_ending;

/* Complete when the server has stopped. From any thread. */
JZ_PUBLIC jz_ending jz_server_ending(const jz_server *server);

/* Fills in `statistics`, without stopping the loops. From any thread. */
JZ_PUBLIC void jz_server_statistics(const jz_server *server, jz_statistics *statistics);

/* Waits until a server that was started has stopped. Returns at once if it is not running. Not from a handler. */
JZ_PUBLIC void jz_server_wait(jz_server *server);

/*
 * A handle of no connection, by which jz_ws_borrow_server finds this server: for those who outlive it, such as threads
 * of a broker (jazzy/broker.h). No other server of the process ever has the same. From any thread.
 */
JZ_PUBLIC jz_ws jz_server_handle(const jz_server *server);

/*
 * The server of a connection, from any thread, even if the connection has ended; NULL once the server has stopped and
 * is being destroyed. So in a handler of the server, and in its workers, it is never NULL. Unless NULL, the server
 * stays until the same thread calls jz_ws_return_server, which has to be soon, because jz_server_destroy waits for it,
 * and must therefore not be called in between.
 */
JZ_PUBLIC jz_server *jz_ws_borrow_server(jz_ws ws);
JZ_PUBLIC void jz_ws_return_server(jz_ws ws);

/* jz_options.context. From any thread. */
JZ_PUBLIC void *jz_server_context(const jz_server *server);

/*
 * Stops the server, waits for it and frees it. NULL does nothing. In a handler, of this server or another, it returns
 * at once, because two loops could wait for each other: another thread then does it, and handlers may still be called
 * until all close events were delivered. A server that jz_server_run runs cannot be destroyed before that returns.
 */
JZ_PUBLIC void jz_server_destroy(jz_server *server);

JZ_END_DECLARATIONS

#endif
