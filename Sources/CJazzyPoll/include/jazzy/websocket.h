/* Connections: their handles, and functions on them. Every function here may be called from any thread. */
#ifndef JAZZY_WEBSOCKET_H
#define JAZZY_WEBSOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "compiler.h"
#include "event.h"

JZ_BEGIN_DECLARATIONS

/*
 * A connection. A value: copy it, compare `value`, use it as a key. A connection has the same value in every event, and
 * no two connections of a process ever have the same value, even after one of them is gone. Zero is no connection.
 */
typedef struct jz_ws {
    uint64_t value;
} jz_ws;

/* The result of sending. */
typedef enum jz_send_status {
    JZ_SEND_SENT,    /* accepted; goes to the kernel at the latest at the end of this loop iteration, or of more than
                        128 KiB in portions, one in each of the next, where other connections would wait for it */
    JZ_SEND_QUEUED,  /* accepted; waits behind unsent output, or is on its way to the loop that owns the connection */
    JZ_SEND_DROPPED, /* refused: the backpressure limit is reached, there is no memory, or an argument may not be sent
                      */
    JZ_SEND_CLOSED   /* refused: the connection is closing or gone */
} jz_send_status;

/*
 * Sends one message, in one frame. The bytes are copied (and compressed, if the route says so) before it returns.
 *
 *   kind    text, binary, ping or pong. Text must be UTF-8 (§5.6), which the caller ensures: it is not checked here.
 *           A ping or pong of more than 125 bytes is dropped (§5.5).
 *   bytes   `length` bytes; may be NULL when length is 0.
 *
 * On the thread of the connection's own loop it acts at once, unless that has more calls of other threads waiting than
 * one iteration takes: then, as from other threads, the call waits behind them. If one send happens before another, on
 * one thread or under one lock, it arrives first. Never calls a handler.
 */
JZ_PUBLIC jz_send_status jz_ws_send(jz_ws ws, jz_message_kind kind, const void *bytes, size_t length);

/*
 * Whether a message is compressed. Never if the connection has not negotiated compression, or if the message would
 * grow.
 *
 * Compression can reveal secrets. The length of a compressed message shows whether a secret has something in common
 * with text that an attacker has placed beside it (CRIME). And without context takeover a loop remembers the message
 * that it compressed last, so that a message to many is compressed once: an attacker who can make the same loop send a
 * message to him can measure, by the time this takes, whether it equals the last one, to somebody else.
 * JZ_COMPRESSION_NEVER prevents both.
 */
typedef enum jz_compression {
    JZ_COMPRESSION_AUTOMATIC, /* from the route's min_message_size on */
    JZ_COMPRESSION_ALWAYS,
    JZ_COMPRESSION_NEVER /* for data that is compressed already, and for secrets */
} jz_compression;

/* The same as jz_ws_send, which uses JZ_COMPRESSION_AUTOMATIC. */
JZ_PUBLIC jz_send_status jz_ws_send_with(jz_ws ws, jz_message_kind kind, const void *bytes, size_t length,
                                         jz_compression compression);

/*
 * Starts the close handshake (§7.1.2): sends a close frame, delivers no more messages, and ends the connection when the
 * peer has answered or the close time-out has passed. The close event comes later, never before this returns. Where the
 * route runs on workers, messages that wait for one when another thread or the peer closes are delivered before it; but
 * none after one whose handler closes, though that comes too late (CLOSED).
 *
 *   code     1000-1003, 1007-1014 or 3000-4999. Codes that close events have, but frames may not (§7.4.1), are
 * accepted, too: JZ_CLOSE_NO_STATUS (1005) sends an empty close frame, 1006 sends 1001, 1015 sends 1011. Any other code
 *            may not be sent (§7.4) and is refused with JZ_SEND_DROPPED; the connection stays open.
 *   reason   UTF-8, `reason_length` bytes; cut between two characters if longer than the 123 bytes that fit, and
 *            omitted from an empty close frame. If it is not UTF-8, it is refused like such a code.
 */
JZ_PUBLIC jz_send_status jz_ws_close(jz_ws ws, uint16_t code, const char *reason, size_t reason_length);

/*
 * Ends the connection at once, without a close frame and without waiting: output that the kernel does not have yet is
 * lost, and nothing more is delivered but the close event, with code 1006, later, never before this returns. Also works
 * if closing has begun and the peer does not answer. CLOSED: it has ended already. Then, and where its loop sees
 * another end before the call of another thread or a worker, the error and the close event of that end are delivered.
 * Otherwise as jz_ws_close.
 */
JZ_PUBLIC jz_send_status jz_ws_terminate(jz_ws ws);

/*
 * Topics: a message that is published to a topic reaches every connection that has subscribed to it, on all loops of
 * the server. A topic is any sequence of `length` bytes, and exists as long as it has subscribers. A connection that
 * has ended is unsubscribed after its close event has been handled: that handler can still query its topics, address
 * and subprotocol, and publish to the others, on the loop and on workers alike.
 */

/*
 * Subscribes; does nothing if it is subscribed already. SENT: done. QUEUED: on its way to the connection's loop.
 * DROPPED: no memory. CLOSED: the connection is closing or gone.
 */
JZ_PUBLIC jz_send_status jz_ws_subscribe(jz_ws ws, const char *topic, size_t length);

