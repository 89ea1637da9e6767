/* What can be chosen about a server and about its routes. */
#ifndef JAZZY_OPTIONS_H
#define JAZZY_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "compiler.h"
#include "event.h"
#include "log.h"
#include "request.h"
#include "websocket.h"

JZ_BEGIN_DECLARATIONS

/* Loops, and so threads, of one server. */
#define JZ_MAX_THREADS 255
/* A time-out that never passes. */
#define JZ_NEVER UINT32_MAX
/* A number that is not limited. */
#define JZ_UNLIMITED UINT32_MAX

/* How connections come to the loops of a server that has several. */
typedef enum jz_accepting {
    /* Every loop listens on the port, and the kernel chooses by a hash of the addresses. It costs nothing; few
       connections, or many through few proxies, can be spread unevenly. */
    JZ_ACCEPTING_SHARED_PORT,
    /* The first loop accepts, and hands each loop every nth connection. Even, at the price of a wake-up for each. */
    JZ_ACCEPTING_HAND_OVER
} jz_accepting;

/* Where the address of a client is read that is behind one of the trusted proxies. One place only: a proxy that sets
   one of them passes the others on as the client sent them. */
typedef enum jz_client_address {
    JZ_CLIENT_ADDRESS_PEER,            /* nowhere: the peer of the socket is the client */
    JZ_CLIENT_ADDRESS_X_FORWARDED_FOR, /* the last address in X-Forwarded-For that is no trusted proxy's */
    JZ_CLIENT_ADDRESS_FORWARDED,       /* the same in Forwarded, RFC 7239 */
    JZ_CLIENT_ADDRESS_PROXY_PROTOCOL   /* the PROXY protocol, v1 or v2, with which a trusted proxy has to begin */
} jz_client_address;

/* Where the host is read that a client asked for, when it is behind one of the trusted proxies: that is what pages have
   to come from for JZ_ORIGIN_SAME_HOST. One place only, for the same reason. */
typedef enum jz_forwarded_host {
    JZ_FORWARDED_HOST_NONE,             /* nowhere: the proxies pass the client's Host on */
    JZ_FORWARDED_HOST_X_FORWARDED_HOST, /* the last host in X-Forwarded-Host, which the nearest proxy wrote */
    JZ_FORWARDED_HOST_FORWARDED /* "host" of Forwarded, RFC 7239, as the first of the proxies says that is trusted */
} jz_forwarded_host;

/*
 * Options of a server. Start from jz_options_default(); jz_server_create refuses what is out of range. Everything is
 * copied. Where a route has an option of the same name, this is its default.
 */
