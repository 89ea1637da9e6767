/*
 * TLS on a connection to Redis, as hiredis 1.0 and later bring it (JZ_REDIS_TLS). In other builds there is none, and
 * URLs that ask for it are refused by settings/. The context of OpenSSL is made here, because hiredis's own does not
 * check for whom a certificate is.
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
struct ssl_st;

/* What a connection needs of it. All zero: the connection is plain. */
typedef struct jz_redis_secured {
    bool is_used;
    redisContext *context; /* of hiredis */
    struct ssl_st *ssl;    /* the context's own */
} jz_redis_secured;

/* Whether the files of the options can be used. They are read again for each connection. */
jz_status jz_redis_secured_check(const jz_redis_settings *settings, jz_error *error);

/*
 * Begins TLS on a connected socket. `name`: the host, which the certificate must be for. False, as of all functions
 * here: it is lost, and `failure` of the wire says why.
 */
bool jz_redis_secured_begin(struct jz_redis_wire *wire, const jz_redis_settings *settings, const char *name);

/* As jz_redis_wire_send, but what was taken may still wait here: then the wire is blocked. */
bool jz_redis_secured_send(struct jz_redis_wire *wire, const struct iovec *areas, size_t count, size_t *sent);

/* Sends what waits here. */
bool jz_redis_secured_push(struct jz_redis_wire *wire);

/* Nothing received means that there is nothing now. */
bool jz_redis_secured_receive(struct jz_redis_wire *wire, char *bytes, size_t size, size_t *received);

/* Whether it waits for the peer, and not until the socket takes more. */
bool jz_redis_secured_shakes_hands(const jz_redis_secured *secured);

/* The descriptor stays open. */
void jz_redis_secured_end(jz_redis_secured *secured);

#endif
