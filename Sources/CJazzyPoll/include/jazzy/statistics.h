/* Statistics of a server, for its operator. */
#ifndef JAZZY_STATISTICS_H
#define JAZZY_STATISTICS_H

#include <stdbool.h>
#include <stdint.h>

#include "compiler.h"
#include "error.h"
#include "event.h"
#include "options.h"

JZ_BEGIN_DECLARATIONS

/* Why a connection was refused before it was a WebSocket. */
typedef enum jz_refusal {
    JZ_REFUSAL_MALFORMED_HEAD,    /* 400: not HTTP, or HTTP that two parsers could understand differently */
    JZ_REFUSAL_HEAD_TOO_LARGE,    /* 431: max_head_size, max_header_count */
    JZ_REFUSAL_HTTP_VERSION,      /* 505 */
    JZ_REFUSAL_HANDSHAKE_TIMEOUT, /* 408: the head took too long; no answer if no byte of it was received */
    JZ_REFUSAL_NOT_FOUND,         /* 404: no such route */
    JZ_REFUSAL_METHOD,            /* 405 */
    JZ_REFUSAL_NO_UPGRADE, /* 426: a request without upgrade for a WebSocket route, or another WebSocket version */
    JZ_REFUSAL_INVALID_HANDSHAKE,       /* 400: a header of the handshake is missing or malformed, RFC 6455 §4.2.1 */
    JZ_REFUSAL_ORIGIN,                  /* 403: origin_policy */
    JZ_REFUSAL_REJECTED,                /* the upgrade hook rejected it, or a page is not for this client */
    JZ_REFUSAL_UPGRADE_TIMEOUT,         /* 503: the upgrade hook, or the handler of a page, did not answer */
    JZ_REFUSAL_MAX_CONNECTIONS,         /* 503 */
    JZ_REFUSAL_CONNECTIONS_PER_ADDRESS, /* 429: max_connections_per_address */
    JZ_REFUSAL_MAX_HANDSHAKES,          /* 503 */
    JZ_REFUSAL_PROXY_HEADER,            /* no answer: a trusted proxy did not begin with a PROXY header */
    JZ_REFUSAL_OUT_OF_MEMORY,           /* no answer; also if the kernel cannot watch more connections */
    JZ_REFUSAL_COUNT
} jz_refusal;

/* A clause for logs. Never NULL; static. From any thread. */
JZ_PUBLIC const char *jz_refusal_text(jz_refusal refusal);

/*
 * A word for programs, such as "not_found": that of the enumerator. It never changes. Never NULL; static. From any
 * thread.
 */
JZ_PUBLIC const char *jz_refusal_name(jz_refusal refusal);

/* Indices in jz_statistics.closes: 1000 to 1015 have one each, other codes are counted in groups. */
enum {
    JZ_CLOSES_RFC = 16,
    JZ_CLOSES_OTHER_RFC = 16, /* 1016 to 2999 */
    JZ_CLOSES_REGISTERED,     /* 3000 to 3999, RFC 6455 §7.4.2 */
    JZ_CLOSES_PRIVATE,        /* 4000 to 4999 */
    JZ_CLOSES_COUNT
};

/* The index of a close code in jz_statistics.closes: 0 for 1000, 1 for 1001 … From any thread. */
JZ_PUBLIC unsigned jz_closes_index(uint16_t close_code);

enum { JZ_MESSAGE_KINDS = 4 };

/*
 * What a broker tells of itself, beside what its server counts. 0 where it has nothing to tell. Counted since it was
 * started.
 */
typedef struct jz_broker_report {
    bool is_up;               /* now: it is connected to what carries its messages */
    uint64_t reconnects;      /* how often it connected again */
    uint64_t gaps;            /* how often it noticed that messages of a topic were, or may have been, lost */
    uint64_t received;        /* messages of the other servers that came */
    uint64_t echoes;          /* messages of this server that came back */
    uint64_t duplicates;      /* messages that had come before, and were not delivered again */
    uint64_t unreadable;      /* messages that it could not read, or that were no text, and were not delivered */
    uint64_t dropped;         /* messages of this server that it gave up, accepted or not */
    uint64_t queued_bytes;    /* now: what it has accepted, and not yet been told to have arrived */
    uint64_t queued_messages; /* the same in messages */
    uint64_t lag_us;          /* in microseconds, how long the last message that it measured took, to itself and back */
    uint64_t refused_topics;  /* now: topics with subscribers here to which it may not subscribe, so that nothing of the
                                 others comes */
} jz_broker_report;

/*
 * About the broker that joins a server's topics with those of other processes (jazzy/broker.h). All 0 if there is none.
 */
typedef struct jz_broker_statistics {
    uint64_t joined;    /* now: 1 while the server runs and the broker is connected to the others, else 0 */
    uint64_t losses;    /* how often that connection was lost */
    uint64_t topics;    /* now: topics that have subscribers here */
    uint64_t published; /* publications that the broker accepted */
    uint64_t refused;   /* publications that it did not accept: subscribers here received them, unless it is_ordered,
                           the others did not */
    uint64_t delivered; /* publications that it delivered here, of the others or, if it is_ordered, of all; those that
                           could not be delivered are in `dropped` */
    jz_broker_report report; /* by itself; what it said last, when the server has ended */
} jz_broker_statistics;

/*
 * Counted since the server was created. Each number is exact, but two of them may be from slightly different moments.
 */
typedef struct jz_statistics {
    uint64_t connections; /* now, WebSockets and others */
    uint64_t connections_peak;
    uint64_t connections_total;
    uint64_t websockets; /* now: from the handshake's answer until the close event is delivered, or handed to workers */
    uint64_t websockets_total;
    uint64_t handshakes; /* now: connections that are not WebSockets yet */
    uint64_t refused[JZ_REFUSAL_COUNT];

    uint64_t messages_received[JZ_MESSAGE_KINDS]; /* by jz_message_kind */
    uint64_t bytes_received[JZ_MESSAGE_KINDS];    /* payload bytes, decompressed */
    uint64_t messages_sent[JZ_MESSAGE_KINDS];     /* accepted for sending, with automatic pings and pongs */
    uint64_t bytes_sent[JZ_MESSAGE_KINDS];        /* payload bytes before compression */
    uint64_t dropped;                             /* jz_server_dropped_count */
    uint64_t exceeded[JZ_EXCEEDING_COUNT]; /* what message_rate did, by jz_exceeding: connections closed, pauses in
                                              reading, received messages dropped */

    uint64_t closes[JZ_CLOSES_COUNT];    /* close events, by jz_closes_index of their code */
    uint64_t causes[JZ_CAUSE_COUNT];     /* close events, by jz_close_cause */
    uint64_t failures[JZ_FAILURE_COUNT]; /* error events, by jz_failure */
    uint64_t buffered_bytes;             /* now: accepted for sending, and not yet taken by the kernel */

    /* Totals of all loops; times in nanoseconds. */
    uint64_t iterations;     /* loop iterations */
    uint64_t iteration_time; /* time in them; divided by `iterations`, the average */
    uint64_t longest_iteration;
    uint64_t lag; /* now: how long the current iteration of a loop has taken so far, the maximum of all loops. Ready
                     connections wait as long. Grows while a handler blocks. */

    jz_broker_statistics broker;
} jz_statistics;

JZ_END_DECLARATIONS

#endif
