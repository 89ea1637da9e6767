/* What the floor does with the bytes of one connection. */
#ifndef JAZZY_BENCH_FLOOR_H
#define JAZZY_BENCH_FLOOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    FLOOR_CARRY = 16,    /* bytes that have to be writable before those that were received */
    FLOOR_RESPONSE = 256 /* bytes that the answer to a handshake takes at most */
};

typedef struct floor_connection {
    bool is_open;         /* the handshake is done */
    uint8_t carry_length; /* bytes of a frame header that was cut by the end of a read */
    uint8_t carry[FLOOR_CARRY];
    uint8_t masking_key[4]; /* of the frame under way, turned so that its first byte is the next one's */
    uint64_t remaining;     /* payload bytes of the frame under way that are still to come */
} floor_connection;

/*
 * Turns the frames, or parts of frames, that were received into those that go back, in place: `*output` is where they
 * are. Returns their length. FLOOR_CARRY bytes before `bytes` are written to.
 */
size_t floor_take_frames(floor_connection *connection, uint8_t *bytes, size_t length, uint8_t **output);

/* Answers a request that came in one piece, and opens the connection. Returns the length of the response. */
size_t floor_take_request(floor_connection *connection, const uint8_t *bytes, size_t length,
                          char response[FLOOR_RESPONSE]);

#endif
