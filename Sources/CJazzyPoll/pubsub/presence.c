#include "pubsub/presence.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "jazzy/compiler.h"
#include "loop/count.h"
#include "loop/report.h"
#include "platform/random.h"
#include "pubsub/presence_guests.h"
#include "pubsub/presence_state.h"
#include "pubsub/seats.h"

enum {
    MADE_KEY_LENGTH = 32,
    MOST_TOLD = 4096 /* taking out more would hold up loops where members come and go for over a millisecond */
};

jz_presence *jz_presence_create(const jz_options *options)
{
    jz_presence *presence = calloc(1, sizeof *presence);
    if (presence == NULL)
        return NULL;
    presence->limit = options->presence_limit;
    presence->max_members = options->max_members;
    presence->max_info = options->max_member_info;
    presence->most_told = MOST_TOLD;
    presence->key = (jz_siphash_key){{jz_random(), jz_random()}};
    pthread_mutex_init(&presence->watch_lock, NULL);
    jz_circle_init(&presence->watches);
    for (size_t i = 0; i < JZ_PRESENCE_PARTS; i++)
        jz_presence_part_init(&presence->parts[i], &presence->amount);
    return presence;
}

void jz_presence_destroy(jz_presence *presence)
{
    if (presence == NULL)
        return;
    for (size_t i = 0; i < JZ_PRESENCE_PARTS; i++)
        jz_presence_part_destroy(&presence->parts[i]);
    while (!jz_circle_is_empty(&presence->watches)) {
        jz_watch *watch = (jz_watch *)((char *)presence->watches.next - offsetof(jz_watch, place));
        jz_circle_remove(&watch->place);
        jz_watch_release(watch);
    }
    pthread_mutex_destroy(&presence->watch_lock);
    free(presence);
}

void jz_presence_set_bell(jz_presence *presence, void (*ring)(void *context), void *context)
{
    presence->tells.ring = ring;
    presence->tells.context = context;
}

static void ring(jz_presence_bell *bell)
{
    if (bell->ring != NULL && !atomic_load(&bell->has_rung) && !atomic_exchange(&bell->has_rung, true))
        bell->ring(bell->context);
}

void jz_presence_ring(jz_presence *presence, const jz_presence_part *part)
{
    if (part->listed != NULL)
        ring(&presence->tells);
    if (part->noted != NULL)
        ring(&presence->announces);
}

jz_presence_topic *jz_presence_reach(jz_presence *presence, jz_text name, uint64_t hash)
{
    jz_presence_part *part = jz_presence_part_of(presence, hash);
    jz_presence_topic *topic = jz_presence_part_find(part, name, hash);
    if (topic != NULL)
        return topic;
    topic = jz_presence_part_add(part, name, hash);
    if (topic != NULL)
        topic->prefixes = jz_presence_prefixes_of(presence, name);
    return topic;
}

/*
 * The key of a member that was given none: nobody can guess it, and no other has it, on no other server either, since
 * each makes them with a number of 128 bits of its own.
 */
static void make_key(jz_presence *presence, char key[MADE_KEY_LENGTH + 1])
{
    uint64_t number[2] = {atomic_fetch_add_explicit(&presence->made_keys, 1, memory_order_relaxed), 0};
    uint64_t first = jz_siphash(&presence->key, number, sizeof number);
    number[1] = 1;
    snprintf(key, MADE_KEY_LENGTH + 1, "%016" PRIx64 "%016" PRIx64, first,
             jz_siphash(&presence->key, number, sizeof number));
}

static jz_profile *make_profile(jz_presence *presence, const jz_member *member)
{
    char made[MADE_KEY_LENGTH + 1];
    jz_text key = {member->key, member->key_length};
    if (key.length == 0) {
        make_key(presence, made);
        key = (jz_text){made, MADE_KEY_LENGTH};
    }
    return jz_profile_create(key, member->info, member->info_length);
}

