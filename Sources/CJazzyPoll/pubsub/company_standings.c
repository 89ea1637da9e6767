/* What a company knows of the members of one other server in a room. */
#define _POSIX_C_SOURCE 200809L

#include <stdlib.h>
#include <time.h>

#include "loop/count.h"
#include "loop/timer.h"
#include "pubsub/company_parts.h"

enum {
    OVERHEAD = 16,
    MOST_HELD_NS = 1000 * 1000, /* a lock that loops take, too; looked at after so many guests, */
    GUESTS_BETWEEN_LOOKS = 16,
    REST_NS = 200 * 1000, /* and so long it is left to others then, who have to wake up for it */
    ASK_AGAIN_MS = 2900,  /* less than between two beats, with which it is tried again */
    PARTIAL_MS = 30000    /* after which what there was no room for is asked for again */
};

static size_t standing_cost(void)
{
    return sizeof(jz_standing) + OVERHEAD;
}

bool jz_company_has_room_for(const jz_company *company, size_t amount)
{
    const jz_presence *presence = company->presence;
    return atomic_load_explicit(&presence->amount, memory_order_relaxed) + amount <= jz_presence_limit_abroad(presence);
}

static jz_standing *find(const jz_company_room *room, const jz_companion *companion)
{
    for (jz_circle *place = room->standings.next; place != &room->standings; place = place->next) {
        if (jz_standing_of_room(place)->companion == companion)
            return jz_standing_of_room(place);
    }
    return NULL;
}

static jz_standing *add(jz_company *company, jz_company_room *room, jz_companion *companion)
{
    jz_presence *presence = company->presence;
    jz_standing *standing = jz_company_has_room_for(company, standing_cost()) ? malloc(sizeof *standing) : NULL;
    if (standing == NULL) {
        jz_company_note_not_kept(company);
        return NULL;
    }
    *standing = (jz_standing){.room = room, .server = &companion->id, .companion = companion};
    jz_circle_init(&standing->guests);
    jz_circle_init(&standing->of_room);
    jz_circle_init(&standing->of_companion);
    jz_circle_add(&room->standings, &standing->of_room);
    jz_circle_add(&companion->standings, &standing->of_companion);
    atomic_fetch_add_explicit(&presence->amount, standing_cost(), memory_order_relaxed);
    return standing;
}

static void remove_guest(jz_company *company, jz_guest *guest)
{
    jz_guest_remove(guest);
    jz_uncount(&company->presence->guests, 1);
}

/* Whether a lock that is held since then has to be let go, after so many guests. */
static bool is_held_too_long(uint32_t count, uint64_t began)
{
    return count % GUESTS_BETWEEN_LOOKS == 0 && jz_clock_ns() - began >= MOST_HELD_NS;
}

static void rest(void)
{
    nanosleep(&(const struct timespec){.tv_nsec = REST_NS}, NULL);
}

/* Removes guests, or those that are unmarked, for as long as the lock may be held. False: there are more. */
static bool remove_some(jz_company *company, jz_standing *standing, bool only_unmarked, jz_circle **next)
{
    jz_presence_part *part = jz_room_part(standing->room);
    uint32_t count = 0;
    pthread_mutex_lock(&part->lock);
    uint64_t began = jz_clock_ns();
    while (*next != &standing->guests && (count++ == 0 || !is_held_too_long(count, began))) {
        jz_guest *guest = jz_guest_of_place(*next);
        *next = (*next)->next;
        if (!only_unmarked || guest->mark != standing->mark)
            remove_guest(company, guest);
    }
    jz_presence_ring(company->presence, part);
    pthread_mutex_unlock(&part->lock);
    return *next == &standing->guests;
}

/* Nobody else adds or removes guests meanwhile: that is the company's own. */
static void remove_guests(jz_company *company, jz_standing *standing, bool only_unmarked)
{
    jz_circle *next = standing->guests.next;
    while (!remove_some(company, standing, only_unmarked, &next))
        rest();
}

void jz_standing_clear(jz_company *company, jz_standing *standing)
{
    remove_guests(company, standing, false);
    standing->is_known = standing->is_taking = standing->is_partial = false;
    standing->asked_ms = 0;
}

void jz_standing_free(jz_company *company, jz_standing *standing)
{
    jz_standing_clear(company, standing);
    jz_circle_remove(&standing->of_room);
    jz_circle_remove(&standing->of_companion);
    atomic_fetch_sub_explicit(&company->presence->amount, standing_cost(), memory_order_relaxed);
    free(standing);
}

