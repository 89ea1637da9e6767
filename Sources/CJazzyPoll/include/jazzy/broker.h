/*
 * Brokers, which join the topics of several servers, in other processes and on other machines: a message that is
 * published to a topic on any of them reaches its subscribers on all of them. This header is for those who write a
 * broker, over Redis or whatever else carries messages between servers. It is not part of jazzy.h.
 *
 * A server has at most one broker. It tells the broker which topics have subscribers here and what is published here,
 * and the broker delivers what is published elsewhere:
 *
 *   subscribe           a topic has its first subscriber on this server, over all its loops
 *   unsubscribe         a topic has lost its last subscriber on this server
 *   publish_except      a message was published here; the subscribers here have it, the others are to get it
 *   publish             the same, for brokers that need not know who published it
 *   flush               what was published is all for now
 *   jz_broker_deliver   a message was published elsewhere; the subscribers here get it
 *
 * How to write a broker
 *   - Its functions are called on the server's event loops, which do nothing else meanwhile. So they only copy their
 *     arguments into a queue, and return. A thread of the broker does the rest, and calls jz_broker_deliver.
 *   - Order: each other server has to be delivered the messages of this one in the order of the calls of `publish`.
 *     Then all messages of one publisher arrive in their order everywhere. Between messages of different servers there
 *     is no order to keep. One queue for each direction and one thread that delivers are enough.
 *   - No echo: a server must not be delivered its own messages, because its subscribers already have them. If the
 *     transport returns them to their sender, as Redis does, prefix each message with an identifier of the server, and
 *     drop those that have the server's own.
 *   - The connection that published a message does not receive it; its own server takes care of that.
 *   - Or one order for all: if `is_ordered`, a server leaves its own subscribers to the broker, too. That delivers each
 *     message to every server, the publishing one included, in one order that is the same for all of them. There, and
 *     only there, it excludes the connection that `publish_except` was told, with jz_broker_deliver_except. This costs
 *     the way through the broker for everybody, and while the broker is not connected nobody receives anything.
 *   - Lost connections: call jz_broker_set_joined(server, false). Until it is back, `subscribe` and `unsubscribe` may
 *     do nothing, and `publish` may return JZ_SEND_DROPPED. A broker need not keep a list of topics: when it is
 *     connected again, and ready for calls of `subscribe`, it calls jz_broker_set_joined(server, true), which calls
 *     `subscribe` for every topic. For Redis: connect, empty the queue, jz_broker_set_joined, then send the queue.
 *   - So from when it is ready until jz_broker_set_joined returns, `subscribe` may be called for a topic that the
 *     broker has already, and `unsubscribe` for one that it has not. At all other times they alternate for each topic.
 *   - A full queue: `publish` returns JZ_SEND_DROPPED. Calls of `subscribe` and `unsubscribe` must not be lost: if
 *     there is no room or no memory for one, the broker's thread reports the connection as lost, and then as back.
 *   - Waking a thread costs more than a message. So what is published in one iteration of a loop may go in one piece:
 *     a broker that has `flush` leaves its thread asleep in `publish`, and wakes it in `flush`. And what one read from
 *     the network brings is best delivered as a batch (jz_broker_batch), which wakes each loop once.
 *   - Histories (jazzy/history.h) are kept by each server, of what its own subscribers were sent. A broker that keeps
 *     them itself, for all servers, has publish_kept and fetch: then a client continues on any of them. Each message of
 *     a topic with history goes through the broker, which gives it its position, and comes to every server, the one
 *     where it was published included, by jz_broker_deliver_kept, in the order of the positions. A server keeps what
 *     was delivered as long as it has subscribers of the topic, so that who comes back to it costs the broker nothing;
 *     it asks for what it does not have by `fetch`. An offset beyond the newest may be on its way, or made up: once one
 *     was, the next ones are no reason to ask for a second, and whoever claims them has not recovered. The first
 *     message behind a `subscribe` is taken for one behind which nothing is missing: what was on its way before, when
 *     the topic was unsubscribed, is not delivered then, unless all that follows it comes, too. For Redis: what comes
 *     before the last SUBSCRIBE is acknowledged is dropped.
 *   - Members of topics (jazzy/presence.h) are known on all servers by messages that the servers themselves publish, on
 *     topics whose names begin with "\xFFjazzy.presence". To a broker these are topics like all others, except that
 *     `subscribe`, `unsubscribe` and `publish` are called for them on a thread of the server's own. What is delivered
 *     on them goes to no subscriber, and counts nowhere as a publication. The byte 0xFF begins no UTF-8: applications
 *     leave topics with such names alone. If messages to them are lost while the broker is connected, it calls
 *     jz_broker_missed, as for topics with history; otherwise members may be missing until their server changes
 *     something.
 *   - Within its functions a broker may call jz_broker_deliver and jz_broker_deliver_kept, within `fetch` also
 *     jz_broker_fetched, and within `start` and `publish` also jz_broker_set_joined, but nothing else of this library
 * for this server. While it calls jz_broker_set_joined it must not hold a lock that its `subscribe` or `unsubscribe`
 * takes.
 */
