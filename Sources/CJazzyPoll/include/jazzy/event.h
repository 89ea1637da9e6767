/* What a handler is called with. */
#ifndef JAZZY_EVENT_H
#define JAZZY_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "compiler.h"
#include "error.h"

JZ_BEGIN_DECLARATIONS

/* Close codes of RFC 6455 §7.4.1 that this library sends or reports; 3000-4999 are free for applications (§7.4.2). */
enum {
    JZ_CLOSE_NORMAL = 1000,
    JZ_CLOSE_GOING_AWAY = 1001,
    JZ_CLOSE_PROTOCOL_ERROR = 1002,
    JZ_CLOSE_NO_STATUS = 1005, /* only reported: the peer's close frame carried no code */
    JZ_CLOSE_ABNORMAL = 1006,  /* only reported: the connection ended without a close frame */
    JZ_CLOSE_INVALID_PAYLOAD = 1007,
    JZ_CLOSE_MESSAGE_TOO_BIG = 1009,
    JZ_CLOSE_INTERNAL_ERROR = 1011,
    JZ_CLOSE_TRY_AGAIN_LATER = 1013 /* registered with IANA after the RFC */
};

typedef enum jz_message_kind {
    JZ_MESSAGE_TEXT,   /* UTF-8, checked */
    JZ_MESSAGE_BINARY, /* any bytes */
    JZ_MESSAGE_PING,   /* at most 125 bytes; the pong has already been written when a handler sees it */
    JZ_MESSAGE_PONG    /* at most 125 bytes */
} jz_message_kind;

/* A whole message: fragments joined, unmasked and decompressed. Borrowed until the handler returns. */
typedef struct jz_message {
    jz_message_kind kind;
    const uint8_t *bytes; /* never NULL, also when length is 0; not terminated */
    size_t length;        /* in bytes */
} jz_message;

typedef enum jz_event_type { JZ_EVENT_OPEN, JZ_EVENT_MESSAGE, JZ_EVENT_CLOSE, JZ_EVENT_ERROR } jz_event_type;

/* Something that happened to a connection. Borrowed until the handler returns. */
typedef struct jz_event {
    jz_event_type type;

    /* JZ_EVENT_CLOSE: the peer's close code (or 1005, 1006), or after an error event that failure's close code. */
    uint16_t close_code;
    bool was_clean;           /* JZ_EVENT_CLOSE: close frames went both ways, §7.1.4 */
    const char *close_reason; /* JZ_EVENT_CLOSE: the peer's reason, UTF-8, never NULL, not terminated */
    size_t close_reason_length;

    jz_failure failure; /* JZ_EVENT_ERROR: what went wrong */
} jz_event;

JZ_END_DECLARATIONS

#endif
