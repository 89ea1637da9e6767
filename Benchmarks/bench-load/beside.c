#define _GNU_SOURCE

#include "beside.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "connection.h"
#include "fail.h"
#include "payload.h"
#include "process.h"

enum {
    PERIOD_NS = 100 * 1000 * 1000, /* of what happens ten times a second */
    PIECE = 64 * 1024,             /* bytes sent or received at once */
    MOST_CONNECTS = 4,             /* begun in one step */
    REQUEST = 1024,
    SENT_HEADER = 10, /* bytes of the header of a message with more than 64 KiB */
    FIRST_NUMBER = 50000
};

/* A connection that has one message after the other echoed, or answered. */
typedef struct repeated {
    int descriptor; /* -1: there is none */
    const uint8_t *bytes;
    size_t length;
    size_t unsent;
    size_t answer; /* bytes of each answer; 0: whatever comes is one */
    size_t awaited;
    uint64_t due; /* when the next is sent */
    uint64_t period;
    size_t done;
} repeated;

struct beside {
    const settings *settings;
    uint64_t began;
    frames large_frames;
    frames slow_frames;
    repeated large;
    repeated slow;
    repeated page;
    int *others; /* descriptors of those that have connected */
    size_t other_count;
    size_t other_capacity;
    size_t answered; /* of them, the oldest that have their WebSocket */
    char request[REQUEST];
    size_t request_length;
    char page_request[REQUEST];
};

static repeated repeat(const settings *settings, const char *path, const uint8_t *bytes, size_t length)
{
    struct settings own = *settings;
    own.path = path;
    connection connection = connection_open(&own, FIRST_NUMBER);
    return (repeated){.descriptor = connection.descriptor, .bytes = bytes, .length = length};
}

beside *beside_create(const settings *settings, double seconds)
{
    beside *beside = calloc(1, sizeof *beside);
    if (beside == NULL)
        fail("no memory");
    beside->settings = settings;
    beside->large.descriptor = beside->slow.descriptor = beside->page.descriptor = -1;
    if (settings->large > 0) {
        beside->large_frames = frames_create(PAYLOAD_BINARY, settings->large, false, 1);
        beside->large = repeat(settings, "/echo", beside->large_frames.bytes, beside->large_frames.ends[0]);
        beside->large.answer = settings->large + (settings->large > UINT16_MAX ? SENT_HEADER : 4);
    }
    if (settings->slow != NULL) {
        beside->slow_frames = frames_create(PAYLOAD_BINARY, settings->size, false, 1);
        beside->slow = repeat(settings, settings->slow, beside->slow_frames.bytes, beside->slow_frames.ends[0]);
        beside->slow.period = PERIOD_NS;
    }
    if (settings->page != NULL) {
        int length =
            snprintf(beside->page_request, REQUEST, "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", settings->page);
        beside->page = (repeated){.descriptor = begin_connecting(settings, FIRST_NUMBER),
                                  .bytes = (const uint8_t *)beside->page_request,
                                  .length = (size_t)length,
                                  .period = PERIOD_NS};
    }
    beside->other_capacity = (size_t)((double)settings->connects * seconds) + 1;
    beside->others = calloc(beside->other_capacity, sizeof *beside->others);
    if (beside->others == NULL)
        fail("no memory for %zu connections", beside->other_capacity);
    beside->request_length = write_request(settings, beside->request, REQUEST);
    beside->began = clock_ns();
    return beside;
}

static bool is_to_be_tried_again(ssize_t result)
{
    return result < 0 && (errno == EAGAIN || errno == ENOTCONN);
}

static void receive_answer(repeated *repeated)
{
    /* Discarded by the kernel (tcp(7), MSG_TRUNC): this program has other things to do. */
    ssize_t count = recv(repeated->descriptor, NULL, PIECE, MSG_TRUNC | MSG_DONTWAIT);
    if (is_to_be_tried_again(count))
        return;
    if (count <= 0)
        fail("the server ended the connection that disturbs it");
    if (repeated->answer == 0)
        repeated->awaited = 0;
    else if ((size_t)count > repeated->awaited)
        fail("the server sent more to the connection that disturbs it than it was sent");
    else
        repeated->awaited -= (size_t)count;
    repeated->done += repeated->awaited == 0;
}

