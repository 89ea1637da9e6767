#include "pubsub/presence_parts.h"

#include <stdlib.h>
#include <string.h>

enum { OVERHEAD = 16 }; /* of an allocation, and of a bucket */

void jz_presence_part_init(jz_presence_part *part, _Atomic size_t *amount)
{
    pthread_mutex_init(&part->lock, NULL);
    part->amount = amount;
    jz_hash_table_init(&part->topics);
    jz_hash_table_init(&part->attendees);
    part->listed_end = &part->listed;
}

static void free_topic(jz_hash_entry *entry)
{
    free((jz_presence_topic *)entry);
}

/* Those of whom it was not told any more that they have left. */
static void free_attendee(jz_hash_entry *entry)
{
    jz_attendee *attendee = (jz_attendee *)entry;
    jz_profile_release(attendee->told);
    jz_profile_release(attendee->profile);
    free(attendee);
}

void jz_presence_part_destroy(jz_presence_part *part)
{
    jz_hash_table_destroy(&part->attendees, free_attendee);
    jz_hash_table_destroy(&part->topics, free_topic);
    pthread_mutex_destroy(&part->lock);
}

static void add_amount(jz_presence_part *part, size_t amount)
{
    atomic_fetch_add_explicit(part->amount, amount, memory_order_relaxed);
}

static void subtract_amount(jz_presence_part *part, size_t amount)
{
    atomic_fetch_sub_explicit(part->amount, amount, memory_order_relaxed);
}

static size_t profile_cost(const jz_profile *profile)
{
    return sizeof *profile + profile->key_length + profile->info_length + OVERHEAD;
}

size_t jz_presence_topic_cost(size_t name_length)
{
    return sizeof(jz_presence_topic) + name_length + OVERHEAD + sizeof(jz_hash_entry *);
}

size_t jz_attendee_cost(const jz_profile *profile)
{
    return sizeof(jz_attendee) + OVERHEAD + sizeof(jz_hash_entry *) + profile_cost(profile);
}

jz_presence_topic *jz_presence_part_find(const jz_presence_part *part, jz_text name, uint64_t hash)
{
    for (jz_hash_entry *entry = jz_hash_table_look(&part->topics, hash); entry != NULL; entry = entry->next) {
        jz_presence_topic *topic = (jz_presence_topic *)entry;
        if (entry->hash == hash && jz_text_equals(name, jz_presence_topic_name(topic)))
            return topic;
    }
    return NULL;
}

jz_presence_topic *jz_presence_part_add(jz_presence_part *part, jz_text name, uint64_t hash)
{
    jz_presence_topic *topic = name.length < SIZE_MAX / 2 ? malloc(sizeof *topic + name.length) : NULL;
    if (topic == NULL)
        return NULL;
    *topic = (jz_presence_topic){.entry = {.hash = hash}, .part = part, .name_length = name.length};
    jz_circle_init(&topic->present);
    jz_circle_init(&topic->changed);
    if (name.length > 0)
        memcpy(topic->name, name.start, name.length);
    if (!jz_hash_table_add(&part->topics, &topic->entry)) {
        free(topic);
        return NULL;
    }
    add_amount(part, jz_presence_topic_cost(name.length));
    return topic;
}

void jz_presence_topic_forget_if_empty(jz_presence_topic *topic)
{
    jz_presence_part *part = topic->part;
    /* Who watches a prefix needs nothing of a topic without members. */
    if (topic->count > 0 || topic->changed_count > 0 || topic->watches != NULL || topic->is_listed)
        return;
    jz_hash_table_remove(&part->topics, &topic->entry);
    subtract_amount(part, jz_presence_topic_cost(topic->name_length));
    free(topic);
}

void jz_presence_topic_list(jz_presence_topic *topic)
{
    jz_presence_part *part = topic->part;
    if (topic->is_listed)
        return;
    topic->is_listed = true;
    topic->next_listed = NULL;
    *part->listed_end = topic;
    part->listed_end = &topic->next_listed;
    part->listed_count++;
}

jz_presence_topic *jz_presence_part_take_listed(jz_presence_part *part)
{
    jz_presence_topic *topic = part->listed;
    if (topic == NULL)
        return NULL;
    part->listed = topic->next_listed;
    if (part->listed == NULL)
        part->listed_end = &part->listed;
    part->listed_count--;
    topic->is_listed = false;
    return topic;
}

uint64_t jz_attendee_hash(const jz_presence_topic *topic, const jz_siphash_key *key, jz_text text)
{
    return jz_siphash(key, text.start, text.length) + topic->entry.hash;
}