#ifndef JAZZY_BROKER_H
#define JAZZY_BROKER_H

#include <stdbool.h>
#include <stddef.h>

#include "compiler.h"
#include "error.h"
#include "event.h"
#include "history.h"
#include "server.h"
#include "statistics.h"
#include "websocket.h"

JZ_BEGIN_DECLARATIONS

/*
 * The functions of a broker, and the context that they are called with. None of them is NULL, except that there may be
 * one of `publish` and `publish_except` only, and that those at the end are optional: set all to zero that you do not
 * know. Topics and payloads are borrowed until the function returns; they are not NUL-terminated, and may be NULL if
 * their length is 0. No lock of the server is held, except where it is mentioned.
 */
typedef struct jz_broker {
    void *context;

    /*
     * The server is about to run. Called by jz_server_run or jz_server_start, on their thread, before any other
     * function here; it may block, and should look at jz_broker_is_stopping meanwhile. From now on the broker may
     * deliver to `server`. It counts as connected once this has returned JZ_OK, unless it has called
     * jz_broker_set_joined(server, false).
     *
     * To fail, it returns another status and writes a sentence to error->message (`error` is never NULL): the server
     * does not run, and jz_server_run or jz_server_start returns this error. No other function is called then. Running
     * the server may be tried again.
     */
    jz_status (*start)(void *context, jz_server *server, jz_error *error);

    /*
     * The server has ended: its loops and workers have finished, no call of another function here is in progress, and
     * none will follow. Called once for each successful `start`, on the thread of jz_server_run, jz_server_wait or
     * jz_server_destroy, or on one of the server's own; or, if a loop's thread cannot be started, before jz_server_run
     * or jz_server_start returns that error. It may block. Until it returns, the broker may still call
     * jz_broker_deliver, which returns JZ_SEND_CLOSED; afterwards it must not use the server, which may be freed. This
     * is the last call: a broker may free itself here.
     */
    void (*stop)(void *context);

    /*
     * A topic has its first subscriber on this server: messages of the other servers to it are to be delivered. Called
     * on the loop of the subscriber, before its subscription takes effect, or by jz_broker_set_joined; for topics with
     * history (jazzy/history.h) on the thread that calls jz_ws_subscribe_from, whichever that is. Calls of this
     * and of `unsubscribe` are made under one lock for all loops: one at a time, and for each topic in the true order.
     */
    void (*subscribe)(void *context, const char *topic, size_t length);

    /*
     * A topic has lost its last subscriber on this server. Called on that subscriber's loop, or where `subscribe` was,
     * under the same lock.
     */
    void (*unsubscribe)(void *context, const char *topic, size_t length);

    /*
     * A message was published on this server, and its subscribers here have it: it is to be delivered to all other
     * servers. `kind` is text or binary. Called on the thread of the publisher, whichever that is, and possibly on
     * several at the same time; messages that one thread publishes, or several under a lock, come in their order. Not
     * called for messages that jz_broker_deliver brought, nor for those that were DROPPED here.
     *
     * Returns SENT or QUEUED if the broker accepts the message. Otherwise jz_ws_publish and jz_server_publish return
     * DROPPED, although the subscribers here receive it, and jz_broker_statistics counts it as refused.
     */
    jz_send_status (*publish)(void *context, const char *topic, size_t topic_length, jz_message_kind kind,
                              const void *bytes, size_t length);

    /*
     * The same, called in place of `publish` unless it is NULL. `except` is the connection of this server that does not
     * receive the message, because it is the publisher; zero: all subscribers do. Its handle means nothing to other
     * servers: a broker that sends it to them, and gets it back, uses it on the server only that it came from.
     */
    jz_send_status (*publish_except)(void *context, jz_ws except, const char *topic, size_t topic_length,
                                     jz_message_kind kind, const void *bytes, size_t length);

    /*
     * Optional: whether what is published to a topic on other servers reaches the subscribers here now. NULL: as long
     * as the broker is connected. Asked by jz_server_is_live between `start` and `stop`, while the broker is connected,
     * on any thread and on several at the same time, also on loops: it returns at once.
     */
    bool (*is_live)(void *context, const char *topic, size_t length);

    /*
     * Optional: fills in what jz_server_statistics tells of the broker; all of it is 0 before. Called between `start`
     * and `stop`, on any thread, one call at a time, and once more before `stop`: what it says then remains.
     */
    void (*report)(void *context, jz_broker_report *report);

    /*
     * Publications go through the broker to the subscribers of this server, too: they have not got them when `publish`
     * is called, but by jz_broker_deliver_except. What the broker does not accept nobody receives. For a broker that
     * has publish_except.
     */
    bool is_ordered;

    /*
     * Optional: what was published is all for now, and is to go on its way. On an event loop it is called once at the
     * end of each iteration in which `publish` was called there, when the output of that iteration was sent: so the
     * subscribers of that loop have got the messages, and do not wait for what this does. On any other thread it
     * follows each call of `publish`, before jz_server_publish returns. It may be called on several threads at the same
     * time, and where another has sent already what there was.
     *
     * An iteration ends when its handlers have returned. One that publishes and does not return leaves what it has
     * published without a flush, and one may publish a lot before: so a broker that waits for flushes sends without one
     * what has become much, or has waited for long.
     */
    void (*flush)(void *context);

    /*
     * Optional, both or none: the broker keeps the histories. What is published to a topic with a history is passed to
     * publish_kept, and neither to the subscribers here nor to `publish`: the broker gives it the next offset, keeps
     * it, as much as `history` says, and brings it to every server, this one included, by jz_broker_deliver_kept, with
     * the same `except` here. It may be published where the topic has no subscriber. Returns SENT or QUEUED if the
     * broker accepts the message; otherwise nobody gets it, and the publisher is told DROPPED. Else as publish_except;
     * `flush` follows it, too.
     */
    jz_send_status (*publish_kept)(void *context, jz_ws except, const char *topic, size_t topic_length,
                                   const jz_history_options *history, jz_message_kind kind, const void *bytes,
                                   size_t length);

    /*
     * Asks for what is kept of a topic, which was told by `subscribe` before, to be answered by jz_broker_fetched with
     * this number, from any thread, also before this returns. Of each topic one is asked for at a time; what is not
     * answered within JZ_FETCH_TIMEOUT_MS is given up, and may be asked for again with another number. Meanwhile the
     * topic may be unsubscribed: it is to be answered all the same. Returns at once; false: it cannot be, and is not
     * answered. A broker that is not connected may return false, or answer when it is connected again. On any thread,
     * and on several at the same time.
     */
    bool (*fetch)(void *context, const char *topic, size_t topic_length, const jz_history_options *history,
                  uint64_t number);
} jz_broker;

