/*
 * One of the broker's connections from the decision to connect until it is lost: finding the address, connecting, and
 * the greeting (AUTH, CLIENT SETNAME, SELECT, ROLE), after which it is ready. And when to try again.
 */
#ifndef JAZZY_REDIS_LINK_PEER_H
#define JAZZY_REDIS_LINK_PEER_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "link/backoff.h"
#include "link/replies.h"
#include "link/resolver.h"
#include "link/wire.h"
#include "settings/settings.h"

typedef enum jz_redis_phase {
    JZ_REDIS_RESTS, /* until `due_ms` */
    JZ_REDIS_LOOKS_UP,
    JZ_REDIS_CONNECTS,
    JZ_REDIS_GREETS,
    JZ_REDIS_READY
} jz_redis_phase;

/* The commands of a greeting, each of which is answered once. */
typedef enum jz_redis_step {
    JZ_REDIS_AUTH,
    JZ_REDIS_SETNAME,
    JZ_REDIS_SELECT,
    JZ_REDIS_IDENTITY, /* which Redis it is: another one with each start */
    JZ_REDIS_ROLE,
    JZ_REDIS_MASTER,    /* of a Sentinel: where the master is */
    JZ_REDIS_SENTINELS, /* the other Sentinels */
    JZ_REDIS_FOLLOW     /* be told when the master is another one */
} jz_redis_step;

enum { JZ_REDIS_MOST_STEPS = 8, JZ_REDIS_HOST_SIZE = 256, JZ_REDIS_RUN_SIZE = 41 };

/* Where to connect to: a unix socket, or a host. */
typedef struct jz_redis_target {
    const char *path;
    char host[JZ_REDIS_HOST_SIZE];
    uint16_t port;
} jz_redis_target;

typedef struct jz_redis_peer {
    const jz_redis_settings *settings;
    const char *name; /* for logs */
    jz_redis_phase phase;
    jz_redis_wire wire;
    jz_redis_replies replies; /* once it is ready */
    uint64_t due_ms;          /* at rest: the next attempt; before it is ready: when this address or all has failed */
    uint64_t until_ms;        /* before it is ready: when the attempt has failed, whichever address it is at */
    uint64_t ready_ms;
    uint64_t lost_ms;
    jz_redis_backoff backoff;
    bool was_ready;                     /* ever */
    char run[JZ_REDIS_RUN_SIZE];        /* which Redis it is at; "": it does not say */
    char run_before[JZ_REDIS_RUN_SIZE]; /* when it was ready before */
    bool has_met_replica;               /* in place of a master, since it was ready */
    size_t longest;                     /* bytes of one reply once it is ready; 0: as before */

    jz_redis_target target;
    jz_redis_resolution *resolution;
    const struct addrinfo *next_address;

    jz_redis_step steps[JZ_REDIS_MOST_STEPS];
    size_t step_count;
    size_t answered_steps;
    /* Sentinels: called with the replies to their own steps. False: the wire's failure says why. */
    bool (*on_step)(void *context, jz_redis_step step, const redisReply *reply);
    /* Called for each reply once it is ready; `replies` has it. False: the same. */
    bool (*on_reply)(void *context);
    void *context; /* of both, and of `replies` */
} jz_redis_peer;

/* At rest, and due at once. */
void jz_redis_peer_init(jz_redis_peer *peer, const jz_redis_settings *settings, const char *name, uint64_t seed);

/* Begins to connect to its target, to be ready by `until_ms`, however many addresses that has. False: the attempt has
   failed; so has it whenever a function here says false. */
bool jz_redis_peer_begin(jz_redis_peer *peer, uint64_t until_ms, uint64_t now_ms);

/* What to wait for; a descriptor of -1 for nothing. */
struct pollfd jz_redis_peer_watch(const jz_redis_peer *peer);

/* Before it is ready: goes on, after waiting. */
bool jz_redis_peer_proceed(jz_redis_peer *peer, short events, char *scratch, size_t size, uint64_t now_ms);

/* Whether both are known to be at the same Redis, or at different ones. */
static inline bool jz_redis_is_same_run(const char *one, const char *other)
{
    return one[0] != '\0' && strcmp(one, other) == 0;
}
static inline bool jz_redis_is_other_run(const char *one, const char *other)
{
    return one[0] != '\0' && other[0] != '\0' && strcmp(one, other) != 0;
}

/* Once it is ready: receives what is there. */
bool jz_redis_peer_receive(jz_redis_peer *peer, char *scratch, size_t size);

/* Closes it, and has it rest before the next attempt. `is_at_once`: not at all. */
void jz_redis_peer_lose(jz_redis_peer *peer, bool is_at_once, uint64_t now_ms);

/* Closes it for good. */
void jz_redis_peer_end(jz_redis_peer *peer);

#endif