void jz_standing_ask(jz_company *company, jz_standing *standing, uint64_t now_ms)
{
    if (standing->asked_ms != 0 && now_ms - standing->asked_ms < ASK_AGAIN_MS)
        return;
    const jz_company_message message = {
        .kind = JZ_COMPANY_ASK, .from = company->presence->self, .asked = standing->companion->id};
    jz_company_write(&company->writer, &message);
    if (jz_company_send(company, standing->room))
        standing->asked_ms = now_ms > 0 ? now_ms : 1;
}

void jz_standings_ask_again(jz_company *company, jz_company_room *room, uint64_t now_ms)
{
    for (jz_circle *place = room->standings.next; place != &room->standings; place = place->next) {
        jz_standing *standing = jz_standing_of_room(place);
        bool is_due = !standing->is_known || (standing->is_partial && now_ms - standing->asked_ms >= PARTIAL_MS);
        if (is_due && !standing->companion->is_away)
            jz_standing_ask(company, standing, now_ms);
    }
}

/* Something was missed. */
static void lose_track(jz_company *company, jz_standing *standing, uint64_t now_ms)
{
    standing->is_known = standing->is_taking = false;
    jz_standing_ask(company, standing, now_ms);
}

/* Everything up to this change is known. */
static void know(jz_standing *standing, uint64_t number)
{
    standing->number = number;
    standing->is_known = true;
    standing->is_taking = false;
    standing->asked_ms = 0;
}

/* Whether the topic may have one member more. */
static bool may_come(const jz_presence *presence, const jz_presence_topic *topic, const jz_attendee *attendee)
{
    return (attendee != NULL && jz_attendee_is_there(attendee)) || presence->max_members == JZ_UNLIMITED ||
           topic->count < presence->max_members;
}

/* Takes the profile if it returns true; else there is no memory. */
static bool add_guest(jz_company *company, jz_standing *standing, jz_attendee *attendee, jz_profile *profile,
                      const jz_company_entry *entry)
{
    jz_presence *presence = company->presence;
    jz_presence_topic *topic = standing->room->topic;
    if (attendee == NULL)
        attendee = jz_attendee_add(topic, profile, jz_attendee_hash(topic, &presence->key, entry->key));
    if (attendee == NULL)
        return false;
    if (!jz_guest_add(attendee, standing, profile, entry->stamp)) {
        jz_attendee_forget_if_gone(attendee);
        return false;
    }
    jz_count(&presence->guests, 1);
    return true;
}

/* A stamp alone does not say so: whoever has left and come again may have the same, if the clock was set back. */
static bool says_the_same(const jz_guest *guest, const jz_company_entry *entry)
{
    const jz_member member = jz_profile_member(guest->profile);
    return guest->stamp == entry->stamp && jz_text_equals((jz_text){member.info, member.info_length}, entry->info);
}

/* False: there is no room, or no memory. Call it with the part's lock held. */
static bool put(jz_company *company, jz_standing *standing, const jz_company_entry *entry)
{
    jz_presence *presence = company->presence;
    jz_presence_topic *topic = standing->room->topic;
    uint64_t hash = jz_attendee_hash(topic, &presence->key, entry->key);
    jz_attendee *attendee = jz_attendee_find(topic, entry->key, hash);
    jz_guest *guest = attendee != NULL ? jz_guest_find(attendee, standing) : NULL;
    if (guest != NULL)
        guest->mark = standing->mark;
    if (guest != NULL && says_the_same(guest, entry))
        return true;
    jz_profile *profile = jz_profile_create(entry->key, entry->info.start, entry->info.length);
    bool is_kept = profile != NULL && jz_company_has_room_for(company, jz_guest_cost(topic->part, profile)) &&
                   (guest != NULL || may_come(presence, topic, attendee));
    if (is_kept && guest != NULL)
        jz_guest_change(guest, profile, entry->stamp);
    else if (is_kept)
        is_kept = add_guest(company, standing, attendee, profile, entry);
    if (!is_kept)
        jz_profile_release(profile);
    return is_kept;
}

