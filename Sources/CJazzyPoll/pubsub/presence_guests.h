/*
 * Members of topics on several servers (pubsub/presence.h): what this server knows of those on others, its *guests*,
 * and what it has not told them of its own yet. Only where a broker joins servers. Each function is called with the
 * lock of the topic's part held.
 *
 * A member with guests of its key is the same member: it is there as long as any server has it. Each server gives what
 * it says of a member a stamp: the time in milliseconds since 1970 or, if that is not higher than all stamps that it
 * knows of the same member, one more than the highest of those (S. Kulkarni et al., "Logical physical clocks", 2014).
 * The highest one counts, and of two alike that of the server with the higher number. So all servers choose the same;
 * and it is what was given last, whatever the clocks say where its server knew of the others, and otherwise as far as
 * the clocks agree.
 */
#ifndef JAZZY_PUBSUB_PRESENCE_GUESTS_H
#define JAZZY_PUBSUB_PRESENCE_GUESTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pubsub/company_message.h"
#include "pubsub/presence_parts.h"

struct jz_companion;

/* What is known of one other server's members of a topic. Of the company's thread (pubsub/presence_company.h). */
typedef struct jz_standing {
    jz_circle of_room;
    jz_circle of_companion;
    jz_company_room *room;
    const jz_server_id *server; /* its companion's */
    struct jz_companion *companion;
    jz_circle guests;
    uint64_t number;   /* the change up to which they are known */
    uint64_t asked_ms; /* when it was asked last; 0: not since it was known */
    uint32_t mark;     /* of those guests that are in the snapshot which is being taken */
    uint32_t next_piece;
    uint64_t snapshot; /* the number of that, */
    bool is_taking;    /* if there is one */
    bool is_known;
    bool is_partial; /* there was no room for some: it is asked again after a while */
} jz_standing;

/* A member on another server. */
typedef struct jz_guest {
    struct jz_guest *next; /* of the same key */
    jz_circle place;       /* in its standing */
    jz_standing *standing;
    jz_attendee *attendee;
    jz_profile *profile;
    uint64_t stamp;
    uint32_t mark;
} jz_guest;

/* What an attendee has if there are other servers. */
struct jz_attendee_abroad {
    jz_profile *own; /* what the connections here say; NULL: there are none */
    uint64_t stamp;
    jz_guest *guests;
    jz_circle unannounced; /* in its room's list */
    bool is_unannounced;   /* the others do not know yet how it is here */
    bool is_announced;     /* they know that it is here */
};

/* What a topic has if there are other servers. */
struct jz_company_room {
    jz_presence_topic *topic;
    jz_company_room *next_noted; /* in its part's list */
    bool is_noted;
    bool is_open;   /* the company has it: then it stays */
    bool was_asked; /* somebody has asked for its members lately */
    size_t own_count;
    jz_circle unannounced; /* attendees */
    size_t unannounced_count;

    /* The company's thread only, as is: */
    jz_circle place;      /* among all that are open */
    jz_circle busy;       /* among those where something is to be sent */
    jz_circle standings;  /* of the other servers that have, or had, members */
    uint64_t wanted_ms;   /* when it was of interest last */
    uint64_t number;      /* of the last change that was told */
    uint32_t announced;   /* members here that the others know of */
    bool is_to_subscribe; /* the broker could not be told of it yet */
    bool owes_hello;
    bool is_to_verify; /* a second time, because the first may have been too early for the broker */
    bool owes_snapshot;
    jz_company_asks asks; /* what the hello asks of the others */
    uint64_t next_snapshot_ms;
    struct jz_outgoing_snapshot *snapshot; /* that is being sent */
};

jz_company_room *jz_company_room_create(jz_presence_topic *topic);

/* Whether the topic has to stay for it. */
static inline bool jz_company_room_is_needed(const jz_company_room *room)
{
    return room->is_open || room->is_noted;
}

/* Whether this server is interested in who is a member elsewhere. */
static inline bool jz_company_room_is_wanted(const jz_company_room *room)
{
    return room->own_count > 0 || room->unannounced_count > 0 || room->topic->watches != NULL || room->was_asked;
}

/* Has the company look at it. */
void jz_company_room_note(jz_company_room *room);

void jz_abroad_init(jz_attendee_abroad *abroad);

/* Releases what it has. */
void jz_abroad_clear(jz_attendee_abroad *abroad);

/*
 * A connection here has come with this profile; the last one has gone. They return the profile that counts now, which
 * is borrowed; NULL: none. Between jz_attendee_begin and jz_attendee_settle.
 */
jz_profile *jz_attendee_take_own(jz_attendee *attendee, jz_profile *profile);
jz_profile *jz_attendee_drop_own(jz_attendee *attendee);

/* What the others are to be told of it. False: nothing any more. */
bool jz_attendee_announcement(const jz_attendee *attendee, jz_company_entry *entry);

/* They were told, or are not to be. Frees it if it has left. */
void jz_attendee_note_announced(jz_attendee *attendee);

static inline jz_attendee *jz_attendee_of_unannounced(jz_circle *place)
{
    jz_attendee_abroad *abroad =
        (jz_attendee_abroad *)(void *)((char *)place - offsetof(jz_attendee_abroad, unannounced));
    return (jz_attendee *)(void *)abroad - 1;
}

static inline jz_guest *jz_guest_of_place(jz_circle *place)
{
    return (jz_guest *)(void *)((char *)place - offsetof(jz_guest, place));
}

/* The attendee's guest of a standing; NULL: there is none. */
jz_guest *jz_guest_find(const jz_attendee *attendee, const jz_standing *standing);

/* Adds a guest, which there is none of yet; or changes one. They take the profile. False: no memory, and no change. */
bool jz_guest_add(jz_attendee *attendee, jz_standing *standing, jz_profile *profile, uint64_t stamp);
void jz_guest_change(jz_guest *guest, jz_profile *profile, uint64_t stamp);

/* It has left its server. Frees it, and perhaps its attendee. */
void jz_guest_remove(jz_guest *guest);

/* What one more guest costs at most, in a topic that is there. */
size_t jz_guest_cost(const jz_presence_part *part, const jz_profile *profile);

#endif
