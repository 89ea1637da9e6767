#include "memory_transport.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "memory_wire.h"
#include "random.h"

enum { ROOM_BY_DEFAULT = 64 * 1024 };

typedef struct channel {
    memory_network *network;
    memory_wire *wire;
    pthread_t thread; /* of its loop */
    int descriptor;
    test_random random;
    uint32_t steps_left; /* of the handshake */
    bool waits_for_answer;
    bool is_lost;
    bool has_failed; /* by choice */
} channel;

static size_t room_of(const channel *self)
{
    size_t room = self->network->room != 0 ? self->network->room : ROOM_BY_DEFAULT;
    size_t used = memory_lane_waiting(&self->wire->to_client);
    return used < room ? room - used : 0;
}

static channel *enter(void *opaque)
{
    channel *self = opaque;
    memory_require(pthread_equal(self->thread, pthread_self()), "calls come from the channel's own loop");
    memory_require(!self->is_lost, "who is lost is only asked why");
    pthread_mutex_lock(&self->network->lock);
    return self;
}

static void leave(channel *self)
{
    memory_wire_changed(self->network, self->wire);
    pthread_mutex_unlock(&self->network->lock);
}

static bool happens(channel *self, uint32_t rarity)
{
    return rarity != 0 && test_random_below(&self->random, rarity) == 0;
}

static bool loses(channel *self)
{
    self->has_failed = self->is_lost = happens(self, self->network->failing);
    self->network->lost += self->is_lost;
    return self->is_lost;
}

/* The client rings for it. */
static void ask(channel *self)
{
    self->waits_for_answer = true;
    self->wire->questions++;
}

/* Consumes the notifications. Not with recv, which tests redirect. False: the client has gone. */
static bool silence_bell(channel *self)
{
    uint8_t rings[64];
    ssize_t count;
    do {
        count = read(self->descriptor, rings, sizeof rings);
    } while (count > 0);
    bool has_gone = self->wire->is_event && self->wire->bell < 0;
    return count < 0 && errno == EAGAIN && !has_gone;
}

static memory_wire *find_wire(memory_network *network, int descriptor)
{
    struct sockaddr_in address = {0};
    socklen_t length = sizeof address;
    memory_wire *found = NULL;
    bool is_socket = getpeername(descriptor, (struct sockaddr *)&address, &length) == 0;
    for (memory_wire *wire = network->wires; wire != NULL && found == NULL; wire = wire->next) {
        bool is_it = is_socket ? wire->descriptor < 0 && wire->address.sin_port == address.sin_port
                               : wire->descriptor == descriptor;
        if (!wire->is_found && is_it)
            found = wire;
    }
    return found;
}

static void *open_channel(void *context, int descriptor, const uint8_t *early, size_t early_length)
{
    memory_network *network = context;
    channel *self = calloc(1, sizeof *self);
    if (self == NULL)
        return NULL;
    pthread_mutex_lock(&network->lock);
    self->wire = find_wire(network, descriptor);
    if (self->wire != NULL)
        self->wire->is_found = true;
    pthread_mutex_unlock(&network->lock);
    if (self->wire == NULL) { /* the client has gone already */
        free(self);
        return NULL;
    }
    memory_require(early_length == 0 || early != NULL, "what came early is there");
    self->network = network;
    self->thread = pthread_self();
    self->descriptor = descriptor;
    self->random.state = network->seed + network->opened++ * 1000;
    self->steps_left = network->steps > 0 ? (uint32_t)test_random_below(&self->random, network->steps + 1) : 0;
    return self;
}

/* For every interest the socket must be readable. */
static unsigned interest(void *opaque, unsigned wanted)
{
    const channel *self = opaque;
    memory_require(!self->is_lost, "who is lost is only asked why");
    return wanted != 0 || self->steps_left > 0 || self->wire->is_event ? JZ_READABLE : 0;
}

/* What the server may do, after a notification. */
static unsigned look(channel *self)
{
    memory_wire *wire = self->wire;
    bool has_input = memory_lane_waiting(&wire->to_server) > 0 || wire->to_server.has_ended || wire->bell < 0;
    self->waits_for_answer = wire->questions > 0;
    bool silences = self->network->choose_received == NULL || !has_input;
    if (silences && !silence_bell(self))
        return JZ_LOST;
    return (has_input ? JZ_READABLE : 0) | (room_of(self) > 0 && !self->waits_for_answer ? JZ_WRITABLE : 0);
}

static unsigned ready(void *opaque, unsigned what)
{
    channel *self = enter(opaque);
    unsigned may = 0;
    memory_require(what != 0, "something is ready");
    if (loses(self)) {
        may = JZ_LOST;
    } else if (self->steps_left > 0 && !silence_bell(self)) {
        may = JZ_LOST;
    } else if (self->steps_left > 0) {
        self->waits_for_answer = self->wire->questions > 0;
        if (!self->waits_for_answer && --self->steps_left > 0)
            ask(self);
        /* The same notification was for the rest of the client's bytes. */
        may = self->steps_left == 0 ? JZ_READABLE | JZ_WRITABLE : 0;
    } else {
        may = look(self);
    }
    self->is_lost = may == JZ_LOST;
    leave(self);
    return may;
}

