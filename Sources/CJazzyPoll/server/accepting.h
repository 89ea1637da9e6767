/* A shard's listening sockets, and how connections come from them. */
#ifndef JAZZY_SERVER_ACCEPTING_H
#define JAZZY_SERVER_ACCEPTING_H

#include <stdbool.h>
#include <stdint.h>

#include "../loop/timer.h"
#include "jazzy/server.h"

typedef struct jz_shard jz_shard;

typedef struct jz_listener {
    int descriptor;    /* -1 where somebody else has shut it down */
    bool hands_over;   /* to all shards in turn, because it is the only one of its address */
    bool is_inherited; /* from whoever started this process, and may have it, too */
    char *unix_path;   /* removed with it; NULL where it has none */
} jz_listener;

typedef struct jz_accepting_state {
    jz_listener listeners[JZ_MAX_LISTENERS];
    size_t count;
    bool is_paused;
    jz_timer timer; /* until accepting is tried again */
    uint64_t last_exhaustion_log_ms;
    uint32_t next_hand_over; /* the shard that gets the next connection */
} jz_accepting_state;

/* Accepts from a socket that listens, from here on, and owns its path. On failure the socket is closed. */
jz_status jz_accepting_add(jz_shard *shard, const jz_listener *listener, jz_error *error);

/* Closes the listeners beyond the first `count`. Clients that the kernel keeps and that were not accepted are reset. */
void jz_accepting_keep(jz_shard *shard, size_t count);

/* Whether this is the token of a listener; if so, accepts what waits there. */
bool jz_accepting_ready(jz_shard *shard, uint64_t token);

/* Descriptors or memory came free: accepting goes on if it was paused. */
void jz_accepting_resume(jz_shard *shard);

/* Accepts what the kernel keeps, and then listens no more. */
void jz_accepting_finish(jz_shard *shard);

#endif
