#include "shard/ration.h"

#include "shard/shard.h"

enum {
    MOST_MESSAGES = 4096,            /* of one connection in one iteration, */
    MOST_TIME_NS = 2 * 1000 * 1000,  /* and time of one connection in it; */
    TURN_TIME_NS = 20 * 1000 * 1000, /* after so long an iteration, each further connection gets only a few messages */
    /* Messages between two looks: */
    SHORTEST_INTERVAL = 2,
    SECOND_INTERVAL = 2 * JZ_RATION_FIRST_LOOK,
    LONGEST_INTERVAL = 64
};

/* How many messages until the next look, if the last `interval` ones and those before them took `taken_ns`. */
static uint32_t next_interval(uint32_t interval, uint64_t taken_ns)
{
    if (taken_ns >= MOST_TIME_NS / 2)
        return SHORTEST_INTERVAL;
    if (interval < SECOND_INTERVAL)
        return SECOND_INTERVAL;
    return interval < LONGEST_INTERVAL ? interval * 2 : LONGEST_INTERVAL;
}

bool jz_ration_is_over(jz_shard *shard)
{
    jz_ration *ration = &shard->ration;
    uint64_t now = jz_clock_ns();
    uint64_t turn_began = atomic_load_explicit(&shard->turn.loop.times.began, memory_order_relaxed);
    bool is_first = ration->interval == JZ_RATION_FIRST_LOOK;
    if (is_first) {
        ration->began_ns = now;
        ration->taken = 0;
    }
    ration->taken += ration->interval;
    if (ration->taken >= MOST_MESSAGES || now - ration->began_ns >= MOST_TIME_NS || now - turn_began >= TURN_TIME_NS)
        return true;
    /* How long the first messages took is not known, but no longer than the iteration. */
    ration->interval = next_interval(ration->interval, now - (is_first ? turn_began : ration->began_ns));
    ration->until_look = ration->interval;
    return false;
}
