#include "pubsub/presence_company.h"

#include <stdlib.h>

#include "codec/big_endian.h"
#include "loop/count.h"
#include "platform/random.h"
#include "pubsub/company_parts.h"

enum {
    EVERY_BEAT_MS = JZ_COMPANY_BEAT_MS - 100, /* ticks may come a little late, and not early */
    LATE_MS = 5 * JZ_COMPANY_TICK_MS          /* a tick that comes so late tells that this process stood still */
};

/* Gives a topic that is watched already what it has where there are other servers. */
static void join_topic(void *context, jz_hash_entry *entry)
{
    jz_presence_topic *topic = (jz_presence_topic *)(void *)entry;
    topic->room = jz_company_room_create(topic);
    if (topic->room == NULL)
        *(bool *)context = false;
    else if (topic->watches != NULL)
        jz_company_room_note(topic->room);
}

static void leave_topic(void *context, jz_hash_entry *entry)
{
    jz_presence_topic *topic = (jz_presence_topic *)(void *)entry;
    (void)context;
    free(topic->room);
    topic->room = NULL;
}

/* Nobody is a member yet; there may be watches. False: no memory. */
static bool set_joined(jz_presence *presence, jz_presence_part *part, bool is_joined)
{
    bool is_done = true;
    pthread_mutex_lock(&part->lock);
    size_t before = part->topics.count * jz_presence_topic_cost(part, 0);
    part->self = is_joined ? &presence->self : NULL;
    part->noted = NULL;
    jz_hash_table_visit(&part->topics, is_joined ? join_topic : leave_topic, &is_done);
    atomic_fetch_add_explicit(&presence->amount, part->topics.count * jz_presence_topic_cost(part, 0) - before,
                              memory_order_relaxed);
    pthread_mutex_unlock(&part->lock);
    return is_done;
}

static bool join(jz_presence *presence)
{
    jz_write_uint64(presence->self.bytes, jz_random());
    jz_write_uint64(presence->self.bytes + 8, jz_random());
    size_t count = 0;
    bool is_done = true;
    while (count < JZ_PRESENCE_PARTS && is_done)
        is_done = set_joined(presence, &presence->parts[count++], true);
    while (!is_done && count > 0)
        set_joined(presence, &presence->parts[--count], false);
    return is_done;
}

jz_company *jz_company_create(jz_presence *presence, const jz_company_bus *bus)
{
    jz_company *company = calloc(1, sizeof *company);
    if (company == NULL)
        return NULL;
    company->presence = presence;
    company->bus = *bus;
    company->writer.capacity = jz_company_writer_capacity(presence->max_info);
    company->writer.bytes = malloc(company->writer.capacity);
    jz_circle_init(&company->rooms);
    jz_circle_init(&company->busy);
    jz_hash_table_init(&company->companions);
    if (company->writer.bytes == NULL || !join(presence)) {
        free(company->writer.bytes);
        free(company);
        return NULL;
    }
    atomic_store(&presence->has_company, true);
    return company;
}

void jz_company_destroy(jz_company *company)
{
    if (company == NULL)
        return;
    company->is_over = true;
    jz_company_end(company);
    jz_presence_bell *bell = &company->presence->announces;
    bell->ring = NULL;
    jz_hash_table_destroy(&company->companions, NULL);
    free(company->writer.bytes);
    free(company->name);
    free(company);
}

void jz_company_set_bell(jz_company *company, void (*ring)(void *context), void *context)
{
    company->presence->announces.ring = ring;
    company->presence->announces.context = context;
}

bool jz_company_is_own(const jz_company *company, const void *bytes, size_t length)
{
    return jz_company_message_is_from(bytes, length, &company->presence->self);
}

void jz_company_note_not_kept(jz_company *company)
{
    atomic_fetch_add_explicit(&company->presence->not_kept, 1, memory_order_relaxed);
}

bool jz_company_has_rooms(const jz_company *company)
{
    return company->room_count > 0;
}

bool jz_company_is_busy(const jz_company *company)
{
    return !jz_circle_is_empty(&company->busy) && !company->is_refused;
}

/* The open room of a topic; NULL: there is none. Only this thread closes it. */
static jz_company_room *find_room(jz_company *company, jz_text name)
{
    jz_presence *presence = company->presence;
    uint64_t hash = jz_presence_hash(presence, name);
    jz_presence_part *part = jz_presence_part_of(presence, hash);
    pthread_mutex_lock(&part->lock);
    const jz_presence_topic *topic = jz_presence_part_find(part, name, hash);
    jz_company_room *room = topic != NULL && topic->room->is_open ? topic->room : NULL;
    pthread_mutex_unlock(&part->lock);
    return room;
}

