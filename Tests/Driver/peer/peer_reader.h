/* What came to a client, read as a client reads it, and compared with what was accepted to be sent. */
#ifndef JAZZY_DRIVER_PEER_READER_H
#define JAZZY_DRIVER_PEER_READER_H

#include <zlib.h>

#include "peer.h"

/* Messages that are alike may be told apart only by what follows: where among the dues the next may be. */
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
 * Reads on, from everything that came so far. Requires that it is a response and then frames as a server may send them,
 * that messages are those due, in order, none left out but those that may be missing, and that nothing follows a close.
 */
void peer_reader_read(peer_reader *reader, const peer *peer, const uint8_t *bytes, size_t length);

/* Whether nothing of a frame, or of the response, is missing. */
bool peer_reader_is_between_frames(const peer_reader *reader, size_t length);

/* Whether all that is due has come. */
bool peer_reader_has_all(const peer_reader *reader, const peer *peer);

#endif
