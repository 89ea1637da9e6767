/* The WebSocket clients of the bare program. A path that begins with /p is a publisher's; all others receive. */
#ifndef JAZZY_BENCH_CLIENTS_H
#define JAZZY_BENCH_CLIENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

void clients_add(int descriptor);

/* Reads once, and calls `take` with each whole message. A client that has ended is forgotten. */
void clients_read(int descriptor, void (*take)(void *context, const uint8_t *bytes, size_t length), void *context);

/* Whether any client that receives has come. */
bool clients_receive(void);

/* Writes a text frame, with up to 4 bytes more than the payload. Returns its length. */
size_t clients_write_frame(uint8_t *frame, const void *payload, size_t length);

/* To every receiver, waiting for each. */
void clients_send(const uint8_t *bytes, size_t length);

#endif
