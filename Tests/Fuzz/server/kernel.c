#define _GNU_SOURCE

#include "kernel.h"

#include <errno.h>
#include <string.h>

#include "kernel_state.h"

kernel_state kernel;

int kernel_begin(kernel_waiting waiting, void *context)
{
    kernel = (kernel_state){.waiting = waiting, .context = context, .most_sent = SIZE_MAX, .now_ns = KERNEL_START_NS};
    kernel.listener_is_open = true;
    return KERNEL_LISTENER;
}

bool kernel_end(void)
{
    bool all_are_closed = !kernel.epoll_is_open && !kernel.wake_is_open && !kernel.listener_is_open;
    for (size_t i = 0; i < kernel.socket_count; i++) {
        kernel_socket *socket = &kernel.sockets[i];
        if (socket->is_accepted && !socket->is_closed)
            all_are_closed = false;
        jz_buffer_free(&socket->output);
    }
    return all_are_closed;
}

kernel_socket *kernel_connect(const jz_buffer *input)
{
    if (kernel.socket_count == KERNEL_SOCKETS)
        return NULL;
    kernel_socket *socket = &kernel.sockets[kernel.socket_count++];
    *socket = (kernel_socket){.input = input, .window = SIZE_MAX};
    return socket;
}

kernel_socket *kernel_socket_at(size_t number)
{
    return &kernel.sockets[number];
}

size_t kernel_socket_count(void)
{
    return kernel.socket_count;
}

void kernel_fail(kernel_call call, int error, size_t after)
{
    kernel.failures[call] = (kernel_failure){error, after + 1};
}

bool kernel_has_failed(void)
{
    return kernel.has_failed;
}

bool kernel_fails(kernel_call call)
{
    kernel_failure *failure = &kernel.failures[call];
    if (failure->in == 0 || --failure->in > 0)
        return false;
    /* Interrupted calls are repeated, and do not count as failures. */
    kernel.has_failed |= failure->error != EINTR && failure->error != EAGAIN;
    errno = failure->error;
    return true;
}

void kernel_enter_server(bool is_within)
{
    kernel.is_in_server = is_within;
}

void kernel_limit_sends(size_t most)
{
    kernel.most_sent = most;
}

void kernel_rotate(size_t by)
{
    kernel.rotation = by;
}

void kernel_advance(uint64_t by_ms)
{
    kernel.now_ns += by_ms * 1000000;
}

int kernel_timeout(void)
{
    return kernel.timeout;
}

kernel_socket *kernel_socket_of(int descriptor)
{
    size_t number = (size_t)(descriptor - KERNEL_FIRST_SOCKET);
    require(number < kernel.socket_count, "a descriptor is one that was given out");
    kernel_socket *socket = &kernel.sockets[number];
    require(socket->is_accepted && !socket->is_closed, "no descriptor is used that was closed");
    return socket;
}

/* What may be read, if only in the future; different with everything that comes. */
static size_t stamp_of(const kernel_socket *socket)
{
    return socket->readable * 4 + (socket->has_end ? 2 : 0) + (socket->is_reset ? 1 : 0) + 1;
}

uint32_t kernel_readiness(const kernel_socket *socket)
{
    bool has_all = socket->has_end && socket->position == socket->input->length;
    uint32_t ready = 0;
    if (socket->position < socket->readable || has_all || socket->is_reset)
        ready |= KERNEL_EPOLLIN;
    if (socket->window > 0 || socket->is_reset)
        ready |= KERNEL_EPOLLOUT;
    ready &= socket->events;
    if (socket->is_reset)
        ready |= KERNEL_EPOLLERR | KERNEL_EPOLLHUP;
    if (has_all && socket->is_finished)
        ready |= KERNEL_EPOLLHUP;
    if ((socket->events & KERNEL_EPOLLRDHUP) != 0 && socket->has_end && socket->readable == socket->input->length)
        ready |= KERNEL_EPOLLRDHUP | KERNEL_EPOLLIN;
    return ready;
}

uint32_t kernel_news(const kernel_socket *socket)
{
    bool is_told = (socket->events & EPOLLET) != 0 && socket->told == stamp_of(socket);
    return is_told ? 0 : kernel_readiness(socket);
}

void kernel_note_told(kernel_socket *socket)
{
    socket->told = stamp_of(socket);
}

bool kernel_may_accept(void)
{
    return kernel.listener_is_open && kernel.accepted_count < kernel.socket_count;
}

bool kernel_is_ready(void)
{
    if (kernel.wakes > 0 || (kernel.listener_events != 0 && kernel_may_accept()))
        return true;
    for (size_t i = 0; i < kernel.socket_count; i++) {
        const kernel_socket *socket = &kernel.sockets[i];
        if (socket->is_watched && !socket->is_closed && kernel_news(socket) != 0)
            return true;
    }
    return false;
}