/* How long those who wait for an answer to `fetch` do so, in milliseconds: then they have not recovered. */
enum { JZ_FETCH_TIMEOUT_MS = 10000 };

/*
 * Gives the server a broker, before it runs. The table is copied. `context` has to live until `stop` returns or, if the
 * server never ran, until it is destroyed. INVALID_OPTION: a function is NULL that is needed. INVALID_STATE: the server
 * runs or has run, or already has a broker.
 */
JZ_PUBLIC jz_status jz_server_join(jz_server *server, const jz_broker *broker, jz_error *error);

/*
 * Sends a message that was published on another server to all subscribers of a topic on this one. It is copied, and not
 * passed to the broker's `publish`. Text must be UTF-8, which is not checked. From any thread, also within the broker's
 * own functions; it never blocks, takes no lock, and calls no function of the application. Messages that one thread
 * delivers arrive in the same order at every receiver.
 *
 * SENT: on its way to the loops. DROPPED: the mailbox of a loop is full (jz_options.mailbox_limit): nobody gets it, and
 * after a while the broker may try again; or no memory: some may get it. Both are counted (jz_server_dropped_count).
 * Also DROPPED: the kind is neither text nor binary. CLOSED: the server is stopping, and its clients are told so, or it
 * has ended.
 */
JZ_PUBLIC jz_send_status jz_broker_deliver(jz_server *server, const char *topic, size_t topic_length,
                                           jz_message_kind kind, const void *bytes, size_t length);

