/*
 * The data of presence (pubsub/presence.h): topics with their members, and who is told of them, in parts by the hash of
 * the topic. All functions but the constructor's are called with the part's lock held.
 *
 * A member is *changed* if what was told of it is not how it is: it has come, has another info, or has left; what has
 * left without being told is gone at once. That is looked at after each change of a member (jz_attendee_review), so
 * that what cancels out is nothing to tell. Topics that nobody watches have no changed members.
 */
#ifndef JAZZY_PUBSUB_PRESENCE_PARTS_H
#define JAZZY_PUBSUB_PRESENCE_PARTS_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "codec/text.h"
#include "pubsub/company_message.h"
#include "pubsub/hash_table.h"
#include "pubsub/profile.h"

enum { JZ_PRESENCE_PARTS = 16 };

/* A place in a circular list; a list's head points to itself if it is empty. */
typedef struct jz_circle {
    struct jz_circle *next;
    struct jz_circle *previous;
} jz_circle;

static inline void jz_circle_init(jz_circle *chain)
{
    chain->next = chain->previous = chain;
}

static inline bool jz_circle_is_empty(const jz_circle *head)
{
    return head->next == head;
}

/* Adds at the end of the list. */
static inline void jz_circle_add(jz_circle *head, jz_circle *place)
{
    place->next = head;
    place->previous = head->previous;
    head->previous->next = place;
    head->previous = place;
}

/* A second call does nothing. */
static inline void jz_circle_remove(jz_circle *place)
{
    place->next->previous = place->previous;
    place->previous->next = place->next;
    jz_circle_init(place);
}

/* Who watches a topic, or a prefix. */
typedef struct jz_watch {
    struct jz_watch *next; /* of the same topic */
    jz_circle place;       /* among all; guarded by the lock of watches */
    _Atomic uint32_t references;
    _Atomic bool is_over;
    bool is_fresh; /* of a topic: it was told nothing yet, and is to be told who is there */
    int bit;       /* of a prefix: its number; -1: of a topic */
    uint64_t number;
    void (*changed)(void *context, const jz_presence_change *change);
    void (*released)(void *context);
    void *context;
    size_t length;
    char name[];
} jz_watch;

typedef struct jz_presence_part jz_presence_part;
typedef struct jz_attendee_abroad jz_attendee_abroad; /* pubsub/presence_guests.h, as is: */
typedef struct jz_company_room jz_company_room;

typedef struct jz_presence_topic {
    jz_hash_entry entry; /* first, so that a pointer to it points to its topic */
    jz_presence_part *part;
    jz_circle present; /* its members, oldest first */
    size_t count;
    jz_circle changed;
    size_t changed_count;
    size_t told_count; /* of its attendees, those of whom something was told: as many are there for who watches */
    jz_watch *watches;
    uint64_t prefixes; /* those watched prefixes that it begins with, by their bit, */
    uint64_t fresh;    /* and of them those that are to be told who is there */
    bool is_listed;    /* in the part's list of changed topics */
    struct jz_presence_topic *next_listed;
    jz_company_room *room; /* what other servers are told of it; NULL unless the part is joined */
    size_t name_length;
    char name[];
} jz_presence_topic;

/* A member of a topic, until it has left and that was told. */
typedef struct jz_attendee {
    jz_hash_entry entry; /* first, as above */
    jz_circle present;
    jz_circle changed;
    jz_presence_topic *topic;
    jz_profile *profile;
    jz_profile *told;           /* NULL: nothing was told */
    jz_attendee_abroad *abroad; /* the same on other servers; NULL unless the part is joined */
    uint32_t seats;             /* connections here */
    bool is_changed;
} jz_attendee;

struct jz_presence_part {
    pthread_mutex_t lock;
    _Atomic size_t *amount; /* bytes of all parts */
    jz_hash_table topics;
    jz_hash_table attendees;
    jz_presence_topic *listed; /* with changes to tell, or perhaps to be removed; the oldest first */
    jz_presence_topic **listed_end;
    size_t listed_count;
    uint64_t topic_count; /* that have members */
    uint64_t member_count;
    const jz_server_id
        *self;              /* unless NULL there are other servers: the part is joined. Set before there are members */
    jz_company_room *noted; /* what the company (pubsub/presence_company.h) has to look at */
};

static inline jz_attendee *jz_attendee_of_present(jz_circle *place)
{
    return (jz_attendee *)((char *)place - offsetof(jz_attendee, present));
}

static inline jz_attendee *jz_attendee_of_changed(jz_circle *place)
{
    return (jz_attendee *)((char *)place - offsetof(jz_attendee, changed));
}

static inline jz_text jz_presence_topic_name(const jz_presence_topic *topic)
{
    return (jz_text){topic->name, topic->name_length};
}

static inline bool jz_presence_topic_is_watched(const jz_presence_topic *topic)
{
    return topic->watches != NULL || topic->prefixes != 0;
}

/* Whether it is a member, here or elsewhere; else it has left, and that is still to be told. */
bool jz_attendee_is_there(const jz_attendee *attendee);

void jz_presence_part_init(jz_presence_part *part, _Atomic size_t *amount);

/* Nobody is a member or watches any more. */
void jz_presence_part_destroy(jz_presence_part *part);

jz_presence_topic *jz_presence_part_find(const jz_presence_part *part, jz_text name, uint64_t hash);

/* A topic that there was not. NULL when there is no memory. */
jz_presence_topic *jz_presence_part_add(jz_presence_part *part, jz_text name, uint64_t hash);

/* Removes it if it has neither members nor watches, and nothing is to be told. */
void jz_presence_topic_forget_if_empty(jz_presence_topic *topic);

/* Lists it, if it is not. */
void jz_presence_topic_list(jz_presence_topic *topic);

/* Takes the oldest that is listed; NULL: there is none. */
jz_presence_topic *jz_presence_part_take_listed(jz_presence_part *part);

/* What a member's key is found by. */
uint64_t jz_attendee_hash(const jz_presence_topic *topic, const jz_siphash_key *key, jz_text text);
jz_attendee *jz_attendee_find(const jz_presence_topic *topic, jz_text key, uint64_t hash);

/* Adds one that is not there yet, and retains the profile. NULL when there is no memory. */
jz_attendee *jz_attendee_add(jz_presence_topic *topic, jz_profile *profile, uint64_t hash);

/* It has got another connection, with this profile, which is retained; or lost one. */
void jz_attendee_come(jz_attendee *attendee, jz_profile *profile);
void jz_attendee_go(jz_attendee *attendee);

/* It has changed, or whether its topic is watched: lists it if there is something to tell of it; frees it if gone. */
void jz_attendee_review(jz_attendee *attendee);

/* What it is now was told. Frees it if it has left. */
void jz_attendee_note_told(jz_attendee *attendee);

/*
 * A change of what is known of it on any server: what lies between the two is settled by the second, which may free it.
 * `newest`: the profile that counts now; NULL: as before.
 */
typedef struct jz_attendee_change {
    size_t cost;
    bool was_there;
} jz_attendee_change;

jz_attendee_change jz_attendee_begin(const jz_attendee *attendee);
void jz_attendee_settle(jz_attendee *attendee, jz_attendee_change begun, jz_profile *newest);

/* Frees it if it has left and nobody is to be told of that. */
void jz_attendee_forget_if_gone(jz_attendee *attendee);

/* What these take, about, and with what the allocator takes. */
size_t jz_presence_topic_cost(const jz_presence_part *part, size_t name_length);
size_t jz_attendee_cost(const jz_presence_part *part, const jz_profile *profile);

#endif
