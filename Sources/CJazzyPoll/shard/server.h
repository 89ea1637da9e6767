/* What a server consists of. */
#ifndef JAZZY_SHARD_SERVER_H
#define JAZZY_SHARD_SERVER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "codec/address.h"
#include "codec/request_head.h"
#include "shard/admission.h"
#include "shard/farewell.h"
#include "jazzy/server.h"
#include "config/options.h"
#include "config/routes.h"
#include "pubsub/membership.h"
#include "shard/shard.h"
#include "workers/workers.h"

typedef enum jz_server_state {
    JZ_SERVER_CREATED,
    JZ_SERVER_LISTENING,
    JZ_SERVER_RUNNING,
    JZ_SERVER_STOPPED
} jz_server_state;

struct jz_server {
    jz_options options; /* without the lists, which are not its own */
    jz_head_limits head_limits;
    jz_network *trusted_proxies;
    size_t trusted_proxy_count;
    jz_admission admission;
    uint8_t number;    /* in the registry; part of the handles */
    _Atomic int state; /* a jz_server_state */

    /* Times of the timers' clock in milliseconds; UINT64_MAX is never. Each is set before what asks for it. */
    _Atomic uint64_t stop_by_ms;
    _Atomic uint64_t silent_by_ms; /* the same for who takes nothing of what was sent */
    _Atomic uint64_t tell_by_ms;   /* all connections are told by then that it stops; at most stop_by_ms */
    _Atomic uint64_t drain_by_ms;
    jz_farewell farewell; /* written before it is asked to stop */
    _Atomic bool stop_is_requested;
    _Atomic bool drain_is_requested;
    _Atomic int failure;              /* errno of a loop that could not wait any more; 0 where none has failed */
    _Atomic uint32_t listening_count; /* the shards that listen, while the server runs */

    _Atomic uint16_t port; /* of the first TCP listener; 0 before there is one */
    jz_routes routes;
    uint32_t shard_count;
    jz_shard *shards;
    jz_membership *membership; /* NULL: no broker joins its topics with others' */
    jz_workers workers;        /* for the routes that ask for them */
    pthread_t *threads;        /* of the shards that run on threads of their own */
    uint32_t thread_count;
    bool runs_on_own_threads; /* by jz_server_start */
};

/* Whether this is a trusted proxy. */
static inline bool jz_server_trusts(const jz_server *server, const jz_address *address)
{
    for (size_t i = 0; i < server->trusted_proxy_count; i++) {
        if (jz_network_contains(&server->trusted_proxies[i], address))
            return true;
    }
    return false;
}

/* Whether there may be only so many connections of this address. */
static inline bool jz_server_limits(const jz_server *server, const jz_address *address)
{
    return server->admission.max_per_address != JZ_UNLIMITED && !jz_ip_is_unspecified(address->ip) &&
           !jz_server_trusts(server, address);
}

#endif
