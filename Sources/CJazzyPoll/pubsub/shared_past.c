#include "pubsub/shared_past.h"

#include <stdlib.h>

#include "loop/timer.h"
#include "pubsub/history_parts.h"

enum { MOST_REPEATS = 3, DOUBT_TICKS = 1000 / JZ_TICK_MS };

bool jz_history_want(jz_history *history, jz_text topic)
{
    int rule = jz_history_rule_for(history, topic);
    if (rule < 0)
        return true;
    jz_held_topic held;
    jz_history_hold(history, rule, topic, jz_clock_ms(), &held);
    bool is_new = held.past == NULL;
    jz_sharing *sharing = is_new ? calloc(1, sizeof *sharing) : held.past->sharing;
    bool is_there = sharing != NULL && jz_history_prepare(&held);
    if (is_there && is_new) {
        sharing->waiting_end = &sharing->waiting;
        held.past->epoch = 0;
        held.past->sharing = sharing;
        jz_history_add_amount(history, sizeof *sharing);
        jz_history_list(held.part, held.past);
    }
    if (is_there)
        sharing->is_wanted = true;
    else if (is_new)
        free(sharing);
    jz_history_release(&held);
    return is_there;
}

void jz_history_unwant(jz_history *history, jz_text topic)
{
    int rule = jz_history_rule_for(history, topic);
    if (rule < 0)
        return;
    jz_held_topic held;
    jz_history_hold(history, rule, topic, jz_clock_ms(), &held);
    if (held.past != NULL && held.past->sharing != NULL) {
        jz_history_miss(&held);
        held.past->epoch = held.past->offset = 0;
        held.past->sharing->is_wanted = false;
        if (!held.past->sharing->is_fetching)
            jz_history_forget_topic(history, held.part, held.past);
    }
    jz_history_release(&held);
}

/* At an offset that is not known here. */
static bool is_ahead(const jz_past *past, const jz_subscribe_options *options)
{
    return options->has_since && options->since.epoch == past->epoch && options->since.offset > past->offset;
}

static bool has_doubts(const jz_held_topic *held)
{
    const jz_sharing *sharing = held->past->sharing;
    return sharing->has_doubts && (int32_t)(held->tick - sharing->doubted_tick) < DOUBT_TICKS;
}

bool jz_history_has_to_ask(jz_held_topic *held, const jz_subscribe_options *options)
{
    const jz_past *past = held->past;
    if (past == NULL || past->sharing == NULL)
        return false;
    if (!past->sharing->is_live)
        return true;
    jz_history_forget_too_old(held);
    bool is_whole = past->sharing->is_whole || past->offset == past->ring.count;
    if (!options->has_since)
        return options->recent > past->ring.count && !is_whole;
    if (options->since.epoch != past->epoch)
        return false;
    /* The newest here may be on its way, while another server has sent it already. */
    if (is_ahead(past, options))
        return !has_doubts(held);
    return past->offset - options->since.offset > past->ring.count && !is_whole;
}

jz_coming jz_history_look_at(const jz_held_topic *held, jz_position position)
{
    const jz_past *past = held->past;
    if (past == NULL || past->sharing == NULL || !past->sharing->is_wanted)
        return JZ_COMING_UNWANTED;
    if (past->epoch == 0)
        return JZ_COMING_FIRST;
    if (position.epoch != past->epoch || position.offset > past->offset + 1)
        return JZ_COMING_BEYOND;
    return position.offset <= past->offset ? JZ_COMING_AGAIN : JZ_COMING_NEXT;
}

void jz_history_forget_kept(jz_held_topic *held)
{
    jz_past *past = held->past;
    while (past->ring.count > 0)
        jz_history_forget_oldest(held->history, held->part, past);
    jz_history_list(held->part, past);
    past->sharing->is_live = past->sharing->is_whole = false;
}