/* Call it with the part's lock held. */
static void take_away(jz_company *company, const jz_standing *standing, jz_text key)
{
    jz_presence_topic *topic = standing->room->topic;
    jz_attendee *attendee = jz_attendee_find(topic, key, jz_attendee_hash(topic, &company->presence->key, key));
    jz_guest *guest = attendee != NULL ? jz_guest_find(attendee, standing) : NULL;
    if (guest != NULL)
        remove_guest(company, guest);
}

/* Takes entries off the front, for as long as the lock may be held. */
static void apply_some(jz_company *company, jz_standing *standing, jz_text *entries)
{
    jz_presence_part *part = jz_room_part(standing->room);
    jz_company_entry entry;
    uint32_t count = 0;
    pthread_mutex_lock(&part->lock);
    uint64_t began = jz_clock_ns();
    while (jz_company_entry_take(entries, &entry)) {
        if (!entry.is_here) {
            take_away(company, standing, entry.key);
        } else if (!put(company, standing, &entry)) {
            standing->is_partial = true;
            jz_company_note_not_kept(company);
        }
        if (is_held_too_long(++count, began))
            break;
    }
    jz_presence_ring(company->presence, part);
    pthread_mutex_unlock(&part->lock);
}

/* A message is short, but each of its keys may be at as many servers as there can be, all of which are looked at. */
static void apply(jz_company *company, jz_standing *standing, jz_text entries)
{
    apply_some(company, standing, &entries);
    while (entries.length > 0) {
        rest();
        apply_some(company, standing, &entries);
    }
}

static void take_hello(jz_company *company, jz_standing *standing, const jz_company_message *message, uint64_t now_ms)
{
    bool is_known = standing->is_known && standing->number == message->number;
    bool is_coming = standing->is_taking && standing->snapshot == message->number;
    if (message->count == 0 && !is_known) {
        jz_standing_clear(company, standing);
        know(standing, message->number);
    } else if (!is_known && !is_coming) {
        lose_track(company, standing, now_ms);
    }
}

static void take_changes(jz_company *company, jz_standing *standing, const jz_company_message *message, uint64_t now_ms)
{
    bool is_known = standing->is_known;
    if (is_known && message->number <= standing->number)
        return; /* it came twice */
    bool is_next = is_known && message->number == standing->number + 1;
    if (!is_next && !message->is_first) {
        lose_track(company, standing, now_ms);
        return;
    }
    if (message->is_first)
        jz_standing_clear(company, standing);
    apply(company, standing, message->entries);
    know(standing, message->number);
}

/* The first piece of a snapshot, or the one that comes next. False: others are missing. */
static bool expects(jz_standing *standing, const jz_company_message *message)
{
    if (message->count == 0) {
        standing->is_taking = true;
        standing->is_known = standing->is_partial = false;
        standing->snapshot = message->number;
        standing->next_piece = 0;
        standing->mark++;
    }
    return standing->is_taking && standing->snapshot == message->number && standing->next_piece == message->count;
}

static void take_piece(jz_company *company, jz_standing *standing, const jz_company_message *message, uint64_t now_ms)
{
    if (standing->is_known && !standing->is_partial && standing->number == message->number)
        return; /* another server has asked for it */
    if (!expects(standing, message)) {
        lose_track(company, standing, now_ms);
        return;
    }
    standing->next_piece++;
    standing->asked_ms = now_ms > 0 ? now_ms : 1; /* it comes: not to be asked for again soon */
    apply(company, standing, message->entries);
    if (!message->is_last)
        return;
    remove_guests(company, standing, true);
    know(standing, message->number);
    if (standing->is_partial)
        standing->asked_ms = now_ms > 0 ? now_ms : 1;
}

void jz_standing_take(jz_company *company, jz_company_room *room, const jz_company_message *message, uint64_t now_ms)
{
    jz_companion *companion = jz_companion_find(company, &message->from);
    jz_standing *standing = companion != NULL ? find(room, companion) : NULL;
    /* Of who has nobody nothing has to be remembered. */
    if (standing == NULL && message->kind == JZ_COMPANY_HELLO && message->count == 0)
        return;
    if (companion == NULL)
        companion = jz_companion_reach(company, &message->from, now_ms);
    if (companion != NULL && standing == NULL)
        standing = add(company, room, companion);
    if (standing == NULL)
        return;
    if (message->kind == JZ_COMPANY_HELLO)
        take_hello(company, standing, message, now_ms);
    else if (message->kind == JZ_COMPANY_CHANGES)
        take_changes(company, standing, message, now_ms);
    else
        take_piece(company, standing, message, now_ms);
}
