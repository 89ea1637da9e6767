#define _GNU_SOURCE

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "memory_wire.h"

enum { WAIT_MS = 20 };

void memory_network_begin(memory_network *network)
{
    network->wires = network->changed_wires = network->last_changed = NULL;
    memory_require(pthread_mutex_init(&network->lock, NULL) == 0 && pthread_cond_init(&network->changed, NULL) == 0,
                   "the test has locks");
}

void memory_network_end(memory_network *network)
{
    memory_require(network->wires == NULL, "all clients have closed");
    pthread_cond_destroy(&network->changed);
    pthread_mutex_destroy(&network->lock);
}

/* A full socket, or pipe, has rung enough. */
static void ring(const memory_wire *wire)
{
    const uint64_t one = 1;
    ssize_t sent = wire->descriptor < 0 ? send(wire->bell, "!", 1, MSG_DONTWAIT | MSG_NOSIGNAL)
                                        : write(wire->bell, &one, sizeof one);
    (void)sent;
}

static void lock(const memory_client *client)
{
    memory_wire *wire = client->wire;
    pthread_mutex_lock(&client->network->lock);
    if (wire->questions == 0)
        return;
    wire->questions = 0;
    ring(wire);
}

static void unlock(const memory_client *client)
{
    pthread_mutex_unlock(&client->network->lock);
}

static void begin(memory_client *client, memory_network *network, memory_wire *wire)
{
    *client = (memory_client){network, wire};
    wire->client = client;
    pthread_mutex_lock(&network->lock);
    wire->next = network->wires;
    network->wires = wire;
    pthread_mutex_unlock(&network->lock);
}

bool memory_connect(memory_client *client, memory_network *network, uint16_t port)
{
    socklen_t length = sizeof(struct sockaddr_in);
    struct sockaddr_in server = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    memory_wire *wire = calloc(1, sizeof *wire);
    memory_require(wire != NULL, "the test has memory");
    wire->bell = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    wire->address = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    memory_require(wire->bell >= 0 && bind(wire->bell, (struct sockaddr *)&wire->address, length) == 0 &&
                       getsockname(wire->bell, (struct sockaddr *)&wire->address, &length) == 0,
                   "the test has sockets");
    wire->descriptor = -1;
    begin(client, network, wire);
    bool is_connected = connect(wire->bell, (struct sockaddr *)&server, sizeof server) == 0;
    if (is_connected)
        ring(wire);
    return is_connected;
}

/* The client's end, and the server's. */
static void make_bell(memory_bell_kind kind, int *bell, int *descriptor)
{
    int ends[2] = {-1, -1};
    if (kind == MEMORY_BELL_PIPE) {
        memory_require(pipe2(ends, O_CLOEXEC | O_NONBLOCK) == 0, "the test has pipes");
    } else {
        ends[0] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        ends[1] = ends[0] >= 0 ? fcntl(ends[0], F_DUPFD_CLOEXEC, 0) : -1;
    }
    memory_require(ends[1] >= 0, "the test has descriptors");
    *descriptor = ends[0];
    *bell = ends[1];
}

bool memory_adopt(memory_client *client, memory_network *network, jz_server *server, memory_bell_kind kind,
                  const char *remote_address, jz_error *error)
{
    const jz_adopt_options options = {
        .transport = &memory_transport, .transport_context = network, .remote_address = remote_address};
    memory_wire *wire = calloc(1, sizeof *wire);
    memory_require(wire != NULL, "the test has memory");
    make_bell(kind, &wire->bell, &wire->descriptor);
    wire->is_event = kind == MEMORY_BELL_EVENT;
    begin(client, network, wire);
    ring(wire);
    int descriptor = wire->descriptor;
    if (jz_server_adopt(server, descriptor, &options, error) == JZ_OK)
        return true;
    close(descriptor);
    return false;
}

bool memory_send(const memory_client *client, const void *bytes, size_t length)
{
    lock(client);
    memory_wire *wire = client->wire;
    bool is_closed = wire->is_closed;
    memory_require(!wire->to_server.has_ended, "a client sends nothing behind its end");
    memory_lane_put(&wire->to_server, bytes, length);
    ring(wire);
    unlock(client);
    return !is_closed;
}

void memory_stop_sending(const memory_client *client)
{
    lock(client);
    client->wire->to_server.has_ended = true;
    ring(client->wire);
    unlock(client);
}

static size_t takeable(const memory_wire *wire, size_t capacity)
{
    size_t waiting = memory_lane_waiting(&wire->to_client);
    return waiting < capacity ? waiting : capacity;
}

