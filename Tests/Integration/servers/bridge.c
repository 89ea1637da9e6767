#define _GNU_SOURCE

#include "bridge.h"

#include <arpa/inet.h>
#include <errno.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    BACKLOG = 4096,     /* as many as the server's */
    PORTION = 4000,     /* bytes */
    STACK = 256 * 1024, /* bytes */
    PORTIONS = 16,      /* of a connection in each direction, before it is another one's turn */
    ACCEPTED = 64,      /* connections, before others have their turn */
    CHANGED = 64,       /* the same */
    EVENTS = 64,        /* the same */
    QUIET_MS = 100,     /* without clients, before freed memory is given back */
    LAST_WAIT_MS = 1000 /* for clients that do not take what they were sent before the server ended */
};

typedef struct connection {
    memory_client client; /* first: memory_changed returns it */
    struct connection *next;
    struct connection **link; /* that leads here */
    int socket;
    bool may_receive; /* from the socket, as far as is known */
    bool may_send;
    bool has_ended;   /* the client has */
    bool was_told_so; /* the client, that the server has */
    bool is_gone;     /* on both sides; it is freed at the end of the turn */
} connection;

struct bridge {
    memory_network *network;
    pthread_t thread;
    uint16_t port;
    uint16_t inner;
    int listener;
    int poll;
    int stop; /* an eventfd */
    bool is_stopping;
    connection *connections;
    connection *gone;
    uint8_t portion[PORTION];
};

static void require(bool condition, const char *what)
{
    if (condition)
        return;
    perror(what);
    abort();
}

static void watch(const bridge *self, int descriptor, uint32_t events, void *what)
{
    struct epoll_event event = {.events = events, .data.ptr = what};
    require(epoll_ctl(self->poll, EPOLL_CTL_ADD, descriptor, &event) == 0, "bridge: nothing is watched any more");
}

static void let_go(bridge *self, connection *each)
{
    memory_close(&each->client);
    close(each->socket); /* with a reset, if bytes have come that nobody has taken: as the server's would be */
    *each->link = each->next;
    if (each->next != NULL)
        each->next->link = each->link;
    each->next = self->gone;
    self->gone = each;
    each->is_gone = true;
}

static void free_gone(bridge *self)
{
    while (self->gone != NULL) {
        connection *each = self->gone;
        self->gone = each->next;
        free(each);
    }
}

typedef enum progress {
    DONE,   /* as far as it goes */
    MORE,   /* the turn is over */
    BROKEN, /* the connection is lost */
} progress;

static progress failed_with(int error, bool *may_go_on)
{
    if (error == EINTR)
        return MORE;
    *may_go_on = false;
    return error == EAGAIN ? DONE : BROKEN;
}

static progress pass_to_server(bridge *self, connection *each)
{
    for (int i = 0; i < PORTIONS; i++) {
        size_t on_its_way = memory_on_its_way(&each->client);
        if (!each->may_receive || each->has_ended || on_its_way >= BRIDGE_ROOM)
            return DONE;
        size_t most = BRIDGE_ROOM - on_its_way < PORTION ? BRIDGE_ROOM - on_its_way : PORTION;
        ssize_t count = read(each->socket, self->portion, most);
        if (count < 0)
            return failed_with(errno, &each->may_receive);
        each->has_ended = count == 0;
        if (each->has_ended)
            memory_stop_sending(&each->client);
        else
            memory_send(&each->client, self->portion, (size_t)count);
    }
    return MORE;
}

static progress pass_to_client(bridge *self, connection *each)
{
    for (int i = 0; i < PORTIONS; i++) {
        size_t waiting = each->may_send ? memory_peek(&each->client, self->portion, PORTION) : 0;
        if (waiting == 0)
            return DONE;
        ssize_t count = send(each->socket, self->portion, waiting, MSG_NOSIGNAL);
        if (count < 0)
            return failed_with(errno, &each->may_send);
        memory_receive(&each->client, self->portion, (size_t)count);
    }
    return MORE;
}

/* In both directions, as much as is possible and fair. */
static void pass_on(bridge *self, connection *each)
{
    bool is_closed = memory_is_closed(&each->client); /* first: nothing is sent behind that */
    progress to_server = is_closed ? DONE : pass_to_server(self, each);
    progress to_client = to_server != BROKEN ? pass_to_client(self, each) : BROKEN;
    if (to_client == BROKEN || (is_closed && memory_waiting(&each->client) == 0)) {
        let_go(self, each);
        return;
    }
    if (!each->was_told_so && memory_has_ended_in_order(&each->client)) {
        each->was_told_so = true;
        shutdown(each->socket, SHUT_WR);
    }
    if (to_server == MORE || to_client == MORE)
        memory_change(&each->client);
}

static void connect_to_server(bridge *self, int descriptor)
{
    const int yes = 1;
    connection *each = calloc(1, sizeof *each);
    require(each != NULL, "bridge: no memory");
    *each = (connection){.next = self->connections, .link = &self->connections, .socket = descriptor};
    if (each->next != NULL)
        each->next->link = &each->next;
    self->connections = each;
    setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    if (!memory_connect(&each->client, self->network, self->inner)) { /* the server ends */
        let_go(self, each);
        return;
    }
    watch(self, descriptor, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, each);
    watch(self, memory_bell(&each->client), EPOLLRDHUP | EPOLLET, each);
}

