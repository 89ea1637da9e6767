/*
 * session/: RFC 6455 and RFC 7692 as a state machine: bytes in, events and bytes out. Not here: sockets, threads.
 *
 * The server's side of one WebSocket connection after the handshake (RFC 6455 §5-§7), without a socket: it takes
 * received bytes, returns events, and appends the bytes to send to a buffer.
 *
 *     jz_input input = {received, count};
 *     while (jz_session_next(&session, &input, &output, &event, &message))
 *         handle(&event, &message);
 *     send(output);
 *
 * Received bytes are unmasked in place. A message in one frame that is complete in one input is never copied. A session
 * owns memory only while a frame or message is incomplete.
 */
#ifndef JAZZY_SESSION_SESSION_H
#define JAZZY_SESSION_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "session/buffer.h"
#include "session/compression.h"
#include "session/deflate_agreement.h"
#include "jazzy/event.h"
#include "jazzy/websocket.h"

/* Settings that all sessions of one route on one loop share. */
typedef struct jz_session_settings {
    size_t max_message_size; /* bytes, at least 1 */
    uint32_t max_frames;     /* frames of one message, plus one for each byte of its payload; 0: no limit */
    jz_deflate_options deflate;
    jz_compression_workspace *workspace; /* borrowed; NULL if no session uses compression */
} jz_session_settings;

/* Received bytes, consumed from the front. The session writes to them: payloads are unmasked in place. */
typedef struct jz_input {
    uint8_t *bytes;
    size_t length;
} jz_input;

/* Private to the session: the state of an incomplete frame or message. */
typedef struct jz_incoming jz_incoming;

typedef enum jz_session_state {
    JZ_SESSION_OPEN,
    JZ_SESSION_CLOSE_SENT, /* a close frame was sent, the peer's has not come yet */
    JZ_SESSION_FAILED,     /* the error event is to be delivered */
    JZ_SESSION_ENDING,     /* the close event is to be delivered */
    JZ_SESSION_ENDED       /* everything was delivered; input is discarded */
} jz_session_state;

typedef struct jz_session {
    const jz_session_settings *settings; /* borrowed */
    jz_incoming *incoming;               /* NULL between frames and messages */
    uint8_t state;                       /* a jz_session_state */
    uint8_t failure;                     /* a jz_failure */
    uint8_t message_opcode;              /* text or binary while a message is incomplete, else 0 */
    bool message_is_compressed : 1;      /* its first frame had RSV1 set */
    bool uses_deflate : 1;               /* compression was agreed on, as the next fields say */
    bool keeps_own_context : 1;          /* messages that we compress refer to earlier ones */
    bool keeps_peer_context : 1;         /* messages that the client compresses do */
    uint8_t cause : 4;                   /* a jz_close_cause, once closing has started */
    uint8_t own_window_bits;
    uint8_t peer_window_bits;
    uint16_t owner_tag;                  /* for the owner; the session does not use it */
    jz_dedicated_compression *dedicated; /* NULL until a context is needed */
} jz_session;

/* Starts an open session. It owns no memory yet. */
void jz_session_init(jz_session *session, const jz_session_settings *settings);

/* Compresses and decompresses from now on, as agreed; requires settings->workspace. */
void jz_session_use_deflate(jz_session *session, const jz_deflate_agreement *agreement);

/* Frees incomplete frames and messages, kept input, and the compression contexts. */
void jz_session_free(jz_session *session);

/*
 * Takes input up to the next event: returns true with `event` and `message` filled in, or false when all input was
 * taken and there is no event. Both, and what they point to, are valid until the next call for this session, and as
 * long as the input's bytes. Automatic answers (pong, close) are appended to `output`.
 *
 * If the peer breaks a rule, a close frame is appended, and JZ_EVENT_ERROR and then JZ_EVENT_CLOSE are returned. There
 * are no events after JZ_EVENT_CLOSE.
 */
static inline bool jz_session_next(jz_session *session, jz_input *input, jz_buffer *output, jz_event *event,
                                   jz_message *message);

/*
 * Input for later, because other connections wait for the loop, or because the workers are behind. While some is kept,
 * new input must be kept behind it instead of being passed to jz_session_next.
 *
 * jz_session_keep copies the input, and empties it. jz_session_take_kept hands out what was kept: the caller owns
 * `kept`, and gives back what is left of it, or frees it. False when there is no memory.
 */
bool jz_session_keep(jz_session *session, jz_input *input);
static inline bool jz_session_has_kept(const jz_session *session);
jz_input jz_session_take_kept(jz_session *session, jz_buffer *kept);
bool jz_session_give_back_kept(jz_session *session, const jz_buffer *kept, const jz_input *left);

/*
 * The memory of the message that was returned last, if that begins at `bytes`; else NULL.
 * It is the session's until the next call, unless jz_session_take_message hands it out before: then the caller's.
 */
const jz_buffer *jz_session_message(const jz_session *session, const uint8_t *bytes);
jz_buffer jz_session_take_message(jz_session *session);

/* Private to jz_session_has_kept. */
bool jz_incoming_has_kept(const jz_incoming *incoming);

static inline bool jz_session_has_kept(const jz_session *session)
{
    return session->incoming != NULL && jz_incoming_has_kept(session->incoming);
}

/*
 * Tells the session that no more input will come: JZ_FAILURE_NONE at the end of the stream or when a time-out ends the
 * connection, JZ_FAILURE_TRANSPORT or JZ_FAILURE_OUT_OF_MEMORY when it broke. jz_session_next then returns the events
 * that follow (an error event for a failure, and the close event unless that was returned before).
 */
void jz_session_end(jz_session *session, jz_failure failure);

/*
 * Fails an open session for a reason outside its input, such as a time-out: appends a close frame with the failure's
 * code. jz_session_next then returns the events that follow.
 */
void jz_session_fail(jz_session *session, jz_failure failure, jz_buffer *output);

/* Sets the cause for which an open session is about to end. The first cause counts. */
void jz_session_blame(jz_session *session, jz_close_cause cause);

static inline bool jz_session_is_open(const jz_session *session)
{
    return session->state == JZ_SESSION_OPEN;
}

/* How many bytes of a data frame that was received in part are still to come; 0: none was. */
uint64_t jz_session_missing(const jz_session *session);

/* Whether the close event was returned: the transport may be closed once the output is sent. */
static inline bool jz_session_has_ended(const jz_session *session)
{
    return session->state == JZ_SESSION_ENDED;
}

/* The fast path of jz_session_next. */
#include "session/short_message.h"

#endif
