/*
 * shard/: the data of one loop's share of a server, and what all shares have in common; posting errands. Not here:
 * reading, sending, ending connections.
 *
 * A shard: one event loop's share of a server, with its own thread, listeners and connections.
 */
#ifndef JAZZY_SHARD_SHARD_H
#define JAZZY_SHARD_SHARD_H

#include <stdbool.h>
#include <stdint.h>

#include "loop/acceptor.h"
#include "codec/date.h"
#include "pubsub/fan_out.h"
#include "jazzy/server.h"
#include "shard/incidents.h"
#include "shard/kept_input.h"
#include "shard/peer_log.h"
#include "shard/ration.h"
#include "connection/allowance.h"
#include "connection/first_request.h"
#include "connection/slot_times.h"
#include "connection/slots.h"
#include "pubsub/topics.h"
#include "output/turn.h"

/* The stages of a shard's life. */
typedef enum jz_course {
    JZ_COURSE_SERVING,
    JZ_COURSE_DRAINING, /* it no longer listens, and ends when it has no connections */
    JZ_COURSE_STOPPING, /* also, all connections are told to end, spread over a time if requested */
    JZ_COURSE_CUTTING_OFF
} jz_course;

/* The progress of telling a shard's connections that the server stops. */
typedef struct jz_telling {
    jz_timer timer;     /* until the next connection is told */
    uint64_t began_ms;  /* by the timers' clock */
    uint64_t until_ms;  /* when all must have been told */
    uint32_t count;     /* connections when it began */
    uint32_t told;      /* how many of them were told */
    uint32_t next_slot; /* connections in lower slots were told, or have left */
    bool is_over;       /* no connection is left to be told, */
    uint64_t over_ms;   /* since this time */
} jz_telling;

/* A page that was made for whoever asks for it in the same iteration. */
typedef struct jz_made_page {
    jz_buffer text;
    uint64_t turn; /* the iteration, counted from 1; 0: there is none */
} jz_made_page;

enum { JZ_MADE_PAGES = 2 };

struct jz_shard {
    jz_turn turn; /* first: see turn.h */
    jz_server *server;
    jz_slots slots;
    uint16_t handle_prefix; /* server and loop number, as in its connections' handles */
    uint32_t connection_count;

    jz_course course;
    bool keeps_memory;     /* that large messages needed, for the next ones */
    jz_timer trim_timer;   /* until memory that was not reused is freed */
    jz_timer end_timer;    /* for the earliest of the next two deadlines, by the timers' clock; UINT64_MAX: none */
    uint64_t ends_at_ms;   /* end of draining, or of the grace of stopping */
    uint64_t looks_at_ms;  /* next check for peers that take none of the output, which are cut off */
    uint64_t silent_by_ms; /* first time for such a check */
    jz_telling telling;    /* while stopping */

    jz_acceptor acceptor;
    uint32_t next_hand_over; /* number of the shard that gets the next connection, if this shard accepts for all */

    jz_shard_route *routes; /* indexed by route number */
    jz_compression_workspace workspace;

    jz_first_request *first_request; /* of the open event that is being handled; else NULL */

    jz_topics topics;
    _Atomic size_t mailbox_amount; /* bytes in the mailbox that other threads have sent */
    jz_peer_log peer_log;
    bool owes_flush; /* the broker was passed publications in this iteration, and is flushed at its end */

    jz_ration ration;    /* for the connection that is being read */
    jz_connection *told; /* the connection whose `drained` or `dropped` is called; else NULL */
    bool has_queued;     /* the handler that is called has said what waits in the mailbox behind other letters */
    jz_sampling handler_sampling;
    jz_slot_times slot_times;
    jz_timer measuring_timer;
    jz_timer history_timer;   /* until what is too old is forgotten; the first shard's */
    jz_histogram timer_delay; /* how late that timer fired */
    jz_made_page made_pages[JZ_MADE_PAGES];
    jz_kept_input kept_input;
    jz_allowances allowances;
    jz_date date;

    uint32_t exchange_number; /* of the last request for a page that is made for it */

    uint32_t closed_in_turn; /* connections closed with their topics, in the iteration of this number: */
    uint64_t closing_turn;

    jz_letter *later; /* remainders of letters that must wait until no handler runs, oldest first */
    jz_letter **later_end;

    jz_incidents incidents;
};

/* The shard whose loop runs on this thread, or NULL. */
extern _Thread_local jz_shard *jz_current_shard;

/* Creates the sessions' settings of all routes; the routes may not change any more. */
jz_status jz_shard_prepare(jz_shard *shard, jz_error *error);

/* Queues a letter for jz_errand_run_later. */
void jz_shard_do_later(jz_shard *shard, jz_letter *letter);

/* Takes the oldest letter that was queued; NULL if there is none. */
jz_letter *jz_shard_take_later(jz_shard *shard);

/* The connection with a token of the poll; NULL if it is gone, even if another connection has its slot. */
jz_connection *jz_shard_connection_of(const jz_shard *shard, uint64_t token);

/* Calls `visit`, which may end connections, for each connection of the shard. */
void jz_shard_visit(jz_shard *shard, void (*visit)(jz_shard *shard, jz_connection *connection));

/* How long a connection may take to end, in milliseconds. */
uint32_t jz_shard_close_timeout(const jz_shard *shard);

/*
 * After the connection has left its phase: no more input is taken, and it ends when its output is sent and, if it
 * lingers, the peer has closed its side, too.
 */
void jz_shard_finish(jz_shard *shard, jz_connection *connection, bool lingers);

/* Counts the connection by its address, once that is known. False if the address has reached its limit. */
bool jz_shard_count_address(jz_shard *shard, jz_connection *connection);

static inline jz_ws jz_shard_handle_of(const jz_shard *shard, const jz_connection *connection)
{
    return jz_handle_make(shard->handle_prefix, connection->slot,
                          atomic_load_explicit(&connection->generation, memory_order_relaxed));
}

/* Gives a publication to every subscriber of a topic of this shard except `sender`, which may be zero: no connection.
 */
static inline void jz_shard_publish_to(jz_shard *shard, jz_topic *topic, jz_publication *publication, jz_ws sender)
{
    bool is_here = jz_handle_shard(sender) == shard->handle_prefix;
    jz_fan_out(&shard->turn, &shard->topics, topic, publication, is_here ? jz_slots_find(&shard->slots, sender) : NULL);
}

static inline void jz_shard_publish(jz_shard *shard, jz_text topic, jz_publication *publication, jz_ws sender)
{
    jz_shard_publish_to(shard, jz_topics_find(&shard->topics, topic), publication, sender);
}

#endif
