/* The rooms of a company: which topics are of interest, and what there is to send for them. */
#include <stdlib.h>

#include "pubsub/company_parts.h"

void jz_company_make_busy(jz_company *company, jz_company_room *room)
{
    if (jz_circle_is_empty(&room->busy))
        jz_circle_add(&company->busy, &room->busy);
}

void jz_company_owe_hello(jz_company *company, jz_company_room *room, jz_company_asks asks)
{
    room->owes_hello = true;
    if (asks > room->asks)
        room->asks = asks;
    jz_company_make_busy(company, room);
}

/* Call it with the part's lock held. */
static void open_room(jz_company *company, jz_company_room *room, uint64_t now_ms)
{
    room->is_open = true;
    room->number = ++company->opened << 32;
    room->announced = 0;
    room->wanted_ms = now_ms;
    room->next_snapshot_ms = 0;
    room->is_to_subscribe = room->owes_hello = room->is_to_verify = true;
    room->asks = JZ_ASKS_SNAPSHOT;
    jz_circle_add(&company->rooms, &room->place);
    company->room_count++;
}

/* Takes the next that is noted; NULL: there is none. Call it with the part's lock held. */
static jz_company_room *take_noted(jz_presence_part *part)
{
    jz_company_room *room = part->noted;
    if (room == NULL)
        return NULL;
    part->noted = room->next_noted;
    room->is_noted = false;
    return room;
}

static void look_at_noted(jz_company *company, jz_presence_part *part, uint64_t now_ms)
{
    jz_company_room *room;
    pthread_mutex_lock(&part->lock);
    while ((room = take_noted(part)) != NULL) {
        if (!room->is_open && !jz_company_room_is_wanted(room)) {
            jz_presence_topic_forget_if_empty(room->topic);
            continue;
        }
        if (!room->is_open)
            open_room(company, room, now_ms);
        jz_company_make_busy(company, room);
    }
    pthread_mutex_unlock(&part->lock);
}

/* False: no memory. */
static bool subscribe(jz_company *company, jz_company_room *room)
{
    const jz_company_bus *bus = &company->bus;
    jz_text name;
    if (!company->hears_all && jz_company_name(company, NULL, &name))
        company->hears_all = bus->subscribe(bus->context, name);
    if (!company->hears_all || !jz_company_name(company, room, &name) || !bus->subscribe(bus->context, name)) {
        jz_company_note_not_kept(company);
        return false;
    }
    room->is_to_subscribe = false;
    return true;
}

void jz_company_turn(jz_company *company, uint64_t now_ms)
{
    company->is_refused = false;
    jz_presence_bell_answer(&company->presence->announces);
    for (size_t i = 0; i < JZ_PRESENCE_PARTS; i++)
        look_at_noted(company, &company->presence->parts[i], now_ms);
    jz_circle *next;
    for (jz_circle *place = company->busy.next; place != &company->busy && !company->is_refused; place = next) {
        jz_company_room *room = jz_room_of_busy(place);
        next = place->next;
        if ((!room->is_to_subscribe || subscribe(company, room)) && jz_room_flush(company, room, now_ms))
            jz_circle_remove(&room->busy);
    }
}

/* Nobody has to be told any more of what has changed here. */
static void drop_changes(jz_company_room *room)
{
    pthread_mutex_lock(&jz_room_part(room)->lock);
    while (!jz_circle_is_empty(&room->unannounced))
        jz_attendee_note_announced(jz_attendee_of_unannounced(room->unannounced.next));
    pthread_mutex_unlock(&jz_room_part(room)->lock);
}

static void unsubscribe(jz_company *company, const jz_company_room *room)
{
    jz_text name;
    /* There was memory for the name when it was subscribed. */
    if ((room == NULL || !room->is_to_subscribe) && jz_company_name(company, room, &name))
        company->bus.unsubscribe(company->bus.context, name);
}

/* If somebody is interested again meanwhile, it is opened again in the next turn. */
static void close_room(jz_company *company, jz_company_room *room)
{
    jz_presence_part *part = jz_room_part(room);
    unsubscribe(company, room);
    while (!jz_circle_is_empty(&room->standings))
        jz_standing_free(company, jz_standing_of_room(room->standings.next));
    jz_room_drop_snapshot(room);
    jz_circle_remove(&room->place);
    jz_circle_remove(&room->busy);
    room->owes_hello = room->owes_snapshot = false;
    company->room_count--;
    pthread_mutex_lock(&part->lock);
    room->is_open = false;
    if (!company->is_over && jz_company_room_is_wanted(room))
        jz_company_room_note(room);
    jz_presence_topic_forget_if_empty(room->topic);
    jz_presence_ring(company->presence, part);
    pthread_mutex_unlock(&part->lock);
    if (company->room_count == 0 && company->hears_all) {
        unsubscribe(company, NULL);
        company->hears_all = false;
    }
}

/* Whether somebody is, or was within that time. */
static bool is_still_wanted(jz_company_room *room, uint64_t now_ms)
{
    pthread_mutex_lock(&jz_room_part(room)->lock);
    if (jz_company_room_is_wanted(room))
        room->wanted_ms = now_ms;
    room->was_asked = false;
    pthread_mutex_unlock(&jz_room_part(room)->lock);
    return now_ms - room->wanted_ms < JZ_COMPANY_LINGER_MS;
}

void jz_rooms_look_after(jz_company *company, uint64_t now_ms)
{
    jz_circle *next;
    for (jz_circle *place = company->rooms.next; place != &company->rooms; place = next) {
        jz_company_room *room = jz_room_of_place(place);
        next = place->next;
        if (!is_still_wanted(room, now_ms)) {
            close_room(company, room);
            continue;
        }
        if (room->is_to_verify && !room->owes_hello) {
            room->is_to_verify = false;
            jz_company_owe_hello(company, room, JZ_ASKS_HELLO);
        }
        jz_standings_ask_again(company, room, now_ms);
    }
}

/* Who is interested from now on is not noted any more. */
static void forget_noted(jz_presence_part *part)
{
    jz_company_room *room;
    pthread_mutex_lock(&part->lock);
    while ((room = take_noted(part)) != NULL)
        jz_presence_topic_forget_if_empty(room->topic);
    pthread_mutex_unlock(&part->lock);
}

void jz_rooms_end(jz_company *company)
{
    while (!jz_circle_is_empty(&company->rooms)) {
        jz_company_room *room = jz_room_of_place(company->rooms.next);
        drop_changes(room);
        close_room(company, room);
    }
    for (size_t i = 0; i < JZ_PRESENCE_PARTS; i++)
        forget_noted(&company->presence->parts[i]);
}