/*
 * The same to all subscribers but one connection of this server, which zero, or a connection that is gone, does not
 * exclude: for a broker that is_ordered, and what came from this server.
 */
JZ_PUBLIC jz_send_status jz_broker_deliver_except(jz_server *server, jz_ws except, const char *topic,
                                                  size_t topic_length, jz_message_kind kind, const void *bytes,
                                                  size_t length);

/*
 * Messages that are delivered together. Each loop is woken once for all of them, not before they are posted, and
 * handles them in one iteration: for a broker that reads several messages at once from its network. A batch is used by
 * one thread at a time, again and again, and a server may have several. Free it before `stop` returns.
 */
typedef struct jz_broker_batch jz_broker_batch;

/* NULL when there is no memory. Within `start` or later. */
JZ_PUBLIC jz_broker_batch *jz_broker_batch_create(jz_server *server);

/*
 * Adds a message, as jz_broker_deliver_except does, and with what that returns. It reaches the loops when the batch is
 * posted, behind what this or any other thread delivers meanwhile without the batch. At the latest after 256 messages,
 * or where they take a quarter of jz_options.mailbox_limit, and if this does not return SENT, it is posted at once.
 */
JZ_PUBLIC jz_send_status jz_broker_batch_deliver(jz_broker_batch *batch, jz_ws except, const char *topic,
                                                 size_t topic_length, jz_message_kind kind, const void *bytes,
                                                 size_t length);

/*
 * Posts what was added, after which the batch is empty: do it whenever nothing more is there to be added, and before
 * anything that may take long. Loops that have ended meanwhile do not get it.
 */
JZ_PUBLIC void jz_broker_batch_post(jz_broker_batch *batch);

/* Posts what was added, and frees the batch. NULL does nothing. */
JZ_PUBLIC void jz_broker_batch_free(jz_broker_batch *batch);

/*
 * Delivers a message that a broker has kept, of a topic with history, as jz_broker_deliver_except does: `position` is
 * its own, whose epoch is not 0. `batch`, unless it is NULL, is posted before. Call it in the order of the offsets,
 * which are contiguous under one epoch.
 *
 * What has the next offset of the epoch that is known here is kept, and sent to all subscribers but `except`; to that,
 * too, if it has subscribed from a position. An offset that is known already is a duplicate, and does nothing: SENT. If
 * messages are missing before it, or the epoch is another one, what was kept here is forgotten, and whoever has
 * subscribed from a position is closed with JZ_CLOSE_BEHIND, and comes back, to continue from what is fetched or not at
 * all; the others get the message.
 *
 * DROPPED: as of jz_broker_deliver, and that counts as missing: see jz_broker_missed. Also DROPPED: the topic has no
 * history here, the broker does not keep it, or the position has a zero. It may wait a moment for another thread that
 * deals with the topic. (What jz_broker_deliver brings has no position: where the broker keeps the histories, it is
 * DROPPED if the topic has one.)
 */
