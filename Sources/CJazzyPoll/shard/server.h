/* The members of a server. */
#ifndef JAZZY_SHARD_SERVER_H
#define JAZZY_SHARD_SERVER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "codec/address.h"
#include "codec/request_head.h"
#include "shard/admission.h"
#include "shard/company_runner.h"
#include "shard/farewell.h"
#include "shard/looking.h"
#include "jazzy/server.h"
#include "config/options.h"
#include "config/routes.h"
#include "pubsub/history.h"
#include "pubsub/membership.h"
#include "pubsub/presence.h"
#include "shard/packed.h"
#include "shard/presence_teller.h"
#include "shard/shard.h"
#include "workers/workers.h"

typedef enum jz_server_state {
    JZ_SERVER_CREATED,
    JZ_SERVER_LISTENING,
    JZ_SERVER_RUNNING,
    JZ_SERVER_STOPPED
} jz_server_state;

struct jz_server {
    jz_options options; /* without the texts and lists, which the server does not own */
    jz_head_limits head_limits;
    jz_network *trusted_proxies;
    size_t trusted_proxy_count;
    char *client_address_header; /* NULL: JZ_CLIENT_ADDRESS_HEADER is not used */
    jz_admission admission;
    uint8_t number;    /* in the registry; part of the handles */
    _Atomic int state; /* a jz_server_state */

    /* Deadlines by the timers' clock in milliseconds; UINT64_MAX: none. Each is set before the flag that requests
       it. */
    _Atomic uint64_t stop_by_ms;
    _Atomic uint64_t silent_by_ms; /* the same for peers that take none of the output */
    _Atomic uint64_t tell_by_ms;   /* by then all connections are told that the server stops; at most stop_by_ms */
    _Atomic uint64_t drain_by_ms;
    jz_farewell farewell; /* written before stop_is_requested */
    _Atomic bool stop_is_requested;
    _Atomic bool drain_is_requested;
    _Atomic int failure;              /* errno of a loop whose poll failed; 0 if none */
    _Atomic uint32_t listening_count; /* shards that listen, while the server runs */

    _Atomic uint16_t port; /* of the first TCP listener; 0: none yet */
    jz_routes routes;
    uint32_t shard_count;
    jz_shard *shards;
    jz_siphash_key topic_key;       /* of the tables of topics, all of them: so one hash counts everywhere */
    _Atomic uint32_t next_adopting; /* number, modulo shard_count, of the shard that gets the next adopted connection */
    jz_history *history;            /* NULL: nothing is kept of any topic. Set before the server runs */
    _Atomic bool owes_gaps;         /* subscribers have missed something, and there was no memory to tell them */
    jz_presence *presence;          /* who is a member of which topic */
    jz_presence_teller *teller;
    _Atomic(jz_membership *) membership; /* NULL: no broker joins its topics with others'. Read by any thread */
    jz_company_runner *company;          /* NULL: likewise. Set before membership */
    jz_workers workers;                  /* for routes that run on workers */
    jz_workers readers;                  /* of files; they are few, and run nothing of the application's */
    jz_packed *packed;                   /* NULL: there are no files */
    pthread_t *threads;                  /* of the shards that do not run on the caller's thread */
    uint32_t thread_count;
    bool runs_on_own_threads;                       /* started by jz_server_start */
    jz_listen_options transports[JZ_MAX_LISTENERS]; /* of its listeners, each once: those that tell of themselves */
    size_t transport_count;
    bool is_measured; /* it has a page for metrics, or was told to: times are measured (config/measures.h) */
    jz_histogram ping_round_trip; /* of pings that the server sends by itself */
    jz_looking looking;
};

/* Whether the address is a trusted proxy. */
static inline bool jz_server_trusts(const jz_server *server, const jz_address *address)
{
    for (size_t i = 0; i < server->trusted_proxy_count; i++) {
        if (jz_network_contains(&server->trusted_proxies[i], address))
            return true;
    }
    return false;
}

/* Whether the number of connections from this address is limited. */
static inline bool jz_server_limits(const jz_server *server, const jz_address *address)
{
    return server->admission.max_per_address != JZ_UNLIMITED && !jz_ip_is_unspecified(address->ip) &&
           !jz_server_trusts(server, address);
}

#endif
