/*
 * History: what was published to a topic lately is kept, so that a client that has lost its connection continues where
 * it was. Nothing is sent to it twice, nothing is missed, and nothing is out of order; or it is told that this cannot
 * be, gets nothing old, and reloads its state.
 *
 * How it works
 *   - Each message of a topic with history has an offset: 1, 2, 3 and so on, under an epoch. An epoch is a random
 *     number. When a topic was forgotten as a whole, and when the server starts anew, offsets begin again under another
 *     epoch: a position (jz_position) never means two messages.
 *   - A client keeps the position of the last message that it has. When it comes back, its handler subscribes it from
 *     there (jz_ws_subscribe_from), and it gets what it has missed, and then what is published from then on.
 *   - The offsets are those of the order in which all loops send the messages. Whoever publishes, from whatever
 *     threads: every subscriber gets the messages of such a topic in the order of their offsets. Messages of one thread
 *     have the order of its calls.
 *   - Who subscribes so is never dropped from. If its output exceeds the backpressure limit of its route, if there is
 *     no memory to send it a message, or if the server itself has missed some, the connection is closed with
 *     JZ_CLOSE_BEHIND, and comes back for the rest.
 *   - It also gets what it has published itself, because each message counts. Subscribers by jz_ws_subscribe get what
 *     they always get.
 *   - A client may have several topics on one connection, if its messages come in envelopes, texts of JSON:
 *     {"t":"<topic>","o":<offset>,"d":"<text>"}, and with "b":"<base64>" in place of "d" if the message is binary. An
 *     envelope is made once for a publication, and shared by all who get it.
 *   - A message is kept once, however many subscribers it has, in the memory that it is sent from: its payload, and at
 * all times less than 48 bytes on average, besides up to 3 KiB for each topic. Ages are those of a clock that never
 * goes back, and that stands still while the machine sleeps.
 *
 * It is kept in the memory of this process. If a broker (jazzy/broker.h) joins several servers, there are two kinds:
 *   - The broker keeps the histories: offsets and epochs are the broker's, and a client continues on any of the
 * servers. Messages of such topics go through the broker, for everybody; if it does not take one, nobody gets it. A
 * server knows what was delivered to it while it had subscribers of the topic, without a gap: who continues within that
 *     does so at once. Otherwise the subscription is pending until the broker has answered (jz_subscribed.is_pending).
 *   - Any other broker: each server keeps what its own subscribers were sent, under epochs of its own, and a client
 * that comes back to another server has not recovered. Nor has one that comes back to the same server, if nobody else
 *     there had subscribed meanwhile, or the broker was not connected, or has missed messages of the topic
 *     (jz_broker_missed): then what was published on other servers did not come here, and the topic gets another epoch.
 * With either, subscribers from a position are closed with JZ_CLOSE_BEHIND when messages of the topic were, or may have
 * been, missed here: when the broker says so, and when it is connected again after a loss.
 */
#ifndef JAZZY_HISTORY_H
#define JAZZY_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "compiler.h"
#include "error.h"
#include "event.h"
#include "request.h"
#include "server.h"
#include "websocket.h"

JZ_BEGIN_DECLARATIONS

/* The prefixes that one server keeps a history of. */
#define JZ_MAX_HISTORIES 64

/* How much is kept of each topic with a prefix. What exceeds any of these is forgotten, the oldest first. */
typedef struct jz_history_options {
    size_t keep;     /* messages: 1 to 1,000,000 */
    uint32_t for_ms; /* how long: 1,000 to 2,592,000,000 (30 days) */
    size_t bytes;    /* of payload: 1 to 4 GiB */
} jz_history_options;

/* 100 messages, 300,000 ms, 1 MiB. */
JZ_PUBLIC jz_history_options jz_history_options_default(void);

/*
 * Keeps a history of all topics that begin with a prefix; of several, the longest counts. Call it before the server
 * runs. `options` NULL means the defaults. All histories together take up to jz_options.history_limit; beyond that the
 * topic is forgotten first to which nothing was published for the longest time.
 *
 *   INVALID_OPTION   an option is out of range, or the prefix has a history already
 *   INVALID_STATE    the server runs already
 *   LIMIT_REACHED    there are JZ_MAX_HISTORIES already
 *   OUT_OF_MEMORY
 */
JZ_PUBLIC jz_status jz_server_history(jz_server *server, const char *prefix, size_t prefix_length,
                                      const jz_history_options *options, jz_error *error);

/* A place in the history of a topic: behind the message with that offset; 0: before the first. */
typedef struct jz_position {
    uint64_t epoch;
    uint64_t offset;
} jz_position;

/* The longest text of a position, with its NUL. */
#define JZ_POSITION_SIZE 38

