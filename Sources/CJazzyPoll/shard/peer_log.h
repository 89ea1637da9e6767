/*
 * Logs errors of peers, and failures of their connections: one line each, with a limit of lines per second, so that
 * peers cannot flood the log.
 */
#ifndef JAZZY_SHARD_PEER_LOG_H
#define JAZZY_SHARD_PEER_LOG_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "codec/address.h"
#include "config/log.h"
#include "loop/timer.h"
#include "jazzy/compiler.h"
#include "jazzy/log.h"

typedef struct jz_shard jz_shard;

enum { JZ_PEER_LOG_LINES_PER_SECOND = 10 }; /* of each shard and level: many lines of one level hide none of another */

/* The lines of one level. */
typedef struct jz_peer_log_count {
    uint64_t second; /* of the timers' clock */
    uint32_t lines;  /* logged in that second */
    uint64_t left_out;
} jz_peer_log_count;

typedef struct jz_peer_log {
    pthread_mutex_t lock;                       /* handlers on workers log, too */
    jz_peer_log_count counts[JZ_LOG_ERROR + 1]; /* guarded by `lock` */
    _Atomic bool owes_a_count;                  /* lines were omitted, and the loop has to log how many */
    jz_timer timer;                             /* for that */
} jz_peer_log;

void jz_peer_log_init(jz_peer_log *log);
void jz_peer_log_destroy(jz_peer_log *log);

/* Logs "ADDRESS: TEXT", at JZ_LOG_INFO or at `level`; `about` has no address. From any thread. */
void jz_peer_log_tell(jz_shard *shard, const jz_address *peer, const jz_log_about *about, const char *format, ...)
    JZ_PRINTF(4, 5);
void jz_peer_log_tell_at(jz_shard *shard, jz_log_level level, const jz_address *peer, const jz_log_about *about,
                         const char *format, ...) JZ_PRINTF(5, 6);

/* The same with a text that may contain any bytes, and the address in `about`. */
void jz_peer_log_tell_text(jz_shard *shard, jz_log_level level, const jz_log_about *about, const char *text,
                           size_t length);

/* At the end of an iteration: sets the timer if lines were omitted. */
void jz_peer_log_follow(jz_shard *shard);

/* The timer has expired: logs how many lines were omitted before this second. */
void jz_peer_log_expired(jz_shard *shard);

/* The shard's loop has ended: logs how many lines were omitted. */
void jz_peer_log_finish(jz_shard *shard);

#endif
