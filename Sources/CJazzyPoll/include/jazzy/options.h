/* Options of a server and of its routes. */
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

/* The most loops, and therefore threads, of one server. */
#define JZ_MAX_THREADS 255
/* No time-out. */
#define JZ_NEVER UINT32_MAX
/* No limit. */
#define JZ_UNLIMITED UINT32_MAX

/* How connections are distributed over the loops of a server. */
typedef enum jz_accepting {
    /* Every loop listens on the port, and the kernel chooses one by a hash of the addresses. This costs nothing, but
       few connections, or many through few proxies, can be distributed unevenly. Where the kernel does not
       distribute, as on macOS, this is the same as JZ_ACCEPTING_HAND_OVER. */
    JZ_ACCEPTING_SHARED_PORT,
    /* The first loop accepts, and hands every nth connection to each loop. Even, but costs a wake-up for each
       connection. */
    JZ_ACCEPTING_HAND_OVER
} jz_accepting;

/*
 * Where the server finds the address of a client behind a trusted proxy. Only one place, because a proxy that sets one
 * of them passes on the others as the client sent them.
 */
typedef enum jz_client_address {
    JZ_CLIENT_ADDRESS_PEER,            /* the peer of the socket is the client */
    JZ_CLIENT_ADDRESS_X_FORWARDED_FOR, /* the last address in X-Forwarded-For that is not a trusted proxy */
    JZ_CLIENT_ADDRESS_FORWARDED,       /* the same in Forwarded, RFC 7239 */
    JZ_CLIENT_ADDRESS_PROXY_PROTOCOL,  /* the PROXY protocol, v1 or v2; a trusted proxy must begin with it */
    /* The one address in the header that client_address_header names, such as CF-Connecting-IP or X-Real-IP: with a
       port or without, IPv6 in brackets or not. The proxy must set it, and remove what the client sent. Where it is
       there more than once, or is no address, the request is answered with 400; where it is missing, the proxy itself
       counts as the client, which is logged. */
    JZ_CLIENT_ADDRESS_HEADER
} jz_client_address;

/*
 * Where the server finds the host that a client behind a trusted proxy asked for: for JZ_ORIGIN_SAME_HOST pages must
 * come from that host. Only one place, for the same reason.
 */
typedef enum jz_forwarded_host {
    JZ_FORWARDED_HOST_NONE,             /* Host, which the proxies pass on unchanged */
    JZ_FORWARDED_HOST_X_FORWARDED_HOST, /* the last host in X-Forwarded-Host, which the nearest proxy wrote */
    JZ_FORWARDED_HOST_FORWARDED         /* "host" of Forwarded, RFC 7239, according to the first trusted proxy */
} jz_forwarded_host;

/*
 * Options of a server. Start from jz_options_default(); jz_server_create refuses values out of range. Everything is
 * copied. If a route has an option of the same name, this is its default.
 */
