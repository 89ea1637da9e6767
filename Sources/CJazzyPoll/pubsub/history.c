#include "pubsub/history.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "loop/timer.h"
#include "platform/random.h"
#include "pubsub/hash_table.h"
#include "pubsub/history_parts.h"
#include "pubsub/history_rules.h"
#include "pubsub/shared_past.h"

enum { MOST_SWEPT = 4 /* topics, each time that something is published to a part */ };

jz_history *jz_history_create(size_t limit, const jz_siphash_key *key)
{
    jz_history *history = calloc(1, sizeof *history);
    if (history == NULL)
        return NULL;
    history->limit = limit;
    history->key = *key;
    for (size_t i = 0; i < JZ_HISTORY_PARTS; i++) {
        jz_history_part *part = &history->parts[i];
        pthread_mutex_init(&part->lock, NULL);
        jz_hash_table_init(&part->table);
        part->epoch = jz_random();
    }
    return history;
}

static void discard(jz_hash_entry *entry)
{
    jz_past_free((jz_past *)entry);
}

void jz_history_destroy(jz_history *history)
{
    if (history == NULL)
        return;
    for (size_t i = 0; i < JZ_HISTORY_PARTS; i++) {
        jz_hash_table_destroy(&history->parts[i].table, discard);
        pthread_mutex_destroy(&history->parts[i].lock);
    }
    jz_history_rules_free(&history->rules);
    free(history);
}

bool jz_history_add_rule(jz_history *history, jz_text prefix, const jz_history_options *options)
{
    return jz_history_rules_add(&history->rules, prefix, options);
}

size_t jz_history_rule_count(const jz_history *history)
{
    return history->rules.count;
}

bool jz_history_has_rule(const jz_history *history, jz_text prefix)
{
    return jz_history_rules_have(&history->rules, prefix);
}

int jz_history_rule_for(const jz_history *history, jz_text topic)
{
    return jz_history_rules_find(&history->rules, topic);
}

const jz_history_options *jz_history_options_of(const jz_history *history, int rule)
{
    return &history->rules.all[rule].options;
}

static const jz_history_rule *rule_of(const jz_history *history, const jz_past *past)
{
    return &history->rules.all[past->rule];
}

/* Times of loops are those when their iterations began: what was published "later" may be a little older. */
static bool is_too_old(const jz_history *history, const jz_past *past, uint32_t published, uint32_t now)
{
    int64_t age = (int32_t)(now - published);
    return age > (int64_t)rule_of(history, past)->ticks;
}

/* The functions from here to jz_history_hold are called with the lock held. */

static void forget_old(jz_history *history, jz_history_part *part, jz_past *past, uint32_t now)
{
    if (past->ring.count == 0 || !is_too_old(history, past, jz_past_oldest_tick(past), now))
        return;
    while (past->ring.count > 0 && is_too_old(history, past, jz_past_oldest_tick(past), now))
        jz_history_forget_oldest(history, part, past);
    if (past->ring.count == 0)
        jz_history_list(part, past);
    if (past->sharing != NULL)
        past->sharing->is_whole = true; /* the broker has no older ones either */
}

void jz_history_forget_too_old(jz_held_topic *held)
{
    if (held->past != NULL)
        forget_old(held->history, held->part, held->past, held->tick);
}

/* Offsets may not begin again under an epoch that it may have had: topics that become known from now on get another. */
void jz_history_forget_topic(jz_history *history, jz_history_part *part, jz_past *past)
{
    part->epoch++;
    part->topics--;
    jz_past_move(past, NULL);
    jz_hash_table_remove(&part->table, &past->entry);
    jz_history_subtract_amount(history, jz_past_cost(past));
    jz_past_free(past);
}

static void sweep(jz_history *history, jz_history_part *part, uint32_t rule, uint32_t now, size_t most)
{
    for (size_t i = 0; i < most; i++) {
        jz_past *oldest = part->kept[rule].oldest;
        if (oldest == NULL || !is_too_old(history, oldest, jz_past_newest_tick(oldest), now))
            return;
        forget_old(history, part, oldest, now);
    }
}

static JZ_ALWAYS_INLINED jz_past *find(const jz_history_part *part, jz_text name, uint64_t hash)
{
    for (jz_hash_entry *entry = jz_hash_table_look(&part->table, hash); entry != NULL; entry = entry->next) {
        jz_past *past = (jz_past *)entry;
        if (entry->hash == hash && jz_text_equals(name, (jz_text){past->name, past->name_length}))
            return past;
    }
    return NULL;
}

