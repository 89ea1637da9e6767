/*
 * What the 64 bits of a jz_ws mean:
 *
 *     63     56 55     48 47               26 25                      0
 *     | server |  loop   |       slot        |       generation        |
 *
 * A slot's generation is incremented each time the slot is given back, and a slot whose generations are used up is
 * retired. So no two connections of a process ever have the same handle. (The number of a destroyed server is reused,
 * with higher generations: see registry.h.)
 */
#ifndef JAZZY_CONNECTION_HANDLE_H
#define JAZZY_CONNECTION_HANDLE_H

#include <stdint.h>

#include "jazzy/websocket.h"

enum { JZ_GENERATION_BITS = 26, JZ_SLOT_BITS = 22, JZ_LOOP_BITS = 8 };

#define JZ_MAX_GENERATION ((UINT32_C(1) << JZ_GENERATION_BITS) - 1)
#define JZ_MAX_SLOTS (UINT32_C(1) << JZ_SLOT_BITS)

static inline uint32_t jz_handle_generation(jz_ws ws)
{
    return (uint32_t)(ws.value & JZ_MAX_GENERATION);
}

static inline uint32_t jz_handle_slot(jz_ws ws)
{
    return (uint32_t)(ws.value >> JZ_GENERATION_BITS) & (JZ_MAX_SLOTS - 1);
}

/* Server and loop together, which are the same for all connections of one loop. */
static inline uint16_t jz_handle_shard(jz_ws ws)
{
    return (uint16_t)(ws.value >> (JZ_GENERATION_BITS + JZ_SLOT_BITS));
}

static inline uint8_t jz_handle_server(jz_ws ws)
{
    return (uint8_t)(ws.value >> (JZ_GENERATION_BITS + JZ_SLOT_BITS + JZ_LOOP_BITS));
}

static inline uint8_t jz_handle_loop(jz_ws ws)
{
    return (uint8_t)(ws.value >> (JZ_GENERATION_BITS + JZ_SLOT_BITS));
}

static inline jz_ws jz_handle_make(uint16_t shard, uint32_t slot, uint32_t generation)
{
    return (jz_ws){(uint64_t)shard << (JZ_GENERATION_BITS + JZ_SLOT_BITS) | (uint64_t)slot << JZ_GENERATION_BITS |
                   generation};
}

#endif
