/* Connections: handles, and what can be done with them. Every function here may be called from any thread. */
#ifndef JAZZY_WEBSOCKET_H
#define JAZZY_WEBSOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "compiler.h"
#include "event.h"

JZ_BEGIN_DECLARATIONS

/*
 * A connection. A value: copy it, compare `value`, use it as a key. The same connection has the same value in every
 * event, and no two connections of a process ever have the same, also after one of them is gone. Zero is no connection.
 */
typedef struct jz_ws {
    uint64_t value;
} jz_ws;

/* What became of something that was to be sent. */
typedef enum jz_send_status {
    JZ_SEND_SENT,    /* accepted; goes to the kernel with the system call that ends this turn of the loop */
    JZ_SEND_QUEUED,  /* accepted; waits behind unsent output, or travels to the loop that owns the connection */
    JZ_SEND_DROPPED, /* refused: the backpressure limit is reached, no memory, or an argument may not be sent */
    JZ_SEND_CLOSED   /* refused: the connection is closing or gone */
} jz_send_status;

/*
 * Sends one message, in one frame. The bytes are copied (and compressed, where the route says so) before it returns.
 *
 *   kind    text, binary, ping or pong. Text must be UTF-8 (§5.6); that is the caller's duty and is not checked here.
 *           A ping or pong of more than 125 bytes is dropped (§5.5).
 *   bytes   `length` bytes; may be NULL when length is 0.
 *
 * On the connection's own loop it acts at once, unless more waits in the loop's mailbox than a turn of it takes: then,
 * as from elsewhere, it travels through the mailbox, behind that. Of two sends one of which comes before the other, on
 * one thread or under one lock, the first arrives first. Never calls a handler.
 */
JZ_PUBLIC jz_send_status jz_ws_send(jz_ws ws, jz_message_kind kind, const void *bytes, size_t length);

/*
 * Whether a message is compressed. It never is where the connection has not agreed on it, or where it would grow.
 *
 * What is compressed can tell about itself. Its length tells whether a secret has something in common with what an
 * attacker had sent beside it (CRIME). And a loop remembers the message that it compressed last, without context
 * takeover, so that one to many is compressed once: who can have the same loop send a message to himself can measure,
 * by the time that takes, whether it is the one that was last sent to another. Neither tells anything with
 * JZ_COMPRESSION_NEVER.
 */
typedef enum jz_compression {
    JZ_COMPRESSION_AUTOMATIC, /* from the route's min_message_size on */
    JZ_COMPRESSION_ALWAYS,
    JZ_COMPRESSION_NEVER /* for what is compressed already, and for secrets */
} jz_compression;

/* The same as jz_ws_send, with a choice. jz_ws_send is JZ_COMPRESSION_AUTOMATIC. */
JZ_PUBLIC jz_send_status jz_ws_send_with(jz_ws ws, jz_message_kind kind, const void *bytes, size_t length,
                                         jz_compression compression);

/*
 * Starts the close handshake (§7.1.2): sends a close frame, delivers no more messages, and ends the connection when the
 * peer has answered or the close time-out has passed. The close event comes later, never before this returns.
 *
 *   code     1000-1003, 1007-1014 or 3000-4999. What a close event may hand on and no frame may carry (§7.4.1) closes,
 *            too: JZ_CLOSE_NO_STATUS (1005) with an empty close frame, 1006 as 1001, 1015 as 1011. Any other may not be
 *            sent (§7.4) and is refused with JZ_SEND_DROPPED, the connection staying open.
 *   reason   UTF-8, `reason_length` bytes; cut at a character's end where it is longer than the 123 bytes that fit, and
 *            left out of an empty close frame. One that is no UTF-8 is refused as such a code is.
 */
JZ_PUBLIC jz_send_status jz_ws_close(jz_ws ws, uint16_t code, const char *reason, size_t reason_length);

/*
 * Ends the connection at once, without a close frame, and without waiting for anybody: what was sent and has not gone
 * to the kernel is lost, and nothing more is delivered but the close event, with code 1006, later, never before this
 * returns. Also where closing has begun and the peer does not answer. CLOSED: it has ended already. Else as
 * jz_ws_close.
 */
JZ_PUBLIC jz_send_status jz_ws_terminate(jz_ws ws);

