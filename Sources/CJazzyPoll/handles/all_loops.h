/* What is asked of all loops of a server at once: of all of them, or of none. From any thread. */
#ifndef JAZZY_HANDLES_ALL_LOOPS_H
#define JAZZY_HANDLES_ALL_LOOPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "handles/access.h"
#include "shard/errand.h"
#include "shard/server.h"

/*
 * The server's shard that runs on this thread, after its earlier errands were run; NULL if there is none, or if too
 * many errands wait.
 */
static inline jz_shard *jz_own_shard_of(const jz_server *server)
{
    jz_shard *own = jz_current_shard;
    return own != NULL && own->server == server && jz_is_in_order(own) ? own : NULL;
}

/* Unreserves bytes in the mailboxes of the first `count` shards, except `own`. */
static inline void jz_unreserve_everywhere(jz_server *server, const jz_shard *own, uint32_t count, size_t amount)
{
    for (uint32_t i = 0; i < count; i++) {
        if (&server->shards[i] != own)
            jz_errand_unreserve(&server->shards[i], amount);
    }
}

/*
 * Reserves bytes in the mailboxes of all shards except `own`. If the limit of one is reached, returns that, and
 * reserves nothing; else NULL.
 */
static inline jz_shard *jz_reserve_everywhere(jz_server *server, const jz_shard *own, size_t amount)
{
    for (uint32_t i = 0; i < server->shard_count; i++) {
        jz_shard *shard = &server->shards[i];
        if (shard == own || jz_errand_reserve(shard, amount))
            continue;
        jz_unreserve_everywhere(server, own, i, amount);
        return shard;
    }
    return NULL;
}

/* What became of a message with the loops before, and with one more. At first CLOSED, as if all loops had ended. */
static inline jz_send_status jz_status_of_loops(jz_send_status before, jz_send_status given)
{
    if (given == JZ_SEND_DROPPED)
        return JZ_SEND_DROPPED;
    return given != JZ_SEND_CLOSED && before == JZ_SEND_CLOSED ? JZ_SEND_SENT : before;
}

/* Whether anybody may hear what is published now: else it need not be made. */
static inline bool jz_is_heard_anywhere(const jz_server *server)
{
    for (uint32_t i = 0; i < server->shard_count; i++) {
        if (jz_topics_may_be_heard(&server->shards[i].topics))
            return true;
    }
    return false;
}

/* In place of giving a loop what nobody hears there, for which its mailbox has a reservation. */
static inline jz_send_status jz_spare_loop(jz_shard *shard, size_t reserved)
{
    jz_errand_unreserve(shard, reserved);
    return jz_mailbox_is_closed(&shard->turn.loop.mailbox) ? JZ_SEND_CLOSED : JZ_SEND_SENT;
}

/* What becomes of a message that nobody hears on any loop. CLOSED: all loops have ended. */
static inline jz_send_status jz_status_unheard(jz_server *server)
{
    for (uint32_t i = 0; i < server->shard_count; i++) {
        if (!jz_mailbox_is_closed(&server->shards[i].turn.loop.mailbox))
            return JZ_SEND_SENT;
    }
    return JZ_SEND_CLOSED;
}

/* Counts a message that some loops, or all, do not get because there is no memory: no loop has refused it. */
static inline jz_send_status jz_drop_without_memory(jz_server *server)
{
    jz_count_dropped(&server->shards[0].turn.counters);
    return JZ_SEND_DROPPED;
}

#endif