typedef struct jz_options {
    uint32_t threads;       /* event loops, one thread each: 1 to JZ_MAX_THREADS; default: the number of cores that this
                               process may use */
    jz_accepting accepting; /* default JZ_ACCEPTING_SHARED_PORT */
    uint32_t worker_threads;  /* for routes that run on workers: 1 to 1,024; default 8 */
    size_t thread_stack_size; /* bytes, of each thread that the server starts, regardless of `ulimit -s`: 256 KiB to 1
                                 GiB; default 8 MiB. Only the used part costs memory. Handlers run on these threads; but
                                 one loop of jz_server_run runs on the caller's thread, with that thread's stack. */
    uint32_t backlog;         /* connections that the kernel queues until we accept them: 1 to 65,535; default 4,096 */
    size_t receive_buffer_size; /* one per loop, bytes: 4 KiB to 16 MiB; default 512 KiB */
    size_t mailbox_limit;  /* bytes of calls from other threads that wait for one loop: each counts its content and 128
                              bytes; beyond the limit calls return DROPPED, but a handler's on workers that ends its
                              own connection: 64 KiB to 4 GiB; default 64 MiB */
    size_t history_limit;  /* bytes of all histories (history.h), their payloads and 48 bytes a message included: 64 KiB
                              to 1 TiB; default 64 MiB */
    size_t presence_limit; /* bytes of all members of topics (presence.h), some 300 and their key and info each: 64 KiB
                              to 1 TiB; default 256 MiB */
    uint32_t max_members;  /* of one topic: 1 to 4,294,967,294, or JZ_UNLIMITED; default 100,000 */
    size_t max_member_info; /* bytes of a member's info: 0 to 64 KiB; default 1 KiB */

    /* Messages. */
    size_t max_message_size; /* bytes, decompressed: 1 to 1 GiB; default 1 MiB. On the wire a compressed message may be
                                longer, by a quarter and by 16 bytes for each frame, because clients flush behind
                                fragments. Its memory stays below 2.5 times this limit, plus what zlib needs. */
    /* Frames of one message, beyond one for each received byte of payload (compressed, if it is): an empty frame beyond
       that fails the connection with code 1009. So a message up to max_message_size may have fragments of any size from
       1 byte, but the number of empty ones is limited. Control frames do not count. 1 to 4,294,967,294, or
       JZ_UNLIMITED; default 65,536 */
    uint32_t max_frames_per_message;
    size_t backpressure_limit; /* unsent bytes of one connection beyond which sends are dropped: 4 KiB to 4 GiB; default
                                  1 MiB. Beyond half of it reading from that connection pauses. */

    /* Time-outs, in milliseconds. They may be up to 50 ms late; the idle time-out, which has two parts, 150 ms. */
    uint32_t handshake_timeout_ms;  /* from accepting to the complete request head: 100 to 3,600,000; default 10,000 */
    uint32_t keep_alive_timeout_ms; /* from a response to the first byte of the next request on the connection, whose
                                       head then has handshake_timeout_ms. Should be longer than a load balancer in
                                       front of the server keeps connections, often 60 s, so that it never sends a
                                       request on a connection that is about to end: 100 to 3,600,000; default 75,000 */
    uint32_t upgrade_timeout_ms;    /* for a route's upgrade hook to answer: 100 to 3,600,000; default 10,000 */
    uint32_t idle_timeout_ms;  /* without bytes from the peer, without progress in sending to it, and with a ping (after
                                  half of the time) unanswered; not while reading is paused: 100 to 86,400,000, or
                                  JZ_NEVER; default 120,000 */
    uint32_t max_lifetime_ms;  /* of a WebSocket, which is then closed with code 1001: 100 to 2,592,000,000 (30
                                  days), or JZ_NEVER; default JZ_NEVER */
    uint32_t close_timeout_ms; /* from our close frame, or the last page, to the end of the connection, but see
                                  min_send_rate: 100 to 3,600,000; default 5,000 */
    uint32_t stop_timeout_ms;  /* from jz_server_stop to the end of connections whose peers still take their output: 100
                                  to 3,600,000, or close_timeout_ms if that is more; default 120,000 */
    uint32_t min_send_rate;    /* bytes per second that a peer must take while output waits for it: 1 to 1 GiB; default
                                  256. A peer that takes as many, on average over a time-out, is not idle, and the
                                  time-outs of pages, of closing and of jz_server_stop do not end it: it receives all
                                  that was sent. Kernels report in steps what a peer took, so it has 8 s to take anything,
                                  or    four times a time-out of less than 2 s. */
    uint32_t tcp_keep_alive_ms; /* silence before the kernel probes a peer, in whole seconds: 1,000 to 32,767,000, or
                                   JZ_NEVER; default 120,000 */

    /* Which clients are let in. Others get a 503 unless stated otherwise. */
    uint32_t max_connections; /* of all servers of this process, beyond which this one refuses: 1 to 4,294,967,294, or
                                 JZ_UNLIMITED (the default) */
    uint32_t max_connections_per_address; /* of this server; IPv6 addresses count by /64 network: same range; answered
                                             with 429. Trusted proxies are not counted, their clients are. */
    uint32_t max_handshakes;              /* connections of this server that are not WebSockets yet: same range */
    uint32_t max_head_size;    /* of a request head, bytes: 256 to 65,536; default 8,192; answered with 431 */
    uint32_t max_header_count; /* 1 to 256; default 64; answered with 431 */

    /* Behind proxies. Where the server takes the address or the host from a header, it also believes what proxies say
       of TLS there (jz_request_is_secure): they have to set that header, too, or remove what clients send. */
    jz_client_address client_address;   /* default JZ_CLIENT_ADDRESS_PEER; any other needs trusted proxies */
    const char *client_address_header;  /* the name of a header, for JZ_CLIENT_ADDRESS_HEADER and no other; default
                                           NULL */
    jz_forwarded_host forwarded_host;   /* default JZ_FORWARDED_HOST_NONE; any other needs trusted proxies, and not
                                           JZ_CLIENT_ADDRESS_PROXY_PROTOCOL */
    const char *const *trusted_proxies; /* addresses as "192.0.2.7", networks as "2001:db8::/32", or "unix" for all
                                           peers of Unix domain sockets, and others without an address; default
                                           none */
    size_t trusted_proxy_count;         /* 0 to 1,024 */

    void *context; /* of the application, which jz_server_context returns; default NULL */

    jz_log_function log; /* default NULL: warnings and errors go to standard error; everything with JZ_LOG_DEBUG */
    jz_log_record_function log_record; /* called instead of `log`, with what each line is about; default NULL */
    void *log_context;                 /* passed to `log` and `log_record` */
    jz_log_level log_level; /* the lowest level that is logged: JZ_LOG_DEBUG to JZ_LOG_ERROR; default JZ_LOG_INFO */
} jz_options;

