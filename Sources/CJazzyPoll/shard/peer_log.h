/*
 * What peers do wrong, and what goes wrong with them, told to the log: one line each, and no more lines a second than a
 * disk and an eye can bear.
 */
#ifndef JAZZY_SHARD_PEER_LOG_H
#define JAZZY_SHARD_PEER_LOG_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "codec/address.h"
#include "loop/timer.h"
#include "jazzy/compiler.h"
#include "jazzy/log.h"

typedef struct jz_shard jz_shard;

enum { JZ_PEER_LOG_LINES_PER_SECOND = 10 }; /* of each shard and level: who makes many of one hides none of another */

/* Lines of one level. */
typedef struct jz_peer_log_count {
    uint64_t second; /* by the clock of the timers */
    uint32_t lines;  /* told in it */
    uint64_t left_out;
} jz_peer_log_count;

typedef struct jz_peer_log {
    pthread_mutex_t lock;                       /* handlers on workers tell something, too */
    jz_peer_log_count counts[JZ_LOG_ERROR + 1]; /* guarded by `lock` */
    _Atomic bool owes_a_count;                  /* lines were left out, and the loop is to tell how many */
    jz_timer timer;                             /* until it does */
} jz_peer_log;

void jz_peer_log_init(jz_peer_log *log);
void jz_peer_log_destroy(jz_peer_log *log);

/* Tells "ADDRESS: TEXT", at JZ_LOG_INFO or the level given. From any thread. */
void jz_peer_log_tell(jz_shard *shard, const jz_address *peer, const char *format, ...) JZ_PRINTF(3, 4);
void jz_peer_log_tell_at(jz_shard *shard, jz_log_level level, const jz_address *peer, const char *format, ...)
    JZ_PRINTF(4, 5);

/* The same with a text that may have any bytes. */
void jz_peer_log_tell_text(jz_shard *shard, jz_log_level level, const char *address, const char *text, size_t length);

/* At the end of a turn: sees to it that what was left out will be counted. */
void jz_peer_log_follow(jz_shard *shard);

/* The timer is due: tells how many lines were left out before this second. */
void jz_peer_log_expired(jz_shard *shard);

/* The shard's loop has ended: tells how many lines were left out. */
void jz_peer_log_finish(jz_shard *shard);

#endif
