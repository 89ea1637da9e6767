/* The arguments of a handler: events and messages. */
#ifndef JAZZY_EVENT_H
#define JAZZY_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "compiler.h"
#include "error.h"

JZ_BEGIN_DECLARATIONS

/* The close codes of RFC 6455 §7.4.1, and 1012 to 1014 of IANA's registry; 3000-4999 are free for applications
   (§7.4.2). */
enum {
    JZ_CLOSE_NORMAL = 1000,           /* it is done */
    JZ_CLOSE_GOING_AWAY = 1001,       /* the server stops, or the page was left */
    JZ_CLOSE_PROTOCOL_ERROR = 1002,   /* a rule of the protocol was broken */
    JZ_CLOSE_UNSUPPORTED_DATA = 1003, /* a kind of message that is not accepted, such as binary instead of text */
    JZ_CLOSE_NO_STATUS = 1005,        /* the peer's close frame had no code; closing with it sends none */
    JZ_CLOSE_ABNORMAL = 1006,         /* only reported: the connection ended without a close frame */
    JZ_CLOSE_INVALID_PAYLOAD = 1007,  /* a message that is not what its kind says, such as text that is not UTF-8 */
    JZ_CLOSE_POLICY_VIOLATION = 1008, /* a message that is not allowed, where no other code says why */
    JZ_CLOSE_MESSAGE_TOO_BIG = 1009,
    JZ_CLOSE_MANDATORY_EXTENSION = 1010, /* sent by clients: the server has not agreed to an extension */
    JZ_CLOSE_INTERNAL_ERROR = 1011,      /* the server failed */
    JZ_CLOSE_SERVICE_RESTART = 1012,     /* the client may come back, after a random delay */
    JZ_CLOSE_TRY_AGAIN_LATER = 1013,     /* the server is overloaded */
    JZ_CLOSE_BAD_GATEWAY = 1014,         /* a server behind this one gave an invalid answer */
    JZ_CLOSE_TLS_HANDSHAKE = 1015        /* only reported, and not by this library */
};

typedef enum jz_message_kind {
    JZ_MESSAGE_TEXT,   /* UTF-8, checked */
    JZ_MESSAGE_BINARY, /* any bytes */
    JZ_MESSAGE_PING,   /* at most 125 bytes; the server has answered it already */
    JZ_MESSAGE_PONG    /* at most 125 bytes */
} jz_message_kind;

/* A complete message: fragments joined, unmasked and decompressed. Borrowed until the handler returns. */
typedef struct jz_message {
    jz_message_kind kind;
    const uint8_t *bytes; /* never NULL, even when length is 0; not NUL-terminated */
    size_t length;        /* in bytes */
} jz_message;

typedef enum jz_event_type { JZ_EVENT_OPEN, JZ_EVENT_MESSAGE, JZ_EVENT_CLOSE, JZ_EVENT_ERROR } jz_event_type;

/* Why a connection ended. The first cause counts: what follows from it only says how the connection ended. */
typedef enum jz_close_cause {
    JZ_CAUSE_PEER,         /* the peer closed it, or disappeared */
    JZ_CAUSE_APPLICATION,  /* jz_ws_close, jz_ws_terminate */
    JZ_CAUSE_BACKPRESSURE, /* the route's backpressure_limit was reached, and JZ_BACKPRESSURE_CLOSE is its policy, or
                              the connection may not miss anything (history.h) */
    JZ_CAUSE_IDLE,         /* the route's idle_timeout_ms */
    JZ_CAUSE_LIFETIME,     /* the route's max_lifetime_ms */
    JZ_CAUSE_STOPPING,     /* the server stops */
    JZ_CAUSE_FAILURE,      /* the connection failed: see jz_event.failure */
    JZ_CAUSE_MESSAGE_RATE, /* the peer exceeded the route's message_rate, whose action is JZ_EXCEEDING_CLOSE */
    JZ_CAUSE_COUNT
} jz_close_cause;

/* A clause for logs. Never NULL; static. From any thread. */
JZ_PUBLIC const char *jz_close_cause_text(jz_close_cause cause);

/* A word for programs, such as "peer": that of the enumerator. It never changes. Never NULL; static. From any thread.
 */
JZ_PUBLIC const char *jz_close_cause_name(jz_close_cause cause);

/* Something that happened to a connection. Borrowed until the handler returns. */
typedef struct jz_event {
    jz_event_type type;

    /* JZ_EVENT_CLOSE: the peer's close code (or 1005, 1006); after an error event the failure's close code. */
    uint16_t close_code;
    bool was_clean;           /* JZ_EVENT_CLOSE: both sides sent a close frame, §7.1.4 */
    const char *close_reason; /* JZ_EVENT_CLOSE: the peer's reason, UTF-8, never NULL, not NUL-terminated */
    size_t close_reason_length;

    jz_close_cause cause; /* JZ_EVENT_CLOSE */

    /* JZ_EVENT_ERROR: what went wrong. JZ_EVENT_CLOSE: the failure of an earlier error event, even if it is not the
       cause; or none. */
    jz_failure failure;
} jz_event;

JZ_END_DECLARATIONS

#endif
