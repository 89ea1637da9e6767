/*
 * A simulated kernel for the sockets of one loop: the linker redirects system calls to this (Scripts/fuzz.mk, --wrap);
 * calls for other descriptors go to the real kernel. Time passes only when advanced; the test decides what arrives, in
 * which pieces, how much is taken, and what fails.
 */
#ifndef JAZZY_FUZZ_KERNEL_H
#define JAZZY_FUZZ_KERNEL_H

#include "session/buffer.h"

enum { KERNEL_SOCKETS = 8 };

typedef struct kernel_socket {
    bool is_accepted;
    bool is_closed;         /* by the server */
    bool is_finished;       /* the server sends no more */
    const jz_buffer *input; /* all that the peer sends; borrowed */
    size_t readable;        /* of it, what has arrived */
    size_t position;        /* what was received */
    bool has_end;           /* the peer sends no more */
    bool is_reset;
    size_t window; /* bytes that are taken before a send blocks */
    jz_buffer output;
    bool is_watched;
    uint32_t events;
    uint64_t token;
    size_t told; /* edge-triggered: what there was when it was told; 0: nothing was */
} kernel_socket;

/* Calls that fail, once, after so many that do not. */
typedef enum kernel_call {
    KERNEL_RECV,
    KERNEL_SEND,
    KERNEL_ACCEPT,
    KERNEL_EPOLL_CTL,
    KERNEL_ALLOCATE,
    KERNEL_CALLS
} kernel_call;

/* Called when the loop waits: what happens meanwhile. */
typedef void (*kernel_waiting)(void *context);

/* Begins anew. Returns the descriptor of a socket that listens. */
int kernel_begin(kernel_waiting waiting, void *context);

/* The memory behind the last received bytes is poisoned until the next receive, or until this is called. */
void kernel_unpoison(void);

/* For a transport that also writes to that memory between two receives. */
void kernel_never_poison(void);

/* Whether every descriptor was closed. Frees the rest. */
bool kernel_end(void);

/* A client connects: its socket, or NULL where there are too many. The number is its port, less the first. */
kernel_socket *kernel_connect(const jz_buffer *input);
kernel_socket *kernel_socket_at(size_t number);
size_t kernel_socket_count(void);

enum { KERNEL_FIRST_PORT = 1000 };

void kernel_fail(kernel_call call, int error, size_t after);

/* Whether any call was made to fail since the beginning. */
bool kernel_has_failed(void);

/* Allocations fail only within the server. */
void kernel_enter_server(bool is_within);

/* No send takes more than this at a time. */
void kernel_limit_sends(size_t most);

/* At which ready descriptor the loop begins. */
void kernel_rotate(size_t by);

void kernel_advance(uint64_t by_ms);

/* Whether the loop has something to do, and for how long it would wait otherwise: -1 without end. */
bool kernel_is_ready(void);
int kernel_timeout(void);

#endif
