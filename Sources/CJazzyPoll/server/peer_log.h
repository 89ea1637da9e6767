/* What peers do wrong, told to the log: one line each, and no more lines a second than a disk and an eye can bear. */
#ifndef JAZZY_SERVER_PEER_LOG_H
#define JAZZY_SERVER_PEER_LOG_H

#include <stdint.h>

#include "../codec/address.h"
#include "jazzy/compiler.h"

typedef struct jz_shard jz_shard;

enum { JZ_PEER_LOG_LINES_PER_SECOND = 10 }; /* of each shard */

/* All zero is one that has told nothing. */
typedef struct jz_peer_log {
    uint64_t second; /* by the clock of the timers */
    uint32_t lines;  /* told in it */
    uint64_t left_out;
} jz_peer_log;

/* Tells "ADDRESS: TEXT". On the shard's own thread. */
void jz_peer_log_tell(jz_shard *shard, const jz_address *peer, const char *format, ...) JZ_PRINTF(3, 4);

#endif
