#include "connection/slot_times.h"

#include <stdlib.h>

#include "connection/slots.h"

bool jz_slot_times_init(jz_slot_times *times)
{
    /* Pages that are never touched cost no memory. */
    if (times->chunks == NULL)
        times->chunks = calloc(JZ_MAX_CHUNKS, sizeof *times->chunks);
    return times->chunks != NULL;
}

void jz_slot_times_free(jz_slot_times *times)
{
    if (times->chunks == NULL)
        return;
    for (size_t i = 0; i < times->chunk_count; i++)
        free(atomic_load_explicit(&times->chunks[i], memory_order_relaxed));
    free(times->chunks);
    times->chunks = NULL;
}

jz_slot_time *jz_slot_times_at(jz_slot_times *times, uint32_t slot)
{
    if (times->chunks == NULL)
        return NULL;
    uint32_t number = slot / JZ_SLOTS_PER_CHUNK;
    jz_slot_time *chunk = atomic_load_explicit(&times->chunks[number], memory_order_relaxed);
    if (chunk == NULL) {
        chunk = calloc(JZ_SLOTS_PER_CHUNK, sizeof *chunk);
        atomic_store_explicit(&times->chunks[number], chunk, memory_order_release);
    }
    if (number >= times->chunk_count)
        times->chunk_count = number + 1;
    return chunk != NULL ? &chunk[slot % JZ_SLOTS_PER_CHUNK] : NULL;
}

const jz_slot_time *jz_slot_times_find(const jz_slot_times *times, uint32_t slot)
{
    uint32_t number = slot / JZ_SLOTS_PER_CHUNK;
    const jz_slot_time *chunk =
        times->chunks != NULL ? atomic_load_explicit(&times->chunks[number], memory_order_acquire) : NULL;
    return chunk != NULL ? &chunk[slot % JZ_SLOTS_PER_CHUNK] : NULL;
}
