/* What a server consists of. */
#ifndef JAZZY_SERVER_SERVER_H
#define JAZZY_SERVER_SERVER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "jazzy/server.h"
#include "routes.h"
#include "shard.h"
#include "workers.h"

typedef enum jz_server_state {
    JZ_SERVER_CREATED,
    JZ_SERVER_LISTENING,
    JZ_SERVER_RUNNING,
    JZ_SERVER_STOPPED
} jz_server_state;

struct jz_server {
    jz_options options;
    uint8_t number;    /* in the registry; part of the handles */
    _Atomic int state; /* a jz_server_state */
    _Atomic bool stop_is_requested;
    _Atomic uint16_t port; /* 0 before it listens */
    jz_routes routes;
    uint32_t shard_count;
    jz_shard *shards;
    jz_workers workers; /* for the routes that ask for them */
    pthread_t *threads; /* of the shards that run on threads of their own */
    uint32_t thread_count;
    bool runs_on_own_threads; /* by jz_server_start */
};

/* These check every option. */
jz_status jz_options_check(const jz_options *options, jz_error *error);
jz_status jz_route_options_check(const jz_route_options *options, jz_error *error);

/* INVALID_STATE, saying that `action` is not possible and why, unless the server is in the state expected. */
jz_status jz_server_expect_state(const jz_server *server, jz_server_state expected, const char *action,
                                 const char *reason, jz_error *error);

/* Tells the server's log. */
void jz_server_log(const jz_server *server, jz_log_level level, const char *format, ...) JZ_PRINTF(3, 4);

#endif
