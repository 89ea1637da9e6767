/*
 * What a server is doing now, for those who look at it once a second, such as a live page for its operator: each loop,
 * the busiest topics, the slowest receivers, the last refusals and failures.
 */
#ifndef JAZZY_INSIGHT_H
#define JAZZY_INSIGHT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "compiler.h"
#include "error.h"
#include "server.h"
#include "statistics.h"
#include "times.h"
#include "websocket.h"

JZ_BEGIN_DECLARATIONS

/* The most topics, and the most receivers, that a look shows. */
#define JZ_MOST_LOOKED_AT 64
/* So many incidents of each kind are kept by each loop; older ones are forgotten. */
#define JZ_KEPT_INCIDENTS 32
/* Of a topic's name in a look, with the NUL. */
#define JZ_LOOKED_NAME_SIZE 128
/* Of what is said about an incident, with the NUL. */
#define JZ_INCIDENT_TEXT_SIZE 160

/* How much a look shows at most. All zero: the statistics, the loops and the workers, and nothing else. */
typedef struct jz_look_options {
    uint32_t topics;    /* at most JZ_MOST_LOOKED_AT */
    uint32_t receivers; /* at most JZ_MOST_LOOKED_AT */
    uint32_t incidents; /* any number */
} jz_look_options;

/* One event loop. Counts are since the server was created; "now" is said where they are not. */
typedef struct jz_loop_look {
    uint64_t websockets;                          /* now */
    uint64_t topics;                              /* now: with subscribers on this loop */
    uint64_t subscriptions;                       /* now */
    uint64_t buffered_bytes;                      /* now: output that the kernel did not take when it was offered */
    uint64_t messages_received[JZ_MESSAGE_KINDS]; /* this and the next three as in jz_statistics */
    uint64_t bytes_received[JZ_MESSAGE_KINDS];
    uint64_t messages_sent[JZ_MESSAGE_KINDS];
    uint64_t bytes_sent[JZ_MESSAGE_KINDS];
    uint64_t dropped;
    uint64_t refused;  /* for all reasons */
    uint64_t failures; /* by all rules */

    /* Times in nanoseconds. */
    uint64_t iterations;
    uint64_t iteration_time;
    uint64_t longest_iteration;
    uint64_t lag; /* now: how long the current iteration has taken so far: a loop that does not answer shows here for
                     how long */
    jz_times iteration_times; /* JZ_TIMING_ITERATION */
    jz_times lateness;        /* JZ_TIMING_LATENESS */
} jz_loop_look;

/* A topic with subscribers, and what was published to it within jz_look.topics_ns. */
typedef struct jz_topic_look {
    char name[JZ_LOOKED_NAME_SIZE]; /* any bytes, with a NUL behind them */
    size_t name_length;             /* of what is there */
    bool is_cut;                    /* the name is longer */
    uint64_t publications;
    uint64_t deliveries;  /* to how many subscribers, in all */
    uint64_t bytes;       /* of the payloads of all deliveries */
    uint64_t subscribers; /* now, on the loops where it is one of the busiest */
} jz_topic_look;

/* A connection with output that the peer has not taken yet. */
typedef struct jz_receiver_look {
    jz_ws ws;
    char address[JZ_REMOTE_ADDRESS_SIZE]; /* as jz_ws_remote_address */
    const char *route;     /* its path or pattern, until the server is destroyed; NULL: it is no WebSocket (yet) */
    uint64_t unsent_bytes; /* accepted for sending, and not yet taken by the kernel */
    bool is_timed;         /* the next is known: see jz_server_measure */
    uint64_t open_ms;      /* for how long it has been a WebSocket */
    uint32_t loop;
} jz_receiver_look;

typedef enum jz_incident_kind {
    JZ_INCIDENT_REFUSED, /* a connection that was refused before it was a WebSocket */
    JZ_INCIDENT_FAILED,  /* a WebSocket that failed: it had an error event */
    JZ_INCIDENT_CLOSED,  /* a WebSocket that ended otherwise than it should: without a close frame of the peer, unless
                            the  application ended it; or by a limit (JZ_CAUSE_BACKPRESSURE, JZ_CAUSE_MESSAGE_RATE) */
    JZ_INCIDENT_LOST,    /* a transport, such as TLS, that failed before there was a WebSocket */
    JZ_INCIDENT_KINDS
} jz_incident_kind;

/* A word for programs, such as "refused": that of the enumerator. It never changes. Never NULL; static. */
JZ_PUBLIC const char *jz_incident_kind_name(jz_incident_kind kind);

