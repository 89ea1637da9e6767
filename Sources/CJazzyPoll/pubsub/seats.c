#include "pubsub/seats.h"

#include <stdlib.h>

#include "pubsub/hash_table.h"

/* All seats of one connection, which has at least one. */
typedef struct sitter {
    jz_hash_entry entry; /* first, so that a pointer to it points to its sitter */
    const jz_connection *connection;
    struct seat *first;
} sitter;

typedef struct seat {
    jz_hash_entry entry; /* likewise */
    sitter *sitter;
    struct seat *next; /* of the same connection */
    struct seat **link;
    jz_attendee *attendee;
} seat;

struct jz_seats {
    jz_presence *presence;
    jz_hash_table seats;
    jz_hash_table sitters;
};

jz_seats *jz_seats_create(jz_presence *presence)
{
    jz_seats *seats = malloc(sizeof *seats);
    if (seats == NULL)
        return NULL;
    seats->presence = presence;
    jz_hash_table_init(&seats->seats);
    jz_hash_table_init(&seats->sitters);
    return seats;
}

void jz_seats_free(jz_seats *seats)
{
    if (seats == NULL)
        return;
    jz_hash_table_destroy(&seats->seats, NULL);
    jz_hash_table_destroy(&seats->sitters, NULL);
    free(seats);
}

static uint64_t hash_of(const jz_seats *seats, const jz_connection *connection)
{
    return jz_hash_table_hash(&seats->sitters, &connection, sizeof connection);
}

static sitter *find_sitter(const jz_seats *seats, const jz_connection *connection, uint64_t hash)
{
    for (jz_hash_entry *entry = jz_hash_table_look(&seats->sitters, hash); entry != NULL; entry = entry->next) {
        if (((sitter *)entry)->connection == connection)
            return (sitter *)entry;
    }
    return NULL;
}

static uint64_t seat_hash_of(const jz_seats *seats, uint64_t sitter_hash, jz_text topic)
{
    return jz_hash_table_hash(&seats->seats, topic.start, topic.length) + sitter_hash;
}

static seat *find_seat(const jz_seats *seats, const sitter *sitter, jz_text topic, uint64_t hash)
{
    for (jz_hash_entry *entry = jz_hash_table_look(&seats->seats, hash); entry != NULL; entry = entry->next) {
        seat *found = (seat *)entry;
        if (entry->hash == hash && found->sitter == sitter && jz_text_equals(topic, jz_attendee_topic(found->attendee)))
            return found;
    }
    return NULL;
}

static sitter *add_sitter(jz_seats *seats, const jz_connection *connection, uint64_t hash)
{
    sitter *added = malloc(sizeof *added);
    if (added == NULL)
        return NULL;
    *added = (sitter){.entry = {.hash = hash}, .connection = connection};
    if (jz_hash_table_add(&seats->sitters, &added->entry))
        return added;
    free(added);
    return NULL;
}

static void remove_if_idle(jz_seats *seats, sitter *sitter)
{
    if (sitter->first != NULL)
        return;
    jz_hash_table_remove(&seats->sitters, &sitter->entry);
    free(sitter);
}

static bool add_seat(jz_seats *seats, sitter *sitter, jz_attendee *attendee, uint64_t hash)
{
    seat *added = malloc(sizeof *added);
    if (added == NULL)
        return false;
    *added = (seat){.entry = {.hash = hash}, .sitter = sitter, .next = sitter->first, .attendee = attendee};
    if (!jz_hash_table_add(&seats->seats, &added->entry)) {
        free(added);
        return false;
    }
    added->link = &sitter->first;
    if (added->next != NULL)
        added->next->link = &added->next;
    sitter->first = added;
    return true;
}

bool jz_seats_take(jz_seats *seats, jz_connection *connection, jz_attendee *attendee)
{
    uint64_t sitter_hash = hash_of(seats, connection);
    uint64_t hash = seat_hash_of(seats, sitter_hash, jz_attendee_topic(attendee));
    sitter *sitter = find_sitter(seats, connection, sitter_hash);
    seat *taken = sitter != NULL ? find_seat(seats, sitter, jz_attendee_topic(attendee), hash) : NULL;
    if (taken != NULL) {
        jz_attendee *before = taken->attendee;
        taken->attendee = attendee;
        jz_presence_leave(seats->presence, before);
        return true;
    }
    if (sitter == NULL)
        sitter = add_sitter(seats, connection, sitter_hash);
    if (sitter == NULL)
        return false;
    bool is_taken = add_seat(seats, sitter, attendee, hash);
    remove_if_idle(seats, sitter);
    return is_taken;
}

static void leave(jz_seats *seats, seat *left)
{
    *left->link = left->next;
    if (left->next != NULL)
        left->next->link = left->link;
    jz_hash_table_remove(&seats->seats, &left->entry);
    jz_presence_leave(seats->presence, left->attendee);
    free(left);
}

void jz_seats_leave(jz_seats *seats, const jz_connection *connection, jz_text topic)
{
    uint64_t sitter_hash = hash_of(seats, connection);
    sitter *sitter = find_sitter(seats, connection, sitter_hash);
    if (sitter == NULL)
        return;
    seat *found = find_seat(seats, sitter, topic, seat_hash_of(seats, sitter_hash, topic));
    if (found != NULL)
        leave(seats, found);
    remove_if_idle(seats, sitter);
}

void jz_seats_leave_all(jz_seats *seats, const jz_connection *connection)
{
    sitter *sitter = find_sitter(seats, connection, hash_of(seats, connection));
    if (sitter == NULL)
        return;
    while (sitter->first != NULL)
        leave(seats, sitter->first);
    remove_if_idle(seats, sitter);
}
