/* One connection to Redis or a Sentinel as a stream: a socket that never blocks, hiredis's reader, and what is unsent.
 */
#ifndef JAZZY_REDIS_LINK_WIRE_H
#define JAZZY_REDIS_LINK_WIRE_H

#include <netdb.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "../../CJazzyHiredis/CJazzyHiredis.h"
#include "link/command.h"
#include "link/tls.h"

enum { JZ_REDIS_FAILURE_SIZE = 192, JZ_REDIS_LONGEST_ANSWER = 1024 * 1024 };

/* Calls for each whole reply; false: no more is read, because the connection is given up. */
typedef bool (*jz_redis_on_reply)(void *context, void *reply);

/*
 * Takes as many whole replies from the beginning of what was received as need no reader, and says in `taken` how many
 * bytes those are, and in `size` how long the next one is, of which a part is there; 0: that is not known. `context` is
 * that of the other function, and so is what false means.
 */
typedef bool (*jz_redis_take_replies)(void *context, const char *bytes, size_t length, size_t *taken, size_t *size);

typedef struct jz_redis_wire {
    int descriptor; /* -1: closed */
    redisReader *reader;
    const redisReplyObjectFunctions *made_by; /* those of hiredis */
    redisReplyObjectFunctions making;
    jz_redis_secured secured;
    jz_redis_buffer out;
    size_t longest;                      /* bytes of one reply; what is longer does not come from Redis */
    size_t unended;                      /* bytes of the reply that is not whole yet */
    size_t to_come;                      /* bytes of that which the reader has not yet, if that is known; else 0 */
    size_t lines;                        /* of the reply that is not whole yet, as they were given to the reader */
    jz_redis_take_replies take;          /* NULL: all replies are read by the reader */
    bool is_blocked;                     /* the kernel takes no more for now */
    char failure[JZ_REDIS_FAILURE_SIZE]; /* why it is lost */
} jz_redis_wire;

/* All zero but the descriptor, -1. */
void jz_redis_wire_init(jz_redis_wire *wire);

/* Begins to connect. False: `failure` says why not. */
bool jz_redis_wire_connect(jz_redis_wire *wire, const struct addrinfo *address);
bool jz_redis_wire_connect_path(jz_redis_wire *wire, const char *path);

/* Once it is writable: whether it is connected now, and its reader is there. False: `failure` says why not. */
bool jz_redis_wire_connected(jz_redis_wire *wire);

/* Sends as much of it as the kernel takes. False: it is lost. */
bool jz_redis_wire_send(jz_redis_wire *wire, struct iovec *areas, size_t count, size_t *sent);

/* Sends what waits in `out`. False: it is lost. */
bool jz_redis_wire_flush(jz_redis_wire *wire);

/* Whether to wait until it is writable. */
bool jz_redis_wire_waits(const jz_redis_wire *wire);

/* Receives what is there, and hands on each reply. False: it is lost, or `on_reply` gave it up. */
bool jz_redis_wire_receive(jz_redis_wire *wire, char *scratch, size_t size, jz_redis_on_reply on_reply, void *context);

/* Always returns false. */
bool jz_redis_wire_fail(jz_redis_wire *wire, const char *format, ...) JZ_PRINTF(2, 3);

/* Closes it, and forgets what was unsent; `failure` stays. */
void jz_redis_wire_close(jz_redis_wire *wire);

#endif
