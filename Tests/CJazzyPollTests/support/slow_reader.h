/* A client that reads only as much as the test says, so that the rest waits in the kernels and in the server. */
#ifndef JAZZY_TESTS_SLOW_READER_H
#define JAZZY_TESTS_SLOW_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "client.h"

enum {
    SLOW_READER_BUFFER = 4096
}; /* bytes of its kernel's buffer: small, so that it reports progress in small steps */

/* Byte `position` of the data for slow readers. */
static inline uint8_t slow_reader_byte(size_t position)
{
    return (uint8_t)(position % 251);
}

/* A message of so many of these bytes, which the caller frees. */
uint8_t *slow_reader_message(size_t length);

/* Reads a frame header of `length` bytes. */
bool slow_reader_skip(test_client *client, size_t length);

/* Reads that many bytes, which must be those from `position` on. */
bool slow_reader_take(test_client *client, size_t position, size_t length);

#endif