void jz_history_append_at(jz_held_topic *held, jz_publication *publication, jz_position position, bool is_joined)
{
    jz_past *past = held->past;
    if (!is_joined)
        jz_history_forget_kept(held);
    past->epoch = position.epoch;
    past->offset = position.offset;
    if (!is_joined)
        return;
    past->offset--;
    past->sharing->is_live = true;
    size_t before = past->ring.count;
    jz_history_append(held, publication);
    if (past->ring.count != before + 1)
        past->sharing->is_whole = true; /* it has as much as is to be kept */
}

bool jz_history_miss(jz_held_topic *held)
{
    if (held->past == NULL || held->past->sharing == NULL)
        return false;
    jz_history_forget_kept(held);
    held->past->sharing->is_stale = true;
    return held->past->sharing->is_wanted;
}

static void miss(void *context, jz_hash_entry *entry)
{
    jz_held_topic *held = context;
    held->past = (jz_past *)entry;
    jz_history_miss(held);
}

void jz_history_miss_all(jz_history *history)
{
    for (size_t i = 0; i < JZ_HISTORY_PARTS; i++) {
        jz_held_topic held = {.history = history, .part = &history->parts[i]};
        pthread_mutex_lock(&held.part->lock);
        jz_hash_table_visit(&held.part->table, miss, &held);
        pthread_mutex_unlock(&held.part->lock);
    }
}

bool jz_history_reserve_waiting(jz_history *history, size_t amount, size_t limit)
{
    size_t before = atomic_fetch_add_explicit(&history->waiting_amount, amount, memory_order_relaxed);
    if (before < limit)
        return true;
    jz_history_unreserve_waiting(history, amount);
    return false;
}

void jz_history_unreserve_waiting(jz_history *history, size_t amount)
{
    atomic_fetch_sub_explicit(&history->waiting_amount, amount, memory_order_relaxed);
}

/* The broker is asked anew: the answer is to have all that was missed until now. */
static uint64_t take_number(jz_held_topic *held)
{
    jz_sharing *sharing = held->past->sharing;
    sharing->is_stale = false;
    sharing->number = atomic_fetch_add_explicit(&held->history->fetches, 1, memory_order_relaxed) + 1;
    return sharing->number;
}

uint64_t jz_history_wait(jz_held_topic *held, jz_waiting *waiting, uint64_t now_ms)
{
    jz_sharing *sharing = held->past->sharing;
    waiting->next = NULL;
    *sharing->waiting_end = waiting;
    sharing->waiting_end = &waiting->next;
    if (sharing->is_fetching)
        return 0;
    sharing->is_fetching = true;
    sharing->repeats = 0;
    sharing->until_ms = now_ms + JZ_FETCH_TIMEOUT_MS;
    sharing->next = held->part->fetching;
    held->part->fetching = held->past;
    return take_number(held);
}

uint64_t jz_history_ask_again(jz_held_topic *held)
{
    jz_sharing *sharing = held->past->sharing;
    if (sharing->waiting == NULL || sharing->repeats == MOST_REPEATS)
        return 0;
    sharing->repeats++;
    return take_number(held);
}

void jz_history_doubt(jz_held_topic *held)
{
    jz_sharing *sharing = held->past->sharing;
    /* The others may have come after the broker was asked, and be right. */
    if (sharing->waiting == NULL || !is_ahead(held->past, &sharing->waiting->options))
        return;
    sharing->has_doubts = true;
    sharing->doubted_tick = held->tick;
}

bool jz_history_asks(const jz_held_topic *held, uint64_t number)
{
    const jz_past *past = held->past;
    return past != NULL && past->sharing != NULL && past->sharing->is_fetching && past->sharing->number == number;
}

jz_waiting *jz_history_take_waiting(jz_held_topic *held)
{
    jz_sharing *sharing = held->past->sharing;
    jz_waiting *all = sharing->waiting;
    sharing->waiting = NULL;
    sharing->waiting_end = &sharing->waiting;
    return all;
}

