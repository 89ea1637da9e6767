/* What a company tells the others of a room: hellos, changes and snapshots. */
#include <stdlib.h>

#include "pubsub/company_parts.h"

enum { MOST_PIECES = 32 /* of a snapshot, in one turn: a megabyte */, SNAPSHOT_EVERY_MS = 1000 };

/* What was there when it began. */
typedef struct outgoing_member {
    jz_profile *profile;
    uint64_t stamp;
} outgoing_member;

typedef struct jz_outgoing_snapshot {
    uint64_t number;
    uint32_t piece;
    size_t next;
    size_t count;
    outgoing_member members[];
} jz_outgoing_snapshot;

bool jz_company_name(jz_company *company, const jz_company_room *room, jz_text *name)
{
    static const char all[] = JZ_HIDDEN_PREFIX;
    if (room == NULL) {
        *name = (jz_text){all, JZ_HIDDEN_PREFIX_LENGTH};
        return true;
    }
    jz_text topic = jz_presence_topic_name(room->topic);
    size_t length = jz_hidden_topic_length(topic.length);
    if (length > company->name_capacity) {
        char *grown = realloc(company->name, length);
        if (grown == NULL)
            return false;
        company->name = grown;
        company->name_capacity = length;
    }
    jz_hidden_topic_write(company->name, topic);
    *name = (jz_text){company->name, length};
    return true;
}

bool jz_company_send(jz_company *company, const jz_company_room *room)
{
    jz_text name;
    bool is_accepted = jz_company_name(company, room, &name) &&
                       company->bus.publish(company->bus.context, name, company->writer.bytes, company->writer.length);
    company->is_refused = company->is_refused || !is_accepted;
    return is_accepted;
}

static bool send_hello(jz_company *company, jz_company_room *room)
{
    const jz_company_message message = {.kind = JZ_COMPANY_HELLO,
                                        .from = company->presence->self,
                                        .number = room->number,
                                        .count = room->announced,
                                        .asks = room->asks};
    jz_company_write(&company->writer, &message);
    if (!jz_company_send(company, room))
        return false;
    room->owes_hello = false;
    room->asks = JZ_ASKS_NOTHING;
    return true;
}

/* Writes the next change of the members here, as much as fits in a message. False: there is none. */
static bool write_change(jz_company *company, jz_company_room *room)
{
    jz_company_writer *writer = &company->writer;
    const jz_company_message message = {.kind = JZ_COMPANY_CHANGES,
                                        .from = company->presence->self,
                                        .number = room->number + 1,
                                        .is_first = room->announced == 0};
    jz_company_write(writer, &message);
    pthread_mutex_lock(&jz_room_part(room)->lock);
    while (!jz_circle_is_empty(&room->unannounced)) {
        jz_attendee *attendee = jz_attendee_of_unannounced(room->unannounced.next);
        jz_company_entry entry;
        bool is_told = jz_attendee_announcement(attendee, &entry);
        if (is_told && !jz_company_write_entry(writer, &entry))
            break;
        if (entry.is_here && !attendee->abroad->is_announced)
            room->announced++;
        else if (!entry.is_here && attendee->abroad->is_announced)
            room->announced--;
        jz_attendee_note_announced(attendee);
    }
    pthread_mutex_unlock(&jz_room_part(room)->lock);
    return jz_company_writer_has_entries(writer);
}

/* False: one was not accepted. Then the others see by a hello, as soon as one is, that they have missed it. */
static bool send_changes(jz_company *company, jz_company_room *room)
{
    while (write_change(company, room)) {
        room->number++;
        if (!jz_company_send(company, room)) {
            room->owes_hello = true;
            return false;
        }
    }
    return true;
}

/* Those here that the others know of: the rest comes with the changes that follow. False: no memory. */
static bool begin_snapshot(jz_company_room *room)
{
    pthread_mutex_lock(&jz_room_part(room)->lock);
    jz_outgoing_snapshot *snapshot = malloc(sizeof *snapshot + room->own_count * sizeof snapshot->members[0]);
    if (snapshot != NULL)
        *snapshot = (jz_outgoing_snapshot){.number = room->number};
    jz_circle *head = &room->topic->present;
    for (jz_circle *place = head->next; snapshot != NULL && place != head; place = place->next) {
        const jz_attendee_abroad *abroad = jz_attendee_of_present(place)->abroad;
        if (abroad->own != NULL && abroad->is_announced)
            snapshot->members[snapshot->count++] =
                (outgoing_member){.profile = jz_profile_retain(abroad->own), .stamp = abroad->stamp};
    }
    pthread_mutex_unlock(&jz_room_part(room)->lock);
    room->snapshot = snapshot;
    return snapshot != NULL;
}

void jz_room_drop_snapshot(jz_company_room *room)
{
    for (size_t i = 0; room->snapshot != NULL && i < room->snapshot->count; i++)
        jz_profile_release(room->snapshot->members[i].profile);
    free(room->snapshot);
    room->snapshot = NULL;
}

/* Writes the next piece; returns which member comes behind it. */
static size_t write_piece(jz_company *company, const jz_outgoing_snapshot *snapshot)
{
    const jz_company_message message = {.kind = JZ_COMPANY_SNAPSHOT,
                                        .from = company->presence->self,
                                        .number = snapshot->number,
                                        .count = snapshot->piece};
    jz_company_write(&company->writer, &message);
    size_t next = snapshot->next;
    for (bool fits = true; next < snapshot->count && fits; next += fits ? 1 : 0) {
        const jz_profile *profile = snapshot->members[next].profile;
        const jz_company_entry entry = {.is_here = true,
                                        .stamp = snapshot->members[next].stamp,
                                        .key = jz_profile_key(profile),
                                        .info = {profile->bytes + profile->key_length, profile->info_length}};
        fits = jz_company_write_entry(&company->writer, &entry);
    }
    jz_company_write_is_last(&company->writer, next == snapshot->count);
    return next;
}

/* Returns whether it is complete. */
static bool send_pieces(jz_company *company, jz_company_room *room, uint64_t now_ms)
{
    jz_outgoing_snapshot *snapshot = room->snapshot;
    for (int i = 0; i < MOST_PIECES; i++) {
        size_t next = write_piece(company, snapshot);
        if (!jz_company_send(company, room))
            return false;
        snapshot->piece++;
        snapshot->next = next;
        if (next == snapshot->count) {
            jz_room_drop_snapshot(room);
            room->next_snapshot_ms = now_ms + SNAPSHOT_EVERY_MS;
            return true;
        }
    }
    return false;
}

/* Begins what is owed, if its time has come, and goes on with it. Returns whether nothing is left of it. */
static bool send_snapshot(jz_company *company, jz_company_room *room, uint64_t now_ms)
{
    if (room->snapshot == NULL && room->owes_snapshot && now_ms >= room->next_snapshot_ms && begin_snapshot(room))
        room->owes_snapshot = false;
    if (room->snapshot != NULL && (!send_pieces(company, room, now_ms) || !send_changes(company, room)))
        return false;
    return !room->owes_snapshot;
}

bool jz_room_flush(jz_company *company, jz_company_room *room, uint64_t now_ms)
{
    if (room->snapshot == NULL && !send_changes(company, room))
        return false;
    if (room->owes_hello && room->snapshot == NULL && !send_hello(company, room))
        return false;
    return send_snapshot(company, room, now_ms) && !room->owes_hello;
}
