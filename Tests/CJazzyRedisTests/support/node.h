/*
 * A server with Redis as its broker, and one client of it. Its route subscribes a client to what it writes ("+news"),
 * unsubscribes it ("-news"), which it answers with the same, and publishes on its behalf ("news=text"). "@news" and
 * "@news <position>" subscribe it with the announcement, from a position. After what ends with "!" it does not return.
 */
#ifndef JAZZY_TESTS_NODE_H
#define JAZZY_TESTS_NODE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "jazzy.h"
#include "jazzy/redis.h"
#include "support/client.h"

enum { NODE_TEXT_SIZE = 16384 };

typedef struct node {
    jz_redis *redis;
    jz_server *server;
    test_client client;
    pthread_mutex_t lock;
    char gaps[NODE_TEXT_SIZE]; /* guarded by `lock`: the topics of which a gap was told, each with a space behind */
    char log[NODE_TEXT_SIZE];  /* guarded by `lock`: the lines of the broker's log */
    atomic_size_t gap_count;
    atomic_bool is_blocked;  /* set by a client that says so: its loop does nothing until a test clears it */
    size_t mailbox_limit;    /* of its server; 0: the default */
    bool has_history;        /* its topics keep what is published, */
    jz_history_options kept; /* so much of it; `keep` 0: the defaults */
} node;

/* Short times, and the log of the node. */
jz_redis_options node_options(node *node, const char *url);

/* Starts it, without a client. OK, or the error of the start. */
jz_status node_try(node *node, const jz_redis_options *options, jz_error *error);

/* The same, where it has to succeed, and with a client. */
void node_start(node *node, const jz_redis_options *options);

/* Stops and frees it. */
void node_finish(node *node);

/* Has the client subscribe, and waits until the topic is live. */
void node_subscribe(node *node, const char *topic);
void node_unsubscribe(node *node, const char *topic);

/* How a subscription from a position has begun, as the client is told. */
typedef struct node_beginning {
    char epoch[20];
    unsigned long long offset;
    bool has_recovered;
    size_t count;
} node_beginning;

/* Has the client, or any other one, continue behind `since`, "" for what comes next; and hears how that begins. */
node_beginning node_continue(node *node, const char *topic, const char *since);
void node_ask_to_continue(test_client *client, const char *topic, const char *since);
node_beginning node_hear_beginning(test_client *client);

/* The position behind so many messages that were received since then; until the next call. */
const char *node_position(const node_beginning *beginning, unsigned long long received);

/* The next that the client hears is the close frame of who is to come back; and it comes back. */
bool node_is_told_to_come_back(node *node);
void node_come_back(node *node);

/* Publishes from no connection. */
jz_send_status node_publish(node *node, const char *topic, const char *text);

/*
 * Publishes it, and looks for a moment whether it arrives, among others: for assert_eventually, where it may meet a
 * connection that is just being made, or a loop that is behind.
 */
bool node_reaches(node *from, node *to, const char *topic, const char *text);

/* The next message that the client receives, in the order in which it came. */
void node_expect(node *node, const char *text);

/* The client has received nothing else: what is published now is the next. */
void node_expect_nothing_else(node *node, const char *topic);

bool node_is_live(node *node, const char *topic);
jz_redis_statistics node_statistics(node *node);

/* How often a gap of the topic was told; whether the log has a line with this text in it. */
size_t node_gaps_of(node *node, const char *topic);
bool node_logged(node *node, const char *text);

#endif