static jz_status check(const jz_presence *presence, const jz_member *member, jz_error *error)
{
    if (member->key_length > JZ_MAX_MEMBER_KEY)
        return jz_report(error, JZ_STATUS_INVALID_OPTION, "the key of a member has %zu bytes; it may have up to %d",
                         member->key_length, JZ_MAX_MEMBER_KEY);
    if (member->info_length > presence->max_info)
        return jz_report(error, JZ_STATUS_INVALID_OPTION,
                         "the info of a member has %zu bytes, and option max_member_info is %zu; tell less of it, or "
                         "raise the option",
                         member->info_length, presence->max_info);
    return JZ_OK;
}

/* What may come in addition to all that is there. */
static jz_status check_room(const jz_presence *presence, jz_text name, const jz_profile *profile, jz_error *error)
{
    const jz_presence_part *part = &presence->parts[0]; /* they are alike */
    size_t most = jz_presence_topic_cost(part, name.length) + jz_attendee_cost(part, profile) + JZ_SEAT_COST;
    if (atomic_load_explicit(&presence->amount, memory_order_relaxed) + most <= presence->limit)
        return JZ_OK;
    return jz_report(error, JZ_STATUS_LIMIT_REACHED,
                     "the members of all topics take %zu bytes, as many as option presence_limit allows; raise it, or "
                     "tell less of each",
                     presence->limit);
}

/* How much of a topic's name an error shows. */
static int shown(size_t length)
{
    return length < 60 ? (int)length : 60;
}

/* Whether a topic may have one member more. */
static bool may_come(const jz_presence *presence, const jz_presence_topic *topic, jz_error *error)
{
    if (presence->max_members == JZ_UNLIMITED || topic->count < presence->max_members)
        return true;
    jz_report(error, JZ_STATUS_LIMIT_REACHED,
              "topic \"%.*s\" has %zu members, as many as option max_members allows; raise it, or divide the topic",
              shown(topic->name_length), topic->name, topic->count);
    return false;
}

/* Call it with the part's lock held. */
static jz_attendee *take_seat(jz_presence *presence, jz_presence_topic *topic, jz_profile *profile, jz_error *error)
{
    jz_text key = jz_profile_key(profile);
    uint64_t hash = jz_attendee_hash(topic, &presence->key, key);
    jz_attendee *attendee = jz_attendee_find(topic, key, hash);
    if ((attendee == NULL || !jz_attendee_is_there(attendee)) && !may_come(presence, topic, error))
        return NULL;
    if (attendee == NULL)
        attendee = jz_attendee_add(topic, profile, hash);
    if (attendee == NULL)
        jz_report_system(error, ENOMEM, "become a member");
    else
        jz_attendee_come(attendee, profile);
    return attendee;
}

static jz_attendee *enter(jz_presence *presence, jz_text name, jz_profile *profile, jz_error *error)
{
    uint64_t hash = jz_presence_hash(presence, name);
    jz_presence_part *part = jz_presence_part_of(presence, hash);
    pthread_mutex_lock(&part->lock);
    jz_presence_topic *topic = jz_presence_reach(presence, name, hash);
    jz_attendee *attendee = topic != NULL ? take_seat(presence, topic, profile, error) : NULL;
    if (topic == NULL)
        jz_report_system(error, ENOMEM, "become a member");
    else if (attendee == NULL)
        jz_presence_topic_forget_if_empty(topic);
    else
        atomic_fetch_add_explicit(&presence->amount, JZ_SEAT_COST, memory_order_relaxed);
    jz_presence_ring(presence, part);
    pthread_mutex_unlock(&part->lock);
    return attendee;
}

jz_attendee *jz_presence_enter(jz_presence *presence, jz_text topic, const jz_member *member, jz_error *error)
{
    if (check(presence, member, error) != JZ_OK)
        return NULL;
    jz_profile *profile = make_profile(presence, member);
    if (profile == NULL) {
        jz_report_system(error, ENOMEM, "become a member");
        return NULL;
    }
    jz_attendee *attendee = NULL;
    if (check_room(presence, topic, profile, error) == JZ_OK)
        attendee = enter(presence, topic, profile, error);
    jz_profile_release(profile);
    return attendee;
}

