/*
 * What a server under count has for a kernel: the linker (ld, --wrap) leads its system calls here. Connections are only
 * numbers, one thing is ready at a time, what is sent is taken whole and counted, and the clock stands still: so that
 * every run takes the same way.
 */
#ifndef BENCH_INSTRUCTIONS_KERNEL_H
#define BENCH_INSTRUCTIONS_KERNEL_H

#include <stddef.h>

enum { KERNEL_MOST_CONNECTIONS = 1024 };

/* Called whenever the server waits for something to be ready, to make it so with one of the two functions below. */
extern void (*kernel_waits)(void);

/* So many clients, and no more until it is called again, wait to be accepted. They are numbered from 0. */
void kernel_connect(size_t clients);

/* A client sends this, which stays where it is until the server waits again. */
void kernel_receive(size_t client, const void *bytes, size_t length);

/* What the server sent to all clients. */
typedef struct kernel_sent {
    size_t calls;
    size_t bytes;
} kernel_sent;

extern kernel_sent kernel_sent_so_far;

#endif
