/* A shard: one loop's share of a server, with a thread, a listener and connections of its own. */
#ifndef JAZZY_SERVER_SHARD_H
#define JAZZY_SERVER_SHARD_H

#include <stdbool.h>
#include <stdint.h>

#include "../loop/loop.h"
#include "../session/buffer.h"
#include "connection.h"
#include "date.h"
#include "jazzy/server.h"
#include "slots.h"
#include "topics.h"

/* What the sessions of one route have in common on one shard; their settings are its first member. */
typedef struct jz_shard_route {
    jz_session_settings settings;
    const jz_route *route;
} jz_shard_route;

struct jz_shard {
    jz_loop loop;
    jz_server *server;
    jz_slots slots;
    uint16_t handle_prefix; /* server and loop, as in its connections' handles */
    bool is_stopping;
    uint32_t connection_count;

    int listener; /* -1 when there is none */
    bool accepting_is_paused;
    jz_timer accept_timer; /* until accepting is tried again */
    uint64_t last_exhaustion_log_ms;

    jz_shard_route *routes;  /* by their number */
    uint32_t next_hand_over; /* the shard that gets the next connection */
    jz_compression_workspace workspace;

    jz_topics topics;
    _Atomic uint64_t dropped_count;
    _Atomic size_t mailbox_amount; /* bytes that other threads have sent and that were not taken yet */

    jz_connection *current; /* the one that is being read, whose output goes to the cork */
    jz_buffer cork;         /* output of `current`, sent with one call when its input has been taken */
    jz_connection *dirty;   /* linked by next_dirty */
    jz_date date;
};

/* The shard whose loop runs on this thread, or NULL. */
extern _Thread_local jz_shard *jz_current_shard;

jz_status jz_shard_init(jz_shard *shard, jz_server *server, uint8_t number, uint32_t first_generation, jz_error *error);

/* Returns a generation higher than that of every handle made here. Connections that are left are ended, silently. */
uint32_t jz_shard_destroy(jz_shard *shard);

jz_status jz_shard_listen(jz_shard *shard, const char *host, uint16_t port, uint16_t *bound_port, jz_error *error);

/* Makes the settings of the routes; they may not change any more. */
jz_status jz_shard_prepare(jz_shard *shard, jz_error *error);

/* Listens no more. Clients that the kernel keeps and that were not accepted are reset. */
void jz_shard_stop_listening(jz_shard *shard);

/* Turns the loop on the calling thread until the server is stopped and every connection has ended. */
void jz_shard_run(jz_shard *shard);

/* Descriptors or memory came free: accepting goes on if it was paused. */
void jz_shard_resume_accepting(jz_shard *shard);

/* The route of a connection that is a WebSocket. */
static inline const jz_route *jz_connection_route(const jz_connection *connection)
{
    return ((const jz_shard_route *)connection->session.settings)->route;
}

static inline jz_ws jz_shard_handle_of(const jz_shard *shard, const jz_connection *connection)
{
    return jz_handle_make(shard->handle_prefix, connection->slot,
                          atomic_load_explicit(&connection->generation, memory_order_relaxed));
}

#endif
