/*
 * TLS on a connection to Redis, as hiredis 1.0 and later bring it (JZ_REDIS_TLS). In other builds there is none, and
 * options that ask for it are refused.
 */
#ifndef JAZZY_REDIS_LINK_TLS_H
#define JAZZY_REDIS_LINK_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/uio.h>

#include "../../CJazzyHiredis/CJazzyHiredis.h"
#include "jazzy/error.h"
#include "settings/settings.h"

struct jz_redis_wire;

/* What a connection needs of it. */
typedef struct jz_redis_secured {
    bool is_used;
    redisContext *context;
} jz_redis_secured;

/* Whether this build has it, and the files of the options can be read. Called before anything is connected. */
jz_status jz_redis_secured_check(const jz_redis_settings *settings, jz_error *error);

/* Begins TLS on a connected socket. `name`: the host, which the certificate must be for. False: `failure` of the wire
   says why not. */
bool jz_redis_secured_begin(struct jz_redis_wire *wire, const jz_redis_settings *settings, const char *name);

/* As jz_redis_wire_send, and as recv: nothing received means that there is nothing now. */
bool jz_redis_secured_send(struct jz_redis_wire *wire, const struct iovec *areas, size_t count, size_t *sent);
bool jz_redis_secured_receive(struct jz_redis_wire *wire, char *bytes, size_t size, size_t *received);

/* The descriptor stays open. */
void jz_redis_secured_end(jz_redis_secured *secured);

#endif
