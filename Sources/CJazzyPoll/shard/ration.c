#include "shard/ration.h"

#include "shard/shard.h"

enum {
    MOST_MESSAGES = 4096,            /* of one connection in one iteration, */
    MOST_TIME_NS = 2 * 1000 * 1000,  /* and time of one connection in it; */
    TURN_TIME_NS = 20 * 1000 * 1000, /* after so long an iteration, each further connection gets only a few messages */
    LONGEST_INTERVAL = 64            /* messages between two looks */
};

bool jz_ration_is_over(jz_shard *shard)
{
    jz_ration *ration = &shard->ration;
    uint64_t now = jz_clock_ns();
    uint64_t turn_began = atomic_load_explicit(&shard->turn.loop.times.began, memory_order_relaxed);
    if (ration->interval == JZ_RATION_FIRST_LOOK) {
        ration->began_ns = now;
        ration->taken = 0;
    }
    ration->taken += ration->interval;
    if (ration->taken >= MOST_MESSAGES || now - ration->began_ns >= MOST_TIME_NS || now - turn_began >= TURN_TIME_NS)
        return true;
    ration->interval = ration->interval < LONGEST_INTERVAL ? ration->interval * 2 : LONGEST_INTERVAL;
    ration->until_look = ration->interval;
    return false;
}
