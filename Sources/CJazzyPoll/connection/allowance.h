/*
 * How many messages a connection may still send, if its route limits their rate: a token bucket, counted in thousandths
 * of a message, of which a rate of n per second adds n in each millisecond. So nothing is lost by rounding, however
 * often it is filled.
 *
 * Control frames have an allowance of their own, of the same size: a flood of pings is a flood, too, but no client can
 * help answering our pings, which must not cost it its messages. The pong for a ping of the idle time-out costs
 * nothing.
 */
#ifndef JAZZY_CONNECTION_ALLOWANCE_H
#define JAZZY_CONNECTION_ALLOWANCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "jazzy/options.h"

/* Why a connection is behind (jz_connection.is_behind). */
typedef enum jz_hold {
    JZ_HOLD_WORK = 1, /* its workers, or requests of its handler in the mailbox */
    JZ_HOLD_RATE = 2  /* it has used up its allowance */
} jz_hold;

typedef struct jz_allowance {
    uint64_t filled_ms; /* by the loop's clock */
    int32_t messages;   /* thousandths; below 0 after messages that could not be held back */
    int32_t controls;   /* the same for pings and pongs */
    uint8_t holds;      /* jz_hold: all for which the connection is behind */
} jz_allowance;

/* Begins with a full allowance. */
void jz_allowance_begin(jz_allowance *allowance, const jz_message_rate *rate, uint64_t now_ms);

/* Adds what the rate gives for the time since the last call. */
void jz_allowance_fill(jz_allowance *allowance, const jz_message_rate *rate, uint64_t now_ms);

/* Takes a message of that kind off the allowance. False if there was none left: nothing was taken. */
bool jz_allowance_take(jz_allowance *allowance, jz_message_kind kind);

/* The same even if there is none left: the next one comes as much later. */
void jz_allowance_charge(jz_allowance *allowance, jz_message_kind kind);

/* We have sent a ping of our own accord: its pong may come, whatever the peer has used up. For one pong at a time. */
void jz_allowance_expect_pong(jz_allowance *allowance, const jz_message_rate *rate);

/* The time until there is one for messages of all kinds, since it was filled, in milliseconds; 0 if there is. */
uint32_t jz_allowance_wait_ms(const jz_allowance *allowance, const jz_message_rate *rate);

/* The allowances of a shard's connections, by slot; memory only for the neighbourhoods of slots that have one. */
typedef struct jz_allowances {
    jz_allowance **chunks; /* NULL: of none of its slots */
    size_t chunk_count;
} jz_allowances;

/* Makes room for that slot's. False when there is no memory. */
bool jz_allowances_ensure(jz_allowances *allowances, uint32_t slot);

/* That slot's; NULL if no room was made for it. */
jz_allowance *jz_allowances_at(const jz_allowances *allowances, uint32_t slot);

void jz_allowances_free(jz_allowances *allowances);

#endif
