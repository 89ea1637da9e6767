#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "connection.h"
#include "fail.h"
#include "measurement.h"
#include "process.h"
#include "workloads.h"

enum { MOST_READY = 1024, RESPONSE_SIZE = 2048, PATIENCE_MS = 10000 };

/* An empty close frame, masked with zeros. */
static const uint8_t close_frame[] = {0x88, 0x80, 0, 0, 0, 0};

typedef enum stage { STAGE_CONNECTING, STAGE_HANDSHAKE, STAGE_CLOSING } stage;

/* A place in which one connection follows another. */
typedef struct place {
    connection connection;
    stage stage;
    uint64_t began;
    size_t response_length;
    char response[RESPONSE_SIZE + 1];
} place;

typedef struct connect_run {
    const settings *settings;
    int epoll;
    size_t opened; /* connections so far, which determines the local address of the next */
    char request[1024];
    size_t request_length;
} connect_run;

static void watch(const connect_run *run, place *place, int operation, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = place};
    if (epoll_ctl(run->epoll, operation, place->connection.descriptor, &event) != 0)
        fail("cannot watch a connection: %s", strerror(errno));
}

static void begin(connect_run *run, place *place)
{
    place->connection = (connection){.descriptor = begin_connecting(run->settings, run->opened++)};
    place->began = clock_ns();
    place->response_length = 0;
    /* On loopback the connection is there at once, unless the server does not keep up with accepting. */
    ssize_t sent = send(place->connection.descriptor, run->request, run->request_length, MSG_NOSIGNAL);
    place->stage = sent == (ssize_t)run->request_length ? STAGE_HANDSHAKE : STAGE_CONNECTING;
    watch(run, place, EPOLL_CTL_ADD, place->stage == STAGE_HANDSHAKE ? EPOLLIN : EPOLLOUT);
}

static void send_whole(const place *place, const void *bytes, size_t length)
{
    if (send(place->connection.descriptor, bytes, length, MSG_NOSIGNAL) != (ssize_t)length)
        fail("cannot connect: %s", strerror(errno));
}

/* Receives the server's close frame behind the response. */
static void take_frames(place *place, const char *bytes, size_t length)
{
    const expectation nothing = {0};
    frame_reader_take(&place->connection.reader, (const uint8_t *)bytes, length, &nothing);
}

static void take_response(place *place, const char *bytes, size_t length)
{
    if (length > RESPONSE_SIZE - place->response_length)
        fail("the answer to a handshake is too long");
    memcpy(place->response + place->response_length, bytes, length);
    place->response_length += length;
    place->response[place->response_length] = '\0';
    const char *end = strstr(place->response, "\r\n\r\n");
    if (end == NULL)
        return;
    if (strncmp(place->response, "HTTP/1.1 101", 12) != 0)
        fail("the handshake was refused: %.*s", (int)strcspn(place->response, "\r\n"), place->response);
    place->stage = STAGE_CLOSING;
    send_whole(place, close_frame, sizeof close_frame);
    take_frames(place, end + 4, place->response_length - (size_t)(end + 4 - place->response));
}

/* The server closes the connection when both close frames have gone (RFC 6455 7.1.1). Returns whether it has. */
static bool receive(place *place, measurement *measurement)
{
    char bytes[RESPONSE_SIZE];
    ssize_t count = recv(place->connection.descriptor, bytes, sizeof bytes, 0);
    if (count < 0 && errno == EAGAIN)
        return false;
    if (count <= 0 && (place->stage != STAGE_CLOSING || !place->connection.reader.has_closed))
        fail("the server ended a connection before it was closed%s%s", count < 0 ? ": " : "",
             count < 0 ? strerror(errno) : "");
    if (count <= 0)
        return true;
    measurement->received += (uint64_t)count;
    if (place->stage == STAGE_HANDSHAKE)
        take_response(place, bytes, (size_t)count);
    else
        take_frames(place, bytes, (size_t)count);
    return false;
}

static void advance(connect_run *run, place *place, measurement *measurement)
{
    if (place->stage == STAGE_CONNECTING) {
        send_whole(place, run->request, run->request_length);
        place->stage = STAGE_HANDSHAKE;
        watch(run, place, EPOLL_CTL_MOD, EPOLLIN);
        return;
    }
    if (!receive(place, measurement))
        return;
    close(place->connection.descriptor);
    histogram_record(&measurement->latencies, clock_ns() - place->began, 1);
    measurement->messages++;
    begin(run, place);
}

static void run_for(connect_run *run, double seconds, measurement *measurement)
{
    static struct epoll_event ready[MOST_READY];
    uint64_t end = clock_ns() + (uint64_t)(seconds * 1e9);
    while (clock_ns() < end) {
        int count = epoll_wait(run->epoll, ready, MOST_READY, PATIENCE_MS);
        if (count == 0)
            fail("the server has answered nothing for ten seconds");
        for (int i = 0; i < count; i++)
            advance(run, ready[i].data.ptr, measurement);
    }
}

void run_connect(const settings *settings)
{
    need_descriptors(settings->connections);
    connect_run run = {.settings = settings, .epoll = epoll_create1(EPOLL_CLOEXEC)};
    run.request_length = write_request(settings, run.request, sizeof run.request);
    place *places = calloc(settings->connections, sizeof *places);
    measurement *measurement = calloc(1, sizeof *measurement);
    if (run.epoll < 0 || places == NULL || measurement == NULL)
        fail("no memory for %zu connections", settings->connections);
    for (size_t i = 0; i < settings->connections; i++)
        begin(&run, &places[i]);
    run_for(&run, settings->warm_up, measurement);
    measurement_begin(measurement, settings);
    run_for(&run, settings->seconds, measurement);
    measurement_end(measurement);
    measurement_print(measurement);
    for (size_t i = 0; i < settings->connections; i++)
        connection_reset(&places[i].connection);
    close(run.epoll);
    free(places);
    free(measurement);
}
