#include <pthread.h>

#include "pubsub/history_parts.h"

/*
 * Of the topics of a part, the one that is forgotten first: of which nothing is kept any more, or to which nothing was
 * published for the longest time. NULL: there is none.
 */
static jz_past *next_to_forget(const jz_history *history, const jz_history_part *part)
{
    jz_past *next = part->empty.oldest;
    for (size_t i = 0; i < history->rules.count && (next == NULL || next->ring.count > 0); i++) {
        jz_past *oldest = part->kept[i].oldest;
        if (oldest != NULL && (next == NULL || (int32_t)(jz_past_newest_tick(oldest) - jz_past_newest_tick(next)) < 0))
            next = oldest;
    }
    return next;
}

/* The part whose next topic to forget is the first of all. */
static jz_history_part *part_to_forget_in(jz_history *history)
{
    jz_history_part *found = NULL;
    uint32_t earliest = 0;
    for (size_t i = 0; i < JZ_HISTORY_PARTS; i++) {
        jz_history_part *part = &history->parts[i];
        pthread_mutex_lock(&part->lock);
        const jz_past *next = next_to_forget(history, part);
        bool is_empty = next != NULL && next->ring.count == 0;
        uint32_t tick = next != NULL && !is_empty ? jz_past_newest_tick(next) : 0;
        pthread_mutex_unlock(&part->lock);
        if (is_empty)
            return part;
        if (next != NULL && (found == NULL || (int32_t)(tick - earliest) < 0)) {
            found = part;
            earliest = tick;
        }
    }
    return found;
}

/* Its messages go first, the oldest first, and only then the topic itself, with its epoch. */
void jz_history_forget_beyond_limit(jz_history *history)
{
    while (jz_history_exceeds(history)) {
        jz_history_part *part = part_to_forget_in(history);
        if (part == NULL)
            return;
        pthread_mutex_lock(&part->lock);
        jz_past *past = next_to_forget(history, part);
        while (past != NULL && past->ring.count > 0 && jz_history_exceeds(history))
            jz_history_forget_oldest(history, part, past);
        if (past != NULL && past->sharing != NULL)
            past->sharing->is_whole = false;
        if (past != NULL && past->ring.count == 0 && past->sharing == NULL && jz_history_exceeds(history))
            jz_history_forget_topic(history, part, past);
        else if (past != NULL && past->ring.count == 0)
            jz_history_list(part, past);
        pthread_mutex_unlock(&part->lock);
    }
}
