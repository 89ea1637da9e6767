/* A shard: one loop's share of a server, with a thread, listeners and connections of its own. */
#ifndef JAZZY_SHARD_SHARD_H
#define JAZZY_SHARD_SHARD_H

#include <stdbool.h>
#include <stdint.h>

#include "loop/acceptor.h"
#include "codec/date.h"
#include "pubsub/fan_out.h"
#include "jazzy/server.h"
#include "shard/kept_input.h"
#include "shard/peer_log.h"
#include "shard/ration.h"
#include "connection/slots.h"
#include "pubsub/topics.h"
#include "output/turn.h"

/* How far a shard is on its way to its end. */
typedef enum jz_course {
    JZ_COURSE_SERVING,
    JZ_COURSE_DRAINING, /* it listens no more, and ends when it has no connections */
    JZ_COURSE_STOPPING, /* and all are told to end, by and by where that is wanted */
    JZ_COURSE_CUTTING_OFF
} jz_course;

/* How far a shard is with telling its connections. */
typedef struct jz_telling {
    jz_timer timer;     /* until the next one is to be told */
    uint64_t began_ms;  /* a time of the timers' clock */
    uint64_t until_ms;  /* by then all are to be told */
    uint32_t count;     /* those that there were when it began */
    uint32_t told;      /* of them */
    uint32_t next_slot; /* those before were told, or have left */
    bool is_over;       /* nobody is left to be told, */
    uint64_t over_ms;   /* since then */
} jz_telling;

struct jz_shard {
    jz_turn turn; /* first: see turn.h */
    jz_server *server;
    jz_slots slots;
    uint16_t handle_prefix; /* server and loop, as in its connections' handles */
    uint32_t connection_count;

    jz_course course;
    bool keeps_memory;     /* of what large messages needed, for those that come next */
    jz_timer trim_timer;   /* until what of it was not used again is given back */
    jz_timer end_timer;    /* for what of these comes first, times of the clock; UINT64_MAX is never: */
    uint64_t ends_at_ms;   /* draining, or the grace of stopping, is over */
    uint64_t looks_at_ms;  /* who takes nothing of what was sent is cut off */
    uint64_t silent_by_ms; /* when that was asked for to be first */
    jz_telling telling;    /* while stopping */

    jz_acceptor acceptor;
    uint32_t next_hand_over; /* the shard that gets the next connection, where this one accepts for all */

    jz_shard_route *routes; /* by their number */
    jz_compression_workspace workspace;

    jz_topics topics;
    _Atomic size_t mailbox_amount; /* bytes that other threads have sent and that were not taken yet */
    jz_peer_log peer_log;

    jz_ration ration; /* of the connection that is being read */
    jz_kept_input kept_input;
    jz_date date;

    jz_letter *later; /* what is left of letters for when no handler runs, oldest first */
    jz_letter **later_end;
};

/* The shard whose loop runs on this thread, or NULL. */
extern _Thread_local jz_shard *jz_current_shard;

/* Makes the settings of the routes; they may not change any more. */
jz_status jz_shard_prepare(jz_shard *shard, jz_error *error);

/* Leaves a letter for jz_errand_run_later. */
void jz_shard_do_later(jz_shard *shard, jz_letter *letter);

/* The oldest that was left; NULL when there is none. */
jz_letter *jz_shard_take_later(jz_shard *shard);

/* The connection that has a token of the poll; NULL where it is gone, and another may have its slot. */
jz_connection *jz_shard_connection_of(const jz_shard *shard, uint64_t token);

/* Calls `visit` for each connection that there is. It may end connections. */
void jz_shard_visit(jz_shard *shard, void (*visit)(jz_shard *shard, jz_connection *connection));

/* How long a connection that ends may take, in milliseconds. */
uint32_t jz_shard_close_timeout(const jz_shard *shard);

/*
 * The connection has left its phase: no more input is taken, and it ends when its output is sent and, if it lingers,
 * the peer has ended too.
 */
void jz_shard_finish(jz_shard *shard, jz_connection *connection, bool lingers);

/* Counts it with those of its address, once that is known. False where there may be no more of them. */
bool jz_shard_count_address(jz_shard *shard, jz_connection *connection);

static inline jz_ws jz_shard_handle_of(const jz_shard *shard, const jz_connection *connection)
{
    return jz_handle_make(shard->handle_prefix, connection->slot,
                          atomic_load_explicit(&connection->generation, memory_order_relaxed));
}

/* Gives a publication to every subscriber on this shard but `sender`, which may be no connection (zero). */
static inline void jz_shard_publish(jz_shard *shard, jz_text topic, jz_publication *publication, jz_ws sender)
{
    bool is_here = jz_handle_shard(sender) == shard->handle_prefix;
    jz_fan_out(&shard->turn, &shard->topics, topic, publication, is_here ? jz_slots_find(&shard->slots, sender) : NULL);
}

#endif
