/*
 * A broker that joins servers of this process as over a network: with a queue from each server to each other, and its
 * own thread, which delivers, and reports lost and found servers. Deliberately, controlled by a seed, it delays
 * messages, serves the servers in another order than they published, and loses connections. It has no list of topics
 * but those of which it was told since it last found a server, and counts wrong calls.
 */
#ifndef JAZZY_TESTS_JOINING_BROKER_H
#define JAZZY_TESTS_JOINING_BROKER_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#include "jazzy/broker.h"
#include "random.h"
#include "topic_set.h"

enum { JOINED_SERVERS = 3 };

struct joining_broker;

/* A publication of one server, in transit to another. */
typedef struct joining_letter {
    struct joining_letter *next;
    jz_message_kind kind;
    size_t topic_length;
    size_t length;
    char bytes[]; /* the topic, then the payload */
} joining_letter;

/* One of the servers. All of it is guarded by the broker's lock. */
typedef struct joining_member {
    struct joining_broker *broker;
    jz_server *server; /* NULL before it was started, and when it is stopped */
    bool is_reached;
    bool is_known; /* whether it is connected, as last reported to the server */
    bool is_told;  /* it is told just now */
    topic_set topics;
    joining_letter *first[JOINED_SERVERS]; /* to this server, by publishing server */
    joining_letter *last[JOINED_SERVERS];
    size_t delivered[JOINED_SERVERS];
} joining_member;

typedef struct joining_broker {
    pthread_mutex_t lock;
    pthread_cond_t has_changed;
    pthread_t thread;
    bool is_ending;
    joining_member members[JOINED_SERVERS];
    test_random random;
    unsigned losses_in_thousand;
    bool is_ordered; /* servers are delivered their own messages, too. Set before a server joins */
    size_t waiting;  /* letters */
    size_t lost;
    size_t errors; /* a topic came that was there, or one went that was not there; or a call at no time for it */
} joining_broker;

void joining_broker_start(joining_broker *broker, uint64_t seed, unsigned losses_in_thousand);

/* Once all of its servers have ended. Asserts that no call was an error. */
void joining_broker_finish(joining_broker *broker);

/* For jz_server_join of one of the servers. */
jz_broker joining_broker_for(joining_broker *broker, size_t number);

/* Loses a server, with all messages in transit, or finds it again. The broker's thread reports this to the server. */
void joining_broker_reach(joining_broker *broker, size_t number, bool is_reached);

/* Whether all that was published was delivered, or lost. */
bool joining_broker_is_idle(joining_broker *broker);

size_t joining_broker_topic_count(joining_broker *broker, size_t number);
bool joining_broker_has_topic(joining_broker *broker, size_t number, const char *topic, size_t length);

/* How many publications of one server another was delivered. */
size_t joining_broker_delivered(joining_broker *broker, size_t from, size_t to);

#endif
