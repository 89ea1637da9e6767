/*
 * A server with a hall: clients of "/in" subscribe to its topic, "room". A client of "/speak" does not; its message
 * makes its handler do what the test says. The clients are a fleet, which notes how each was closed.
 */
#ifndef JAZZY_TESTS_HALL_H
#define JAZZY_TESTS_HALL_H

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "fleet.h"
#include "jazzy.h"

#define HALL_ROOM "room", 4

enum { HALL_MOST = 1024 };

typedef struct hall {
    jz_server *server;
    pthread_mutex_t lock;
    jz_ws members[HALL_MOST]; /* in the order in which they have subscribed */
    atomic_size_t count;
    jz_ws speaker;
    atomic_bool has_spoken;
    void (*speak)(struct hall *hall); /* on the speaker's loop; asserts nothing */
    atomic_size_t closes;
    atomic_size_t closed_by_application;

    fleet fleet; /* clients 0 to size - 1 are members, the next one speaks */
    size_t size;
    size_t texts[HALL_MOST];
    uint16_t codes[HALL_MOST]; /* of close frames */
    size_t closed;
    size_t enough;    /* of them with the reason "enough" */
    size_t disorders; /* frames after a close frame */
} hall;

/* Starts the server, and opens its clients: on one loop they subscribe in their order. Clears what was there. */
void hall_open(hall *hall, uint32_t loops, size_t size, void (*speak)(struct hall *hall));

/* Lets the speaker speak, and waits until it has. */
void hall_let_speak(hall *hall);

/* Lets all members end their connections, as clients do that were closed; waits for their close events. */
void hall_leave(hall *hall);

/* Closes the clients, and destroys the server. */
void hall_finish(hall *hall);

/* How many members are open, and how many have a close frame with this code. From any thread. */
size_t hall_open_members(const hall *hall);
size_t hall_closed_with(const hall *hall, uint16_t code);

#endif