JZ_PUBLIC jz_send_status jz_broker_deliver_kept(jz_server *server, jz_broker_batch *batch, jz_ws except,
                                                const char *topic, size_t topic_length, jz_message_kind kind,
                                                const void *bytes, size_t length, jz_position position);

/* A message that a broker has kept. */
typedef struct jz_broker_kept_message {
    jz_message_kind kind;
    const void *bytes;
    size_t length;
    uint64_t age_ms; /* since it was published; 0 if that is not known */
} jz_broker_kept_message;

/* What a broker has kept of a topic, at one moment. */
typedef struct jz_broker_kept {
    bool is_failed;     /* it cannot be known now; then the rest is not read */
    jz_position newest; /* of the newest message until then, whether it is kept or not; offset 0: there was none yet */
    size_t count;       /* of messages, without a gap, oldest first, of which the last has the position `newest` */
    const jz_broker_kept_message *messages;
} jz_broker_kept;

/*
 * Answers `fetch`. Everything is copied. Those who wait for it are sent what they have missed, or have not recovered.
 *
 * Its place in the order of deliveries counts: call it on the thread that delivers, when everything that was published
 * to the topic before the moment of `kept` has been delivered, as far as the topic was subscribed, and nothing that was
 * published after that moment was lost. So the topic has to be subscribed before that moment. Newer messages may have
 * been delivered already. If this cannot be said, for instance because a connection was lost in between, the answer is
 * one that is_failed, or comes from a later moment. An answer to a number that was given up, or answered, does nothing.
 * Not within `subscribe` and `unsubscribe`, nor with a lock that these take.
 */
JZ_PUBLIC void jz_broker_fetched(jz_server *server, const char *topic, size_t topic_length, uint64_t number,
                                 const jz_broker_kept *kept);

/*
 * Tells the server whether the broker is connected to the other servers. Each change is logged, and counted in
 * jz_broker_statistics. Does nothing if it is not a change, after `stop`, and without a broker. While the broker is not
 * connected, the server works on its own, and still calls `subscribe`, `unsubscribe` and `publish`.
 *
 * When it is connected again, `subscribe` is called for every topic that has subscribers here, before this returns and
 * under the lock of `subscribe`. Meanwhile a loop where a topic gets its first or loses its last subscriber waits: less
 * than 0.1 microseconds for each topic, and the time that `subscribe` takes.
 *
 * Whoever has subscribed to a topic from a position (jazzy/history.h) may have missed something when it is connected
 * again, and is closed with JZ_CLOSE_BEHIND then, to come back.
 *
 * From one thread at a time, and within `start` and `publish`, but not within `subscribe` and `unsubscribe`, which are
 * called under the lock.
 */
JZ_PUBLIC void jz_broker_set_joined(jz_server *server, bool is_joined);

/*
 * Tells the server that messages of other servers to a topic were, or may have been, missed here, although the broker
 * is connected: one was lost on its way, or jz_broker_deliver has not taken it for good. If the topic has a history
 * (jazzy/history.h), whoever has subscribed from a position is closed with JZ_CLOSE_BEHIND, and whoever comes back with
 * a position of before has not recovered; or, if the broker keeps the histories, gets what was missed, because that is
 * fetched. Do it before what was published after the gap is delivered. From any thread, but not within `subscribe` and
 * `unsubscribe`.
 */
JZ_PUBLIC void jz_broker_missed(jz_server *server, const char *topic, size_t topic_length);

/*
 * Whether the server was asked to stop: for a broker that waits in `start`, where no signal or other thread can reach
 * it. It gives up waiting then, and returns JZ_OK: the server ends as soon as it runs. From any thread.
 */
JZ_PUBLIC bool jz_broker_is_stopping(const jz_server *server);

JZ_END_DECLARATIONS

#endif
