/*
 * Three servers, each with two loops, whose topics a broker joins (joining_broker.h), and their clients: four for each
 * server, one for each loop and each jz_execution. A handler subscribes and unsubscribes as a text says ("+topic/1"),
 * which it answers, and publishes binary messages.
 */
#ifndef JAZZY_TESTS_JOINED_H
#define JAZZY_TESTS_JOINED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fleet.h"
#include "jazzy.h"
#include "joining_broker.h"
#include "log_lines.h"

enum { JOINED_LOOPS = 2, JOINED_TOPICS = 4, JOINED_CLIENTS = 12, JOINED_PUBLISHERS = JOINED_CLIENTS + JOINED_SERVERS };

/* A publication, by a client or, with a number from JOINED_CLIENTS on, by a thread beside a server. */
typedef struct stamp {
    uint32_t topic;
    uint32_t publisher;
    uint32_t number;
} stamp;

/* What the clients have received. */
typedef struct receipts {
    size_t answers;
    size_t ends; /* texts "end" */
    size_t total;
    size_t counts[JOINED_CLIENTS][JOINED_PUBLISHERS][JOINED_TOPICS];
    uint32_t next[JOINED_CLIENTS][JOINED_PUBLISHERS][JOINED_TOPICS];
    size_t disorders;
    size_t gaps;
} receipts;

typedef struct joined {
    joining_broker broker;
    jz_server *servers[JOINED_SERVERS];
    log_lines logs[JOINED_SERVERS];
    fleet fleet;
    receipts receipts;
} joined;

joined *joined_set_up(uint64_t seed, unsigned losses_in_thousand);
void joined_tear_down(joined *joined);

/* Writes the name of a topic, and returns its length. */
size_t joined_topic(uint32_t topic, char name[16]);

/* The server that a client is connected to. */
size_t joined_server_of(size_t client);

/* Has a client subscribe ('+') or unsubscribe ('-'). */
void joined_ask(joined *joined, size_t client, char what, uint32_t topic);

/* Half of the clients of each server want a topic, and subscribe to it here. */
bool joined_wants(size_t client, size_t topic);
void joined_subscribe_all(joined *joined);

#endif