size_t memory_peek(const memory_client *client, void *bytes, size_t capacity)
{
    lock(client);
    const memory_lane *lane = &client->wire->to_client;
    size_t count = takeable(client->wire, capacity);
    if (count > 0)
        memcpy(bytes, lane->bytes.bytes + lane->start, count);
    unlock(client);
    return count;
}

size_t memory_on_its_way(const memory_client *client)
{
    lock(client);
    size_t count = memory_lane_waiting(&client->wire->to_server);
    unlock(client);
    return count;
}

size_t memory_receive(const memory_client *client, void *bytes, size_t capacity)
{
    lock(client);
    memory_wire *wire = client->wire;
    size_t count = takeable(wire, capacity);
    memory_lane_take(&wire->to_client, bytes, count);
    if (wire->wants_room && count > 0) {
        wire->wants_room = false;
        ring(wire);
    }
    unlock(client);
    return count;
}

static bool is_pipe_without_reader(const memory_wire *wire)
{
    struct pollfd waiting = {.fd = wire->bell, .events = POLLOUT};
    return !wire->is_event && poll(&waiting, 1, 0) == 1 && (waiting.revents & POLLERR) != 0;
}

/* The server has no channel for a client that it turns away: the client sees the end of the socket. */
static bool is_turned_away(const memory_wire *wire)
{
    uint8_t byte;
    struct iovec vector = {&byte, 1};
    struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1};
    if (wire->is_found)
        return false;
    if (wire->descriptor >= 0)
        return is_pipe_without_reader(wire);
    ssize_t count = recvmsg(wire->bell, &message, MSG_DONTWAIT | MSG_PEEK);
    return count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR); /* a reset, where it has not read rings */
}

bool memory_is_closed(const memory_client *client)
{
    lock(client);
    bool is_closed = client->wire->is_closed || is_turned_away(client->wire);
    unlock(client);
    return is_closed;
}

int memory_bell(const memory_client *client)
{
    return client->wire->bell;
}

bool memory_has_ended(const memory_client *client)
{
    lock(client);
    const memory_wire *wire = client->wire;
    bool has_ended = memory_lane_waiting(&wire->to_client) == 0 &&
                     (wire->to_client.has_ended || wire->is_closed || is_turned_away(wire));
    unlock(client);
    return has_ended;
}

size_t memory_waiting(const memory_client *client)
{
    lock(client);
    size_t count = memory_lane_waiting(&client->wire->to_client);
    unlock(client);
    return count;
}

bool memory_has_ended_in_order(const memory_client *client)
{
    lock(client);
    bool has_ended = memory_lane_waiting(&client->wire->to_client) == 0 && client->wire->to_client.has_ended;
    unlock(client);
    return has_ended;
}

/* Takes the wire out of the list of those that have changed. */
static void forget_change(memory_network *network, memory_wire *wire)
{
    uint64_t count;
    memory_wire *before = NULL;
    for (memory_wire *each = network->changed_wires; each != wire; each = each->next_changed)
        before = each;
    *(before == NULL ? &network->changed_wires : &before->next_changed) = wire->next_changed;
    if (network->last_changed == wire)
        network->last_changed = before;
    wire->is_changed = false;
    if (network->changed_wires == NULL)
        memory_require(read(network->alarm, &count, sizeof count) == sizeof count, "the alarm has rung");
}

memory_client *memory_changed(memory_network *network)
{
    pthread_mutex_lock(&network->lock);
    memory_wire *wire = network->changed_wires;
    if (wire != NULL)
        forget_change(network, wire);
    pthread_mutex_unlock(&network->lock);
    return wire != NULL ? wire->client : NULL;
}

void memory_change(const memory_client *client)
{
    lock(client);
    memory_wire_changed(client->network, client->wire);
    unlock(client);
}

void memory_wait(const memory_client *client)
{
    struct timespec until;
    timespec_get(&until, TIME_UTC);
    until.tv_nsec += WAIT_MS * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    lock(client);
    pthread_cond_timedwait(&client->network->changed, &client->network->lock, &until);
    unlock(client);
}

void memory_close(memory_client *client)
{
    /* With a reset, so that no end of it stays in the kernel. */
    const struct linger at_once = {1, 0};
    memory_wire *wire = client->wire;
    lock(client);
    memory_wire **link = &client->network->wires;
    while (*link != wire)
        link = &(*link)->next;
    *link = wire->next;
    if (wire->is_changed)
        forget_change(client->network, wire);
    if (wire->is_event)
        ring(wire);
    setsockopt(wire->bell, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close(wire->bell);
    wire->bell = -1;
    bool is_last = !wire->is_found || wire->is_closed;
    unlock(client);
    if (is_last)
        memory_wire_free(wire);
    client->wire = NULL;
}
