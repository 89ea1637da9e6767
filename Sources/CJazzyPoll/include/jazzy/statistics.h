/* What a server does and has done, for its operator. */
#ifndef JAZZY_STATISTICS_H
#define JAZZY_STATISTICS_H

#include <stdint.h>

#include "compiler.h"
#include "error.h"
#include "event.h"

JZ_BEGIN_DECLARATIONS

/* Why a connection was refused before it was a WebSocket. */
typedef enum jz_refusal {
    JZ_REFUSAL_MALFORMED_HEAD,          /* 400: no HTTP, or one that two parsers could read differently */
    JZ_REFUSAL_HEAD_TOO_LARGE,          /* 431: max_head_size, max_header_count */
    JZ_REFUSAL_HTTP_VERSION,            /* 505 */
    JZ_REFUSAL_HANDSHAKE_TIMEOUT,       /* 408: the head took too long; without an answer where nothing of it came */
    JZ_REFUSAL_NOT_FOUND,               /* 404: no such route */
    JZ_REFUSAL_METHOD,                  /* 405 */
    JZ_REFUSAL_NO_UPGRADE,              /* 426: a WebSocket route was asked for as a page, or another version */
    JZ_REFUSAL_INVALID_HANDSHAKE,       /* 400: a header of the handshake is missing or ill-formed, RFC 6455 §4.2.1 */
    JZ_REFUSAL_ORIGIN,                  /* 403: origin_policy */
    JZ_REFUSAL_REJECTED,                /* the upgrade hook said so */
    JZ_REFUSAL_UPGRADE_TIMEOUT,         /* 503: the upgrade hook did not answer */
    JZ_REFUSAL_MAX_CONNECTIONS,         /* 503 */
    JZ_REFUSAL_CONNECTIONS_PER_ADDRESS, /* 429: max_connections_per_address */
    JZ_REFUSAL_MAX_HANDSHAKES,          /* 503 */
    JZ_REFUSAL_PROXY_HEADER,            /* none: a trusted proxy did not begin with a PROXY header */
    JZ_REFUSAL_OUT_OF_MEMORY,           /* none, as where the kernel watches no more connections */
    JZ_REFUSAL_COUNT
} jz_refusal;

/* A clause for logs. Never NULL; static. From any thread. */
JZ_PUBLIC const char *jz_refusal_text(jz_refusal refusal);

/* Groups of close codes that are counted together, after those of the RFC, 1000 to 1015. */
enum {
    JZ_CLOSES_RFC = 16,
    JZ_CLOSES_OTHER_RFC = 16, /* 1016 to 2999 */
    JZ_CLOSES_REGISTERED,     /* 3000 to 3999, RFC 6455 §7.4.2 */
    JZ_CLOSES_PRIVATE,        /* 4000 to 4999 */
    JZ_CLOSES_COUNT
};

/* The place of a close code in jz_statistics.closes: 1000 at 0, 1001 at 1 … From any thread. */
JZ_PUBLIC unsigned jz_closes_index(uint16_t close_code);

enum { JZ_MESSAGE_KINDS = 4 };

/* Of the broker that joins a server's topics with those of others (jazzy/broker.h). All 0 where there is none. */
typedef struct jz_broker_statistics {
    uint64_t joined;    /* now: 1 while the server runs and the broker reaches the others, else 0 */
    uint64_t losses;    /* times that it did not reach them any more */
    uint64_t topics;    /* now: those that have subscribers here */
    uint64_t published; /* publications that it took */
    uint64_t refused;   /* publications that it did not take: subscribers here have them, the others do not */
    uint64_t delivered; /* publications of the others that were taken here; what was not is in `dropped` */
} jz_broker_statistics;

/* Counts are since the server was created. Each is exact; two of them may be from slightly different moments. */
typedef struct jz_statistics {
    uint64_t connections; /* now, WebSockets and others */
    uint64_t connections_peak;
    uint64_t connections_total;
    uint64_t websockets; /* now: the handshake was answered, the close event was not delivered, or handed to workers */
    uint64_t websockets_total;
    uint64_t handshakes; /* now: connections that are no WebSockets yet */
    uint64_t refused[JZ_REFUSAL_COUNT];

    uint64_t messages_received[JZ_MESSAGE_KINDS]; /* by jz_message_kind */
    uint64_t bytes_received[JZ_MESSAGE_KINDS];    /* of their payloads, decompressed */
    uint64_t messages_sent[JZ_MESSAGE_KINDS];     /* accepted to be sent, automatic pings and pongs included */
    uint64_t bytes_sent[JZ_MESSAGE_KINDS];        /* of their payloads, before they were compressed */
    uint64_t dropped;                             /* jz_server_dropped_count */

    uint64_t closes[JZ_CLOSES_COUNT];    /* close events, by jz_closes_index of their code */
    uint64_t causes[JZ_CAUSE_COUNT];     /* close events, by jz_close_cause */
    uint64_t failures[JZ_FAILURE_COUNT]; /* error events, by jz_failure */
    uint64_t buffered_bytes;             /* now: accepted to be sent, and not yet by the kernel */

    /* Of all loops together; a time is in nanoseconds. */
    uint64_t iterations;     /* times that a loop had something to do */
    uint64_t iteration_time; /* spent in them; by `iterations`, what one takes on average */
    uint64_t longest_iteration;
    uint64_t lag; /* now: how long the iteration under way has kept a loop, the longest of them; what is
                     ready meanwhile waits as long. Grows while a handler blocks. */

    jz_broker_statistics broker;
} jz_statistics;

JZ_END_DECLARATIONS

#endif