typedef struct jz_options {
    uint32_t threads;           /* loops, each with a thread: 1 to JZ_MAX_THREADS; default: the number of cores that
                                   this process may use */
    jz_accepting accepting;     /* default JZ_ACCEPTING_SHARED_PORT */
    uint32_t worker_threads;    /* for routes that run on workers: 1 to 1,024; default 8 */
    size_t thread_stack_size;   /* of each thread that the server starts, bytes, whatever `ulimit -s` says: 256 KiB to
                                   1 GiB; default 8 MiB. Only what is used of it costs memory. Handlers run on them;
                                   jz_server_run has one loop on its caller's thread, and that thread's stack. */
    uint32_t backlog;           /* connections that the kernel keeps for us to accept: 1 to 65,535; default 4,096 */
    size_t receive_buffer_size; /* one per loop, bytes: 4 KiB to 16 MiB; default 512 KiB */
    size_t mailbox_limit; /* bytes of what other threads may have asked of one loop, by whatever call, before it has
                             done it, each with 128 bytes besides what it carries; beyond it calls answer DROPPED:
                             64 KiB to 4 GiB; default 64 MiB */

    /* Messages. */
    size_t max_message_size;         /* bytes, decompressed: 1 to 1 GiB; default 1 MiB. On its way a compressed message
                                        may be a quarter longer, and 16 bytes more for each of its frames, as flushes
                                        behind fragments make it; what is held of it stays below 2.5 times this,
                                        and what zlib needs. */
    uint32_t max_frames_per_message; /* besides one for each byte of payload that has come (where compressed, as it
                                        came): an empty frame beyond that fails the connection with code 1009. So
                                        fragments of any size from a byte on may make up a message as large as
                                        max_message_size, and empty ones have an end. Control frames do not count.
                                        1 to 4,294,967,294, or JZ_UNLIMITED; default 65,536 */
    size_t backpressure_limit;       /* unsent bytes of one connection beyond which sends are dropped: 4 KiB to 4 GiB;
                                        default 1 MiB. Half of it pauses reading from that connection. */

    /* Time-outs, in milliseconds. They pass up to 50 ms late; the idle time-out, which is two of them, up to 150 ms. */
    uint32_t handshake_timeout_ms;  /* from accepting to the whole request head: 100 to 3,600,000; default 10,000 */
    uint32_t keep_alive_timeout_ms; /* from an answer to the first byte of the next request on its connection, whose
                                       whole head then has handshake_timeout_ms. Longer than a balancer in front of the
                                       server keeps its connections, often 60 s, lest it sends a request to one that is
                                       about to end: 100 to 3,600,000; default 75,000 */
    uint32_t upgrade_timeout_ms;    /* for a route's upgrade hook to answer: 100 to 3,600,000; default 10,000 */
    uint32_t idle_timeout_ms;       /* without a byte from a peer, nor progress of what is sent to it, and a ping (at
                                       half of it) unanswered; not while reading is paused: 100 to
                                       86,400,000, or JZ_NEVER; default 120,000 */
    uint32_t max_lifetime_ms;       /* of a WebSocket, which is then closed with code 1001: 100 to 2,592,000,000 (30
                                       days), or JZ_NEVER; default JZ_NEVER */
    uint32_t close_timeout_ms;      /* from our close frame, or the last page, to the end, but see min_send_rate: 100 to
                                       3,600,000; default 5,000 */
    uint32_t stop_timeout_ms;       /* from jz_server_stop to the end of whoever still takes what was sent: 100 to
                                       3,600,000, or close_timeout_ms where that is more; default 120,000 */
    uint32_t min_send_rate;         /* bytes a second that a peer takes for whom output waits: 1 to 1 GiB; default 256.
                                       Whoever takes as many, on average over a time-out, is not idle, and neither a page
                                       nor the closing nor jz_server_stop is late for it: what it was sent arrives.
                                       Kernels tell in steps what was taken, so that a peer has 8 s to take anything, or
                                       four times a time-out of less than 2 s. */
    uint32_t tcp_keep_alive_ms;     /* silence before the kernel probes a peer; parts of a second do not count: 1,000 to
                                       32,767,000, or JZ_NEVER; default 120,000 */

    /* Who is let in. What is refused is answered with 503 where not said otherwise. */
    uint32_t max_connections;             /* of this process, all its servers together, beyond which this one refuses: 1
                                             to 4,294,967,294, or JZ_UNLIMITED (the default) */
    uint32_t max_connections_per_address; /* of this server, where an IPv6 address counts with all of its /64: likewise;
                                             answered with 429. Trusted proxies are not counted, their clients are. */
    uint32_t max_handshakes;              /* connections of this server that are no WebSockets yet: likewise */
    uint32_t max_head_size;    /* of a request head, bytes: 256 to 65,536; default 8,192; answered with 431 */
    uint32_t max_header_count; /* 1 to 256; default 64; answered with 431 */

    /* Behind proxies. */
    jz_client_address client_address;   /* default JZ_CLIENT_ADDRESS_PEER; any other needs trusted proxies */
    jz_forwarded_host forwarded_host;   /* default JZ_FORWARDED_HOST_NONE; any other needs trusted proxies, and not
                                           JZ_CLIENT_ADDRESS_PROXY_PROTOCOL */
    const char *const *trusted_proxies; /* addresses as "192.0.2.7", networks as "2001:db8::/32", or "unix" for whoever
                                           comes through a Unix domain socket; default none */
    size_t trusted_proxy_count;         /* 0 to 1,024 */

    jz_log_function log;    /* default NULL: warnings and errors go to standard error; everything where log_level is
                               JZ_LOG_DEBUG */
    void *log_context;      /* passed to `log` */
    jz_log_level log_level; /* the least that is told: JZ_LOG_DEBUG to JZ_LOG_ERROR; default JZ_LOG_INFO */
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
    JZ_BACKPRESSURE_DROP,  /* it is dropped and counted */
    JZ_BACKPRESSURE_CLOSE, /* likewise, and the connection is closed with code 1013, Try Again Later */
    JZ_BACKPRESSURE_REPORT /* likewise, and the route's `dropped` is called: for what is published, whose sender does
                              not learn who missed it */
} jz_backpressure_policy;

