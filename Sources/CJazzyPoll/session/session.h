/*
 * The server's side of one WebSocket connection after the handshake (RFC 6455 §5-§7), without a socket: it is fed the
 * bytes that were received, yields events, and appends the bytes that are to be sent to a buffer.
 *
 *     jz_input input = {received, count};
 *     while (jz_session_next(&session, &input, &output, &event, &message))
 *         handle(&event, &message);
 *     send(output);
 *
 * Received bytes are unmasked where they lie, and a message that is whole in one feed in one frame is never copied. A
 * session between messages owns no memory; only a frame or message that is under way does.
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

/* What sessions of one route and loop have in common. */
typedef struct jz_session_settings {
    size_t max_message_size; /* bytes, at least 1 */
    uint32_t max_frames;     /* of one message, besides one for each byte of its payload; 0 is no limit */
    jz_deflate_options deflate;
    jz_compression_workspace *workspace; /* borrowed; NULL where no session uses compression */
} jz_session_settings;

/* Received bytes, taken off the front as they are read. Written to: payloads are unmasked in place. */
typedef struct jz_input {
    uint8_t *bytes;
    size_t length;
} jz_input;

/* Private to the session: all that a frame or message under way needs. */
typedef struct jz_incoming jz_incoming;

typedef enum jz_session_state {
    JZ_SESSION_OPEN,
    JZ_SESSION_CLOSE_SENT, /* a close frame was sent, the peer's is awaited */
    JZ_SESSION_FAILED,     /* the error event is to be delivered */
    JZ_SESSION_ENDING,     /* the close event is to be delivered */
    JZ_SESSION_ENDED       /* everything was delivered; input is discarded */
} jz_session_state;

typedef struct jz_session {
    const jz_session_settings *settings; /* borrowed */
    jz_incoming *incoming;               /* NULL between frames and messages */
    uint8_t state;                       /* a jz_session_state */
    uint8_t failure;                     /* a jz_failure */
    uint8_t message_opcode;              /* text or binary while a message is under way, else 0 */
    bool message_is_compressed : 1;      /* its first frame had RSV1 set */
    bool uses_deflate : 1;               /* what follows was agreed on in the handshake */
    bool keeps_own_context : 1;          /* each message we compress refers to those before */
    bool keeps_peer_context : 1;         /* each message the client compresses does */
    uint8_t cause : 4;                   /* a jz_close_cause, from when closing starts */
    uint8_t own_window_bits;
    uint8_t peer_window_bits;
    uint16_t owner_tag;                  /* the owner's own; nothing here looks at it */
    jz_dedicated_compression *dedicated; /* NULL until a context is kept */
} jz_session;

/* Starts an open session. It owns nothing until it is fed. */
void jz_session_init(jz_session *session, const jz_session_settings *settings);

/* Compresses and decompresses from here on, as was agreed; settings->workspace is then not NULL. */
void jz_session_use_deflate(jz_session *session, const jz_deflate_agreement *agreement);

/* Frees what a frame or message under way holds, input that was kept, and the compression contexts. */
void jz_session_free(jz_session *session);

/*
 * Takes input and yields the next event: returns true with `event` and `message` filled in, or false when all input was
 * taken and there is nothing to tell. Both, and what they point to, are valid until the next call for this session or
 * the end of the input's bytes. Automatic answers (pong, close) are appended to `output`.
 *
 * A broken rule appends a close frame and yields JZ_EVENT_ERROR, then JZ_EVENT_CLOSE. After JZ_EVENT_CLOSE nothing is
 * yielded any more.
 */
static inline bool jz_session_next(jz_session *session, jz_input *input, jz_buffer *output, jz_event *event,
                                   jz_message *message);

/*
 * Input that is to be taken later, because others wait for their turn, or for somebody who is behind. While there is
 * some nothing else is fed: what comes meanwhile is kept behind it.
 *
 * jz_session_keep copies the input, and empties it. jz_session_take_kept gives out what was kept: `kept` is the
 * caller's, who gives back what is left of it, or frees it. False when there is no memory.
 */
bool jz_session_keep(jz_session *session, jz_input *input);
static inline bool jz_session_has_kept(const jz_session *session);
jz_input jz_session_take_kept(jz_session *session, jz_buffer *kept);
bool jz_session_give_back_kept(jz_session *session, const jz_buffer *kept, const jz_input *left);

/* Private to jz_session_has_kept. */
bool jz_incoming_has_kept(const jz_incoming *incoming);

static inline bool jz_session_has_kept(const jz_session *session)
{
    return session->incoming != NULL && jz_incoming_has_kept(session->incoming);
}

/*
 * Tells the session that no more input will come: JZ_FAILURE_NONE at the end of the stream or when a time-out ends the
 * connection, JZ_FAILURE_TRANSPORT or JZ_FAILURE_OUT_OF_MEMORY when it broke. The events that this causes (an error
 * event for a failure, and the close event unless it was yielded already) are yielded by jz_session_next.
 */
void jz_session_end(jz_session *session, jz_failure failure);

/*
 * Fails an open session for a reason that is not in its input, such as a time-out: appends a close frame with the
 * failure's code. The events that this causes are yielded by jz_session_next.
 */
void jz_session_fail(jz_session *session, jz_failure failure, jz_buffer *output);

/* Says why an open session is about to be ended. What was said first stays. */
void jz_session_blame(jz_session *session, jz_close_cause cause);

static inline bool jz_session_is_open(const jz_session *session)
{
    return session->state == JZ_SESSION_OPEN;
}

/* Whether part of a data frame's payload has come, and not all of it. */
bool jz_session_is_within_frame(const jz_session *session);

/* Whether the close event was yielded: the transport may be ended once the output is sent. */
static inline bool jz_session_has_ended(const jz_session *session)
{
    return session->state == JZ_SESSION_ENDED;
}

/* The quick way of jz_session_next. */
#include "session/short_message.h"

#endif