typedef struct jz_incident {
    jz_incident_kind kind;
    uint64_t number;    /* from 1, counted by each loop for each kind: with both, it names the incident */
    uint64_t time_ms;   /* of the clock on the wall, since 1970 */
    const char *reason; /* jz_refusal_name, jz_failure_name or jz_close_cause_name, as in metrics. Static */
    char text[JZ_INCIDENT_TEXT_SIZE]; /* a clause for people, escaped as lines of the log are */
    uint16_t close_code;              /* of a WebSocket; 0: there is none */
    const char *route; /* its path or pattern, until the server is destroyed; NULL: it is not known, or has none */
    char address[JZ_REMOTE_ADDRESS_SIZE]; /* of the peer, or of the client according to a trusted proxy */
    uint32_t loop;
    uint64_t clock_ns; /* of the clock of jz_look.clock_ns: which was first, whatever became of the clock on the wall */
} jz_incident;

/* The threads for handlers that may block. */
typedef struct jz_workers_look {
    uint32_t threads;
    uint32_t busy;   /* of them: a handler runs */
    uint64_t queued; /* connections with events that wait for a thread */
} jz_workers_look;

/* What the transports of the server tell of themselves, such as TLS, all together. Counted since they were made. */
typedef struct jz_transports_look {
    bool are_there;      /* some transport tells something */
    uint64_t handshakes; /* that succeeded, full and resumed ones */
    uint64_t resumed;
    uint64_t failed;
    uint64_t reloads; /* of certificates */
    uint64_t failed_reloads;
    int64_t expires; /* when the first certificate in use does, in seconds since 1970; 0: none does */
} jz_transports_look;

/* The process. Each number is UINT64_MAX where the system does not tell it. */
typedef struct jz_process_look {
    uint64_t cpu_ns; /* user and system time */
    uint64_t resident_bytes;
    uint64_t virtual_bytes;
    uint64_t descriptors;     /* open ones */
    uint64_t max_descriptors; /* how many it may open */
} jz_process_look;

/* All that was seen. The arrays are part of it. */
typedef struct jz_look {
    const char *state; /* "running", "draining", "stopping", or "stuck", as jz_server_route_health tells it. Static */
    bool has_broker;
    jz_transports_look transports;
    jz_process_look process;
    uint64_t time_ms;         /* of the clock on the wall, since 1970 */
    uint64_t clock_ns;        /* of a clock that never goes back: for rates, from the differences of two looks */
    jz_statistics statistics; /* as jz_server_statistics, except that buffered_bytes is only what the kernel did not
                                 take when it was offered */
    jz_workers_look workers;
    const jz_loop_look *loops;
    size_t loop_count;

    /*
     * The busiest first: those with the most publications and deliveries together. Counted within a period of
     * `topics_ns` nanoseconds, whose number is `topics_period`: each look begins a new one, unless the last has just
     * begun (500 ms), and then shows the period before, again. So several may look. 0: nothing was counted yet, because
     * nobody has looked for some seconds, and this look lets it begin.
     */
    const jz_topic_look *topics;
    size_t topic_count;
    uint64_t topics_ns;
    uint64_t topics_period;

    const jz_receiver_look *receivers; /* those with the most unsent bytes first */
    size_t receiver_count;

    const jz_incident *incidents; /* the last first */
    size_t incident_count;
    uint64_t incidents_total[JZ_INCIDENT_KINDS]; /* since the server was created, also those that are forgotten */
} jz_look;

/*
 * Looks at the server. To be freed with jz_look_free. NULL: there is no memory. `options` NULL: as much of everything
 * as fits. From any thread, in handlers, and from several threads at the same time, before the server runs and until it
 * is destroyed.
 *
 * It asks no loop and waits for none: a blocked loop is shown like the others, with its `lag`. The caller's thread does
 * the work: about 20 µs for each loop, however many topics there are and, where output waits, 10 µs more for every
 * thousand connections of that loop. If there are very many connections, look from a thread of your own or a worker.
 *
 * Nothing is counted for topics while nobody looks at them: counting begins with a look and ends 5 seconds after the
 * last; meanwhile each publication costs about 10 ns more on each loop with subscribers. The figures of topics are
 * exact for the JZ_MOST_LOOKED_AT busiest of each loop; publications that reach no subscriber, and topics whose last
 * subscriber has left, are not in them.
 *
 * Addresses and the names of topics are for the operator alone: show them to nobody else.
 */
JZ_PUBLIC jz_look *jz_server_look(jz_server *server, const jz_look_options *options, jz_error *error);

/* NULL does nothing. From any thread, also when the server has been destroyed. */
JZ_PUBLIC void jz_look_free(jz_look *look);

JZ_END_DECLARATIONS

#endif
