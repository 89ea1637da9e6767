/*
 * The company of a server: other servers that a broker joins with it, its *companions*, and the members of topics that
 * they have. So that every server knows the members of all (jazzy/presence.h), the companies tell each other of changes
 * (pubsub/company_message.h) on topics that nobody else has, and nothing is kept anywhere but in the servers.
 *
 *   - A topic that this server is interested in gets a *room*: its hidden topic is subscribed, and a HELLO asks the
 *     others for snapshots of their own members. It is closed when nobody has been interested for 60 seconds.
 *   - What changes here is told every 250 ms at most, all together and numbered. Who misses a number, in CHANGES or in
 * a HELLO, asks that server for a snapshot. While a large snapshot goes out in pieces, changes wait behind it.
 *   - Every 3 seconds a BEAT says that this server runs. Of a companion that was not heard of for 12 seconds, or has
 *     said BYE, all members leave; it is remembered for a while, so that they come back if it does.
 *   - When messages may have been lost (the broker was, this process stood still, a beat was not accepted) a HELLO in
 *     each room says how it is here, and has the others say the same.
 *
 * Measured with 100,000 members of one topic who come at the same time, with infos of 50 bytes: they are told in 227
 * messages, in which each takes 74 bytes; telling takes 0.07 µs each, and another server 0.85 µs and 312 bytes to know
 * it, of which the limit counts 327. A minute in which nothing changes costs each server 20 messages.
 *
 * What comes from the broker is believed only as far as it is well-formed: it costs memory within the limit of presence
 * and can neither fail nor block anything. However long it takes here, no lock is held for more than about a
 * millisecond of it.
 *
 * All functions are called on one thread, the company's. With others it shares what presence has, under its locks. No
 * lock is held while the bus is called.
 */
#ifndef JAZZY_PUBSUB_PRESENCE_COMPANY_H
#define JAZZY_PUBSUB_PRESENCE_COMPANY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "codec/text.h"
#include "pubsub/company_message.h"
#include "pubsub/presence.h"

enum {
    JZ_COMPANY_WINDOW_MS = 250,
    JZ_COMPANY_TICK_MS = 1000,
    JZ_COMPANY_BEAT_MS = 3000,
    JZ_COMPANY_SILENCE_MS = 12000, /* after which a companion has gone */
    JZ_COMPANY_LINGER_MS = 60000,  /* that a topic stays of interest */
    JZ_COMPANY_AWAY_MS = 600000,   /* that a companion which has gone is remembered */
    JZ_COMPANY_MOST = 1024         /* companions */
};

/* How a company reaches the others. */
typedef struct jz_company_bus {
    void *context;
    bool (*publish)(void *context, jz_text topic, const void *bytes, size_t length); /* false: it was not accepted */
    bool (*subscribe)(void *context, jz_text topic);                                 /* false: no memory */
    void (*unsubscribe)(void *context, jz_text topic);
} jz_company_bus;

typedef struct jz_company jz_company;

/* Before there are members. `presence` must outlive it. NULL when there is no memory. */
jz_company *jz_company_create(jz_presence *presence, const jz_company_bus *bus);

/* Ends it, if that was not done, and tells nobody. NULL does nothing. */
void jz_company_destroy(jz_company *company);

/*
 * `ring` is called from any thread, perhaps under a lock of presence, when there is something to do for the next turn:
 * once until that. Before there are members.
 */
void jz_company_set_bell(jz_company *company, void (*ring)(void *context), void *context);

/* Whether a message is this server's own, which the broker has brought back. From any thread. */
bool jz_company_is_own(const jz_company *company, const void *bytes, size_t length);

/* Takes a message from the broker, whatever it is. */
void jz_company_take(jz_company *company, jz_text topic, const void *bytes, size_t length, uint64_t now_ms);

/* Messages to one of the hidden topics, or to all of them, may have been lost. */
void jz_company_missed(jz_company *company, jz_text topic);
void jz_company_missed_all(jz_company *company);

/* From any thread: a message was not even taken. */
void jz_company_note_not_kept(jz_company *company);

/* Sends what there is to send. */
void jz_company_turn(jz_company *company, uint64_t now_ms);

/* To be called every JZ_COMPANY_TICK_MS while there are rooms, before a turn. */
void jz_company_tick(jz_company *company, uint64_t now_ms);
bool jz_company_has_rooms(const jz_company *company);

/*
 * Whether there is something to send in a turn, a window later, apart from what is rung for. What the bus did not
 * accept waits for the next tick.
 */
bool jz_company_is_busy(const jz_company *company);

/* The server ends, and has no members any more: says so, and forgets those of the others. */
void jz_company_end(jz_company *company);

#endif
