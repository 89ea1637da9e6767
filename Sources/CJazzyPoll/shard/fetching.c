#include "shard/fetching.h"

#include <stdlib.h>

#include "connection/handle.h"
#include "loop/timer.h"
#include "pubsub/membership.h"
#include "shard/errand.h"
#include "shard/gap.h"
#include "shard/server.h"

static jz_shard *shard_of(const jz_server *server, jz_ws ws)
{
    return &server->shards[jz_handle_loop(ws)];
}

static jz_errand *errand_of(const jz_waiting *waiting)
{
    return (jz_errand *)waiting->letter;
}

/* NULL: no memory, or too many wait already. */
static jz_waiting *create(jz_server *server, jz_ws ws, jz_text topic, const jz_subscribe_options *options)
{
    size_t limit = server->options.mailbox_limit;
    limit = limit <= SIZE_MAX / server->shard_count ? limit * server->shard_count : SIZE_MAX;
    size_t amount = sizeof(jz_waiting) + sizeof(jz_errand) + JZ_LETTER_COST + topic.length;
    if (!jz_history_reserve_waiting(server->history, amount, limit))
        return NULL;
    jz_waiting *waiting = malloc(sizeof *waiting);
    jz_errand *task = waiting != NULL ? jz_errand_create_replay(ws, topic) : NULL;
    if (task != NULL) {
        *waiting = (jz_waiting){.ws = ws, .letter = &task->letter, .amount = amount, .options = *options};
        return waiting;
    }
    free(waiting);
    jz_history_unreserve_waiting(server->history, amount);
    return NULL;
}

static void free_waiting(jz_server *server, jz_waiting *waiting)
{
    jz_history_unreserve_waiting(server->history, waiting->amount);
    free(waiting);
}

static bool begin_alike(const jz_subscribe_options *one, const jz_subscribe_options *other)
{
    return one->has_since == other->has_since && one->since.epoch == other->since.epoch &&
           one->since.offset == other->since.offset && one->recent == other->recent &&
           one->announces == other->announces && one->envelops == other->envelops;
}

/*
 * What one begins with: many come back at the same position, and share the replay of the one before. NULL: there is no
 * memory, or the loop's mailbox has no room.
 */
static jz_replay *replay_for(jz_held_topic *held, const jz_waiting *waiting, const jz_waiting *before,
                             jz_replay *shared, jz_shard *shard, size_t *reserved)
{
    *reserved = 0;
    if (shared != NULL && begin_alike(&waiting->options, &before->options)) {
        jz_history_count_replay(held, &waiting->options, shared->begins.has_recovered);
        jz_replay_retain(shared);
        return shared;
    }
    jz_replay *replay = jz_history_take(held, &waiting->options);
    if (replay == NULL)
        return NULL;
    *reserved = replay->count * sizeof replay;
    if (jz_errand_reserve(shard, *reserved))
        return replay;
    *reserved = 0;
    jz_replay_free(replay);
    return NULL;
}

/*
 * Posts to each who waited what it begins with, in the order of what is published. Returns the letters of loops that
 * have ended, which are to be discarded without the lock.
 */
static jz_letter *give(jz_server *server, jz_held_topic *held)
{
    jz_letter *late = NULL;
    jz_waiting *before = NULL;
    jz_replay *last = NULL;
    for (jz_waiting *waiting = jz_history_take_waiting(held); waiting != NULL;) {
        jz_shard *shard = shard_of(server, waiting->ws);
        size_t reserved;
        jz_replay *replay = replay_for(held, waiting, before, last, shard, &reserved);
        jz_waiting *next = waiting->next;
        jz_letter *letter = waiting->letter;
        jz_errand_set_replay(errand_of(waiting), replay, reserved);
        if (replay != NULL)
            jz_replay_retain(replay);
        jz_replay_free(last);
        last = replay;
        letter->next = NULL;
        if (!jz_loop_post(&shard->turn.loop, letter)) {
            letter->next = late;
            late = letter;
        }
        if (before != NULL)
            free_waiting(server, before);
        before = waiting;
        waiting = next;
    }
    jz_replay_free(last);
    if (before != NULL)
        free_waiting(server, before);
    return late;
}

