/* The sockets of a floor. */
#ifndef JAZZY_BENCH_FLOOR_SOCKETS_H
#define JAZZY_BENCH_FLOOR_SOCKETS_H

#include <stddef.h>
#include <stdint.h>

/* Prints what cannot be done, and why by errno, and ends the program. */
_Noreturn void floor_fail(const char *action);

/* Raises this program's limit of descriptors as far as it may. */
void floor_allow_many_descriptors(void);

/* Ends the program where it cannot listen. */
int floor_listen(uint16_t port);

/* A connection, which does not block; negative: none is waiting. */
int floor_accept(int listener);

/* Sends all of it, waiting for as long as the kernel does not take it. */
void floor_send_all(int descriptor, const uint8_t *bytes, size_t length);

#endif
