/*
 * Replaces the kernel for a measured server, with TLS or without: the linker (ld, --wrap) redirects its system calls to
 * this. Connections are only numbers, one descriptor is ready at a time, output is accepted completely and counted, and
 * the clock is stopped, so that every run is the same.
 */
#ifndef BENCH_INSTRUCTIONS_KERNEL_H
#define BENCH_INSTRUCTIONS_KERNEL_H

#include <stddef.h>
#include <time.h>

enum { KERNEL_MOST_CONNECTIONS = 1024 };

/* In seconds since 1970; constant while the server runs. */
extern time_t kernel_now;

/*
 * Called whenever the server waits for something to be ready, and has received everything, to make it so with one of
 * the two functions below.
 */
extern void (*kernel_waits)(void);

/* Called with what the server sends; NULL, the default: nobody looks. */
extern void (*kernel_sends)(const void *bytes, size_t length);

/* So many clients, and no more until it is called again, wait to be accepted. They are numbered from 0. */
void kernel_connect(size_t clients);

/* A client sends this, which the server may receive in parts; it stays where it is until the server waits again. */
void kernel_receive(size_t client, const void *bytes, size_t length);

/* The bytes that the server sent to all clients. */
typedef struct kernel_sent {
    size_t calls;
    size_t bytes;
} kernel_sent;

extern kernel_sent kernel_sent_so_far;

/* How many system calls the server has made: waits, and all that concern the listener or a client. */
extern size_t kernel_calls_so_far;

#endif
