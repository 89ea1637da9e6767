/* The Sentinels that are known, and which of them is asked or listened to. */
#ifndef JAZZY_REDIS_LINK_SENTINELS_H
#define JAZZY_REDIS_LINK_SENTINELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "link/backoff.h"
#include "link/peer.h"

enum { JZ_REDIS_MOST_SENTINELS = 64 };

typedef struct jz_redis_sentinel {
    jz_redis *redis;
    jz_redis_host host;
    jz_redis_peer peer; /* ready: it is listened to; only one is */
} jz_redis_sentinel;

typedef struct jz_redis_sentinels {
    jz_redis_sentinel *known; /* those of the URL, and those that they know; they stay where they are */
    size_t count;
    size_t turn;    /* the first one to ask */
    bool is_wanted; /* one is to be asked, and to be listened to */
    bool is_asking; /* `asked` of them, of which `begun` have been begun with */
    size_t asked;
    size_t begun;
    uint64_t next_ms;  /* when the next one is begun with, or, if none is asked, all are asked again */
    uint64_t until_ms; /* when asking has been in vain */
    jz_redis_backoff backoff;
    const char *failure; /* why the last one could not be asked */
} jz_redis_sentinels;

/* Has them asked, or others than the one that is listened to. */
void jz_redis_sentinels_ask(jz_redis_sentinels *sentinels, uint64_t now_ms);

/* Begins what is due. False: all were asked in vain, for the `failure`; they are asked again after a pause. */
bool jz_redis_sentinels_work(jz_redis *redis, uint64_t now_ms);

/* When there is something to do, though nothing comes; UINT64_MAX: never. */
uint64_t jz_redis_sentinels_due_ms(const jz_redis_sentinels *sentinels);

/* One has answered, or its connection is lost. */
void jz_redis_sentinels_ready(jz_redis_sentinels *sentinels, const jz_redis_peer *peer);
void jz_redis_sentinels_lost(jz_redis_sentinels *sentinels, jz_redis_peer *peer, uint64_t now_ms);

/* Closes all connections. */
void jz_redis_sentinels_end(jz_redis_sentinels *sentinels);

#endif
