/* Telling watches what has changed. */
#include <stdlib.h>
#include <string.h>

#include "pubsub/presence_state.h"

/* What is to be told of one topic, in one piece of memory: the arrays, and the topic's name behind them. */
typedef struct telling {
    jz_profile **joined;
    jz_profile **left;
    jz_profile **present; /* for those who were told nothing yet */
    jz_watch **watches;
    jz_watch **fresh;
    jz_member *members; /* room for `joined` and `left`, or for `present` */
    size_t joined_count, left_count, present_count, watch_count, fresh_count;
    size_t change_count; /* how many are told */
    size_t member_count;
    jz_text topic;
    void *memory;
} telling;

static size_t count_bits(uint64_t bits)
{
    size_t count = 0;
    for (; bits != 0; bits &= bits - 1)
        count++;
    return count;
}

static size_t count_watches(const jz_presence_topic *topic, bool fresh_ones)
{
    size_t count = count_bits(fresh_ones ? topic->fresh : topic->prefixes & ~topic->fresh);
    for (const jz_watch *watch = topic->watches; watch != NULL; watch = watch->next)
        count += watch->is_fresh == fresh_ones ? 1 : 0;
    return count;
}

/*
 * Takes the memory for what is to be told of a topic. Who was told nothing yet is told who is there in one piece, and
 * with it the others all changes; otherwise changes have their limit. False: there is none.
 */
static bool prepare(telling *telling, const jz_presence *presence, const jz_presence_topic *topic)
{
    size_t watches = count_watches(topic, false);
    size_t fresh = count_watches(topic, true);
    size_t changed = topic->changed_count;
    if (fresh == 0 && changed > presence->most_told)
        changed = presence->most_told;
    size_t present = fresh > 0 ? topic->count : 0;
    size_t members = changed > present ? changed : present;
    *telling = (struct telling){.change_count = changed};
    char *memory = malloc(members * sizeof(jz_member) + (2 * changed + present) * sizeof(jz_profile *) +
                          (watches + fresh) * sizeof(jz_watch *) + topic->name_length + 1);
    if (memory == NULL)
        return false;
    telling->memory = memory;
    telling->members = (jz_member *)(void *)memory;
    telling->joined = (jz_profile **)(void *)(telling->members + members);
    telling->left = telling->joined + changed;
    telling->present = telling->left + changed;
    telling->watches = (jz_watch **)(void *)(telling->present + present);
    telling->fresh = telling->watches + watches;
    char *name = (char *)(telling->fresh + fresh);
    if (topic->name_length > 0)
        memcpy(name, topic->name, topic->name_length);
    telling->topic = (jz_text){name, topic->name_length};
    return true;
}

static void take_watch(telling *telling, jz_watch *watch, bool is_fresh)
{
    jz_watch_retain(watch);
    if (is_fresh)
        telling->fresh[telling->fresh_count++] = watch;
    else
        telling->watches[telling->watch_count++] = watch;
}

static void take_watches(telling *telling, jz_presence *presence, jz_presence_topic *topic)
{
    for (jz_watch *watch = topic->watches; watch != NULL; watch = watch->next) {
        take_watch(telling, watch, watch->is_fresh);
        watch->is_fresh = false;
    }
    if (topic->prefixes == 0)
        return;
    pthread_mutex_lock(&presence->watch_lock);
    for (int i = 0; i < JZ_MAX_WATCHED_PREFIXES; i++) {
        if ((topic->prefixes >> i & 1) != 0)
            take_watch(telling, presence->prefixes[i], (topic->fresh >> i & 1) != 0);
    }
    pthread_mutex_unlock(&presence->watch_lock);
    topic->fresh = 0;
}

/* Takes out what has changed: from here on it was told. */
static void take_changes(telling *telling, jz_presence_topic *topic)
{
    for (size_t i = 0; i < telling->change_count; i++) {
        jz_attendee *attendee = jz_attendee_of_changed(topic->changed.next);
        if (jz_attendee_is_there(attendee))
            telling->joined[telling->joined_count++] = jz_profile_retain(attendee->profile);
        else
            telling->left[telling->left_count++] = jz_profile_retain(attendee->told);
        jz_attendee_note_told(attendee);
    }
}

