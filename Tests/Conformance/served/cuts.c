#include "cuts.h"

#include <stdio.h>

/*
 * The longest stream that is cut at every byte; and how many frames at either end are cut: if there are more, those
 * between are all equal.
 */
enum { LONGEST_BYTEWISE = 1024, FRAMES_CUT_AT_ENDS = 32, READS_OF_LARGE = 32 };

static void add_manner(manner manners[MOST_MANNERS], size_t *count, cutting cutting, size_t offset)
{
    assert_in_range(*count, 0, MOST_MANNERS - 1);
    manners[(*count)++] = (manner){cutting, offset};
}

size_t manners_of(const client_stream *stream, size_t receive_buffer_size, manner manners[MOST_MANNERS])
{
    size_t count = 0;
    bool has_several = stream->frame_count > 1;
    size_t length = stream->bytes.length - stream->request_length;
    size_t header_length = client_stream_header_length(stream);
    /* Cut into many reads anyway: the header's last byte, and below all of them, will do. */
    size_t first_offset = length / receive_buffer_size < READS_OF_LARGE ? 1 : header_length - 1;
    if (stream->step_count == 0) { /* a step of the server's is behind its answer */
        add_manner(manners, &count, WITH_REQUEST, 0);
        add_manner(manners, &count, BEHIND_LAST_OF_HEAD, 0);
    }
    add_manner(manners, &count, BEHIND_REQUEST, 0);
    if (has_several)
        add_manner(manners, &count, BEFORE_FRAMES, 0);
    for (size_t offset = first_offset; offset <= header_length; offset++) {
        add_manner(manners, &count, WITHIN_HEADERS, offset);
        if (has_several)
            add_manner(manners, &count, WITHIN_AND_BEFORE, offset);
    }
    add_manner(manners, &count, HEADERS_BYTEWISE, 0);
    if (length > 0 && length <= LONGEST_BYTEWISE)
        add_manner(manners, &count, stream->step_count == 0 ? EVERY_BYTE_OF_ALL : EVERY_BYTE, 0);
    return count;
}

void describe_manner(const manner *manner, char text[MANNER_TEXT_SIZE])
{
    static const char *const texts[] = {[WITH_REQUEST] = "everything in one read",
                                        [BEHIND_LAST_OF_HEAD] = "cut before the request's last byte",
                                        [BEHIND_REQUEST] = "all frames in one read",
                                        [BEFORE_FRAMES] = "each frame in a read",
                                        [WITHIN_HEADERS] = "headers cut, frames merged, offset",
                                        [WITHIN_AND_BEFORE] = "headers cut, frames for themselves, offset",
                                        [HEADERS_BYTEWISE] = "headers byte by byte",
                                        [EVERY_BYTE] = "frames byte by byte",
                                        [EVERY_BYTE_OF_ALL] = "everything byte by byte"};
    snprintf(text, MANNER_TEXT_SIZE, "%s %zu", texts[manner->cutting], manner->offset);
}

static bool is_within(const manner *manner)
{
    return manner->cutting == WITHIN_HEADERS || manner->cutting == WITHIN_AND_BEFORE;
}

static void add(cuts *cuts, size_t position)
{
    if (cuts->count == 0 || cuts->positions[cuts->count - 1] < position)
        cuts->positions[cuts->count++] = position;
}

static void add_every_byte(cuts *cuts, size_t from, size_t to)
{
    for (size_t position = from; position < to; position++)
        add(cuts, position);
}

static void add_of_frame(cuts *cuts, const manner *manner, const frame_place *frame)
{
    if (manner->cutting == BEFORE_FRAMES || manner->cutting == WITHIN_AND_BEFORE)
        add(cuts, frame->start);
    if (is_within(manner) && manner->offset <= frame->header_length)
        add(cuts, frame->start + manner->offset);
    if (manner->cutting == HEADERS_BYTEWISE)
        add_every_byte(cuts, frame->start, frame->start + frame->header_length);
}

cuts cuts_of(const client_stream *stream, const manner *manner)
{
    size_t length = stream->bytes.length;
    bool is_bytewise = manner->cutting == EVERY_BYTE || manner->cutting == EVERY_BYTE_OF_ALL;
    size_t most = is_bytewise ? length : 2 + stream->frame_count * (1 + client_stream_header_length(stream));
    cuts cuts = {calloc(most, sizeof *cuts.positions), 0};
    assert_non_null(cuts.positions);
    if (manner->cutting == BEHIND_LAST_OF_HEAD)
        add(&cuts, stream->request_length - 1);
    else if (manner->cutting == EVERY_BYTE_OF_ALL)
        add_every_byte(&cuts, 1, length);
    else if (manner->cutting != WITH_REQUEST)
        add(&cuts, stream->request_length);
    if (manner->cutting == EVERY_BYTE)
        add_every_byte(&cuts, stream->request_length, length);
    for (size_t i = 0; i < stream->frame_count; i++) {
        if (i < FRAMES_CUT_AT_ENDS || i + FRAMES_CUT_AT_ENDS >= stream->frame_count)
            add_of_frame(&cuts, manner, &stream->frames[i]);
    }
    add(&cuts, length);
    return cuts;
}

void cuts_free(cuts *cuts)
{
    free(cuts->positions);
}