jz_attendee *jz_attendee_find(const jz_presence_topic *topic, jz_text key, uint64_t hash)
{
    const jz_hash_table *table = &topic->part->attendees;
    for (jz_hash_entry *entry = jz_hash_table_look(table, hash); entry != NULL; entry = entry->next) {
        jz_attendee *attendee = (jz_attendee *)entry;
        if (entry->hash == hash && attendee->topic == topic && jz_text_equals(key, jz_profile_key(attendee->profile)))
            return attendee;
    }
    return NULL;
}

jz_attendee *jz_attendee_add(jz_presence_topic *topic, jz_profile *profile, uint64_t hash)
{
    jz_attendee *attendee = malloc(sizeof *attendee);
    if (attendee == NULL)
        return NULL;
    *attendee = (jz_attendee){.entry = {.hash = hash}, .topic = topic, .profile = profile};
    jz_circle_init(&attendee->present);
    jz_circle_init(&attendee->changed);
    if (!jz_hash_table_add(&topic->part->attendees, &attendee->entry)) {
        free(attendee);
        return NULL;
    }
    jz_profile_retain(profile);
    add_amount(topic->part, jz_attendee_cost(profile));
    return attendee;
}

/* What was told costs something of its own only if it is not how it is now. */
static size_t told_cost(const jz_attendee *attendee)
{
    return attendee->told != NULL && attendee->told != attendee->profile ? profile_cost(attendee->told) : 0;
}

/* Both are retained by the caller, who gives these references away. `told` may be NULL. */
static void replace(jz_attendee *attendee, jz_profile *profile, jz_profile *told)
{
    size_t before = profile_cost(attendee->profile) + told_cost(attendee);
    if (attendee->told == NULL && told != NULL)
        attendee->topic->told_count++;
    jz_profile_release(attendee->profile);
    jz_profile_release(attendee->told);
    attendee->profile = profile;
    attendee->told = told;
    add_amount(attendee->topic->part, profile_cost(profile) + told_cost(attendee));
    subtract_amount(attendee->topic->part, before);
}

static jz_profile *retain_told(const jz_attendee *attendee)
{
    return attendee->told != NULL ? jz_profile_retain(attendee->told) : NULL;
}

void jz_attendee_come(jz_attendee *attendee, jz_profile *profile)
{
    jz_presence_topic *topic = attendee->topic;
    if (attendee->seats++ == 0) {
        jz_circle_add(&topic->present, &attendee->present);
        topic->part->member_count++;
        if (topic->count++ == 0)
            topic->part->topic_count++;
    }
    if (!jz_profile_equals(attendee->profile, profile)) {
        /* Back to what was told: then that is kept once, and there is nothing to tell. */
        bool is_as_told = attendee->told != NULL && jz_profile_equals(attendee->told, profile);
        replace(attendee, jz_profile_retain(is_as_told ? attendee->told : profile), retain_told(attendee));
    }
    jz_attendee_review(attendee);
}

void jz_attendee_go(jz_attendee *attendee)
{
    jz_presence_topic *topic = attendee->topic;
    if (--attendee->seats == 0) {
        jz_circle_remove(&attendee->present);
        topic->part->member_count--;
        if (--topic->count == 0)
            topic->part->topic_count--;
    }
    jz_attendee_review(attendee);
}

static void remove_attendee(jz_attendee *attendee)
{
    jz_presence_part *part = attendee->topic->part;
    if (attendee->told != NULL)
        attendee->topic->told_count--;
    jz_hash_table_remove(&part->attendees, &attendee->entry);
    subtract_amount(part, jz_attendee_cost(attendee->profile) + told_cost(attendee));
    free_attendee(&attendee->entry);
}

static void set_changed(jz_attendee *attendee, bool is_changed)
{
    jz_presence_topic *topic = attendee->topic;
    if (attendee->is_changed == is_changed)
        return;
    attendee->is_changed = is_changed;
    if (is_changed) {
        jz_circle_add(&topic->changed, &attendee->changed);
        topic->changed_count++;
        jz_presence_topic_list(topic);
    } else {
        jz_circle_remove(&attendee->changed);
        topic->changed_count--;
    }
}

void jz_attendee_review(jz_attendee *attendee)
{
    bool has_left = attendee->seats == 0;
    bool is_as_told = has_left ? attendee->told == NULL
                               : attendee->told != NULL && jz_profile_equals(attendee->told, attendee->profile);
    set_changed(attendee, jz_presence_topic_is_watched(attendee->topic) && !is_as_told);
    if (has_left && !attendee->is_changed)
        remove_attendee(attendee);
}

void jz_attendee_note_told(jz_attendee *attendee)
{
    set_changed(attendee, false);
    if (attendee->seats == 0)
        remove_attendee(attendee);
    else if (attendee->told != attendee->profile)
        replace(attendee, jz_profile_retain(attendee->profile), jz_profile_retain(attendee->profile));
}
