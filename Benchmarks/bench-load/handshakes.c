#include "handshakes.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "connection.h"
#include "fail.h"
#include "process.h"
#include "tls_client.h"

enum { MOST_READY = 1024, RESPONSE_SIZE = 2048 };

/* Room for one connection after the other. */
typedef struct place {
    struct place *next_free;
    connection connection; /* descriptor is -1 where there is none */
    bool has_asked;        /* the TLS handshake is done, and the request is sent */
    uint64_t began;
    size_t response_length;
    char response[RESPONSE_SIZE + 1];
} place;

struct handshakes {
    const settings *settings;
    int epoll;
    size_t begun; /* determines the local address of the next */
    place *places;
    size_t count;
    place *first_free;
    char request[1024];
    size_t request_length;
};

handshakes *handshakes_create(const settings *settings, size_t most)
{
    handshakes *handshakes = calloc(1, sizeof *handshakes);
    place *places = calloc(most, sizeof *places);
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    if (handshakes == NULL || places == NULL || epoll < 0)
        fail("no memory for %zu connections", most);
    handshakes->settings = settings;
    handshakes->epoll = epoll;
    handshakes->places = places;
    handshakes->count = most;
    handshakes->request_length = write_request(settings, handshakes->request, sizeof handshakes->request);
    for (size_t i = 0; i < most; i++) {
        places[i].connection.descriptor = -1;
        places[i].next_free = i + 1 < most ? &places[i + 1] : NULL;
    }
    handshakes->first_free = places;
    return handshakes;
}

static void watch(const handshakes *handshakes, place *place, int operation)
{
    uint32_t events = EPOLLIN | (tls_has_unsent(place->connection.tls) ? EPOLLOUT : 0u);
    struct epoll_event event = {.events = events, .data.ptr = place};
    if (epoll_ctl(handshakes->epoll, operation, place->connection.descriptor, &event) != 0)
        fail("cannot watch a connection: %s", strerror(errno));
}

/* Goes on with the TLS handshake, and asks for a WebSocket behind it. */
static void shake_hands(const handshakes *handshakes, place *place)
{
    if (!tls_shake_hands(place->connection.tls))
        return;
    if (tls_send(place->connection.tls, handshakes->request, handshakes->request_length, false) < 0)
        fail("cannot connect: %s", strerror(errno));
    place->has_asked = true;
}

bool handshakes_begin(handshakes *handshakes)
{
    place *place = handshakes->first_free;
    if (place == NULL)
        return false;
    handshakes->first_free = place->next_free;
    place->connection = (connection){.descriptor = begin_connecting(handshakes->settings, handshakes->begun++)};
    place->connection.tls = tls_open(place->connection.descriptor);
    place->has_asked = false;
    place->began = clock_ns();
    place->response_length = 0;
    shake_hands(handshakes, place);
    watch(handshakes, place, EPOLL_CTL_ADD);
    return true;
}

/* Returns whether the response is complete. */
static bool receive_response(place *place)
{
    static char bytes[TLS_LEAST_CAPACITY];
    ssize_t count = tls_receive(place->connection.tls, bytes, sizeof bytes);
    if (count < 0 && errno == EAGAIN)
        return false;
    if (count <= 0)
        fail("the server ended a connection in its handshake%s%s", count < 0 ? ": " : "",
             count < 0 ? strerror(errno) : "");
    if ((size_t)count > RESPONSE_SIZE - place->response_length)
        fail("the answer to a handshake is too long");
    memcpy(place->response + place->response_length, bytes, (size_t)count);
    place->response_length += (size_t)count;
    place->response[place->response_length] = '\0';
    if (strstr(place->response, "\r\n\r\n") == NULL)
        return false;
    if (strncmp(place->response, "HTTP/1.1 101", 12) != 0)
        fail("the handshake was refused: %.*s", (int)strcspn(place->response, "\r\n"), place->response);
    return true;
}

/* With a reset, because how servers end connections is not to be measured. */
static void leave(handshakes *handshakes, place *place)
{
    connection_reset(&place->connection);
    place->connection = (connection){.descriptor = -1};
    place->next_free = handshakes->first_free;
    handshakes->first_free = place;
}

/* Returns whether it is done. */
static bool advance(handshakes *handshakes, place *place)
{
    if (place->has_asked && !tls_has_unsent(place->connection.tls))
        return receive_response(place);
    if (place->has_asked)
        tls_send(place->connection.tls, NULL, 0, false);
    else
        shake_hands(handshakes, place);
    watch(handshakes, place, EPOLL_CTL_MOD);
    return false;
}

size_t handshakes_advance(handshakes *handshakes, int most, int milliseconds, histogram *latencies)
{
    static struct epoll_event ready[MOST_READY];
    int count = epoll_wait(handshakes->epoll, ready, most < MOST_READY ? most : MOST_READY, milliseconds);
    if (count == 0 && milliseconds >= HANDSHAKES_PATIENCE_MS)
        fail("the server has answered nothing for ten seconds");
    size_t done = 0;
    for (int i = 0; i < count; i++) {
        place *place = ready[i].data.ptr;
        if (!advance(handshakes, place))
            continue;
        if (latencies != NULL)
            histogram_record(latencies, clock_ns() - place->began, 1);
        leave(handshakes, place);
        done++;
    }
    return done;
}

void handshakes_destroy(handshakes *handshakes)
{
    for (size_t i = 0; i < handshakes->count; i++) {
        if (handshakes->places[i].connection.descriptor >= 0)
            connection_reset(&handshakes->places[i].connection);
    }
    close(handshakes->epoll);
    free(handshakes->places);
    free(handshakes);
}