/* They let go of the topic, for which no lock may be held. */
static void discard(jz_server *server, jz_letter *letters)
{
    while (letters != NULL) {
        jz_letter *next = letters->next;
        jz_errand_discard(shard_of(server, ((const jz_errand *)letters)->ws), letters);
        letters = next;
    }
}

/* Everybody begins with what is known now, and the broker is not asked any more. Releases the topic. */
static void finish(jz_server *server, jz_held_topic *held)
{
    jz_letter *late = give(server, held);
    jz_history_end_fetch(held);
    jz_history_release(held);
    discard(server, late);
}

/* What was fetched becomes known. Returns whether the broker is to be asked again. */
static bool take(jz_server *server, jz_held_topic *held, const jz_fetched *fetched)
{
    bool is_joined = jz_membership_is_joined(atomic_load(&server->membership));
    jz_fitting fitting = jz_history_compare(held, fetched->newest);
    if (fitting == JZ_FITTING_NOT)
        return true;
    if (fitting == JZ_FITTING_AFRESH && !jz_gap_tell(server, held->name))
        return false; /* no memory: without it nobody recovers */
    if (fitting != JZ_FITTING)
        jz_history_forget_kept(held);
    if (fitting == JZ_FITTING_AT_ODDS)
        return true;
    jz_history_add_fetched(held, fetched, is_joined);
    jz_history_doubt(held);
    return false;
}

static void ask(jz_server *server, int rule, jz_text topic, uint64_t number)
{
    const jz_history_options *options = jz_history_options_of(server->history, rule);
    if (!jz_membership_fetch(atomic_load(&server->membership), topic, options, number))
        jz_fetching_answer(server, rule, topic, number, NULL);
}

void jz_fetching_answer(jz_server *server, int rule, jz_text topic, uint64_t number, const jz_fetched *fetched)
{
    jz_held_topic held;
    jz_history_hold(server->history, rule, topic, jz_clock_ms(), &held);
    if (!jz_history_asks(&held, number)) {
        jz_history_release(&held);
        return;
    }
    bool is_asked_again = fetched != NULL && take(server, &held, fetched);
    uint64_t next = is_asked_again ? jz_history_ask_again(&held) : 0;
    if (next == 0) {
        finish(server, &held);
        return;
    }
    jz_history_release(&held);
    ask(server, rule, topic, next);
}

jz_send_status jz_fetching_wait(jz_shard *shard, jz_ws ws, const jz_subscribe_options *options, jz_held_topic *held)
{
    jz_server *server = shard->server;
    int rule = (int)held->rule;
    jz_text topic = held->name;
    jz_waiting *waiting = create(server, ws, topic, options);
    uint64_t number = waiting != NULL ? jz_history_wait(held, waiting, jz_clock_ms()) : 0;
    jz_history_release(held);
    if (waiting == NULL)
        return JZ_SEND_DROPPED;
    if (number != 0)
        ask(server, rule, topic, number);
    return JZ_SEND_QUEUED;
}

void jz_fetching_cancel(jz_server *server, int rule, jz_text topic, jz_ws ws)
{
    jz_held_topic held;
    jz_letter *cancelled = NULL;
    jz_history_hold(server->history, rule, topic, jz_clock_ms(), &held);
    for (jz_waiting *waiting = jz_history_take_waiting_of(&held, ws); waiting != NULL;) {
        jz_waiting *next = waiting->next;
        waiting->letter->next = cancelled;
        cancelled = waiting->letter;
        free_waiting(server, waiting);
        waiting = next;
    }
    jz_history_release(&held);
    discard(server, cancelled);
}

void jz_fetching_hurry(jz_server *server, int rule, jz_text topic)
{
    jz_held_topic held;
    jz_letter *late = NULL;
    jz_history_hold(server->history, rule, topic, jz_clock_ms(), &held);
    if (held.past != NULL && held.past->sharing != NULL)
        late = give(server, &held);
    jz_history_release(&held);
    discard(server, late);
}

void jz_fetching_expire(jz_server *server, uint64_t now_ms)
{
    jz_held_topic held;
    while (server->history != NULL && jz_history_hold_late(server->history, now_ms, &held))
        finish(server, &held);
}