/* The epoch of a topic that becomes known now: another one for each topic, so that no client takes one for another. */
static uint64_t epoch_of(const jz_history_part *part, uint64_t hash)
{
    return part->epoch + hash;
}

static JZ_ALWAYS_INLINED void hold(jz_history *history, int rule, jz_text topic, uint64_t now_ms, jz_held_topic *held)
{
    uint64_t hash = jz_siphash(&history->key, topic.start, topic.length);
    jz_history_part *part = &history->parts[hash >> 32 & (JZ_HISTORY_PARTS - 1)];
    pthread_mutex_lock(&part->lock);
    held->history = history;
    held->part = part;
    held->rule = (uint32_t)rule;
    held->tick = jz_tick_of(now_ms);
    held->name = topic;
    held->hash = hash;
    held->past = find(part, topic, hash);
}

void jz_history_hold(jz_history *history, int rule, jz_text topic, uint64_t now_ms, jz_held_topic *held)
{
    hold(history, rule, topic, now_ms, held);
}

void jz_history_renew(jz_history *history, jz_text topic)
{
    jz_held_topic held;
    int rule = jz_history_rule_for(history, topic);
    if (rule < 0)
        return;
    jz_history_hold(history, rule, topic, 0, &held);
    held.part->epoch++;
    if (held.past != NULL)
        held.past->epoch = epoch_of(held.part, held.hash);
    pthread_mutex_unlock(&held.part->lock);
}

static void renew(void *context, jz_hash_entry *entry)
{
    ((jz_past *)entry)->epoch = epoch_of(context, entry->hash);
}

void jz_history_renew_all(jz_history *history)
{
    for (size_t i = 0; i < JZ_HISTORY_PARTS; i++) {
        jz_history_part *part = &history->parts[i];
        pthread_mutex_lock(&part->lock);
        part->epoch++;
        jz_hash_table_visit(&part->table, renew, part);
        pthread_mutex_unlock(&part->lock);
    }
}

bool jz_history_prepare(jz_held_topic *held)
{
    jz_history_part *part = held->part;
    uint32_t keep = held->history->rules.all[held->rule].keep;
    if (held->past != NULL)
        return jz_past_make_room(held->past, keep);
    jz_past *past = jz_past_create(held->name, held->hash, held->rule, epoch_of(part, held->hash));
    if (past == NULL)
        return false;
    if (!jz_past_make_room(past, keep) || !jz_hash_table_add(&part->table, &past->entry)) {
        jz_past_free(past);
        return false;
    }
    jz_history_add_amount(held->history, JZ_PAST_COST + past->name_length);
    part->topics++;
    jz_past_move(past, &part->empty);
    held->past = past;
    return true;
}

/* Forgets what exceeds the bytes or the age of a topic, to which something was published, perhaps all of it. */
static JZ_NEVER_INLINED void forget_excess(jz_history *history, jz_history_part *part, jz_past *past, size_t most,
                                           uint32_t now)
{
    while (past->ring.count > 0 && (past->bytes > most || is_too_old(history, past, jz_past_oldest_tick(past), now)))
        jz_history_forget_oldest(history, part, past);
}

/* Also finds a little of what has become too old of other topics. */
static JZ_ALWAYS_INLINED void append(const jz_held_topic *held, const jz_history_rule *rule,
                                     jz_publication *publication)
{
    jz_history *history = held->history;
    jz_history_part *part = held->part;
    jz_past *past = held->past;
    size_t length = jz_publication_length(publication);
    size_t added = length + JZ_KEPT_COST;
    /* Most messages replace one, often one that is as long: then nothing else changes. */
    if (JZ_LIKELY(past->ring.count >= rule->keep && past->ring.count == past->ring.capacity)) {
        added = length - jz_past_replace(past, publication, length, held->tick);
    } else {
        if (past->ring.count >= rule->keep)
            jz_history_forget_oldest(history, part, past);
        jz_past_append(past, publication, length, held->tick);
        part->messages++;
    }
    if (added != 0)
        jz_history_add_amount(history, added);
    size_t most = rule->bytes < history->limit ? rule->bytes : history->limit;
    if (past->bytes > most || is_too_old(history, past, jz_past_oldest_tick(past), held->tick))
        forget_excess(history, part, past, most, held->tick);
    jz_history_list(part, past);
    if (part->kept[past->rule].oldest != past)
        sweep(history, part, past->rule, held->tick, MOST_SWEPT);
}

void jz_history_append(jz_held_topic *held, jz_publication *publication)
{
    append(held, rule_of(held->history, held->past), publication);
}

