/* One connection: a slot of its shard, from being accepted until its descriptor is closed. */
#ifndef JAZZY_SERVER_CONNECTION_H
#define JAZZY_SERVER_CONNECTION_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "../loop/socket.h"
#include "../loop/timer.h"
#include "../session/buffer.h"
#include "../session/session.h"
#include "jazzy/websocket.h"

typedef struct jz_shard jz_shard;
typedef struct jz_route jz_route;

typedef enum jz_phase {
    JZ_PHASE_FREE,      /* the slot is not in use */
    JZ_PHASE_HEAD,      /* request heads are read and answered */
    JZ_PHASE_WEBSOCKET, /* the session reads */
    JZ_PHASE_FINISHING, /* input is discarded; ends when the output is sent */
    JZ_PHASE_LINGERING  /* all is sent and the peer was told; its end is awaited, so that no reset overtakes our output
                         */
} jz_phase;

/* Output that waits: for the end of the loop's turn, or for the socket to be writable. See unsent.h. */
typedef struct jz_unsent jz_unsent;

typedef struct jz_connection {
    /* Read by any thread, to see whether a handle still means this connection. */
    _Atomic uint32_t generation;
    _Atomic bool is_open;

    uint8_t phase;           /* a jz_phase */
    uint8_t broken;          /* a jz_failure: to be ended with it when the shard settles the connection */
    uint8_t interest : 2;    /* JZ_READABLE and JZ_WRITABLE, as the poll knows it */
    bool is_dirty : 1;       /* on the shard's list of connections to settle */
    bool is_blocked : 1;     /* the socket takes no more for now */
    bool lingers : 1;        /* when finished, wait for the peer's end */
    bool close_is_timed : 1; /* the timer runs for the close handshake */
    bool is_websocket : 1;   /* the handshake succeeded */
    bool is_paused : 1;      /* not read from: its workers are behind */

    int descriptor;
    uint32_t slot;
    _Atomic uint16_t peer_port;
    union {
        jz_buffer head;     /* JZ_PHASE_HEAD: an incomplete request head */
        jz_session session; /* JZ_PHASE_WEBSOCKET */
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
    jz_timer timer; /* of the request head, of the close handshake, or of finishing */
    _Atomic size_t buffered_amount;
    _Atomic uint64_t peer_ip[2];
} jz_connection;

/*
 * All of this runs on the shard's own thread. Only jz_connection_ready, jz_connection_settle and
 * jz_connection_expired call handlers or free a connection. What handlers use is in sending.h.
 */

/* Takes over a socket that was accepted. Closes it when there is no memory or descriptor for it. */
void jz_connection_accept(jz_shard *shard, int descriptor, const jz_address *address);

/* The socket is readable or writable. */
void jz_connection_ready(jz_shard *shard, jz_connection *connection, unsigned what);

/* Flushes, and does what became due meanwhile: ends what broke or finished, sets timers, watches for what is awaited.
 */
void jz_connection_settle(jz_shard *shard, jz_connection *connection);

void jz_connection_expired(jz_shard *shard, jz_connection *connection);

/* The server stops: a WebSocket is sent close code 1001, anything else ends when its output is sent. */
void jz_connection_stop(jz_shard *shard, jz_connection *connection);

void jz_connection_resume_reading(jz_shard *shard, jz_connection *connection);

/* Puts the connection on the list of those that the shard settles at the end of its turn. */
void jz_connection_mark_dirty(jz_shard *shard, jz_connection *connection);

/* From the request head to the open event: the connection speaks WebSocket from here on. */
void jz_connection_begin_websocket(jz_shard *shard, jz_connection *connection, const jz_route *route,
                                   const jz_deflate_agreement *deflate);

/* No more input is taken; the connection ends when its output is sent and, if it lingers, the peer has ended too. */
void jz_connection_finish(jz_shard *shard, jz_connection *connection, bool lingers);

#endif
