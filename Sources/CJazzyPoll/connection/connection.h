/* One connection: a slot of its shard, from being accepted until its descriptor is closed. */
#ifndef JAZZY_CONNECTION_CONNECTION_H
#define JAZZY_CONNECTION_CONNECTION_H

#include <assert.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "loop/socket.h"
#include "loop/timer.h"
#include "session/buffer.h"
#include "session/session.h"
#include "connection/handle.h"
#include "jazzy/websocket.h"
#include "config/routes.h"

/* What the sessions of one route have in common on one shard; their settings are its first member. */
typedef struct jz_shard_route {
    jz_session_settings settings;
    const jz_route *route;
} jz_shard_route;

typedef enum jz_phase {
    JZ_PHASE_FREE,      /* the slot is not in use */
    JZ_PHASE_PROXY,     /* a trusted proxy has to say whose connection it is */
    JZ_PHASE_HEAD,      /* request heads are read and answered */
    JZ_PHASE_ASKING,    /* the upgrade hook has to answer; nothing is read */
    JZ_PHASE_WEBSOCKET, /* the session reads */
    JZ_PHASE_FINISHING, /* input is discarded; ends when the output is sent */
    JZ_PHASE_LINGERING, /* all is sent and the peer was told; its end is awaited, so that no reset overtakes our output
                         */
    JZ_PHASE_LEAVING    /* it has no socket any more; its close event has yet to be run by a worker */
} jz_phase;

/* Beside a jz_failure in `broken`: to be ended at once, without one. */
enum { JZ_BROKEN_OFF = 31 };

/* What other threads may know of a connection. */
typedef enum jz_visible {
    JZ_VISIBLE_NOT,
    JZ_VISIBLE_ASKING,
    JZ_VISIBLE_OPEN,
    JZ_VISIBLE_LEAVING /* its close event is on its way to a worker, and keeps its slot and its topics until it was run
                        */
} jz_visible;

/* Output that waits: for the end of the loop's turn, or for the socket to be writable. See unsent.h. */
typedef struct jz_unsent jz_unsent;

/* A handshake that waits for the upgrade hook. See handshake.h. */
typedef struct jz_question jz_question;

typedef struct jz_connection {
    /* Read by any thread, to see whether a handle still means this connection. */
    _Atomic uint32_t generation;
    _Atomic uint8_t visible; /* a jz_visible */

    uint8_t phase : 3;          /* a jz_phase */
    uint8_t broken : 5;         /* a jz_failure or JZ_BROKEN_OFF: to be ended when the shard settles the connection */
    uint8_t interest : 2;       /* JZ_READABLE and JZ_WRITABLE, as the poll knows it */
    bool is_dirty : 1;          /* on the shard's list of connections to settle */
    bool is_blocked : 1;        /* the socket takes no more for now */
    bool lingers : 1;           /* when finished, wait for the peer's end */
    bool close_is_timed : 1;    /* the timer runs for the close handshake */
    bool is_websocket : 1;      /* the handshake succeeded */
    bool is_behind : 1;         /* not read from: its workers are behind, or what its handler has asked */
    bool is_paused : 1;         /* not read from: its user wants it so */
    bool is_pinged : 1;         /* nothing has come since a ping was sent to see whether the peer is there */
    bool is_backed_up : 1;      /* more than half of the backpressure limit waits, or did when that was last told */
    bool drop_is_due : 1;       /* its route is to be told that something was dropped */
    bool drop_was_told : 1;     /* and was, and the output has not drained since */
    bool ended_cleanly : 1;     /* the close event said so */
    bool counts_by_address : 1; /* in the server's admission */
    bool was_answered : 1;      /* a page, and waits for the next request */

    int link; /* what its bytes travel on: see transport/links.h */
    uint32_t slot;
    _Atomic uint16_t peer_port;
    _Atomic uint16_t subprotocol; /* 0: none; else one more than its place among the server's */
    uint32_t last_active;         /* the tick at which something came, or output that waited moved */
    union {
        jz_buffer head;        /* JZ_PHASE_PROXY, JZ_PHASE_HEAD: what is incomplete */
        jz_question *question; /* JZ_PHASE_ASKING */
        jz_session session;    /* JZ_PHASE_WEBSOCKET */
    };
    struct jz_subscriptions *subscriptions; /* NULL when there are none */
    jz_unsent *unsent;                      /* NULL when nothing waits */
    union {
        void *state;          /* jz_ws_state, where the route runs on the loop */
        struct jz_work *work; /* where it runs on workers */
    };
    union {
        struct jz_connection *next_dirty;
        struct jz_connection *next_free; /* a slot is given back only once it is off the dirty list */
    };
    jz_timer timer; /* of what the phase waits for. Its tag is the tick at which an open WebSocket's lifetime ends, or
                       0; of any other connection, how far its peer has come: see progress.h. */
    _Atomic size_t buffered_amount;
    _Atomic uint64_t peer_ip[2];
} jz_connection;

#if UINTPTR_MAX == UINT64_MAX
static_assert(sizeof(jz_connection) == 136, "what a connection costs is told to users");
#endif

/* Under which the poll knows the connection: its slot and generation. */
static inline uint64_t jz_connection_token(const jz_connection *connection)
{
    return (uint64_t)atomic_load_explicit(&connection->generation, memory_order_relaxed) << JZ_SLOT_BITS |
           connection->slot;
}

/* Whether its slot has a connection that has not ended. */
static inline bool jz_connection_is_there(const jz_connection *connection)
{
    return connection->phase != JZ_PHASE_FREE && connection->phase != JZ_PHASE_LEAVING;
}

/* The route of a connection that is a WebSocket. */
static inline const jz_route *jz_connection_route(const jz_connection *connection)
{
    return ((const jz_shard_route *)connection->session.settings)->route;
}

/* The peer has shown that it is there, in the turn that began at `now_ms`. */
static inline void jz_connection_note_activity(jz_connection *connection, uint64_t now_ms)
{
    connection->last_active = jz_tick_of(now_ms);
    connection->is_pinged = false;
}

/* Whether its close event is on its way to a worker, or being run by one. */
static inline bool jz_connection_is_leaving(const jz_connection *connection)
{
    return atomic_load_explicit(&connection->visible, memory_order_relaxed) == JZ_VISIBLE_LEAVING;
}

/* Whether its handler is being called with its close event: on its own loop, where that is what handlers run on. */
static inline bool jz_connection_is_told_of_its_end(const jz_connection *connection)
{
    return connection->phase == JZ_PHASE_WEBSOCKET && jz_session_has_ended(&connection->session);
}

/* Who the peer is, or is said to be by a trusted proxy. */
void jz_connection_set_peer(jz_connection *connection, const jz_address *address);
jz_address jz_connection_peer(const jz_connection *connection);

#endif
