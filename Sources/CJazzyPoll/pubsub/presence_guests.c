#include "pubsub/presence_guests.h"

#include <stdlib.h>
#include <string.h>

#include "loop/timer.h"

enum { OVERHEAD = 16 };

jz_company_room *jz_company_room_create(jz_presence_topic *topic)
{
    jz_company_room *room = calloc(1, sizeof *room);
    if (room == NULL)
        return NULL;
    room->topic = topic;
    jz_circle_init(&room->unannounced);
    jz_circle_init(&room->place);
    jz_circle_init(&room->busy);
    jz_circle_init(&room->standings);
    return room;
}

void jz_company_room_note(jz_company_room *room)
{
    jz_presence_part *part = room->topic->part;
    if (room->is_noted)
        return;
    room->is_noted = true;
    room->next_noted = part->noted;
    part->noted = room;
}

void jz_abroad_init(jz_attendee_abroad *abroad)
{
    *abroad = (jz_attendee_abroad){.own = NULL};
    jz_circle_init(&abroad->unannounced);
}

void jz_abroad_clear(jz_attendee_abroad *abroad)
{
    jz_profile_release(abroad->own);
    while (abroad->guests != NULL) {
        jz_guest *guest = abroad->guests;
        abroad->guests = guest->next;
        jz_circle_remove(&guest->place);
        jz_profile_release(guest->profile);
        free(guest);
    }
}

/* Whether one that a server says with a stamp counts before another. */
static bool counts_before(uint64_t stamp, const jz_server_id *server, uint64_t other_stamp, const jz_server_id *other)
{
    return stamp != other_stamp ? stamp > other_stamp : memcmp(server->bytes, other->bytes, sizeof server->bytes) > 0;
}

/* The guest that counts among all; NULL: there is none. */
static jz_guest *first_guest(const jz_attendee *attendee)
{
    jz_guest *first = attendee->abroad->guests;
    for (jz_guest *guest = first; guest != NULL; guest = guest->next) {
        if (counts_before(guest->stamp, guest->standing->server, first->stamp, first->standing->server))
            first = guest;
    }
    return first;
}

/* Whether what is said here counts; there is something. */
static bool counts_here(const jz_attendee *attendee, const jz_guest *first)
{
    const jz_attendee_abroad *abroad = attendee->abroad;
    return first == NULL ||
           counts_before(abroad->stamp, attendee->topic->part->self, first->stamp, first->standing->server);
}

static jz_profile *newest(const jz_attendee *attendee)
{
    jz_guest *first = first_guest(attendee);
    if (attendee->abroad->own != NULL && counts_here(attendee, first))
        return attendee->abroad->own;
    return first != NULL ? first->profile : NULL;
}

static void set_unannounced(jz_attendee *attendee, bool is_unannounced)
{
    jz_attendee_abroad *abroad = attendee->abroad;
    jz_company_room *room = attendee->topic->room;
    if (abroad->is_unannounced == is_unannounced)
        return;
    abroad->is_unannounced = is_unannounced;
    if (is_unannounced) {
        jz_circle_add(&room->unannounced, &abroad->unannounced);
        room->unannounced_count++;
        jz_company_room_note(room);
    } else {
        jz_circle_remove(&abroad->unannounced);
        room->unannounced_count--;
    }
}

/* Later than both, and not before what the clock says. */
static uint64_t next_stamp(uint64_t own, uint64_t elsewhere)
{
    uint64_t known = own > elsewhere ? own : elsewhere;
    uint64_t now = jz_wall_clock_ms();
    if (now > known)
        return now;
    return known < JZ_LAST_STAMP ? known + 1 : known;
}

