/*
 * Tests of sessions as tables. A row says what happens to a session, step by step, which events it must return, and
 * which frames it must send:
 *
 *     {"a ping between two fragments",
 *      .steps = STEPS(PEER(TEXT_START("Hel")), PEER(PING("?")), PEER(LAST("lo"))),
 *      .events = EVENTS(GOT_PING("?"), GOT_TEXT("Hello")),
 *      .output = FRAMES(PONG("?"))},
 *
 * Every row is run many times: with the peer's input between two other steps fed as a whole, byte by byte, and split at
 * random; with the output taken at the end, and a few bytes at a time, as by a socket that accepts only a part. The
 * result must always be the same. Each run also checks that
 *   - the session holds memory at the row's end only if the row says so, and none once it has ended;
 *   - a session that has ended yields and sends nothing more, whatever it is fed;
 *   - one that has not yields exactly one close event, 1006, when its connection ends.
 */
#ifndef JAZZY_TESTS_SESSION_ROW_H
#define JAZZY_TESTS_SESSION_ROW_H

#include "session/session.h"
#include "frame.h"

typedef enum session_step_type {
    STEP_PEER_SENDS,
    STEP_SEND,          /* jz_session_send */
    STEP_CLOSE,         /* jz_session_close */
    STEP_CONNECTION_END /* jz_session_end */
} session_step_type;

typedef struct session_step {
    session_step_type type;
    test_frame frame;      /* PEER_SENDS */
    jz_message_kind kind;  /* SEND */
    uint16_t close_code;   /* CLOSE */
    test_bytes bytes;      /* SEND; CLOSE: the reason */
    jz_send_status status; /* SEND, CLOSE: what must be returned */
    jz_failure failure;    /* CONNECTION_END */
} session_step;

typedef struct session_steps {
    const session_step *first;
    size_t count;
} session_steps;

#define STEPS(...)                                                                                                     \
    {                                                                                                                  \
        (const session_step[]){__VA_ARGS__}, sizeof((const session_step[]){__VA_ARGS__}) / sizeof(session_step)        \
    }

#define PEER(...)                                                                                                      \
    {                                                                                                                  \
        .type = STEP_PEER_SENDS, .frame = __VA_ARGS__                                                                  \
    }
#define SEND(kind_, literal, status_)                                                                                  \
    {                                                                                                                  \
        .type = STEP_SEND, .kind = (kind_), .bytes = BYTES(literal), .status = (status_)                               \
    }
#define SEND_OF(kind_, status_, ...)                                                                                   \
    {                                                                                                                  \
        .type = STEP_SEND, .kind = (kind_), .status = (status_), .bytes = __VA_ARGS__                                  \
    }
#define WE_CLOSE(code, reason, status_)                                                                                \
    {                                                                                                                  \
        .type = STEP_CLOSE, .close_code = (code), .bytes = BYTES(reason), .status = (status_)                          \
    }
#define CONNECTION_ENDS(failure_)                                                                                      \
    {                                                                                                                  \
        .type = STEP_CONNECTION_END, .failure = (failure_)                                                             \
    }

typedef struct session_event {
    jz_event_type type;
    jz_message_kind kind; /* of a message */
    jz_failure failure;   /* of an error */
    uint16_t close_code;  /* of a close, and what follows */
    bool was_clean;
    test_bytes bytes;             /* of a message; a close's reason */
    bool is_sent_back_compressed; /* of a message, where the row echoes */
} session_event;

typedef struct session_events {
    const session_event *first;
    size_t count;
} session_events;

#define EVENTS(...)                                                                                                    \
    {                                                                                                                  \
        (const session_event[]){__VA_ARGS__}, sizeof((const session_event[]){__VA_ARGS__}) / sizeof(session_event)     \
    }

#define GOT_OF(kind_, ...)                                                                                             \
    {                                                                                                                  \
        .type = JZ_EVENT_MESSAGE, .kind = (kind_), .bytes = __VA_ARGS__                                                \
    }
#define GOT_TEXT(literal) GOT_OF(JZ_MESSAGE_TEXT, BYTES(literal))
#define GOT_BINARY(literal) GOT_OF(JZ_MESSAGE_BINARY, BYTES(literal))
#define GOT_PING(literal) GOT_OF(JZ_MESSAGE_PING, BYTES(literal))
#define GOT_PONG(literal) GOT_OF(JZ_MESSAGE_PONG, BYTES(literal))
#define GOT_ERROR(failure_)                                                                                            \
    {                                                                                                                  \
        .type = JZ_EVENT_ERROR, .failure = (failure_)                                                                  \
    }
#define CLOSED_CLEANLY(code, reason)                                                                                   \
    {                                                                                                                  \
        .type = JZ_EVENT_CLOSE, .close_code = (code), .was_clean = true, .bytes = BYTES(reason)                        \
    }
#define CLOSED_UNCLEANLY(code)                                                                                         \
    {                                                                                                                  \
        .type = JZ_EVENT_CLOSE, .close_code = (code)                                                                   \
    }

/* Compression, negotiated before the first step. */
typedef struct session_deflate {
    const char *offer;          /* the request's Sec-WebSocket-Extensions */
    const char *answer;         /* the response's, to the letter; NULL: there is none */
    jz_deflate_options options; /* the route's */

    /* What the handshake promises about the frames that we send. */
    uint8_t server_window_bits;
    bool server_no_context_takeover;
} session_deflate;

typedef struct session_row {
    const char *name;
    session_steps steps;
    session_events events;
    test_frames output;             /* frames with RSV1 are compressed; this is their payload before compression */
    size_t max_message_size;        /* 0: 1 MiB */
    uint32_t max_frames;            /* of one message; 0: any number */
    bool ends_under_way;            /* at the row's end a frame or message is under way */
    const session_deflate *deflate; /* NULL: nothing was offered */

    /*
     * Each text and binary message is sent back, as the echo servers do it. `output` is empty then: what is due are
     * these messages, a pong for each ping, and a close frame for the peer's, as the events tell.
     */
    bool echoes;

    /* Fed byte by byte, nothing fails before the last byte of all. */
    bool fails_with_last_byte;

    /* Byte by byte only in the first and last 2 KiB, in steps of 4 KiB between, and run in fewer manners. */
    bool is_large;

    /*
     * The rule that the last step breaks, and the close code for it. After `events` come an error event and the close
     * event, after `output` comes the close frame.
     */
    jz_failure failure;
    uint16_t failure_code;
} session_row;

#define FAILS(failure_, code) .failure = (failure_), .failure_code = (code)

/* Runs each row as a test of its name. Returns how many failed. */
int run_session_rows(const char *group_name, const session_row *rows, size_t count);

#endif
