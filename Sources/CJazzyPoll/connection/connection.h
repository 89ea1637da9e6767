/*
 * connection/: one connection as data: slot, handle, counters. Not here: system calls.
 *
 * One connection: a slot of its shard, from accepting the socket until its descriptor is closed.
 */
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

/*
 * What all sessions of one route on one shard share; `settings` is first, so that a session's settings lead to its
 * route.
 */
typedef struct jz_shard_route {
    jz_session_settings settings;
    const jz_route *route;
} jz_shard_route;

typedef enum jz_phase {
    JZ_PHASE_FREE,      /* the slot is not in use */
    JZ_PHASE_PROXY,     /* waits for the PROXY header of a trusted proxy */
    JZ_PHASE_HEAD,      /* reads request heads and answers them */
    JZ_PHASE_ASKING,    /* waits for an answer of the application, or sends a long one; nothing is read */
    JZ_PHASE_WEBSOCKET, /* the session reads */
    JZ_PHASE_FINISHING, /* input is discarded; ends when the output is sent */
    JZ_PHASE_LINGERING, /* all is sent and our side is shut down; waits for the peer's end, so that no reset overtakes
                           our output */
    JZ_PHASE_LEAVING    /* the socket is closed; a worker has yet to run the close event */
} jz_phase;

/* In `broken`, beside the values of jz_failure: to be ended at once, without a failure. */
enum { JZ_BROKEN_OFF = 31 };

/* The state of a connection as other threads see it. */
typedef enum jz_visible {
    JZ_VISIBLE_NOT,
    JZ_VISIBLE_ASKING,
    JZ_VISIBLE_OPEN,
    JZ_VISIBLE_LEAVING /* a worker has yet to run its close event; until then it keeps its slot and its topics */
} jz_visible;

/* Output that waits for the end of the loop iteration, or for the socket to be writable. See unsent.h. */
typedef struct jz_unsent jz_unsent;

/* A handshake that waits for the upgrade hook. See handshake.h. */
typedef struct jz_question jz_question;

/* A request for a page that is made for it, and what comes of it. See exchange.h. */
typedef struct jz_exchange jz_exchange;

typedef struct jz_connection {
    /* Any thread may read these, to check whether a handle still means this connection. */
    _Atomic uint32_t generation;
    _Atomic uint8_t visible; /* a jz_visible */

    uint8_t phase : 3;       /* a jz_phase */
    uint8_t broken : 5;      /* a jz_failure or JZ_BROKEN_OFF: to be ended when the shard settles the connection */
    uint8_t interest : 2;    /* JZ_READABLE and JZ_WRITABLE, as registered with the poll */
    bool is_dirty : 1;       /* on the shard's list of connections to settle */
    bool is_blocked : 1;     /* the socket's send buffer is full */
    bool lingers : 1;        /* when finished, wait for the peer to close its side */
    bool close_is_timed : 1; /* the timer runs for the close handshake */
    bool is_websocket : 1;   /* the handshake succeeded */
    bool is_behind : 1;      /* not read from: its workers, or requests of its handler in the mailbox, are behind, or it
                                has used up what its route's message rate allows: see shard/hold.h */
    bool is_paused : 1;      /* not read from: the application has paused it */
    bool is_pinged : 1;      /* nothing was received since a ping was sent to check whether the peer is still there */
    bool is_backed_up : 1;   /* more than half of the backpressure limit waited, and the route was not told yet that it
                                drained */
    bool drop_is_due : 1;    /* the route has to be told that a message was dropped */
    bool drop_was_told : 1;  /* the route was told so, and the output has not drained since */
    bool ended_cleanly : 1;  /* was_clean of the close event */
    bool counts_by_address : 1; /* counted in the server's admission by its address */
    bool was_answered : 1;      /* a page was served, and the next request is awaited */

    int link; /* what its bytes travel on: see transport/links.h */
    uint32_t slot;
    _Atomic uint16_t peer_port;
    _Atomic uint16_t number; /* of its route and subprotocol: see routes.h; 0: it is no WebSocket (yet) */
    uint32_t last_active;    /* the tick at which something was received, or waiting output was sent */
    union {
        struct {               /* JZ_PHASE_PROXY, JZ_PHASE_HEAD: */
            jz_buffer head;    /* the incomplete head */
            bool came_secured; /* a PROXY header said that the client speaks TLS to the proxy */
        };
        struct {                   /* JZ_PHASE_ASKING: one of the two, the other is NULL */
            jz_question *question; /* a handshake */
            jz_exchange *exchange; /* a request for a page */
        };
        jz_session session; /* JZ_PHASE_WEBSOCKET */
    };
    struct jz_subscriptions *subscriptions; /* NULL when there are none */
    jz_unsent *unsent;                      /* NULL when nothing waits */
    union {
        void *state;          /* jz_ws_state, if the route runs on the loop */
        struct jz_work *work; /* if it runs on workers */
    };
    union {
        struct jz_connection *next_dirty;
        struct jz_connection *next_free; /* a slot becomes free only when it is off the dirty list */
    };
    jz_timer timer; /* for the event that the phase waits for. Its tag is the tick at which an open WebSocket's lifetime
                       ends, or 0; for any other connection, how much its peer has taken: see progress.h. */
    _Atomic size_t buffered_amount;
    _Atomic uint64_t peer_ip[2];
} jz_connection;

#if UINTPTR_MAX == UINT64_MAX
static_assert(sizeof(jz_connection) == 136, "what a connection costs is told to users");
#endif

/* The connection's token in the poll: its slot and generation. */
static inline uint64_t jz_connection_token(const jz_connection *connection)
{
    return (uint64_t)atomic_load_explicit(&connection->generation, memory_order_relaxed) << JZ_SLOT_BITS |
           connection->slot;
}

/* Whether the slot has a connection that has not ended. */
static inline bool jz_connection_is_there(const jz_connection *connection)
{
    return connection->phase != JZ_PHASE_FREE && connection->phase != JZ_PHASE_LEAVING;
}

/* The route of a connection that is a WebSocket. */
static inline const jz_route *jz_connection_route(const jz_connection *connection)
{
    return ((const jz_shard_route *)connection->session.settings)->route;
}

/* The peer has shown that it is there, in the loop iteration that began at `now_ms`. */
static inline void jz_connection_note_activity(jz_connection *connection, uint64_t now_ms)
{
    connection->last_active = jz_tick_of(now_ms);
    connection->is_pinged = false;
}

/* Whether its close event waits for a worker, or is run by one. */
static inline bool jz_connection_is_leaving(const jz_connection *connection)
{
    return atomic_load_explicit(&connection->visible, memory_order_relaxed) == JZ_VISIBLE_LEAVING;
}

/* Whether its handler is being called with the close event, for a route that runs on the loop. */
static inline bool jz_connection_is_told_of_its_end(const jz_connection *connection)
{
    return connection->phase == JZ_PHASE_WEBSOCKET && jz_session_has_ended(&connection->session);
}

/* The address of the peer, or of the client according to a trusted proxy. */
void jz_connection_set_peer(jz_connection *connection, const jz_address *address);
jz_address jz_connection_peer(const jz_connection *connection);

#endif
