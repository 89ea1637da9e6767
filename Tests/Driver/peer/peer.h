/*
 * A client, and the expectations on both sides: what it sends, which events the handler must get, and what the server
 * was given to send to it. Without sockets: the caller transfers the bytes in `sent`.
 */
#ifndef JAZZY_DRIVER_PEER_H
#define JAZZY_DRIVER_PEER_H

#include "session/buffer.h"
#include "../../Fuzz/support/client_deflate.h"
#include "jazzy.h"

/* What the handler must do with a message. */
typedef enum peer_action {
    ACTION_ECHO,
    ACTION_ECHO_TWICE,
    ACTION_ECHO_PART,
    ACTION_ANSWER_LARGE,
    ACTION_LISTEN,
    ACTION_PUBLISH,
    ACTION_PUBLISH_TO_ALL, /* jz_server_publish */
    ACTION_SUBSCRIBE,
    ACTION_UNSUBSCRIBE,
    ACTION_SEND_TO_OTHER,
    ACTION_CLOSE_OTHER,
    ACTION_PAUSE,
    ACTION_RESUME_OTHER,
    ACTION_PING,
    ACTION_CLOSE,
    ACTION_ECHO_AND_CLOSE,
    ACTION_TERMINATE,
    PEER_ACTIONS
} peer_action;

/* A message that an honest client sends. */
typedef struct peer_message {
    jz_message_kind kind;
    uint32_t number; /* of its content */
    size_t length;
    peer_action action;
    uint8_t target; /* of the action: a topic, another peer */
} peer_message;

/* How its frames are made. */
typedef struct peer_framing {
    uint8_t fragments; /* frames, at least 1 */
    bool is_compressed;
    bool has_ping_between; /* its fragments */
    uint8_t key[4];
} peer_framing;

/* Messages that the server accepted for sending. */
typedef struct peer_due {
    jz_message_kind kind;
    size_t length;
    uint64_t hash;
    bool may_be_missing;  /* the sender does not know whether it was dropped */
    bool may_be_too_late; /* the connection may end before it is sent: then nothing behind it comes, either */
} peer_due;

typedef struct peer {
    jz_buffer sent;
    client_deflate deflate;
    bool has_deflate;
    bool has_closed; /* its close frame was sent */
    bool is_hostile; /* from now on it sends anything */

    jz_buffer messages; /* number of peer_message before it became hostile */
    size_t told;        /* how many of them the handler got */

    jz_buffer dues; /* of peer_due */
} peer;

void peer_init(peer *peer);
void peer_free(peer *peer);

/* The request for a route. `offers_deflate`: and the route agrees to it. */
void peer_ask(peer *peer, const char *path, bool offers_deflate);

void peer_send(peer *peer, const peer_message *message, const peer_framing *framing);
void peer_send_close(peer *peer, uint16_t code, const uint8_t key[4]);
void peer_send_raw(peer *peer, const uint8_t *bytes, size_t length);

/*
 * The handler got a message. Requires that it is the client's next one. Returns what to do with it; for a hostile
 * client that is to echo.
 */
peer_message peer_is_told(peer *peer, const jz_message *message);

/* The server accepted a message for this client. */
void peer_add_due(peer *peer, jz_message_kind kind, const uint8_t *bytes, size_t length, bool may_be_missing);

/* The same, from elsewhere than its loop. */
void peer_add_due_from_elsewhere(peer *peer, jz_message_kind kind, const uint8_t *bytes, size_t length,
                                 bool may_be_missing);

#endif
