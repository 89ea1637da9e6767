/* How much of our output the peer's kernel has acknowledged. */
#ifndef JAZZY_PLATFORM_ACKNOWLEDGED_H
#define JAZZY_PLATFORM_ACKNOWLEDGED_H

#include <stddef.h>
#include <stdint.h>

/* Bytes that our kernel has taken and the peer's has not acknowledged yet; 0 if unknown. */
size_t jz_socket_unacknowledged(int descriptor);

/*
 * How many bytes the peer's kernel has acknowledged, plus an unknown constant: only differences mean something. Where
 * the system does not count them, as with Unix domain sockets, sending changes it, too.
 */
uint64_t jz_socket_acknowledged(int descriptor);

#endif
