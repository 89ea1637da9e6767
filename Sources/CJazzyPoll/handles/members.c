/* The public functions by which connections become members of topics, and that say who is. */
#include <errno.h>
#include <stdlib.h>

#include "handles/access.h"
#include "jazzy/presence.h"
#include "loop/report.h"
#include "output/sending.h"
#include "shard/errand.h"
#include "shard/server.h"

/*
 * On the connection's own loop: it has entered, takes its seat, and subscribes. Unless SENT it has left again. A seat
 * in the topic is there before only if it has subscribed: then subscribing cannot fail.
 */
static jz_send_status sit_down(jz_shard *shard, jz_connection *connection, jz_attendee *attendee)
{
    jz_topics *topics = &shard->topics;
    const jz_text topic = jz_attendee_topic(attendee);
    if (!jz_connection_is_writable(connection)) {
        jz_presence_leave(shard->server->presence, attendee);
        return JZ_SEND_CLOSED;
    }
    if (!jz_topics_seat(topics, shard->server->presence, connection, attendee)) {
        jz_presence_leave(shard->server->presence, attendee);
        return JZ_SEND_DROPPED;
    }
    if (jz_topics_subscribe(topics, connection, topic))
        return JZ_SEND_SENT;
    jz_seats_leave(topics->seats, connection, topic);
    return JZ_SEND_DROPPED;
}

/* An attendee of another thread, on its way to the connection's loop. */
typedef struct arrival {
    jz_parcel parcel; /* first */
    jz_shard *shard;
    jz_ws ws;
    jz_attendee *attendee;
    size_t reserved;
} arrival;

static void finish(arrival *arrival)
{
    jz_topics_asked(&arrival->shard->topics);
    jz_errand_unreserve(arrival->shard, arrival->reserved);
    free(arrival);
}

/* The caller was told that the connection is a member. */
static void take(jz_shard *shard, jz_parcel *parcel)
{
    arrival *arrived = (arrival *)parcel;
    jz_connection *connection = jz_slots_find(&shard->slots, arrived->ws);
    if (connection == NULL) {
        jz_presence_leave(shard->server->presence, arrived->attendee);
    } else if (sit_down(shard, connection, arrived->attendee) == JZ_SEND_DROPPED) {
        connection->broken = JZ_FAILURE_OUT_OF_MEMORY;
        jz_turn_mark_dirty(&shard->turn, connection);
    }
    finish(arrived);
}

static void discard(jz_parcel *parcel)
{
    arrival *discarded = (arrival *)parcel;
    jz_presence_leave(discarded->shard->server->presence, discarded->attendee);
    finish(discarded);
}

/* The reservation is made. Unless QUEUED the attendee is still the caller's, and the reservation has ended. */
static jz_send_status post(jz_shard *shard, jz_ws ws, jz_attendee *attendee, size_t reserved)
{
    arrival *posted = malloc(sizeof *posted);
    jz_letter *letter = posted != NULL ? jz_errand_create_parcel(ws, &posted->parcel) : NULL;
    if (letter == NULL) {
        free(posted);
        jz_errand_unreserve(shard, reserved);
        return JZ_SEND_DROPPED;
    }
    *posted =
        (arrival){.parcel = {take, discard}, .shard = shard, .ws = ws, .attendee = attendee, .reserved = reserved};
    jz_topics_ask(&shard->topics);
    if (jz_loop_post(&shard->turn.loop, letter))
        return JZ_SEND_QUEUED;
    jz_errand_free_parcel(letter);
    finish(posted);
    return JZ_SEND_CLOSED;
}

/* On another thread, or behind other calls. */
static jz_send_status ask(jz_shard *shard, jz_ws ws, jz_text topic, const jz_member *member, jz_error *error)
{
    jz_presence *presence = shard->server->presence;
    size_t reserved = JZ_LETTER_COST + sizeof(arrival);
    if (!jz_errand_reserve(shard, reserved)) {
        jz_report(error, JZ_STATUS_LIMIT_REACHED,
                  "the loop of the connection has as many calls waiting as option mailbox_limit allows; try it later");
        return JZ_SEND_DROPPED;
    }
    jz_attendee *attendee = jz_presence_enter(presence, topic, member, error);
    if (attendee == NULL) {
        jz_errand_unreserve(shard, reserved);
        return JZ_SEND_DROPPED;
    }
    jz_send_status status = post(shard, ws, attendee, reserved);
    if (status != JZ_SEND_QUEUED)
        jz_presence_leave(presence, attendee);
    if (status == JZ_SEND_DROPPED)
        jz_report_system(error, ENOMEM, "become a member");
    return status;
}

static jz_send_status act(jz_shard *shard, jz_ws ws, jz_text topic, const jz_member *member, jz_error *error)
{
    jz_connection *connection = jz_slots_find(&shard->slots, ws);
    if (connection == NULL || !jz_connection_is_writable(connection))
        return JZ_SEND_CLOSED;
    jz_attendee *attendee = jz_presence_enter(shard->server->presence, topic, member, error);
    if (attendee == NULL)
        return JZ_SEND_DROPPED;
    jz_send_status status = sit_down(shard, connection, attendee);
    if (status == JZ_SEND_DROPPED)
        jz_report_system(error, ENOMEM, "become a member");
    return status;
}

jz_send_status jz_ws_subscribe_as(jz_ws ws, const char *topic, size_t length, const jz_member *member, jz_error *error)
{
    static const jz_member nobody;
    const jz_text name = {topic, length};
    jz_shard *own = jz_own_shard_in_order(ws);
    if (member == NULL)
        member = &nobody;
    if (own != NULL)
        return act(own, ws, name, member, error);
    jz_shard *shard = jz_enter_open_shard(ws);
    if (shard == NULL)
        return JZ_SEND_CLOSED;
    jz_send_status status = ask(shard, ws, name, member, error);
    if (status == JZ_SEND_QUEUED)
        jz_wait_for_queued(ws);
    jz_leave_shard(ws);
    return status;
}

size_t jz_server_member_count(jz_server *server, const char *topic, size_t topic_length)
{
    return jz_presence_count_members(server->presence, (jz_text){topic, topic_length});
}

jz_status jz_server_members(jz_server *server, const char *topic, size_t topic_length,
                            void (*visit)(void *context, const jz_member *member), void *context, jz_error *error)
{
    jz_roll *roll = jz_presence_roll(server->presence, (jz_text){topic, topic_length});
    if (roll == NULL)
        return jz_report_system(error, ENOMEM, "see the members of a topic");
    for (size_t i = 0; i < roll->count; i++) {
        const jz_member member = jz_profile_member(roll->profiles[i]);
        visit(context, &member);
    }
    jz_roll_free(roll);
    return JZ_OK;
}

jz_status jz_server_on_presence(jz_server *server, const jz_presence_watch *watch, uint64_t *number, jz_error *error)
{
    if (watch->changed == NULL)
        return jz_report(error, JZ_STATUS_INVALID_OPTION, "cannot watch who is there: changed is NULL");
    return jz_presence_teller_watch(server->teller, watch, number, error);
}

void jz_server_off_presence(jz_server *server, uint64_t number)
{
    jz_presence_remove_watch(server->presence, number);
}

void jz_server_presence_statistics(jz_server *server, jz_presence_statistics *statistics)
{
    *statistics = jz_presence_statistics_of(server->presence);
}