/* Returns as jz_ws_subscribe. */
JZ_PUBLIC jz_send_status jz_ws_unsubscribe(jz_ws ws, const char *topic, size_t length);

JZ_PUBLIC bool jz_ws_is_subscribed(jz_ws ws, const char *topic, size_t length);

/* Calls `visit` once for each topic that the connection is subscribed to, before it returns. Returns how many. */
JZ_PUBLIC size_t jz_ws_topics(jz_ws ws, void (*visit)(void *context, const char *topic, size_t length), void *context);

/*
 * Sends a text or binary message to all subscribers of a topic except `ws` itself, which need not be subscribed. It is
 * framed once, compressed once for each set of parameters, and shared by all receivers. Messages that one thread
 * publishes to a topic arrive in the same order at every receiver. SENT: sent to this loop's connections, and on its
 * way to the others. DROPPED: a loop's mailbox is full, or the kind is neither text nor binary: nobody gets it; or no
 * memory: some may get it; or a broker (jazzy/broker.h) does not accept it: this server's subscribers get it, unless
 * the broker is ordered, those of other processes do not. CLOSED: `ws` is closing or gone; but in its close event it
 * can still publish.
 */
JZ_PUBLIC jz_send_status jz_ws_publish(jz_ws ws, const char *topic, size_t topic_length, jz_message_kind kind,
                                       const void *bytes, size_t length);

/* How a message is published. All zero: as without options. */
typedef struct jz_publish_options {
    /* For each receiver whose connection has negotiated it; compressed once, or not at all, for all that share it. */
    jz_compression compression;
    bool including_self; /* jz_ws_publish_with: `ws` receives it, too, if it has subscribed */
} jz_publish_options;

/*
 * jz_ws_publish with options; NULL means all zero. They concern this server: a broker's other servers publish with
 * none, and a connection is never the sender there. What a broker that is ordered delivers is compressed as without
 * options, here too.
 */
JZ_PUBLIC jz_send_status jz_ws_publish_with(jz_ws ws, const char *topic, size_t topic_length, jz_message_kind kind,
                                            const void *bytes, size_t length, const jz_publish_options *options);

/*
 * An application's pointer that belongs to the connection, from its open event until release_state of its route is
 * called with it after the close event. NULL if it was not set. Available only in the handlers of the connection itself
 * and, unless its route runs on workers, in any handler on its loop: elsewhere jz_ws_state returns NULL, and
 * jz_ws_set_state does nothing and returns false. When a state is replaced, the caller owns the old one again.
 */
JZ_PUBLIC void *jz_ws_state(jz_ws ws);
JZ_PUBLIC bool jz_ws_set_state(jz_ws ws, void *state);

/* Whether messages can be sent: from the open event on, until either side starts closing. */
JZ_PUBLIC bool jz_ws_is_open(jz_ws ws);

/*
 * Stops reading from the connection until jz_ws_resume_reading: TCP slows the peer down, and nothing is buffered but
 * the input of the current read, which is still delivered. Does nothing if it is paused already. Reading resumes by
 * itself when closing starts, and when the peer of a Unix domain socket has gone. The idle time-out does not run
 * meanwhile. Both return as jz_ws_subscribe.
 */
JZ_PUBLIC jz_send_status jz_ws_pause_reading(jz_ws ws);
JZ_PUBLIC jz_send_status jz_ws_resume_reading(jz_ws ws);

/*
 * The subprotocol of the connection, if it is one that the route lists; "" if it is not, if there is none, and if the
 * connection is gone. NUL-terminated; it lives as long as the server. From any thread.
 */
JZ_PUBLIC const char *jz_ws_subprotocol(jz_ws ws);

/*
 * Calls `visit`, before it returns, with what the connection's route was registered with, which lives until then, even
 * if the server is destroyed meanwhile; `visit` must not wait for anything. From any thread, and in the close event,
 * too. Returns false, without calling it, if the connection is gone.
 */
JZ_PUBLIC bool jz_ws_visit_context(jz_ws ws, void (*visit)(void *visitor, void *context), void *visitor);

/*
 * The connection whose message the calling thread handles. Zero outside of handlers; in a handler that was called with
 * another event it may be zero, too.
 */
JZ_PUBLIC jz_ws jz_current_ws(void);

/*
 * The bytes that were accepted for sending to this connection, but not yet taken by the kernel. 0 if it is gone. Sends
 * of other threads count once the connection's loop has taken them.
 */
JZ_PUBLIC size_t jz_ws_buffered_amount(jz_ws ws);

/* The size of the longest address that jz_ws_remote_address writes, with its NUL. */
#define JZ_REMOTE_ADDRESS_SIZE 64

/*
 * Writes the peer's address and port, as in "192.0.2.7:4711" or "[2001:db8::7]:4711", and a NUL, to `text`. For a
 * client behind a trusted proxy: the address that the proxy names, with port 0 if it names none. For a Unix domain
 * socket, or an adopted descriptor without an address: "unix". Returns the length without the NUL; 0, with an empty
 * text, if the connection is gone.
 */
JZ_PUBLIC size_t jz_ws_remote_address(jz_ws ws, char text[JZ_REMOTE_ADDRESS_SIZE]);

JZ_END_DECLARATIONS

#endif