JZ_PUBLIC jz_options jz_options_default(void);

/*
 * Compression of messages, permessage-deflate (RFC 7692), for clients that offer it. The additional memory of a
 * connection, with w window bits and memory level m, is zlib's, and allocated for the first message that needs it:
 *
 *     JZ_DEFLATE_SHARED     nothing: each loop has one compressor for each window size agreed on, and one decompressor
 *     JZ_DEFLATE_DEDICATED  2^(w+2) + 2^(m+9) bytes + 6 KiB to compress, 262 KiB by default; 2^w bytes + 7 KiB to
 *                           decompress, 39 KiB by default (with the window that the client agreed to); nothing for a
 *                           direction without context takeover, which either side can ask for
 *
 * Built with JAZZY_DEFLATE=isal, or the package's trait JazzyISAL, messages are compressed by Intel's ISA-L. It has two
 * levels, one for those below 6 (at 1, short messages that repeat themselves take less time still, and become some
 * percent larger); a connection's compressor takes 2^(m+8) bytes, at least 4 KiB, + 165 KiB whatever the
 * window, 229 KiB by default, and 64 KiB less than that below level 6. Its decompressor is zlib's.
 */
typedef enum jz_deflate_mode {
    JZ_DEFLATE_OFF,
    JZ_DEFLATE_SHARED,   /* each message on its own: no context takeover, in either direction */
    JZ_DEFLATE_DEDICATED /* messages refer to earlier ones, if the client agrees: makes small messages much smaller */
} jz_deflate_mode;

typedef struct jz_deflate_options {
    jz_deflate_mode mode;    /* default JZ_DEFLATE_OFF */
    uint8_t window_bits;     /* the largest window, as a power of two of bytes: 9 to 15; default 15 */
    uint8_t memory_level;    /* as zlib's: 1 to 9; default 8 */
    uint8_t level;           /* as zlib's, 1 (fastest) to 9 (smallest); default 6 */
    size_t min_message_size; /* bytes; a smaller message is sent uncompressed; default 64 */
} jz_deflate_options;

/* What happens to a message if the receiving connection's unsent output has reached the backpressure limit. */
typedef enum jz_backpressure_policy {
    JZ_BACKPRESSURE_DROP,  /* the message is dropped and counted */
    JZ_BACKPRESSURE_CLOSE, /* the same, and the connection is closed with code 1013, Try Again Later. If it was its
                              own handler that sent too much, on the loop or on workers, it gets none of the messages
                              that wait then; else those that wait for a worker come before the close event */
    JZ_BACKPRESSURE_REPORT /* the same, and the route's `dropped` is called: useful for publications, whose sender does
                              not learn which receivers missed them */
} jz_backpressure_policy;

/* What happens if a peer sends more messages than its route allows. */
typedef enum jz_exceeding {
    JZ_EXCEEDING_CLOSE, /* the connection is closed with code 1008, Policy Violation, and JZ_CAUSE_MESSAGE_RATE */
    JZ_EXCEEDING_PAUSE, /* reading pauses until there may be another message: none is lost, and TCP slows the peer down.
                           What came with the last one is kept, at most receive_buffer_size. Timers are coarse: what may
                           be received is handled up to 100 ms late, several messages at a time, so that a burst is
                           never less than what the rate gives in 100 ms and one more. */
    JZ_EXCEEDING_DROP,  /* the message is dropped: the handler does not get it */
    JZ_EXCEEDING_COUNT
} jz_exceeding;

/* The highest rate and the largest burst. */
#define JZ_MAX_MESSAGE_RATE 1000000

/*
 * The rate of messages that one connection may send (a token bucket): `burst` at once, after silence, and `per_second`
 * on average. Each text and binary message counts, when it is complete. Pings and pongs count, too, but among
 * themselves: they have another allowance of the same rate and burst, to which each ping of the idle time-out adds one,
 * so that a peer can answer that at any time. (A ping is answered even if it is then dropped.) Messages beyond the
 * limit are counted as received, and in jz_statistics.exceeded.
 */
