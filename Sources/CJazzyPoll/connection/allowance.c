#include "connection/allowance.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum {
    MESSAGE = 1000,    /* thousandths */
    LATENESS_MS = 100, /* a timer's, and some for the loop */
    SLOTS_PER_CHUNK = 256
};

/* The largest options, with a few messages of debt, are far from the ends of the type. */
static_assert(JZ_MAX_MESSAGE_RATE <= INT32_MAX / 2 / MESSAGE, "an allowance counts thousandths in 32 bits");

/*
 * If reading pauses, it resumes late, because timers are coarse. What the rate has given meanwhile must not be lost, or
 * messages would be slower than the rate.
 */
static int32_t capacity_of(const jz_message_rate *rate)
{
    int32_t burst = (int32_t)rate->burst * MESSAGE;
    int32_t late = MESSAGE + (int32_t)rate->per_second * LATENESS_MS;
    return rate->exceeding == JZ_EXCEEDING_PAUSE && late > burst ? late : burst;
}

void jz_allowance_begin(jz_allowance *allowance, const jz_message_rate *rate, uint64_t now_ms)
{
    int32_t capacity = capacity_of(rate);
    *allowance = (jz_allowance){.filled_ms = now_ms, .messages = capacity, .controls = capacity};
}

static int32_t filled(int32_t level, int32_t capacity, uint32_t per_second, uint64_t elapsed_ms)
{
    if (level >= capacity) /* with a pong that may come */
        return level;
    uint64_t missing = (uint64_t)((int64_t)capacity - level);
    if (elapsed_ms >= missing / per_second + 1)
        return capacity;
    uint64_t added = elapsed_ms * per_second;
    return added < missing ? (int32_t)(level + (int64_t)added) : capacity;
}

void jz_allowance_fill(jz_allowance *allowance, const jz_message_rate *rate, uint64_t now_ms)
{
    if (now_ms <= allowance->filled_ms)
        return;
    int32_t capacity = capacity_of(rate);
    uint64_t elapsed_ms = now_ms - allowance->filled_ms;
    allowance->filled_ms = now_ms;
    allowance->messages = filled(allowance->messages, capacity, rate->per_second, elapsed_ms);
    allowance->controls = filled(allowance->controls, capacity, rate->per_second, elapsed_ms);
}

static int32_t *level_of(jz_allowance *allowance, jz_message_kind kind)
{
    return kind <= JZ_MESSAGE_BINARY ? &allowance->messages : &allowance->controls;
}

bool jz_allowance_take(jz_allowance *allowance, jz_message_kind kind)
{
    int32_t *level = level_of(allowance, kind);
    if (*level < MESSAGE)
        return false;
    *level -= MESSAGE;
    return true;
}

void jz_allowance_charge(jz_allowance *allowance, jz_message_kind kind)
{
    int32_t *level = level_of(allowance, kind);
    if (*level > INT32_MIN / 2)
        *level -= MESSAGE;
}

void jz_allowance_expect_pong(jz_allowance *allowance, const jz_message_rate *rate)
{
    int32_t most = capacity_of(rate);
    allowance->controls = (allowance->controls < most ? allowance->controls : most) + MESSAGE;
}

uint32_t jz_allowance_wait_ms(const jz_allowance *allowance, const jz_message_rate *rate)
{
    int32_t least = allowance->messages < allowance->controls ? allowance->messages : allowance->controls;
    if (least >= MESSAGE)
        return 0;
    uint32_t missing = (uint32_t)(MESSAGE - least);
    return (missing - 1) / rate->per_second + 1;
}

bool jz_allowances_ensure(jz_allowances *allowances, uint32_t slot)
{
    size_t number = slot / SLOTS_PER_CHUNK;
    if (number >= allowances->chunk_count) {
        jz_allowance **grown = realloc(allowances->chunks, (number + 1) * sizeof *grown);
        if (grown == NULL)
            return false;
        memset(grown + allowances->chunk_count, 0, (number + 1 - allowances->chunk_count) * sizeof *grown);
        allowances->chunks = grown;
        allowances->chunk_count = number + 1;
    }
    if (allowances->chunks[number] == NULL)
        allowances->chunks[number] = calloc(SLOTS_PER_CHUNK, sizeof *allowances->chunks[number]);
    return allowances->chunks[number] != NULL;
}

jz_allowance *jz_allowances_at(const jz_allowances *allowances, uint32_t slot)
{
    size_t number = slot / SLOTS_PER_CHUNK;
    jz_allowance *chunk = number < allowances->chunk_count ? allowances->chunks[number] : NULL;
    return chunk != NULL ? &chunk[slot % SLOTS_PER_CHUNK] : NULL;
}

void jz_allowances_free(jz_allowances *allowances)
{
    for (size_t i = 0; i < allowances->chunk_count; i++)
        free(allowances->chunks[i]);
    free(allowances->chunks);
    *allowances = (jz_allowances){0};
}
