/*
 * TLS on a connection to Redis, by OpenSSL 3, in builds with JZ_REDIS_TLS. In others there is none, and options that
 * ask for it are refused. (The TLS of hiredis does not check whose certificate it is, but in its latest versions.)
 */
#ifndef JAZZY_REDIS_LINK_TLS_H
#define JAZZY_REDIS_LINK_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/uio.h>

#include "jazzy/error.h"
#include "settings/settings.h"

struct jz_redis_wire;

/* What a connection needs of it. All zero: it is not used. */
typedef struct jz_redis_secured {
    bool is_used;
    bool wants_to_write; /* it goes on when the socket is writable; else when something comes */
    struct ssl_st *session;
    char *staged; /* what is being encrypted and sent, which may not change until it is */
    size_t staged_length;
} jz_redis_secured;

/* Whether this build has it, and the files of the options can be read. Called before anything is connected. */
jz_status jz_redis_secured_check(const jz_redis_settings *settings, jz_error *error);

/* Begins TLS on a connected socket, with the files as they are now. `name`: the host, which the certificate must be
   for. False: `failure` of the wire says why not; so it does for all others here. */
bool jz_redis_secured_begin(struct jz_redis_wire *wire, const jz_redis_settings *settings, const char *name);

/* As jz_redis_wire_send, but some of what counts as sent may wait; and on with that. */
bool jz_redis_secured_send(struct jz_redis_wire *wire, const struct iovec *areas, size_t count, size_t *sent);
bool jz_redis_secured_flush(struct jz_redis_wire *wire);

/* As recv: nothing received means that there is nothing now. `size` is at least 16 KiB, so that nothing stays inside.
 */
bool jz_redis_secured_receive(struct jz_redis_wire *wire, char *bytes, size_t size, size_t *received);

/* The descriptor stays open. */
void jz_redis_secured_end(jz_redis_secured *secured);

#endif
