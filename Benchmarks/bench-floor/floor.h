/* How the floor handles the bytes of one connection. */
#ifndef JAZZY_BENCH_FLOOR_H
#define JAZZY_BENCH_FLOOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    FLOOR_CARRY = 16,    /* bytes before the received ones that must be writable */
    FLOOR_RESPONSE = 256 /* bytes that the answer to a handshake takes at most */
};

typedef struct floor_connection {
    bool is_open;         /* the handshake is done */
    bool is_slow;         /* it was for /slow: each read takes a millisecond */
    uint8_t carry_length; /* bytes of a frame header that was cut by the end of a read */
    uint8_t carry[FLOOR_CARRY];
    uint8_t masking_key[4]; /* of the current frame, rotated so that its first byte is for the next payload byte */
    uint64_t remaining;     /* payload bytes of the frame under way that are still to come */
} floor_connection;

/*
 * Converts received frames, or parts of frames, in place into those to send back: `*output` points to them. Returns
 * their length. Writes to the FLOOR_CARRY bytes before `bytes`.
 */
size_t floor_take_frames(floor_connection *connection, uint8_t *bytes, size_t length, uint8_t **output);

/* Answers a request that came in one piece, and opens the connection. Returns the length of the response. */
size_t floor_take_request(floor_connection *connection, const uint8_t *bytes, size_t length,
                          char response[FLOOR_RESPONSE]);

#endif
