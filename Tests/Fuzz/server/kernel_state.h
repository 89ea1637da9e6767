/* State shared by the simulated kernel and its system calls. */
#ifndef JAZZY_FUZZ_KERNEL_STATE_H
#define JAZZY_FUZZ_KERNEL_STATE_H

#include <sys/epoll.h>

#include "../support/require.h"
#include "kernel.h"

enum {
    KERNEL_FIRST = 1 << 20, /* descriptors from here on are ours */
    KERNEL_EPOLL = KERNEL_FIRST,
    KERNEL_WAKE,
    KERNEL_LISTENER,
    KERNEL_FIRST_SOCKET,
    KERNEL_EPOLLIN = EPOLLIN,
    KERNEL_EPOLLOUT = EPOLLOUT,
    KERNEL_EPOLLERR = EPOLLERR,
    KERNEL_EPOLLHUP = EPOLLHUP,
    KERNEL_EPOLLRDHUP = EPOLLRDHUP
};

#define KERNEL_START_NS UINT64_C(1000000000000)

typedef struct kernel_failure {
    int error;
    size_t in; /* calls; 0: none fails */
} kernel_failure;

typedef struct kernel_state {
    kernel_waiting waiting;
    void *context;
    kernel_socket sockets[KERNEL_SOCKETS];
    size_t socket_count;
    size_t accepted_count;
    bool epoll_is_open;
    bool wake_is_open;
    bool listener_is_open;
    uint64_t wakes;
    uint64_t wake_token;
    uint32_t listener_events;
    uint64_t listener_token;
    kernel_failure failures[KERNEL_CALLS];
    bool has_failed;
    bool is_in_server;
    size_t most_sent;
    size_t rotation;
    int timeout;
    uint64_t now_ns;
    size_t idle_waits; /* consecutive ones that reported readiness without any effect */
    uint8_t *poisoned;
    size_t poisoned_length;
} kernel_state;

extern kernel_state kernel;

static inline bool kernel_is_ours(int descriptor)
{
    return descriptor >= KERNEL_FIRST;
}

/* Whether this call is to fail; errno says how. */
bool kernel_fails(kernel_call call);

kernel_socket *kernel_socket_of(int descriptor);
uint32_t kernel_readiness(const kernel_socket *socket);

/* What epoll has to tell: edge-triggered, nothing that was told. */
uint32_t kernel_news(const kernel_socket *socket);
void kernel_note_told(kernel_socket *socket);
bool kernel_may_accept(void);

#endif
