#include "connection/slots.h"

#include <stdlib.h>

bool jz_slots_init(jz_slots *slots, uint32_t first_generation)
{
    *slots = (jz_slots){.first_generation = first_generation};
    /* Pages that are never touched cost no memory. */
    slots->chunks = calloc(JZ_MAX_CHUNKS, sizeof *slots->chunks);
    return slots->chunks != NULL;
}

uint32_t jz_slots_destroy(jz_slots *slots)
{
    uint32_t highest = slots->first_generation;
    for (uint32_t i = 0; i < slots->chunk_count; i++) {
        jz_connection *chunk = atomic_load_explicit(&slots->chunks[i], memory_order_relaxed);
        for (size_t j = 0; j < JZ_SLOTS_PER_CHUNK; j++) {
            uint32_t generation = atomic_load_explicit(&chunk[j].generation, memory_order_relaxed);
            /* A retired slot has used up all generations. */
            if (generation == 0)
                generation = JZ_MAX_GENERATION;
            if (generation > highest)
                highest = generation;
        }
        free(chunk);
    }
    free(slots->chunks);
    return highest;
}

static bool add_chunk(jz_slots *slots)
{
    if (slots->chunk_count == JZ_MAX_CHUNKS)
        return false;
    jz_connection *chunk = calloc(JZ_SLOTS_PER_CHUNK, sizeof *chunk);
    if (chunk == NULL)
        return false;
    for (uint32_t i = JZ_SLOTS_PER_CHUNK; i-- > 0;) {
        chunk[i].slot = slots->chunk_count * JZ_SLOTS_PER_CHUNK + i;
        atomic_init(&chunk[i].generation, slots->first_generation);
        chunk[i].next_free = slots->free;
        slots->free = &chunk[i];
    }
    atomic_store_explicit(&slots->chunks[slots->chunk_count], chunk, memory_order_release);
    slots->chunk_count++;
    return true;
}

jz_connection *jz_slots_take(jz_slots *slots)
{
    if (slots->free == NULL && !add_chunk(slots))
        return NULL;
    jz_connection *connection = slots->free;
    slots->free = connection->next_free;
    connection->next_free = NULL;
    return connection;
}

void jz_slots_give_back(jz_slots *slots, jz_connection *connection)
{
    uint32_t generation = atomic_load_explicit(&connection->generation, memory_order_relaxed);
    if (generation >= JZ_MAX_GENERATION) {
        /* Retired: no handle has generation 0, and the slot is never taken again. */
        atomic_store_explicit(&connection->generation, 0, memory_order_release);
        return;
    }
    atomic_store_explicit(&connection->generation, generation + 1, memory_order_release);
    connection->next_free = slots->free;
    slots->free = connection;
}
