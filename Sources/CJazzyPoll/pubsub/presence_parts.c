#include "pubsub/presence_parts.h"

#include <stdlib.h>
#include <string.h>

#include "pubsub/presence_guests.h"

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
    jz_presence_topic *topic = (jz_presence_topic *)entry;
    free(topic->room);
    free(topic);
}

/* Those of whom it was not told any more that they have left. */
static void free_attendee(jz_hash_entry *entry)
{
    jz_attendee *attendee = (jz_attendee *)entry;
    jz_profile_release(attendee->told);
    jz_profile_release(attendee->profile);
    if (attendee->abroad != NULL)
        jz_abroad_clear(attendee->abroad);
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

size_t jz_presence_topic_cost(const jz_presence_part *part, size_t name_length)
{
    return sizeof(jz_presence_topic) + name_length + OVERHEAD + sizeof(jz_hash_entry *) +
           (part->self != NULL ? sizeof(jz_company_room) + OVERHEAD : 0);
}

/* Without its profiles. */
static size_t bare_cost(const jz_presence_part *part)
{
    return sizeof(jz_attendee) + OVERHEAD + sizeof(jz_hash_entry *) +
           (part->self != NULL ? sizeof(jz_attendee_abroad) : 0);
}

size_t jz_attendee_cost(const jz_presence_part *part, const jz_profile *profile)
{
    return bare_cost(part) + profile_cost(profile);
}

/* What a profile costs that is not the one which counts. */
static size_t other_cost(const jz_attendee *attendee, const jz_profile *profile)
{
    return profile != NULL && profile != attendee->profile ? profile_cost(profile) : 0;
}

static size_t total_cost(const jz_attendee *attendee)
{
    size_t cost = jz_attendee_cost(attendee->topic->part, attendee->profile) + other_cost(attendee, attendee->told);
    if (attendee->abroad == NULL)
        return cost;
    cost += other_cost(attendee, attendee->abroad->own);
    for (const jz_guest *guest = attendee->abroad->guests; guest != NULL; guest = guest->next)
        cost += sizeof *guest + OVERHEAD + other_cost(attendee, guest->profile);
    return cost;
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
    if (part->self != NULL)
        topic->room = jz_company_room_create(topic);
    if ((part->self != NULL && topic->room == NULL) || !jz_hash_table_add(&part->topics, &topic->entry)) {
        free_topic(&topic->entry);
        return NULL;
    }
    add_amount(part, jz_presence_topic_cost(part, name.length));
    return topic;
}

void jz_presence_topic_forget_if_empty(jz_presence_topic *topic)
{
    jz_presence_part *part = topic->part;
    /* Who watches a prefix needs nothing of a topic without members. */
    if (topic->count > 0 || topic->changed_count > 0 || topic->watches != NULL || topic->is_listed)
        return;
    if (topic->room != NULL && jz_company_room_is_needed(topic->room))
        return;
    jz_hash_table_remove(&part->topics, &topic->entry);
    subtract_amount(part, jz_presence_topic_cost(part, topic->name_length));
    free_topic(&topic->entry);
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
    jz_presence_part *part = topic->part;
    jz_attendee *attendee = malloc(sizeof *attendee + (part->self != NULL ? sizeof(jz_attendee_abroad) : 0));
    if (attendee == NULL)
        return NULL;
    *attendee = (jz_attendee){.entry = {.hash = hash}, .topic = topic, .profile = profile};
    jz_circle_init(&attendee->present);
    jz_circle_init(&attendee->changed);
    if (part->self != NULL) {
        attendee->abroad = (jz_attendee_abroad *)(void *)(attendee + 1);
        jz_abroad_init(attendee->abroad);
    }
    if (!jz_hash_table_add(&part->attendees, &attendee->entry)) {
        free(attendee);
        return NULL;
    }
    jz_profile_retain(profile);
    add_amount(part, total_cost(attendee));
    return attendee;
}

bool jz_attendee_is_there(const jz_attendee *attendee)
{
    return attendee->seats > 0 || (attendee->abroad != NULL && attendee->abroad->guests != NULL);
}

/* Neither of the new ones is the attendee's already, but for a reference of its own. `told` may be NULL. */
static void replace(jz_attendee *attendee, jz_profile *profile, jz_profile *told)
{
    if (attendee->told == NULL && told != NULL)
        attendee->topic->told_count++;
    jz_profile_release(attendee->profile);
    jz_profile_release(attendee->told);
    attendee->profile = profile;
    attendee->told = told;
}

static jz_profile *retain_told(const jz_attendee *attendee)
{
    return attendee->told != NULL ? jz_profile_retain(attendee->told) : NULL;
}

static void take_profile(jz_attendee *attendee, jz_profile *profile)
{
    if (jz_profile_equals(attendee->profile, profile))
        return;
    /* Back to what was told: then that is kept once, and there is nothing to tell. */
    bool is_as_told = attendee->told != NULL && jz_profile_equals(attendee->told, profile);
    replace(attendee, jz_profile_retain(is_as_told ? attendee->told : profile), retain_told(attendee));
}

static void set_present(jz_attendee *attendee, bool is_there)
{
    jz_presence_topic *topic = attendee->topic;
    if (is_there) {
        jz_circle_add(&topic->present, &attendee->present);
        topic->part->member_count++;
        if (topic->count++ == 0)
            topic->part->topic_count++;
    } else {
        jz_circle_remove(&attendee->present);
        topic->part->member_count--;
        if (--topic->count == 0)
            topic->part->topic_count--;
    }
}

jz_attendee_change jz_attendee_begin(const jz_attendee *attendee)
{
    return (jz_attendee_change){.cost = total_cost(attendee), .was_there = jz_attendee_is_there(attendee)};
}

static void settle_cost(const jz_attendee *attendee, size_t before)
{
    add_amount(attendee->topic->part, total_cost(attendee));
    subtract_amount(attendee->topic->part, before);
}

void jz_attendee_settle(jz_attendee *attendee, jz_attendee_change begun, jz_profile *newest)
{
    bool is_there = jz_attendee_is_there(attendee);
    if (is_there != begun.was_there)
        set_present(attendee, is_there);
    if (newest != NULL)
        take_profile(attendee, newest);
    settle_cost(attendee, begun.cost);
    jz_attendee_review(attendee);
}

void jz_attendee_come(jz_attendee *attendee, jz_profile *profile)
{
    jz_attendee_change change = jz_attendee_begin(attendee);
    attendee->seats++;
    if (attendee->abroad != NULL)
        profile = jz_attendee_take_own(attendee, profile);
    jz_attendee_settle(attendee, change, profile);
}

void jz_attendee_go(jz_attendee *attendee)
{
    jz_attendee_change change = jz_attendee_begin(attendee);
    jz_profile *newest = NULL;
    if (--attendee->seats == 0 && attendee->abroad != NULL)
        newest = jz_attendee_drop_own(attendee);
    jz_attendee_settle(attendee, change, newest);
}

static void remove_attendee(jz_attendee *attendee)
{
    jz_presence_part *part = attendee->topic->part;
    if (attendee->told != NULL)
        attendee->topic->told_count--;
    jz_hash_table_remove(&part->attendees, &attendee->entry);
    subtract_amount(part, total_cost(attendee));
    free_attendee(&attendee->entry);
}

void jz_attendee_forget_if_gone(jz_attendee *attendee)
{
    bool is_unannounced = attendee->abroad != NULL && attendee->abroad->is_unannounced;
    if (!jz_attendee_is_there(attendee) && !attendee->is_changed && !is_unannounced)
        remove_attendee(attendee);
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
    bool has_left = !jz_attendee_is_there(attendee);
    bool is_as_told = has_left ? attendee->told == NULL
                               : attendee->told != NULL && jz_profile_equals(attendee->told, attendee->profile);
    set_changed(attendee, jz_presence_topic_is_watched(attendee->topic) && !is_as_told);
    jz_attendee_forget_if_gone(attendee);
}

/* What has left, and stays because other servers are to be told of that, was told all the same. */
static void forget_told(jz_attendee *attendee)
{
    size_t before = total_cost(attendee);
    if (attendee->told != NULL)
        attendee->topic->told_count--;
    jz_profile_release(attendee->told);
    attendee->told = NULL;
    settle_cost(attendee, before);
}

void jz_attendee_note_told(jz_attendee *attendee)
{
    set_changed(attendee, false);
    if (!jz_attendee_is_there(attendee)) {
        forget_told(attendee);
        jz_attendee_forget_if_gone(attendee);
    } else if (attendee->told != attendee->profile) {
        size_t before = total_cost(attendee);
        replace(attendee, jz_profile_retain(attendee->profile), jz_profile_retain(attendee->profile));
        settle_cost(attendee, before);
    }
}