static JZ_ALWAYS_INLINED bool keep(jz_held_topic *held, jz_publication *publication)
{
    const jz_history_rule *rule = &held->history->rules.all[held->rule];
    bool has_room = held->past != NULL && jz_past_has_room(held->past, rule->keep);
    if (!JZ_LIKELY(has_room) && !jz_history_prepare(held))
        return false;
    append(held, rule, publication);
    return true;
}

bool jz_history_keep(jz_held_topic *held, jz_publication *publication)
{
    return keep(held, publication);
}

/* Where the topic is, or would be if it became known now. */
static jz_position newest_of(const jz_held_topic *held)
{
    const jz_past *past = held->past;
    if (!jz_history_is_known(held))
        return (jz_position){0, 0};
    return past != NULL ? (jz_position){past->epoch, past->offset} : (jz_position){epoch_of(held->part, held->hash), 0};
}

/* How many messages follow `since`, if all of them are kept; SIZE_MAX if not, or if it is no position of the topic. */
static size_t missed_since(const jz_held_topic *held, jz_position since)
{
    jz_position newest = newest_of(held);
    size_t kept = held->past != NULL ? held->past->ring.count : 0;
    if (!jz_history_is_known(held))
        return SIZE_MAX;
    if (since.epoch != newest.epoch || since.offset > newest.offset || newest.offset - since.offset > kept)
        return SIZE_MAX;
    return (size_t)(newest.offset - since.offset);
}

void jz_history_count_replay(jz_held_topic *held, const jz_subscribe_options *options, bool has_recovered)
{
    held->part->recovered += has_recovered ? 1 : 0;
    held->part->not_recovered += options->has_since && !has_recovered ? 1 : 0;
}

jz_replay *jz_history_take(jz_held_topic *held, const jz_subscribe_options *options)
{
    jz_history_forget_too_old(held);
    size_t kept = held->past != NULL ? held->past->ring.count : 0;
    size_t missed = options->has_since ? missed_since(held, options->since) : SIZE_MAX;
    bool has_recovered = missed != SIZE_MAX;
    size_t count = has_recovered ? missed : 0;
    if (!options->has_since)
        count = options->recent < kept ? options->recent : kept;
    jz_replay *replay = jz_replay_create(count);
    if (replay == NULL)
        return NULL;
    jz_position position = newest_of(held);
    position.offset -= count;
    replay->announces = options->announces;
    replay->envelops = options->envelops;
    replay->begins = (jz_subscribed){.has_recovered = has_recovered, .count = count, .position = position};
    for (size_t i = 1; i <= count; i++)
        jz_replay_add(replay, jz_past_at(held->past, position.offset + i));
    jz_history_count_replay(held, options, has_recovered);
    return replay;
}

static inline void release(const jz_held_topic *held)
{
    jz_history *history = held->history;
    pthread_mutex_unlock(&held->part->lock);
    if (jz_history_exceeds(history))
        jz_history_forget_beyond_limit(history);
}

void jz_history_release(jz_held_topic *held)
{
    release(held);
}

bool jz_history_keep_alone(jz_history *history, int rule, jz_text topic, jz_loop *loop, jz_publication *publication,
                           uint64_t *hash)
{
    jz_held_topic held;
    hold(history, rule, topic, loop->now_ms, &held);
    bool is_kept = !jz_loop_has_letters(loop) && keep(&held, publication);
    release(&held);
    *hash = held.hash;
    return is_kept;
}

void jz_history_sweep(jz_history *history, uint64_t now_ms)
{
    for (size_t i = 0; i < JZ_HISTORY_PARTS; i++) {
        jz_history_part *part = &history->parts[i];
        pthread_mutex_lock(&part->lock);
        for (uint32_t j = 0; j < history->rules.count; j++)
            sweep(history, part, j, jz_tick_of(now_ms), SIZE_MAX);
        pthread_mutex_unlock(&part->lock);
    }
}

jz_history_statistics jz_history_count(jz_history *history)
{
    jz_history_statistics all = {.bytes = atomic_load_explicit(&history->amount, memory_order_relaxed)};
    for (size_t i = 0; i < JZ_HISTORY_PARTS; i++) {
        jz_history_part *part = &history->parts[i];
        pthread_mutex_lock(&part->lock);
        all.topics += part->topics;
        all.messages += part->messages;
        all.recovered += part->recovered;
        all.not_recovered += part->not_recovered;
        pthread_mutex_unlock(&part->lock);
    }
    return all;
}