static void send_piece(repeated *repeated)
{
    size_t length = repeated->unsent < PIECE ? repeated->unsent : PIECE;
    ssize_t sent = send(repeated->descriptor, repeated->bytes + repeated->length - repeated->unsent, length,
                        MSG_NOSIGNAL | MSG_DONTWAIT);
    if (is_to_be_tried_again(sent))
        return;
    if (sent < 0)
        fail("the server ended the connection that disturbs it: %s", strerror(errno));
    repeated->unsent -= (size_t)sent;
}

static void step(repeated *repeated, uint64_t now)
{
    if (repeated->descriptor < 0)
        return;
    if (repeated->unsent == 0 && repeated->awaited == 0 && now >= repeated->due) {
        repeated->unsent = repeated->length;
        repeated->awaited = repeated->answer > 0 ? repeated->answer : 1;
        repeated->due = now + repeated->period;
    }
    if (repeated->unsent > 0)
        send_piece(repeated);
    if (repeated->awaited > 0)
        receive_answer(repeated);
}

static void connect_another(beside *beside)
{
    int descriptor = begin_connecting(beside->settings, FIRST_NUMBER + beside->other_count);
    /* Over loopback it is connected already, if the server's backlog is not full. */
    ssize_t sent = send(descriptor, beside->request, beside->request_length, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent != (ssize_t)beside->request_length)
        fail("the server does not accept others as fast as they connect: %s", strerror(errno));
    beside->others[beside->other_count++] = descriptor;
}

/* Whoever came first is answered first, nearly. */
static void look_at_oldest(beside *beside)
{
    char answer[REQUEST];
    if (beside->answered == beside->other_count)
        return;
    ssize_t count = recv(beside->others[beside->answered], answer, sizeof answer, MSG_DONTWAIT);
    if (is_to_be_tried_again(count))
        return;
    if (count < 12 || strncmp(answer, "HTTP/1.1 101", 12) != 0)
        fail("the server refused another connection");
    beside->answered++;
}

void beside_step(beside *beside, uint64_t now)
{
    step(&beside->large, now);
    step(&beside->slow, now);
    step(&beside->page, now);
    size_t due = (size_t)((double)(now - beside->began) / 1e9 * (double)beside->settings->connects);
    if (due > beside->other_capacity)
        due = beside->other_capacity;
    for (int i = 0; i < MOST_CONNECTS && beside->other_count < due; i++)
        connect_another(beside);
    for (int i = 0; i < MOST_CONNECTS; i++)
        look_at_oldest(beside);
}

/* With a reset, so that nothing of it is left in the kernel. */
static void reset(int descriptor)
{
    if (descriptor >= 0)
        connection_reset(&(connection){.descriptor = descriptor});
}

static bool is_done(const repeated *repeated)
{
    return repeated->descriptor < 0 || repeated->done > 0;
}

bool beside_is_done(const beside *beside)
{
    return beside->answered + 1 >= beside->other_capacity && is_done(&beside->large) && is_done(&beside->slow) &&
           is_done(&beside->page);
}

size_t beside_end(beside *beside)
{
    const settings *settings = beside->settings;
    size_t answered = beside->answered;
    reset(beside->large.descriptor);
    reset(beside->slow.descriptor);
    reset(beside->page.descriptor);
    for (size_t i = 0; i < beside->other_count; i++)
        reset(beside->others[i]);
    if (settings->large > 0)
        frames_destroy(&beside->large_frames);
    if (settings->slow != NULL)
        frames_destroy(&beside->slow_frames);
    free(beside->others);
    free(beside);
    return answered;
}
