/* What bench-resume is told, and what both of its sides know of a message. */
#ifndef JAZZY_BENCH_TASK_H
#define JAZZY_BENCH_TASK_H

#include <jazzy/compiler.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Of each message, which begins with its offset, in decimal, and a space. A client has missed up to MOST_MISSED, of
 * PUBLISHED that there are before anybody comes.
 */
enum { MESSAGE_LENGTH = 100, PUBLISHED = 30, MOST_MISSED = 10 };

typedef struct task {
    uint16_t port;
    uint32_t threads; /* of the server */
    size_t topics;
    size_t clients; /* that come back, one after the other, */
    size_t sockets; /* through so many, which are all open at the same time from the second wave on */
    size_t number;  /* of this program of clients, which determines its address */
} task;

/* Serve until a signal, and come back, as often as that. */
int serve(const task *task);
int come(const task *task);

/* Prints an error to standard error, and ends the program with code 1. */
_Noreturn void fail(const char *format, ...) JZ_PRINTF(1, 2);

#endif
