/* Who watches topics and prefixes. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "loop/report.h"
#include "pubsub/presence_guests.h"
#include "pubsub/presence_state.h"

void jz_watch_retain(jz_watch *watch)
{
    atomic_fetch_add_explicit(&watch->references, 1, memory_order_relaxed);
}

void jz_watch_release(jz_watch *watch)
{
    if (atomic_fetch_sub_explicit(&watch->references, 1, memory_order_acq_rel) != 1)
        return;
    if (watch->released != NULL)
        watch->released(watch->context);
    free(watch);
}

static jz_text name_of(const jz_watch *watch)
{
    return (jz_text){watch->name, watch->length};
}

static bool begins_with(jz_text topic, const jz_watch *watch)
{
    return topic.length >= watch->length && jz_text_equals((jz_text){topic.start, watch->length}, name_of(watch));
}

uint64_t jz_presence_prefixes_of(jz_presence *presence, jz_text topic)
{
    uint64_t found = 0;
    if (atomic_load(&presence->used_bits) == 0)
        return 0;
    pthread_mutex_lock(&presence->watch_lock);
    for (int i = 0; i < JZ_MAX_WATCHED_PREFIXES; i++) {
        const jz_watch *watch = presence->prefixes[i];
        if (watch != NULL && !atomic_load(&watch->is_over) && begins_with(topic, watch))
            found |= UINT64_C(1) << i;
    }
    pthread_mutex_unlock(&presence->watch_lock);
    return found;
}

/* Calls `visit` for each topic, with its part's lock held, and then rings if there is something to tell. */
static void visit_topics(jz_presence *presence, void (*visit)(void *watch, jz_hash_entry *topic), jz_watch *watch)
{
    for (size_t i = 0; i < JZ_PRESENCE_PARTS; i++) {
        jz_presence_part *part = &presence->parts[i];
        pthread_mutex_lock(&part->lock);
        jz_hash_table_visit(&part->topics, visit, watch);
        jz_presence_ring(presence, part);
        pthread_mutex_unlock(&part->lock);
    }
}

/* Whether a watch that begins now is told of the topic at once: who is there, and not that somebody else has left. */
static bool has_something_to_tell(const jz_presence_topic *topic)
{
    return topic->count > 0 || topic->changed_count > 0;
}

/* A topic that there was before the watch. One that has come since is watched already, from its beginning. */
static void begin_prefix(void *context, jz_hash_entry *entry)
{
    const jz_watch *watch = context;
    jz_presence_topic *topic = (jz_presence_topic *)entry;
    uint64_t bit = UINT64_C(1) << watch->bit;
    if ((topic->prefixes & bit) != 0 || !begins_with(jz_presence_topic_name(topic), watch))
        return;
    topic->prefixes |= bit;
    if (!has_something_to_tell(topic))
        return;
    topic->fresh |= bit;
    jz_presence_topic_list(topic);
}

/* Nobody watches the topic any more: there is nothing to tell. */
static void drop_changes(jz_presence_topic *topic)
{
    while (!jz_presence_topic_is_watched(topic) && topic->changed_count > 0)
        jz_attendee_review(jz_attendee_of_changed(topic->changed.next));
}

static void end_prefix(void *context, jz_hash_entry *entry)
{
    const jz_watch *watch = context;
    jz_presence_topic *topic = (jz_presence_topic *)entry;
    uint64_t bit = UINT64_C(1) << watch->bit;
    if ((topic->prefixes & bit) == 0)
        return;
    topic->prefixes &= ~bit;
    topic->fresh &= ~bit;
    drop_changes(topic);
    jz_presence_topic_list(topic); /* it is forgotten if it is empty, when this is looked at */
}

static bool begin_topic(jz_presence *presence, jz_watch *watch)
{
    uint64_t hash = jz_presence_hash(presence, name_of(watch));
    jz_presence_part *part = jz_presence_part_of(presence, hash);
    pthread_mutex_lock(&part->lock);
    jz_presence_topic *topic = jz_presence_reach(presence, name_of(watch), hash);
    if (topic != NULL) {
        watch->next = topic->watches;
        watch->is_fresh = has_something_to_tell(topic);
        topic->watches = watch;
        if (watch->is_fresh)
            jz_presence_topic_list(topic);
        if (topic->room != NULL && !topic->room->is_open)
            jz_company_room_note(topic->room);
        jz_presence_ring(presence, part);
    }
    pthread_mutex_unlock(&part->lock);
    return topic != NULL;
}