/* Where a route's handler runs. Either way the events of one connection keep their order and never overlap. */
typedef enum jz_execution {
    JZ_EXECUTION_LOOP,   /* on the thread of the connection's loop: the handler has to return soon */
    JZ_EXECUTION_WORKERS /* on one of the server's workers: it may block, as on a database; events are copied for it */
} jz_execution;

/* From which pages browsers may connect: against cross-site WebSocket hijacking (RFC 6455 §10.2). Who is refused is
   answered with 403; of each route the first is told to the log as a warning, with the way out. A request without an
   Origin is no browser's, and is let in. */
typedef enum jz_origin_policy {
    JZ_ORIGIN_SAME_HOST, /* from pages of the host and port that the request is for, as its target, Host, or what
                            forwarded_host names, says */
    JZ_ORIGIN_LISTED,    /* from the origins that the route lists */
    JZ_ORIGIN_ANY
} jz_origin_policy;

/* Called where the route's handler is, in order with its events and never at the same time. */
typedef void (*jz_output_callback)(void *context, jz_ws ws);

/* Options of one WebSocket route. Start from jz_route_options_default(). Everything is copied. */
typedef struct jz_route_options {
    /* 0, the default, takes the server's. */
    size_t max_message_size;
    uint32_t max_frames_per_message;
    size_t backpressure_limit;
    uint32_t idle_timeout_ms;
    uint32_t max_lifetime_ms;
    uint32_t upgrade_timeout_ms;

    jz_deflate_options deflate;
    jz_backpressure_policy backpressure_policy; /* default JZ_BACKPRESSURE_DROP */
    uint32_t kernel_send_limit;                 /* bytes that the kernel takes for a connection beyond what its peer has
                                                   room for, before output waits: 4 KiB to 1 GiB; up to a packet, 64 KiB
                                                   on loopback, can come on top. 0, the default, leaves it to the
                                                   system: some 3 MB, which come before backpressure_limit. */
    jz_output_callback drained;                 /* unsent output has fallen to half of the backpressure limit, after
                                                   it had been above; default NULL */
    jz_output_callback dropped;                 /* JZ_BACKPRESSURE_REPORT: a message, or several, were dropped; once
                                                   until the output has drained; default NULL */

    jz_execution execution;             /* default JZ_EXECUTION_LOOP */
    uint32_t max_waiting_events;        /* of one connection for a worker, before reading from it pauses until half of
                                           them have been run: 1 to 65,536; default 256. It pauses likewise while
                                           messages of more bytes than backpressure_limit wait, each counted with some
                                           128 bytes besides its payload. What a read has brought beyond that is kept
                                           as it came. */
    void (*release_state)(void *state); /* given what jz_ws_set_state was, or an acceptance, once, after the close
                                         event, where the handler runs, or on the loop where there is no memory to
                                         open the connection; the connection has no state any more;
                                         default NULL */

    jz_upgrade_hook upgrade; /* decides who is let in; default NULL: everybody that the origin policy allows. Called on
                                the loop, whatever `execution` says, with the context of the handler. */
    jz_upgrade_end upgrade_ended;   /* follows each call of `upgrade`, once, when its question is over; default NULL */
    jz_origin_policy origin_policy; /* default JZ_ORIGIN_SAME_HOST */
    const char *const *allowed_origins; /* JZ_ORIGIN_LISTED: as "https://example.com:8443", compared as RFC 6454 §5.
                                           Also "null", which any page can make its origin by a sandboxed frame, and
                                           "file://" */
    size_t allowed_origin_count;        /* 0 to 1,024 */
    const char *const *subprotocols;    /* that the application speaks, the best first: the first that a client offers
                                           is agreed on (RFC 6455 §1.9); none is where it offers none of them */
    size_t subprotocol_count;           /* 0 to 256 */
} jz_route_options;

JZ_PUBLIC jz_route_options jz_route_options_default(void);

JZ_END_DECLARATIONS

#endif
