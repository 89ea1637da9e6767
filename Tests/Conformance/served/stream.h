/* What a client sends to have a row played: the request, then the row's frames. */
#ifndef JAZZY_CONFORMANCE_STREAM_H
#define JAZZY_CONFORMANCE_STREAM_H

#include "../topic.h"

typedef struct frame_place {
    size_t start;         /* in the stream */
    size_t header_length; /* of bytes that are no frame what a header can have at most */
} frame_place;

/* A step of the row that is the server's. */
typedef struct server_step {
    size_t position; /* what the stream has before it */
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
