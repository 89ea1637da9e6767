/*
 * A handler for servers that run out of memory: it sends, subscribes, publishes and keeps state as messages say, and
 * checks that each connection's events are in order in any case. It asserts nothing; the test queries it.
 */
#ifndef JAZZY_TESTS_WITNESS_H
#define JAZZY_TESTS_WITNESS_H

#include <pthread.h>
#include <stdatomic.h>

#include "jazzy.h"

enum { WITNESSED_CONNECTIONS = 16, FLOOD_MESSAGES = 128, FLOOD_MESSAGE_SIZE = 32 * 1024 };

typedef struct witness {
    pthread_mutex_t lock;
    struct {
        jz_ws ws;
        bool has_error;
        bool is_closed;
    } connections[WITNESSED_CONNECTIONS]; /* guarded by `lock`; in the order in which they were opened */
    size_t count;
    atomic_size_t closes;
    atomic_size_t wrong;    /* events out of order */
    atomic_size_t states;   /* that were made and not released */
    atomic_size_t floods;   /* that were sent, or dropped */
    atomic_size_t accepted; /* messages of floods that were not dropped */
    bool is_slow;           /* it blocks for a moment, as handlers on workers may, so that events wait for it */
} witness;

/* Gives a new witness, to be followed by others of the same process: there is one at a time. */
witness *witness_begin(bool is_slow);

/* The route options that it needs besides the defaults. */
void witness_configure(jz_route_options *options);

/*
 * The handler; its context is the witness. Told "flood" it sends much, and "publish" it publishes to the topic to which
 * every connection subscribes when it opens. Any other text or binary message is sent back.
 */
void witness_handle(void *context, jz_ws ws, const jz_event *event, const jz_message *message);

/* The n-th connection that was opened; zero is none. */
jz_ws witness_connection(witness *witness, size_t number);

#define WITNESS_TOPIC "everyone"

#endif
