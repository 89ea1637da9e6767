/* The ways in which a stream is cut into a server's reads. */
#ifndef JAZZY_CONFORMANCE_CUTS_H
#define JAZZY_CONFORMANCE_CUTS_H

#include "stream.h"

typedef enum cutting {
    WITH_REQUEST,        /* one read brings everything */
    BEHIND_LAST_OF_HEAD, /* the request but for its last byte; everything else */
    BEHIND_REQUEST,      /* the request; all frames */
    BEFORE_FRAMES,       /* each frame */
    WITHIN_HEADERS,      /* headers are cut behind their first `offset` bytes: each read has the rest of a frame and the
                            beginning of the next */
    WITHIN_AND_BEFORE,   /* the same, but the rest of each frame is a read of its own */
    HEADERS_BYTEWISE,    /* every byte of every header; payloads whole, with the last byte of their header */
    EVERY_BYTE,
    EVERY_BYTE_OF_ALL /* of the request as well */
} cutting;

typedef struct manner {
    cutting cutting;
    size_t offset;
} manner;

enum { MOST_MANNERS = 40, MANNER_TEXT_SIZE = 80 };

/* Those that make a difference for this stream and this server. Returns how many. */
size_t manners_of(const client_stream *stream, size_t receive_buffer_size, manner manners[MOST_MANNERS]);

void describe_manner(const manner *manner, char text[MANNER_TEXT_SIZE]);

/* Where a stream is cut: positions in ascending order, its end the last. */
typedef struct cuts {
    size_t *positions;
    size_t count;
} cuts;

cuts cuts_of(const client_stream *stream, const manner *manner);
void cuts_free(cuts *cuts);

#endif
