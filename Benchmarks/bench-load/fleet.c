#include "fleet.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fail.h"
#include "process.h"

enum { PATIENCE_MS = 10000, LARGE = 32 * 1024, LOOK_NS = 20000 };

/* Whether most of an echo are copies of the payload. */
static bool is_large(const settings *settings)
{
    return settings->size >= LARGE && !settings->uses_deflate && settings->tls == TLS_NONE;
}

fleet *fleet_open(const settings *settings, size_t first, size_t count)
{
    fleet *fleet = calloc(1, sizeof *fleet);
    connection *connections = calloc(count + 1, sizeof *connections);
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    if (fleet == NULL || connections == NULL || epoll < 0)
        fail("no memory for %zu connections", count);
    fleet->connections = connections;
    fleet->count = count;
    fleet->epoll = epoll;
    fleet->is_awake = is_large(settings);
    for (size_t i = 0; i < count; i++) {
        connections[i] = connection_open(settings, first + i);
        struct epoll_event event = {.events = EPOLLIN, .data.u64 = i};
        if (epoll_ctl(epoll, EPOLL_CTL_ADD, connections[i].descriptor, &event) != 0)
            fail("cannot watch a connection: %s", strerror(errno));
    }
    return fleet;
}

void fleet_close(fleet *fleet)
{
    for (size_t i = 0; i < fleet->count; i++)
        connection_reset(&fleet->connections[i]);
    close(fleet->epoll);
    free(fleet->connections);
    free(fleet);
}

static int wait_for(fleet *fleet, int milliseconds)
{
    do {
        fleet->ready_count = epoll_wait(fleet->epoll, fleet->ready, FLEET_READY, milliseconds);
    } while (fleet->ready_count < 0 && errno == EINTR);
    return fleet->ready_count;
}

int fleet_look(fleet *fleet)
{
    return wait_for(fleet, 0);
}

static void wait_awake(fleet *fleet)
{
    if (wait_for(fleet, 0) != 0)
        return;
    uint64_t cpu_before_ns = own_cpu_ns();
    uint64_t began = clock_ns();
    uint64_t now = began;
    while (now < began + PATIENCE_MS * 1000000ull && wait_for(fleet, 0) == 0) {
        /* Looking takes a lock that the server needs when it sends. */
        for (uint64_t next = now + LOOK_NS; now < next; now = clock_ns())
            sched_yield(); /* to a server that has no core of its own */
    }
    fleet->idle_ns += own_cpu_ns() - cpu_before_ns;
}

int fleet_wait(fleet *fleet)
{
    if (fleet->is_awake)
        wait_awake(fleet);
    else
        wait_for(fleet, PATIENCE_MS);
    if (fleet->ready_count <= 0)
        fail("the server has sent nothing for ten seconds, though messages are in flight");
    return fleet->ready_count;
}

size_t fleet_ready(const fleet *fleet, int number)
{
    return (size_t)fleet->ready[number].data.u64;
}

expectation fleet_expects(const settings *settings, const frames *frames)
{
    return (expectation){
        .payload = frames->payload, .length = frames->payload_length, .is_compressed = settings->uses_deflate};
}

expectation fleet_expects_nothing(const settings *settings)
{
    return (expectation){.is_discarded = is_large(settings)};
}

size_t fleet_receive(fleet *fleet, size_t index, const expectation *expected, uint64_t *received)
{
    connection *connection = &fleet->connections[index];
    size_t messages = 0;
    ssize_t count = expected->is_discarded ? connection_discard(connection, expected, &messages)
                                           : connection_receive(connection, fleet->buffer, sizeof fleet->buffer);
    if (count < 0 && errno == EAGAIN)
        return 0;
    if (count <= 0)
        fail("the server ended a connection%s%s", count < 0 ? ": " : "", count < 0 ? strerror(errno) : "");
    *received += (uint64_t)count;
    if (!expected->is_discarded)
        messages = frame_reader_take(&connection->reader, fleet->buffer, (size_t)count, expected);
    if (connection->reader.has_closed)
        fail("the server closed a connection");
    return messages;
}

void fleet_send(fleet *fleet, size_t index, const frames *frames, size_t count)
{
    connection *connection = &fleet->connections[index];
    bool was_blocked = connection->is_blocked;
    connection_send(connection, frames, count);
    if (connection->is_blocked != was_blocked) {
        struct epoll_event event = {.events = EPOLLIN | (connection->is_blocked ? EPOLLOUT : 0u), .data.u64 = index};
        epoll_ctl(fleet->epoll, EPOLL_CTL_MOD, connection->descriptor, &event);
    }
}
