/*
 * A broker that keeps the history of one topic for several servers of this process, and has faults, chosen by a seed.
 * It has a queue for each server, in the order in which messages were published, and its own thread, which delivers.
 * What it may do within the rules of jazzy/broker.h: answers come later than newer messages; a server is lost for a
 * while, with all that was on its way to it; messages are lost on their way, with and without being told; publications
 * and questions are refused, or not answered; another epoch begins.
 */
#ifndef JAZZY_TESTS_KEEPING_BROKER_H
#define JAZZY_TESTS_KEEPING_BROKER_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "jazzy/broker.h"
#include "random.h"

enum {
    KEEPING_SERVERS = 3,
    KEEPING_EPOCHS = 64,
    KEEPING_MOST = 4096 /* messages in all */
};

/* What is published: who, and the how manieth. The rest of a message follows from that. */
typedef struct keeping_stamp {
    uint32_t publisher;
    uint32_t number;
} keeping_stamp;

enum { KEEPING_MOST_PADDING = 2600, KEEPING_MOST_LENGTH = sizeof(keeping_stamp) + KEEPING_MOST_PADDING };

/* Writes a message, and returns its length. */
size_t keeping_fill(uint8_t bytes[KEEPING_MOST_LENGTH], keeping_stamp stamp);

struct keeping_broker;

/* On its way to a server. */
typedef struct keeping_item {
    struct keeping_item *next;
    jz_ws except;
    uint64_t number; /* an answer to this question; 0: a message */
    size_t epoch;    /* its place among the epochs */
    uint64_t offset; /* of the message, or of the newest one */
} keeping_item;

typedef struct keeping_member {
    struct keeping_broker *broker;
    jz_server *server;
    bool is_reached;
    bool is_known; /* as the server was told */
    bool is_told;  /* just now */
    bool is_subscribed;
    uint64_t asked; /* a question that was not asked yet; 0: none */
    keeping_item *first;
    keeping_item **end;
} keeping_member;

typedef struct keeping_broker {
    pthread_mutex_t lock;
    pthread_cond_t has_changed;
    pthread_t thread;
    test_random random;
    bool is_ending;
    bool is_calm; /* no faults any more */
    size_t keep;
    size_t epoch;
    uint64_t epochs[KEEPING_EPOCHS];
    uint64_t newest[KEEPING_EPOCHS];
    keeping_stamp *stamps[KEEPING_EPOCHS]; /* by offset */
    keeping_member members[KEEPING_SERVERS];
    size_t losses, renewals, questions, lost;
} keeping_broker;

void keeping_broker_start(keeping_broker *broker, uint64_t seed, size_t keep);
jz_broker keeping_broker_for(keeping_broker *broker, size_t number);

/* From now on there are no faults, and all servers are reached. */
void keeping_broker_calm_down(keeping_broker *broker);

/* Once all of its servers have ended. */
void keeping_broker_finish(keeping_broker *broker);

/* Where the topic is. */
jz_position keeping_broker_end(keeping_broker *broker);

/* The message at a position. False: there is none. */
bool keeping_broker_at(keeping_broker *broker, jz_position position, keeping_stamp *stamp);

#endif
