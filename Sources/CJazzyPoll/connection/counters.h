/* What a shard counts. Its own thread writes, any thread may read (loop/count.h). */
#ifndef JAZZY_CONNECTION_COUNTERS_H
#define JAZZY_CONNECTION_COUNTERS_H

#include <stdatomic.h>
#include <stdint.h>

#include "loop/count.h"
#include "jazzy/server.h"

typedef struct jz_counters {
    _Atomic uint64_t messages_received[JZ_MESSAGE_KINDS];
    _Atomic uint64_t bytes_received[JZ_MESSAGE_KINDS];
    _Atomic uint64_t messages_sent[JZ_MESSAGE_KINDS];
    _Atomic uint64_t bytes_sent[JZ_MESSAGE_KINDS];
    _Atomic uint64_t websockets_total;
    _Atomic uint64_t websockets_ended;
    _Atomic uint64_t refused[JZ_REFUSAL_COUNT];
    _Atomic uint64_t closes[JZ_CLOSES_COUNT];
    _Atomic uint64_t causes[JZ_CAUSE_COUNT];
    _Atomic uint64_t failures[JZ_FAILURE_COUNT];
    _Atomic uint64_t exceeded[JZ_EXCEEDING_COUNT];
    _Atomic uint64_t dropped; /* other threads write it, too, with atomic additions */

    /* Connections that ended while the server stopped. */
    _Atomic uint64_t ended_clean;
    _Atomic uint64_t ended_unclean;
    _Atomic uint64_t ended_cut_off;
    _Atomic uint64_t ended_others;
} jz_counters;

static inline void jz_count_received(jz_counters *counters, jz_message_kind kind, size_t length)
{
    jz_count(&counters->messages_received[kind], 1);
    jz_count(&counters->bytes_received[kind], length);
}

static inline void jz_count_sent(jz_counters *counters, jz_message_kind kind, size_t length)
{
    jz_count(&counters->messages_sent[kind], 1);
    jz_count(&counters->bytes_sent[kind], length);
}

/* From any thread. */
static inline void jz_count_dropped(jz_counters *counters)
{
    atomic_fetch_add_explicit(&counters->dropped, 1, memory_order_relaxed);
}

#endif
