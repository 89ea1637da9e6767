/* Parses a client's input as a client does, and compares it with what the server accepted for sending. */
#ifndef JAZZY_DRIVER_PEER_READER_H
#define JAZZY_DRIVER_PEER_READER_H

#include <zlib.h>

#include "peer.h"

/*
 * Equal messages can be distinguished only by later ones: the positions among the expected messages where the next may
 * be.
 */
enum { PEER_READER_PLACES = 64 };

typedef struct peer_places {
    size_t all[PEER_READER_PLACES]; /* ascending */
    size_t count;
} peer_places;

typedef struct peer_reader {
    size_t position; /* in what came */
    bool has_head;
    int status; /* of the response; 0 before it came */
    bool agreed_on_deflate;
    z_stream inflater;
    jz_buffer message; /* inflated */
    peer_places places;
    size_t next_ping; /* of the client's, which a pong may be for */
    bool has_close;
    uint16_t close_code;
    size_t data_count;
} peer_reader;

void peer_reader_init(peer_reader *reader);
void peer_reader_free(peer_reader *reader);

/*
 * Continues to parse all that arrived so far. Requires a response and then valid frames of a server; the expected
 * messages, in order, none missing except those that may be; and nothing behind a close frame.
 */
void peer_reader_read(peer_reader *reader, const peer *peer, const uint8_t *bytes, size_t length);

/* Whether nothing of a frame, or of the response, is missing. */
bool peer_reader_is_between_frames(const peer_reader *reader, size_t length);

/* Whether all that is due has come. */
bool peer_reader_has_all(const peer_reader *reader, const peer *peer);

#endif
