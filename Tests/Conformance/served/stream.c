#include "stream.h"

#include <stdio.h>

enum { MOST_OF_A_HEADER = 14 };

static void append_request(client_stream *stream, const session_row *row, size_t route)
{
    char request[512];
    const char *offer = row->deflate != NULL ? row->deflate->offer : NULL;
    int length = snprintf(request, sizeof request,
                          "GET /%zu HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                          "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n%s%s%s\r\n",
                          route, offer != NULL ? "Sec-WebSocket-Extensions: " : "", offer != NULL ? offer : "",
                          offer != NULL ? "\r\n" : "");
    assert_in_range(length, 1, sizeof request - 1);
    assert_true(jz_buffer_append(&stream->bytes, request, (size_t)length));
    stream->request_length = (size_t)length;
}

static size_t header_length_of(const test_frame *frame, size_t whole)
{
    if (frame->is_raw)
        return whole < MOST_OF_A_HEADER ? whole : MOST_OF_A_HEADER;
    return whole - frame->payload.total - (frame->close_code != 0 ? 2 : 0);
}

static void append_frame(client_stream *stream, const test_frame *frame)
{
    static const uint8_t key_of_the_rfc[4] = {0x37, 0xFA, 0x21, 0x3D}; /* §5.7 */
    size_t start = stream->bytes.length;
    test_frame_append(&stream->bytes, frame, key_of_the_rfc);
    stream->frames[stream->frame_count++] = (frame_place){start, header_length_of(frame, stream->bytes.length - start)};
}

client_stream client_stream_of(const session_row *row, size_t route)
{
    size_t most = row->steps.count + 1; /* so that none is an allocation of nothing */
    client_stream stream = {.frames = calloc(most, sizeof *stream.frames), .steps = calloc(most, sizeof *stream.steps)};
    assert_true(stream.frames != NULL && stream.steps != NULL);
    append_request(&stream, row, route);
    for (size_t i = 0; i < row->steps.count; i++) {
        const session_step *step = &row->steps.first[i];
        if (step->type == STEP_PEER_SENDS)
            append_frame(&stream, &step->frame);
        else if (step->type != STEP_CONNECTION_END) /* where the stream ends, it does */
            stream.steps[stream.step_count++] = (server_step){stream.bytes.length, step};
    }
    return stream;
}

void client_stream_free(client_stream *stream)
{
    jz_buffer_free(&stream->bytes);
    free(stream->frames);
    free(stream->steps);
}

size_t client_stream_header_length(const client_stream *stream)
{
    size_t longest = 0;
    for (size_t i = 0; i < stream->frame_count; i++) {
        if (stream->frames[i].header_length > longest)
            longest = stream->frames[i].header_length;
    }
    return longest;
}