typedef struct jz_message_rate {
    uint32_t per_second; /* 1 to 1,000,000; 0, the default: no limit */
    uint32_t burst;      /* 1 to 1,000,000; 0, the default: as many as `per_second` */
    jz_exceeding exceeding;
} jz_message_rate;

/* Where a route's handler runs. Either way the events of one connection keep their order and never overlap. */
typedef enum jz_execution {
    JZ_EXECUTION_LOOP,   /* on the thread of the connection's loop: the handler must return soon */
    JZ_EXECUTION_WORKERS /* on one of the server's workers: it may block, for instance on a database; events are copied
                            for it. The loop answers pings, and the peer's close (RFC 6455 §5.5.1), at once: what the
                            handler sends after that, to a message before it, does not reach the peer any more.
                            A handler that ends its connection gets no more messages, also after that */
} jz_execution;

/*
 * From which pages browsers may connect: against cross-site WebSocket hijacking (RFC 6455 §10.2). Others get a 403; the
 * first refusal of each route is logged as a warning that says what to do. A request without an Origin does not come
 * from a browser, and is let in.
 */
typedef enum jz_origin_policy {
    /* From pages of the host and port that the request is for, according to its target, Host, or forwarded_host. If the
       request is secure (jz_request_is_secure), the page must have come by https, too; otherwise the schemes are not
       compared, because a proxy may terminate TLS without saying so. */
    JZ_ORIGIN_SAME_HOST,
    JZ_ORIGIN_LISTED, /* from the origins that the route lists */
    JZ_ORIGIN_ANY
} jz_origin_policy;

/* Called on the thread of the route's handler, in order with its events and never at the same time. */
typedef void (*jz_output_callback)(void *context, jz_ws ws);

/* Options of one WebSocket route. Start from jz_route_options_default(). Everything is copied. */
typedef struct jz_route_options {
    /* 0, the default, means the server's value. */
    size_t max_message_size;
    uint32_t max_frames_per_message;
    size_t backpressure_limit;
    uint32_t idle_timeout_ms;
    uint32_t max_lifetime_ms;
    uint32_t upgrade_timeout_ms;

    jz_deflate_options deflate;
    jz_message_rate message_rate;               /* default: no limit, which costs nothing */
    jz_backpressure_policy backpressure_policy; /* default JZ_BACKPRESSURE_DROP */
    /* Bytes that the kernel buffers for a connection beyond its peer's receive window, before output waits: 4 KiB to
       1 GiB; can be exceeded by a packet, 64 KiB on loopback. 0, the default, leaves it to the system: about 3 MB, in
       addition to backpressure_limit. */
    uint32_t kernel_send_limit;
    jz_output_callback drained; /* unsent output has fallen to half of the backpressure limit, after it was above;
                                   default NULL */
    jz_output_callback dropped; /* JZ_BACKPRESSURE_REPORT: one or several messages were dropped; called once until the
                                   output has drained; default NULL */

    /* Whether the handler is called with pings and pongs; default true. If not, pings are answered all the same, both
       count in the statistics and as activity of the peer, and none of them waits for a worker. */
    bool control_messages;

    jz_execution execution; /* default JZ_EXECUTION_LOOP */
    /* Events of one connection that wait for a worker; at the limit reading from it pauses until half of them have been
       run: 1 to 65,536; default 256. Reading also pauses if the waiting messages reach backpressure_limit, each counted
       with its payload and about 128 bytes. Input of the same read beyond that is kept. */
    uint32_t max_waiting_events;
    /* Called once with the state from jz_ws_set_state, or from an acceptance, after the close event, on the thread of
       the handler; or on the loop, if there was no memory to open the connection. The connection has no state any more;
       default NULL */
    void (*release_state)(void *state);

    /* Decides which clients are let in; default NULL: all that the origin policy allows. Always called on the loop,
       regardless of `execution`, with the context of the handler. */
    jz_upgrade_hook upgrade;
    jz_upgrade_end upgrade_ended; /* called once for each call of `upgrade`, when its question is over; default NULL */
    jz_origin_policy origin_policy; /* default JZ_ORIGIN_SAME_HOST */
    /* JZ_ORIGIN_LISTED: as "https://example.com:8443", compared according to RFC 6454 §5. Also "null", which any page
       can send from a sandboxed frame, and "file://" */
    const char *const *allowed_origins;
    size_t allowed_origin_count;     /* 0 to 1,024 */
    const char *const *subprotocols; /* that the application speaks, in order of preference: the first that a client
                                        offers is chosen (RFC 6455 §1.9); none if the client offers none of them */
    size_t subprotocol_count;        /* 0 to 256 */
} jz_route_options;

JZ_PUBLIC jz_route_options jz_route_options_default(void);

JZ_END_DECLARATIONS

#endif