/*
 * Topics: what is published to one reaches every connection that has subscribed to it, on all loops of the server. A
 * topic is any sequence of `length` bytes, and is there as long as somebody has subscribed. A connection that has ended
 * is unsubscribed when its close event has been handled: there its topics, its address, and its subprotocol can still
 * be asked for, and it can publish to the others; all the same on the loop and on workers.
 */

/*
 * Subscribes; once more does nothing. SENT: at once. QUEUED: it travels to the connection's loop. DROPPED: no memory.
 * CLOSED: the connection is closing or gone.
 */
JZ_PUBLIC jz_send_status jz_ws_subscribe(jz_ws ws, const char *topic, size_t length);

/* Returns as jz_ws_subscribe. */
JZ_PUBLIC jz_send_status jz_ws_unsubscribe(jz_ws ws, const char *topic, size_t length);

JZ_PUBLIC bool jz_ws_is_subscribed(jz_ws ws, const char *topic, size_t length);

/* Calls `visit` once for each topic that the connection is subscribed to, before it returns. Returns how many. */
JZ_PUBLIC size_t jz_ws_topics(jz_ws ws, void (*visit)(void *context, const char *topic, size_t length), void *context);

/*
 * Sends a text or binary message to all subscribers of a topic but `ws` itself, which need not be one. It is framed
 * once, compressed once for all that agreed on the same, and shared by all. What one thread publishes to a topic
 * arrives in the same order at every receiver. SENT: this loop's connections have it, others' will. DROPPED: a loop's
 * mailbox is full, or neither text nor binary: nobody gets it; or no memory: some may; or
 * a broker (jazzy/broker.h) does not take it: the subscribers of this server have it, those of others will not. CLOSED:
 * `ws` is closing or gone, but not in its own close event, where it can tell the others that it has left.
 */
JZ_PUBLIC jz_send_status jz_ws_publish(jz_ws ws, const char *topic, size_t topic_length, jz_message_kind kind,
                                       const void *bytes, size_t length);

/*
 * A pointer of the caller's that belongs to the connection, from its open event until its route's release_state was
 * given it after the close event. NULL where it was not set. Only in the handlers of the connection itself and, unless
 * its route runs on workers, in any handler on its loop: elsewhere jz_ws_state returns NULL, and jz_ws_set_state does
 * nothing and returns false. Setting replaces what was set; that is then the caller's again.
 */
JZ_PUBLIC void *jz_ws_state(jz_ws ws);
JZ_PUBLIC bool jz_ws_set_state(jz_ws ws, void *state);

/* Whether messages can be sent: from the open event on, until closing starts, by whichever side. */
JZ_PUBLIC bool jz_ws_is_open(jz_ws ws);

/*
 * Reads no more from the connection until jz_ws_resume_reading: TCP slows the peer down, and nothing is buffered but
 * what one read has brought, which is still delivered. Once more does nothing. Reading goes on by itself when closing
 * starts, and where the peer of a Unix domain socket has gone. While it is paused the idle time-out does not run. Both
 * return as jz_ws_subscribe.
 */
JZ_PUBLIC jz_send_status jz_ws_pause_reading(jz_ws ws);
JZ_PUBLIC jz_send_status jz_ws_resume_reading(jz_ws ws);

/*
 * The subprotocol that was agreed on, where it is one that the route lists; "" where it is not, where none was, and
 * where the connection is gone. Terminated; it lives as long as the server. From any thread.
 */
JZ_PUBLIC const char *jz_ws_subprotocol(jz_ws ws);

/*
 * The bytes that were accepted for this connection and not yet by the kernel. 0 when it is gone. What other threads
 * send counts from when the connection's loop has taken it.
 */
JZ_PUBLIC size_t jz_ws_buffered_amount(jz_ws ws);

/* Long enough for any address that jz_ws_remote_address writes, its NUL included. */
#define JZ_REMOTE_ADDRESS_SIZE 64

/*
 * Writes the peer's address and port, as in "192.0.2.7:4711" or "[2001:db8::7]:4711", and a NUL, to `text`; of a client
 * behind a trusted proxy what that tells, with port 0 where it tells none; "unix" for a Unix domain socket.
 * Returns the length without the NUL; 0, with an empty text, when the connection is gone.
 */
JZ_PUBLIC size_t jz_ws_remote_address(jz_ws ws, char text[JZ_REMOTE_ADDRESS_SIZE]);

JZ_END_DECLARATIONS

#endif
