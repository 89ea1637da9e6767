/*
 * Brokers: what joins the topics of several servers, in other processes and on other machines. With one, what is
 * published to a topic on any of the servers reaches its subscribers on all of them. This header is for who writes one,
 * over whatever carries messages between the servers; it is not part of jazzy.h.
 *
 * A server has one broker at most. It tells the broker which topics have subscribers here, and what is published here;
 * the broker tells the server what was published elsewhere:
 *
 *   subscribe           a topic has its first subscriber here, of those on all loops
 *   unsubscribe         its last has left
 *   publish             jz_ws_publish or jz_server_publish was called here, and subscribers here have it: to the others
 *   jz_broker_deliver   it was published elsewhere: to subscribers here, and to nobody else
 *
 * Writing a broker
 *   - Its functions are called by the server's loops, which serve nobody meanwhile: they copy what they are given into
 *     a queue of the broker's own, and return. A thread of the broker's does the rest, and delivers.
 *   - Order: what the server published goes to each other server in the order of the calls of `publish`, which is that
 *     of every publisher here. A broker need not order what different servers publish. One queue, and one thread that
 *     delivers what comes from one server, are enough.
 *   - No echo: what a server has published is not delivered to it, for its subscribers have it. Where the transport
 *     gives everybody everything, as Redis does, a name of the server's own goes with each message, to know it by.
 *   - Who sent a message is left out by the server that it is connected to. Nobody else has to know of it.
 *   - A transport that is lost: jz_broker_set_joined(server, false). Until it is found again the broker may ignore
 *     `subscribe` and `unsubscribe`, and answer `publish` with JZ_SEND_DROPPED: there is no list of topics to be kept.
 *     First be ready to take calls, then jz_broker_set_joined(server, true): it calls `subscribe` for every topic there
 *     is, as if each were new. So with Redis: connect, empty the queue, say so, send what the queue has. Being told of
 *     a topic twice, or that one has ended of which it was not told since, has to do no harm; it does none with Redis.
 *   - A queue that is full: of publications, JZ_SEND_DROPPED. A call of `subscribe` or `unsubscribe` must not get lost:
 *     where there is no room or no memory for it, the broker's thread says that the transport was lost, and is found.
 *   - In its functions the broker may call jz_broker_deliver, and in `start` and `publish` jz_broker_set_joined, but
 *     nothing else of this library for this server. Where it calls jz_broker_set_joined it holds no lock that its
 *     `subscribe` and `unsubscribe` take.
 */
#ifndef JAZZY_BROKER_H
#define JAZZY_BROKER_H

#include <stdbool.h>
#include <stddef.h>

#include "compiler.h"
#include "error.h"
#include "event.h"
#include "server.h"
#include "websocket.h"

JZ_BEGIN_DECLARATIONS

/*
 * A broker: functions, none of them NULL, and what they are given first. Topics and payloads are borrowed until a call
 * returns, and are not terminated; a pointer to nothing may be NULL. No lock of the server's is held but where it is
 * said.
 */
typedef struct jz_broker {
    void *context;

    /*
     * The server is about to run: called once by jz_server_run or jz_server_start, on their thread, before any loop
     * runs and any other function here is called. It may wait. The broker delivers from here on, to `server`. It counts
     * as joined once this has returned JZ_OK, unless it said otherwise. With any other status, and a sentence in the
     * message of `error`, which is never NULL, the server does not run, and the call that was to run it fails with
     * both; nothing else is called then, and it may be tried again.
     */
    jz_status (*start)(void *context, jz_server *server, jz_error *error);

    /*
     * The server has ended: its loops and workers are over, and no other function here is called any more, nor is one
     * under way. Called once for each `start` that succeeded, by whoever waits for the end of the server
     * (jz_server_run, jz_server_wait, jz_server_destroy) or by a thread of its own. It may wait. Once it has returned
     * the broker does not call the server any more, for that may be freed; what it delivers until then is CLOSED. The
     * last call: a broker may free itself in it.
     */
    void (*stop)(void *context);

    /*
     * A topic has its first subscriber here, on whichever loop; what others publish to it is to be delivered. Called by
     * that loop before jz_ws_subscribe takes effect, or by jz_broker_set_joined. Under a lock of all loops, so that
     * these calls and those of `unsubscribe` come one at a time and, for each topic, in the order in which it happened,
     * on however many loops.
     */
    void (*subscribe)(void *context, const char *topic, size_t length);

    /* A topic has lost its last subscriber here. By its loop, and under the same lock. */
    void (*unsubscribe)(void *context, const char *topic, size_t length);

    /*
     * Something was published here, and the subscribers here have it: it is to be delivered to all others. `kind` is
     * text or binary; text is UTF-8 if who published it kept to that. Called by the publisher, on whichever thread,
     * possibly by several at a time; the calls for what one thread publishes, or several under one lock, come in its
     * order. Not called for what jz_broker_deliver brings, nor for what was DROPPED here.
     *
     * SENT, QUEUED: the broker takes care of it. Anything else: it is lost to the others. jz_ws_publish and
     * jz_server_publish then return DROPPED, though the subscribers here have it, and jz_broker_statistics counts it.
     */
    jz_send_status (*publish)(void *context, const char *topic, size_t topic_length, jz_message_kind kind,
                              const void *bytes, size_t length);
} jz_broker;

/*
 * Gives the server a broker, before it runs. The table is copied; `context` stays the caller's, and lives until `stop`
 * has returned or, where the server never ran, until it is destroyed. INVALID_OPTION: a function is NULL.
 * INVALID_STATE: the server runs or has run, or has a broker.
 */
JZ_PUBLIC jz_status jz_server_join(jz_server *server, const jz_broker *broker, jz_error *error);

/*
 * Sends what was published elsewhere to all subscribers of a topic here, and to nobody else: the broker is not given it
 * back. Text must be UTF-8; that is not checked. Copied before it returns. From any thread, and within the broker's own
 * functions; it waits for nobody, takes no lock and calls nobody. What one thread delivers arrives in its order at
 * every receiver.
 *
 * SENT: it travels to the loops. DROPPED: as much waits for a loop as may (jz_options.mailbox_limit), which is counted
 * (jz_server_dropped_count), or neither text nor binary: nobody gets it, and the broker may try again later; or no
 * memory: some may. CLOSED: the server is stopping, and all are told so; or it has ended.
 */
JZ_PUBLIC jz_send_status jz_broker_deliver(jz_server *server, const char *topic, size_t topic_length,
                                           jz_message_kind kind, const void *bytes, size_t length);

/*
 * Tells that the others cannot be reached any more, or can again: that is logged, and counted in jz_broker_statistics.
 * Calls for what is so already do nothing, nor do any after `stop`, or without a broker. While they cannot be reached,
 * everything but their subscribers goes on as before, and `subscribe`, `unsubscribe` and `publish` are called all the
 * same.
 *
 * When they can be reached again `subscribe` is called for every topic that has subscribers here, before this returns,
 * under its lock: loops with a first or a last subscriber wait for about a tenth of a microsecond a topic and whatever
 * `subscribe` takes. From any thread of the broker's, one at a time, and within `start` and `publish`; not within
 * `subscribe` and `unsubscribe`, which have the lock.
 */
JZ_PUBLIC void jz_broker_set_joined(jz_server *server, bool is_joined);

JZ_END_DECLARATIONS

#endif
