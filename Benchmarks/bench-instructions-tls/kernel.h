/*
 * Replaces the kernel for a measured server with TLS, as bench-instructions/kernel.h does for one without: here is only
 * one client, which is told what the server sends, and what it sends may be received in parts.
 */
#ifndef BENCH_INSTRUCTIONS_TLS_KERNEL_H
#define BENCH_INSTRUCTIONS_TLS_KERNEL_H

#include <stddef.h>

enum { KERNEL_NOW = 1800000000 }; /* in seconds since 1970, for the server */

/* Called when the server waits, and has received everything. */
extern void (*kernel_waits)(void);

/* Called with what the server sends. */
extern void (*kernel_sends)(const void *bytes, size_t length);

/* The client connects. Once. */
void kernel_connect(void);

/* The client sends this, which stays where it is until the server waits again. */
void kernel_receive(const void *bytes, size_t length);

#endif
