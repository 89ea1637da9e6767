#include "handles/keeping.h"

#include "handles/all_loops.h"
#include "pubsub/shared_past.h"
#include "shard/errand.h"
#include "shard/gap.h"

/* What is prepared before anything is kept or posted, so that a message reaches all loops or none. */
typedef struct parcels {
    jz_letter *others; /* an errand for each shard but `own`, in their order */
    jz_errand *behind; /* for `own`, if its mailbox has earlier ones; else NULL */
} parcels;

static void free_parcels(parcels *parcels)
{
    while (parcels->others != NULL) {
        jz_letter *next = parcels->others->next;
        jz_errand_free((jz_errand *)parcels->others);
        parcels->others = next;
    }
    if (parcels->behind != NULL)
        jz_errand_free(parcels->behind);
}

static bool prepare_others(parcels *parcels, const jz_server *server, const jz_shard *own, jz_ws sender, jz_text topic,
                           jz_publication *publication, size_t reserved)
{
    jz_letter **end = &parcels->others;
    for (uint32_t i = 0; i < server->shard_count; i++) {
        if (&server->shards[i] == own)
            continue;
        jz_errand *task = jz_errand_create_publishing(sender, topic, publication, reserved);
        if (task == NULL)
            return false;
        task->letter.next = NULL;
        *end = &task->letter;
        end = &task->letter.next;
    }
    return true;
}

/* Ended loops have no receivers. CLOSED: all loops have ended. */
static jz_send_status post(jz_server *server, jz_shard *own, const parcels *parcels)
{
    jz_letter *others = parcels->others;
    jz_send_status status = JZ_SEND_CLOSED;
    for (uint32_t i = 0; i < server->shard_count; i++) {
        jz_shard *shard = &server->shards[i];
        if (shard == own)
            continue;
        jz_errand *task = (jz_errand *)others;
        others = others->next;
        status = jz_status_of_loops(status, jz_errand_post(shard, task));
    }
    if (parcels->behind != NULL)
        status = jz_status_of_loops(status, jz_errand_post(own, parcels->behind));
    return status;
}

jz_send_status jz_keep_and_post(jz_server *server, int rule, jz_shard *own, jz_ws sender, jz_text topic,
                                jz_publication *publication, size_t reserved)
{
    parcels parcels = {NULL, NULL};
    bool is_prepared = prepare_others(&parcels, server, own, sender, topic, publication, reserved);
    jz_held_topic held;
    jz_history_hold(server->history, rule, topic, own != NULL ? own->turn.loop.now_ms : jz_clock_ms(), &held);
    /* Whoever publishes to this topic posts with the lock held: if nothing is there now, nothing earlier is to come. */
    bool is_at_once = own != NULL && !jz_loop_has_letters(&own->turn.loop);
    if (is_prepared && own != NULL && !is_at_once) {
        parcels.behind = jz_errand_create_publishing(sender, topic, publication, 0);
        is_prepared = parcels.behind != NULL;
    }
    jz_send_status status = JZ_SEND_DROPPED;
    is_prepared = is_prepared && jz_history_keep(&held, publication);
    if (is_prepared)
        status = post(server, own, &parcels);
    jz_history_release(&held);
    if (!is_prepared) {
        free_parcels(&parcels);
        jz_unreserve_everywhere(server, own, server->shard_count, reserved);
        return JZ_SEND_DROPPED;
    }
    /* What others post meanwhile waits until this thread, which is the loop's, takes it. */
    if (is_at_once) {
        jz_shard_publish_to(own, jz_topics_find_hashed(&own->topics, topic, held.hash), publication, sender);
        status = JZ_SEND_SENT;
    }
    return status;
}

/* Keeps it, and makes sure that nobody gets it who may not miss what is missing before it. False: no memory. */
static bool keep_at(jz_server *server, jz_held_topic *held, jz_coming coming, jz_publication *publication,
                    jz_position position)
{
    if (coming == JZ_COMING_BEYOND && !jz_gap_tell(server, held->name))
        return false;
    if (coming != JZ_COMING_NEXT)
        jz_history_forget_kept(held);
    if (!jz_history_prepare(held))
        return false;
    jz_history_append_at(held, publication, position, jz_membership_is_joined(atomic_load(&server->membership)));
    return true;
}

jz_send_status jz_keep_at(jz_server *server, int rule, jz_ws except, jz_text topic, jz_publication *publication,
                          size_t reserved, jz_position position)
{
    parcels parcels = {NULL, NULL};
    jz_send_status status = JZ_SEND_QUEUED;
    jz_held_topic held;
    bool is_prepared = prepare_others(&parcels, server, NULL, except, topic, publication, reserved);
    jz_history_hold(server->history, rule, topic, jz_clock_ms(), &held);
    jz_coming coming = jz_history_look_at(&held, position);
    bool is_new = coming >= JZ_COMING_NEXT;
    bool is_kept = is_new && is_prepared && keep_at(server, &held, coming, publication, position);
    if (is_kept)
        status = post(server, NULL, &parcels);
    jz_history_release(&held);
    if (!is_kept) {
        free_parcels(&parcels);
        jz_unreserve_everywhere(server, NULL, server->shard_count, reserved);
    }
    return is_new && !is_kept ? JZ_SEND_DROPPED : status;
}
