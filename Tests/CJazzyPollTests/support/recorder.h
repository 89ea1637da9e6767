/*
 * A broker that records its calls, with a server: two loops unless the options say otherwise, and a WebSocket route,
 * "/", whose handler does what a message says, and answers "done" in a binary message:
 *
 *   "+news" subscribes, "-news" unsubscribes, "news" publishes itself to the topic of that name
 *
 * When a connection is closed it publishes "left" to "news".
 */
#ifndef JAZZY_TESTS_RECORDER_H
#define JAZZY_TESTS_RECORDER_H

#include <pthread.h>
#include <stdatomic.h>

#include "client.h"
#include "jazzy.h"
#include "jazzy/broker.h"
#include "topic_set.h"

struct recorder;
typedef void (*recorder_act)(struct recorder *recorder);

typedef struct recorder {
    pthread_mutex_t lock; /* of `topics` */
    topic_set topics;
    bool has_no_memory; /* it counts them only */
    atomic_size_t topic_count;
    jz_server *server;
    bool is_lost_at_first; /* it does not reach the others when it starts */
    jz_status start_status;
    const char *start_message; /* where that is not JZ_OK */
    _Atomic jz_send_status publish_status;
    atomic_size_t starts;
    atomic_size_t stops;
    atomic_size_t publications;
    atomic_size_t calls_under_way;
    atomic_size_t errors;            /* calls that should not have come, or not then */
    void (*grow)(jz_broker *broker); /* adds what is optional to its table, or NULL */
    _Atomic(recorder_act) within;    /* called within its functions, or NULL */
    atomic_size_t delivered;         /* by that */
    atomic_size_t dropped;
    atomic_size_t fail_after; /* allocations of the next subscription; SIZE_MAX: all succeed */
    _Atomic jz_send_status last_status;
    _Atomic jz_ws last_speaker; /* before its answer */
} recorder;

/* The table of a broker whose context is a recorder, which must be all zero, except for what it should do. */
jz_broker recorder_broker(recorder *recorder);

/* A server that listens, but does not run yet. `options` NULL: two loops. */
jz_server *recorder_create(recorder *recorder, const jz_options *options);

/* The same, and runs it. */
jz_server *recorder_run(recorder *recorder, const jz_options *options);

/* Destroys the server, and checks what must be true for every broker at its end. */
void recorder_finish(recorder *recorder, jz_server *server);

void recorder_open(test_client *client, const jz_server *server);

/* Sends it to the handler, and returns the result. */
jz_send_status recorder_say(recorder *recorder, test_client *client, const char *text);

#endif
