/*
 * The seats of one shard's connections: of which topics they are members (pubsub/presence.h), found by the connection
 * and the topic, and all of one connection. Who has a seat has subscribed to its topic. Only the shard's own thread
 * uses them; plain subscriptions do not.
 */
#ifndef JAZZY_PUBSUB_SEATS_H
#define JAZZY_PUBSUB_SEATS_H

#include <stdbool.h>

#include "codec/text.h"
#include "connection/connection.h"
#include "pubsub/presence.h"

typedef struct jz_seats jz_seats;

/* What a seat takes, about, and with what the allocator takes. */
enum { JZ_SEAT_COST = 136 };

/* NULL when there is no memory. */
jz_seats *jz_seats_create(jz_presence *presence);

/* Nobody has a seat any more. NULL does nothing. */
void jz_seats_free(jz_seats *seats);

/*
 * Gives the connection the seat of an attendee, which it has entered as. If it had one in the same topic, it leaves
 * that. False: no memory, and the attendee is still the caller's.
 */
bool jz_seats_take(jz_seats *seats, jz_connection *connection, jz_attendee *attendee);

/* Leaves the connection's seat in a topic, if it has one. */
void jz_seats_leave(jz_seats *seats, const jz_connection *connection, jz_text topic);

void jz_seats_leave_all(jz_seats *seats, const jz_connection *connection);

#endif
