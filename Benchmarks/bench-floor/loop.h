/* The loop of a floor. It is inline, so that what it calls for each message is, too. */
#ifndef JAZZY_BENCH_FLOOR_LOOP_H
#define JAZZY_BENCH_FLOOR_LOOP_H

#include <stdint.h>
#include <stdio.h>
#include <sys/epoll.h>

#include "sockets.h"

enum {
    FLOOR_MOST_EVENTS = 1024,
    FLOOR_MOST_DESCRIPTORS = 65536 /* so that a descriptor can be the index of its connection */
};

static inline void floor_accept_all(int epoll, int listener, void (*came)(int descriptor))
{
    int descriptor;
    while ((descriptor = floor_accept(listener)) >= 0) {
        struct epoll_event event = {.events = EPOLLIN, .data.fd = descriptor};
        if (descriptor >= FLOOR_MOST_DESCRIPTORS || epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event) != 0)
            floor_fail("accept a connection");
        came(descriptor);
    }
}

/* Listens, and calls `came` for each new connection, and `serve` whenever there is something to receive. For ever. */
static inline void floor_run(uint16_t port, void (*came)(int descriptor), void (*serve)(int descriptor))
{
    static struct epoll_event events[FLOOR_MOST_EVENTS];
    int listener = floor_listen(port);
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = listener};
    if (epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event) != 0)
        floor_fail("create an event loop");
    printf("listening on port %u\n", port);
    fflush(stdout);
    for (;;) {
        int count = epoll_wait(epoll, events, FLOOR_MOST_EVENTS, -1);
        for (int i = 0; i < count; i++) {
            if (events[i].data.fd == listener)
                floor_accept_all(epoll, listener, came);
            else
                serve(events[i].data.fd);
        }
    }
}

#endif