/*
 * Writes a position as text, "<epoch>:<offset>": 16 hexadecimal digits, and a decimal number. Returns the length
 * without the NUL.
 */
JZ_PUBLIC size_t jz_position_format(jz_position position, char text[JZ_POSITION_SIZE]);

/* Reads exactly what jz_position_format writes. False: it is anything else. */
JZ_PUBLIC bool jz_position_parse(const char *text, size_t length, jz_position *position);

/* How a subscription begins. All zero: with the next message. */
typedef struct jz_subscribe_options {
    bool has_since;    /* continue behind `since` */
    jz_position since; /* from wherever: what is no position of this topic is none to continue at */
    size_t recent;     /* unless has_since: begin with so many messages that are kept, or all if there are fewer */
    bool announces; /* first send a text: {"epoch":"…","offset":…,"recovered":…,"count":…}, as of jz_subscribed */
    bool envelops; /* send messages in envelopes, and "t":"<topic>" before the rest of what is announced */
} jz_subscribe_options;

/* How a subscription has begun. */
typedef struct jz_subscribed {
    bool has_recovered;   /* what was missed behind `since` follows, all of it; false: nothing old follows */
    size_t count;         /* how many kept messages come first */
    jz_position position; /* before the first message that follows: each one adds 1 to the offset */
    bool is_pending;      /* how it begins is not known yet, because a broker is asked: the rest is zero */
} jz_subscribed;

/* The code of close frames to those who subscribed from a position and do not keep up. */
enum { JZ_CLOSE_BEHIND = 4010 };

/*
 * Subscribes to a topic with history, from a position or with recent messages, and without a gap from then on. If the
 * connection is subscribed already, it is sent these messages all the same. `options` NULL means all zero. `subscribed`
 * is filled in if SENT or QUEUED; it may be NULL. It is decided at once, also from other threads; nothing that is
 * published later can change it.
 *
 * Except where a broker keeps the histories, and has to be asked: then it is QUEUED, and is_pending. The connection
 * subscribes, and is sent the announcement and what it has missed, when the broker has answered; what is published
 * meanwhile is not lost. If the broker cannot say, or not within JZ_FETCH_TIMEOUT_MS, it has not recovered, and unless
 * messages have been delivered meanwhile, its position is one of zeros, at which nobody recovers ever. Until then
 * jz_ws_is_subscribed is false; jz_ws_unsubscribe ends it.
 *
 * SENT: done. QUEUED: on its way to the connection's loop. If there is no memory there, the connection is closed with
 * JZ_CLOSE_BEHIND. DROPPED: the topic has no history, or no UTF-8 for a name in envelopes, there is no memory, the
 * mailbox of the loop is full, or more wait for a broker than the mailboxes of all loops may have: nothing was done.
 * CLOSED: the connection is closing or gone. jz_ws_unsubscribe ends the subscription. Of several subscriptions to one
 * topic the last says whether its messages come in envelopes.
 */
JZ_PUBLIC jz_send_status jz_ws_subscribe_from(jz_ws ws, const char *topic, size_t length,
                                              const jz_subscribe_options *options, jz_subscribed *subscribed);

/*
 * The position that a client has brought along for a topic: the first "since=<epoch>:<offset>:<topic>" in the query of
 * its request, the topic percent-encoded. False: it has brought none.
 */
JZ_PUBLIC bool jz_request_position(const jz_request *request, const char *topic, size_t length, jz_position *position);

/*
 * Visits the last messages of a topic that are kept, at most `count`, oldest first, and fills in the position behind
 * the last one, from which a subscription continues without a gap; `position` may be NULL. `visit` is called before
 * this returns, without any lock; what it is passed is valid until it returns. Returns how many there were; 0, and a
 * position of zeros, if the topic has no history. With no memory it is 0, too, and the position is one where a
 * subscription would not recover. Likewise if a broker keeps the history, and the topic has no subscriber here: what is
 * visited is what is known here. From any thread.
 */
JZ_PUBLIC size_t jz_server_recent(jz_server *server, const char *topic, size_t topic_length, size_t count,
                                  void (*visit)(void *context, jz_message_kind kind, const void *bytes, size_t length),
                                  void *context, jz_position *position);

/* What a server keeps now. */
typedef struct jz_history_statistics {
    uint64_t topics;        /* that are known, even if nothing of them is kept any more */
    uint64_t messages;      /* that are kept */
    uint64_t bytes;         /* that all this takes, of jz_options.history_limit */
    uint64_t recovered;     /* subscriptions that continued at a position, */
    uint64_t not_recovered; /* and that could not, since the server was created */
} jz_history_statistics;

/* From any thread. */
JZ_PUBLIC void jz_server_history_statistics(jz_server *server, jz_history_statistics *statistics);

JZ_END_DECLARATIONS

#endif