void jz_presence_leave(jz_presence *presence, jz_attendee *attendee)
{
    jz_presence_topic *topic = attendee->topic;
    jz_presence_part *part = topic->part;
    pthread_mutex_lock(&part->lock);
    jz_attendee_go(attendee);
    jz_presence_topic_forget_if_empty(topic);
    atomic_fetch_sub_explicit(&presence->amount, JZ_SEAT_COST, memory_order_relaxed);
    jz_presence_ring(presence, part);
    pthread_mutex_unlock(&part->lock);
}

jz_presence_topic *jz_presence_want(jz_presence *presence, jz_text name, uint64_t hash)
{
    jz_presence_part *part = jz_presence_part_of(presence, hash);
    jz_presence_topic *topic = jz_presence_part_find(part, name, hash);
    if (JZ_LIKELY(!atomic_load_explicit(&presence->has_company, memory_order_relaxed)))
        return topic;
    size_t amount = atomic_load_explicit(&presence->amount, memory_order_relaxed);
    bool has_room = amount + jz_presence_topic_cost(part, name.length) <= jz_presence_limit_abroad(presence);
    if (topic == NULL && has_room)
        topic = jz_presence_reach(presence, name, hash);
    if (topic == NULL) {
        atomic_fetch_add_explicit(&presence->not_kept, 1, memory_order_relaxed);
        return NULL;
    }
    topic->room->was_asked = true;
    if (!topic->room->is_open)
        jz_company_room_note(topic->room);
    jz_presence_ring(presence, part);
    return topic;
}

size_t jz_presence_count_members(jz_presence *presence, jz_text name)
{
    uint64_t hash = jz_presence_hash(presence, name);
    jz_presence_part *part = jz_presence_part_of(presence, hash);
    pthread_mutex_lock(&part->lock);
    const jz_presence_topic *topic = jz_presence_want(presence, name, hash);
    size_t count = topic != NULL ? topic->count : 0;
    pthread_mutex_unlock(&part->lock);
    return count;
}

jz_roll *jz_presence_roll(jz_presence *presence, jz_text name)
{
    uint64_t hash = jz_presence_hash(presence, name);
    jz_presence_part *part = jz_presence_part_of(presence, hash);
    pthread_mutex_lock(&part->lock);
    jz_presence_topic *topic = jz_presence_want(presence, name, hash);
    size_t count = topic != NULL ? topic->count : 0;
    jz_roll *roll = malloc(sizeof *roll + count * sizeof roll->profiles[0]);
    if (roll != NULL)
        roll->count = 0;
    for (jz_circle *place = count > 0 ? topic->present.next : NULL; roll != NULL && roll->count < count;
         place = place->next)
        roll->profiles[roll->count++] = jz_profile_retain(jz_attendee_of_present(place)->profile);
    pthread_mutex_unlock(&part->lock);
    return roll;
}

void jz_roll_free(jz_roll *roll)
{
    for (size_t i = 0; roll != NULL && i < roll->count; i++)
        jz_profile_release(roll->profiles[i]);
    free(roll);
}

jz_presence_statistics jz_presence_statistics_of(jz_presence *presence)
{
    jz_presence_statistics all = {.bytes = atomic_load_explicit(&presence->amount, memory_order_relaxed),
                                  .servers = jz_counted(&presence->servers),
                                  .members_elsewhere = jz_counted(&presence->guests),
                                  .not_kept = jz_counted(&presence->not_kept),
                                  .malformed = jz_counted(&presence->malformed)};
    for (size_t i = 0; i < JZ_PRESENCE_PARTS; i++) {
        jz_presence_part *part = &presence->parts[i];
        pthread_mutex_lock(&part->lock);
        all.topics += part->topic_count;
        all.members += part->member_count;
        pthread_mutex_unlock(&part->lock);
    }
    return all;
}