/* The same of all who are there, if somebody was told nothing yet. */
static void take_present(telling *telling, jz_presence_topic *topic)
{
    if (telling->fresh_count == 0)
        return;
    for (jz_circle *place = topic->present.next; place != &topic->present; place = place->next) {
        jz_attendee *attendee = jz_attendee_of_present(place);
        telling->present[telling->present_count++] = jz_profile_retain(attendee->profile);
        jz_attendee_note_told(attendee);
    }
}

static void call(jz_watch *watch, const jz_presence_change *change)
{
    if (change->joined_count + change->left_count > 0 && !atomic_load(&watch->is_over))
        watch->changed(watch->context, change);
}

static void show(jz_member *members, jz_profile *const *profiles, size_t count)
{
    for (size_t i = 0; i < count; i++)
        members[i] = jz_profile_member(profiles[i]);
}

static void tell(const telling *telling)
{
    jz_presence_change change = {.topic = telling->topic.start,
                                 .topic_length = telling->topic.length,
                                 .joined = telling->members,
                                 .joined_count = telling->joined_count,
                                 .left = telling->members + telling->joined_count,
                                 .left_count = telling->left_count,
                                 .member_count = telling->member_count};
    show(telling->members, telling->joined, telling->joined_count);
    show(telling->members + telling->joined_count, telling->left, telling->left_count);
    for (size_t i = 0; i < telling->watch_count; i++)
        call(telling->watches[i], &change);
    if (telling->fresh_count == 0)
        return;
    show(telling->members, telling->present, telling->present_count);
    change.joined_count = telling->present_count;
    change.left_count = 0;
    for (size_t i = 0; i < telling->fresh_count; i++)
        call(telling->fresh[i], &change);
}

static void release_profiles(jz_profile **profiles, size_t count)
{
    for (size_t i = 0; i < count; i++)
        jz_profile_release(profiles[i]);
}

static void finish(const telling *telling)
{
    release_profiles(telling->joined, telling->joined_count);
    release_profiles(telling->left, telling->left_count);
    release_profiles(telling->present, telling->present_count);
    for (size_t i = 0; i < telling->watch_count; i++)
        jz_watch_release(telling->watches[i]);
    for (size_t i = 0; i < telling->fresh_count; i++)
        jz_watch_release(telling->fresh[i]);
    free(telling->memory);
}

/* Call it with the part's lock held. False: there is no memory. */
static bool take_out(jz_presence *presence, jz_presence_topic *topic, telling *telling)
{
    if (!prepare(telling, presence, topic)) {
        jz_presence_topic_list(topic);
        return false;
    }
    take_watches(telling, presence, topic);
    take_changes(telling, topic);
    take_present(telling, topic);
    telling->member_count = topic->told_count;
    if (topic->changed_count > 0)
        jz_presence_topic_list(topic);
    jz_presence_topic_forget_if_empty(topic);
    return true;
}

/* How many calls it takes to tell all that is listed now. Call it with the part's lock held. */
static size_t count_calls(const jz_presence *presence, const jz_presence_part *part)
{
    size_t count = 0;
    for (const jz_presence_topic *topic = part->listed; topic != NULL; topic = topic->next_listed)
        count += 1 + topic->changed_count / presence->most_told;
    return count;
}

/* Tells of all that is listed now, and not of what is listed meanwhile without end. */
static bool tell_part(jz_presence *presence, jz_presence_part *part)
{
    pthread_mutex_lock(&part->lock);
    size_t count = count_calls(presence, part);
    bool is_done = true;
    for (; count > 0 && part->listed != NULL && is_done; count--) {
        telling telling;
        is_done = take_out(presence, jz_presence_part_take_listed(part), &telling);
        if (!is_done)
            break;
        pthread_mutex_unlock(&part->lock);
        tell(&telling);
        finish(&telling);
        pthread_mutex_lock(&part->lock);
    }
    pthread_mutex_unlock(&part->lock);
    return is_done;
}

bool jz_presence_tell(jz_presence *presence)
{
    bool is_done = true;
    jz_presence_bell_answer(&presence->tells);
    for (size_t i = 0; i < JZ_PRESENCE_PARTS; i++)
        is_done = tell_part(presence, &presence->parts[i]) && is_done;
    return is_done;
}
