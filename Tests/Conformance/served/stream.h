/* What a client sends to play a row: the request, then the row's frames. */
#ifndef JAZZY_CONFORMANCE_STREAM_H
#define JAZZY_CONFORMANCE_STREAM_H

#include "../topic.h"

typedef struct frame_place {
    size_t start;         /* in the stream */
    size_t header_length; /* for bytes that are no frame, the longest possible header */
} frame_place;

/* A step of the row that is the server's. */
typedef struct server_step {
    size_t position; /* bytes before it in the stream */
    const session_step *step;
} server_step;

typedef struct client_stream {
    jz_buffer bytes;
    size_t request_length;
    frame_place *frames;
    size_t frame_count;
    server_step *steps;
    size_t step_count;
} client_stream;

/* The request asks for the route of this number: see player.h. */
client_stream client_stream_of(const session_row *row, size_t route);
void client_stream_free(client_stream *stream);

/* The longest header. */
size_t client_stream_header_length(const client_stream *stream);

#endif
