/*
 * The connections of one shard, in slots that never move, and whose memory is not freed before the server is destroyed.
 * So any thread may read a slot's generation at any time.
 *
 * Nor is the memory of slots freed whose handles were never handed out. Other handles name them, too: those of an
 * earlier server that had the same number, and numbers that a caller has made up; and statistics look at all slots.
 * Each of these readers, on any thread, would have to announce when it reads and when it no longer does, at a cost for
 * every send from another thread. And little could be freed: a WebSocket, and a request for a page that is made, hand
 * out theirs; there remain clients that asked for unchanging pages only, or for nothing yet, with 136 B each.
 */
#ifndef JAZZY_CONNECTION_SLOTS_H
#define JAZZY_CONNECTION_SLOTS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "connection/connection.h"
#include "connection/handle.h"

enum { JZ_SLOTS_PER_CHUNK = 256, JZ_MAX_CHUNKS = (1 << JZ_SLOT_BITS) / JZ_SLOTS_PER_CHUNK };

typedef struct jz_slots {
    _Atomic(jz_connection *) *chunks; /* JZ_MAX_CHUNKS */
    uint32_t chunk_count;
    uint32_t first_generation;
    jz_connection *free;
} jz_slots;

/* False when there is no memory. */
bool jz_slots_init(jz_slots *slots, uint32_t first_generation);

/* Frees all. Returns a generation that is higher than that of every handle made here. */
uint32_t jz_slots_destroy(jz_slots *slots);

/* Takes a free slot, which is all zero but for its number and generation. NULL: no memory, or all are in use. */
jz_connection *jz_slots_take(jz_slots *slots);

/* Makes all handles of the connection stale, and the slot free. */
void jz_slots_give_back(jz_slots *slots, jz_connection *connection);

/* The slot with that number, NULL if there is none. From any thread. */
static inline jz_connection *jz_slots_at(const jz_slots *slots, uint32_t slot)
{
    uint32_t chunk_number = slot / JZ_SLOTS_PER_CHUNK;
    if (chunk_number >= JZ_MAX_CHUNKS)
        return NULL;
    jz_connection *chunk = atomic_load_explicit(&slots->chunks[chunk_number], memory_order_acquire);
    return chunk != NULL ? &chunk[slot % JZ_SLOTS_PER_CHUNK] : NULL;
}

/*
 * The connection that a handle of this shard means, NULL if it is gone. From any thread; but threads other than the
 * shard's own may read only the atomic fields, and the result may be out of date at once.
 */
static inline jz_connection *jz_slots_find(const jz_slots *slots, jz_ws ws)
{
    jz_connection *connection = jz_slots_at(slots, jz_handle_slot(ws));
    if (connection == NULL ||
        atomic_load_explicit(&connection->generation, memory_order_acquire) != jz_handle_generation(ws))
        return NULL;
    return connection;
}

#endif
