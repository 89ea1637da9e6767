/*
 * A server whose broker keeps the history of one topic, "room/7", and does what the test says: it delivers what is
 * published at once, or not, and answers when it is told to. A client of "/" that sends a text does
 *
 *   ?            subscribes from nowhere: with the next message
 *   ?<position>  subscribes from there
 *   e<position>  the same, with messages in envelopes
 *   r<number>    subscribes with so many recent messages
 *   +, -         subscribes as others do, unsubscribes
 *   !<text>      publishes
 *   h            holds its loop until it is let go
 *
 * Subscriptions from a position are announced.
 */
#ifndef JAZZY_TESTS_KEEPER_H
#define JAZZY_TESTS_KEEPER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "client.h"
#include "jazzy.h"
#include "jazzy/broker.h"

#define KEEPER_TOPIC "room/7", 6

enum { KEEPER_MOST = 64, KEEPER_LONGEST = 32 };

typedef struct keeper {
    jz_server *server;
    uint16_t port;
    pthread_mutex_t lock; /* of the next three */
    uint64_t epoch;
    uint64_t newest;
    char texts[KEEPER_MOST][KEEPER_LONGEST]; /* by their offsets */
    atomic_int wanted;                       /* 1 while the topic has subscribers here */
    atomic_int most;                         /* more than 1 is an error */
    atomic_size_t fetches;
    _Atomic uint64_t number;   /* of the last */
    atomic_bool is_deaf;       /* what is published is not delivered */
    atomic_bool is_refusing;   /* publications */
    atomic_bool is_unfetching; /* fetches are refused */
    atomic_bool holds;         /* a client has its loop, */
    atomic_bool is_let_go;
    atomic_size_t handled;    /* texts of clients */
    atomic_size_t pending;    /* subscriptions that were, */
    atomic_size_t refused;    /* and that were not done */
    _Atomic int published;    /* the status of the last publication of a client */
    _Atomic uint64_t speaker; /* the connection that was handled last */
} keeper;

/* `kept`: NULL for the defaults. */
void keeper_open(keeper *keeper, const jz_options *options, const jz_history_options *kept);
void keeper_close(keeper *keeper);

/* Connects a client. */
void keeper_connect(keeper *keeper, test_client *client);

/* Connects a client that says something. */
void keeper_come(keeper *keeper, test_client *client, const char *what);

/* The same, for one that comes back at a position. */
void keeper_come_back(keeper *keeper, test_client *client, jz_position since);

/* Says something; and waits until it was handled. */
void keeper_tell(test_client *client, const char *what);
void keeper_say(keeper *keeper, test_client *client, const char *what);

/* Keeps a text as the next, and delivers it if the topic is wanted and the broker is not deaf: on another server. */
void keeper_publish(keeper *keeper, const char *text);

/* Delivers a text that is kept. */
jz_send_status keeper_deliver(keeper *keeper, uint64_t offset);

/* Another epoch begins: nothing is kept. */
void keeper_begin_anew(keeper *keeper);

/* Where the topic is. */
jz_position keeper_end(keeper *keeper);

/* Waits for the fetch of that number, counted from 1. */
void keeper_await_fetch(keeper *keeper, size_t number);

/* Answers a fetch with the last texts up to that offset, at most `count`, or that nothing is known. */
void keeper_answer_to(keeper *keeper, uint64_t number, uint64_t newest, size_t count);
void keeper_answer(keeper *keeper); /* the last one, with all that is kept */
void keeper_fail(keeper *keeper);

/* Takes an announcement. Returns its position. */
jz_position keeper_expect_begin(test_client *client, const char *recovered, size_t count);
void keeper_expect(test_client *client, const char *text);

/* The connection is closed because something was missed. Closes the client. */
void keeper_expect_gap(test_client *client);

#endif
