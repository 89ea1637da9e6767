/* Publications to topics with history: they are kept, and reach all loops in the order of their offsets. */
#ifndef JAZZY_HANDLES_KEEPING_H
#define JAZZY_HANDLES_KEEPING_H

#include "shard/server.h"

/* The number of the rule by which publications to a topic are kept, whoever hears them; -1: they are not. */
static inline int jz_keeping_rule(const jz_server *server, jz_text topic)
{
    return JZ_LIKELY(server->history == NULL) ? -1 : jz_history_rule_for(server->history, topic);
}

/* The same, where a broker keeps the histories. */
static inline int jz_shared_rule(const jz_server *server, jz_text topic)
{
    const jz_membership *membership = atomic_load(&server->membership);
    return membership != NULL && jz_membership_keeps(membership) ? jz_keeping_rule(server, topic) : -1;
}

/* Private to jz_keep_and_give: to several loops, or behind what this one has not delivered yet. */
jz_send_status jz_keep_and_post(jz_server *server, int rule, jz_shard *own, jz_ws sender, jz_text topic,
                                jz_publication *publication, size_t reserved);

/*
 * Keeps a publication by a rule of the server's history, and gives it to every shard: to `own`, which runs on this
 * thread, at once if that keeps the order, and to the others with errands. `own` may be NULL. `reserved` bytes are
 * reserved in the mailboxes of all but `own`, which this ends. DROPPED: no memory, nobody gets it, and it is not kept.
 * CLOSED: all loops have ended.
 */
static inline jz_send_status jz_keep_and_give(jz_server *server, int rule, jz_shard *own, jz_ws sender, jz_text topic,
                                              jz_publication *publication, size_t reserved)
{
    uint64_t hash;
    if (own == NULL || server->shard_count > 1 ||
        !jz_history_keep_alone(server->history, rule, topic, &own->turn.loop, publication, &hash))
        return jz_keep_and_post(server, rule, own, sender, topic, publication, reserved);
    jz_shard_publish_to(own, jz_topics_find_hashed(&own->topics, topic, hash), publication, sender);
    return JZ_SEND_SENT;
}

/*
 * The same for what a broker has kept and delivers, with its own position, to all shards by errands: `reserved` bytes
 * are reserved for it everywhere. QUEUED: it is known already, or nobody hears it here. If something is missing before
 * it, subscribers who may not miss anything are closed before.
 */
jz_send_status jz_keep_at(jz_server *server, int rule, jz_ws except, jz_text topic, jz_publication *publication,
                          size_t reserved, jz_position position);

#endif