jz_waiting *jz_history_take_waiting_of(jz_held_topic *held, jz_ws ws)
{
    if (held->past == NULL || held->past->sharing == NULL)
        return NULL;
    jz_sharing *sharing = held->past->sharing;
    jz_waiting *taken = NULL;
    jz_waiting **link = &sharing->waiting;
    while (*link != NULL) {
        jz_waiting *waiting = *link;
        if (waiting->ws.value != ws.value) {
            link = &waiting->next;
            continue;
        }
        *link = waiting->next;
        waiting->next = taken;
        taken = waiting;
    }
    sharing->waiting_end = link;
    return taken;
}

void jz_history_end_fetch(jz_held_topic *held)
{
    jz_past **link = &held->part->fetching;
    while (*link != held->past)
        link = &(*link)->sharing->next;
    *link = held->past->sharing->next;
    held->past->sharing->is_fetching = false;
    if (held->past->sharing->is_wanted)
        return;
    jz_history_forget_topic(held->history, held->part, held->past);
    held->past = NULL;
}

bool jz_history_hold_late(jz_history *history, uint64_t now_ms, jz_held_topic *held)
{
    for (size_t i = 0; i < JZ_HISTORY_PARTS; i++) {
        jz_history_part *part = &history->parts[i];
        pthread_mutex_lock(&part->lock);
        jz_past *past = part->fetching;
        while (past != NULL && past->sharing->until_ms > now_ms)
            past = past->sharing->next;
        if (past != NULL) {
            *held = (jz_held_topic){.history = history,
                                    .part = part,
                                    .rule = past->rule,
                                    .tick = jz_tick_of(jz_clock_ms()),
                                    .name = {past->name, past->name_length},
                                    .hash = past->entry.hash,
                                    .past = past};
            return true;
        }
        pthread_mutex_unlock(&part->lock);
    }
    return false;
}

jz_fitting jz_history_compare(const jz_held_topic *held, jz_position newest)
{
    const jz_past *past = held->past;
    const jz_sharing *sharing = past->sharing;
    bool is_same = newest.epoch == past->epoch;
    if (sharing->is_stale)
        return JZ_FITTING_NOT;
    if (past->epoch == 0 || (is_same && newest.offset == past->offset))
        return JZ_FITTING;
    if (is_same && newest.offset > past->offset)
        return JZ_FITTING_AFRESH;
    if (sharing->is_live)
        return is_same ? JZ_FITTING : JZ_FITTING_AT_ODDS;
    return is_same ? JZ_FITTING_NOT : JZ_FITTING_AFRESH;
}

/* Adds as many as are to be kept, from the newest on. Returns whether this did not end for want of memory. */
static bool prepend(jz_held_topic *held, const jz_fetched *fetched, size_t count)
{
    jz_history *history = held->history;
    jz_past *past = held->past;
    const jz_history_rule *rule = &history->rules.all[past->rule];
    for (size_t i = count; i-- > 0 && past->ring.count < rule->keep;) {
        size_t length = jz_publication_length(fetched->publications[i]);
        uint64_t ticks = fetched->messages[i].age_ms / JZ_TICK_MS;
        if (length > rule->bytes - past->bytes || ticks > rule->ticks)
            break;
        if (!jz_past_make_room(past, rule->keep))
            return false;
        jz_past_prepend(past, fetched->publications[i], held->tick - (uint32_t)ticks);
        held->part->messages++;
        jz_history_add_amount(history, length + JZ_KEPT_COST);
    }
    return true;
}

void jz_history_add_fetched(jz_held_topic *held, const jz_fetched *fetched, bool is_joined)
{
    jz_past *past = held->past;
    size_t count = fetched->count;
    if (!past->sharing->is_live) {
        past->epoch = fetched->newest.epoch;
        past->offset = fetched->newest.offset;
        past->sharing->is_live = is_joined;
    }
    if (!is_joined)
        return;
    /* What was delivered meanwhile is kept already. */
    uint64_t before = past->offset - past->ring.count;
    if (before <= fetched->newest.offset) {
        uint64_t known = fetched->newest.offset - before;
        count = known < count ? count - (size_t)known : 0;
        past->sharing->is_whole = prepend(held, fetched, count);
    } else {
        past->sharing->is_whole = true; /* what is kept here is newer: all that is to be kept */
    }
    jz_history_list(held->part, past);
}