static void accept_clients(bridge *self)
{
    for (int i = 0; i < ACCEPTED; i++) {
        int descriptor = accept4(self->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (descriptor >= 0) {
            connect_to_server(self, descriptor);
        } else {
            require(errno == EAGAIN || errno == ECONNABORTED || errno == EINTR, "bridge: nobody is accepted any more");
            return;
        }
    }
}

static void pass_on_for_server(bridge *self)
{
    for (int i = 0; i < CHANGED; i++) {
        connection *each = (connection *)memory_changed(self->network);
        if (each == NULL)
            return;
        pass_on(self, each);
    }
}

/* Who resets a connection loses what it has sent, and what waits to be taken. */
static bool is_lost(const connection *each)
{
    int error = 0;
    socklen_t length = sizeof error;
    return getsockopt(each->socket, SOL_SOCKET, SO_ERROR, &error, &length) != 0 || error != 0;
}

static void look_at(bridge *self, connection *each, uint32_t events)
{
    if (each->is_gone)
        return;
    each->may_receive = each->may_send = true;
    if ((events & EPOLLERR) != 0 && is_lost(each)) /* which may be only the bell's */
        let_go(self, each);
    else
        pass_on(self, each);
}

/* False: nothing has happened in this time. */
static bool turn(bridge *self, int wait_ms)
{
    struct epoll_event events[EVENTS];
    int count = epoll_wait(self->poll, events, EVENTS, wait_ms);
    for (int i = 0; i < count; i++) {
        void *what = events[i].data.ptr;
        if (what == &self->stop) {
            self->is_stopping = true;
        } else if (what == &self->listener) {
            accept_clients(self);
        } else if (what == self->network) {
            pass_on_for_server(self);
        } else {
            look_at(self, what, events[i].events);
        }
    }
    free_gone(self);
    return count != 0;
}

/*
 * Its buffers and the server's lie between each other in the allocator's heaps, which may keep megabytes for one small
 * piece at their end: tests that measure what the server gives back would see that.
 */
static void give_back_freed_memory(void)
{
#ifdef __GLIBC__
    malloc_trim(0);
#endif
}

static void *run(void *opaque)
{
    bridge *self = opaque;
    bool has_given_back = true;
    while (!self->is_stopping) {
        bool waits_for_ever = has_given_back || self->connections != NULL;
        bool is_quiet = !turn(self, waits_for_ever ? -1 : QUIET_MS);
        if (is_quiet && !waits_for_ever)
            give_back_freed_memory();
        has_given_back = is_quiet;
    }
    return NULL;
}

static int listen_on(uint16_t port, uint16_t *bound)
{
    const int yes = 1;
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    require(descriptor >= 0, "bridge: no socket");
    setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(descriptor, (struct sockaddr *)&address, length) != 0 || listen(descriptor, BACKLOG) != 0) {
        close(descriptor);
        return -1;
    }
    getsockname(descriptor, (struct sockaddr *)&address, &length);
    *bound = ntohs(address.sin_port);
    return descriptor;
}

/* Without signals, which are the server's. A sanitizer keeps a multiple of the stack for each size of a frame. */
static void start_thread(bridge *self)
{
    pthread_attr_t attributes;
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK);
    require(pthread_create(&self->thread, &attributes, run, self) == 0, "bridge: no thread");
    pthread_attr_destroy(&attributes);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_setname_np(self->thread, "bridge"); /* by which tests find what it waits for */
}

static void close_all(bridge *self)
{
    close(self->network->alarm);
    self->network->alarm = 0;
    close(self->stop);
    close(self->poll);
    free(self);
}

bridge *bridge_start(memory_network *network, uint16_t port, uint16_t inner)
{
    bridge *self = calloc(1, sizeof *self);
    require(self != NULL, "bridge: no memory");
    *self = (bridge){.network = network,
                     .inner = inner,
                     .poll = epoll_create1(EPOLL_CLOEXEC),
                     .stop = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
    network->alarm = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    require(self->poll >= 0 && self->stop >= 0 && network->alarm > 0, "bridge: no descriptors");
    self->listener = listen_on(port, &self->port);
    if (self->listener < 0) {
        close_all(self);
        return NULL;
    }
    watch(self, self->stop, EPOLLIN, &self->stop);
    watch(self, self->listener, EPOLLIN, &self->listener);
    watch(self, network->alarm, EPOLLIN, network);
    start_thread(self);
    return self;
}

uint16_t bridge_port(const bridge *self)
{
    return self->port;
}

void bridge_end(bridge *self)
{
    uint64_t one = 1;
    require(write(self->stop, &one, sizeof one) == sizeof one, "bridge: it cannot be stopped");
    pthread_join(self->thread, NULL);
    require(read(self->stop, &one, sizeof one) == sizeof one, "bridge: it was not stopped");
    close(self->listener);
    while (self->connections != NULL && turn(self, LAST_WAIT_MS))
        continue;
    while (self->connections != NULL)
        let_go(self, self->connections);
    free_gone(self);
    close_all(self);
}
