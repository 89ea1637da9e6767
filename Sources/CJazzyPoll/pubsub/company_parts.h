/* The members of a jz_company, for the files that implement pubsub/presence_company.h. */
#ifndef JAZZY_PUBSUB_COMPANY_PARTS_H
#define JAZZY_PUBSUB_COMPANY_PARTS_H

#include "pubsub/hash_table.h"
#include "pubsub/presence_company.h"
#include "pubsub/presence_guests.h"
#include "pubsub/presence_state.h"

/* Another server. */
typedef struct jz_companion {
    jz_hash_entry entry; /* first, so that a pointer to it points to its companion */
    jz_server_id id;
    uint64_t heard_ms;
    bool is_away; /* nothing was heard of it for too long, or it has said that it goes */
    jz_circle standings;
} jz_companion;

struct jz_company {
    jz_presence *presence;
    jz_company_bus bus;
    jz_circle rooms;
    size_t room_count;
    jz_circle busy; /* rooms with something to send */
    jz_hash_table companions;
    uint64_t opened;    /* rooms, ever: so that the numbers of a room go on where it was closed and opened again */
    uint64_t ticked_ms; /* 0: never */
    uint64_t beaten_ms; /* likewise */
    bool hears_all;     /* the topic that all servers have is subscribed */
    bool was_unheard;   /* the others may have taken this server for gone */
    bool is_over;       /* nothing is noted or opened any more */
    bool is_refused;    /* in this turn something was not accepted: the rest waits */
    jz_company_writer writer;
    char *name; /* of a hidden topic */
    size_t name_capacity;
};

static inline jz_company_room *jz_room_of_place(jz_circle *place)
{
    return (jz_company_room *)(void *)((char *)place - offsetof(jz_company_room, place));
}

static inline jz_company_room *jz_room_of_busy(jz_circle *place)
{
    return (jz_company_room *)(void *)((char *)place - offsetof(jz_company_room, busy));
}

static inline jz_standing *jz_standing_of_room(jz_circle *place)
{
    return (jz_standing *)(void *)((char *)place - offsetof(jz_standing, of_room));
}

static inline jz_standing *jz_standing_of_companion(jz_circle *place)
{
    return (jz_standing *)(void *)((char *)place - offsetof(jz_standing, of_companion));
}

static inline jz_presence_part *jz_room_part(const jz_company_room *room)
{
    return room->topic->part;
}

/* Whether so many bytes more may be kept of what is elsewhere. */
bool jz_company_has_room_for(const jz_company *company, size_t amount);

/* The room's hidden topic, or without a room the one that all servers have. False: no memory. */
bool jz_company_name(jz_company *company, const jz_company_room *room, jz_text *name);

/* Publishes what was written. False: it was not accepted, nor is anything else in this turn. */
bool jz_company_send(jz_company *company, const jz_company_room *room);

/* What is to be done in all rooms with each beat: closing those of no interest, asking again. */
void jz_rooms_look_after(jz_company *company, uint64_t now_ms);

/* Closes all, and has nothing to do any more. */
void jz_rooms_end(jz_company *company);

/* Has the room sent what it has to send in the next turn, and rings for that. */
void jz_company_make_busy(jz_company *company, jz_company_room *room);

/* The same with a hello that asks for this. */
void jz_company_owe_hello(jz_company *company, jz_company_room *room, jz_company_asks asks);

/* Sends what a room has to send. Returns whether that was all. */
bool jz_room_flush(jz_company *company, jz_company_room *room, uint64_t now_ms);
void jz_room_drop_snapshot(jz_company_room *room);

/* Asks again in a room where something is not known, or was not kept; with each beat. */
void jz_standings_ask_again(jz_company *company, jz_company_room *room, uint64_t now_ms);

/* Asks the standing's server for a snapshot, if it was not done just now. */
void jz_standing_ask(jz_company *company, jz_standing *standing, uint64_t now_ms);

/* All that were known of it have left. */
void jz_standing_clear(jz_company *company, jz_standing *standing);
void jz_standing_free(jz_company *company, jz_standing *standing);

/* Takes what a server says of its members; the room is open. */
void jz_standing_take(jz_company *company, jz_company_room *room, const jz_company_message *message, uint64_t now_ms);

jz_companion *jz_companion_find(const jz_company *company, const jz_server_id *id);

/* The same, and adds it if there is none. NULL: no memory, or there are too many. */
jz_companion *jz_companion_reach(jz_company *company, const jz_server_id *id, uint64_t now_ms);
void jz_companion_hear(jz_company *company, jz_companion *companion, uint64_t now_ms);

/* It has gone: so have its members. */
void jz_companion_leave(jz_company *company, jz_companion *companion, uint64_t now_ms);

/* Those that are silent have gone; those that have been gone for long are forgotten. */
void jz_companions_expire(jz_company *company, uint64_t now_ms);

/* This process stood still: as if all had been heard of just now. */
void jz_companions_excuse(jz_company *company, uint64_t now_ms);
void jz_companions_free(jz_company *company);

#endif