jz_profile *jz_attendee_take_own(jz_attendee *attendee, jz_profile *profile)
{
    jz_attendee_abroad *abroad = attendee->abroad;
    const jz_guest *first = first_guest(attendee);
    if (abroad->own != NULL && counts_here(attendee, first) && jz_profile_equals(abroad->own, profile))
        return abroad->own;
    if (abroad->own == NULL)
        attendee->topic->room->own_count++;
    /* Equal ones are kept once. */
    if (jz_profile_equals(attendee->profile, profile))
        profile = attendee->profile;
    jz_profile_retain(profile);
    jz_profile_release(abroad->own);
    abroad->own = profile;
    abroad->stamp = next_stamp(abroad->stamp, first != NULL ? first->stamp : 0);
    set_unannounced(attendee, true);
    return newest(attendee);
}

jz_profile *jz_attendee_drop_own(jz_attendee *attendee)
{
    jz_attendee_abroad *abroad = attendee->abroad;
    jz_profile_release(abroad->own);
    abroad->own = NULL;
    attendee->topic->room->own_count--;
    /* Of what has come and gone nobody has to know. */
    set_unannounced(attendee, abroad->is_announced);
    return newest(attendee);
}

bool jz_attendee_announcement(const jz_attendee *attendee, jz_company_entry *entry)
{
    const jz_attendee_abroad *abroad = attendee->abroad;
    const jz_profile *profile = abroad->own != NULL ? abroad->own : attendee->profile;
    *entry = (jz_company_entry){.is_here = abroad->own != NULL, .stamp = abroad->stamp, .key = jz_profile_key(profile)};
    if (entry->is_here)
        entry->info = (jz_text){profile->bytes + profile->key_length, profile->info_length};
    return abroad->own != NULL || abroad->is_announced;
}

void jz_attendee_note_announced(jz_attendee *attendee)
{
    attendee->abroad->is_announced = attendee->abroad->own != NULL;
    set_unannounced(attendee, false);
    jz_attendee_forget_if_gone(attendee);
}

jz_guest *jz_guest_find(const jz_attendee *attendee, const jz_standing *standing)
{
    jz_guest *guest = attendee->abroad->guests;
    while (guest != NULL && guest->standing != standing)
        guest = guest->next;
    return guest;
}

/* If the attendee has an equal one, that is kept in its place. */
static jz_profile *share(const jz_attendee *attendee, jz_profile *profile)
{
    if (profile == attendee->profile || !jz_profile_equals(profile, attendee->profile))
        return profile;
    jz_profile_release(profile);
    return jz_profile_retain(attendee->profile);
}

bool jz_guest_add(jz_attendee *attendee, jz_standing *standing, jz_profile *profile, uint64_t stamp)
{
    jz_guest *guest = malloc(sizeof *guest);
    if (guest == NULL)
        return false;
    jz_attendee_change change = jz_attendee_begin(attendee);
    *guest = (jz_guest){.next = attendee->abroad->guests,
                        .standing = standing,
                        .attendee = attendee,
                        .profile = share(attendee, profile),
                        .stamp = stamp,
                        .mark = standing->mark};
    attendee->abroad->guests = guest;
    jz_circle_add(&standing->guests, &guest->place);
    jz_attendee_settle(attendee, change, newest(attendee));
    return true;
}

void jz_guest_change(jz_guest *guest, jz_profile *profile, uint64_t stamp)
{
    jz_attendee *attendee = guest->attendee;
    jz_attendee_change change = jz_attendee_begin(attendee);
    profile = share(attendee, profile);
    jz_profile_release(guest->profile);
    guest->profile = profile;
    guest->stamp = stamp;
    jz_attendee_settle(attendee, change, newest(attendee));
}

void jz_guest_remove(jz_guest *guest)
{
    jz_attendee *attendee = guest->attendee;
    jz_attendee_change change = jz_attendee_begin(attendee);
    jz_guest **link = &attendee->abroad->guests;
    while (*link != guest)
        link = &(*link)->next;
    *link = guest->next;
    jz_circle_remove(&guest->place);
    jz_profile_release(guest->profile);
    free(guest);
    jz_attendee_settle(attendee, change, newest(attendee));
}

size_t jz_guest_cost(const jz_presence_part *part, const jz_profile *profile)
{
    return jz_attendee_cost(part, profile) + sizeof(jz_guest) + OVERHEAD;
}
