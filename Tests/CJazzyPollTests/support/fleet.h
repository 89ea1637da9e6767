/*
 * Many clients, all read by one thread, which keeps of each message no more than how it begins: a thousand of them cost
 * little. No function here asserts, so that threads of a test can have fleets.
 */
#ifndef JAZZY_TESTS_FLEET_H
#define JAZZY_TESTS_FLEET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "eventually.h"

enum { FLEET_START = 64 }; /* bytes of a message that are kept */

/* A frame that client `number` was sent; of its payload of `length` bytes the first are at `start`. */
typedef void (*fleet_take)(void *context, size_t number, uint8_t opcode, const uint8_t *start, size_t length);

typedef struct fleet_client {
    int descriptor; /* -1 where there is no connection */
    bool has_ended; /* the server has ended it */
    bool is_read;   /* by fleet_turn */
    uint8_t header[10];
    size_t header_length; /* bytes of it that are there */
    uint8_t start[FLEET_START];
    size_t payload_length;
    size_t payload_taken;
} fleet_client;

typedef struct fleet {
    int poll;
    fleet_client *clients;
    size_t count;
    fleet_take take;
    void *context; /* of `take` */
} fleet;

/* Each of these returns false where something fails or the deadline of eventually.h passes. */

bool fleet_start(fleet *fleet, size_t count, fleet_take take, void *context);

/*
 * Connects client `number` to 127.0.0.1 and opens a WebSocket. `receive_buffer`: bytes that the kernel keeps for this
 * client, and with it few for it on the server's side; 0 for its default.
 */
bool fleet_open(fleet *fleet, size_t number, uint16_t port, const char *path, int receive_buffer);

/* From opening on a client is read, until this says otherwise. */
bool fleet_read(fleet *fleet, size_t number, bool is_read);

/* Sends a whole frame. */
bool fleet_send(fleet *fleet, size_t number, uint8_t opcode, const void *payload, size_t length);

/* Receives for all clients that read; waits a short time for that. */
void fleet_turn(fleet *fleet);

/* Receives until the condition holds; `result`: whether it did before the deadline. */
#define FLEET_TURN_UNTIL(fleet, condition, result)                                                                     \
    do {                                                                                                               \
        uint64_t deadline_ = test_deadline();                                                                          \
        while (!((result) = (condition)) && test_is_before(deadline_))                                                 \
            fleet_turn(fleet);                                                                                         \
    } while (0)

#define assert_turning(fleet, condition)                                                                               \
    do {                                                                                                               \
        bool holds_;                                                                                                   \
        FLEET_TURN_UNTIL(fleet, condition, holds_);                                                                    \
        assert_that(holds_, "in vain: %s", #condition);                                                                \
    } while (0)

void fleet_close(fleet *fleet, size_t number);
void fleet_reset(fleet *fleet, size_t number);
void fleet_finish(fleet *fleet);

#endif
