/*
 * Who is a member of which topic, over all loops of a server (jazzy/presence.h), and what is to be told of it. From any
 * thread, unless it says otherwise.
 *
 * Topics are divided into parts by their hash, each with a lock, as those with history are. Nothing is called with it
 * held but the bell, which only wakes who tells.
 *
 * Telling: the first change after it was told last rings the bell. Whoever hears it waits for a moment and then tells
 * (jz_presence_tell): for each topic with changes, what they are is taken out under the lock, and the watches are
 * called without it.
 */
#ifndef JAZZY_PUBSUB_PRESENCE_H
#define JAZZY_PUBSUB_PRESENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "codec/text.h"
#include "jazzy/options.h"
#include "jazzy/presence.h"
#include "pubsub/presence_parts.h"

typedef struct jz_presence jz_presence;

/* NULL when there is no memory. */
jz_presence *jz_presence_create(const jz_options *options);

/* Releases the watches that are left. NULL does nothing. */
void jz_presence_destroy(jz_presence *presence);

/*
 * A connection becomes a member of a topic: it takes a seat, until jz_presence_leave. NULL: the error says why. Several
 * connections with one key have seats of the same attendee, which is valid until its last seat was left.
 */
jz_attendee *jz_presence_enter(jz_presence *presence, jz_text topic, const jz_member *member, jz_error *error);
void jz_presence_leave(jz_presence *presence, jz_attendee *attendee);

/* The topic of somebody who has a seat, until it is left. */
static inline jz_text jz_attendee_topic(const jz_attendee *attendee)
{
    return jz_presence_topic_name(attendee->topic);
}

size_t jz_presence_count_members(jz_presence *presence, jz_text topic);

/* The members of a topic at one moment. */
typedef struct jz_roll {
    size_t count;
    jz_profile *profiles[]; /* retained */
} jz_roll;

/* NULL when there is no memory. */
jz_roll *jz_presence_roll(jz_presence *presence, jz_text topic);
void jz_roll_free(jz_roll *roll);

/* Adds a watch, which `watch` describes. Returns its number; 0: the error says why. */
uint64_t jz_presence_add_watch(jz_presence *presence, const jz_presence_watch *watch, jz_error *error);

/* Returns whether there was one with this number. */
bool jz_presence_remove_watch(jz_presence *presence, uint64_t number);

bool jz_presence_is_watched(jz_presence *presence);

/*
 * `ring` is called from any thread when there is something to tell, once until the next call of jz_presence_tell. Call
 * it before anybody can be a member.
 */
void jz_presence_set_bell(jz_presence *presence, void (*ring)(void *context), void *context);

/* Tells all changes so far. False: there was no memory for some, which have to be told later. By one thread at a time.
 */
bool jz_presence_tell(jz_presence *presence);

jz_presence_statistics jz_presence_statistics_of(jz_presence *presence);

#endif