static void answer(jz_company *company, jz_company_room *room, const jz_company_message *message)
{
    const jz_server_id *self = &company->presence->self;
    bool is_asked = message->kind == JZ_COMPANY_ASK && jz_server_id_equals(&message->asked, self);
    /* Who knows nothing yet does not have to be told that there is nobody. */
    if (is_asked || (message->asks == JZ_ASKS_SNAPSHOT && room->announced > 0)) {
        room->owes_snapshot = true;
        jz_company_make_busy(company, room);
    } else if (message->asks == JZ_ASKS_HELLO) {
        jz_company_owe_hello(company, room, JZ_ASKS_NOTHING);
    }
}

static void take_in_room(jz_company *company, jz_company_room *room, const jz_company_message *message, uint64_t now_ms)
{
    if (message->kind != JZ_COMPANY_ASK)
        jz_standing_take(company, room, message, now_ms);
    answer(company, room, message);
}

static bool is_for_all(const jz_company_message *message)
{
    return message->kind == JZ_COMPANY_BEAT || message->kind == JZ_COMPANY_BYE;
}

void jz_company_take(jz_company *company, jz_text topic, const void *bytes, size_t length, uint64_t now_ms)
{
    jz_company_message message;
    bool is_of_room = jz_hidden_topic_read(&topic);
    if (!jz_company_message_read(bytes, length, &message) || is_for_all(&message) == is_of_room) {
        jz_count(&company->presence->malformed, 1);
        return;
    }
    if (jz_server_id_equals(&message.from, &company->presence->self))
        return;
    jz_companion *companion = jz_companion_find(company, &message.from);
    if (companion != NULL && message.kind == JZ_COMPANY_BYE)
        jz_companion_leave(company, companion, now_ms);
    else if (companion != NULL)
        jz_companion_hear(company, companion, now_ms);
    jz_company_room *room = is_of_room ? find_room(company, topic) : NULL;
    if (room != NULL)
        take_in_room(company, room, &message, now_ms);
}

void jz_company_missed(jz_company *company, jz_text topic)
{
    jz_company_room *room = jz_hidden_topic_read(&topic) ? find_room(company, topic) : NULL;
    if (room != NULL)
        jz_company_owe_hello(company, room, JZ_ASKS_HELLO);
}

void jz_company_missed_all(jz_company *company)
{
    company->is_refused = false;
    for (jz_circle *place = company->rooms.next; place != &company->rooms; place = place->next)
        jz_company_owe_hello(company, jz_room_of_place(place), JZ_ASKS_HELLO);
}

static bool say(jz_company *company, jz_company_kind kind)
{
    const jz_company_message message = {.kind = kind, .from = company->presence->self};
    jz_company_write(&company->writer, &message);
    return jz_company_send(company, NULL);
}

/* If the others may have taken this server for gone, they are told who is here. */
static void beat(jz_company *company, uint64_t now_ms)
{
    company->beaten_ms = now_ms;
    bool is_heard = say(company, JZ_COMPANY_BEAT);
    if (is_heard && company->was_unheard)
        jz_company_missed_all(company);
    company->was_unheard = !is_heard;
}

void jz_company_tick(jz_company *company, uint64_t now_ms)
{
    bool is_late = company->ticked_ms > 0 && now_ms - company->ticked_ms >= LATE_MS;
    company->ticked_ms = now_ms;
    company->is_refused = false;
    if (is_late) {
        company->was_unheard = true;
        jz_companions_excuse(company, now_ms);
    }
    jz_companions_expire(company, now_ms);
    if (company->beaten_ms > 0 && now_ms - company->beaten_ms < EVERY_BEAT_MS)
        return;
    if (jz_company_has_rooms(company))
        beat(company, now_ms);
    jz_rooms_look_after(company, now_ms);
    if (jz_company_has_rooms(company))
        return;
    jz_companions_expire(company, now_ms);
    company->ticked_ms = company->beaten_ms = 0;
}

void jz_company_end(jz_company *company)
{
    jz_presence *presence = company->presence;
    if (!atomic_exchange(&presence->has_company, false))
        return;
    if (jz_company_has_rooms(company) && !company->is_over)
        say(company, JZ_COMPANY_BYE);
    company->is_over = true;
    jz_rooms_end(company);
    jz_companions_free(company);
}