static void end_topic(jz_presence *presence, jz_watch *watch)
{
    uint64_t hash = jz_presence_hash(presence, name_of(watch));
    jz_presence_part *part = jz_presence_part_of(presence, hash);
    pthread_mutex_lock(&part->lock);
    jz_presence_topic *topic = jz_presence_part_find(part, name_of(watch), hash);
    jz_watch **link = topic != NULL ? &topic->watches : NULL;
    while (link != NULL && *link != NULL && *link != watch)
        link = &(*link)->next;
    if (link != NULL && *link == watch) {
        *link = watch->next;
        drop_changes(topic);
        jz_presence_topic_forget_if_empty(topic);
    }
    pthread_mutex_unlock(&part->lock);
}

static jz_watch *create(const jz_presence_watch *described)
{
    jz_watch *watch = described->topic_length < SIZE_MAX / 2 ? malloc(sizeof *watch + described->topic_length) : NULL;
    if (watch == NULL)
        return NULL;
    *watch = (jz_watch){.references = 1,
                        .bit = -1,
                        .changed = described->changed,
                        .released = described->released,
                        .context = described->context,
                        .length = described->topic_length};
    jz_circle_init(&watch->place);
    if (watch->length > 0)
        memcpy(watch->name, described->topic, watch->length);
    return watch;
}

/* Gives it a number, and a bit if it is of a prefix. False: there is no bit left. */
static bool enrol(jz_presence *presence, jz_watch *watch, bool is_prefix)
{
    pthread_mutex_lock(&presence->watch_lock);
    for (int i = 0; is_prefix && watch->bit < 0 && i < JZ_MAX_WATCHED_PREFIXES; i++) {
        if (presence->prefixes[i] == NULL)
            watch->bit = i;
    }
    bool is_enrolled = !is_prefix || watch->bit >= 0;
    if (is_enrolled) {
        watch->number = ++presence->last_number;
        jz_circle_add(&presence->watches, &watch->place);
        presence->watch_count++;
    }
    if (is_enrolled && is_prefix) {
        presence->prefixes[watch->bit] = watch;
        atomic_fetch_or(&presence->used_bits, UINT64_C(1) << watch->bit);
    }
    pthread_mutex_unlock(&presence->watch_lock);
    return is_enrolled;
}

/* Takes the watch off the list, whose reference is the caller's then. NULL: there is none with this number. */
static jz_watch *strike(jz_presence *presence, uint64_t number)
{
    jz_watch *found = NULL;
    pthread_mutex_lock(&presence->watch_lock);
    for (jz_circle *place = presence->watches.next; place != &presence->watches && found == NULL; place = place->next) {
        jz_watch *watch = (jz_watch *)((char *)place - offsetof(jz_watch, place));
        if (watch->number == number)
            found = watch;
    }
    if (found != NULL) {
        atomic_store(&found->is_over, true);
        jz_circle_remove(&found->place);
        presence->watch_count--;
    }
    pthread_mutex_unlock(&presence->watch_lock);
    return found;
}

/* Its bit is free for another only when no topic has it any more. */
static void free_bit(jz_presence *presence, const jz_watch *watch)
{
    pthread_mutex_lock(&presence->watch_lock);
    presence->prefixes[watch->bit] = NULL;
    atomic_fetch_and(&presence->used_bits, ~(UINT64_C(1) << watch->bit));
    pthread_mutex_unlock(&presence->watch_lock);
}

bool jz_presence_remove_watch(jz_presence *presence, uint64_t number)
{
    jz_watch *watch = strike(presence, number);
    if (watch == NULL)
        return false;
    if (watch->bit >= 0) {
        visit_topics(presence, end_prefix, watch);
        free_bit(presence, watch);
    } else {
        end_topic(presence, watch);
    }
    jz_watch_release(watch);
    return true;
}

uint64_t jz_presence_add_watch(jz_presence *presence, const jz_presence_watch *described, jz_error *error)
{
    jz_watch *watch = create(described);
    if (watch == NULL) {
        jz_report_system(error, ENOMEM, "watch a topic");
        return 0;
    }
    if (!enrol(presence, watch, described->is_prefix)) {
        jz_report(error, JZ_STATUS_LIMIT_REACHED,
                  "cannot watch another prefix: a server has at most %d; use a shorter one, or watch single topics",
                  JZ_MAX_WATCHED_PREFIXES);
        free(watch);
        return 0;
    }
    uint64_t number = watch->number;
    bool is_watching = true;
    if (watch->bit >= 0)
        visit_topics(presence, begin_prefix, watch);
    else
        is_watching = begin_topic(presence, watch);
    if (is_watching)
        return number;
    watch->released = NULL; /* the caller keeps its context */
    jz_presence_remove_watch(presence, number);
    jz_report_system(error, ENOMEM, "watch a topic");
    return 0;
}

bool jz_presence_is_watched(jz_presence *presence)
{
    pthread_mutex_lock(&presence->watch_lock);
    bool is_watched = presence->watch_count > 0;
    pthread_mutex_unlock(&presence->watch_lock);
    return is_watched;
}