static size_t choose(channel *self, size_t most, size_t available)
{
    size_t bound = most != 0 && most < available ? most : available;
    return most != 0 && bound > 0 ? 1 + test_random_below(&self->random, bound) : bound;
}

static jz_io take_input(channel *self, uint8_t *bytes, size_t capacity, size_t *received, bool *has_more)
{
    memory_lane *lane = &self->wire->to_server;
    size_t available = memory_lane_waiting(lane);
    bool has_ended = lane->has_ended || self->wire->bell < 0;
    if (available == 0) {
        bool may_end =
            self->network->choose_received == NULL || (has_ended && self->network->choose_received(0, capacity) > 0);
        return has_ended && may_end ? JZ_IO_ENDED : JZ_IO_WOULD_BLOCK;
    }
    size_t most = available < capacity ? available : capacity;
    size_t count = self->network->choose_received != NULL ? self->network->choose_received(available, capacity)
                                                          : choose(self, self->network->most_received, most);
    if (count == 0)
        return JZ_IO_WOULD_BLOCK;
    memory_lane_take(lane, bytes, count);
    *received = count;
    *has_more = count < available || has_ended || happens(self, self->network->contrary);
    return JZ_IO_OK;
}

static jz_io receive(void *opaque, uint8_t *bytes, size_t capacity, size_t *received, bool *has_more)
{
    channel *self = enter(opaque);
    jz_io result = JZ_IO_BROKEN;
    memory_require(self->steps_left == 0, "nothing is received before the handshake is done");
    memory_require(capacity > 0 && *received == 0 && !*has_more, "what is to be filled in is empty");
    if (!loses(self)) {
        if (self->network->choose_received == NULL && happens(self, self->network->contrary)) {
            ask(self); /* the client's answer notifies, and then the waiting bytes are found */
            result = JZ_IO_WOULD_BLOCK;
        } else {
            result = take_input(self, bytes, capacity, received, has_more);
        }
    }
    leave(self);
    return result;
}

static jz_io put_output(channel *self, const jz_piece *pieces, size_t count, bool is_last, size_t *sent)
{
    size_t room = room_of(self);
    size_t length = 0;
    for (size_t i = 0; i < count; i++)
        length += pieces[i].length;
    size_t most = choose(self, self->network->most_sent, length < room ? length : room);
    for (size_t i = 0; i < count && *sent < most; i++) {
        size_t part = pieces[i].length < most - *sent ? pieces[i].length : most - *sent;
        memory_lane_put(&self->wire->to_client, pieces[i].bytes, part);
        *sent += part;
    }
    if (*sent < length) {
        /* The bell must also notify when there is room, because nothing else does. */
        self->wire->wants_room = most == room;
        if (most < room)
            ask(self);
        return *sent > 0 ? JZ_IO_OK : JZ_IO_WOULD_BLOCK;
    }
    self->wire->to_client.has_ended = is_last;
    return JZ_IO_OK;
}

static jz_io send_pieces(void *opaque, const jz_piece *pieces, size_t count, bool is_last, size_t *sent)
{
    channel *self = enter(opaque);
    jz_io result = JZ_IO_BROKEN;
    memory_require(self->steps_left == 0, "nothing is sent before the handshake is done");
    memory_require(!self->wire->to_client.has_ended, "nothing is sent behind the end");
    memory_require(count <= JZ_MOST_PIECES && *sent == 0 && (count > 0 || is_last), "there is something to send");
    if (self->wire->bell >= 0 && !loses(self)) {
        if (happens(self, self->network->contrary)) {
            ask(self);
            result = JZ_IO_WOULD_BLOCK;
        } else {
            result = put_output(self, pieces, count, is_last, sent);
        }
    }
    if (result == JZ_IO_BROKEN)
        self->is_lost = true;
    leave(self);
    return result;
}

static const char *failure(void *opaque)
{
    const channel *self = opaque;
    memory_require(self->is_lost, "only who is lost is asked why");
    return self->has_failed ? MEMORY_FAILURE : NULL;
}

static void close_channel(void *opaque)
{
    channel *self = opaque;
    memory_network *network = self->network;
    memory_wire *wire = self->wire;
    pthread_mutex_lock(&network->lock);
    bool is_last = wire->bell < 0;
    wire->is_closed = true;
    network->closed++;
    memory_wire_changed(network, wire);
    pthread_mutex_unlock(&network->lock);
    if (is_last)
        memory_wire_free(wire);
    free(self);
}

const jz_transport memory_transport = {.open = open_channel,
                                       .interest = interest,
                                       .ready = ready,
                                       .receive = receive,
                                       .send = send_pieces,
                                       .failure = failure,
                                       .close = close_channel};
